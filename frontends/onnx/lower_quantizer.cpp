// Nodes that state widths: QONNX, QuantizeLinear and DequantizeLinear, Deeploy's RequantShift.
// The semantics and the traps are those of QONNX's operator documents (docs/qonnx-custom-ops) and
// of the ONNX operator pages.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"

namespace vernier::frontends::onnx {
namespace {

// Identity of scale and zero point: their numbers where they are few, else their names.
std::string grid_text(Lowering& lowering, const Node& node, std::size_t scale_slot,
                      std::size_t zero_slot) {
  std::string grid;
  for (const std::size_t slot : {scale_slot, zero_slot}) {
    if (!lowering.has(node, slot)) {
      grid += "none ";
      continue;
    }
    const Value& value = lowering.input(node, slot);
    constexpr std::size_t kFew = 8;
    const bool few = value.numbers && value.numbers->size() <= kFew;
    grid += few ? fmt::format("{} ", fmt::join(*value.numbers, " ")) : value.name + " ";
  }
  return grid;
}

// Whether a zero point is stated that is not 0; one whose numbers are not in the file is taken for
// 0, and that is reported.
bool is_asymmetric(Lowering& lowering, const Node& node, std::size_t slot) {
  if (!lowering.has(node, slot)) return false;
  const Value& zero = lowering.input(node, slot);
  if (!zero.numbers) {
    lowering.builder().note_default(
        Lowering::layer_name(node),
        fmt::format("zero point 0: the numbers of '{}' are not known", shown(zero.name)));
    return false;
  }
  return std::any_of(zero.numbers->begin(), zero.numbers->end(),
                     [](double number) { return number != 0.0; });
}

std::int64_t whole_bits(Lowering& lowering, const Node& node, double bits, std::string_view what) {
  if (!(bits >= Bitwidth::kMin && bits <= Bitwidth::kMax) || bits != std::floor(bits)) {
    lowering.fail(node, fmt::format("{} is {}; whole numbers from {} to {} are allowed", what, bits,
                                    Bitwidth::kMin, Bitwidth::kMax));
  }
  return static_cast<std::int64_t>(bits);
}

// Bits of a bit-width input: one number, or one for each entry of one dimension.
void read_bits(Lowering& lowering, const Node& node, std::size_t slot, StatedWidth& width) {
  const std::vector<double>& numbers = lowering.numbers(node, slot);
  const Value& value = lowering.input(node, slot);
  if (numbers.empty()) lowering.fail(node, "its bit width is empty");
  std::int64_t widest = 0;
  std::vector<std::int64_t> bits;
  for (const double number : numbers) {
    bits.push_back(whole_bits(lowering, node, number, "its bit width"));
    widest = std::max(widest, bits.back());
  }
  width.precision.bits = Bitwidth(widest);
  if (std::all_of(bits.begin(), bits.end(), [&](std::int64_t each) { return each == bits[0]; })) {
    return;
  }
  std::size_t long_dims = 0;
  for (std::size_t dim = 0; dim < value.dims.size(); ++dim) {
    if (value.dims[dim] == 1) continue;
    ++long_dims;
    width.channel_axis = dim;
  }
  // Behind dimensions that the bit width does not have, its own are the last ones.
  const std::size_t rank = lowering.input(node, 0).dims.size();
  if (rank > value.dims.size()) width.channel_axis += rank - value.dims.size();
  if (long_dims != 1) {
    lowering.fail(node, fmt::format("its bit width '{}' is {}; widths along one dimension are read",
                                    shown(value.name), dims_text(value.dims)));
  }
  width.channel_bits = std::move(bits);
}

bool flag(Lowering& lowering, const Node& node, std::string_view attribute, bool otherwise) {
  if (node.find(attribute) == nullptr) {
    lowering.builder().note_default(
        Lowering::layer_name(node),
        fmt::format("attribute '{}' is missing: {} taken", attribute, otherwise ? 1 : 0));
  }
  return lowering.integer(node, attribute, otherwise ? 1 : 0) != 0;
}

// The type that a QuantizeLinear node makes.
ElementType quantized_type(Lowering& lowering, const Node& node) {
  if (lowering.has(node, 2)) return lowering.input(node, 2).type;
  const std::int64_t type = lowering.integer(node, "output_dtype", 0);
  if (type > 0 && type < 1000) return static_cast<ElementType>(static_cast<std::int32_t>(type));
  lowering.builder().note_default(Lowering::layer_name(node),
                                  "UINT8: the node states neither zero point nor type");
  return ElementType::kUint8;
}

Precision precision_of(Lowering& lowering, const Node& node, ElementType type) {
  const std::optional<Precision> stated = stated_precision(type);
  if (!stated) {
    lowering.fail(node, fmt::format("element type {} ({}) is no type to quantize to", to_text(type),
                                    static_cast<std::int32_t>(type)));
  }
  return *stated;
}

}  // namespace

Value quantized(Lowering& lowering, const Node& node, const Value& value, StatedWidth width) {
  NetworkBuilder& builder = lowering.builder();
  Value result = value;
  if (value.is_constant) {
    result.width = std::move(width);
    result.numbers.reset();
    lowering.skip(node, fmt::format("states the width of '{}'", shown(value.name)));
    return result;
  }
  if (value.padding.any()) {
    result.width = std::move(width);
    lowering.fail(node, "quantizes a padded tensor; quantizers in front of the padding are read");
  }
  const bool repeats = value.width && !width.grid.empty() && value.width->grid == width.grid &&
                       value.width->precision == width.precision;
  if (repeats) {
    lowering.skip(node, fmt::format("the same quantization as '{}'", value.width->decided_by));
    return result;
  }
  const bool is_first = builder.only_claims_of(value.source, value.name);
  const bool reads_view = builder.draft_of(value.source) != nullptr &&
                          dataflow::is_view(builder.draft_of(value.source)->spec.op);
  const bool is_only_reader = lowering.readers(value.name) == 1;
  if (is_first && !reads_view && (is_only_reader || lowering.only_quantizers_read(value.name))) {
    lowering.skip(node, fmt::format("states the width of '{}'", value.source));
    builder.claim(value.source, value.name, width);
    if (Draft* draft = lowering.foldable(value)) draft->stage = Stage::kQuantized;
    result.width = std::move(width);
    return result;
  }
  const Grouping grouping = lowering.natural_grouping(value);
  const std::string source = lowering.fitted(node, value, grouping);
  result = lowering.layer(node, dataflow::ActivationLayer{dataflow::ActivationKind::kNone},
                          {source}, value.dims, grouping, value);
  builder.draft_of(result.source)->stage = Stage::kQuantized;
  builder.note_default(
      result.source,
      value.width ? fmt::format("'{}' is stored as '{}' says: a change of the number format, one "
                                "pass of the vector unit",
                                value.source, value.width->decided_by)
                  : fmt::format("'{}' is also read unquantized: a change of the number format, one "
                                "pass of the vector unit",
                                value.source));
  builder.claim(result.source, result.name, width);
  result.width = std::move(width);
  return result;
}

void lower_quant(Lowering& lowering, const Node& node) {
  StatedWidth width;
  width.decided_by = Lowering::layer_name(node);
  width.rule = fmt::format("QONNX {} bit width", node.op);
  width.grid = grid_text(lowering, node, 1, 2);
  read_bits(lowering, node, 3, width);
  const bool is_signed = flag(lowering, node, "signed", true);
  (void)flag(lowering, node, "narrow", false);
  width.precision.kind = is_signed ? NumberKind::kInt : NumberKind::kUint;
  if (is_signed && width.precision.bits.bits() == 1) {  // executed as -1 and 1
    width.precision.kind = NumberKind::kBipolar;
  }
  width.precision.asymmetric = is_asymmetric(lowering, node, 2);
  lowering.pass(node, quantized(lowering, node, lowering.input(node, 0), std::move(width)));
}

void lower_bipolar_quant(Lowering& lowering, const Node& node) {
  StatedWidth width;
  width.decided_by = Lowering::layer_name(node);
  width.rule = "QONNX BipolarQuant";
  width.grid = grid_text(lowering, node, 1, 99);
  width.precision = {Bitwidth(1), NumberKind::kBipolar, false, {}};
  lowering.pass(node, quantized(lowering, node, lowering.input(node, 0), std::move(width)));
}

// X, scale, exponent bit width, mantissa bit width, exponent bias, largest value.
void lower_float_quant(Lowering& lowering, const Node& node) {
  const auto bits_at = [&](std::size_t slot, std::string_view what) {
    const std::vector<double>& numbers = lowering.numbers(node, slot);
    if (numbers.size() != 1) lowering.fail(node, fmt::format("{} must be one number", what));
    if (numbers[0] == 0.0) return std::int64_t{0};
    return whole_bits(lowering, node, numbers[0], what);
  };
  StatedWidth width;
  width.decided_by = Lowering::layer_name(node);
  width.rule = "QONNX FloatQuant exponent + mantissa + sign";
  width.grid = grid_text(lowering, node, 1, 4);
  const std::int64_t bits =
      1 + bits_at(2, "its exponent bit width") + bits_at(3, "its mantissa bit width");
  width.precision = {
      Bitwidth(whole_bits(lowering, node, static_cast<double>(bits), "its bit width")),
      NumberKind::kFloat,
      false,
      {}};
  lowering.pass(node, quantized(lowering, node, lowering.input(node, 0), std::move(width)));
}

// Version 1: X, scale, zero point, in bits, out bits. Version 2 has the output scale before the
// last one, and signed and narrow as attributes.
void lower_trunc(Lowering& lowering, const Node& node) {
  const std::size_t inputs = node.inputs.size();
  if (inputs != 5 && inputs != 6) {
    lowering.fail(node,
                  fmt::format("{} inputs; 5 (version 1) or 6 (version 2) are needed", inputs));
  }
  const Value x = lowering.input(node, 0);
  StatedWidth width;
  width.decided_by = Lowering::layer_name(node);
  width.rule = inputs == 5 ? "QONNX Trunc (version 1) output bit width"
                           : "QONNX Trunc (version 2) output bit width";
  width.grid = grid_text(lowering, node, inputs == 5 ? 1 : 4, 2);
  read_bits(lowering, node, inputs - 1, width);
  width.precision.kind = x.width ? x.width->precision.kind : NumberKind::kInt;
  if (node.find("signed") != nullptr) {
    width.precision.kind =
        lowering.integer(node, "signed", 1) != 0 ? NumberKind::kInt : NumberKind::kUint;
  } else if (!x.width) {
    lowering.builder().note_default(Lowering::layer_name(node),
                                    "signed: neither the node nor its input says");
  }
  width.precision.asymmetric = is_asymmetric(lowering, node, 2);
  lowering.pass(node, quantized(lowering, node, x, std::move(width)));
}

void lower_quantize_linear(Lowering& lowering, const Node& node) {
  const ElementType type = quantized_type(lowering, node);
  StatedWidth width;
  width.decided_by = Lowering::layer_name(node);
  width.rule = fmt::format("QuantizeLinear element type {}", to_text(type));
  width.grid = grid_text(lowering, node, 1, 2);
  width.precision = precision_of(lowering, node, type);
  width.precision.asymmetric = is_asymmetric(lowering, node, 2);
  Value y = quantized(lowering, node, lowering.input(node, 0), std::move(width));
  y.type = type;
  y.is_integral = true;
  lowering.pass(node, std::move(y));
}

void lower_dequantize_linear(Lowering& lowering, const Node& node) {
  Value x = lowering.input(node, 0);
  const ElementType type = x.type;
  if (!x.width || x.width->rule.starts_with("element type")) {
    StatedWidth width;
    width.decided_by = Lowering::layer_name(node);
    width.rule = fmt::format("DequantizeLinear element type {}", to_text(type));
    width.precision = precision_of(lowering, node, type);
    x.width = std::move(width);
  }
  x.width->grid = grid_text(lowering, node, 1, 2);
  x.width->precision.asymmetric = x.width->precision.asymmetric || is_asymmetric(lowering, node, 2);
  if (!x.is_constant && lowering.builder().has_claim(x.source) &&
      lowering.builder().draft_of(x.source) == nullptr) {
    lowering.builder().refine_claim(x.source, *x.width);
  }
  x.type = ElementType::kFloat;
  x.is_integral = false;
  x.numbers.reset();
  lowering.skip(node, x.is_constant ? fmt::format("states the width of '{}'", shown(x.name))
                                    : "the stored numbers stay as they are");
  lowering.pass(node, std::move(x));
}

// y, its scale and its zero point, found at run time.
void lower_dynamic_quantize(Lowering& lowering, const Node& node) {
  StatedWidth width;
  width.decided_by = Lowering::layer_name(node);
  width.rule = "DynamicQuantizeLinear element type UINT8";
  width.precision = {Bitwidth(8), NumberKind::kUint, false, {}};
  Value y = quantized(lowering, node, lowering.activation(node, 0), std::move(width));
  y.type = ElementType::kUint8;
  y.is_integral = true;
  lowering.builder().note_default(Lowering::layer_name(node),
                                  "the search for the largest and smallest element is not counted");
  lowering.pass(node, std::move(y));
  for (const std::size_t slot : {std::size_t{1}, std::size_t{2}}) {
    Value parameter;
    parameter.type = slot == 1 ? ElementType::kFloat : ElementType::kUint8;
    parameter.is_constant = true;
    lowering.set(node, slot, std::move(parameter));
  }
}

// Deeploy: x, factor and summand per channel; n_levels_out numbers come out.
void lower_requant_shift(Lowering& lowering, const Node& node) {
  const auto setting = [&](std::string_view name, std::string_view old_name) -> double {
    for (const std::string_view each : {name, old_name}) {
      const Attribute* attribute = node.find(each);
      if (attribute == nullptr) continue;
      if (attribute->kind != Attribute::Kind::kTensor) return lowering.number(node, each, 0.0);
      if (attribute->tensor.numbers && attribute->tensor.numbers->size() == 1) {
        return attribute->tensor.numbers->front();
      }
    }
    lowering.fail(node, fmt::format("attribute '{}' with one number is needed", name));
  };
  const double levels = setting("n_levels_out", "n_levels");
  double bits = 1.0;
  while (bits < Bitwidth::kMax && std::exp2(bits) < levels) ++bits;
  if (!(levels >= 2.0) || std::exp2(bits) < levels) {
    lowering.fail(node, fmt::format("{} levels; 2 to 2^32 are allowed", levels));
  }
  StatedWidth width;
  width.decided_by = Lowering::layer_name(node);
  width.rule = "RequantShift levels";
  width.precision.bits = Bitwidth(static_cast<std::int64_t>(bits));
  width.precision.kind =
      setting("signed", "signed_out") != 0.0 ? NumberKind::kInt : NumberKind::kUint;
  const Value x = lowering.activation(node, 0);
  Draft* draft = lowering.foldable(x);
  if (draft != nullptr && draft->stage == Stage::kOpen) {
    if (auto* conv = std::get_if<dataflow::Conv2d>(&draft->spec.op)) conv->batch_norm = true;
    if (auto* dense = std::get_if<dataflow::Dense>(&draft->spec.op)) dense->batch_norm = true;
  }
  Value y = quantized(lowering, node, x, std::move(width));
  y.is_integral = true;
  lowering.pass(node, std::move(y));
}

std::optional<Precision> finn_precision(std::string_view datatype) {
  const auto bits_behind = [&](std::string_view prefix) -> std::optional<std::int64_t> {
    if (!datatype.starts_with(prefix)) return std::nullopt;
    const std::string_view rest = datatype.substr(prefix.size());
    std::int64_t bits = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), bits);
    if (error != std::errc{} || bits < Bitwidth::kMin || bits > Bitwidth::kMax) return std::nullopt;
    const std::string_view behind(end, static_cast<std::size_t>(rest.data() + rest.size() - end));
    return behind.empty() || behind == ">" || behind.starts_with(",") ? std::optional(bits)
                                                                      : std::nullopt;
  };
  if (datatype == "BIPOLAR") return Precision{Bitwidth(1), NumberKind::kBipolar, false, {}};
  if (datatype == "BINARY") return Precision{Bitwidth(1), NumberKind::kUint, false, {}};
  if (datatype == "TERNARY") return Precision{Bitwidth(2), NumberKind::kInt, false, {}};
  if (datatype == "FLOAT16") return Precision{Bitwidth(16), NumberKind::kFloat, false, {}};
  if (const auto bits = bits_behind("UINT")) {
    return Precision{Bitwidth(*bits), NumberKind::kUint, false, {}};
  }
  for (const std::string_view prefix : {"INT", "SCALEDINT<", "FIXED<"}) {
    if (const auto bits = bits_behind(prefix)) {
      return Precision{Bitwidth(*bits), NumberKind::kInt, false, {}};
    }
  }
  return std::nullopt;
}

}  // namespace vernier::frontends::onnx
