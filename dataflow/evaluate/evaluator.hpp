// The public entry: a network with widths, on a machine, becomes its cost. Equal tasks are computed
// once and remembered, so that a changed width re-computes only what it touches.
#pragma once

#include <memory>

#include "arch/base/result.hpp"
#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/mapping/mapping_plan.hpp"
#include "dataflow/result/cost.hpp"

namespace vernier::dataflow {

class CostCache;

struct EvaluateOptions {
  int jobs = 1;              ///< threads that prepare tasks; the result is the same for any number
  bool strict_bits = false;  ///< a width that the machine must round is an error
  /// Mappings to use instead of the heuristic's; a loan. These tasks are not cached.
  const MappingPlan* mappings = nullptr;
};

/// Evaluates networks on one machine. Keeps every prepared task and its costs; safe to call from
/// many threads at once.
class Evaluator {
 public:
  /// The machine must outlive the evaluator.
  explicit Evaluator(const Machine& machine);
  explicit Evaluator(Machine&&) = delete;
  ~Evaluator();
  Evaluator(Evaluator&&) = delete;
  Evaluator& operator=(Evaluator&&) = delete;

  /// Cost of the network, or why it cannot run. Throws ModelError (widths outside the machine's,
  /// too narrow accumulators, missing vector operations, given mappings with sizes outside their
  /// layer; with strict_bits any rounding).
  [[nodiscard]] Result<NetworkCost> evaluate(const LayerGraph& graph,
                                             const NetworkPrecision& precision,
                                             const EvaluateOptions& options = {}) const;

  [[nodiscard]] const Machine& machine() const { return machine_; }
  /// What is kept of tasks; shared with the surrogate, which asks for tasks one by one.
  [[nodiscard]] CostCache& cache() const { return *cache_; }
  /// Forgets everything computed so far; nobody else may use the evaluator meanwhile.
  void clear_cache();

 private:
  const Machine& machine_;
  std::unique_ptr<CostCache> cache_;
};

/// One evaluation without a kept cache.
[[nodiscard]] Result<NetworkCost> evaluate(const Machine& machine, const LayerGraph& graph,
                                           const PrecisionMap& precision,
                                           const EvaluateOptions& options = {});

}  // namespace vernier::dataflow
