// Which activations stay on chip between layers (design 5.7), found from the graph and the widths
// alone, before any mapping. Both engines run what it decides.
#pragma once

#include <vector>

#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// Decides for each activation and marks the tasks that read or write one on chip. Activations that
/// share a place (views, concatenations that take no pass) stay together or not at all. They stay
/// iff in each layer from their first producer to their last consumer the sizes of all live
/// activations that may stay sum to at most `resident_bytes`. Does nothing for a machine without
/// such a buffer. `layers` are those of the whole graph, lowered.
void place_activations(const LayerGraph& graph, const NetworkPrecision& precision,
                       const Accelerator& machine, std::vector<LoweredLayer>& layers);

/// Whether a tensor is on chip: an activation that a layer writes there, or a view or free
/// concatenation of such. By tensor; empty when nothing is.
[[nodiscard]] std::vector<bool> tensors_on_chip(const LayerGraph& graph,
                                                const std::vector<LoweredLayer>& layers);

}  // namespace vernier::dataflow
