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
  std::size_t lowered = 0;  // index of its layer
  const CachedTask* task = nullptr;
  const CostSummary* cost = nullptr;
};

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

}  // namespace

Evaluator::Evaluator(const Machine& machine)
    : machine_(machine), cache_(std::make_unique<CostCache>(machine)) {}

Evaluator::~Evaluator() = default;

void Evaluator::clear_cache() const { cache_->clear(); }

Result<NetworkCost> Evaluator::evaluate(const LayerGraph& graph, const NetworkPrecision& precision,
                                        const EvaluateOptions& options) const {
  const Accelerator& accelerator = machine_.accelerator;
  VERNIER_ASSERT(precision.size() == graph.tensors().size(), "one precision per tensor");
  std::vector<LoweredLayer> lowered;
  lowered.reserve(graph.layers().size());
  std::vector<Step> steps;
  steps.reserve(graph.layers().size());
  for (LayerId id = 0; id < graph.layers().size(); ++id) {
    lowered.push_back(lower_layer(graph, id, precision, accelerator));
    for (std::size_t at = 0; at < lowered.back().tasks.size(); ++at) steps.push_back({id});
  }
  if (options.strict_bits) refuse_roundings(graph, accelerator, lowered);

  // Mapping and schedule of each task; independent of its neighbours.
  std::vector<Infeasible> reasons(steps.size());
  std::vector<const LayerTask*> tasks;
  tasks.reserve(steps.size());
  for (const LoweredLayer& layer : lowered) {
    for (const LayerTask& task : layer.tasks) tasks.push_back(&task);
  }
  for_each_index(steps.size(), options.jobs, [&](std::size_t at) {
    steps[at].task = cache_->prepared(*tasks[at], reasons[at]);
  });
  for (std::size_t at = 0; at < steps.size(); ++at) {
    if (steps[at].task != nullptr) continue;
    Infeasible reason = std::move(reasons[at]);
    reason.layer = graph.layers()[steps[at].lowered].name;
    reason.reason = fmt::format("layer '{}' cannot run on the machine '{}': {}", reason.layer,
                                accelerator.spec().name, reason.reason);
    return reason;
  }

  // What neighbours share: the last loads of a task include the next one's first weight block.
  std::vector<TaskBorder> borders(steps.size());
  for (std::size_t at = 0; at + 1 < steps.size(); ++at) {
    const Bits block = steps[at + 1].task->prepared.first_weight_block;
    if (block.count() == 0) continue;
    if (!prefetch_fits(steps[at].task->prepared.schedule, block, accelerator)) continue;
    borders[at].next_weight = block;
    borders[at + 1].weight_is_loaded = true;
  }
  for_each_index(steps.size(), options.jobs, [&](std::size_t at) {
    steps[at].cost = &cache_->cost(*steps[at].task, borders[at]);
  });

  NetworkCost result;
  result.layers.reserve(lowered.size());
  std::size_t at = 0;
  for (const LoweredLayer& layer : lowered) {
    LayerCost cost;
    cost.layer = layer.layer;
    cost.precision = layer.precision;
    for (std::size_t task = 0; task < layer.tasks.size(); ++task, ++at) {
      cost.mappings.push_back(steps[at].task->mapping);
      if (task == 0) {
        cost.cost = *steps[at].cost;
      } else {
        accumulate(cost.cost, *steps[at].cost);
      }
    }
    if (layer.tasks.size() > 1) {
      cost.cost.energy = energy::EnergyBreakdown(cost.cost.activity, machine_.prices);
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
  result.total.energy = energy::EnergyBreakdown(result.total.activity, machine_.prices);
  check_conservation(result);
  return result;
}

Result<NetworkCost> evaluate(const Machine& machine, const LayerGraph& graph,
                             const PrecisionMap& precision, const EvaluateOptions& options) {
  return Evaluator(machine).evaluate(graph, resolve_precision(graph, precision).tensors, options);
}

}  // namespace vernier::dataflow
