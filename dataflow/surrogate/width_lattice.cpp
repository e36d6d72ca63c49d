#include "dataflow/surrogate/width_lattice.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {
namespace {

// Adds a list of widths; nothing above its largest can be had in that role.
void join_widths(WidthLattice& lattice, std::int64_t& largest,
                 const std::vector<std::int64_t>& widths) {
  lattice.insert(lattice.end(), widths.begin(), widths.end());
  largest = std::min(largest, *std::max_element(widths.begin(), widths.end()));
}

NetworkPrecision with_pair(const LayerGraph& graph, const Layer& layer, NetworkPrecision precision,
                           const WidthPair& pair) {
  Precision& weight = precision[weight_operand(graph, layer)];
  weight.bits = pair.weight;
  weight.slices.clear();
  precision[layer.inputs[0]].bits = pair.activation;
  return precision;
}

}  // namespace

TensorId weight_operand(const LayerGraph& /*graph*/, const Layer& layer) {
  VERNIER_ASSERT(is_mac(layer.op), "a layer with MACs");
  return layer.weight ? *layer.weight : layer.inputs[1];
}

std::vector<WidthLattice> width_lattices(const LayerGraph& graph, const Accelerator& machine) {
  const AcceleratorSpec& spec = machine.spec();
  std::vector<WidthLattice> lattices(graph.tensors().size());
  std::vector<std::int64_t> largest(lattices.size(), Bitwidth::kMax);
  for (TensorId id = 0; id < lattices.size(); ++id) {
    if (graph.viewed(id) == id) join_widths(lattices[id], largest[id], spec.storage_bits);
  }
  for (const Layer& layer : graph.layers()) {
    if (!is_mac(layer.op)) continue;
    const TensorId weight = graph.viewed(weight_operand(graph, layer));
    const TensorId input = graph.viewed(layer.inputs[0]);
    join_widths(lattices[weight], largest[weight], spec.mac.weight_bits);
    join_widths(lattices[input], largest[input], spec.mac.activation_bits);
  }
  for (TensorId id = 0; id < lattices.size(); ++id) {
    WidthLattice& lattice = lattices[id];
    std::sort(lattice.begin(), lattice.end());
    lattice.erase(std::unique(lattice.begin(), lattice.end()), lattice.end());
    std::erase_if(lattice, [&](std::int64_t bits) { return bits > largest[id]; });
  }
  for (TensorId id = 0; id < lattices.size(); ++id) {
    if (graph.viewed(id) != id) lattices[id] = lattices[graph.viewed(id)];
  }
  return lattices;
}

std::string to_text(const WidthPair& pair) {
  return fmt::format("w{}a{}", pair.weight.bits(), pair.activation.bits());
}

std::optional<std::string> refusal(const LayerGraph& graph, LayerId layer,
                                   const NetworkPrecision& precision, const Accelerator& machine) {
  try {
    (void)lower_layer(graph, layer, precision, machine);
  } catch (const ModelError& error) {
    return error.what();
  }
  return std::nullopt;
}

std::vector<WidthPair> legal_pairs(const LayerGraph& graph, LayerId layer,
                                   const NetworkPrecision& precision, const Accelerator& machine) {
  std::vector<WidthPair> pairs;
  const Layer& mac = graph.layers().at(layer);
  if (!is_mac(mac.op)) return pairs;
  for (const Accelerator::LegalMode& mode : machine.modes()) {
    const WidthPair pair{mode.weight, mode.activation};
    if (!refusal(graph, layer, with_pair(graph, mac, precision, pair), machine)) {
      pairs.push_back(pair);
    }
  }
  return pairs;
}

std::optional<WidthPair> nearest_pair(const std::vector<WidthPair>& pairs,
                                      const WidthPair& wanted) {
  std::optional<WidthPair> best;
  int smallest = 0;
  for (const WidthPair& pair : pairs) {
    const int distance = std::abs(pair.weight.bits() - wanted.weight.bits()) +
                         std::abs(pair.activation.bits() - wanted.activation.bits());
    if (best && distance > smallest) continue;  // later pairs are wider
    best = pair;
    smallest = distance;
  }
  return best;
}

std::string pair_advice(const LayerGraph& graph, LayerId layer, const NetworkPrecision& precision,
                        const Accelerator& machine) {
  const Layer& mac = graph.layers().at(layer);
  if (!is_mac(mac.op)) return {};
  const std::vector<WidthPair> pairs = legal_pairs(graph, layer, precision, machine);
  if (pairs.empty()) {
    return fmt::format("the layer '{}' has no legal pair of widths on the machine '{}'", mac.name,
                       machine.spec().name);
  }
  std::vector<std::string> names;
  names.reserve(pairs.size());
  for (const WidthPair& pair : pairs) names.push_back(to_text(pair));
  const WidthPair wanted{precision[weight_operand(graph, mac)].bits, precision[mac.inputs[0]].bits};
  constexpr std::size_t kMostShown = 32;
  return fmt::format("legal pairs of the layer '{}' are {}; the nearest to {} is {}", mac.name,
                     name_list(names, kMostShown), to_text(wanted),
                     to_text(*nearest_pair(pairs, wanted)));
}

}  // namespace vernier::dataflow
