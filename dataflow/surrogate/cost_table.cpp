#include "dataflow/surrogate/cost_table.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "dataflow/surrogate/width_lattice.hpp"

namespace vernier::dataflow {
namespace {

void set_bits(const LayerGraph& graph, TensorId tensor, Bitwidth bits,
              NetworkPrecision& precision) {
  precision[tensor].bits = precision[graph.viewed(tensor)].bits = bits;
  precision[tensor].slices.clear();
}

// Both operands of a product may be one tensor.
bool is_one_tensor(const LayerGraph& graph, const Layer& layer) {
  return is_mac(layer.op) &&
         graph.viewed(weight_operand(graph, layer)) == graph.viewed(layer.inputs.front());
}

CostTableLayer fill_layer(const Evaluator& evaluator, const LayerGraph& graph, LayerId id,
                          Bitwidth output) {
  CostTableLayer table;
  table.layer = id;
  const LayerGraph alone = graph.only_layer(graph.layers()[id].name);
  const Layer& layer = alone.layers().front();
  const std::vector<WidthLattice> lattices = width_lattices(alone, evaluator.machine().accelerator);
  const bool mac = is_mac(layer.op);
  const WidthLattice& activations = lattices[layer.inputs.front()];
  const WidthLattice weights =
      mac ? lattices[weight_operand(alone, layer)] : WidthLattice{activations.front()};
  for (const std::int64_t weight : weights) {
    for (const std::int64_t activation : activations) {
      if (is_one_tensor(alone, layer) && weight != activation) continue;
      CostTableEntry entry;
      if (mac) entry.weight = Bitwidth(weight);
      entry.activation = Bitwidth(activation);
      const std::string name = mac ? to_text(WidthPair{*entry.weight, entry.activation})
                                   : fmt::format("a{}", activation);
      try {
        const Result<NetworkCost> cost = evaluator.evaluate(
            alone, single_layer_widths(alone, entry.weight, entry.activation, output));
        if (cost) {
          entry.cost = cost->total;
          table.entries.push_back(std::move(entry));
        } else {
          table.left_out.push_back(fmt::format("{}: {}", name, cost.infeasible().reason));
        }
      } catch (const ModelError& error) {
        table.left_out.push_back(fmt::format("{}: {}", name, error.what()));
      }
    }
  }
  return table;
}

}  // namespace

NetworkPrecision single_layer_widths(const LayerGraph& alone, std::optional<Bitwidth> weight,
                                     Bitwidth activation, Bitwidth output) {
  const Layer& layer = alone.layers().front();
  NetworkPrecision precision = resolve_precision(alone, {}).tensors;
  for (const TensorId input : layer.inputs) set_bits(alone, input, activation, precision);
  if (weight) set_bits(alone, weight_operand(alone, layer), *weight, precision);
  set_bits(alone, layer.output, output, precision);
  return precision;
}

CostTable make_cost_table(const Machine& machine, const LayerGraph& graph,
                          const CostTableOptions& options) {
  if (!machine.accelerator.storage(options.output_bits)) {
    throw ModelError(fmt::format("output bits: found {}; the machine '{}' stores {}",
                                 options.output_bits.bits(), machine.accelerator.spec().name,
                                 fmt::join(machine.accelerator.spec().storage_bits, ", ")));
  }
  std::vector<LayerId> ids;
  for (LayerId id = 0; id < graph.layers().size(); ++id) {
    if (!is_view(graph.layers()[id].op)) ids.push_back(id);
  }
  const Evaluator evaluator(machine);
  CostTable table;
  table.layers.resize(ids.size());
  const auto work = [&](std::size_t at) {
    table.layers[at] = fill_layer(evaluator, graph, ids[at], options.output_bits);
  };
  if (options.jobs <= 1) {
    for (std::size_t at = 0; at < ids.size(); ++at) work(at);
    return table;
  }
  tbb::task_arena arena(options.jobs);
  arena.execute([&] { tbb::parallel_for(std::size_t{0}, ids.size(), work); });
  return table;
}

const CostTableEntry* find_entry(const CostTableLayer& layer, std::int64_t weight,
                                 std::int64_t activation) {
  const CostTableEntry* best = nullptr;
  for (const CostTableEntry& entry : layer.entries) {
    if (entry.weight && entry.weight->bits() < weight) continue;
    if (entry.activation.bits() < activation) continue;
    const bool first_weight = best == nullptr || entry.weight == best->weight;
    if (best == nullptr || (first_weight && entry.activation < best->activation)) best = &entry;
  }
  return best;
}

}  // namespace vernier::dataflow
