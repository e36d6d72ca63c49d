#include "dataflow/graph/layer.hpp"

#include <fmt/format.h>

namespace vernier::dataflow {
namespace {

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

std::int64_t window_output(std::int64_t input, std::int64_t kernel, std::int64_t stride,
                           std::int64_t dilation, std::int64_t pad, std::string_view axis) {
  const std::int64_t reach = dilation * (kernel - 1) + 1;
  const std::int64_t room = input + pad - reach;
  if (room < 0) {
    throw ModelError(fmt::format("the window reaches {} {} but the padded input has {}", reach,
                                 axis, input + pad));
  }
  return room / stride + 1;
}

Shape window_shape(const Window& window, const Shape& input, std::int64_t channels) {
  return {channels,
          window_output(input.height, window.kernel_height, window.stride_height,
                        window.dilation_height, window.pad_top + window.pad_bottom, "rows"),
          window_output(input.width, window.kernel_width, window.stride_width,
                        window.dilation_width, window.pad_left + window.pad_right, "columns")};
}

void require_inputs(const std::vector<Shape>& inputs, std::size_t count) {
  if (inputs.size() != count) {
    throw ModelError(fmt::format("needs {} input(s), has {}", count, inputs.size()));
  }
}

Shape conv_shape(const Conv2d& conv, const Shape& input) {
  if (input.channels % conv.groups != 0 || conv.out_channels % conv.groups != 0) {
    throw ModelError(fmt::format("{} groups do not divide {} input and {} output channels",
                                 conv.groups, input.channels, conv.out_channels));
  }
  return window_shape(conv.window, input, conv.out_channels);
}

Shape matmul_shape(const MatMul& matmul, const Shape& left, const Shape& right) {
  const std::int64_t heads = matmul.heads;
  if (left.channels % heads != 0 || right.channels % heads != 0) {
    throw ModelError(fmt::format("{} heads do not divide {} and {} channels", heads, left.channels,
                                 right.channels));
  }
  const std::int64_t reduction = left.channels / heads;
  const std::int64_t found =
      matmul.transpose_b ? right.channels / heads : right.height * right.width;
  if (reduction != found) {
    throw ModelError(
        fmt::format("the reduction has {} elements in the first operand, {} in the "
                    "second",
                    reduction, found));
  }
  const std::int64_t out = matmul.transpose_b ? heads * right.height * right.width : right.channels;
  return {out, left.height, left.width};
}

Shape elementwise_shape(const Shape& left, const Shape& right) {
  const bool broadcast = right.pixels() == 1 && right.channels == left.channels;
  if (left != right && !broadcast) {
    throw ModelError(
        fmt::format("the inputs have the shapes {} and {}; equal shapes, or one pixel "
                    "for the second, are needed",
                    to_text(left), to_text(right)));
  }
  return left;
}

Shape concat_shape(const Concat& concat, const std::vector<Shape>& inputs) {
  if (inputs.size() < 2) throw ModelError("needs 2 or more inputs");
  const bool along_channels = concat.axis == ConcatAxis::kChannels;
  const auto joined = along_channels ? &Shape::channels : &Shape::height;
  const auto equal = along_channels ? &Shape::height : &Shape::channels;
  Shape sum = inputs.front();
  for (std::size_t at = 1; at < inputs.size(); ++at) {
    if (inputs[at].*equal != sum.*equal || inputs[at].width != sum.width) {
      throw ModelError(fmt::format("inputs of {} and {} cannot stand {}", to_text(sum),
                                   to_text(inputs[at]),
                                   along_channels ? "side by side" : "one below the other"));
    }
    sum.*joined = checked_add(sum.*joined, inputs[at].*joined);
  }
  return sum;
}

Shape softmax_shape(const Softmax& softmax, const Shape& input) {
  if (input.channels % softmax.heads != 0) {
    throw ModelError(
        fmt::format("{} heads do not divide {} channels", softmax.heads, input.channels));
  }
  return input;
}

Shape reshaped(const Reshape& reshape, const Shape& input) {
  if (reshape.shape.elements() != input.elements()) {
    throw ModelError(fmt::format("{} has {} elements, the input {} has {}", to_text(reshape.shape),
                                 reshape.shape.elements(), to_text(input), input.elements()));
  }
  return reshape.shape;
}

}  // namespace

std::string to_text(const Shape& shape) {
  return fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width);
}

bool Window::is_pointwise() const {
  return positions() == 1 && stride_height == 1 && stride_width == 1 && pad_top == 0 &&
         pad_left == 0 && pad_bottom == 0 && pad_right == 0;
}

const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names{
      "none", "relu", "relu6", "sigmoid", "hard_swish", "hard_sigmoid", "swish", "gelu", "tanh"};
  return names;
}

std::string_view operator_name(const Operator& op) {
  return std::visit(
      Overloaded{[](const Conv2d&) { return std::string_view("conv2d"); },
                 [](const Dense&) { return std::string_view("dense"); },
                 [](const MatMul&) { return std::string_view("matmul"); },
                 [](const Pool&) { return std::string_view("pool"); },
                 [](const Elementwise& elementwise) {
                   return elementwise.kind == ElementwiseKind::kAdd ? std::string_view("add")
                                                                    : std::string_view("multiply");
                 },
                 [](const ActivationLayer&) { return std::string_view("activation"); },
                 [](const Concat&) { return std::string_view("concat"); },
                 [](const Softmax&) { return std::string_view("softmax"); },
                 [](const LayerNorm&) { return std::string_view("layer_norm"); },
                 [](const Resize&) { return std::string_view("resize"); },
                 [](const Reshape&) { return std::string_view("reshape"); },
                 [](const PadChannels&) { return std::string_view("pad"); }},
      op);
}

bool is_mac(const Operator& op) {
  return std::holds_alternative<Conv2d>(op) || std::holds_alternative<Dense>(op) ||
         std::holds_alternative<MatMul>(op);
}

bool is_view(const Operator& op) { return std::holds_alternative<Reshape>(op); }

Shape infer_shape(const Operator& op, const std::vector<Shape>& inputs) {
  if (!std::holds_alternative<Concat>(op)) {
    const bool two = std::holds_alternative<MatMul>(op) || std::holds_alternative<Elementwise>(op);
    require_inputs(inputs, two ? 2 : 1);
  }
  const Shape output = std::visit(
      Overloaded{[&](const Conv2d& conv) { return conv_shape(conv, inputs[0]); },
                 [&](const Dense& dense) {
                   return Shape{dense.out_features, inputs[0].height, inputs[0].width};
                 },
                 [&](const MatMul& matmul) { return matmul_shape(matmul, inputs[0], inputs[1]); },
                 [&](const Pool& pool) {
                   return window_shape(pool.window, inputs[0], inputs[0].channels);
                 },
                 [&](const Elementwise&) { return elementwise_shape(inputs[0], inputs[1]); },
                 [&](const ActivationLayer&) { return inputs[0]; },
                 [&](const Concat& concat) { return concat_shape(concat, inputs); },
                 [&](const Softmax& softmax) { return softmax_shape(softmax, inputs[0]); },
                 [&](const LayerNorm&) { return inputs[0]; },
                 [&](const Resize& resize) {
                   return Shape{inputs[0].channels, resize.height, resize.width};
                 },
                 [&](const Reshape& reshape) { return reshaped(reshape, inputs[0]); },
                 [&](const PadChannels& pad) {
                   return Shape{checked_add(checked_add(pad.before, pad.after), inputs[0].channels),
                                inputs[0].height, inputs[0].width};
                 }},
      op);
  for (const std::int64_t size : {output.channels, output.height, output.width}) {
    if (size < 1 || size > kMaxDimension) {
      throw ModelError(fmt::format("the output {} has a dimension outside 1 to {}", to_text(output),
                                   kMaxDimension));
    }
  }
  return output;
}

WeightShape weight_shape(const Operator& op, const Shape& input) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) {
    return {conv->out_channels,
            checked_mul(conv->window.positions(), input.channels / conv->groups)};
  }
  if (const auto* dense = std::get_if<Dense>(&op)) return {dense->out_features, input.channels};
  return {};
}

Macs mac_count(const Operator& op, const std::vector<Shape>& inputs, const Shape& output) {
  std::int64_t reduction = 0;
  if (const auto* matmul = std::get_if<MatMul>(&op)) {
    reduction = inputs[0].channels / matmul->heads;
  } else if (is_mac(op)) {
    reduction = weight_shape(op, inputs[0]).row_elements;
  }
  return Macs(checked_mul(output.elements(), reduction));
}

std::int64_t parameter_count(const Operator& op, const Shape& input) {
  if (std::holds_alternative<LayerNorm>(op)) return checked_mul(2, input.channels);
  const WeightShape weights = weight_shape(op, input);
  std::int64_t per_channel = 0;
  const auto count = [&per_channel](bool bias, bool batch_norm) {
    per_channel = (bias ? 1 : 0) + (batch_norm ? 2 : 0);
  };
  if (const auto* conv = std::get_if<Conv2d>(&op)) count(conv->bias, conv->batch_norm);
  if (const auto* dense = std::get_if<Dense>(&op)) count(dense->bias, dense->batch_norm);
  return checked_add(checked_mul(weights.rows, weights.row_elements),
                     checked_mul(weights.rows, per_channel));
}

}  // namespace vernier::dataflow
