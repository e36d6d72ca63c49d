// The largest resident memory of this process since a point in time (Linux).
#pragma once

#include <optional>

namespace vernier::tests {

/// Forgets the peak so far. False where the system does not allow it.
[[nodiscard]] bool reset_peak_memory();
/// Largest resident memory since then, and the current one, in KiB; none where it is not known.
[[nodiscard]] std::optional<long> peak_memory_kib();
[[nodiscard]] std::optional<long> current_memory_kib();

}  // namespace vernier::tests
