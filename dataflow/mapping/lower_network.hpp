// A whole network as the tasks that run one after the other; the common start of both engines.
#pragma once

#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// Lowers every layer in topological order and decides which activations stay on chip. Throws
/// ModelError as lower_layer does, and, with `strict_bits`, when the machine must round a width
/// (all such tensors at once).
[[nodiscard]] std::vector<LoweredLayer> lower_network(const LayerGraph& graph,
                                                      const NetworkPrecision& precision,
                                                      const Accelerator& machine, bool strict_bits);

/// The reason why a task cannot run, told as one of its layer.
[[nodiscard]] Infeasible infeasible_layer(const LayerGraph& graph, LayerId layer,
                                          const Accelerator& machine, Infeasible reason);

}  // namespace vernier::dataflow
