// The order of tasks in a network and what neighbours share (design 5.7): the last loads of a task
// include the first weight block of the next one, if it fits. Both engines run the same one.
#pragma once

#include <span>
#include <vector>

#include "dataflow/schedule/layer_schedule.hpp"

namespace vernier::dataflow {

/// What one task shares with its neighbours.
struct TaskBorder {
  /// The first weight block is in the buffer already; it was loaded by the task before.
  bool weight_is_loaded = false;
  /// Bits of the next task's first weight block that this task loads in the end; 0: none.
  Bits next_weight{0};
  friend bool operator==(const TaskBorder&, const TaskBorder&) = default;
};

/// Whether the next task's first weight block fits beside this task's blocks in a half.
[[nodiscard]] bool prefetch_fits(const LayerSchedule& current, Bits next_weight,
                                 const Accelerator& machine);

/// Borders of tasks that run one after the other.
[[nodiscard]] std::vector<TaskBorder> task_borders(std::span<const LayerSchedule* const> tasks,
                                                   const Accelerator& machine);

}  // namespace vernier::dataflow
