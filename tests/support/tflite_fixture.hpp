// Small TFLite files for tests, written with the builders that flatc makes of our schema.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontends/tflite/operators.hpp"
#include "tflite_schema_generated.h"

namespace vernier::tests {

/// Numbers of the public schema's enum TensorType.
enum class TfliteType : std::int8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kUint8 = 3,
  kInt64 = 4,
  kInt16 = 7,
  kInt8 = 9,
  kInt4 = 17
};

class TfliteFixture {
 public:
  /// Adds a tensor and returns its index; one scale per zero point.
  std::int32_t tensor(const std::string& name, std::vector<std::int32_t> dims,
                      TfliteType type = TfliteType::kInt8,
                      std::vector<std::int64_t> zero_points = {0},
                      std::vector<std::int32_t> signature = {});
  /// Adds a constant of integers.
  std::int32_t integers(const std::string& name, const std::vector<std::int32_t>& values,
                        std::vector<std::int32_t> dims = {});
  /// Gives an int8 tensor that is added with it as many zero bytes as it has elements.
  std::int32_t weights(const std::string& name, std::vector<std::int32_t> dims);
  void inputs(std::vector<std::int32_t> tensors) { inputs_ = std::move(tensors); }
  void outputs(std::vector<std::int32_t> tensors) { outputs_ = std::move(tensors); }

  /// Adds an operator without options, or with any number and a custom name.
  void op(frontends::tflite::OperatorId id, std::vector<std::int32_t> inputs, std::int32_t output);
  void op_number(std::int32_t number, std::vector<std::int32_t> inputs, std::int32_t output,
                 const std::string& custom_name = {});
  /// Convolutions; `same` is the padding, `activation` the number of the fused function.
  void conv(std::vector<std::int32_t> inputs, std::int32_t output, bool same = true,
            std::int32_t stride = 1, std::int8_t activation = 0, std::int32_t dilation = 1);
  void depthwise(std::vector<std::int32_t> inputs, std::int32_t output, bool same = true,
                 std::int32_t stride = 1, std::int8_t activation = 0);
  void pool(frontends::tflite::OperatorId id, std::int32_t input, std::int32_t output, bool same,
            std::int32_t filter, std::int32_t stride);
  void dense(std::vector<std::int32_t> inputs, std::int32_t output, std::int8_t activation = 0,
             bool keep_dims = false);
  void concat(std::vector<std::int32_t> inputs, std::int32_t output, std::int32_t axis);
  void add(std::vector<std::int32_t> inputs, std::int32_t output, std::int8_t activation = 0);

  /// The whole file.
  [[nodiscard]] std::vector<std::uint8_t> bytes(std::uint32_t version = 3);

 private:
  void push(frontends::tflite::OperatorId id, std::vector<std::int32_t> inputs, std::int32_t output,
            frontends::tflite::schema::BuiltinOptions kind, flatbuffers::Offset<void> options);

  flatbuffers::FlatBufferBuilder builder_;
  std::vector<flatbuffers::Offset<frontends::tflite::schema::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<frontends::tflite::schema::Buffer>> buffers_;
  std::vector<flatbuffers::Offset<frontends::tflite::schema::OperatorCode>> codes_;
  std::vector<flatbuffers::Offset<frontends::tflite::schema::Operator>> operators_;
  std::vector<std::int32_t> inputs_;
  std::vector<std::int32_t> outputs_;
};

/// An int8 network with most of the supported operators: convolutions, residual, pooling, padding,
/// concatenation, mean, dense, softmax. The seed of mutation tests.
[[nodiscard]] std::vector<std::uint8_t> small_tflite_network();

}  // namespace vernier::tests
