// Slices of channels that the heuristic mapper tries.
#pragma once

#include <cstdint>
#include <vector>

#include "dataflow/machine/accelerator.hpp"
#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// total, total/2, total/4 ... rounded up to `step`, then on below `step` down to 1.
[[nodiscard]] std::vector<std::int64_t> halvings(std::int64_t total, std::int64_t step);

/// Slices of the reduction of an array task, descending: halvings, and where rows hold the
/// reduction the largest slices that fill 1, 2, 4 ... row folds.
[[nodiscard]] std::vector<std::int64_t> reduction_slices(const LayerTask& task,
                                                         const Accelerator& machine);

}  // namespace vernier::dataflow
