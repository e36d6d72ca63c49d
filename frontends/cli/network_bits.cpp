#include "frontends/cli/network_bits.hpp"

#include <optional>
#include <utility>

#include "arch/base/error.hpp"
#include "dataflow/graph/precision_map.hpp"

namespace vernier::frontends {

PrecisionFile load_bits(const BitsOptions& options, const dataflow::LayerGraph& graph) {
  if (!options.bits.empty() && !options.precision.empty()) {
    throw ConfigError("--bits and --precision exclude each other");
  }
  if (!options.precision.empty()) return load_precision_file(options.precision);
  if (options.bits.empty()) return {};
  dataflow::PrecisionMap map = dataflow::parse_bits_option(options.bits);
  for (const dataflow::Tensor& tensor : graph.tensors()) {
    if (!tensor.declared) continue;
    const bool is_weight = tensor.kind == dataflow::TensorKind::kWeight;
    const std::optional<Precision>& width = is_weight ? map.default_weight : map.default_activation;
    if (width) map.tensors.emplace(tensor.name, *width);
  }
  return {std::move(map), {}, {}};
}

}  // namespace vernier::frontends
