#include "dataflow/evaluate/evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "dataflow/evaluate/cost_cache.hpp"

namespace vernier::dataflow {
namespace {

// One task in the order of execution.
struct Step {
  LayerId layer = 0;
  const LayerTask* lowered = nullptr;
  Cached<CachedTask> task;
  Cached<CostSummary> cost;
};

std::vector<Step> steps_of(const std::vector<LoweredLayer>& layers) {
  std::vector<Step> steps;
  steps.reserve(layers.size());
  for (const LoweredLayer& layer : layers) {
    for (const LayerTask& task : layer.tasks) {
      steps.emplace_back();
      steps.back().layer = layer.layer;
      steps.back().lowered = &task;
    }
  }
  return steps;
}

void refuse_roundings(const LayerGraph& graph, const Accelerator& machine,
                      const std::vector<LoweredLayer>& layers) {
  std::vector<std::string> problems;
  const auto list = [](const std::vector<std::int64_t>& widths) {
    return fmt::format("{}", fmt::join(widths, ", "));
  };
  for (const LoweredLayer& layer : layers) {
    for (const WidthRounding& rounding : layer.roundings) {
      problems.push_back(fmt::format(
          "tensor '{}': {} bits would be stored as {} and computed as {}; legal are storage {}, "
          "weights {}, activations {}",
          graph.tensor(rounding.tensor).name, rounding.logical.bits(), rounding.storage.bits(),
          rounding.compute.bits(), list(machine.spec().storage_bits),
          list(machine.spec().mac.weight_bits), list(machine.spec().mac.activation_bits)));
    }
  }
  std::sort(problems.begin(), problems.end());
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  if (!problems.empty()) throw ModelError(problems);
}

// The layers' energies sum to the total, which is priced from the summed activity.
void check_conservation(const NetworkCost& cost) {
  constexpr double kRounding = 1e-9;
  Picojoules sum{0.0};
  for (const LayerCost& layer : cost.layers) sum += layer.cost.energy.total();
  const double total = cost.total.energy.total().count();
  VERNIER_ASSERT(std::abs(sum.count() - total) <= kRounding * total, "conserved energy");
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

// Joins the costs of the steps into layers and the total.
NetworkCost collect(const std::vector<LoweredLayer>& lowered, const std::vector<Step>& steps,
                    const Machine& machine) {
  const std::int64_t accumulator_bits = machine.accelerator.spec().mac.accumulator_bits;
  NetworkCost result;
  result.layers.reserve(lowered.size());
  auto step = steps.begin();
  for (const LoweredLayer& layer : lowered) {
    LayerCost cost;
    cost.layer = layer.layer;
    cost.tasks.reserve(layer.tasks.size());
    for (std::size_t task = 0; task < layer.tasks.size(); ++task, ++step) {
      cost.tasks.push_back(
          {step->lowered->unit, step->lowered->precision(accumulator_bits), step->task->mapping});
      if (task == 0) {
        cost.cost = *step->cost;
      } else {
        accumulate(cost.cost, *step->cost);
      }
    }
    if (layer.tasks.size() > 1) {
      cost.cost.energy = energy::EnergyBreakdown(cost.cost.activity, machine.prices);
    }
    accumulate(result.total, cost.cost);
    for (const WidthRounding& rounding : layer.roundings) {
      if (std::find(result.roundings.begin(), result.roundings.end(), rounding) ==
          result.roundings.end()) {
        result.roundings.push_back(rounding);
      }
    }
    result.layers.push_back(std::move(cost));
  }
  result.total.energy = energy::EnergyBreakdown(result.total.activity, machine.prices);
  check_conservation(result);
  return result;
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
  std::vector<LoweredLayer> lowered;
  lowered.reserve(graph.layers().size());
  for (LayerId id = 0; id < graph.layers().size(); ++id) {
    lowered.push_back(lower_layer(graph, id, precision, accelerator));
  }
  if (options.strict_bits) refuse_roundings(graph, accelerator, lowered);

  // Mapping and schedule of each task; independent of its neighbours.
  std::vector<Step> steps = steps_of(lowered);
  std::vector<Infeasible> reasons(steps.size());
  for_each_index(steps.size(), options.jobs, [&](std::size_t at) {
    steps[at].task = cache_->prepared(*steps[at].lowered, reasons[at]);
  });
  std::vector<const LayerSchedule*> schedules;
  schedules.reserve(steps.size());
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (steps[at].task) {
      schedules.push_back(&steps[at].task->prepared.schedule);
      continue;
    }
    Infeasible reason = std::move(reasons[at]);
    reason.layer = graph.layers()[steps[at].layer].name;
    reason.reason = fmt::format("layer '{}' cannot run on the machine '{}': {}", reason.layer,
                                accelerator.spec().name, reason.reason);
    return reason;
  }

  const std::vector<TaskBorder> borders = task_borders(schedules, accelerator);
  for_each_index(steps.size(), options.jobs, [&](std::size_t at) {
    steps[at].cost = cache_->cost(*steps[at].task, borders[at]);
  });
  return collect(lowered, steps, machine_);
}

Result<NetworkCost> evaluate(const Machine& machine, const LayerGraph& graph,
                             const PrecisionMap& precision, const EvaluateOptions& options) {
  return Evaluator(machine).evaluate(graph, resolve_precision(graph, precision).tensors, options);
}

}  // namespace vernier::dataflow
