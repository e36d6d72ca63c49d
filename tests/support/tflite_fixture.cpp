#include "tests/support/tflite_fixture.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vernier::tests {

using frontends::tflite::OperatorId;
namespace schema = frontends::tflite::schema;

std::int32_t TfliteFixture::tensor(const std::string& name, std::vector<std::int32_t> dims,
                                   TfliteType type, std::vector<std::int64_t> zero_points,
                                   std::vector<std::int32_t> signature) {
  const std::vector<float> scales(zero_points.size(), 0.5F);
  const auto quantization = schema::CreateQuantizationDirect(builder_, &scales, &zero_points);
  tensors_.push_back(schema::CreateTensorDirect(builder_, &dims, static_cast<std::int8_t>(type), 0,
                                                name.c_str(), quantization, false,
                                                signature.empty() ? nullptr : &signature));
  return static_cast<std::int32_t>(tensors_.size() - 1);
}

std::int32_t TfliteFixture::integers(const std::string& name,
                                     const std::vector<std::int32_t>& values,
                                     std::vector<std::int32_t> dims) {
  if (dims.empty()) dims = {static_cast<std::int32_t>(values.size())};
  std::vector<std::uint8_t> data(values.size() * sizeof(std::int32_t));
  std::memcpy(data.data(), values.data(), data.size());
  if (buffers_.empty()) buffers_.push_back(schema::CreateBuffer(builder_));  // 0 is always empty
  buffers_.push_back(schema::CreateBufferDirect(builder_, &data));
  tensors_.push_back(
      schema::CreateTensorDirect(builder_, &dims, static_cast<std::int8_t>(TfliteType::kInt32),
                                 static_cast<std::uint32_t>(buffers_.size() - 1), name.c_str()));
  return static_cast<std::int32_t>(tensors_.size() - 1);
}

std::int32_t TfliteFixture::weights(const std::string& name, std::vector<std::int32_t> dims) {
  std::size_t elements = 1;
  for (const std::int32_t size : dims) elements *= static_cast<std::size_t>(size);
  const std::vector<std::uint8_t> data(elements);
  if (buffers_.empty()) buffers_.push_back(schema::CreateBuffer(builder_));
  buffers_.push_back(schema::CreateBufferDirect(builder_, &data));
  tensors_.push_back(
      schema::CreateTensorDirect(builder_, &dims, static_cast<std::int8_t>(TfliteType::kInt8),
                                 static_cast<std::uint32_t>(buffers_.size() - 1), name.c_str()));
  return static_cast<std::int32_t>(tensors_.size() - 1);
}

void TfliteFixture::push(OperatorId id, std::vector<std::int32_t> inputs, std::int32_t output,
                         schema::BuiltinOptions kind, flatbuffers::Offset<void> options) {
  const auto number = static_cast<std::int32_t>(id);
  codes_.push_back(schema::CreateOperatorCode(
      builder_, static_cast<std::int8_t>(std::min(number, 127)), 0, 1, number));
  const std::vector<std::int32_t> outputs{output};
  operators_.push_back(schema::CreateOperatorDirect(
      builder_, static_cast<std::uint32_t>(codes_.size() - 1), &inputs, &outputs, kind, options));
}

void TfliteFixture::op(OperatorId id, std::vector<std::int32_t> inputs, std::int32_t output) {
  op_number(static_cast<std::int32_t>(id), std::move(inputs), output);
}

void TfliteFixture::op_number(std::int32_t number, std::vector<std::int32_t> inputs,
                              std::int32_t output, const std::string& custom_name) {
  const auto old_number = static_cast<std::int8_t>(number < 127 ? number : 127);
  codes_.push_back(schema::CreateOperatorCodeDirect(
      builder_, old_number, custom_name.empty() ? nullptr : custom_name.c_str(), 1, number));
  const std::vector<std::int32_t> outputs{output};
  operators_.push_back(schema::CreateOperatorDirect(
      builder_, static_cast<std::uint32_t>(codes_.size() - 1), &inputs, &outputs));
}

void TfliteFixture::conv(std::vector<std::int32_t> inputs, std::int32_t output, bool same,
                         std::int32_t stride, std::int8_t activation, std::int32_t dilation) {
  push(OperatorId::kConv2d, std::move(inputs), output, schema::BuiltinOptions_Conv2DOptions,
       schema::CreateConv2DOptions(builder_, same ? 0 : 1, stride, stride, activation, dilation,
                                   dilation)
           .Union());
}

void TfliteFixture::depthwise(std::vector<std::int32_t> inputs, std::int32_t output, bool same,
                              std::int32_t stride, std::int8_t activation) {
  push(OperatorId::kDepthwiseConv2d, std::move(inputs), output,
       schema::BuiltinOptions_DepthwiseConv2DOptions,
       schema::CreateDepthwiseConv2DOptions(builder_, same ? 0 : 1, stride, stride, 1, activation)
           .Union());
}

void TfliteFixture::pool(OperatorId id, std::int32_t input, std::int32_t output, bool same,
                         std::int32_t filter, std::int32_t stride) {
  push(id, {input}, output, schema::BuiltinOptions_Pool2DOptions,
       schema::CreatePool2DOptions(builder_, same ? 0 : 1, stride, stride, filter, filter).Union());
}

void TfliteFixture::dense(std::vector<std::int32_t> inputs, std::int32_t output,
                          std::int8_t activation, bool keep_dims) {
  push(OperatorId::kFullyConnected, std::move(inputs), output,
       schema::BuiltinOptions_FullyConnectedOptions,
       schema::CreateFullyConnectedOptions(builder_, activation, 0, keep_dims).Union());
}

void TfliteFixture::concat(std::vector<std::int32_t> inputs, std::int32_t output,
                           std::int32_t axis) {
  push(OperatorId::kConcatenation, std::move(inputs), output,
       schema::BuiltinOptions_ConcatenationOptions,
       schema::CreateConcatenationOptions(builder_, axis).Union());
}

void TfliteFixture::add(std::vector<std::int32_t> inputs, std::int32_t output,
                        std::int8_t activation) {
  push(OperatorId::kAdd, std::move(inputs), output, schema::BuiltinOptions_AddOptions,
       schema::CreateAddOptions(builder_, activation).Union());
}

std::vector<std::uint8_t> TfliteFixture::bytes(std::uint32_t version) {
  if (buffers_.empty()) buffers_.push_back(schema::CreateBuffer(builder_));
  const auto graph =
      schema::CreateSubGraphDirect(builder_, &tensors_, &inputs_, &outputs_, &operators_, "main");
  const std::vector<flatbuffers::Offset<schema::SubGraph>> graphs{graph};
  schema::FinishModelBuffer(
      builder_, schema::CreateModelDirect(builder_, version, &codes_, &graphs, "", &buffers_));
  return {builder_.GetBufferPointer(), builder_.GetBufferPointer() + builder_.GetSize()};
}

std::vector<std::uint8_t> small_tflite_network() {
  TfliteFixture net;
  const auto image = net.tensor("image", {1, 8, 8, 3}, TfliteType::kInt8, {-128}, {-1, 8, 8, 3});
  const auto bias = net.tensor("bias", {16}, TfliteType::kInt32);
  const auto stem_weights =
      net.tensor("stem/kernel", {16, 3, 3, 3}, TfliteType::kInt8, std::vector<std::int64_t>(16, 0));
  const auto stem = net.tensor("stem", {1, 8, 8, 16}, TfliteType::kInt8, {-128});
  net.conv({image, stem_weights, bias}, stem, true, 1, 1);
  const auto depthwise_weights = net.tensor("depthwise/kernel", {1, 3, 3, 16});
  const auto depthwise = net.tensor("depthwise;fused", {1, 8, 8, 16});
  net.depthwise({stem, depthwise_weights, bias}, depthwise, true, 1, 3);
  const auto sum = net.tensor("sum", {1, 8, 8, 16});
  net.add({stem, depthwise}, sum);
  const auto pads = net.integers("pads", {0, 0, 1, 1, 1, 1, 0, 0}, {4, 2});
  const auto padded = net.tensor("padded", {1, 10, 10, 16});
  net.op(OperatorId::kPad, {sum, pads}, padded);
  const auto pooled = net.tensor("pooled", {1, 4, 4, 16});
  net.pool(OperatorId::kMaxPool2d, padded, pooled, false, 3, 2);
  const auto swish = net.tensor("swish", {1, 4, 4, 16});
  net.op(OperatorId::kHardSwish, {pooled}, swish);
  const auto joined = net.tensor("joined", {1, 4, 4, 32});
  net.concat({pooled, swish}, joined, 3);
  const auto axes = net.integers("axes", {1, 2});
  const auto mean = net.tensor("mean", {1, 32});
  net.op(OperatorId::kMean, {joined, axes}, mean);
  const auto dense_weights = net.tensor("dense/kernel", {10, 32}, TfliteType::kInt4);
  const auto logits = net.tensor("logits", {1, 10});
  net.dense({mean, dense_weights, -1}, logits);
  const auto scores = net.tensor("scores", {1, 10});
  net.op(OperatorId::kSoftmax, {logits}, scores);
  net.inputs({image});
  net.outputs({scores});
  return net.bytes();
}

}  // namespace vernier::tests
