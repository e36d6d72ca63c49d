// Which width each tensor of a network has. The file format is shared by importers, the trainer
// and the command line (design 9).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/base/bitwidth.hpp"
#include "arch/base/fields.hpp"
#include "dataflow/graph/layer_graph.hpp"

namespace vernier::dataflow {

/// Tensor name -> Precision, with defaults for all weights and all activations.
struct PrecisionMap {
  std::optional<Precision> default_weight;
  std::optional<Precision> default_activation;
  std::map<std::string, Precision> tensors;

  /// All weights `weight` bits, all activations (network input and output included) `activation`.
  [[nodiscard]] static PrecisionMap uniform(Bitwidth weight, Bitwidth activation);
};

/// One Precision per tensor of a graph, by TensorId.
using NetworkPrecision = std::vector<Precision>;

/// A resolved precision and the assumptions that were made on the way.
struct ResolvedPrecision {
  NetworkPrecision tensors;
  std::vector<std::string> assumptions;
};

/// Gives every tensor its width: the map's entry, else the width the model declares, else the
/// map's default, else 8 bits as a named assumption. A view has the width of what it shows.
/// The width of a bias ("conv.bias") changes nothing and is named as an assumption. Throws
/// ModelError for names the graph does not have and slices that do not sum up.
[[nodiscard]] ResolvedPrecision resolve_precision(const LayerGraph& graph, const PrecisionMap& map);

/// Reads "w=4,a=8". Throws ConfigError.
[[nodiscard]] PrecisionMap parse_bits_option(std::string_view text);

/// Reads a precision file. Throws ConfigError with all problems.
[[nodiscard]] PrecisionMap read_precision_map(const YamlNode& root);
[[nodiscard]] PrecisionMap load_precision_map(const std::string& path);

/// Reads one precision value: `4`, `{bits: 4, kind: uint}`, `{slices: [...]}` or
/// `{per_channel: [...]}`. Problems go to the list.
[[nodiscard]] Precision read_precision(const YamlNode& node, const std::string& key_path,
                                       ProblemList& problems);

}  // namespace vernier::dataflow
