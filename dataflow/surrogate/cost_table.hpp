// Every layer of a network by itself at every legal pair of widths: the table that other people's
// search code asks for (HAQ, Free Bits). Each entry is what the evaluator says of the layer alone,
// without what neighbours share; a search over whole networks is better served by CostModel.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/machine/machine.hpp"

namespace vernier::dataflow {

struct CostTableOptions {
  Bitwidth output_bits{8};  ///< of every layer's output, as profiles of Free Bits have it
  int jobs = 1;             ///< threads; the table is the same for any number
};

/// One layer at one pair of widths.
struct CostTableEntry {
  std::optional<Bitwidth> weight;  ///< none: the layer has no MACs
  Bitwidth activation;             ///< of its inputs; of a MatMul the first one
  CostSummary cost;
};

struct CostTableLayer {
  LayerId layer = 0;
  std::vector<CostTableEntry> entries;  ///< ascending by weight, then activation
  std::vector<std::string> left_out;    ///< pairs that cannot run, and why
};

/// Layers in topological order; views cost nothing and are left out.
struct CostTable {
  std::vector<CostTableLayer> layers;
};

/// Widths of a graph that holds one layer: weight and inputs as said, the output at `output`.
[[nodiscard]] NetworkPrecision single_layer_widths(const LayerGraph& alone,
                                                   std::optional<Bitwidth> weight,
                                                   Bitwidth activation, Bitwidth output);

/// Throws ModelError when the machine does not store `output_bits`.
[[nodiscard]] CostTable make_cost_table(const Machine& machine, const LayerGraph& graph,
                                        const CostTableOptions& options = {});

/// The entry at these widths rounded up to the table's; nullptr when there is none.
[[nodiscard]] const CostTableEntry* find_entry(const CostTableLayer& layer, std::int64_t weight,
                                               std::int64_t activation);

}  // namespace vernier::dataflow
