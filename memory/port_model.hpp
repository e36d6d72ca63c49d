// How many cycles one line of a fold takes at the ports of the buffers (design 5.1).
#pragma once

#include <span>

#include "arch/fold_model.hpp"
#include "arch/port_waits.hpp"
#include "memory/spec.hpp"

namespace vernier::memory {

/// rho: the slowest buffer's ceil(peak demand / (banks * ports * word)), at least 1. Streamed
/// operands ask for bits / step_cycles per line; preloads come in lines of their own, before
/// streaming starts, so a buffer that serves both sees the larger of the two.
[[nodiscard]] std::int64_t cycles_per_line(const arch::FoldDemand& demand,
                                           std::span<const BufferSpec> buffers);
/// The same, with the buffer that needs them.
[[nodiscard]] arch::LineTime line_time(const arch::FoldDemand& demand,
                                       std::span<const BufferSpec> buffers);

}  // namespace vernier::memory
