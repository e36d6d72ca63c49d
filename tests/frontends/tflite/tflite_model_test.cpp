#include "frontends/tflite/tflite_model.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/tflite_fixture.hpp"

namespace vernier::frontends::tflite {
namespace {

using Catch::Contains;
using dataflow::Conv2d;
using dataflow::DecidedWidth;
using dataflow::ImportedModel;
using dataflow::Layer;
using dataflow::LayerGraph;
using dataflow::Window;
using tests::TfliteFixture;
using tests::TfliteType;

ImportedModel import(const std::vector<std::uint8_t>& bytes) {
  return read_tflite(bytes, "f.tflite", "net");
}

std::string refused(const std::vector<std::uint8_t>& bytes) {
  try {
    (void)import(bytes);
  } catch (const UserError& error) {
    return error.what();
  }
  return "accepted";
}

const Layer& layer_of(const LayerGraph& graph, const std::string& name) {
  INFO(name);
  REQUIRE(graph.find_layer(name).has_value());
  return graph.layers()[*graph.find_layer(name)];
}

std::vector<std::string> inputs_of(const LayerGraph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const dataflow::TensorId id : layer_of(graph, name).inputs) {
    names.push_back(graph.tensor(id).name);
  }
  return names;
}

std::string shape_of(const LayerGraph& graph, const std::string& name) {
  return to_text(graph.tensor(graph.find_tensor(name).value()).shape);
}

Precision width_of(const LayerGraph& graph, const std::string& name) {
  return graph.tensor(graph.find_tensor(name).value()).declared.value();
}

const DecidedWidth& decided(const ImportedModel& model, const std::string& name) {
  for (const DecidedWidth& width : model.report.widths) {
    if (width.tensor == name) return width;
  }
  FAIL("no width of " << name);
  return model.report.widths.front();
}

// A network of one operator on a map of 1 x 8 x 8 x 4; the callback adds it and returns its output.
template <typename Add>
std::vector<std::uint8_t> with_operator(const Add& add) {
  TfliteFixture net;
  const auto x = net.tensor("x", {1, 8, 8, 4});
  const std::int32_t y = add(net, x);
  net.inputs({x});
  net.outputs({y});
  return net.bytes();
}

TEST_CASE("A small int8 network becomes the layers and widths that it states",
          "[frontends][tflite]") {
  const ImportedModel net = import(tests::small_tflite_network());
  CHECK(net.report.format == "TFLite (version 3)");
  std::vector<std::string> names;
  for (const Layer& layer : net.graph.layers()) names.push_back(layer.name);
  CHECK(names == std::vector<std::string>{"stem", "depthwise", "sum", "pooled", "swish", "joined",
                                          "mean", "logits", "scores"});
  // 8*8*16*27 + 8*8*16*9 + 32*10
  CHECK(net.graph.totals().macs == Macs(27648 + 9216 + 320));
  CHECK(net.graph.totals().weights == 432 + 144 + 320);
  CHECK(layer_of(net.graph, "stem").activation == dataflow::ActivationKind::kRelu);
  CHECK(layer_of(net.graph, "depthwise").activation == dataflow::ActivationKind::kRelu6);
  CHECK(std::get<Conv2d>(layer_of(net.graph, "depthwise").op).groups == 16);
  CHECK(shape_of(net.graph, "mean") == "32x1x1");
  CHECK(width_of(net.graph, "logits.weight").bits.bits() == 4);
  CHECK(width_of(net.graph, "stem").asymmetric);
  CHECK_FALSE(width_of(net.graph, "stem.weight").asymmetric);
  CHECK(decided(net, "stem.weight").rule == "INT8, per axis (16 scales)");
  CHECK(decided(net, "stem.weight").decided_by == "tensor 'stem/kernel'");
  CHECK_FALSE(decided(net, "stem.weight").assumed);
  REQUIRE(net.report.widths.size() == net.graph.tensors().size());
  REQUIRE(net.report.skipped.size() == 1);
  CHECK(net.report.skipped[0].op == "PAD");
  CHECK(net.report.skipped[0].reason == "folded into the windows that read it");
  REQUIRE(net.report.defaults.size() == 1);
  CHECK(net.report.defaults[0].what == "batch 1 for the open first dimension");
}

TEST_CASE("SAME padding puts the odd row behind and VALID adds none", "[frontends][tflite]") {
  const auto conv = [](bool same, std::int32_t kernel, std::int32_t stride, std::int32_t out,
                       std::int32_t dilation) {
    const ImportedModel net = import(with_operator([&](TfliteFixture& file, std::int32_t x) {
      const auto w = file.tensor("w", {2, kernel, kernel, 4});
      const auto y = file.tensor("y", {1, out, out, 2});
      file.conv({x, w}, y, same, stride, 0, dilation);
      return y;
    }));
    return std::get<Conv2d>(layer_of(net.graph, "y").op).window;
  };
  // 8 rows, kernel 3, stride 2: 4 outputs need 3*2 + 3 = 9 rows.
  const Window strided = conv(true, 3, 2, 4, 1);
  CHECK(strided.pad_top == 0);
  CHECK(strided.pad_bottom == 1);
  CHECK(strided.pad_right == 1);
  const Window dilated = conv(true, 3, 1, 8, 2);  // reach 5
  CHECK(dilated.pad_top == 2);
  CHECK(dilated.pad_bottom == 2);
  CHECK(dilated.dilation_width == 2);
  CHECK(conv(false, 3, 2, 3, 1).pad_bottom == 0);
}

TEST_CASE("Grouped convolutions are known by their weights", "[frontends][tflite]") {
  const ImportedModel net = import(with_operator([](TfliteFixture& file, std::int32_t x) {
    const auto w = file.tensor("w", {6, 1, 1, 2});
    const auto y = file.tensor("y", {1, 8, 8, 6});
    file.conv({x, w}, y);
    return y;
  }));
  CHECK(std::get<Conv2d>(layer_of(net.graph, "y").op).groups == 2);
  CHECK_FALSE(std::get<Conv2d>(layer_of(net.graph, "y").op).bias);
}

TEST_CASE("Fully connected layers flatten, keep rows, or multiply two activations",
          "[frontends][tflite]") {
  const ImportedModel flat = import(with_operator([](TfliteFixture& file, std::int32_t x) {
    const auto w = file.tensor("w", {10, 256});
    const auto y = file.tensor("y", {1, 10});
    file.dense({x, w}, y);
    return y;
  }));
  CHECK(inputs_of(flat.graph, "y") == std::vector<std::string>{"y.flatten"});
  CHECK(flat.graph.totals().macs == Macs(2560));

  const ImportedModel rows = import(with_operator([](TfliteFixture& file, std::int32_t x) {
    const auto w = file.tensor("w", {10, 4});
    const auto y = file.tensor("y", {64, 10});
    file.dense({x, w}, y);
    return y;
  }));
  CHECK(rows.graph.totals().macs == Macs(64 * 40));
  CHECK(shape_of(rows.graph, "y.view") == "10x64x1");

  TfliteFixture file;
  const auto a = file.tensor("a", {5, 4});
  const auto b = file.tensor("b", {7, 4});
  const auto y = file.tensor("y", {5, 7});
  file.dense({a, b}, y);
  file.inputs({a, b});
  file.outputs({y});
  CHECK_THAT(refused(file.bytes()), Contains("input 'b' has batch 7, the one before 5"));
}

TEST_CASE("A matrix product of two activations has no weights", "[frontends][tflite]") {
  TfliteFixture file;
  const auto a = file.tensor("a", {1, 5, 4});
  const auto b = file.tensor("b", {1, 7, 4});
  const auto y = file.tensor("y", {5, 7});
  file.dense({a, b}, y);
  file.inputs({a, b});
  file.outputs({y});
  const ImportedModel net = import(file.bytes());
  CHECK(net.graph.totals().macs == Macs(5 * 7 * 4));
  CHECK(net.graph.totals().weights == 0);
}

TEST_CASE("Elementwise constants are learned inputs in the form that they need",
          "[frontends][tflite]") {
  const auto shape_of_constant = [](std::vector<std::int32_t> dims) {
    const ImportedModel net = import(with_operator([&](TfliteFixture& file, std::int32_t x) {
      const auto c = file.tensor("c", dims);
      const auto y = file.tensor("y", {1, 8, 8, 4});
      file.op(OperatorId::kMul, {c, x}, y);
      return y;
    }));
    CHECK(inputs_of(net.graph, "y") == std::vector<std::string>{"x", "c"});
    CHECK(net.graph.tensor(net.graph.find_tensor("c").value()).is_learned);
    return shape_of(net.graph, "c");
  };
  CHECK(shape_of_constant({4}) == "4x1x1");
  CHECK(shape_of_constant({1, 1, 1, 4}) == "4x1x1");
  CHECK(shape_of_constant({1, 8, 8, 4}) == "4x8x8");
  CHECK(shape_of_constant({1}) == "4x1x1");
  CHECK(shape_of_constant({}) == "4x1x1");
}

TEST_CASE("A subtraction counts as an addition and says so", "[frontends][tflite]") {
  const ImportedModel net = import(with_operator([](TfliteFixture& file, std::int32_t x) {
    const auto y = file.tensor("y", {1, 8, 8, 4});
    file.op(OperatorId::kSub, {x, x}, y);
    return y;
  }));
  CHECK(dataflow::operator_name(layer_of(net.graph, "y").op) == "add");
  CHECK_THAT(net.report.defaults.at(0).what, Contains("counted as an addition"));
}

TEST_CASE("An activation folds into the layer before it when nobody else reads that",
          "[frontends][tflite]") {
  for (const bool read_twice : {false, true}) {
    TfliteFixture file;
    const auto x = file.tensor("x", {1, 8, 8, 4});
    const auto w = file.tensor("w", {2, 1, 1, 4});
    const auto y = file.tensor("y", {1, 8, 8, 2}, TfliteType::kInt16);
    const auto z = file.tensor("z", {1, 8, 8, 2});
    file.conv({x, w}, y);
    file.op(OperatorId::kLogistic, {y}, z);
    file.inputs({x});
    file.outputs(read_twice ? std::vector<std::int32_t>{z, y} : std::vector<std::int32_t>{z});
    const ImportedModel net = import(file.bytes());
    CHECK(net.graph.layers().size() == (read_twice ? 2U : 1U));
    CHECK(layer_of(net.graph, "y").activation ==
          (read_twice ? dataflow::ActivationKind::kNone : dataflow::ActivationKind::kSigmoid));
    CHECK(width_of(net.graph, "y").bits.bits() == (read_twice ? 16 : 8));
    if (!read_twice) CHECK(net.report.skipped.at(0).reason == "folded into 'y'");
  }
}

TEST_CASE("Changes of type are not layers; the integer width holds", "[frontends][tflite]") {
  TfliteFixture file;
  const auto x = file.tensor("x", {1, 8, 8, 4}, TfliteType::kFloat32, {});
  const auto q = file.tensor("q", {1, 8, 8, 4}, TfliteType::kUint8, {128});
  const auto half = file.tensor("half", {2, 1, 1, 4}, TfliteType::kFloat16, {});
  const auto w = file.tensor("w", {2, 1, 1, 4}, TfliteType::kFloat32, {});
  const auto y = file.tensor("y", {1, 8, 8, 2}, TfliteType::kFloat32, {});
  file.op(OperatorId::kQuantize, {x}, q);
  file.op(OperatorId::kDequantize, {half}, w);
  file.conv({q, w}, y);
  file.inputs({x});
  file.outputs({y});
  const ImportedModel net = import(file.bytes());
  CHECK(net.graph.layers().size() == 1);
  CHECK(width_of(net.graph, "x") == Precision{Bitwidth(8), NumberKind::kUint, true, {}});
  CHECK(width_of(net.graph, "y.weight") == Precision{Bitwidth(16), NumberKind::kFloat, false, {}});
  CHECK(decided(net, "y").rule == "FLOAT32, 32 bits assumed");
  CHECK(decided(net, "y").assumed);
  CHECK(decided(net, "x").decided_by == "operator 0 QUANTIZE ('q')");
  CHECK(net.report.skipped.size() == 2);
}

TEST_CASE("16 by 8 bit networks keep both widths", "[frontends][tflite]") {
  TfliteFixture file;
  const auto x = file.tensor("x", {2, 8, 8, 4}, TfliteType::kInt16);
  const auto w = file.tensor("w", {2, 1, 1, 4});
  const auto y = file.tensor("y", {2, 8, 8, 2}, TfliteType::kInt16);
  file.conv({x, w}, y);
  file.inputs({x});
  file.outputs({y});
  const ImportedModel net = import(file.bytes());
  CHECK(net.graph.batch() == 2);
  CHECK(width_of(net.graph, "x").bits.bits() == 16);
  CHECK(width_of(net.graph, "y.weight").bits.bits() == 8);
}

TEST_CASE("Views, paddings of channels, resizes and means of rows are expressed",
          "[frontends][tflite]") {
  const ImportedModel net = import(with_operator([](TfliteFixture& file, std::int32_t x) {
    const auto pads = file.integers("pads", {0, 0, 0, 0, 0, 0, 1, 3}, {4, 2});
    const auto padded = file.tensor("padded", {1, 8, 8, 8});
    file.op(OperatorId::kPad, {x, pads}, padded);
    const auto big = file.tensor("big", {1, 16, 8, 8});
    file.op(OperatorId::kResizeNearestNeighbor, {padded, file.integers("size", {16, 8})}, big);
    const auto mean = file.tensor("mean", {1, 8, 8});
    file.op(OperatorId::kMean, {big, file.integers("axis", {-3})}, mean);
    const auto turned = file.tensor("turned", {8, 1, 8});
    file.op(OperatorId::kTranspose, {mean, file.integers("order", {1, 0, 2})}, turned);
    const auto flat = file.tensor("flat", {1, 64});
    file.op(OperatorId::kReshape, {turned}, flat);
    return flat;
  }));
  CHECK(shape_of(net.graph, "padded") == "8x8x8");
  CHECK(shape_of(net.graph, "big") == "8x16x8");
  const auto& pool = std::get<dataflow::Pool>(layer_of(net.graph, "mean").op);
  CHECK(pool.window.kernel_height == 16);
  CHECK(pool.window.kernel_width == 1);
  CHECK(shape_of(net.graph, "flat") == "64x1x1");
}

TEST_CASE("Concatenations along rows and channels are told apart", "[frontends][tflite]") {
  const ImportedModel net = import(with_operator([](TfliteFixture& file, std::int32_t x) {
    const auto rows = file.tensor("rows", {1, 16, 8, 4});
    file.concat({x, x}, rows, 1);
    const auto channels = file.tensor("channels", {1, 16, 8, 8});
    file.concat({rows, rows}, channels, -1);
    return channels;
  }));
  CHECK(shape_of(net.graph, "channels") == "8x16x8");
  CHECK_THAT(refused(with_operator([](TfliteFixture& file, std::int32_t x) {
               const auto y = file.tensor("y", {1, 8, 16, 4});
               file.concat({x, x}, y, 2);
               return y;
             })),
             Contains("operator 0 CONCATENATION ('y'): joins along axis 2"));
}

TEST_CASE("An unsupported operator is named with index, nearest name and what is supported",
          "[frontends][tflite]") {
  const auto message = [](std::int32_t number, const std::string& custom) {
    return refused(with_operator([&](TfliteFixture& file, std::int32_t x) {
      const auto y = file.tensor("y", {1, 8, 8, 4});
      file.op_number(number, {x}, y, custom);
      return y;
    }));
  };
  CHECK_THAT(message(16, ""), Contains("f.tflite: subgraph 0, operator 0 LSTM ('y'): the operator "
                                       "'LSTM' is not supported") &&
                                  Contains("supported are ADD, AVERAGE_POOL_2D, CONCATENATION") &&
                                  Contains("TRANSPOSE"));
  CHECK_THAT(message(32, "HardSwish"), Contains("the custom operator 'HardSwish' is not supported; "
                                                "did you mean 'HARD_SWISH'?"));
  CHECK_THAT(message(300, ""), Contains("'builtin operator 300'"));
}

TEST_CASE("What the graph cannot express is refused with the operator", "[frontends][tflite]") {
  const auto with = [](const auto& add) { return refused(with_operator(add)); };
  CHECK_THAT(with([](TfliteFixture& file, std::int32_t x) {
               const auto y = file.tensor("y", {1, 4, 8, 8});
               file.op(OperatorId::kTranspose, {x, file.integers("o", {0, 3, 1, 2})}, y);
               return y;
             }),
             Contains("operator 0 TRANSPOSE ('y'): moves elements"));
  CHECK_THAT(with([](TfliteFixture& file, std::int32_t x) {
               const auto pads = file.integers("p", {0, 0, 1, 1, 0, 0, 0, 0}, {4, 2});
               const auto y = file.tensor("y", {1, 10, 8, 4});
               file.op(OperatorId::kPad, {x, pads}, y);
               return y;
             }),
             Contains("the output 'y' has padded rows"));
  CHECK_THAT(with([](TfliteFixture& file, std::int32_t x) {
               const auto w = file.tensor("w", {2, 3, 3, 4});
               const auto y = file.tensor("y", {1, 7, 7, 2});
               file.conv({x, w}, y, true);
               return y;
             }),
             Contains("operator 0 CONV_2D ('y'): makes 2x8x8 by its inputs and options, but the "
                      "file states 2x7x7"));
  CHECK_THAT(with([](TfliteFixture& file, std::int32_t x) {
               const auto w = file.tensor("w", {2, 3, 3, 4});
               const auto y = file.tensor("y", {1, 8, 8, 2});
               file.conv({x, w}, y, true, 0);
               return y;
             }),
             Contains("the stride of the height 0 is outside 1"));
  CHECK_THAT(with([](TfliteFixture& file, std::int32_t x) {
               const auto y = file.tensor("y", {1, 4});
               file.op(OperatorId::kMean, {x, file.integers("axes", {1, 3})}, y);
               return y;
             }),
             Contains("averages over the batch or the channels"));
  CHECK_THAT(with([](TfliteFixture& file, std::int32_t x) {
               (void)x;
               const auto z = file.tensor("z", {1, 8, 8, 4});
               const auto y = file.tensor("y", {1, 8, 8, 4});
               file.op(OperatorId::kRelu, {z}, y);
               file.op(OperatorId::kRelu, {x}, z);
               return y;
             }),
             Contains("operator 0 RELU ('y'): reads 'z' before an operator makes it"));
}

TEST_CASE("Bytes that are no TFLite file are refused", "[frontends][tflite]") {
  const std::vector<std::uint8_t> good = tests::small_tflite_network();
  CHECK(refused({}) == "f.tflite: not a TFLite file: bytes 4 to 7 are '', 'TFL3' is needed");
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
  CHECK(refused({pointer.begin(), pointer.end()}) ==
        "f.tflite: a Git LFS pointer, not the model itself");
  std::vector<std::uint8_t> cut = good;
  cut.resize(good.size() / 2);
  CHECK_THAT(refused(cut), Contains("a broken TFLite file"));
  std::vector<std::uint8_t> turned = good;
  turned[0] = 0xff;
  CHECK_THAT(refused(turned), Contains("a broken TFLite file"));
  TfliteFixture old;
  CHECK_THAT(refused(old.bytes(2)), Contains("schema version 2; version 3 is read"));
}

}  // namespace
}  // namespace vernier::frontends::tflite
