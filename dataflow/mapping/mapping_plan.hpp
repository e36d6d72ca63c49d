// Mappings that were chosen before an engine runs: by a search or by a person. Layers without one
// are left to the heuristic.
#pragma once

#include <optional>
#include <vector>

#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {

/// Mappings by layer and task, tasks in the order in which they run.
struct MappingPlan {
  std::vector<std::vector<std::optional<Mapping>>> layers;

  /// The mapping of a task, or nullptr when the plan has none.
  [[nodiscard]] const Mapping* find(LayerId layer, std::size_t task) const {
    if (layer >= layers.size() || task >= layers[layer].size()) return nullptr;
    const std::optional<Mapping>& mapping = layers[layer][task];
    return mapping ? &*mapping : nullptr;
  }
};

}  // namespace vernier::dataflow
