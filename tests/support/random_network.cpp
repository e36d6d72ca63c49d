#include "tests/support/random_network.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidcheck.h>

namespace vernier::tests {
namespace {

using dataflow::InputSpec;
using dataflow::LayerSpec;
using dataflow::Operator;
using dataflow::Shape;

std::int64_t pick(std::int64_t least, std::int64_t most) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::int64_t>(least, most + 1));
}
bool one_in(std::int64_t times) { return pick(1, times) == times; }

// Adds layers one by one, mostly behind the last one.
class Drawing {
 public:
  Drawing() {
    const Shape shape{pick(1, 6), pick(1, 6), pick(1, 4)};
    inputs_.push_back({"in", shape, {}, {}, false});
    made_.push_back({"in", shape});
    for (std::int64_t left = pick(2, 7); left > 0; --left) add_layer();
  }

  [[nodiscard]] dataflow::LayerGraph graph() const {
    return {"random", inputs_, layers_, pick(1, 3)};
  }

 private:
  struct Made {
    std::string name;
    Shape shape;
  };

  void add(const Operator& op, std::vector<std::string> inputs, const std::vector<Shape>& shapes) {
    LayerSpec layer;
    layer.name = fmt::format("l{}", layers_.size());
    layer.op = op;
    layer.inputs = std::move(inputs);
    made_.push_back({layer.name, infer_shape(op, shapes)});
    layers_.push_back(std::move(layer));
  }
  void add_behind(const Made& source, const Operator& op) {
    add(op, {source.name}, {source.shape});
  }

  // An earlier tensor that fits beside another one, or that one itself.
  template <typename Fits>
  Made earlier(const Made& beside, const Fits& fits) const {
    std::vector<Made> fitting;
    for (const Made& made : made_) {
      if (fits(made.shape)) fitting.push_back(made);
    }
    if (fitting.empty()) return beside;
    return fitting[static_cast<std::size_t>(
        pick(0, static_cast<std::int64_t>(fitting.size()) - 1))];
  }

  void add_convolution(const Made& source) {
    dataflow::Conv2d conv;
    conv.window.kernel_height = pick(1, 3);
    conv.window.kernel_width = pick(1, 3);
    conv.window.pad_top = conv.window.pad_bottom = conv.window.kernel_height / 2;
    conv.window.pad_left = conv.window.pad_right = conv.window.kernel_width / 2;
    conv.window.stride_height = one_in(3) ? 2 : 1;
    if (one_in(3)) conv.groups = source.shape.channels;
    conv.out_channels = conv.groups * pick(1, conv.groups == 1 ? 8 : 2);
    add_behind(source, conv);
  }

  void add_pair(const Made& source) {
    const Shape& shape = source.shape;
    switch (pick(0, 3)) {
      case 0: {
        const Made other = earlier(source, [&](const Shape& s) { return s == shape; });
        return add(dataflow::Elementwise{}, {source.name, other.name}, {shape, other.shape});
      }
      case 1: {
        const Made other = earlier(source, [&](const Shape& s) {
          return s == Shape{shape.channels, 1, 1} || s == shape;
        });
        return add(dataflow::Elementwise{dataflow::ElementwiseKind::kMultiply},
                   {source.name, other.name}, {shape, other.shape});
      }
      case 2: {
        const Made other = earlier(source, [&](const Shape& s) {
          return s.height == shape.height && s.width == shape.width;
        });
        return add(dataflow::Concat{}, {source.name, other.name}, {shape, other.shape});
      }
      default: {
        const Made other = earlier(source, [&](const Shape& s) {
          return s.channels == shape.channels && s.width == shape.width;
        });
        return add(dataflow::Concat{dataflow::ConcatAxis::kHeight}, {other.name, source.name},
                   {other.shape, shape});
      }
    }
  }

  void add_layer() {
    const Made source =
        one_in(4) ? earlier(made_.back(), [](const Shape&) { return true; }) : made_.back();
    const Shape& shape = source.shape;
    constexpr std::int64_t kManyElements = 400;
    if (shape.elements() > kManyElements) return add_behind(source, dataflow::Dense{pick(1, 4)});
    switch (pick(0, 9)) {
      case 0:
      case 1:
      case 2: return add_convolution(source);
      case 3: return add_behind(source, dataflow::Dense{pick(1, 8)});
      case 4: return add_behind(source, dataflow::ActivationLayer{});
      case 5: return add_behind(source, dataflow::PadChannels{pick(0, 2), pick(0, 2)});
      case 6: return add_view(source);
      case 7: return add_behind(source, dataflow::Resize{pick(1, 5), pick(1, 5)});
      default: return add_pair(source);
    }
  }

  void add_view(const Made& source) {
    const Shape& shape = source.shape;
    if (shape.width == 1 && one_in(2)) {  // tokens: each with each
      return add(dataflow::MatMul{1, true}, {source.name, source.name}, {shape, shape});
    }
    add_behind(source, dataflow::Reshape{{shape.elements(), 1, 1}});
  }

  std::vector<InputSpec> inputs_;
  std::vector<LayerSpec> layers_;
  std::vector<Made> made_;
};

Bitwidth draw_bits(const std::vector<std::int64_t>& widths, std::int64_t storage) {
  return Bitwidth(pick(1, std::min({widths.back(), storage, std::int64_t{8}})));
}

// A width per channel, or per group of channels of a grouped convolution.
void slice(Precision& precision, const dataflow::Tensor& tensor, std::int64_t group_channels,
           const std::vector<std::int64_t>& widths, std::int64_t storage) {
  const Bitwidth other = draw_bits(widths, storage);
  for (std::int64_t at = 0; at < tensor.weights.rows; at += group_channels) {
    precision.slices.push_back({group_channels, one_in(2) ? other : precision.bits});
  }
  precision.bits = std::max(precision.bits, other);
}

}  // namespace

RandomNetwork draw_network(const dataflow::Accelerator& machine) {
  dataflow::LayerGraph graph = Drawing().graph();
  const arch::MacSpec& mac = machine.spec().mac;
  const std::int64_t storage = machine.spec().storage_bits.back();
  dataflow::PrecisionMap map;
  for (const dataflow::Tensor& tensor : graph.tensors()) {
    if (tensor.shows) continue;  // a view is as wide as what it shows
    const bool is_weight = tensor.kind == dataflow::TensorKind::kWeight;
    const std::vector<std::int64_t>& widths =
        is_weight || mac.weight_bits.back() < mac.activation_bits.back() ? mac.weight_bits
                                                                         : mac.activation_bits;
    Precision precision;
    precision.bits = draw_bits(widths, storage);
    precision.kind = one_in(2) ? NumberKind::kUint : NumberKind::kInt;
    precision.asymmetric = one_in(3);
    map.tensors[tensor.name] = precision;
  }
  for (const dataflow::Layer& layer : graph.layers()) {
    if (!layer.weight) continue;
    const auto* conv = std::get_if<dataflow::Conv2d>(&layer.op);
    const dataflow::Tensor& weight = graph.tensor(*layer.weight);
    // A depthwise layer of the vector unit has no zero points of weights to take off.
    const bool on_lanes = conv != nullptr && conv->groups > 1 &&
                          machine.spec().array.depthwise == arch::DepthwiseMode::kVectorUnit;
    if (on_lanes) map.tensors[weight.name].asymmetric = false;
    if (one_in(2)) continue;
    slice(map.tensors[weight.name], weight,
          conv == nullptr || conv->groups == 1 ? 1 : conv->out_channels / conv->groups,
          mac.weight_bits, storage);
  }
  dataflow::NetworkPrecision precision = resolve_precision(graph, map).tensors;
  return {std::move(graph), std::move(precision)};
}

std::string to_text(const RandomNetwork& network) {
  std::string text = fmt::format("network: batch {}\n", network.graph.batch());
  const auto tensor_text = [&](dataflow::TensorId id) {
    const dataflow::Tensor& tensor = network.graph.tensor(id);
    const Precision& precision = network.precision[id];
    std::string bits = fmt::format("{}{}{}", precision.kind == NumberKind::kUint ? "u" : "i",
                                   precision.bits.bits(), precision.asymmetric ? "z" : "");
    for (const PrecisionSlice& slice : precision.slices) {
      bits += fmt::format(" {}x{}", slice.channels, slice.bits.bits());
    }
    return fmt::format("{} {} {}", tensor.name,
                       tensor.kind == dataflow::TensorKind::kWeight ? "" : to_text(tensor.shape),
                       bits);
  };
  for (const dataflow::Layer& layer : network.graph.layers()) {
    text += fmt::format("  {} (", operator_name(layer.op));
    for (const dataflow::TensorId input : layer.inputs) text += tensor_text(input) + "; ";
    if (layer.weight) text += tensor_text(*layer.weight);
    text += ") -> " + tensor_text(layer.output);
    if (const auto* conv = std::get_if<dataflow::Conv2d>(&layer.op)) {
      const dataflow::Window& w = conv->window;
      text += fmt::format(" kernel {}x{} stride {}x{} pads {} {} groups {}", w.kernel_height,
                          w.kernel_width, w.stride_height, w.stride_width, w.pad_top, w.pad_left,
                          conv->groups);
    }
    text += "\n";
  }
  return text;
}

}  // namespace vernier::tests
