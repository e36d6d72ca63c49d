// The widths that a machine has for each tensor of a network, and which pairs a layer may run at.
// The cost of a network is exact on this lattice and continued between its points (design 8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/accelerator.hpp"

namespace vernier::dataflow {

/// Ascending widths that a machine distinguishes for one tensor: its storage widths and the compute
/// widths of the roles in which MAC layers read it, up to the largest that all of them have.
using WidthLattice = std::vector<std::int64_t>;

/// Lattice of every tensor, by TensorId; that of a view is the one of what it shows.
[[nodiscard]] std::vector<WidthLattice> width_lattices(const LayerGraph& graph,
                                                       const Accelerator& machine);

/// Widths of the operands of a MAC layer.
struct WidthPair {
  Bitwidth weight;
  Bitwidth activation;
  friend bool operator==(const WidthPair&, const WidthPair&) = default;
};
/// "w8a4".
[[nodiscard]] std::string to_text(const WidthPair& pair);

/// Why a layer cannot be lowered at these widths; nullopt when it can.
[[nodiscard]] std::optional<std::string> refusal(const LayerGraph& graph, LayerId layer,
                                                 const NetworkPrecision& precision,
                                                 const Accelerator& machine);

/// All pairs of compute widths at which a MAC layer can run, ascending by weight, then activation:
/// the unit has a mode for it and the accumulators are wide enough. Empty for other layers.
[[nodiscard]] std::vector<WidthPair> legal_pairs(const LayerGraph& graph, LayerId layer,
                                                 const NetworkPrecision& precision,
                                                 const Accelerator& machine);

/// The legal pair with the smallest sum of distances to the wanted one, ties to the wider pair.
[[nodiscard]] std::optional<WidthPair> nearest_pair(const std::vector<WidthPair>& pairs,
                                                    const WidthPair& wanted);

/// "legal pairs of the layer 'x' are w2a2, ...; the nearest to w16a16 is w16a8"; empty for a layer
/// without MACs.
[[nodiscard]] std::string pair_advice(const LayerGraph& graph, LayerId layer,
                                      const NetworkPrecision& precision,
                                      const Accelerator& machine);

/// The tensor in the weight role of a MAC layer: its weights, or a MatMul's second operand.
[[nodiscard]] TensorId weight_operand(const LayerGraph& graph, const Layer& layer);

}  // namespace vernier::dataflow
