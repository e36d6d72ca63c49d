#include "frontends/onnx/operators.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace vernier::frontends::onnx {
namespace {

constexpr std::string_view kMicrosoft = "com.microsoft";
constexpr std::string_view kQonnx = "qonnx.custom_op.general";
constexpr std::string_view kQonnxLast = "qonnx.custom_op.channels_last";

// The domains under which the quantizers of QONNX stand in files (ecosystem 1.3).
constexpr std::array kQonnxDomains{kQonnx, std::string_view("finn.custom_op.general"),
                                   std::string_view("onnx.brevitas")};

constexpr std::uint32_t slots(std::initializer_list<unsigned> which) {
  std::uint32_t mask = 0;
  for (const unsigned slot : which) mask |= 1U << slot;
  return mask;
}

constexpr std::uint32_t kAllButFirst = ~1U;
constexpr Trait kFirst = Trait::kChannelsFirst;
constexpr Trait kLast = Trait::kChannelsLast;
constexpr Trait kKeeps = Trait::kKeepsLayout;
constexpr Trait kQuantizes = Trait::kQuantizer;

const std::vector<OperatorRow>& rows() {
  static const std::vector<OperatorRow> table{
      // -- on the array
      {"Conv", "", lower_conv, kFirst, slots({1, 2})},
      {"Conv", kQonnxLast, lower_conv_channels_last, kLast, slots({1, 2})},
      {"QLinearConv", "", lower_qlinear_conv, kFirst, kAllButFirst},
      {"ConvInteger", "", lower_conv_integer, kFirst, kAllButFirst},
      {"Gemm", "", lower_gemm, kLast, slots({2})},
      {"QGemm", kMicrosoft, lower_qgemm, kLast, kAllButFirst},
      {"MatMul", "", lower_matmul, kLast, 0},
      {"QLinearMatMul", "", lower_qlinear_matmul, kLast, slots({1, 2, 4, 5, 6, 7})},
      {"MatMulInteger", "", lower_matmul_integer, kLast, slots({2, 3})},
      // -- maps
      {"MaxPool", "", lower_max_pool, kFirst, 0},
      {"MaxPool", kQonnxLast, lower_max_pool_channels_last, kLast, 0},
      {"AveragePool", "", lower_average_pool, kFirst, 0},
      {"GlobalAveragePool", "", lower_global_pool, kFirst, 0},
      {"GlobalMaxPool", "", lower_global_pool, kFirst, 0},
      {"QLinearGlobalAveragePool", kMicrosoft, lower_qlinear_global_pool, kFirst, kAllButFirst},
      {"ReduceMean", "", lower_reduce, Trait::kNone, slots({1}), lower_arithmetic},
      {"ReduceMax", "", lower_reduce, Trait::kNone, slots({1}), lower_arithmetic},
      {"ReduceSum", "", lower_reduce, Trait::kNone, slots({1}), lower_arithmetic},
      {"ReduceProd", "", lower_inexpressible, Trait::kNone, slots({1}), lower_arithmetic},
      {"Pad", "", lower_pad, kFirst, kAllButFirst},
      {"Resize", "", lower_resize, kFirst, kAllButFirst},
      {"Upsample", "", lower_resize, kFirst, kAllButFirst},
      // -- element by element
      {"Add", "", lower_add, kKeeps, 0, lower_arithmetic},
      {"Sub", "", lower_add, kKeeps, 0, lower_arithmetic},
      {"Sum", "", lower_sum, kKeeps, 0, lower_arithmetic},
      {"Mul", "", lower_multiply, kKeeps, 0, lower_arithmetic},
      {"Div", "", lower_multiply, kKeeps, 0, lower_arithmetic},
      {"QLinearAdd", kMicrosoft, lower_qlinear_elementwise, kKeeps, slots({1, 2, 4, 5, 6, 7})},
      {"QLinearMul", kMicrosoft, lower_qlinear_elementwise, kKeeps, slots({1, 2, 4, 5, 6, 7})},
      {"BatchNormalization", "", lower_batch_norm, kFirst, kAllButFirst},
      {"BatchNormalization", kQonnxLast, lower_batch_norm_channels_last, kLast, kAllButFirst},
      {"LayerNormalization", "", lower_layer_norm, kLast, kAllButFirst},
      {"Softmax", "", lower_softmax, Trait::kNone, 0},
      {"LogSoftmax", "", lower_softmax, Trait::kNone, 0},
      {"Relu", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"Sigmoid", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"Tanh", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"HardSigmoid", "", lower_activation, kKeeps, 0},
      {"HardSwish", "", lower_activation, kKeeps, 0},
      {"Gelu", "", lower_activation, kKeeps, 0},
      {"Gelu", kMicrosoft, lower_activation, kKeeps, 0},
      {"FastGelu", kMicrosoft, lower_activation, kKeeps, 0},
      {"Swish", "", lower_activation, kKeeps, 0},
      {"LeakyRelu", "", lower_activation, kKeeps, 0},
      {"PRelu", "", lower_activation, kKeeps, slots({1})},
      {"ThresholdedRelu", "", lower_activation, kKeeps, 0},
      {"Elu", "", lower_activation, kKeeps, 0},
      {"Selu", "", lower_activation, kKeeps, 0},
      {"Celu", "", lower_activation, kKeeps, 0},
      {"Softplus", "", lower_activation, kKeeps, 0},
      {"Softsign", "", lower_activation, kKeeps, 0},
      {"Mish", "", lower_activation, kKeeps, 0},
      {"Erf", "", lower_activation, kKeeps, 0},
      {"Exp", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"Sqrt", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"Pow", "", lower_activation, kKeeps, slots({1}), lower_arithmetic},
      {"Reciprocal", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"Abs", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"Neg", "", lower_activation, kKeeps, 0, lower_arithmetic},
      {"QLinearSigmoid", kMicrosoft, lower_qlinear_activation, kKeeps, kAllButFirst},
      {"QLinearLeakyRelu", kMicrosoft, lower_qlinear_activation, kKeeps, kAllButFirst},
      {"Clip", "", lower_clip, kKeeps, kAllButFirst, lower_clip},
      {"Floor", "", lower_rounding, kKeeps, 0, lower_arithmetic},
      {"Ceil", "", lower_rounding, kKeeps, 0, lower_arithmetic},
      {"Round", "", lower_rounding, kKeeps, 0, lower_arithmetic},
      {"LRN", "", lower_lrn, kFirst, 0},
      // -- views and constants
      {"Identity", "", lower_identity, kKeeps, 0, lower_identity},
      {"Dropout", "", lower_identity, kKeeps, kAllButFirst, lower_identity},
      {"Cast", "", lower_cast, kKeeps, 0, lower_cast},
      {"Reshape", "", lower_reshape, Trait::kNone, slots({1}), lower_reshape},
      {"Flatten", "", lower_flatten, Trait::kNone, 0, lower_flatten},
      {"Squeeze", "", lower_squeeze, Trait::kNone, slots({1}), lower_squeeze},
      {"Unsqueeze", "", lower_unsqueeze, Trait::kNone, slots({1}), lower_unsqueeze},
      {"Transpose", "", lower_transpose, Trait::kNone, 0, lower_transpose},
      {"Concat", "", lower_concat, Trait::kNone, 0, lower_arithmetic},
      {"Shape", "", lower_shape, kKeeps, 0, lower_shape},
      {"Size", "", lower_size, kKeeps, 0, lower_size},
      {"Gather", "", lower_take_first, Trait::kNone, slots({1}), lower_arithmetic},
      {"Slice", "", lower_take_first, Trait::kNone, kAllButFirst, lower_arithmetic},
      {"DepthToSpace", "", lower_depth_to_space, kFirst, 0},
      {"SpaceToDepth", "", lower_depth_to_space, kFirst, 0},
      {"Constant", "", lower_constant, Trait::kNone, 0, lower_constant},
      {"ConstantOfShape", "", lower_constant_of_shape, Trait::kNone, 0, lower_constant_of_shape},
      {"Expand", "", lower_inexpressible, Trait::kNone, slots({1}), lower_arithmetic},
      {"Where", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Range", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Min", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Max", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Mod", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Log", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Not", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"And", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Or", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Equal", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Greater", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      {"Less", "", lower_inexpressible, Trait::kNone, 0, lower_arithmetic},
      // -- widths
      {"Quant", kQonnx, lower_quant, kQuantizes, kAllButFirst, lower_quant},
      {"IntQuant", kQonnx, lower_quant, kQuantizes, kAllButFirst, lower_quant},
      {"BipolarQuant", kQonnx, lower_bipolar_quant, kQuantizes, kAllButFirst, lower_bipolar_quant},
      {"FloatQuant", kQonnx, lower_float_quant, kQuantizes, kAllButFirst, lower_float_quant},
      {"Trunc", kQonnx, lower_trunc, kQuantizes, kAllButFirst, lower_trunc},
      {"QuantizeLinear", "", lower_quantize_linear, kQuantizes, kAllButFirst,
       lower_quantize_linear},
      {"QuantizeLinear", kMicrosoft, lower_quantize_linear, kQuantizes, kAllButFirst,
       lower_quantize_linear},
      {"DequantizeLinear", "", lower_dequantize_linear, kKeeps, kAllButFirst,
       lower_dequantize_linear},
      {"DequantizeLinear", kMicrosoft, lower_dequantize_linear, kKeeps, kAllButFirst,
       lower_dequantize_linear},
      {"DynamicQuantizeLinear", "", lower_dynamic_quantize, kQuantizes, 0},
      {"RequantShift", "", lower_requant_shift, kQuantizes, kAllButFirst},
      // -- known, but without a counterpart
      {"ConvTranspose", "", lower_inexpressible},
      {"Split", "", lower_inexpressible},
      {"If", "", lower_inexpressible},
      {"Loop", "", lower_inexpressible},
      {"Scan", "", lower_inexpressible},
      {"LSTM", "", lower_inexpressible},
      {"GRU", "", lower_inexpressible},
      {"RNN", "", lower_inexpressible},
      {"Einsum", "", lower_inexpressible},
      {"InstanceNormalization", "", lower_inexpressible},
      {"GroupNormalization", "", lower_inexpressible},
      {"TopK", "", lower_inexpressible},
      {"ArgMax", "", lower_inexpressible},
      {"NonMaxSuppression", "", lower_inexpressible},
  };
  return table;
}

std::string_view canonical(std::string_view domain) {
  return std::find(kQonnxDomains.begin(), kQonnxDomains.end(), domain) == kQonnxDomains.end()
             ? domain
             : kQonnx;
}

}  // namespace

std::span<const OperatorRow> operator_table() { return rows(); }

const OperatorRow* find_operator(std::string_view domain, std::string_view name) {
  static const auto index = [] {
    std::map<std::pair<std::string_view, std::string_view>, const OperatorRow*> by_name;
    for (const OperatorRow& row : rows()) by_name.emplace(std::pair{row.domain, row.name}, &row);
    return by_name;
  }();
  const auto entry = index.find({canonical(domain), name});
  return entry == index.end() ? nullptr : entry->second;
}

std::vector<std::string> operator_names(std::string_view domain) {
  std::vector<std::string> names;
  for (const OperatorRow& row : rows()) {
    if (row.domain == canonical(domain)) names.emplace_back(row.name);
  }
  return names;
}

bool is_known_domain(std::string_view domain) {
  return std::any_of(rows().begin(), rows().end(),
                     [&](const OperatorRow& row) { return row.domain == canonical(domain); });
}

void lower_inexpressible(Lowering& lowering, const Node& node) {
  const bool has_body = node.op == "If" || node.op == "Loop" || node.op == "Scan";
  lowering.fail(node, has_body ? "a graph inside a node; only graphs without control flow are read"
                               : "no layer of a network here does what this operator does to an "
                                 "activation");
}

}  // namespace vernier::frontends::onnx
