// Joins the costs of tasks into layers and a network; the common end of both engines.
#pragma once

#include <span>
#include <vector>

#include "dataflow/machine/machine.hpp"
#include "dataflow/result/cost.hpp"

namespace vernier::dataflow {

/// One task as an engine ran it; pointers are loans.
struct TaskResult {
  const LayerTask* task = nullptr;
  const Mapping* mapping = nullptr;
  const CostSummary* cost = nullptr;
};

/// Joins the tasks of one layer.
[[nodiscard]] LayerCost join_tasks(const LoweredLayer& layer, std::span<const TaskResult> tasks,
                                   const Machine& machine);

/// `results` holds the tasks of all layers in order. The total is priced from the summed activity;
/// that it equals the sum of the layers' energies is checked.
[[nodiscard]] NetworkCost join_costs(std::span<const LoweredLayer* const> layers,
                                     std::span<const TaskResult> results, const Machine& machine);
[[nodiscard]] NetworkCost join_costs(const std::vector<LoweredLayer>& layers,
                                     std::span<const TaskResult> results, const Machine& machine);

}  // namespace vernier::dataflow
