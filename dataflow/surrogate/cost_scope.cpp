#include "dataflow/surrogate/cost_scope.hpp"

#include <algorithm>

namespace vernier::dataflow {
namespace {

// Whether a layer has tasks: never, always, or depending on the widths of its tensors.
enum class HasTasks : std::uint8_t { kNever, kSometimes, kAlways };

HasTasks has_tasks(const Layer& layer) {
  if (is_view(layer.op)) return HasTasks::kNever;
  const bool in_place =
      std::holds_alternative<Concat>(layer.op) && layer.activation == ActivationKind::kNone;
  return in_place ? HasTasks::kSometimes : HasTasks::kAlways;
}

// Layers after `layer` up to the one whose weights it may fetch; empty when there are none.
std::vector<LayerId> layers_fetched_for(const LayerGraph& graph, LayerId layer) {
  std::vector<LayerId> found;
  for (LayerId next = layer + 1; next < graph.layers().size(); ++next) {
    const HasTasks tasks = has_tasks(graph.layers()[next]);
    if (tasks == HasTasks::kNever) continue;
    found.push_back(next);
    if (tasks == HasTasks::kSometimes) continue;
    if (graph.layers()[next].weight) return found;
    break;
  }
  return {};
}

// Layers before `layer`, back to the one that certainly has a task; ascending.
std::vector<LayerId> layers_before(const LayerGraph& graph, LayerId layer) {
  std::vector<LayerId> found;
  for (LayerId before = layer; before-- > 0;) {
    const HasTasks tasks = has_tasks(graph.layers()[before]);
    if (tasks == HasTasks::kNever) continue;
    found.push_back(before);
    if (tasks == HasTasks::kAlways) break;
  }
  std::reverse(found.begin(), found.end());
  return found;
}

void add_tensors(const LayerGraph& graph, LayerScope& scope) {
  for (const LayerId id : scope.window) {
    const Layer& layer = graph.layers()[id];
    for (const TensorId input : layer.inputs) scope.tensors.push_back(graph.viewed(input));
    if (layer.weight) scope.tensors.push_back(*layer.weight);
    scope.tensors.push_back(graph.viewed(layer.output));
  }
  std::sort(scope.tensors.begin(), scope.tensors.end());
  scope.tensors.erase(std::unique(scope.tensors.begin(), scope.tensors.end()), scope.tensors.end());
}

}  // namespace

std::vector<LayerScope> layer_scopes(const LayerGraph& graph, const Accelerator& machine) {
  const bool weights_alone = machine.buffer(TensorRole::kWeight).serves.size() == 1;
  std::vector<LayerScope> scopes;
  for (LayerId id = 0; id < graph.layers().size(); ++id) {
    const Layer& layer = graph.layers()[id];
    if (has_tasks(layer) == HasTasks::kNever) continue;
    LayerScope scope;
    scope.layer = id;
    if (layer.weight) {
      const std::vector<LayerId> before = layers_before(graph, id);
      const bool certain =
          !before.empty() && has_tasks(graph.layers()[before.front()]) == HasTasks::kAlways;
      if (weights_alone && certain) {
        scope.weight_arrives = true;
      } else {
        scope.window = before;
      }
    }
    scope.window.push_back(id);
    const std::vector<LayerId> after = layers_fetched_for(graph, id);
    scope.window.insert(scope.window.end(), after.begin(), after.end());
    add_tensors(graph, scope);
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

}  // namespace vernier::dataflow
