#include "frontends/onnx/model_file.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/payload_filter.hpp"

namespace vernier::frontends::onnx {
namespace {

static_assert(std::endian::native == std::endian::little, "raw tensor data are little endian");

constexpr std::int64_t kMostNumbers = 4096;  // elements of a constant that are read

// Names from the file reach messages and reports, so bytes that cannot be shown are replaced here,
// once. Different names stay different: the replaced bytes are written as numbers.
std::string clean(const std::string& name) {
  const auto is_bad = [](char letter) {
    const auto code = static_cast<unsigned char>(letter);
    return code < 0x20 || code >= 0x7f;
  };
  if (std::none_of(name.begin(), name.end(), is_bad)) return name;
  std::string text;
  for (const char letter : name) {
    if (is_bad(letter)) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(letter)));
    } else {
      text += letter;
    }
  }
  return text;
}

double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10U) & 0x1f;
  const int mantissa = bits & 0x3ff;
  double value =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  if (exponent == 31) value = mantissa == 0 ? HUGE_VAL : std::nan("");
  return (bits & 0x8000U) != 0 ? -value : value;
}

template <typename Stored>
void append_raw(const std::string& raw, std::int64_t count, std::vector<double>& numbers) {
  for (std::int64_t at = 0; at < count; ++at) {
    Stored value{};
    std::memcpy(&value, raw.data() + static_cast<std::size_t>(at) * sizeof(Stored), sizeof(Stored));
    numbers.push_back(static_cast<double>(value));
  }
}

// Whole numbers of less than a byte are packed, the first one in the lowest bits.
void append_packed(const std::string& raw, std::int64_t count, int bits, bool is_signed,
                   std::vector<double>& numbers) {
  const int per_byte = 8 / bits;
  for (std::int64_t at = 0; at < count; ++at) {
    const auto byte = static_cast<unsigned char>(raw[static_cast<std::size_t>(at / per_byte)]);
    const auto shift = static_cast<unsigned>(at % per_byte * bits);
    int value = (byte >> shift) & ((1 << bits) - 1);
    if (is_signed && value >= 1 << (bits - 1)) value -= 1 << bits;
    numbers.push_back(value);
  }
}

// Bytes that `count` elements take in raw_data; 0 for types whose numbers are not read.
std::int64_t raw_size(ElementType type, std::int64_t count) {
  switch (type) {
    case ElementType::kDouble:
    case ElementType::kInt64:
    case ElementType::kUint64: return 8 * count;
    case ElementType::kFloat:
    case ElementType::kInt32:
    case ElementType::kUint32: return 4 * count;
    case ElementType::kFloat16:
    case ElementType::kInt16:
    case ElementType::kUint16: return 2 * count;
    case ElementType::kBool:
    case ElementType::kInt8:
    case ElementType::kUint8: return count;
    case ElementType::kInt4:
    case ElementType::kUint4: return (count + 1) / 2;
    case ElementType::kInt2:
    case ElementType::kUint2: return (count + 3) / 4;
    default: return 0;
  }
}

std::vector<double> raw_numbers(ElementType type, const std::string& raw, std::int64_t count) {
  std::vector<double> numbers;
  numbers.reserve(static_cast<std::size_t>(count));
  switch (type) {
    case ElementType::kFloat: append_raw<float>(raw, count, numbers); break;
    case ElementType::kDouble: append_raw<double>(raw, count, numbers); break;
    case ElementType::kInt64: append_raw<std::int64_t>(raw, count, numbers); break;
    case ElementType::kUint64: append_raw<std::uint64_t>(raw, count, numbers); break;
    case ElementType::kInt32: append_raw<std::int32_t>(raw, count, numbers); break;
    case ElementType::kUint32: append_raw<std::uint32_t>(raw, count, numbers); break;
    case ElementType::kInt16: append_raw<std::int16_t>(raw, count, numbers); break;
    case ElementType::kUint16: append_raw<std::uint16_t>(raw, count, numbers); break;
    case ElementType::kInt8: append_raw<std::int8_t>(raw, count, numbers); break;
    case ElementType::kBool:
    case ElementType::kUint8: append_raw<std::uint8_t>(raw, count, numbers); break;
    case ElementType::kInt4: append_packed(raw, count, 4, true, numbers); break;
    case ElementType::kUint4: append_packed(raw, count, 4, false, numbers); break;
    case ElementType::kInt2: append_packed(raw, count, 2, true, numbers); break;
    case ElementType::kUint2: append_packed(raw, count, 2, false, numbers); break;
    case ElementType::kFloat16: {
      append_raw<std::uint16_t>(raw, count, numbers);
      for (double& number : numbers) number = half_to_double(static_cast<std::uint16_t>(number));
      break;
    }
    default: break;
  }
  return numbers;
}

template <typename Field>
std::vector<double> field_numbers(const Field& field) {
  return {field.begin(), field.end()};
}

// Elements in the typed field of a tensor; int32_data also holds the narrower whole numbers, with
// types below a byte packed as in raw data.
std::vector<double> typed_numbers(const ::onnx::TensorProto& tensor, ElementType type,
                                  std::int64_t count) {
  switch (type) {
    case ElementType::kFloat: return field_numbers(tensor.float_data());
    case ElementType::kDouble: return field_numbers(tensor.double_data());
    case ElementType::kInt64: return field_numbers(tensor.int64_data());
    case ElementType::kUint32:
    case ElementType::kUint64: return field_numbers(tensor.uint64_data());
    case ElementType::kFloat16: {
      std::vector<double> numbers = field_numbers(tensor.int32_data());
      for (double& number : numbers) {
        number = half_to_double(static_cast<std::uint16_t>(static_cast<std::int64_t>(number)));
      }
      return numbers;
    }
    case ElementType::kInt4:
    case ElementType::kUint4:
    case ElementType::kInt2:
    case ElementType::kUint2: {
      std::string raw;
      for (const std::int32_t packed : tensor.int32_data()) raw += static_cast<char>(packed);
      return raw_size(type, count) == static_cast<std::int64_t>(raw.size())
                 ? raw_numbers(type, raw, count)
                 : std::vector<double>{};
    }
    default: return field_numbers(tensor.int32_data());
  }
}

TensorData tensor_of(const ::onnx::TensorProto& proto, std::string_view file) {
  TensorData tensor;
  tensor.name = clean(proto.name());
  tensor.type = static_cast<ElementType>(proto.data_type());
  std::int64_t count = 1;
  for (const std::int64_t size : proto.dims()) {
    if (size < 0) {
      throw ModelError(fmt::format("{}: constant '{}': a dimension of {}; 0 or more is needed",
                                   file, shown(tensor.name), size));
    }
    count = size > kMostNumbers || count > kMostNumbers ? kMostNumbers + 1 : count * size;
    tensor.dims.push_back(size);
  }
  constexpr std::size_t kMostDimensions = 16;
  if (tensor.dims.size() > kMostDimensions) {
    throw ModelError(fmt::format("{}: constant '{}': {} dimensions; at most {} are read", file,
                                 shown(tensor.name), tensor.dims.size(), kMostDimensions));
  }
  const bool is_external = proto.data_location() == ::onnx::TensorProto::EXTERNAL;
  if (is_external || count > kMostNumbers) return tensor;
  std::vector<double> numbers;
  if (!proto.raw_data().empty()) {
    const std::int64_t size = raw_size(tensor.type, count);
    if (size == 0 || size != static_cast<std::int64_t>(proto.raw_data().size())) return tensor;
    numbers = raw_numbers(tensor.type, proto.raw_data(), count);
  } else {
    numbers = typed_numbers(proto, tensor.type, count);
  }
  if (static_cast<std::int64_t>(numbers.size()) == count) tensor.numbers = std::move(numbers);
  return tensor;
}

Attribute attribute_of(const ::onnx::AttributeProto& proto, std::string_view file) {
  Attribute attribute;
  attribute.name = clean(proto.name());
  using Proto = ::onnx::AttributeProto;
  // Files of IR version 1 have no type; then the field that is there tells.
  if (proto.type() == Proto::INT || (proto.type() == Proto::UNDEFINED && proto.has_i())) {
    attribute.kind = Attribute::Kind::kInteger;
    attribute.integer = proto.i();
  } else if (proto.type() == Proto::FLOAT || (proto.type() == Proto::UNDEFINED && proto.has_f())) {
    attribute.kind = Attribute::Kind::kNumber;
    attribute.number = static_cast<double>(proto.f());
  } else if (proto.type() == Proto::STRING || (proto.type() == Proto::UNDEFINED && proto.has_s())) {
    attribute.kind = Attribute::Kind::kText;
    attribute.text = clean(proto.s());
  } else if (proto.type() == Proto::INTS || proto.ints_size() > 0) {
    attribute.kind = Attribute::Kind::kIntegers;
    attribute.integers.assign(proto.ints().begin(), proto.ints().end());
  } else if (proto.type() == Proto::FLOATS || proto.floats_size() > 0) {
    attribute.kind = Attribute::Kind::kNumbers;
    attribute.numbers = field_numbers(proto.floats());
  } else if (proto.type() == Proto::TENSOR || proto.has_t()) {
    attribute.kind = Attribute::Kind::kTensor;
    attribute.tensor = tensor_of(proto.t(), file);
  }
  return attribute;
}

std::string domain_of(const std::string& domain) {
  return domain == "ai.onnx" ? std::string{} : clean(domain);
}

Node node_of(const ::onnx::NodeProto& proto, std::string_view file) {
  Node node;
  node.name = clean(proto.name());
  node.op = clean(proto.op_type());
  node.domain = domain_of(proto.domain());
  for (const std::string& input : proto.input()) node.inputs.push_back(clean(input));
  for (const std::string& output : proto.output()) node.outputs.push_back(clean(output));
  for (const auto& attribute : proto.attribute()) {
    node.attributes.push_back(attribute_of(attribute, file));
  }
  return node;
}

TensorType type_of(const ::onnx::ValueInfoProto& proto) {
  TensorType type;
  type.name = clean(proto.name());
  if (!proto.has_type() || !proto.type().has_tensor_type()) return type;
  const auto& tensor = proto.type().tensor_type();
  type.type = static_cast<ElementType>(tensor.elem_type());
  if (!tensor.has_shape()) return type;
  type.dims.emplace();
  for (const auto& dimension : tensor.shape().dim()) {
    Dimension read;
    if (dimension.has_dim_value()) read.size = dimension.dim_value();
    read.symbol = clean(dimension.dim_param());
    type.dims->push_back(std::move(read));
  }
  return type;
}

}  // namespace

const Attribute* Node::find(std::string_view attribute) const {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& each) { return each.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

std::string Node::description() const {
  const std::string shown_name = name.empty() && !outputs.empty()
                                     ? "with output '" + shown(outputs[0]) + "'"
                                     : "'" + shown(name) + "'";
  return fmt::format("node {} ({}{}{})", shown_name, shown(domain),
                     domain.empty() ? "" : "::", shown(op));
}

std::int64_t ModelFile::opset_of(const Node& node) const {
  const auto entry = opsets.find(node.domain);
  return entry == opsets.end() ? 1 : entry->second;
}

ModelFile parse_model_file(std::string_view bytes, std::string_view file) {
  ::onnx::ModelProto proto;
  {
    const std::string kept = without_payloads(bytes, file);
    if (!proto.ParseFromArray(kept.data(), static_cast<int>(kept.size()))) {
      throw ModelError(fmt::format("{}: no ONNX model: protobuf cannot read it", file));
    }
  }
  if (!proto.has_graph()) {
    throw ModelError(fmt::format("{}: no ONNX model: it holds no graph", file));
  }
  ModelFile model;
  model.file = file;
  model.ir_version = proto.ir_version();
  model.graph_name = clean(proto.graph().name());
  for (const auto& opset : proto.opset_import()) {
    model.opsets[domain_of(opset.domain())] = opset.version();
  }
  for (const auto& function : proto.functions()) {
    model.functions.push_back(domain_of(function.domain()) + "::" + clean(function.name()));
  }
  std::unordered_set<std::string> constants;
  for (const auto& tensor : proto.graph().initializer()) {
    model.constants.push_back(tensor_of(tensor, file));
    constants.insert(model.constants.back().name);
  }
  for (const auto& sparse : proto.graph().sparse_initializer()) {
    TensorData tensor = tensor_of(sparse.values(), file);
    tensor.dims.assign(sparse.dims().begin(), sparse.dims().end());
    tensor.numbers.reset();
    constants.insert(tensor.name);
    model.constants.push_back(std::move(tensor));
  }
  for (const auto& node : proto.graph().node()) model.nodes.push_back(node_of(node, file));
  for (const auto& input : proto.graph().input()) {
    if (!constants.contains(clean(input.name()))) model.inputs.push_back(type_of(input));
  }
  for (const auto& output : proto.graph().output()) model.outputs.push_back(type_of(output));
  for (const auto& annotation : proto.graph().quantization_annotation()) {
    for (const auto& entry : annotation.quant_parameter_tensor_names()) {
      if (entry.key() == "finn_datatype") {
        model.datatypes[clean(annotation.tensor_name())] = clean(entry.value());
      }
    }
  }
  return model;
}

}  // namespace vernier::frontends::onnx
