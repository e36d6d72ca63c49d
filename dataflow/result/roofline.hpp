// Where a cost stands under the roofline of its machine: what the peak at its own precision and the
// DRAM bandwidth would allow, and what was reached. Definitions in design 9; after Williams,
// Waterman and Patterson, CACM 52(4), 2009, with MACs for operations and DRAM bits for bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dataflow/result/cost.hpp"

namespace vernier::dataflow {

/// Which side of the roofline is lower; where both are equal, the flat one.
enum class Roof : std::uint8_t { kCompute, kDram };
[[nodiscard]] std::string_view to_text(Roof roof);

/// All rates in MACs per core cycle, intensities in MACs per bit over the DRAM channel.
struct Roofline {
  /// Peak at the precision of the layer. Of several precisions: MACs over the sum of the cycles
  /// that each part takes at its own peak.
  double peak_macs_per_cycle = 0.0;
  /// MACs per DRAM bit; nothing when no bit moves.
  std::optional<double> operational_intensity;
  /// Peak over bandwidth: from this intensity on the array is the roof.
  double machine_balance = 0.0;
  double attainable_macs_per_cycle = 0.0;  ///< min(peak, intensity * bandwidth)
  double achieved_macs_per_cycle = 0.0;    ///< MACs over all cycles, stalls included
  Roof roof = Roof::kCompute;
};

/// Nothing for a cost without MACs or without cycles.
[[nodiscard]] std::optional<Roofline> roofline_of(const CostSummary& cost,
                                                  double bandwidth_bits_per_cycle);

}  // namespace vernier::dataflow
