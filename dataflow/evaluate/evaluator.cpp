#include "dataflow/evaluate/evaluator.hpp"

#include <vector>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "dataflow/evaluate/cost_cache.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/result/network_cost.hpp"

namespace vernier::dataflow {
namespace {

// One task in the order of execution.
struct Step {
  LayerId layer = 0;
  const LayerTask* lowered = nullptr;
  const Mapping* given = nullptr;  // instead of the heuristic's
  Cached<CachedTask> task;
  Cached<CostSummary> cost;
};

std::vector<Step> steps_of(const std::vector<LoweredLayer>& layers, const MappingPlan* plan) {
  std::vector<Step> steps;
  steps.reserve(layers.size());
  for (const LoweredLayer& layer : layers) {
    for (std::size_t task = 0; task < layer.tasks.size(); ++task) {
      steps.emplace_back();
      steps.back().layer = layer.layer;
      steps.back().lowered = &layer.tasks[task];
      if (plan != nullptr) steps.back().given = plan->find(layer.layer, task);
    }
  }
  return steps;
}

template <typename Work>
void for_each_index(std::size_t count, int jobs, const Work& work) {
  if (jobs <= 1) {
    for (std::size_t at = 0; at < count; ++at) work(at);
    return;
  }
  tbb::task_arena arena(jobs);
  arena.execute([&] { tbb::parallel_for(std::size_t{0}, count, work); });
}

}  // namespace

Evaluator::Evaluator(const Machine& machine)
    : machine_(machine), cache_(std::make_unique<CostCache>(machine)) {}

Evaluator::~Evaluator() = default;

void Evaluator::clear_cache() { cache_ = std::make_unique<CostCache>(machine_); }

Result<NetworkCost> Evaluator::evaluate(const LayerGraph& graph, const NetworkPrecision& precision,
                                        const EvaluateOptions& options) const {
  const Accelerator& accelerator = machine_.accelerator;
  const std::vector<LoweredLayer> lowered =
      lower_network(graph, precision, accelerator, options.strict_bits);

  // Mapping and schedule of each task; independent of its neighbours.
  std::vector<Step> steps = steps_of(lowered, options.mappings);
  std::vector<Infeasible> reasons(steps.size());
  for_each_index(steps.size(), options.jobs, [&](std::size_t at) {
    Step& step = steps[at];
    step.task = step.given != nullptr ? cache_->prepared_as(*step.lowered, *step.given, reasons[at])
                                      : cache_->prepared(*step.lowered, reasons[at]);
  });
  std::vector<const LayerSchedule*> schedules;
  schedules.reserve(steps.size());
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (steps[at].task) {
      schedules.push_back(&steps[at].task->prepared.schedule);
      continue;
    }
    return infeasible_layer(graph, steps[at].layer, accelerator, std::move(reasons[at]));
  }

  const std::vector<TaskBorder> borders = task_borders(schedules, accelerator);
  for_each_index(steps.size(), options.jobs, [&](std::size_t at) {
    steps[at].cost = cache_->cost(*steps[at].task, borders[at]);
  });
  std::vector<TaskResult> results;
  results.reserve(steps.size());
  for (const Step& step : steps) {
    results.push_back({step.lowered, &step.task->mapping, &*step.cost});
  }
  return join_costs(lowered, results, machine_);
}

Result<NetworkCost> evaluate(const Machine& machine, const LayerGraph& graph,
                             const PrecisionMap& precision, const EvaluateOptions& options) {
  return Evaluator(machine).evaluate(graph, resolve_precision(graph, precision).tensors, options);
}

}  // namespace vernier::dataflow
