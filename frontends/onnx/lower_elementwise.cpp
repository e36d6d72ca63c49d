// Sums, products, normalizations and activation functions: folded into the layer in front of them
// where its drain can do them, else layers of the vector unit.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"

namespace vernier::frontends::onnx {
namespace {

using dataflow::ActivationKind;
using dataflow::ActivationLayer;
using dataflow::Elementwise;
using dataflow::ElementwiseKind;
using dataflow::Shape;

// How a constant lies against an activation.
enum class Spread : std::uint8_t { kScalar, kChannels, kFull };

std::vector<std::int64_t> aligned(const std::vector<std::int64_t>& dims, std::size_t rank) {
  std::vector<std::int64_t> result(rank, 1);
  if (dims.size() > rank) return dims;
  std::copy(dims.rbegin(), dims.rend(), result.rbegin());
  return result;
}

std::vector<std::int64_t> broadcast_dims(Lowering& lowering, const Node& node, const Value& left,
                                         const Value& right) {
  const std::size_t rank = std::max(left.dims.size(), right.dims.size());
  const std::vector<std::int64_t> first = aligned(left.dims, rank);
  const std::vector<std::int64_t> second = aligned(right.dims, rank);
  std::vector<std::int64_t> dims;
  for (std::size_t dim = 0; dim < rank; ++dim) {
    if (first[dim] != second[dim] && first[dim] != 1 && second[dim] != 1) {
      lowering.fail(node, fmt::format("the shapes {} of '{}' and {} of '{}' do not go together",
                                      dims_text(left.dims), shown(left.name), dims_text(right.dims),
                                      shown(right.name)));
    }
    dims.push_back(std::max(first[dim], second[dim]));
  }
  return dims;
}

// Before opset 7 the shape of the second operand could be aligned at `axis` instead of the end.
Value legacy_aligned(Lowering& lowering, const Node& node, Value constant, std::size_t rank) {
  if (node.find("axis") == nullptr || constant.dims.size() >= rank) return constant;
  const std::size_t axis = lowering.axis(node, lowering.integer(node, "axis", 0), rank);
  while (axis + constant.dims.size() < rank) constant.dims.push_back(1);
  return constant;
}

Spread spread_of(const Value& x, const std::vector<std::int64_t>& dims, const Grouping& grouping) {
  Spread spread = Spread::kScalar;
  for (std::size_t dim = 0; dim < dims.size(); ++dim) {
    if (dims[dim] == 1) continue;
    const bool is_channel = grouping.channels.size() == 1 && grouping.channels[0] == dim &&
                            dims[dim] == size_of(x.axes[dim]);
    if (!is_channel) return Spread::kFull;
    spread = Spread::kChannels;
  }
  return spread;
}

bool is_scale(const Node& node) { return node.op == "Mul" || node.op == "Div"; }

Draft* open_mac(Lowering& lowering, const Value& x) {
  Draft* draft = lowering.foldable(x);
  const bool is_open = draft != nullptr && draft->stage == Stage::kOpen;
  return is_open && (std::holds_alternative<dataflow::Conv2d>(draft->spec.op) ||
                     std::holds_alternative<dataflow::Dense>(draft->spec.op))
             ? draft
             : nullptr;
}

struct MacFlags {
  bool* bias;
  bool* batch_norm;
};
MacFlags flags_of(Draft& draft) {
  if (auto* conv = std::get_if<dataflow::Conv2d>(&draft.spec.op)) {
    return {&conv->bias, &conv->batch_norm};
  }
  auto& dense = std::get<dataflow::Dense>(draft.spec.op);
  return {&dense.bias, &dense.batch_norm};
}

Value elementwise(Lowering& lowering, const Node& node, const Value& x, const std::string& first,
                  const std::string& second, const Grouping& grouping) {
  const Elementwise op{is_scale(node) || node.op == "BatchNormalization"
                           ? ElementwiseKind::kMultiply
                           : ElementwiseKind::kAdd};
  Value y = lowering.layer(node, op, {first, second}, x.dims, grouping, x);
  y.is_integral = false;
  return y;
}

Value pointwise(Lowering& lowering, const Node& node, const Value& x, ActivationKind kind) {
  const Grouping grouping = lowering.natural_grouping(x);
  const std::string source = lowering.fitted(node, x, grouping);
  Value y = lowering.layer(node, ActivationLayer{kind}, {source}, x.dims, grouping, x);
  lowering.builder().draft_of(y.source)->stage = Stage::kActivated;
  return y;
}

// One number for the whole tensor: a part of the requantization of the layer in front, or of the
// quantizer behind.
void scalar_affine(Lowering& lowering, const Node& node, Value x) {
  const Draft* draft = lowering.foldable(x);
  const bool rescales = is_scale(node);
  const bool keeps_integers = x.is_integral && !(node.op == "Div");
  x.is_integral = keeps_integers || (node.op == "Div" && is_integer(x.type));
  if (draft != nullptr && draft->stage != Stage::kQuantized &&
      (rescales || draft->stage == Stage::kOpen)) {
    lowering.skip(node, fmt::format("one {} for all elements: folded into the requantization of "
                                    "'{}'",
                                    rescales ? "factor" : "summand", draft->spec.name));
    lowering.pass(node, std::move(x));
  } else if (rescales && x.width) {
    lowering.skip(node,
                  "one factor for all elements of a quantized tensor: its scale, not its "
                  "stored numbers");
    lowering.pass(node, std::move(x));
  } else if (lowering.readers(x.name) == 1 && lowering.a_quantizer_follows(node.outputs.front())) {
    lowering.skip(node, "folded into scale and zero point of the quantizer that follows");
    lowering.pass(node, std::move(x));
  } else {
    Value y = pointwise(lowering, node, x, ActivationKind::kNone);
    lowering.builder().draft_of(y.source)->stage = Stage::kOpen;
    lowering.builder().note_default(y.source,
                                    "one operation of the vector unit per element, "
                                    "counted as an activation function");
    lowering.set(node, 0, std::move(y));
  }
}

// A constant per channel: bias or scale of the MAC layer in front, else a layer with a learned
// operand.
void channel_affine(Lowering& lowering, const Node& node, Value x, const Value& constant,
                    const Grouping& grouping) {
  if (Draft* draft = open_mac(lowering, x)) {
    const MacFlags flags = flags_of(*draft);
    const bool rescales = is_scale(node);
    if (rescales) {
      *flags.batch_norm = true;
    } else if (!*flags.batch_norm) {
      *flags.bias = true;
    }
    lowering.skip(node, fmt::format("{} per channel: folded into '{}'",
                                    rescales ? "factor" : "summand", draft->spec.name));
    x.is_integral = x.is_integral && is_integer(constant.type);
    lowering.pass(node, std::move(x));
    return;
  }
  const std::string first = lowering.fitted(node, x, grouping);
  const std::string second =
      lowering.learned(constant, {lowering.builder().shape_of(first).channels, 1, 1});
  lowering.set(node, 0, elementwise(lowering, node, x, first, second, grouping));
}

void with_constant(Lowering& lowering, const Node& node, const Value& x, Value constant) {
  constant = legacy_aligned(lowering, node, std::move(constant), x.dims.size());
  const std::vector<std::int64_t> dims = broadcast_dims(lowering, node, x, constant);
  if (constant.is_scalar() && constant.dims.size() <= x.dims.size()) {
    scalar_affine(lowering, node, x);
    return;
  }
  if (dims != x.dims) {
    lowering.fail(node,
                  fmt::format("the constant '{}' {} makes more of '{}' {}", shown(constant.name),
                              dims_text(constant.dims), shown(x.name), dims_text(x.dims)));
  }
  const Grouping grouping = lowering.natural_grouping(x);
  const std::vector<std::int64_t> against = aligned(constant.dims, x.dims.size());
  const Spread spread = spread_of(x, against, grouping);
  if (spread == Spread::kChannels) {
    channel_affine(lowering, node, x, constant, grouping);
    return;
  }
  for (std::size_t dim = 0; dim < dims.size(); ++dim) {
    if (against[dim] != dims[dim] && !is_batch_only(x.axes[dim])) {
      lowering.fail(node,
                    fmt::format("the constant '{}' {} is spread over '{}' {}; one number, one "
                                "per channel, or one per element are read",
                                shown(constant.name), dims_text(constant.dims), shown(x.name),
                                dims_text(x.dims)));
    }
  }
  const std::string first = lowering.fitted(node, x, grouping);
  const std::string second = lowering.learned(constant, lowering.builder().shape_of(first));
  lowering.set(node, 0, elementwise(lowering, node, x, first, second, grouping));
}

// Whether `value` has one pixel and the channels of `other`.
bool is_one_pixel(const Value& value, const Value& other, const Grouping& grouping) {
  if (value.dims.size() != other.dims.size()) return false;
  for (std::size_t dim = 0; dim < value.dims.size(); ++dim) {
    const bool is_channel = std::find(grouping.channels.begin(), grouping.channels.end(), dim) !=
                            grouping.channels.end();
    if (is_channel ? value.dims[dim] != other.dims[dim] : size_of(value.axes[dim]) != 1) {
      return false;
    }
  }
  return true;
}

Value of_two(Lowering& lowering, const Node& node, const Value& left, const Value& right) {
  const std::vector<std::int64_t> dims = broadcast_dims(lowering, node, left, right);
  const bool swap = dims != left.dims && dims == right.dims;
  const Value& large = swap ? right : left;
  const Value& small = swap ? left : right;
  const Grouping grouping = lowering.natural_grouping(large);
  if (dims != large.dims || (small.dims != large.dims && !is_one_pixel(small, large, grouping))) {
    lowering.fail(node, fmt::format("the operands are {} and {}; equal shapes, or one pixel with "
                                    "all channels for one of them, are read",
                                    dims_text(left.dims), dims_text(right.dims)));
  }
  if (node.op == "Sub" || node.op == "Div") {
    lowering.builder().note_default(
        Lowering::layer_name(node),
        node.op == "Sub" ? "a difference counted as a sum" : "a quotient counted as a product");
  }
  const std::string first = lowering.fitted(node, large, grouping);
  const std::string second = lowering.fitted(node, small, grouping);
  Value y = elementwise(lowering, node, large, first, second, grouping);
  const auto is_whole = [](const Value& value) {
    return value.width && value.width->precision.kind != NumberKind::kFloat;
  };
  lowering.builder().draft_of(y.source)->has_stated_operands = is_whole(left) && is_whole(right);
  return y;
}

void binary(Lowering& lowering, const Node& node) {
  const Value left = lowering.data(node, 0);
  const Value right = lowering.data(node, 1);
  if (left.is_constant || right.is_constant) {
    const Value& x = left.is_constant ? right : left;
    with_constant(lowering, node, x, left.is_constant ? left : right);
    return;
  }
  lowering.set(node, 0, of_two(lowering, node, left, right));
}

void batch_norm(Lowering& lowering, const Node& node, bool channels_last) {
  Value x = lowering.activation(node, 0);
  const std::size_t rank = x.dims.size();
  if (rank < 2) lowering.fail(node, "two or more dimensions are needed");
  const std::size_t channel_dim = channels_last ? rank - 1 : 1;
  for (std::size_t slot = 1; slot < 5; ++slot) {
    const Value& parameter = lowering.input(node, slot);
    if (!parameter.is_constant || element_count(parameter.dims) != x.dims[channel_dim]) {
      lowering.fail(
          node, fmt::format("its parameter '{}' is {}; a constant of {} numbers, one per "
                            "channel, is needed",
                            shown(parameter.name), dims_text(parameter.dims), x.dims[channel_dim]));
    }
  }
  if (Draft* draft = open_mac(lowering, x)) {
    *flags_of(*draft).batch_norm = true;
    lowering.skip(node, fmt::format("folded into '{}'", draft->spec.name));
    x.is_integral = false;
    lowering.pass(node, std::move(x));
    return;
  }
  const Grouping grouping = channels_last ? onnx::channels_last(rank) : channels_first(rank);
  const std::string first = lowering.fitted(node, x, grouping);
  const Shape shape{x.dims[channel_dim], 1, 1};
  const Value scaled = elementwise(lowering, node, x, first,
                                   lowering.learned(lowering.input(node, 1), shape), grouping);
  Node shift = node;
  shift.op = "Add";
  shift.name = Lowering::layer_name(node) + ".shift";
  Value y = elementwise(lowering, shift, scaled, scaled.source,
                        lowering.learned(lowering.input(node, 2), shape), grouping);
  lowering.builder().note_default(
      scaled.source,
      "no layer in front takes this normalization over: a product and a sum of the "
      "vector unit");
  lowering.set(node, 0, std::move(y));
}

struct FunctionRow {
  std::string_view op;
  ActivationKind kind;
  bool is_exact;  // else counted as `kind`, which is reported
};

constexpr std::array kFunctions{
    FunctionRow{"Relu", ActivationKind::kRelu, true},
    FunctionRow{"Sigmoid", ActivationKind::kSigmoid, true},
    FunctionRow{"QLinearSigmoid", ActivationKind::kSigmoid, true},
    FunctionRow{"Tanh", ActivationKind::kTanh, true},
    FunctionRow{"HardSigmoid", ActivationKind::kHardSigmoid, true},
    FunctionRow{"HardSwish", ActivationKind::kHardSwish, true},
    FunctionRow{"Gelu", ActivationKind::kGelu, true},
    FunctionRow{"FastGelu", ActivationKind::kGelu, true},
    FunctionRow{"Swish", ActivationKind::kSwish, true},
    FunctionRow{"LeakyRelu", ActivationKind::kRelu, false},
    FunctionRow{"QLinearLeakyRelu", ActivationKind::kRelu, false},
    FunctionRow{"PRelu", ActivationKind::kRelu, false},
    FunctionRow{"ThresholdedRelu", ActivationKind::kRelu, false},
    FunctionRow{"Elu", ActivationKind::kSigmoid, false},
    FunctionRow{"Selu", ActivationKind::kSigmoid, false},
    FunctionRow{"Celu", ActivationKind::kSigmoid, false},
    FunctionRow{"Softplus", ActivationKind::kSigmoid, false},
    FunctionRow{"Softsign", ActivationKind::kSigmoid, false},
    FunctionRow{"Mish", ActivationKind::kSwish, false},
    FunctionRow{"Erf", ActivationKind::kTanh, false},
    FunctionRow{"Exp", ActivationKind::kSigmoid, false},
    FunctionRow{"Sqrt", ActivationKind::kSigmoid, false},
    FunctionRow{"Pow", ActivationKind::kSigmoid, false},
    FunctionRow{"Reciprocal", ActivationKind::kSigmoid, false},
    FunctionRow{"Abs", ActivationKind::kRelu, false},
    FunctionRow{"Neg", ActivationKind::kRelu, false},
};

// Folds a function into the layer in front, or makes it a layer.
Value activated(Lowering& lowering, const Node& node, Value x, ActivationKind kind) {
  Draft* draft = lowering.foldable(x);
  if (draft != nullptr && draft->stage == Stage::kOpen) {
    draft->spec.activation = kind;
    draft->stage = Stage::kActivated;
    draft->keeps_values = false;
    lowering.skip(node, fmt::format("folded into '{}'", draft->spec.name));
    x.width.reset();
    return x;
  }
  // A rectifier behind an unsigned quantizer changes nothing.
  if (kind == ActivationKind::kRelu && node.op == "Relu" && x.width &&
      x.width->precision.kind == NumberKind::kUint) {
    lowering.skip(node,
                  fmt::format("the numbers of '{}' are unsigned already", x.width->decided_by));
    return x;
  }
  Value y = pointwise(lowering, node, x, kind);
  y.is_integral = x.is_integral && kind == ActivationKind::kRelu;
  return y;
}

// The function of a Clip node on numbers that are no integers.
ActivationKind clip_function(Lowering& lowering, const Node& node, double least, double most) {
  if (least == 0.0 && most == 6.0) return ActivationKind::kRelu6;
  if (least == 0.0 && std::isinf(most)) return ActivationKind::kRelu;
  lowering.builder().note_default(
      Lowering::layer_name(node),
      fmt::format("clipping to {} .. {} counted as relu6", least, most));
  return ActivationKind::kRelu6;
}

struct Bounds {
  double least = -HUGE_VAL;
  double most = HUGE_VAL;
};

Bounds clip_bounds(Lowering& lowering, const Node& node) {
  Bounds bounds{lowering.number(node, "min", -HUGE_VAL), lowering.number(node, "max", HUGE_VAL)};
  for (const std::size_t slot : {std::size_t{1}, std::size_t{2}}) {
    if (!lowering.has(node, slot)) continue;
    const std::vector<double>& bound = lowering.numbers(node, slot);
    if (bound.empty()) lowering.fail(node, fmt::format("its bound in input {} is empty", slot));
    (slot == 1 ? bounds.least : bounds.most) = bound.front();
  }
  if (!(bounds.least <= bounds.most)) {
    lowering.fail(node, fmt::format("the bounds {} and {} leave nothing between them", bounds.least,
                                    bounds.most));
  }
  return bounds;
}

// Bits that hold all whole numbers between the bounds (ecosystem 1.4); none where they hold no
// range of 1 to 32 bits.
std::optional<StatedWidth> clip_width(Lowering& lowering, const Node& node, const Bounds& bounds) {
  if (!std::isfinite(bounds.least) || !std::isfinite(bounds.most)) return std::nullopt;
  const double levels = std::floor(bounds.most) - std::ceil(bounds.least) + 1.0;
  int bits = 1;
  while (bits < Bitwidth::kMax && std::ldexp(1.0, bits) < levels) ++bits;
  if (levels < 2.0 || std::ldexp(1.0, bits) < levels) return std::nullopt;
  StatedWidth width;
  width.rule = fmt::format("Clip bounds {} .. {} of whole numbers", bounds.least, bounds.most);
  if (node.find("out_bits") != nullptr) {  // Quantlab
    width.precision.bits = Bitwidth(lowering.integer(node, "out_bits", 0));
    width.rule = "attribute out_bits";
  } else {
    width.precision.bits = Bitwidth(bits);
  }
  width.precision.kind = bounds.least >= 0.0 ? NumberKind::kUint : NumberKind::kInt;
  width.decided_by = Lowering::layer_name(node);
  return width;
}

}  // namespace

void lower_add(Lowering& lowering, const Node& node) { binary(lowering, node); }
void lower_multiply(Lowering& lowering, const Node& node) { binary(lowering, node); }

void lower_sum(Lowering& lowering, const Node& node) {
  if (node.inputs.size() == 1) {
    lower_identity(lowering, node);
    return;
  }
  if (node.inputs.size() == 2) {
    binary(lowering, node);
    return;
  }
  Value sum = lowering.input(node, 0);
  for (std::size_t slot = 1; slot < node.inputs.size(); ++slot) {
    const Value& summand = lowering.input(node, slot);
    if (sum.is_constant || summand.is_constant) {
      lowering.fail(node, "a constant among three or more summands is not read");
    }
    sum = of_two(lowering, node, sum, summand);
  }
  lowering.set(node, 0, std::move(sum));
}

// com.microsoft QLinearAdd and QLinearMul: a, scale, zero point, b, scale, zero point, y scale, y
// zero point.
void lower_qlinear_elementwise(Lowering& lowering, const Node& node) {
  Node plain = node;
  plain.op = node.op == "QLinearMul" ? "Mul" : "Add";
  const Value a = lowering.input(node, 0);
  const Value b = lowering.input(node, 3);
  if (a.is_constant || b.is_constant) lowering.fail(node, "a constant operand is not read");
  Value y = of_two(lowering, plain, a, b);
  if (const auto stated = stated_precision(a.type)) {
    y.width = StatedWidth{*stated,
                          Lowering::layer_name(node),
                          fmt::format("{} element type {}", node.op, to_text(a.type)),
                          "",
                          {},
                          0};
    lowering.builder().claim(y.source, y.name, *y.width);
  }
  lowering.set(node, 0, std::move(y));
}

void lower_batch_norm(Lowering& lowering, const Node& node) { batch_norm(lowering, node, false); }
void lower_batch_norm_channels_last(Lowering& lowering, const Node& node) {
  batch_norm(lowering, node, true);
}

void lower_activation(Lowering& lowering, const Node& node) {
  const auto* row = std::find_if(kFunctions.begin(), kFunctions.end(),
                                 [&](const FunctionRow& each) { return each.op == node.op; });
  if (row == kFunctions.end()) lowering.fail(node, "no activation function");
  if (!row->is_exact) {
    lowering.builder().note_default(
        Lowering::layer_name(node),
        fmt::format("counted as {}",
                    dataflow::activation_names()[static_cast<std::size_t>(row->kind)]));
  }
  lowering.pass(node, activated(lowering, node, lowering.activation(node, 0), row->kind));
}

void lower_qlinear_activation(Lowering& lowering, const Node& node) {
  const Value x = lowering.activation(node, 0);
  const auto* row = std::find_if(kFunctions.begin(), kFunctions.end(),
                                 [&](const FunctionRow& each) { return each.op == node.op; });
  if (row == kFunctions.end()) lowering.fail(node, "no activation function");
  Value y = pointwise(lowering, node, x, row->kind);
  if (const auto stated = stated_precision(x.type)) {
    y.width = StatedWidth{*stated,
                          Lowering::layer_name(node),
                          fmt::format("{} element type {}", node.op, to_text(x.type)),
                          "",
                          {},
                          0};
    lowering.builder().claim(y.source, y.name, *y.width);
  }
  lowering.set(node, 0, std::move(y));
}

void lower_clip(Lowering& lowering, const Node& node) {
  Value x = lowering.input(node, 0);
  const Bounds bounds = clip_bounds(lowering, node);
  const bool whole = x.is_integral || is_integer(x.type);
  const std::optional<StatedWidth> width =
      whole || node.find("out_bits") != nullptr ? clip_width(lowering, node, bounds) : std::nullopt;
  if (!width) {
    if (x.is_constant) {
      lowering.skip(node, "clips a constant");
      lowering.set(node, 0, std::move(x));
      return;
    }
    lowering.pass(node, activated(lowering, node, x,
                                  clip_function(lowering, node, bounds.least, bounds.most)));
    return;
  }
  // Behind a quantizer the bounds narrow what its element type holds (QCDQ).
  if (x.width && width->precision.bits <= x.width->precision.bits &&
      (x.is_constant || lowering.builder().has_claim(x.source))) {
    StatedWidth narrowed = *width;
    narrowed.grid = x.width->grid;
    narrowed.precision.asymmetric = x.width->precision.asymmetric;
    if (!x.is_constant) lowering.builder().refine_claim(x.source, narrowed);
    x.width = std::move(narrowed);
    lowering.skip(node, "its bounds are those of the quantizer in front");
    lowering.pass(node, std::move(x));
    return;
  }
  Draft* draft = lowering.foldable(x);
  if (bounds.least == 0.0 && draft != nullptr && draft->stage == Stage::kOpen &&
      dataflow::is_mac(draft->spec.op)) {
    draft->spec.activation = ActivationKind::kRelu;
    draft->stage = Stage::kActivated;
  }
  lowering.pass(node, quantized(lowering, node, x, *width));
}

// Floor, Ceil and Round belong to the requantization of the layer in front.
void lower_rounding(Lowering& lowering, const Node& node) {
  Value x = lowering.input(node, 0);
  x.is_integral = true;
  lowering.skip(node, "rounding is a part of requantization");
  lowering.pass(node, std::move(x));
}

void lower_softmax(Lowering& lowering, const Node& node) {
  const Value x = lowering.activation(node, 0);
  const std::size_t rank = x.dims.size();
  if (rank == 0) lowering.fail(node, "its input has no dimension");
  const bool is_old = lowering.opset(node) < 13;
  const std::size_t axis =
      lowering.axis(node, lowering.integer(node, "axis", is_old ? 1 : -1), rank);
  const std::size_t last = is_old ? rank - 1 : axis;  // before opset 13 all from `axis` on
  const Grouping natural = lowering.natural_grouping(x);
  Grouping grouping;
  dataflow::Softmax op;
  for (std::size_t dim = 0; dim < rank; ++dim) {
    if (dim >= axis && dim <= last) continue;
    const auto in = [&](const std::vector<std::size_t>& dims) {
      return std::find(dims.begin(), dims.end(), dim) != dims.end();
    };
    if (in(natural.rows)) grouping.rows.push_back(dim);
    if (in(natural.columns)) grouping.columns.push_back(dim);
    if (in(natural.channels) && !is_batch_only(x.axes[dim])) {
      grouping.channels.push_back(dim);
      op.heads *= x.dims[dim];
    }
  }
  for (std::size_t dim = axis; dim <= last; ++dim) grouping.channels.push_back(dim);
  if (node.op == "LogSoftmax") {
    lowering.builder().note_default(Lowering::layer_name(node), "counted as softmax");
  }
  const std::string source = lowering.fitted(node, x, grouping, Order::kAny);
  Value y = lowering.layer(node, op, {source}, x.dims, grouping, x);
  lowering.set(node, 0, std::move(y));
}

void lower_layer_norm(Lowering& lowering, const Node& node) {
  const Value x = lowering.activation(node, 0);
  const std::size_t rank = x.dims.size();
  if (rank == 0) lowering.fail(node, "its input has no dimension");
  const std::size_t axis = lowering.axis(node, lowering.integer(node, "axis", -1), rank);
  if (axis != rank - 1) {
    lowering.fail(
        node, fmt::format("normalizes from dimension {} of {}; the last one alone is read", axis,
                          dims_text(x.dims)));
  }
  const Grouping grouping = channels_last(rank);
  const std::string source = lowering.fitted(node, x, grouping);
  lowering.set(node, 0, lowering.layer(node, dataflow::LayerNorm{}, {source}, x.dims, grouping, x));
}

}  // namespace vernier::frontends::onnx
