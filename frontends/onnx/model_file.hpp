// An ONNX file as plain structures: nodes, constants, inputs and outputs, without protobuf and
// without weight payloads. Only the source file behind this header knows libonnx_proto.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/onnx/element_type.hpp"

namespace vernier::frontends::onnx {

/// A constant tensor: an initializer, or the value of an attribute.
struct TensorData {
  std::string name;
  ElementType type = ElementType::kUndefined;
  std::vector<std::int64_t> dims;
  /// The elements in order, if they are small enough to be kept, lie in this file, and are numbers.
  std::optional<std::vector<double>> numbers;
};

/// One attribute; `kind` tells which member holds it.
struct Attribute {
  enum class Kind : std::uint8_t { kInteger, kNumber, kText, kIntegers, kNumbers, kTensor, kOther };
  std::string name;
  Kind kind = Kind::kOther;
  std::int64_t integer = 0;
  double number = 0.0;
  std::string text;
  std::vector<std::int64_t> integers;
  std::vector<double> numbers;
  TensorData tensor;
};

/// One node. A name of an input that is empty stands for an optional input that is left out.
struct Node {
  std::string name;
  std::string op;
  std::string domain;  ///< "" is the default one, ai.onnx
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;

  [[nodiscard]] const Attribute* find(std::string_view attribute) const;
  /// "node 'conv1' (Conv)"; the domain where it is not the default one. For messages.
  [[nodiscard]] std::string description() const;
};

/// One dimension of a graph input: a number, or the name that stands for one.
struct Dimension {
  std::optional<std::int64_t> size;
  std::string symbol;
};

/// A graph input or output.
struct TensorType {
  std::string name;
  ElementType type = ElementType::kUndefined;
  std::optional<std::vector<Dimension>> dims;  ///< none: the file states no shape
};

struct ModelFile {
  std::string file;  ///< name for messages
  std::string graph_name;
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t> opsets;  ///< by domain; the default one is ""
  std::vector<std::string> functions;          ///< local functions, "domain::name"
  std::vector<Node> nodes;
  std::vector<TensorData> constants;
  std::vector<TensorType> inputs;  ///< those that are no constants
  std::vector<TensorType> outputs;
  std::map<std::string, std::string> datatypes;  ///< quantization annotations: tensor -> datatype

  /// Version of a node's domain; 1 where the file imports none.
  [[nodiscard]] std::int64_t opset_of(const Node& node) const;
};

/// Parses the bytes of a file. Throws ModelError for anything that is not an ONNX model, and for
/// files beyond the limits of payload_filter.hpp.
[[nodiscard]] ModelFile parse_model_file(std::string_view bytes, std::string_view file);

}  // namespace vernier::frontends::onnx
