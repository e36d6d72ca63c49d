#include "dataflow/evaluate/evaluator.hpp"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "dataflow/evaluate/cost_cache.hpp"
#include "dataflow/evaluate/layer_memo.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/result/network_cost.hpp"

namespace vernier::dataflow {
namespace {

// One task in the order of execution.
struct Step {
  LayerId layer = 0;
  const LayerTask* lowered = nullptr;
  const CachedTask* known = nullptr;  // prepared by an evaluation before this one
  const Mapping* given = nullptr;     // instead of the heuristic's
  Cached<CachedTask> task;
  Cached<CostSummary> cost;
};

// The layers of a network: those that an evaluation before this one has met, and new ones.
struct Layers {
  std::vector<std::optional<LayerKey>> keys;  // empty: nothing is looked up or kept
  std::vector<const KnownLayer*> known;
  std::vector<LoweredLayer> fresh;
  std::vector<const LoweredLayer*> all;  // in topological order
};

Layers all_fresh(std::vector<LoweredLayer> lowered) {
  Layers layers;
  layers.fresh = std::move(lowered);
  layers.known.assign(layers.fresh.size(), nullptr);
  for (const LoweredLayer& layer : layers.fresh) layers.all.push_back(&layer);
  return layers;
}

Layers find_layers(const LayerGraph& graph, const NetworkPrecision& precision,
                   const Accelerator& machine, const LayerMemo& memo) {
  Layers layers;
  const std::size_t count = graph.layers().size();
  layers.keys.reserve(count);
  for (LayerId id = 0; id < count; ++id) layers.keys.push_back(layer_key(graph, id, precision));
  layers.known = memo.find(layers.keys);
  layers.fresh.reserve(count);  // so that pointers stay
  layers.all.reserve(count);
  for (LayerId id = 0; id < count; ++id) {
    if (layers.known[id] != nullptr) {
      layers.all.push_back(&layers.known[id]->lowered);
      continue;
    }
    layers.fresh.push_back(lower_layer(graph, id, precision, machine));
    layers.all.push_back(&layers.fresh.back());
  }
  return layers;
}

std::vector<Step> steps_of(const Layers& layers, const MappingPlan* plan) {
  std::vector<Step> steps;
  steps.reserve(layers.all.size() + layers.all.size() / 2);
  for (std::size_t at = 0; at < layers.all.size(); ++at) {
    const LoweredLayer& layer = *layers.all[at];
    const KnownLayer* known = layers.known[at];
    for (std::size_t task = 0; task < layer.tasks.size(); ++task) {
      Step& step = steps.emplace_back();
      step.layer = layer.layer;
      step.lowered = &layer.tasks[task];
      if (known != nullptr) step.known = known->tasks[task];
      if (plan != nullptr) step.given = plan->find(layer.layer, task);
    }
  }
  return steps;
}

// Keeps the new layers of which every task is kept.
void keep_layers(const Layers& layers, std::span<const Step> steps, LayerMemo& memo) {
  for (std::size_t at = 0; at < layers.keys.size(); ++at) {
    const std::span<const Step> own = steps.first(layers.all[at]->tasks.size());
    steps = steps.subspan(own.size());
    if (layers.known[at] != nullptr || !layers.keys[at]) continue;
    KnownLayer layer{*layers.all[at], {}};
    bool all_kept = true;
    for (const Step& step : own) {
      layer.tasks.push_back(&*step.task);
      all_kept = all_kept && step.task.is_kept();
    }
    if (all_kept) memo.keep(*layers.keys[at], std::move(layer));
  }
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
  VERNIER_ASSERT(precision.size() == graph.tensors().size(), "one precision per tensor");
  // With activations that stay on chip the tasks of a layer depend on the whole network.
  const bool by_layer = accelerator.buffer(TensorRole::kOutput).resident_bytes.count() == 0 &&
                        !options.strict_bits && options.mappings == nullptr;
  const Layers layers =
      by_layer ? find_layers(graph, precision, accelerator, cache_->layers())
               : all_fresh(lower_network(graph, precision, accelerator, options.strict_bits));

  // Mapping and schedule of each task; independent of its neighbours.
  std::vector<Step> steps = steps_of(layers, options.mappings);
  std::vector<Infeasible> reasons(steps.size());
  for_each_index(steps.size(), options.jobs, [&](std::size_t at) {
    Step& step = steps[at];
    if (step.known != nullptr) {
      step.task = Cached<CachedTask>(step.known);
      return;
    }
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
  if (!layers.fresh.empty()) keep_layers(layers, steps, cache_->layers());
  return join_costs(layers.all, results, machine_);
}

Result<NetworkCost> evaluate(const Machine& machine, const LayerGraph& graph,
                             const PrecisionMap& precision, const EvaluateOptions& options) {
  return Evaluator(machine).evaluate(graph, resolve_precision(graph, precision).tensors, options);
}

}  // namespace vernier::dataflow
