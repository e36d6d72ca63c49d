// The default mapping of a task: of the few candidates with the least estimated cycles the one that
// the engine's recurrences find to be the fastest, alone on the machine.
#pragma once

#include "arch/base/result.hpp"
#include "dataflow/evaluate/task_cost.hpp"

namespace vernier::dataflow {

/// Best of the shortlist by (cycles, DRAM bits), ties to the first. Candidates are not timed once
/// one before them is at least as fast as they are estimated to be. Infeasible when not even the
/// smallest tile fits; the reason names buffer and missing bytes.
[[nodiscard]] Result<Mapping> map_heuristically(const LayerTask& task, const Accelerator& machine);

/// The task prepared with that mapping.
[[nodiscard]] Result<PreparedTask> prepare_heuristically(const LayerTask& task,
                                                         const Accelerator& machine);

}  // namespace vernier::dataflow
