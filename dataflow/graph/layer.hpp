// Operators and their shapes. Maps are channels x height x width (batch is a property of the whole
// graph); a token sequence is channels = features, height = tokens, width = 1. Elements are stored
// channels fastest. Shapes follow ONNX: floor of the output size, real padding.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "arch/base/error.hpp"
#include "arch/base/units.hpp"

namespace vernier::dataflow {

/// Largest size of one dimension of a tensor.
inline constexpr std::int64_t kMaxDimension = std::int64_t{1} << 24;
/// Largest number of elements of one tensor, all images of a batch together.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;
/// Largest batch.
inline constexpr std::int64_t kMaxBatch = std::int64_t{1} << 16;

/// Shape of one image's activation tensor.
struct Shape {
  std::int64_t channels = 1;
  std::int64_t height = 1;
  std::int64_t width = 1;

  /// Throws ArithmeticOverflow for shapes that are not checked yet.
  [[nodiscard]] std::int64_t elements() const {
    return checked_mul(checked_mul(channels, height), width);
  }
  [[nodiscard]] std::int64_t pixels() const { return height * width; }
  friend bool operator==(const Shape&, const Shape&) = default;
};

/// "64x56x56".
[[nodiscard]] std::string to_text(const Shape& shape);

/// Sliding window of a convolution or pooling, per axis.
struct Window {
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride_height = 1;
  std::int64_t stride_width = 1;
  std::int64_t dilation_height = 1;
  std::int64_t dilation_width = 1;
  std::int64_t pad_top = 0;
  std::int64_t pad_left = 0;
  std::int64_t pad_bottom = 0;
  std::int64_t pad_right = 0;

  [[nodiscard]] std::int64_t positions() const { return kernel_height * kernel_width; }
  /// 1x1, stride 1, no padding: every output pixel reads just its own input pixel.
  [[nodiscard]] bool is_pointwise() const;
  friend bool operator==(const Window&, const Window&) = default;
};

enum class PoolKind : std::uint8_t { kMax, kAverage };
enum class ElementwiseKind : std::uint8_t { kAdd, kMultiply };
/// Activation functions; folded into a MAC layer's drain, or a layer of their own.
enum class ActivationKind : std::uint8_t {
  kNone,
  kRelu,
  kRelu6,
  kSigmoid,
  kHardSwish,
  kHardSigmoid,
  kSwish,
  kGelu,
  kTanh
};
[[nodiscard]] const std::vector<std::string>& activation_names();

struct Conv2d {
  std::int64_t out_channels = 1;
  Window window;
  std::int64_t groups = 1;
  bool bias = false;
  bool batch_norm = false;
};
/// Every pixel (token) by itself: out_features sums over all channels.
struct Dense {
  std::int64_t out_features = 1;
  bool bias = false;
  bool batch_norm = false;
};
/// Both operands are activations; the second has the weight role. With `heads` h the channels of
/// the first operand are split into h groups. transpose_b: b holds one row of K features per
/// output channel (Q K^T); else b holds K rows of output channels (P V).
struct MatMul {
  std::int64_t heads = 1;
  bool transpose_b = false;
};
struct Pool {
  PoolKind kind = PoolKind::kMax;
  Window window;
};
/// Two inputs of one shape, or the second one pixel that is used for all pixels.
struct Elementwise {
  ElementwiseKind kind = ElementwiseKind::kAdd;
};
struct ActivationLayer {
  ActivationKind kind = ActivationKind::kRelu;
};
enum class ConcatAxis : std::uint8_t { kChannels, kHeight };
/// Inputs side by side along the channels, or one below the other (tokens after tokens).
struct Concat {
  ConcatAxis axis = ConcatAxis::kChannels;
};
/// Over the channels of each pixel, those of each head by themselves.
struct Softmax {
  std::int64_t heads = 1;
};
/// Over the channels of each pixel, then a learned scale and shift of each channel.
struct LayerNorm {};
/// Nearest-neighbour change of height and width.
struct Resize {
  std::int64_t height = 1;
  std::int64_t width = 1;
};
/// Another view of the same elements, free of cost.
struct Reshape {
  Shape shape;
};
/// Zero channels before and after the input's.
struct PadChannels {
  std::int64_t before = 0;
  std::int64_t after = 0;
};

using Operator = std::variant<Conv2d, Dense, MatMul, Pool, Elementwise, ActivationLayer, Concat,
                              Softmax, LayerNorm, Resize, Reshape, PadChannels>;

/// "conv2d", "dense" ... as in model files.
[[nodiscard]] std::string_view operator_name(const Operator& op);
/// Conv2d, Dense and MatMul run on the PE array.
[[nodiscard]] bool is_mac(const Operator& op);
/// Reshape moves nothing.
[[nodiscard]] bool is_view(const Operator& op);

/// Size of the weight tensor of a MAC layer: `rows` output channels with `row_elements` weights.
struct WeightShape {
  std::int64_t rows = 0;
  std::int64_t row_elements = 0;
  [[nodiscard]] std::int64_t elements() const { return checked_mul(rows, row_elements); }
};

/// Output shape of an operator; throws ModelError (without layer name) when inputs do not fit.
[[nodiscard]] Shape infer_shape(const Operator& op, const std::vector<Shape>& inputs);
/// Weights of the operator for an input shape; rows = 0 when it has none.
[[nodiscard]] WeightShape weight_shape(const Operator& op, const Shape& input);
/// Multiply-accumulates for one image, padding positions included.
[[nodiscard]] Macs mac_count(const Operator& op, const std::vector<Shape>& inputs,
                             const Shape& output);
/// Weights, biases, and scale and shift of a batch or layer normalization.
[[nodiscard]] std::int64_t parameter_count(const Operator& op, const Shape& input);

}  // namespace vernier::dataflow
