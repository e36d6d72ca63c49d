#include "dataflow/graph/precision_map.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::int64_t kAssumedBits = 8;
constexpr IntegerRange kBitRange{Bitwidth::kMin, Bitwidth::kMax};

Bitwidth read_bits(std::string_view text, std::string_view option) {
  std::int64_t bits = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (status != std::errc{} || end != text.data() + text.size()) {
    throw ConfigError(
        fmt::format("--bits {}: '{}' is not a number of bits", shown(option), shown(text)));
  }
  try {
    return Bitwidth(bits);
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("--bits {}: {}", shown(option), error.what()));
  }
}

Precision of_bits(std::int64_t bits) {
  Precision precision;
  precision.bits = Bitwidth(bits);
  return precision;
}

void read_slices(const YamlNode& list, const std::string& path, Precision& precision,
                 ProblemList& problems) {
  if (list.items.empty()) problems.add(list.place, path, "the list is empty");
  for (std::size_t at = 0; at < list.items.size(); ++at) {
    MappingReader reader(list.items[at], fmt::format("{}[{}]", path, at), problems);
    std::int64_t channels = 0;
    std::int64_t bits = kAssumedBits;
    reader.integer("channels", channels, {1, kMaxDimension}, Need::kRequired, "channels");
    reader.integer("bits", bits, kBitRange, Need::kRequired, "width");
    reader.finish();
    precision.slices.push_back({channels, Bitwidth(bits)});
  }
}

// Per-channel widths become slices of equal neighbours.
void read_per_channel(const std::vector<std::int64_t>& widths, Precision& precision) {
  for (const std::int64_t bits : widths) {
    const Bitwidth width(bits);
    if (!precision.slices.empty() && precision.slices.back().bits == width) {
      ++precision.slices.back().channels;
    } else {
      precision.slices.push_back({1, width});
    }
  }
}

void check_tensor(const Tensor& tensor, const Precision& precision,
                  std::vector<std::string>& problems) {
  if (precision.slices.empty()) return;
  std::int64_t sum = 0;
  for (const PrecisionSlice& slice : precision.slices) sum += slice.channels;
  const std::int64_t channels =
      tensor.kind == TensorKind::kWeight ? tensor.weights.rows : tensor.shape.channels;
  if (sum != channels) {
    problems.push_back(fmt::format("tensor '{}': the slices have {} channels, the tensor has {}",
                                   tensor.name, sum, channels));
  }
}

// Biases have no tensor of their own: they are held at accumulator width (design 9). The width of
// one ("conv.bias") is no slip.
std::unordered_set<std::string> bias_names(const LayerGraph& graph) {
  std::unordered_set<std::string> names;
  for (const Layer& layer : graph.layers()) {
    const auto* conv = std::get_if<Conv2d>(&layer.op);
    const auto* dense = std::get_if<Dense>(&layer.op);
    if ((conv != nullptr && (conv->bias || conv->batch_norm)) ||
        (dense != nullptr && (dense->bias || dense->batch_norm))) {
      names.insert(layer.name + ".bias");
    }
  }
  return names;
}

}  // namespace

PrecisionMap PrecisionMap::uniform(Bitwidth weight, Bitwidth activation) {
  PrecisionMap map;
  map.default_weight = of_bits(weight.bits());
  map.default_activation = of_bits(activation.bits());
  return map;
}

ResolvedPrecision resolve_precision(const LayerGraph& graph, const PrecisionMap& map) {
  std::vector<std::string> problems;
  std::vector<std::string> names;
  for (const Tensor& tensor : graph.tensors()) names.push_back(tensor.name);
  const std::unordered_set<std::string> known(names.begin(), names.end());
  constexpr std::size_t kMostProblems = 50;
  const std::unordered_set<std::string> biases = bias_names(graph);
  std::int64_t unused_widths = 0;
  for (const auto& [name, precision] : map.tensors) {
    if (problems.size() > kMostProblems) {
      problems.back() = "... and perhaps more";
      break;
    }
    if (known.contains(name)) continue;
    if (biases.contains(name)) {
      ++unused_widths;
    } else {
      problems.push_back(fmt::format("the network '{}' has no tensor '{}'{}", graph.name(),
                                     shown(name), suggestion(name, names)));
    }
  }
  ResolvedPrecision resolved;
  std::int64_t assumed_weights = 0;
  std::int64_t assumed_activations = 0;
  for (const Tensor& tensor : graph.tensors()) {
    const bool is_weight = tensor.kind == TensorKind::kWeight;
    const auto entry = map.tensors.find(tensor.name);
    const std::optional<Precision>& fallback =
        is_weight ? map.default_weight : map.default_activation;
    Precision precision = of_bits(kAssumedBits);
    if (entry != map.tensors.end()) {
      precision = entry->second;
    } else if (tensor.declared) {
      precision = *tensor.declared;
    } else if (fallback) {
      precision = *fallback;
    } else {
      ++(is_weight ? assumed_weights : assumed_activations);
    }
    check_tensor(tensor, precision, problems);
    resolved.tensors.push_back(std::move(precision));
  }
  for (TensorId id = 0; id < graph.tensors().size(); ++id) {
    const TensorId root = graph.viewed(id);
    if (root == id) continue;
    const std::string& name = graph.tensor(id).name;
    if (map.tensors.contains(name) && resolved.tensors[id].bits != resolved.tensors[root].bits) {
      problems.push_back(fmt::format("tensor '{}' is a view of '{}' and has its {} bits, not {}",
                                     name, graph.tensor(root).name,
                                     resolved.tensors[root].bits.bits(),
                                     resolved.tensors[id].bits.bits()));
    }
    resolved.tensors[id] = resolved.tensors[root];
  }
  if (!problems.empty()) throw ModelError(problems);
  if (unused_widths > 0) {
    resolved.assumptions.push_back(fmt::format(
        "{} bias width(s) not used: biases are held at accumulator width", unused_widths));
  }
  if (assumed_weights > 0) {
    resolved.assumptions.push_back(
        fmt::format("{} weight tensor(s) without a stated width: {} bits assumed", assumed_weights,
                    kAssumedBits));
  }
  if (assumed_activations > 0) {
    resolved.assumptions.push_back(
        fmt::format("{} activation tensor(s) without a stated width: {} bits assumed",
                    assumed_activations, kAssumedBits));
  }
  return resolved;
}

PrecisionMap parse_bits_option(std::string_view text) {
  PrecisionMap map;
  std::string_view rest = text;
  if (rest.ends_with(',')) {
    throw ConfigError(
        fmt::format("--bits {}: ends in ','; the form is w=BITS,a=BITS", shown(text)));
  }
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    if (equals == std::string_view::npos || (key != "w" && key != "a")) {
      throw ConfigError(fmt::format("--bits {}: found '{}'; the form is w=BITS,a=BITS", shown(text),
                                    shown(part)));
    }
    std::optional<Precision>& target = key == "w" ? map.default_weight : map.default_activation;
    if (target) throw ConfigError(fmt::format("--bits {}: '{}' stands twice", shown(text), key));
    target = of_bits(read_bits(part.substr(equals + 1), text).bits());
  }
  if (!map.default_weight || !map.default_activation) {
    throw ConfigError(fmt::format("--bits {}: both w=BITS and a=BITS are needed", shown(text)));
  }
  return map;
}

Precision read_precision(const YamlNode& node, const std::string& key_path, ProblemList& problems) {
  Precision precision;
  if (node.kind == YamlNode::Kind::kScalar) {
    const std::optional<std::int64_t> bits = integer_of(node);
    if (!bits || *bits < kBitRange.least || *bits > kBitRange.most) {
      problems.add(node.place, key_path,
                   fmt::format("found {}; a width of {} to {} bits is needed", node.description(),
                               kBitRange.least, kBitRange.most));
      return precision;
    }
    return of_bits(*bits);
  }
  MappingReader reader(node, key_path, problems);
  std::int64_t bits = 0;
  reader.integer("bits", bits, kBitRange, Need::kOptional, "width of every element");
  enum_field(reader, "kind", precision.kind, number_kind_names(), Need::kOptional,
             "kind of number");
  reader.boolean("asymmetric", precision.asymmetric, Need::kOptional, "the zero point is not 0");
  if (const YamlNode* slices = reader.sequence("slices", Need::kOptional)) {
    read_slices(*slices, reader.path_of("slices"), precision, problems);
  }
  std::vector<std::int64_t> per_channel;
  reader.integers("per_channel", per_channel, kBitRange, Need::kOptional,
                  "width of each output channel");
  const int ways =
      (bits > 0 ? 1 : 0) + (node.find("slices") != nullptr ? 1 : 0) + (per_channel.empty() ? 0 : 1);
  if (ways != 1 && node.kind == YamlNode::Kind::kMapping) {
    problems.add(node.place, key_path, "exactly one of bits, slices, per_channel is needed");
  }
  constexpr std::int64_t kBipolarBits = 2;  // one bit of information, at most a signed code of two
  if (precision.kind == NumberKind::kBipolar && bits > kBipolarBits) {
    reader.problem("bits", fmt::format("found {}; a bipolar tensor has 1 or 2 bits", bits));
  }
  reader.finish();
  read_per_channel(per_channel, precision);
  if (bits > 0) precision.bits = Bitwidth(bits);
  for (std::size_t at = 0; at < precision.slices.size(); ++at) {
    const Bitwidth width = precision.slices[at].bits;
    precision.bits = at == 0 ? width : std::max(precision.bits, width);
  }
  return precision;
}

PrecisionMap read_precision_map(const YamlNode& root) {
  ProblemList problems;
  MappingReader reader(root, "", problems);
  PrecisionMap map;
  if (const YamlNode* defaults = reader.mapping("default", Need::kOptional)) {
    MappingReader entries(*defaults, "default", problems);
    if (const YamlNode* weight = entries.node("weight", Need::kOptional)) {
      map.default_weight = read_precision(*weight, "default.weight", problems);
    }
    if (const YamlNode* activation = entries.node("activation", Need::kOptional)) {
      map.default_activation = read_precision(*activation, "default.activation", problems);
    }
    entries.finish();
  }
  if (const YamlNode* tensors = reader.mapping("tensors", Need::kOptional)) {
    for (const auto& [name, node] : tensors->entries) {
      map.tensors.emplace(name, read_precision(node, fmt::format("tensors.{}", name), problems));
    }
  }
  reader.finish();
  problems.throw_if_any();
  return map;
}

PrecisionMap load_precision_map(const std::string& path) {
  return read_precision_map(load_yaml(path));
}

}  // namespace vernier::dataflow
