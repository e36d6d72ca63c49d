// Runs one task on the clocked machine with tensors that a test chooses.
#pragma once

#include <string>

#include "dataflow/clocked/clocked_machine.hpp"
#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/machine/machine.hpp"

namespace vernier::tests {

/// A task on a machine, compiled.
struct ClockedCase {
  dataflow::Machine machine;
  dataflow::PreparedTask prepared;
  dataflow::TaskOperands operands;
};

/// Compiles a task with one mapping and draws operands (seed 1).
[[nodiscard]] ClockedCase clocked_case(dataflow::Machine machine, const dataflow::LayerTask& task,
                                       const dataflow::TileSize& tile);

/// Runs a case alone.
[[nodiscard]] dataflow::ClockedRun run_clocked(const ClockedCase& given,
                                               const memory::MachineFaults& faults = {},
                                               dataflow::Timeline* timeline = nullptr,
                                               const std::string& waveform = "");

}  // namespace vernier::tests
