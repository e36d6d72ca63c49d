#include "frontends/tflite/tflite_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/graph/layer.hpp"
#include "frontends/tflite/operators.hpp"
#include "tflite_schema_generated.h"

namespace vernier::frontends::tflite {
namespace {

constexpr std::size_t kMostTensors = 100'000;
constexpr std::size_t kMostOperators = 100'000;
constexpr std::size_t kMostReferences = 1'000'000;  // inputs and outputs of all operators
constexpr std::size_t kMostScales = 4'000'000;      // zero points of all tensors
constexpr std::size_t kMostDims = 6;
constexpr std::size_t kLongestName = 200;
constexpr flatbuffers::uoffset_t kDeepest = 16;
constexpr flatbuffers::uoffset_t kMostTables = 500'000;
constexpr std::size_t kLargestFile = std::size_t{1} << 31U;  // flatbuffers' own limit
constexpr std::int32_t kExtendedCode = 127;  // larger numbers stand in the wide field alone

struct ElementType {
  std::string_view name;
  int bits = 0;  // 0: no number that a network computes with
  NumberKind kind = NumberKind::kInt;
};

// By number (public schema, enum TensorType).
constexpr auto kTypes = std::to_array<ElementType>({{"FLOAT32", 32, NumberKind::kFloat},
                                                    {"FLOAT16", 16, NumberKind::kFloat},
                                                    {"INT32", 32, NumberKind::kInt},
                                                    {"UINT8", 8, NumberKind::kUint},
                                                    {"INT64"},
                                                    {"STRING"},
                                                    {"BOOL", 1, NumberKind::kUint},
                                                    {"INT16", 16, NumberKind::kInt},
                                                    {"COMPLEX64"},
                                                    {"INT8", 8, NumberKind::kInt},
                                                    {"FLOAT64"},
                                                    {"COMPLEX128"},
                                                    {"UINT64"},
                                                    {"RESOURCE"},
                                                    {"VARIANT"},
                                                    {"UINT32", 32, NumberKind::kUint},
                                                    {"UINT16", 16, NumberKind::kUint},
                                                    {"INT4", 4, NumberKind::kInt}});
constexpr std::int8_t kInt32 = 2;
constexpr std::int8_t kInt64 = 4;

ElementType element_type(std::int8_t number) {
  if (number >= 0 && static_cast<std::size_t>(number) < kTypes.size()) {
    return kTypes.at(static_cast<std::size_t>(number));
  }
  return {"unknown"};
}

template <typename T>
std::size_t size_of(const T* vector) {
  return vector == nullptr ? 0 : vector->size();
}

std::string printable(const flatbuffers::String* text) {
  return text == nullptr ? std::string{}
                         : shown(std::string_view(text->c_str(), text->size()), kLongestName);
}

void check_bytes(std::span<const std::uint8_t> bytes, const std::string& file) {
  constexpr std::size_t kSmallest = 8;
  constexpr std::string_view kPointer = "version https://git-lfs";
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(kPointer)) {
    throw ConfigError(fmt::format("{}: a Git LFS pointer, not the model itself", file));
  }
  if (bytes.size() < kSmallest || text.substr(4, 4) != schema::ModelIdentifier()) {
    throw ConfigError(fmt::format(
        "{}: not a TFLite file: bytes 4 to 7 are '{}', '{}' is needed", file,
        shown(text.substr(std::min<std::size_t>(4, text.size()), 4)), schema::ModelIdentifier()));
  }
  if (bytes.size() >= kLargestFile) {
    throw ConfigError(fmt::format("{}: larger than 2 GiB", file));
  }
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), kDeepest, kMostTables);
  if (!schema::VerifyModelBuffer(verifier)) {
    throw ConfigError(
        fmt::format("{}: a broken TFLite file: an offset, a length or the number of tables does "
                    "not fit its {} bytes",
                    file, bytes.size()));
  }
}

}  // namespace

TfliteFile::TfliteFile(std::span<const std::uint8_t> bytes, std::string file)
    : bytes_(bytes), file_(std::move(file)) {
  check_bytes(bytes_, file_);
  model_ = schema::GetModel(bytes_.data());
  constexpr std::uint32_t kVersion = 3;
  if (model_->version() != kVersion) {
    throw ModelError(
        fmt::format("{}: schema version {}; version 3 is read", file_, model_->version()));
  }
  if (subgraph_count() == 0) throw ModelError(fmt::format("{}: there is no subgraph", file_));
  read_tensors();
  read_operators();
  read_ends();
}

std::uint32_t TfliteFile::version() const { return model_->version(); }

std::size_t TfliteFile::subgraph_count() const { return size_of(model_->subgraphs()); }

void TfliteFile::fail(const std::string& message) const {
  throw ModelError(fmt::format("{}: subgraph 0: {}", file_, message));
}

void TfliteFile::read_tensors() {
  const auto* list = model_->subgraphs()->Get(0)->tensors();
  if (size_of(list) > kMostTensors) fail(fmt::format("more than {} tensors", kMostTensors));
  std::size_t scales = 0;
  for (std::size_t at = 0; at < size_of(list); ++at) {
    const schema::Tensor& raw = *list->Get(static_cast<flatbuffers::uoffset_t>(at));
    FileTensor tensor;
    tensor.raw = &raw;
    tensor.name = printable(raw.name());
    if (tensor.name.empty()) tensor.name = fmt::format("tensor {}", at);
    if (size_of(raw.shape()) > kMostDims) {
      fail(fmt::format("tensor {} '{}' has {} dimensions; at most {} are read", at, tensor.name,
                       size_of(raw.shape()), kMostDims));
    }
    tensor.has_dims = size_of(raw.shape()) > 0;
    for (std::size_t dim = 0; dim < size_of(raw.shape()); ++dim) {
      const std::int64_t size = raw.shape()->Get(static_cast<flatbuffers::uoffset_t>(dim));
      tensor.dims.push_back(size);
      const bool is_open = size_of(raw.shape_signature()) == size_of(raw.shape()) &&
                           raw.shape_signature()->Get(static_cast<flatbuffers::uoffset_t>(dim)) < 0;
      if (is_open) tensor.unknown_dims.push_back(dim);
    }
    const ElementType type = element_type(raw.type());
    if (type.bits > 0) {
      tensor.precision.bits = Bitwidth(type.bits);
      tensor.precision.kind = type.kind;
    }
    tensor.is_float = type.name == "FLOAT32";
    tensor.is_variable = raw.is_variable();
    tensor.rule = std::string(type.name);
    if (const schema::Quantization* quantization = raw.quantization()) {
      const std::size_t count = size_of(quantization->scale());
      if (count > 1) tensor.rule += fmt::format(", per axis ({} scales)", count);
      const auto* zero_points = quantization->zero_point();
      scales += size_of(zero_points);
      if (scales > kMostScales) fail(fmt::format("more than {} zero points", kMostScales));
      if (zero_points != nullptr && type.kind != NumberKind::kFloat) {
        // By bytes: the verifier checks that the vector lies in the file, not that it is aligned.
        const std::uint8_t* bytes = zero_points->Data();
        tensor.precision.asymmetric =
            std::any_of(bytes, bytes + sizeof(std::int64_t) * zero_points->size(),
                        [](std::uint8_t byte) { return byte != 0; });
      }
    }
    tensors_.push_back(std::move(tensor));
  }
}

FileOperator TfliteFile::read_operator(std::size_t index) const {
  const auto& raw =
      *model_->subgraphs()->Get(0)->operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
  FileOperator op;
  op.index = index;
  op.raw = &raw;
  if (raw.opcode_index() >= size_of(model_->operator_codes())) {
    fail(fmt::format("operator {} refers to operator code {} of {}", index, raw.opcode_index(),
                     size_of(model_->operator_codes())));
  }
  const schema::OperatorCode& code = *model_->operator_codes()->Get(raw.opcode_index());
  op.id = code.deprecated_builtin_code() < kExtendedCode
              ? std::max<std::int32_t>(code.deprecated_builtin_code(), code.builtin_code())
              : code.builtin_code();
  op.op = operator_name(op.id);
  if (op.id == static_cast<std::int32_t>(OperatorId::kCustom))
    op.op = printable(code.custom_code());
  const auto read_index = [&](std::int64_t tensor, std::int64_t least) {
    if (tensor < least || tensor >= static_cast<std::int64_t>(tensors_.size())) {
      fail(fmt::format("operator {} {} refers to tensor {} of {}", index, op.op, tensor,
                       tensors_.size()));
    }
    return tensor;
  };
  for (std::size_t at = 0; at < size_of(raw.inputs()); ++at) {
    op.inputs.push_back(read_index(raw.inputs()->Get(static_cast<flatbuffers::uoffset_t>(at)), -1));
  }
  for (std::size_t at = 0; at < size_of(raw.outputs()); ++at) {
    op.outputs.push_back(static_cast<std::size_t>(
        read_index(raw.outputs()->Get(static_cast<flatbuffers::uoffset_t>(at)), 0)));
  }
  return op;
}

void TfliteFile::read_operators() {
  const auto* list = model_->subgraphs()->Get(0)->operators();
  if (size_of(list) > kMostOperators) fail(fmt::format("more than {} operators", kMostOperators));
  std::size_t references = 0;
  for (std::size_t at = 0; at < size_of(list); ++at) {
    const auto& raw = *list->Get(static_cast<flatbuffers::uoffset_t>(at));
    references += size_of(raw.inputs()) + size_of(raw.outputs());
    if (references > kMostReferences) {
      fail(fmt::format("the operators have more than {} inputs and outputs", kMostReferences));
    }
    operators_.push_back(read_operator(at));
  }
}

void TfliteFile::read_ends() {
  const schema::SubGraph& graph = *model_->subgraphs()->Get(0);
  const auto read = [&](const auto* list, std::string_view what, std::vector<std::size_t>& into) {
    if (size_of(list) > kMostTensors) fail(fmt::format("more than {} {}s", kMostTensors, what));
    for (std::size_t at = 0; at < size_of(list); ++at) {
      const std::int64_t tensor = list->Get(static_cast<flatbuffers::uoffset_t>(at));
      if (tensor < 0 || tensor >= static_cast<std::int64_t>(tensors_.size())) {
        fail(fmt::format("its {} {} is tensor {} of {}", what, at, tensor, tensors_.size()));
      }
      into.push_back(static_cast<std::size_t>(tensor));
    }
  };
  read(graph.inputs(), "input", inputs_);
  read(graph.outputs(), "output", outputs_);
}

std::optional<std::vector<std::int64_t>> TfliteFile::integers(std::size_t tensor) const {
  constexpr std::size_t kMostIntegers = 64;
  const schema::Tensor& raw = *tensors_.at(tensor).raw;
  const bool is_wide = raw.type() == kInt64;
  if (!is_wide && raw.type() != kInt32) return std::nullopt;
  if (raw.buffer() >= size_of(model_->buffers())) return std::nullopt;
  const auto* data = model_->buffers()->Get(raw.buffer())->data();
  const std::size_t width = is_wide ? sizeof(std::int64_t) : sizeof(std::int32_t);
  if (size_of(data) == 0 || size_of(data) % width != 0 || size_of(data) / width > kMostIntegers) {
    return std::nullopt;
  }
  std::vector<std::int64_t> values;
  for (std::size_t at = 0; at < data->size(); at += width) {
    if (is_wide) {
      std::int64_t value = 0;
      std::memcpy(&value, data->data() + at, width);
      values.push_back(flatbuffers::EndianScalar(value));
    } else {
      std::int32_t value = 0;
      std::memcpy(&value, data->data() + at, width);
      values.push_back(flatbuffers::EndianScalar(value));
    }
  }
  return values;
}

std::string TfliteFile::place(const FileOperator& op) const {
  const std::string name = op.outputs.empty()
                               ? std::string{}
                               : fmt::format(" ('{}')", shown(tensors_[op.outputs.front()].name));
  return fmt::format("{}: subgraph 0, operator {} {}{}", file_, op.index, op.op, name);
}

}  // namespace vernier::frontends::tflite
