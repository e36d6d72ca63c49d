// The table of ONNX operators that are read: name, domain, what runs them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/onnx/lowering.hpp"

namespace vernier::frontends::onnx {

using Handler = void (*)(Lowering&, const Node&);

/// What an operator is to the searches along the graph.
enum class Trait : std::uint8_t {
  kNone,
  kQuantizer,      ///< states the width of its first input
  kKeepsLayout,    ///< works element by element: says nothing about what a dimension means
  kChannelsFirst,  ///< its first input has the channels at dimension 1
  kChannelsLast,   ///< ... at the last dimension
};

struct OperatorRow {
  std::string_view name;
  std::string_view domain;  ///< "" is ai.onnx
  Handler handler;
  Trait trait = Trait::kNone;
  /// Bit s: input s is a parameter (weight, scale, shape ...), never an activation.
  std::uint32_t parameters = 0;
  /// What computes a node whose inputs all are constants; none: it is refused.
  Handler on_constants = nullptr;
};

/// All rows, sorted by nothing.
[[nodiscard]] std::span<const OperatorRow> operator_table();
/// The row of an operator, or nullptr. The domains of QONNX are one.
[[nodiscard]] const OperatorRow* find_operator(std::string_view domain, std::string_view name);
/// Names of the operators of a domain, for messages.
[[nodiscard]] std::vector<std::string> operator_names(std::string_view domain);
/// Whether any row has this domain.
[[nodiscard]] bool is_known_domain(std::string_view domain);

// Handlers, by concern.
void lower_conv(Lowering& lowering, const Node& node);
void lower_conv_channels_last(Lowering& lowering, const Node& node);
void lower_qlinear_conv(Lowering& lowering, const Node& node);
void lower_conv_integer(Lowering& lowering, const Node& node);
void lower_gemm(Lowering& lowering, const Node& node);
void lower_qgemm(Lowering& lowering, const Node& node);
void lower_matmul(Lowering& lowering, const Node& node);
void lower_qlinear_matmul(Lowering& lowering, const Node& node);
void lower_matmul_integer(Lowering& lowering, const Node& node);

void lower_max_pool(Lowering& lowering, const Node& node);
void lower_max_pool_channels_last(Lowering& lowering, const Node& node);
void lower_average_pool(Lowering& lowering, const Node& node);
void lower_global_pool(Lowering& lowering, const Node& node);
void lower_qlinear_global_pool(Lowering& lowering, const Node& node);
void lower_reduce(Lowering& lowering, const Node& node);
void lower_pad(Lowering& lowering, const Node& node);
void lower_resize(Lowering& lowering, const Node& node);

void lower_add(Lowering& lowering, const Node& node);
void lower_multiply(Lowering& lowering, const Node& node);
void lower_sum(Lowering& lowering, const Node& node);
void lower_qlinear_elementwise(Lowering& lowering, const Node& node);
void lower_batch_norm(Lowering& lowering, const Node& node);
void lower_batch_norm_channels_last(Lowering& lowering, const Node& node);
void lower_activation(Lowering& lowering, const Node& node);
void lower_qlinear_activation(Lowering& lowering, const Node& node);
void lower_clip(Lowering& lowering, const Node& node);
void lower_rounding(Lowering& lowering, const Node& node);
void lower_softmax(Lowering& lowering, const Node& node);
void lower_layer_norm(Lowering& lowering, const Node& node);

void lower_identity(Lowering& lowering, const Node& node);
void lower_lrn(Lowering& lowering, const Node& node);
void lower_cast(Lowering& lowering, const Node& node);
void lower_reshape(Lowering& lowering, const Node& node);
void lower_flatten(Lowering& lowering, const Node& node);
void lower_squeeze(Lowering& lowering, const Node& node);
void lower_unsqueeze(Lowering& lowering, const Node& node);
void lower_transpose(Lowering& lowering, const Node& node);
void lower_concat(Lowering& lowering, const Node& node);
void lower_shape(Lowering& lowering, const Node& node);
void lower_size(Lowering& lowering, const Node& node);
void lower_take_first(Lowering& lowering, const Node& node);
void lower_depth_to_space(Lowering& lowering, const Node& node);
void lower_constant(Lowering& lowering, const Node& node);
void lower_constant_of_shape(Lowering& lowering, const Node& node);
void lower_arithmetic(Lowering& lowering, const Node& node);

void lower_quant(Lowering& lowering, const Node& node);
void lower_bipolar_quant(Lowering& lowering, const Node& node);
void lower_float_quant(Lowering& lowering, const Node& node);
void lower_trunc(Lowering& lowering, const Node& node);
void lower_quantize_linear(Lowering& lowering, const Node& node);
void lower_dequantize_linear(Lowering& lowering, const Node& node);
void lower_dynamic_quantize(Lowering& lowering, const Node& node);
void lower_requant_shift(Lowering& lowering, const Node& node);

/// Refuses an operator that is known, and says why it has no counterpart.
void lower_inexpressible(Lowering& lowering, const Node& node);

/// Applies a quantizer to an activation or a constant and returns what is behind it: states the
/// width of the tensor, or adds a layer that changes the number format.
[[nodiscard]] Value quantized(Lowering& lowering, const Node& node, const Value& value,
                              StatedWidth width);
/// What a FINN datatype name stands for ("INT4", "BIPOLAR", "SCALEDINT<8>"); none if it is none.
[[nodiscard]] std::optional<Precision> finn_precision(std::string_view datatype);

}  // namespace vernier::frontends::onnx
