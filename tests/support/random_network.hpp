// Random small networks for properties of whole networks: chains with side branches, so that
// activations are alive side by side. Drawn with RapidCheck, so call it inside a property only.
#pragma once

#include <string>

#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/accelerator.hpp"

namespace vernier::tests {

struct RandomNetwork {
  dataflow::LayerGraph graph;
  dataflow::NetworkPrecision precision;
};

/// Draws 2 to 7 layers of all kinds: convolutions (grouped ones too), dense layers, products of
/// activations, residual additions, concatenations with and without a copy, views, pooling, padded
/// channels; a batch of 1 to 3; widths that the machine has, weights sliced or with a width per
/// channel.
[[nodiscard]] RandomNetwork draw_network(const dataflow::Accelerator& machine);

/// The network in words.
[[nodiscard]] std::string to_text(const RandomNetwork& network);

}  // namespace vernier::tests
