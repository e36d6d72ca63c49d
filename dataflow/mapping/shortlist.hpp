// The most promising mappings of one task: those of its whole candidate space (docs/mapping.md)
// with the least estimated cycles. Who needs one mapping times them and takes the best.
#pragma once

#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/mapping/mapping_estimate.hpp"

namespace vernier::dataflow {

/// A candidate and what the estimate says of it.
struct RankedMapping {
  Mapping mapping;
  MappingEstimate estimate;
};

/// The `most` candidates with the least (estimated cycles, DRAM bits), best first; ties to the
/// first in enumeration order. Fewer when the space has fewer. Of axes with very many sizes (more
/// than 65,536 rectangles or 1024 channel slices) an even selection is looked at.
/// Infeasible when not even the smallest tile fits; the reason names buffer and missing bytes.
[[nodiscard]] Result<std::vector<RankedMapping>> shortlist(const LayerTask& task,
                                                           const Accelerator& machine,
                                                           std::size_t most);

}  // namespace vernier::dataflow
