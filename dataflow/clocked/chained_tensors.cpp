#include "dataflow/clocked/chained_tensors.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "arch/systemc/array_program.hpp"

namespace vernier::dataflow {
namespace {

using Places = std::vector<std::int64_t>;

// `rows` rows of `pitch` elements; of each, those of `columns`.
Places select(const Places& all, std::int64_t pitch, const std::vector<std::int64_t>& columns) {
  Places places;
  for (std::size_t row = 0; row < all.size(); row += static_cast<std::size_t>(pitch)) {
    for (const std::int64_t column : columns) {
      places.push_back(all[row + static_cast<std::size_t>(column)]);
    }
  }
  return places;
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

// Output channels that each width of a weight has, in the order of the tasks.
std::vector<std::vector<std::int64_t>> channels_of_tasks(const Precision& weight) {
  std::map<Bitwidth, std::vector<std::int64_t>> channels;
  std::int64_t next = 0;
  for (const PrecisionSlice& slice : weight.slices) {
    std::vector<std::int64_t>& of_width = channels[slice.bits];
    const std::size_t known = of_width.size();
    of_width.resize(known + static_cast<std::size_t>(slice.channels));
    std::iota(of_width.begin() + static_cast<std::ptrdiff_t>(known), of_width.end(), next);
    next += slice.channels;
  }
  std::vector<std::vector<std::int64_t>> result;
  result.reserve(channels.size());
  for (auto& entry : channels) result.push_back(std::move(entry.second));
  return result;
}

// Elements of one input that stand together in a concatenation.
std::int64_t run_in(const Concat& concat, const Shape& input) {
  return concat.axis == ConcatAxis::kChannels ? input.channels : input.elements();
}

// Places of tensors, views and concatenations of them, and of what the tasks make of them.
class Finder {
 public:
  Finder(const LayerGraph& graph, const NetworkPrecision& precision,
         const std::vector<std::optional<std::int64_t>>& bases)
      : graph_(graph), precision_(precision), bases_(bases) {}

  [[nodiscard]] Places places_of_input(const Layer& layer, std::size_t slot,
                                       std::size_t number) const;
  [[nodiscard]] Places places_of_output(const Layer& layer, std::size_t number) const;

 private:
  [[nodiscard]] Places places_of_tensor(TensorId tensor) const;
  [[nodiscard]] Places joined(const Layer& layer) const;
  [[nodiscard]] Places image_by_image(TensorId tensor) const;

  const LayerGraph& graph_;
  const NetworkPrecision& precision_;
  const std::vector<std::optional<std::int64_t>>& bases_;
};

Places Finder::places_of_tensor(TensorId tensor) const {
  const Tensor& info = graph_.tensor(tensor);
  if (bases_[tensor]) {
    return range(*bases_[tensor], checked_mul(graph_.batch(), info.shape.elements()));
  }
  VERNIER_ASSERT(info.producer.has_value(), "an activation that a layer leaves on chip");
  const Layer& layer = graph_.layers()[*info.producer];
  if (std::holds_alternative<Concat>(layer.op)) return joined(layer);
  return places_of_tensor(layer.inputs.front());  // a view: the same elements in the same order
}

Places Finder::joined(const Layer& layer) const {
  const auto& concat = std::get<Concat>(layer.op);
  std::vector<Places> parts;
  parts.reserve(layer.inputs.size());
  for (const TensorId input : layer.inputs) parts.push_back(places_of_tensor(input));
  const std::size_t size = static_cast<std::size_t>(
      checked_mul(graph_.batch(), graph_.tensor(layer.output).shape.elements()));
  Places places;
  for (std::int64_t row = 0; places.size() < size; ++row) {
    for (std::size_t at = 0; at < parts.size(); ++at) {
      const std::int64_t run = run_in(concat, graph_.tensor(layer.inputs[at]).shape);
      const auto begin = parts[at].begin() + row * run;
      places.insert(places.end(), begin, begin + run);
    }
  }
  return places;
}

// A MatMul has a group for each image and head: [pixel][image][channel].
Places Finder::image_by_image(TensorId tensor) const {
  const Shape& shape = graph_.tensor(tensor).shape;
  const Places all = places_of_tensor(tensor);
  Places places;
  places.reserve(all.size());
  for (std::int64_t pixel = 0; pixel < shape.pixels(); ++pixel) {
    for (std::int64_t image = 0; image < graph_.batch(); ++image) {
      const auto begin = all.begin() + (image * shape.pixels() + pixel) * shape.channels;
      places.insert(places.end(), begin, begin + shape.channels);
    }
  }
  return places;
}

Places Finder::places_of_input(const Layer& layer, std::size_t slot, std::size_t number) const {
  if (std::holds_alternative<Concat>(layer.op)) return places_of_tensor(layer.inputs[number]);
  if (std::holds_alternative<MatMul>(layer.op)) return image_by_image(layer.inputs[slot]);
  Places all = places_of_tensor(layer.inputs[slot]);
  const auto* conv = std::get_if<Conv2d>(&layer.op);
  if (conv == nullptr || conv->groups == 1 || !layer.weight) return all;
  const Precision& weight = precision_.at(*layer.weight);
  if (weight.slices.empty()) return all;
  // The input channels of the groups that run at this width.
  const std::int64_t in_channels = graph_.tensor(layer.inputs[slot]).shape.channels;
  const std::int64_t group_inputs = in_channels / conv->groups;
  const std::int64_t group_outputs = conv->out_channels / conv->groups;
  const std::vector<std::int64_t> outputs = channels_of_tasks(weight)[number];
  std::vector<std::int64_t> channels;
  for (std::size_t at = 0; at < outputs.size(); at += static_cast<std::size_t>(group_outputs)) {
    const std::int64_t group = outputs[at] / group_outputs;
    for (std::int64_t channel = 0; channel < group_inputs; ++channel) {
      channels.push_back(group * group_inputs + channel);
    }
  }
  return select(all, in_channels, channels);
}

Places Finder::places_of_output(const Layer& layer, std::size_t number) const {
  if (std::holds_alternative<MatMul>(layer.op)) return image_by_image(layer.output);
  Places all = places_of_tensor(layer.output);
  const Shape& shape = graph_.tensor(layer.output).shape;
  if (const auto* concat = std::get_if<Concat>(&layer.op)) {
    std::int64_t pitch = 0;
    std::int64_t first = 0;
    for (std::size_t at = 0; at < layer.inputs.size(); ++at) {
      if (at == number) first = pitch;
      pitch += run_in(*concat, graph_.tensor(layer.inputs[at]).shape);
    }
    return select(all, pitch,
                  range(first, run_in(*concat, graph_.tensor(layer.inputs[number]).shape)));
  }
  if (const auto* pad = std::get_if<PadChannels>(&layer.op)) {
    const std::int64_t data = shape.channels - pad->before - pad->after;
    if (number == 0) return select(all, shape.channels, range(pad->before, data));
    if (number == 1 && pad->before > 0) return select(all, shape.channels, range(0, pad->before));
    return select(all, shape.channels, range(pad->before + data, pad->after));
  }
  if (!layer.weight || precision_.at(*layer.weight).slices.empty()) return all;
  return select(all, shape.channels, channels_of_tasks(precision_.at(*layer.weight))[number]);
}

}  // namespace

ChainedTensors::ChainedTensors(const LayerGraph& graph, const NetworkPrecision& precision,
                               const std::vector<LoweredLayer>& layers)
    : graph_(graph),
      precision_(precision),
      layers_(layers),
      on_chip_(graph.tensors().size()),
      by_definition_(graph.tensors().size()) {
  give_out_places();
}

void ChainedTensors::give_out_places() {
  struct Taken {
    std::int64_t begin;
    std::int64_t end;
    LayerId last;
  };
  std::vector<Taken> taken;  // by begin
  for (const LoweredLayer& layer : layers_) {
    if (!layer.residence || layer.residence->residence != Residence::kOnChip) continue;
    const ActivationResidence& residence = *layer.residence;
    const Tensor& tensor = graph_.tensor(residence.tensor);
    constexpr int kWidestUnsigned = 31;
    if (precision_.at(residence.tensor).kind == NumberKind::kUint &&
        layer.tasks.front().output_storage.bits() > kWidestUnsigned) {
      throw ModelError(fmt::format(
          "the tensor '{}' stays on chip with {} unsigned bits; the systemc engine hands on at "
          "most {}",
          tensor.name, layer.tasks.front().output_storage.bits(), kWidestUnsigned));
    }
    std::erase_if(taken, [&](const Taken& place) { return place.last < layer.layer; });
    const std::int64_t size = checked_mul(graph_.batch(), tensor.shape.elements());
    std::int64_t begin = 0;
    auto before = taken.begin();
    while (before != taken.end() && before->begin < begin + size) begin = (before++)->end;
    taken.insert(before, {begin, begin + size, residence.last});
    on_chip_[residence.tensor] = begin;
    by_definition_[residence.tensor] = static_cast<std::int64_t>(expected_.size());
    expected_.resize(expected_.size() + static_cast<std::size_t>(size));
    elements_ = std::max(elements_, begin + size);
  }
}

ChainedTask ChainedTensors::find(const Bases& bases, LayerId id, std::size_t number) const {
  const Layer& layer = graph_.layers()[id];
  const LayerTask& task = layers_[id].tasks[number];
  const Finder finder(graph_, precision_, bases);
  ChainedTask result;
  for (std::size_t slot = 0; slot < result.inputs.size(); ++slot) {
    if (!task.input_resident[slot]) continue;
    result.inputs[slot] = finder.places_of_input(layer, slot, number);
  }
  if (task.output_resident) result.output = finder.places_of_output(layer, number);
  return result;
}

ChainedTask ChainedTensors::places_of(LayerId layer, std::size_t number) const {
  return find(on_chip_, layer, number);
}

TaskPlaces ChainedTensors::loan(const ChainedTask& task) const {
  TaskPlaces places;
  for (std::size_t slot = 0; slot < task.inputs.size(); ++slot) {
    if (!task.inputs[slot].empty()) places.inputs[slot] = &task.inputs[slot];
  }
  if (!task.output.empty()) places.output = &task.output;
  places.elements = elements_;
  return places;
}

void ChainedTensors::fill_inputs(LayerId layer, std::size_t number, TaskOperands& operands) const {
  const LayerTask& task = layers_[layer].tasks[number];
  const ChainedTask places = find(by_definition_, layer, number);
  for (std::size_t slot = 0; slot < places.inputs.size(); ++slot) {
    if (places.inputs[slot].empty()) continue;
    const arch::OperandFormat format{task.input_storage[slot], operands.input_is_signed[slot]};
    std::vector<std::int32_t>& values = operands.inputs[slot];
    values.clear();
    for (const std::int64_t place : places.inputs[slot]) {
      const auto code = static_cast<std::uint32_t>(expected_[static_cast<std::size_t>(place)]);
      values.push_back(static_cast<std::int32_t>(arch::decode(code, format)));
    }
  }
}

void ChainedTensors::leave(LayerId layer, std::size_t number,
                           const std::vector<std::int64_t>& codes) {
  const ChainedTask places = find(by_definition_, layer, number);
  for (std::size_t at = 0; at < places.output.size(); ++at) {
    expected_[static_cast<std::size_t>(places.output[at])] = codes[at];
  }
}

}  // namespace vernier::dataflow
