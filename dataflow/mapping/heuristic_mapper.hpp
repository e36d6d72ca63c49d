// Chooses a mapping for one task from a short list of tile sizes and all loop orders, by an
// estimate of its cycles. The estimate only ranks; the engines compute what is reported.
#pragma once

#include "arch/base/result.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {

/// What the mapper believes a mapping costs.
struct MappingEstimate {
  double cycles = 0.0;
  double dram_bits = 0.0;
};

/// Best candidate by (estimated cycles, DRAM bits), ties to the first in enumeration order.
/// Infeasible when not even the smallest tile fits; the reason names buffer and missing bytes.
[[nodiscard]] Result<Mapping> map_heuristically(const LayerTask& task, const Accelerator& machine);

/// The estimate for one mapping, for tests.
[[nodiscard]] MappingEstimate estimate_mapping(const LayerTask& task, const Mapping& mapping,
                                               const Accelerator& machine);

}  // namespace vernier::dataflow
