// Mappings that were chosen before an engine runs: by a search or by a person. Tasks without one
// are left to a mapper.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {

/// Chooses a mapping for a task on a machine, or says why it cannot run.
using Mapper = std::function<Result<Mapping>(const LayerTask&, const Accelerator&)>;

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
