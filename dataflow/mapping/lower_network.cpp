#include "dataflow/mapping/lower_network.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dataflow/mapping/residency.hpp"

namespace vernier::dataflow {
namespace {

void refuse_roundings(const LayerGraph& graph, const Accelerator& machine,
                      const std::vector<LoweredLayer>& layers) {
  std::vector<std::string> problems;
  const auto list = [](const std::vector<std::int64_t>& widths) {
    return fmt::format("{}", fmt::join(widths, ", "));
  };
  for (const LoweredLayer& layer : layers) {
    for (const WidthRounding& rounding : layer.roundings) {
      problems.push_back(fmt::format(
          "tensor '{}': {} bits would be stored as {} and computed as {}; legal are storage {}, "
          "weights {}, activations {}",
          graph.tensor(rounding.tensor).name, rounding.logical.bits(), rounding.storage.bits(),
          rounding.compute.bits(), list(machine.spec().storage_bits),
          list(machine.spec().mac.weight_bits), list(machine.spec().mac.activation_bits)));
    }
  }
  std::sort(problems.begin(), problems.end());
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  if (!problems.empty()) throw ModelError(problems);
}

}  // namespace

std::vector<LoweredLayer> lower_network(const LayerGraph& graph, const NetworkPrecision& precision,
                                        const Accelerator& machine, bool strict_bits) {
  VERNIER_ASSERT(precision.size() == graph.tensors().size(), "one precision per tensor");
  std::vector<LoweredLayer> lowered;
  lowered.reserve(graph.layers().size());
  for (LayerId id = 0; id < graph.layers().size(); ++id) {
    lowered.push_back(lower_layer(graph, id, precision, machine));
  }
  if (strict_bits) refuse_roundings(graph, machine, lowered);
  place_activations(graph, precision, machine, lowered);
  return lowered;
}

Infeasible infeasible_layer(const LayerGraph& graph, LayerId layer, const Accelerator& machine,
                            Infeasible reason) {
  reason.layer = graph.layers()[layer].name;
  reason.reason = fmt::format("layer '{}' cannot run on the machine '{}': {}", reason.layer,
                              machine.spec().name, reason.reason);
  return reason;
}

}  // namespace vernier::dataflow
