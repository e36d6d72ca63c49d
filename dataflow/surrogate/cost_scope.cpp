#include "dataflow/surrogate/cost_scope.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>

namespace vernier::dataflow {
namespace {

// Whether a layer has tasks: never, always, or depending on the widths of its tensors.
enum class HasTasks : std::uint8_t { kNever, kSometimes, kAlways };

HasTasks has_tasks(const LayerGraph& graph, LayerId layer) {
  if (is_view(graph.layers()[layer].op)) return HasTasks::kNever;
  return graph.may_join_in_place(layer) ? HasTasks::kSometimes : HasTasks::kAlways;
}

// Layers after `layer` up to the one whose weights it may fetch; empty when there are none.
std::vector<LayerId> layers_fetched_for(const LayerGraph& graph, LayerId layer) {
  std::vector<LayerId> found;
  for (LayerId next = layer + 1; next < graph.layers().size(); ++next) {
    const HasTasks tasks = has_tasks(graph, next);
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
    const HasTasks tasks = has_tasks(graph, before);
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

// Which activations may share the resident part of the output buffer with each other (design 5.7).
// Whether one stays on chip depends on the widths of all that live at the same time as it does.
// Tensors that may have one place (views, concatenations) count as one, whatever the widths.
class SharedRoom {
 public:
  explicit SharedRoom(const LayerGraph& graph) : graph_(graph), root_(graph.tensors().size()) {
    std::iota(root_.begin(), root_.end(), TensorId{0});
    for (LayerId id = 0; id < graph.layers().size(); ++id) {
      if (has_tasks(graph, id) == HasTasks::kAlways) continue;
      const Layer& layer = graph.layers()[id];
      for (const TensorId input : layer.inputs) root_[root(input)] = root(layer.output);
    }
    lives_.resize(root_.size());
    for (TensorId id = 0; id < root_.size(); ++id) note_life(id);
  }

  /// Tensors whose widths decide whether any of `tensors` stays on chip.
  [[nodiscard]] std::vector<TensorId> deciding(const std::vector<TensorId>& tensors) const {
    std::vector<TensorId> found;
    for (TensorId id = 0; id < root_.size(); ++id) {
      const Life& life = lives_[root(id)];
      const bool is_activation = graph_.tensor(id).kind == TensorKind::kActivation;
      if (is_activation && graph_.viewed(id) == id &&
          std::any_of(tensors.begin(), tensors.end(),
                      [&](TensorId tensor) { return lives_[root(tensor)].overlaps(life); })) {
        found.push_back(id);
      }
    }
    return found;
  }

 private:
  // Layers from the first that writes a group of tensors to the last that reads it. Network inputs
  // alone have no first: they are never kept.
  struct Life {
    std::optional<LayerId> first;
    LayerId last = 0;
    [[nodiscard]] bool overlaps(const Life& other) const {
      return first && other.first && *first <= other.last && *other.first <= last;
    }
  };

  [[nodiscard]] TensorId root(TensorId id) const {
    while (root_[id] != id) id = root_[id];
    return id;
  }

  void note_life(TensorId id) {
    const Tensor& tensor = graph_.tensor(id);
    Life& life = lives_[root(id)];
    if (tensor.producer) {
      life.first = std::min(life.first.value_or(*tensor.producer), *tensor.producer);
    }
    for (const LayerId consumer : tensor.consumers) life.last = std::max(life.last, consumer);
  }

  const LayerGraph& graph_;
  std::vector<TensorId> root_;
  std::vector<Life> lives_;  // by root
};

}  // namespace

std::vector<LayerScope> layer_scopes(const LayerGraph& graph, const Accelerator& machine) {
  const bool weights_alone = machine.buffer(TensorRole::kWeight).serves.size() == 1;
  const bool keeps = machine.buffer(TensorRole::kOutput).resident_bytes.count() > 0;
  const SharedRoom room(graph);
  std::vector<LayerScope> scopes;
  for (LayerId id = 0; id < graph.layers().size(); ++id) {
    const Layer& layer = graph.layers()[id];
    if (has_tasks(graph, id) == HasTasks::kNever) continue;
    LayerScope scope;
    scope.layer = id;
    if (layer.weight) {
      const std::vector<LayerId> before = layers_before(graph, id);
      const bool certain = !before.empty() && has_tasks(graph, before.front()) == HasTasks::kAlways;
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
    if (keeps) {
      const std::vector<TensorId> deciding = room.deciding(scope.tensors);
      std::vector<TensorId> all;
      std::set_union(scope.tensors.begin(), scope.tensors.end(), deciding.begin(), deciding.end(),
                     std::back_inserter(all));
      scope.tensors = std::move(all);
    }
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

}  // namespace vernier::dataflow
