#include "dataflow/surrogate/size_measure.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

// Biases of a layer; those of a folded batch normalization do not count.
double biases(const Layer& layer, const Tensor& weight) {
  const auto* conv = std::get_if<Conv2d>(&layer.op);
  const auto* dense = std::get_if<Dense>(&layer.op);
  const bool has_bias = (conv != nullptr && conv->bias && !conv->batch_norm) ||
                        (dense != nullptr && dense->bias && !dense->batch_norm);
  return has_bias ? static_cast<double>(weight.weights.rows) : 0.0;
}

SizeEntry entry_of(const LayerGraph& graph, TensorId tensor) {
  return {graph.viewed(tensor), static_cast<double>(graph.tensor(tensor).elements())};
}

void add_layer(const LayerGraph& graph, const Layer& layer, const Measure& measure,
               SizeLists& lists) {
  const bool mac = is_mac(layer.op);
  const bool activates = layer.activation != ActivationKind::kNone ||
                         std::holds_alternative<ActivationLayer>(layer.op);
  const auto add_inputs = [&](std::vector<SizeEntry>& list, bool also_of_network) {
    for (const TensorId input : layer.inputs) {
      if (!also_of_network && graph.tensor(graph.viewed(input)).is_network_input) continue;
      list.push_back(entry_of(graph, input));
    }
  };
  switch (measure.accounting) {
    case SizeAccounting::kSumInputs:
      if (mac) add_inputs(lists.front(), false);
      return;
    case SizeAccounting::kSumOutputs:
      if (mac) lists.front().push_back(entry_of(graph, layer.output));
      return;
    case SizeAccounting::kSumRelu:
      if (activates) lists.front().push_back(entry_of(graph, layer.output));
      return;
    case SizeAccounting::kMaxTensor:
      if (mac) lists.push_back({entry_of(graph, layer.output)});
      return;
    case SizeAccounting::kPeakInOut:
      if (!mac) return;
      lists.push_back({entry_of(graph, layer.output)});
      add_inputs(lists.back(), true);
      return;
  }
}

void add_also(const LayerGraph& graph, const Measure& measure, SizeLists& lists) {
  std::vector<std::string> names;
  for (const Tensor& tensor : graph.tensors()) {
    if (tensor.kind == TensorKind::kActivation) names.push_back(tensor.name);
  }
  for (const std::string& name : measure.also) {
    const auto tensor = graph.find_tensor(name);
    if (!tensor || graph.tensor(*tensor).kind != TensorKind::kActivation) {
      throw ConfigError(fmt::format("objective '{}': also: there is no activation '{}'{}",
                                    to_text(measure), shown(name), suggestion(name, names)));
    }
    for (std::vector<SizeEntry>& list : lists) list.push_back(entry_of(graph, *tensor));
  }
}

double unit_bits(const Measure& measure) {
  constexpr double kByte = 8.0;
  constexpr double kKilo = 1000.0;
  constexpr double kKibi = 1024.0;
  return kByte * (measure.unit == SizeUnit::kKilobyte ? kKilo : kKibi);
}

// Calls work(variable, share of the tensor's elements).
template <typename Work>
void for_each_variable(const Variables& variables, TensorId tensor, const Work& work) {
  const IndexRange range = variables.variables_of(tensor);
  double all = 0.0;
  for (std::size_t at = range.first; at < range.first + range.count; ++at) {
    all += static_cast<double>(variables.all()[at].elements);
  }
  for (std::size_t at = range.first; at < range.first + range.count; ++at) {
    work(at, range.count == 1 ? 1.0 : static_cast<double>(variables.all()[at].elements) / all);
  }
}

double list_bits(const std::vector<SizeEntry>& list, const Variables& variables,
                 const SeenBits& seen) {
  double bits = 0.0;
  for (const SizeEntry& entry : list) {
    for_each_variable(variables, entry.tensor, [&](std::size_t at, double share) {
      bits += entry.elements * share * seen.bits[at];
    });
  }
  return bits;
}

}  // namespace

SizeLists size_lists(const LayerGraph& graph, const Measure& measure) {
  SizeLists lists;
  if (measure.quantity == Quantity::kWeightSize) {
    lists.emplace_back();
    for (const Layer& layer : graph.layers()) {
      if (!layer.weight) continue;
      SizeEntry entry = entry_of(graph, *layer.weight);
      entry.elements += biases(layer, graph.tensor(*layer.weight));
      lists.front().push_back(entry);
    }
    return lists;
  }
  const bool is_sum = measure.accounting != SizeAccounting::kMaxTensor &&
                      measure.accounting != SizeAccounting::kPeakInOut;
  if (is_sum) lists.emplace_back();
  for (const Layer& layer : graph.layers()) add_layer(graph, layer, measure, lists);
  add_also(graph, measure, lists);
  return lists;
}

double size_value(const SizeLists& lists, const Measure& measure, const Variables& variables,
                  const SeenBits& seen, double scale, std::span<double> gradient) {
  std::vector<double> sums;
  sums.reserve(lists.size());
  for (const std::vector<SizeEntry>& list : lists) {
    sums.push_back(list_bits(list, variables, seen));
  }
  if (sums.empty()) return 0.0;
  const double largest = *std::max_element(sums.begin(), sums.end());
  const double unit = unit_bits(measure);
  for (std::size_t at = 0; at < lists.size(); ++at) {
    if (sums[at] != largest || gradient.empty()) continue;
    for (const SizeEntry& entry : lists[at]) {
      for_each_variable(variables, entry.tensor, [&](std::size_t variable, double share) {
        gradient[variable] += scale * entry.elements * share * seen.slopes[variable] / unit;
      });
    }
  }
  return largest / unit;
}

double bit_operations(const LayerGraph& graph, const Variables& variables, const SeenBits& seen,
                      double scale, std::span<double> gradient) {
  double sum = 0.0;
  for (const Layer& layer : graph.layers()) {
    if (!is_mac(layer.op)) continue;
    const double macs =
        static_cast<double>(layer.macs.count()) * static_cast<double>(graph.batch());
    const std::size_t input = variables.variables_of(layer.inputs[0]).first;
    for_each_variable(
        variables, graph.viewed(weight_operand(graph, layer)),
        [&](std::size_t weight, double share) {
          sum += macs * share * seen.bits[weight] * seen.bits[input];
          if (gradient.empty()) return;
          gradient[weight] += scale * macs * share * seen.slopes[weight] * seen.bits[input];
          gradient[input] += scale * macs * share * seen.bits[weight] * seen.slopes[input];
        });
  }
  return sum;
}

}  // namespace vernier::dataflow
