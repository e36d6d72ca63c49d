#include "dataflow/result/network_cost.hpp"

#include <algorithm>
#include <cmath>

namespace vernier::dataflow {
namespace {

// The layers' energies sum to the total, which is priced from the summed activity.
void check_conservation(const NetworkCost& cost) {
  constexpr double kRounding = 1e-9;
  Picojoules sum{0.0};
  for (const LayerCost& layer : cost.layers) sum += layer.cost.energy.total();
  const double total = cost.total.energy.total().count();
  VERNIER_ASSERT(std::abs(sum.count() - total) <= kRounding * total, "conserved energy");
}

// Fills a new cost where it will stay.
void join_into(LayerCost& cost, const LoweredLayer& layer, std::span<const TaskResult> tasks,
               const Machine& machine) {
  const std::int64_t accumulator_bits = machine.accelerator.spec().mac.accumulator_bits;
  cost.layer = layer.layer;
  cost.tasks.reserve(tasks.size());
  for (const TaskResult& result : tasks) {
    const LayerTask& task = *result.task;
    cost.tasks.push_back({task.unit, task.precision(accumulator_bits), *result.mapping,
                          task.requantizes ? task.channels : task.groups,
                          groups_per_tile(task, result.mapping->tile, machine.accelerator)});
    if (cost.tasks.size() == 1) {
      cost.cost = *result.cost;
    } else {
      accumulate(cost.cost, *result.cost);
    }
  }
  cost.cost.peak_on_chip += layer.resident;
  if (tasks.size() > 1) {
    cost.cost.energy = energy::EnergyBreakdown(cost.cost.activity, machine.prices);
  }
}

}  // namespace

LayerCost join_tasks(const LoweredLayer& layer, std::span<const TaskResult> tasks,
                     const Machine& machine) {
  LayerCost cost;
  join_into(cost, layer, tasks, machine);
  return cost;
}

NetworkCost join_costs(const std::vector<LoweredLayer>& layers, std::span<const TaskResult> results,
                       const Machine& machine) {
  std::vector<const LoweredLayer*> pointers;
  pointers.reserve(layers.size());
  for (const LoweredLayer& layer : layers) pointers.push_back(&layer);
  return join_costs(pointers, results, machine);
}

NetworkCost join_costs(std::span<const LoweredLayer* const> layers,
                       std::span<const TaskResult> results, const Machine& machine) {
  NetworkCost joined;
  joined.layers.reserve(layers.size());
  for (const LoweredLayer* const pointer : layers) {
    const LoweredLayer& layer = *pointer;
    LayerCost& joined_layer = joined.layers.emplace_back();
    join_into(joined_layer, layer, results.first(layer.tasks.size()), machine);
    results = results.subspan(layer.tasks.size());
    accumulate(joined.total, joined_layer.cost);
    if (layer.residence) joined.residences.push_back(*layer.residence);
    for (const WidthRounding& rounding : layer.roundings) {
      if (std::find(joined.roundings.begin(), joined.roundings.end(), rounding) ==
          joined.roundings.end()) {
        joined.roundings.push_back(rounding);
      }
    }
  }
  joined.total.energy = energy::EnergyBreakdown(joined.total.activity, machine.prices);
  check_conservation(joined);
  return joined;
}

}  // namespace vernier::dataflow
