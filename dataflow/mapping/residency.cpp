#include "dataflow/mapping/residency.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "memory/packing.hpp"

namespace vernier::dataflow {
namespace {

// Activations that share a place on chip.
struct Group {
  std::int64_t written_bits = 0;  // of all its tensors that a layer writes
  std::int64_t largest_bits = 0;  // of its tensors, views and concatenations included
  Residence residence = Residence::kOnChip;
  LayerId first = std::numeric_limits<LayerId>::max();  // no layer writes it
  LayerId last = 0;

  [[nodiscard]] std::int64_t bits() const { return std::max(written_bits, largest_bits); }
  // The first reason in the order of the enumeration stays.
  void keep_off(Residence reason) {
    if (residence == Residence::kOnChip || reason < residence) residence = reason;
  }
};

class Planner {
 public:
  Planner(const LayerGraph& graph, const NetworkPrecision& precision, const Accelerator& machine,
          std::vector<LoweredLayer>& layers)
      : graph_(graph),
        precision_(precision),
        machine_(machine),
        buffer_(machine.buffer(TensorRole::kOutput)),
        layers_(layers),
        root_(graph.tensors().size()),
        groups_(graph.tensors().size()) {}

  void run() {
    join_shared_places();
    for (TensorId id = 0; id < graph_.tensors().size(); ++id) {
      if (graph_.tensor(id).kind == TensorKind::kActivation) look_at(id);
    }
    drop_what_does_not_fit();
    note_residences();
    const std::vector<bool> on_chip = tensors_on_chip(graph_, layers_);
    for (LoweredLayer& layer : layers_) mark_tasks(layer, on_chip);
  }

 private:
  [[nodiscard]] TensorId root(TensorId id) const {
    while (root_[id] != id) id = root_[id];
    return id;
  }
  Group& group(TensorId id) { return groups_[root(id)]; }

  void join_shared_places() {
    std::iota(root_.begin(), root_.end(), TensorId{0});
    for (const LoweredLayer& lowered : layers_) {
      if (!lowered.tasks.empty()) continue;
      const Layer& layer = graph_.layers()[lowered.layer];
      for (const TensorId input : layer.inputs) root_[root(input)] = root(layer.output);
    }
  }

  void look_at(TensorId id) {
    const Tensor& tensor = graph_.tensor(id);
    Group& shared = group(id);
    const std::int64_t bits = packed_bits(id).count();
    shared.largest_bits = std::max(shared.largest_bits, bits);
    if (tensor.is_network_input) shared.keep_off(Residence::kNetworkInput);
    if (tensor.is_network_output) shared.keep_off(Residence::kNetworkOutput);
    if (tensor.producer && !layers_[*tensor.producer].tasks.empty()) {
      shared.written_bits = checked_add(shared.written_bits, bits);
      shared.first = std::min(shared.first, *tensor.producer);
    }
    for (const LayerId consumer : tensor.consumers) {
      if (layers_[consumer].tasks.empty()) continue;
      shared.last = std::max(shared.last, consumer);
      const Layer& layer = graph_.layers()[consumer];
      if (std::holds_alternative<MatMul>(layer.op) && layer.inputs[1] == id) {
        shared.keep_off(Residence::kReadAsWeights);
      }
    }
  }

  [[nodiscard]] Bits packed_bits(TensorId id) const {
    const Shape& shape = graph_.tensor(id).shape;
    const std::optional<Bitwidth> storage = machine_.storage(precision_.at(id).bits);
    if (!storage) return Bits{0};  // nobody reads or writes it, or lowering would have refused it
    return memory::packed_bits(checked_mul(graph_.batch(), shape.pixels()), shape.channels,
                               *storage, buffer_.word);
  }

  void drop_what_does_not_fit() {
    std::vector<std::int64_t> live(layers_.size(), 0);
    for (const Group& shared : groups_) {
      if (!may_stay(shared)) continue;
      for (LayerId at = shared.first; at <= shared.last; ++at) {
        live[at] = checked_add(live[at], shared.bits());
      }
    }
    const std::int64_t room = to_bits(buffer_.resident_bytes).count();
    for (Group& shared : groups_) {
      if (!may_stay(shared)) continue;
      const auto begin = live.begin() + static_cast<std::ptrdiff_t>(shared.first);
      const auto end = live.begin() + static_cast<std::ptrdiff_t>(shared.last) + 1;
      if (*std::max_element(begin, end) > room) shared.residence = Residence::kNoRoom;
    }
    for (const Group& shared : groups_) {
      if (!may_stay(shared)) continue;
      for (LayerId at = shared.first; at <= shared.last; ++at) {
        layers_[at].resident += to_bytes_ceil(Bits(shared.bits()));
      }
    }
  }

  [[nodiscard]] static bool may_stay(const Group& shared) {
    return shared.first <= shared.last && shared.residence == Residence::kOnChip;
  }

  void note_residences() {
    for (LoweredLayer& layer : layers_) {
      if (layer.tasks.empty()) continue;
      const TensorId tensor = graph_.layers()[layer.layer].output;
      const Group& shared = group(tensor);
      layer.residence = {tensor, to_bytes_ceil(packed_bits(tensor)), shared.residence, shared.first,
                         std::max(shared.last, layer.layer)};
    }
  }

  void mark_tasks(LoweredLayer& lowered, const std::vector<bool>& on_chip) const {
    if (on_chip.empty()) return;
    const Layer& layer = graph_.layers()[lowered.layer];
    const bool copies = std::holds_alternative<Concat>(layer.op);
    for (std::size_t number = 0; number < lowered.tasks.size(); ++number) {
      LayerTask& task = lowered.tasks[number];
      task.output_resident = on_chip[layer.output];
      if (copies) {  // each input has a pass of its own
        task.input_resident[0] = on_chip[layer.inputs[number]];
        continue;
      }
      const std::size_t slots = task.unit == TaskUnit::kArray ? 1 : layer.inputs.size();
      for (std::size_t slot = 0; slot < std::min(slots, task.input_resident.size()); ++slot) {
        const bool reads = task.reach[slot] != InputReach::kNone;
        task.input_resident[slot] = reads && on_chip[layer.inputs[slot]];
      }
    }
  }

  const LayerGraph& graph_;
  const NetworkPrecision& precision_;
  const Accelerator& machine_;
  const memory::BufferSpec& buffer_;
  std::vector<LoweredLayer>& layers_;
  std::vector<TensorId> root_;  // of a tensor; itself: the first of its group
  std::vector<Group> groups_;   // by root
};

}  // namespace

void place_activations(const LayerGraph& graph, const NetworkPrecision& precision,
                       const Accelerator& machine, std::vector<LoweredLayer>& layers) {
  if (machine.buffer(TensorRole::kOutput).resident_bytes.count() == 0) return;
  Planner(graph, precision, machine, layers).run();
}

std::vector<bool> tensors_on_chip(const LayerGraph& graph,
                                  const std::vector<LoweredLayer>& layers) {
  std::vector<bool> on_chip;
  for (const LoweredLayer& lowered : layers) {  // in order, so that sources come first
    const Layer& layer = graph.layers()[lowered.layer];
    bool is_there = false;
    if (lowered.residence) {
      is_there = lowered.residence->residence == Residence::kOnChip;
    } else if (lowered.tasks.empty() && !on_chip.empty()) {
      is_there = on_chip[layer.inputs.front()];
    }
    if (!is_there) continue;
    on_chip.resize(graph.tensors().size(), false);
    on_chip[layer.output] = true;
  }
  return on_chip;
}

std::string_view to_text(Residence residence) {
  switch (residence) {
    case Residence::kOnChip: return "on chip";
    case Residence::kNoRoom: return "no room";
    case Residence::kNetworkInput: return "lies with a network input";
    case Residence::kNetworkOutput: return "network output";
    case Residence::kReadAsWeights: return "read as weights";
  }
  return "unknown";
}

}  // namespace vernier::dataflow
