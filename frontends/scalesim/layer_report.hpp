// The reports of one layer: a pure function of the layer's shape and the configuration.
#pragma once

#include <cstdint>

#include "frontends/scalesim/config.hpp"
#include "frontends/scalesim/layer.hpp"

namespace vernier::frontends::scalesim {

/// Figures of one SRAM and its DRAM stream. Words are reads, or writes for the OFMAP.
struct PortReport {
  double sram_bandwidth = 0;  ///< words per cycle
  double dram_bandwidth = 0;  ///< words per cycle
  std::int64_t sram_start = 0;
  std::int64_t sram_stop = 0;
  std::int64_t sram_words = 0;
  std::int64_t dram_start = 0;
  std::int64_t dram_stop = 0;
  std::int64_t dram_words = 0;
};

/// Cycles and percentages as SCALE-Sim prints them.
struct LayerReport {
  std::int64_t total_cycles_with_prefetch = 0;  ///< printed by v3 only
  std::int64_t total_cycles = 0;
  std::int64_t stall_cycles = 0;
  double overall_utilisation = 0;
  double mapping_efficiency = 0;
  double compute_utilisation = 0;
  PortReport input;
  PortReport filter;
  PortReport output;
};

/// Computes all columns of a layer. Throws ModelError or ArithmeticOverflow when it is too large.
[[nodiscard]] LayerReport report_layer(const LayerShape& shape, const Config& config);

}  // namespace vernier::frontends::scalesim
