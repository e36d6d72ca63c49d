// Operators with a window or a weight matrix: convolutions, pooling, fully connected layers.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "frontends/tflite/layers.hpp"
#include "tflite_schema_generated.h"

namespace vernier::frontends::tflite {
namespace {

using dataflow::ActivationKind;
using dataflow::Conv2d;
using dataflow::Dense;
using dataflow::Pool;
using dataflow::Shape;
using dataflow::Window;

constexpr int kSame = 0;
constexpr int kValid = 1;

// What convolution and pooling options share.
struct WindowOptions {
  int padding = kSame;
  std::int64_t stride_height = 1;
  std::int64_t stride_width = 1;
  std::int64_t dilation_height = 1;
  std::int64_t dilation_width = 1;
  int activation = 0;
};

template <typename Options>
WindowOptions conv_options(const Options& options) {
  return {options.padding(),    options.stride_h(),   options.stride_w(),
          options.dilation_h(), options.dilation_w(), options.activation()};
}

void check_size(const NetworkBuilder& builder, const FileOperator& op, std::string_view what,
                std::int64_t size) {
  if (size >= 1 && size <= dataflow::kMaxDimension) return;
  builder.fail(op, fmt::format("{} {} is outside 1 to {}", what, size, dataflow::kMaxDimension));
}

// SAME: as many outputs as ceil(input / stride), the odd pad behind (page "Convolution, padding
// considerations" of TensorFlow's nn API).
void same_pads(std::int64_t input, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
               std::int64_t& before, std::int64_t& after) {
  const std::int64_t outputs = ceil_div(input, stride);
  const std::int64_t needed = (outputs - 1) * stride + (kernel - 1) * dilation + 1;
  const std::int64_t pads = std::max<std::int64_t>(0, needed - input);
  before += pads / 2;
  after += pads - pads / 2;
}

Window window_of(const NetworkBuilder& builder, const FileOperator& op, const Value& input,
                 const WindowOptions& options, std::int64_t kernel_height,
                 std::int64_t kernel_width) {
  check_size(builder, op, "the kernel height", kernel_height);
  check_size(builder, op, "the kernel width", kernel_width);
  check_size(builder, op, "the stride of the height", options.stride_height);
  check_size(builder, op, "the stride of the width", options.stride_width);
  check_size(builder, op, "the dilation of the height", options.dilation_height);
  check_size(builder, op, "the dilation of the width", options.dilation_width);
  Window window = input.pad;
  window.kernel_height = kernel_height;
  window.kernel_width = kernel_width;
  window.stride_height = options.stride_height;
  window.stride_width = options.stride_width;
  window.dilation_height = options.dilation_height;
  window.dilation_width = options.dilation_width;
  if (options.padding == kSame) {
    same_pads(input.shape.height + input.pad.pad_top + input.pad.pad_bottom, kernel_height,
              options.stride_height, options.dilation_height, window.pad_top, window.pad_bottom);
    same_pads(input.shape.width + input.pad.pad_left + input.pad.pad_right, kernel_width,
              options.stride_width, options.dilation_width, window.pad_left, window.pad_right);
  } else if (options.padding != kValid) {
    builder.fail(op, fmt::format("padding {} is neither SAME (0) nor VALID (1)", options.padding));
  }
  return window;
}

// The map that a window slides over.
Value map_operand(NetworkBuilder& builder, const FileOperator& op) {
  const std::size_t tensor = builder.input(op, 0);
  constexpr std::size_t kMapRank = 4;
  const std::size_t rank = builder.file().tensors()[tensor].dims.size();
  if (rank != kMapRank) {
    builder.fail(op, fmt::format("its input has {} dimensions; batch, height, width and channels "
                                 "are needed",
                                 rank));
  }
  return builder.operand(op, 0, true);
}

// Sizes of the constant weights in slot 1, `rank` of them.
const std::vector<std::int64_t>& weight_dims(NetworkBuilder& builder, const FileOperator& op,
                                             std::size_t rank) {
  const std::size_t tensor = builder.input(op, 1);
  if (!builder.is_constant(tensor)) builder.fail(op, "its weights are made by an operator");
  const FileTensor& weights = builder.file().tensors()[builder.constant_behind(tensor)];
  if (weights.dims.size() != rank) {
    builder.fail(op, fmt::format("its weights have {} dimensions; {} are needed",
                                 weights.dims.size(), rank));
  }
  for (const std::int64_t size : weights.dims) {
    check_size(builder, op, "a dimension of the weights", size);
  }
  return weights.dims;
}

constexpr std::size_t kBiasSlot = 2;

template <typename Options>
const Options& options_of(const NetworkBuilder& builder, const FileOperator& op,
                          const Options* options) {
  if (options == nullptr) builder.fail(op, "its options are not in the file");
  return *options;
}

}  // namespace

void read_conv(NetworkBuilder& builder, const FileOperator& op) {
  const Value input = map_operand(builder, op);
  const WindowOptions options =
      conv_options(options_of(builder, op, op.raw->options_as_Conv2DOptions()));
  const std::vector<std::int64_t>& dims = weight_dims(builder, op, 4);  // O, H, W, I
  if (input.shape.channels % dims[3] != 0) {
    builder.fail(op, fmt::format("its weights read {} channels per group, which do not divide the "
                                 "input's {}",
                                 dims[3], input.shape.channels));
  }
  Conv2d conv;
  conv.out_channels = dims[0];
  conv.window = window_of(builder, op, input, options, dims[1], dims[2]);
  conv.groups = input.shape.channels / dims[3];
  conv.bias = builder.has_input(op, kBiasSlot);
  builder.add(op, conv, {input}, fused_activation(builder, op, options.activation),
              builder.input(op, 1));
}

void read_depthwise(NetworkBuilder& builder, const FileOperator& op) {
  const Value input = map_operand(builder, op);
  const WindowOptions options =
      conv_options(options_of(builder, op, op.raw->options_as_DepthwiseConv2DOptions()));
  const std::vector<std::int64_t>& dims = weight_dims(builder, op, 4);  // 1, H, W, O
  if (dims[0] != 1) builder.fail(op, fmt::format("its weights begin with {}, not 1", dims[0]));
  Conv2d conv;
  conv.groups = input.shape.channels;
  conv.out_channels = dims[3];
  conv.window = window_of(builder, op, input, options, dims[1], dims[2]);
  conv.bias = builder.has_input(op, kBiasSlot);
  builder.add(op, conv, {input}, fused_activation(builder, op, options.activation),
              builder.input(op, 1));
}

void read_fully_connected(NetworkBuilder& builder, const FileOperator& op) {
  const auto& options = options_of(builder, op, op.raw->options_as_FullyConnectedOptions());
  const ActivationKind activation = fused_activation(builder, op, options.activation());
  Value input = builder.operand(op, 0);
  const std::size_t weights = builder.input(op, 1);
  std::int64_t in_features = 0;
  if (builder.is_constant(weights)) {
    in_features = weight_dims(builder, op, 2)[1];
  } else {
    in_features = builder.operand(op, 1).shape.channels;
  }
  // All but the last dimension count as rows, except that rows may be longer than they were.
  if (input.shape.channels != in_features) {
    const std::int64_t elements = input.shape.elements();
    if (elements % in_features != 0) {
      builder.fail(op, fmt::format("its weights have {} columns, which do not divide the input's "
                                   "{} elements",
                                   in_features, elements));
    }
    input = builder.view(op, input, {in_features, elements / in_features, 1}, ".flatten");
  }
  if (!builder.is_constant(weights)) {
    builder.note(op, "both operands are activations: counted as a matrix product");
    builder.add(op, dataflow::MatMul{.heads = 1, .transpose_b = true},
                {input, builder.operand(op, 1)}, activation);
    return;
  }
  Dense dense;
  dense.out_features = weight_dims(builder, op, 2)[0];
  dense.bias = builder.has_input(op, kBiasSlot);
  builder.add(op, dense, {input}, activation, weights);
}

void read_pool(NetworkBuilder& builder, const FileOperator& op) {
  const auto& options = options_of(builder, op, op.raw->options_as_Pool2DOptions());
  const Value input = map_operand(builder, op);
  Pool pool;
  pool.kind = op.id == static_cast<std::int32_t>(OperatorId::kMaxPool2d)
                  ? dataflow::PoolKind::kMax
                  : dataflow::PoolKind::kAverage;
  const WindowOptions window{options.padding(),   options.stride_h(), options.stride_w(), 1, 1,
                             options.activation()};
  pool.window =
      window_of(builder, op, input, window, options.filter_height(), options.filter_width());
  builder.add(op, pool, {input}, fused_activation(builder, op, window.activation));
}

void read_mean(NetworkBuilder& builder, const FileOperator& op) {
  const Value input = builder.operand(op, 0);
  Pool pool;
  pool.kind = dataflow::PoolKind::kAverage;
  for (const std::int64_t axis : builder.integers(op, 1)) {
    const auto dimension = builder.dimension(op, builder.input(op, 0), axis);
    if (!dimension || *dimension == &Shape::channels) {
      builder.fail(op,
                   "averages over the batch or the channels; only rows and columns can be "
                   "expressed");
    }
    if (*dimension == &Shape::height) pool.window.kernel_height = input.shape.height;
    if (*dimension == &Shape::width) pool.window.kernel_width = input.shape.width;
  }
  builder.add(op, pool, {input});
}

void read_pad(NetworkBuilder& builder, const FileOperator& op) {
  Value value = builder.operand(op, 0, true);
  const std::size_t tensor = builder.input(op, 0);
  const std::size_t rank = builder.file().tensors()[tensor].dims.size();
  const std::vector<std::int64_t> pads = builder.integers(op, 1);
  if (pads.size() != 2 * rank) {
    builder.fail(op, fmt::format("has {} paddings for {} dimensions", pads.size(), rank));
  }
  dataflow::PadChannels channels;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int64_t before = pads[2 * axis];
    const std::int64_t after = pads[2 * axis + 1];
    if (before == 0 && after == 0) continue;
    if (std::min(before, after) < 0 || std::max(before, after) > dataflow::kMaxDimension) {
      builder.fail(op, fmt::format("the padding {}, {} is outside 0 to {}", before, after,
                                   dataflow::kMaxDimension));
    }
    const auto dimension = builder.dimension(op, tensor, static_cast<std::int64_t>(axis));
    if (!dimension) builder.fail(op, "pads the batch, which cannot be expressed");
    if (*dimension == &Shape::channels) {
      channels = {before, after};
    } else if (*dimension == &Shape::height) {
      value.pad.pad_top = checked_add(value.pad.pad_top, before);
      value.pad.pad_bottom = checked_add(value.pad.pad_bottom, after);
    } else {
      value.pad.pad_left = checked_add(value.pad.pad_left, before);
      value.pad.pad_right = checked_add(value.pad.pad_right, after);
    }
  }
  if (channels.before == 0 && channels.after == 0) {
    builder.alias(op, value,
                  value.is_padded() ? "folded into the windows that read it" : "identity");
    return;
  }
  if (value.is_padded()) builder.fail(op, "pads channels together with rows or columns");
  builder.add(op, channels, {value});
}

}  // namespace vernier::frontends::tflite
