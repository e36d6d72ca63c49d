// One task on one machine, prepared once (mapping, schedule, tile costs) and then priced for each
// situation between its neighbours.
#pragma once

#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/evaluate/timing.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/result/cost.hpp"
#include "dataflow/schedule/layer_schedule.hpp"

namespace vernier::dataflow {

/// A task with its program and the closed-form costs of its tiles.
struct PreparedTask {
  LayerSchedule schedule;
  TileCosts tiles;
  /// Actions of array, buffers (array side), vector unit and requantizer: independent of timing.
  Activity inner_activity;
  arch::PortWaits port_waits{};  ///< of all tiles
};

/// Compiles a mapping; what it takes to time it, without counts of actions.
[[nodiscard]] Result<PreparedTask> compile_task(const LayerTask& task, const Mapping& mapping,
                                                const Accelerator& machine);
/// Counts the actions of a compiled task.
void count_actions(PreparedTask& task, const Accelerator& machine);

/// Compiles a mapping and counts its tiles' actions.
[[nodiscard]] Result<PreparedTask> prepare_task(const LayerTask& task, const Mapping& mapping,
                                                const Accelerator& machine);

/// Runs the recurrences and joins timing, activity and energy.
[[nodiscard]] CostSummary cost_of_task(const PreparedTask& task, const TaskBorder& border,
                                       const Machine& machine, const TimingOptions& options = {});

}  // namespace vernier::dataflow
