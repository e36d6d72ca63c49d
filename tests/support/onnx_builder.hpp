// Writes ONNX files node by node, for tests: float and quantized networks, right ones and broken
// ones. Nothing is checked here.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vernier::tests {

/// Element types by their number in TensorProto.DataType.
enum class OnnxType : std::int32_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt32 = 6,
  kInt64 = 7,
  kUint4 = 21,
  kInt4 = 22,
};

using OnnxDims = std::vector<std::int64_t>;
using OnnxValue = std::variant<std::int64_t, double, std::string, OnnxDims>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxValue>>;

class OnnxBuilder {
 public:
  /// A model with this version of the default domain; 0: without any opset import.
  explicit OnnxBuilder(std::int64_t opset = 13);
  OnnxBuilder(const OnnxBuilder&) = delete;
  OnnxBuilder& operator=(const OnnxBuilder&) = delete;
  ~OnnxBuilder();

  OnnxBuilder& opset(const std::string& domain, std::int64_t version);
  /// A graph input; -1 is a symbolic dimension 'N'.
  OnnxBuilder& input(const std::string& name, const OnnxDims& dims,
                     OnnxType type = OnnxType::kFloat);
  OnnxBuilder& output(const std::string& name);
  /// An initializer without payload, as when its data are external.
  OnnxBuilder& weight(const std::string& name, const OnnxDims& dims,
                      OnnxType type = OnnxType::kFloat);
  /// An initializer with its numbers.
  OnnxBuilder& constant(const std::string& name, const OnnxDims& dims,
                        const std::vector<double>& numbers, OnnxType type = OnnxType::kFloat);
  /// An initializer with this many bytes of raw data.
  OnnxBuilder& payload(const std::string& name, const OnnxDims& dims, std::size_t bytes);
  /// A node; its name is its first output's with "_node" behind it.
  OnnxBuilder& node(const std::string& op, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const OnnxAttributes& attributes = {},
                    const std::string& domain = "");
  /// FINN's annotation of a tensor with a datatype.
  OnnxBuilder& annotate(const std::string& tensor, const std::string& datatype);

  [[nodiscard]] std::string bytes() const;

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

/// A ResNet-50 (v1.5) as exporters write it, batch normalization and all; weights without payload,
/// or with one of float zeros.
[[nodiscard]] std::string resnet50_onnx(bool with_weights);

}  // namespace vernier::tests
