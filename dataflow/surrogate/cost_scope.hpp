// Which tensors the cost of one layer depends on (design 8.1). Static: it follows from the network
// and the machine, never from the widths, so that the surrogate is a fixed sum of small terms. What
// neighbours share is decided by the network schedule (design 5.7); when the schedule learns to
// share more, this is the one place that names the tensors.
#pragma once

#include <vector>

#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/machine/accelerator.hpp"

namespace vernier::dataflow {

/// Neighbourhood of one layer.
struct LayerScope {
  LayerId layer = 0;
  /// Layers whose tasks must be known to know the layer's own situation, the layer included, in
  /// topological order.
  std::vector<LayerId> window;
  /// The task before the window fetches the first weight block of the window's first task.
  bool weight_arrives = false;
  /// Tensors (never views) that the window's layers read and write, and those that decide whether
  /// these stay on chip; ascending.
  std::vector<TensorId> tensors;
};

/// The scope of each layer that can cost anything, in topological order. A layer's prefetch of the
/// next layer's first weight block depends on all widths of that layer, since its mapping does. The
/// layer before matters only where weights share their buffer with another operand: then it depends
/// on that layer's blocks whether the prefetch fits; else it always does. Where activations may
/// stay on chip, all that live at the same time as one of the window's decide with it.
[[nodiscard]] std::vector<LayerScope> layer_scopes(const LayerGraph& graph,
                                                   const Accelerator& machine);

}  // namespace vernier::dataflow
