// Where the cost of one layer comes from, in words and figures that a person can check by hand:
// lowering, mode, mapping, folds, blocks, waits, counts and prices. Computes nothing of its own;
// all figures are those of the analytical engine between the layer's neighbours.
#pragma once

#include <string>

#include "arch/base/result.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"

namespace vernier::frontends {

/// A text of about forty lines per task. Throws ModelError as Evaluator does, and for a layer that
/// the graph does not have, with the nearest name; says why when the network cannot run.
[[nodiscard]] Result<std::string> explain_layer(const dataflow::Evaluator& evaluator,
                                                const dataflow::LayerGraph& graph,
                                                const dataflow::NetworkPrecision& precision,
                                                std::string_view layer);

}  // namespace vernier::frontends
