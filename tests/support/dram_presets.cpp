#include "tests/support/dram_presets.hpp"

namespace vernier::tests {

const std::vector<std::string>& dram_preset_names() {
  static const std::vector<std::string> names{"DDR3-1600",   "DDR4-2400", "DDR4-3200",
                                              "LPDDR3-1600", "HBM2",      "LPDDR4-3200"};
  return names;
}

memory::DramTimingSpec dram_spec(const std::string& preset) {
  memory::DramTimingSpec spec;
  spec.preset = memory::read_dram_preset(
      load_yaml(std::string(VERNIER_SOURCE_DIR) + "/configs/dram/" + preset + ".yaml"));
  return spec;
}

}  // namespace vernier::tests
