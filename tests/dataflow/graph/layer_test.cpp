#include "dataflow/graph/layer.hpp"

#include <vector>

#include <catch2/catch.hpp>

namespace vernier::dataflow {
namespace {

using Catch::Contains;

constexpr std::int64_t kLarge = kMaxDimension;

Conv2d conv(std::int64_t out_channels, const Window& window, std::int64_t groups = 1) {
  return {.out_channels = out_channels, .window = window, .groups = groups};
}

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  Window window;
  window.kernel_height = window.kernel_width = kernel;
  window.stride_height = window.stride_width = stride;
  window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = padding;
  return window;
}

TEST_CASE("The output size of a window is the floor that ONNX takes", "[dataflow][graph]") {
  // floor((224 + 6 - 7) / 2) + 1 = floor(111.5) + 1
  CHECK(infer_shape(conv(64, square(7, 2, 3)), {{3, 224, 224}}) == Shape{64, 112, 112});
  // floor((5 - 2) / 2) + 1 = floor(1.5) + 1
  CHECK(infer_shape(conv(1, square(2, 2, 0)), {{1, 5, 5}}) == Shape{1, 2, 2});
  // floor((6 - 2) / 2) + 1
  CHECK(infer_shape(conv(1, square(2, 2, 0)), {{1, 6, 6}}) == Shape{1, 3, 3});
  // (56 + 2 - 3) / 1 + 1
  CHECK(infer_shape(conv(8, square(3, 1, 1)), {{4, 56, 56}}) == Shape{8, 56, 56});
}

TEST_CASE("Dilation widens the reach of a window", "[dataflow][graph]") {
  Window window = square(3, 1, 0);
  window.dilation_height = 2;  // reach 2 * 2 + 1 = 5 rows
  window.dilation_width = 4;   // reach 4 * 2 + 1 = 9 columns
  CHECK(infer_shape(conv(1, window), {{1, 10, 10}}) == Shape{1, 6, 2});
  window.stride_height = 3;  // floor(5 / 3) + 1
  CHECK(infer_shape(conv(1, window), {{1, 10, 10}}) == Shape{1, 2, 2});
}

TEST_CASE("Every side has its own padding and every axis its own stride", "[dataflow][graph]") {
  Window window;
  window.kernel_height = 3;
  window.kernel_width = 2;
  window.stride_height = 2;
  window.stride_width = 3;
  window.pad_top = 1;
  window.pad_right = 4;
  // rows floor((6 + 1 - 3) / 2) + 1 = 3, columns floor((6 + 4 - 2) / 3) + 1 = 3
  CHECK(infer_shape(conv(5, window), {{2, 6, 6}}) == Shape{5, 3, 3});
  window.pad_bottom = 1;  // rows floor(5 / 2) + 1 = 3 still
  CHECK(infer_shape(conv(5, window), {{2, 6, 6}}) == Shape{5, 3, 3});
  window.pad_bottom = 2;  // rows floor(6 / 2) + 1
  CHECK(infer_shape(conv(5, window), {{2, 6, 6}}) == Shape{5, 4, 3});
}

TEST_CASE("A window that fits exactly has one position and a larger one is an error",
          "[dataflow][graph]") {
  CHECK(infer_shape(conv(1, square(3, 1, 0)), {{1, 3, 3}}) == Shape{1, 1, 1});
  CHECK(infer_shape(conv(1, square(4, 1, 1)), {{1, 2, 2}}) == Shape{1, 1, 1});
  CHECK_THROWS_WITH(infer_shape(conv(1, square(3, 1, 0)), {{1, 2, 3}}),
                    Contains("reaches 3 rows but the padded input has 2"));
  CHECK_THROWS_WITH(infer_shape(conv(1, square(3, 1, 0)), {{1, 3, 2}}),
                    Contains("reaches 3 columns but the padded input has 2"));
}

TEST_CASE("Groups divide the channels on both sides", "[dataflow][graph]") {
  CHECK(infer_shape(conv(6, square(1, 1, 0), 3), {{9, 4, 4}}) == Shape{6, 4, 4});
  CHECK_THROWS_WITH(infer_shape(conv(6, square(1, 1, 0), 4), {{8, 4, 4}}),
                    Contains("4 groups do not divide 8 input and 6 output channels"));
  CHECK_THROWS_AS(infer_shape(conv(6, square(1, 1, 0), 3), {{8, 4, 4}}), ModelError);
}

TEST_CASE("A matrix product needs equal reductions in each head", "[dataflow][graph]") {
  // Q K^T of 3 heads: 197 tokens of 192 = 3 * 64 features; each head has 197 outputs.
  const Shape tokens{192, 197, 1};
  CHECK(infer_shape(MatMul{3, true}, {tokens, tokens}) == Shape{591, 197, 1});
  // P V: 3 heads of 197 probabilities times 197 tokens.
  CHECK(infer_shape(MatMul{3, false}, {{591, 197, 1}, tokens}) == Shape{192, 197, 1});
  CHECK_THROWS_WITH(infer_shape(MatMul{1, false}, {{7, 4, 1}, {5, 6, 1}}),
                    Contains("7 elements in the first operand, 6"));
  CHECK_THROWS_WITH(infer_shape(MatMul{5, false}, {{7, 4, 1}, {5, 7, 1}}),
                    Contains("5 heads do not divide"));
}

TEST_CASE("Two inputs of an element-wise layer are equal, or the second is one pixel",
          "[dataflow][graph]") {
  const Elementwise add{ElementwiseKind::kAdd};
  CHECK(infer_shape(add, {{4, 5, 6}, {4, 5, 6}}) == Shape{4, 5, 6});
  CHECK(infer_shape(add, {{4, 5, 6}, {4, 1, 1}}) == Shape{4, 5, 6});
  CHECK_THROWS_AS(infer_shape(add, {{4, 1, 1}, {4, 5, 6}}), ModelError);
  CHECK_THROWS_WITH(infer_shape(add, {{4, 5, 6}, {5, 5, 6}}), Contains("4x5x6 and 5x5x6"));
  CHECK_THROWS_WITH(infer_shape(add, {{4, 5, 6}}), Contains("needs 2 input(s), has 1"));
}

TEST_CASE("The other operators have the shapes that their names say", "[dataflow][graph]") {
  CHECK(infer_shape(Dense{10}, {{64, 7, 1}}) == Shape{10, 7, 1});
  CHECK(infer_shape(Pool{PoolKind::kMax, square(3, 2, 1)}, {{64, 112, 112}}) == Shape{64, 56, 56});
  CHECK(infer_shape(ActivationLayer{}, {{4, 5, 6}}) == Shape{4, 5, 6});
  CHECK(infer_shape(Concat{}, {{4, 5, 6}, {3, 5, 6}, {1, 5, 6}}) == Shape{8, 5, 6});
  CHECK_THROWS_AS(infer_shape(Concat{}, {{4, 5, 6}}), ModelError);
  CHECK_THROWS_AS(infer_shape(Concat{}, {{4, 5, 6}, {4, 6, 5}}), ModelError);
  CHECK(infer_shape(Resize{10, 12}, {{4, 5, 6}}) == Shape{4, 10, 12});
  CHECK(infer_shape(Reshape{{120, 1, 1}}, {{4, 5, 6}}) == Shape{120, 1, 1});
  CHECK_THROWS_WITH(infer_shape(Reshape{{121, 1, 1}}, {{4, 5, 6}}),
                    Contains("121x1x1 has 121 elements, the input 4x5x6 has 120"));
  CHECK(infer_shape(PadChannels{8, 9}, {{16, 5, 6}}) == Shape{33, 5, 6});
}

TEST_CASE("A dimension of an output is at most 2^24", "[dataflow][graph]") {
  CHECK(infer_shape(PadChannels{kLarge - 1, 0}, {{1, 1, 1}}).channels == kLarge);
  CHECK_THROWS_WITH(infer_shape(PadChannels{kLarge, 0}, {{1, 1, 1}}),
                    Contains("dimension outside"));
}

TEST_CASE("Counts beyond 64 bits are errors and no wrapped numbers", "[dataflow][graph]") {
  const Shape absurd{kLarge, kLarge, kLarge};  // 2^72 elements
  CHECK_THROWS_AS(absurd.elements(), ArithmeticOverflow);
  CHECK_THROWS_AS(infer_shape(Reshape{{kLarge, kLarge, 65536}}, {{1, 1, 1}}), ArithmeticOverflow);
  const Conv2d huge = conv(kLarge, square(kLarge, 1, 0));
  CHECK_THROWS_AS(weight_shape(huge, {kLarge, 1, 1}), ArithmeticOverflow);
  CHECK_THROWS_AS(mac_count(Dense{kLarge}, {{kLarge, 65536, 1}}, {kLarge, 65536, 1}),
                  ArithmeticOverflow);
}

TEST_CASE("Products, weights and parameters of a grouped convolution", "[dataflow][graph]") {
  Conv2d layer = conv(4, square(3, 1, 1), 2);
  const std::vector<Shape> inputs{{8, 16, 16}};
  const Shape output = infer_shape(layer, inputs);
  // A filter sees 8 / 2 = 4 channels: 9 * 4 = 36 weights; 4 filters, 256 pixels.
  CHECK(weight_shape(layer, inputs[0]).rows == 4);
  CHECK(weight_shape(layer, inputs[0]).row_elements == 36);
  CHECK(mac_count(layer, inputs, output) == Macs(36864));  // 4 * 256 * 36
  CHECK(parameter_count(layer, inputs[0]) == 144);         // 4 * 36
  layer.bias = true;
  CHECK(parameter_count(layer, inputs[0]) == 148);  // one more per filter
  layer.batch_norm = true;
  CHECK(parameter_count(layer, inputs[0]) == 156);  // scale and shift per filter
}

TEST_CASE("Products of dense layers and matrix products", "[dataflow][graph]") {
  // 7 tokens * 10 outputs * 64 features
  CHECK(mac_count(Dense{10}, {{64, 7, 1}}, {10, 7, 1}) == Macs(4480));
  // 3 heads * 197 * 197 outputs * 64 features
  CHECK(mac_count(MatMul{3, true}, {{192, 197, 1}, {192, 197, 1}}, {591, 197, 1}) == Macs(7451328));
  CHECK(weight_shape(MatMul{3, true}, {192, 197, 1}).elements() == 0);
  CHECK(mac_count(Pool{PoolKind::kMax, square(3, 2, 1)}, {{64, 8, 8}}, {64, 4, 4}) == Macs(0));
}

TEST_CASE("Pointwise means that every pixel reads just itself", "[dataflow][graph]") {
  CHECK(square(1, 1, 0).is_pointwise());
  CHECK_FALSE(square(1, 2, 0).is_pointwise());
  CHECK_FALSE(square(1, 1, 1).is_pointwise());
  CHECK_FALSE(square(3, 1, 0).is_pointwise());
}

}  // namespace
}  // namespace vernier::dataflow
