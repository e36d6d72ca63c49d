// Layers on the PE array: convolutions, dense layers, and products of two activations.
#include <algorithm>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"
#include "frontends/onnx/window.hpp"

namespace vernier::frontends::onnx {
namespace {

using dataflow::Conv2d;
using dataflow::Dense;
using dataflow::MatMul;
using dataflow::Shape;

constexpr std::size_t kNoSlot = 99;

// Input slots of a MAC node; QLinear operators have scales and zero points between them.
struct Slots {
  std::size_t activation = 0;
  std::size_t weight = 1;
  std::size_t bias = 2;
  std::size_t output_zero_point = kNoSlot;
};

bool is_whole(const std::optional<StatedWidth>& width) {
  return width && width->precision.kind != NumberKind::kFloat;
}

// The width of a weight tensor: from the walk, else from Quantlab's attribute on the node
// (ecosystem 1.3). Widths per channel must lie along the output channels.
std::optional<StatedWidth> weight_width(Lowering& lowering, const Node& node, const Value& weight,
                                        std::size_t channel_axis) {
  std::optional<StatedWidth> width = weight.width;
  if (!width && node.find("weight_bits") != nullptr) {
    const std::int64_t bits = lowering.integer(node, "weight_bits", 0);
    width = StatedWidth{{Bitwidth(bits), NumberKind::kInt, false, {}},
                        Lowering::layer_name(node),
                        "attribute weight_bits",
                        "",
                        {},
                        0};
  }
  if (width && !width->channel_bits.empty() && width->channel_axis != channel_axis) {
    lowering.builder().note_default(
        weight.name, fmt::format("{} bits for all channels: '{}' states widths along dimension {}, "
                                 "the output channels are dimension {}",
                                 width->precision.bits.bits(), width->decided_by,
                                 width->channel_axis, channel_axis));
    width->channel_bits.clear();
  }
  return width;
}

// Biases stay in the accumulator; what the file says of their width is reported.
void note_bias(Lowering& lowering, const Node& node, std::size_t slot, bool stated_operands) {
  if (!lowering.has(node, slot)) return;
  const Value& bias = lowering.input(node, slot);
  const std::string where = Lowering::layer_name(node);
  if (bias.width && bias.width->precision.kind != NumberKind::kFloat) {
    lowering.builder().note_default(
        where, fmt::format("the bias has {} bits ('{}'), and takes part at the accumulator's width",
                           bias.width->precision.bits.bits(), bias.width->decided_by));
  } else if (node.find("bias_bits") == nullptr && stated_operands) {
    lowering.builder().note_default(where, "32 bits for the bias: no quantizer states its width");
  }
}

// What all layers with weights have in common once they exist.
void finish_layer(Lowering& lowering, const Node& node, Value output, const Value& activation,
                  std::optional<StatedWidth> weight, const Slots& slots) {
  Draft& draft = *lowering.builder().draft_of(output.source);
  draft.has_stated_operands = is_whole(activation.width) && is_whole(weight);
  draft.weight = std::move(weight);
  if (slots.output_zero_point != kNoSlot) {
    const Value& zero = lowering.input(node, slots.output_zero_point);
    const std::optional<Precision> stated = stated_precision(zero.type);
    if (!stated) {
      lowering.fail(node, fmt::format("its output zero point '{}' is {}; a whole-number type is "
                                      "needed",
                                      shown(zero.name), to_text(zero.type)));
    }
    output.type = zero.type;
    output.is_integral = true;
    output.width =
        StatedWidth{*stated,
                    Lowering::layer_name(node),
                    fmt::format("{} output element type {}", node.op, to_text(zero.type)),
                    zero.name,
                    {},
                    0};
    draft.stage = Stage::kQuantized;
    draft.tail_type = zero.type;
    lowering.builder().claim(output.source, output.name, *output.width);
  } else if (node.op == "ConvInteger" || node.op == "MatMulInteger") {
    output.type = ElementType::kInt32;
    output.is_integral = true;
    draft.tail_type = ElementType::kInt32;
  } else {
    output.is_integral = false;
  }
  lowering.set(node, 0, std::move(output));
}

const Value& constant_weight(Lowering& lowering, const Node& node, std::size_t slot) {
  const Value& weight = lowering.input(node, slot);
  if (!weight.is_constant) {
    lowering.fail(node, fmt::format("its weight '{}' depends on the image; only constant weights "
                                    "are read",
                                    shown(weight.name)));
  }
  return weight;
}

void convolution(Lowering& lowering, const Node& node, const Slots& slots, bool channels_last) {
  const Value x = lowering.input(node, slots.activation);
  if (x.is_constant) lowering.fail(node, "convolution of a constant is not read");
  const Value& w = constant_weight(lowering, node, slots.weight);
  const MapLayout layout = map_layout(lowering, node, x, channels_last);
  const std::size_t spatial = layout.spatial_dims.size();
  if (w.dims.size() != spatial + 2) {
    lowering.fail(node, fmt::format("the weight '{}' is {}; {} dimensions are needed",
                                    shown(w.name), dims_text(w.dims), spatial + 2));
  }
  const std::vector<std::int64_t> kernel(w.dims.begin() + 2, w.dims.end());
  if (const auto stated = lowering.integer_list(node, "kernel_shape");
      stated && *stated != kernel) {
    lowering.fail(node, fmt::format("attribute 'kernel_shape' is {}, the weight '{}' is {}",
                                    dims_text(*stated), shown(w.name), dims_text(w.dims)));
  }
  Conv2d conv;
  conv.out_channels = w.dims[0];
  conv.groups = lowering.integer(node, "group", 1);
  conv.bias = lowering.has(node, slots.bias);
  conv.window = read_window(lowering, node, x, layout, kernel);
  const std::int64_t channels = x.dims[layout.channel_dim];
  if (conv.groups < 1 || conv.out_channels < 1 || channels % conv.groups != 0 ||
      conv.out_channels % conv.groups != 0 || channels / conv.groups != w.dims[1]) {
    lowering.fail(node, fmt::format("{} channels in {} groups do not go with the weight '{}' {}",
                                    channels, conv.groups, shown(w.name), dims_text(w.dims)));
  }
  Value unpadded = x;
  unpadded.padding = {};
  const std::string source = lowering.fitted(node, unpadded, layout.grouping());
  const Shape output = dataflow::infer_shape(conv, {lowering.builder().shape_of(source)});
  Value y =
      lowering.layer(node, conv, {source}, output_dims(x, layout, output), layout.grouping(), x);
  std::optional<StatedWidth> weight = weight_width(lowering, node, w, 0);
  note_bias(lowering, node, slots.bias, is_whole(x.width) && is_whole(weight));
  finish_layer(lowering, node, std::move(y), x, std::move(weight), slots);
}

// Leading dimensions of a dense layer's input are its pixels.
Grouping dense_grouping(const Value& x) {
  Grouping grouping;
  const std::size_t last = x.dims.size() - 1;
  grouping.channels = {last};
  std::vector<std::size_t> inside;
  for (std::size_t dim = 0; dim < last; ++dim) {
    if (!is_batch_only(x.axes[dim])) inside.push_back(dim);
  }
  if (inside.size() == 2) {
    grouping.rows = {inside[0]};
    grouping.columns = {inside[1]};
  } else {
    grouping.rows = inside;
  }
  return grouping;
}

// x times a constant [K, N] (or [N, K], transposed): `dims` are the output's.
void dense(Lowering& lowering, const Node& node, const Value& x, const Value& w, bool transposed,
           std::vector<std::int64_t> dims, bool bias, const Slots& slots) {
  const std::size_t rank = w.dims.size();
  const std::int64_t reduction = w.dims[transposed ? rank - 1 : rank - 2];
  const std::int64_t features = w.dims[transposed ? rank - 2 : rank - 1];
  if (x.dims.back() != reduction) {
    lowering.fail(node, fmt::format("'{}' {} does not go with the weight '{}' {}: the reduction is "
                                    "{} here and {} there",
                                    shown(x.name), dims_text(x.dims), shown(w.name),
                                    dims_text(w.dims), x.dims.back(), reduction));
  }
  const Grouping grouping = dense_grouping(x);
  const bool whole_image = grouping.rows.empty() && grouping.columns.empty();
  const std::string source =
      lowering.fitted(node, x, grouping, whole_image ? Order::kAny : Order::kKept);
  Dense op;
  op.out_features = features;
  op.bias = bias;
  Value y = lowering.layer(node, op, {source}, std::move(dims), grouping, x);
  std::optional<StatedWidth> weight =
      weight_width(lowering, node, w, transposed ? rank - 2 : rank - 1);
  note_bias(lowering, node, slots.bias, is_whole(x.width) && is_whole(weight));
  finish_layer(lowering, node, std::move(y), x, std::move(weight), slots);
}

Value transposed_matrix(Value value) {
  const std::size_t rank = value.dims.size();
  std::swap(value.dims[rank - 1], value.dims[rank - 2]);
  if (!value.is_constant) std::swap(value.axes[rank - 1], value.axes[rank - 2]);
  return value;
}

// Both operands depend on the image: leading dimensions inside an image are heads.
void product(Lowering& lowering, const Node& node, const Value& a, const Value& b,
             const Slots& slots) {
  const std::size_t rank = a.dims.size();
  if (rank < 2 || rank != b.dims.size()) {
    lowering.fail(node,
                  fmt::format("the product of '{}' {} and '{}' {}: equal numbers of "
                              "dimensions, two or more, are needed",
                              shown(a.name), dims_text(a.dims), shown(b.name), dims_text(b.dims)));
  }
  Grouping left;
  Grouping plain;       // b as K rows of N channels
  Grouping transposed;  // b as N rows of K channels
  MatMul op;
  for (std::size_t dim = 0; dim + 2 < rank; ++dim) {
    if (a.dims[dim] != b.dims[dim]) {
      lowering.fail(node, fmt::format("the operands '{}' {} and '{}' {} differ in dimension {}",
                                      shown(a.name), dims_text(a.dims), shown(b.name),
                                      dims_text(b.dims), dim));
    }
    if (is_batch_only(a.axes[dim]) && is_batch_only(b.axes[dim])) continue;
    for (Grouping* grouping : {&left, &plain, &transposed}) grouping->channels.push_back(dim);
    op.heads *= a.dims[dim];
  }
  if (a.dims[rank - 1] != b.dims[rank - 2]) {
    lowering.fail(node, fmt::format("the operands '{}' {} and '{}' {} have reductions of {} and {}",
                                    shown(a.name), dims_text(a.dims), shown(b.name),
                                    dims_text(b.dims), a.dims[rank - 1], b.dims[rank - 2]));
  }
  left.channels.push_back(rank - 1);
  left.rows = {rank - 2};
  plain.channels.push_back(rank - 1);
  plain.rows = {rank - 2};
  transposed.channels.push_back(rank - 2);
  transposed.rows = {rank - 1};
  op.transpose_b = !lowering.fits(b, plain) && lowering.fits(b, transposed);
  // With both in order, the tensor's own shape decides: rows of the reduction, or of the outputs.
  if (lowering.fits(b, plain) && lowering.fits(b, transposed)) {
    op.transpose_b = lowering.builder().shape_of(b.source).channels == op.heads * b.dims[rank - 2];
  }
  const std::string first = lowering.fitted(node, a, left);
  const std::string second = lowering.fitted(node, b, op.transpose_b ? transposed : plain);
  std::vector<std::int64_t> dims = a.dims;
  dims[rank - 1] = b.dims[rank - 1];
  Value y = lowering.layer(node, op, {first, second}, std::move(dims), left, a);
  finish_layer(lowering, node, std::move(y), a, b.width, slots);
}

void matrix_product(Lowering& lowering, const Node& node, const Slots& slots) {
  const Value a = lowering.data(node, slots.activation);
  const Value b = lowering.data(node, slots.weight);
  if (a.dims.empty() || b.dims.empty()) lowering.fail(node, "an operand has no dimension");
  if (!a.is_constant && !b.is_constant) {
    product(lowering, node, a, b, slots);
    return;
  }
  const Value& weight = a.is_constant ? a : b;
  for (std::size_t dim = 0; dim + 2 < weight.dims.size(); ++dim) {
    if (weight.dims[dim] != 1) {
      lowering.fail(node, fmt::format("the weight '{}' is {}; two dimensions are read, with only "
                                      "ones in front",
                                      shown(weight.name), dims_text(weight.dims)));
    }
  }
  if (b.is_constant) {
    Value w = b;
    std::vector<std::int64_t> dims = a.dims;
    if (w.dims.size() == 1) w.dims = {w.dims[0], 1};
    dims.back() = w.dims.back();
    dense(lowering, node, a, w, false, std::move(dims), false, slots);
    return;
  }
  // Weight on the left: each column of the right operand is a pixel.
  if (a.dims.size() < 2 || b.dims.size() < 2) {
    lowering.fail(node, "two dimensions of both operands are needed with the weight on the left");
  }
  const Value x = transposed_matrix(b);
  std::vector<std::int64_t> dims = x.dims;
  dims.back() = a.dims[a.dims.size() - 2];
  dense(lowering, node, x, a, true, std::move(dims), false, slots);
  Value y = transposed_matrix(lowering.input(Node{"", "", "", {node.outputs[0]}, {}, {}}, 0));
  lowering.set(node, 0, std::move(y));
}

void gemm(Lowering& lowering, const Node& node, const Slots& slots) {
  Value a = lowering.data(node, slots.activation);
  const Value& b = lowering.data(node, slots.weight);
  if (a.is_constant) lowering.fail(node, "the first operand is constant; use MatMul for W x X");
  if (a.dims.size() != 2 || b.dims.size() != 2) {
    lowering.fail(node, fmt::format("operands of {} and {}; two dimensions each are needed",
                                    dims_text(a.dims), dims_text(b.dims)));
  }
  if (lowering.integer(node, "transA", 0) != 0) a = transposed_matrix(a);
  const bool transposed = lowering.integer(node, "transB", 0) != 0;
  if (!b.is_constant) {
    if (lowering.has(node, slots.bias)) lowering.fail(node, "a bias on a product of activations");
    product(lowering, node, a, transposed ? transposed_matrix(b) : b, slots);
    return;
  }
  const std::int64_t features = b.dims[transposed ? 0 : 1];
  if (lowering.has(node, slots.bias)) {
    const Value& bias = lowering.input(node, slots.bias);
    const bool per_feature = bias.is_constant && !bias.dims.empty() &&
                             bias.dims.back() == features && element_count(bias.dims) == features;
    if (!per_feature && !(bias.is_constant && bias.is_scalar())) {
      lowering.fail(node, fmt::format("its bias '{}' is {}; a constant of {} numbers is needed",
                                      shown(bias.name), dims_text(bias.dims), features));
    }
  }
  dense(lowering, node, a, b, transposed, {a.dims[0], features}, lowering.has(node, slots.bias),
        slots);
}

}  // namespace

void lower_conv(Lowering& lowering, const Node& node) { convolution(lowering, node, {}, false); }
void lower_conv_channels_last(Lowering& lowering, const Node& node) {
  convolution(lowering, node, {}, true);
}
void lower_qlinear_conv(Lowering& lowering, const Node& node) {
  convolution(lowering, node, {0, 3, 8, 7}, false);
}
void lower_conv_integer(Lowering& lowering, const Node& node) {
  convolution(lowering, node, {0, 1, kNoSlot, kNoSlot}, false);
}
void lower_gemm(Lowering& lowering, const Node& node) { gemm(lowering, node, {}); }
void lower_qgemm(Lowering& lowering, const Node& node) { gemm(lowering, node, {0, 3, 6, 8}); }
void lower_matmul(Lowering& lowering, const Node& node) {
  matrix_product(lowering, node, {0, 1, kNoSlot, kNoSlot});
}
void lower_qlinear_matmul(Lowering& lowering, const Node& node) {
  matrix_product(lowering, node, {0, 3, kNoSlot, 7});
}
void lower_matmul_integer(Lowering& lowering, const Node& node) {
  matrix_product(lowering, node, {0, 1, kNoSlot, kNoSlot});
}

}  // namespace vernier::frontends::onnx
