// The shipped DRAM presets, for tests of the timing model.
#pragma once

#include <string>
#include <vector>

#include "memory/dram_timing.hpp"

namespace vernier::tests {

/// Names of the presets of configs/dram.
[[nodiscard]] const std::vector<std::string>& dram_preset_names();
/// One channel and rank of a preset, default mapping, open rows.
[[nodiscard]] memory::DramTimingSpec dram_spec(const std::string& preset);

}  // namespace vernier::tests
