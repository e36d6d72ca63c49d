// `--bits` and `--precision` of the verbs that look at a network.
#pragma once

#include <string>

#include "dataflow/graph/layer_graph.hpp"
#include "frontends/models/precision_file.hpp"

namespace vernier::frontends {

/// Where the widths of a network come from; at most one of both is not empty.
struct BitsOptions {
  std::string precision;  ///< a file; speaks for the tensors that it names, the model for the rest
  std::string bits;       ///< "w=4,a=8"; speaks for every tensor
};

/// Throws ConfigError when both are given and for wrong texts and files.
[[nodiscard]] PrecisionFile load_bits(const BitsOptions& options,
                                      const dataflow::LayerGraph& graph);

}  // namespace vernier::frontends
