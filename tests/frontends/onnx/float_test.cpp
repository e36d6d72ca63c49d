// Float ONNX networks made node by node: shapes, views, folding, and what cannot be folded.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "dataflow/graph/model_yaml.hpp"
#include "frontends/onnx/onnx_model.hpp"
#include "tests/support/onnx_builder.hpp"
#include "tests/support/onnx_fixtures.hpp"
#include "tests/support/peak_memory.hpp"

namespace vernier::frontends {
namespace {

using dataflow::ImportedModel;
using dataflow::Layer;
using dataflow::LayerGraph;
using tests::OnnxAttributes;
using tests::OnnxBuilder;
using tests::OnnxDims;
using tests::OnnxType;

ImportedModel import(const OnnxBuilder& builder) {
  return read_onnx(builder.bytes(), "fixture.onnx");
}

ImportedModel fixture(const std::string& wanted) {
  for (const auto& [name, bytes] : tests::onnx_fixtures()) {
    if (name == wanted) return read_onnx(bytes, name);
  }
  FAIL("no fixture " << wanted);
  throw std::logic_error("no fixture");
}

/// "conv2d 8x8x8, relu 8x8x8": operators and output shapes, in order.
std::string outline(const LayerGraph& graph) {
  std::string text;
  for (const Layer& layer : graph.layers()) {
    if (!text.empty()) text += ", ";
    text += std::string(dataflow::operator_name(layer.op)) + " " +
            dataflow::to_text(graph.tensor(layer.output).shape);
  }
  return text;
}

bool has_default(const ImportedModel& model, const std::string& part) {
  return std::any_of(model.report.defaults.begin(), model.report.defaults.end(),
                     [&](const dataflow::AppliedDefault& each) {
                       return (each.where + ": " + each.what).find(part) != std::string::npos;
                     });
}

std::string reason_of(const ImportedModel& model, const std::string& node) {
  for (const dataflow::SkippedNode& skipped : model.report.skipped) {
    if (skipped.node == node) return skipped.reason;
  }
  return "not skipped";
}

TEST_CASE("A chain of shape arithmetic in front of a reshape is computed", "[frontends][onnx]") {
  const ImportedModel model = fixture("shape");
  CHECK(outline(model.graph) == "reshape 144x1x1, dense 10x1x1");
  CHECK(has_default(model, "x: batch 1 for the symbolic dimension 'N'"));
  CHECK(reason_of(model, "shape_node") == "shape arithmetic");
  CHECK(reason_of(model, "n_node") == "arithmetic on constants");
}

TEST_CASE("A small network folds what its layers can do", "[frontends][onnx]") {
  const ImportedModel model = fixture("float");
  CHECK(model.graph.batch() == 2);
  CHECK(outline(model.graph) ==
        "conv2d 8x8x8, conv2d 8x8x8, pool 8x1x1, conv2d 8x1x1, multiply 8x8x8, add 8x8x8, "
        "pool 8x4x4, resize 8x8x8, concat 16x8x8, pool 16x1x1, conv2d 8x1x1, dense 10x1x1, "
        "softmax 10x1x1");
  const Layer& first = model.graph.layers()[0];
  CHECK(first.activation == dataflow::ActivationKind::kRelu);
  const auto& conv = std::get<dataflow::Conv2d>(first.op);
  CHECK(conv.batch_norm);
  CHECK(conv.window.pad_left == 1);  // from the Pad node
  CHECK(model.graph.layers()[1].activation == dataflow::ActivationKind::kHardSwish);
  CHECK(model.graph.layers()[3].activation == dataflow::ActivationKind::kSigmoid);
  CHECK(reason_of(model, "n1_node") == "folded into 'c1_node'");
}

// Three heads of 8 of 24 features, 16 patches and a class token: the transpositions around the
// heads are no work, as in the zoo's vision transformer.
TEST_CASE("Reshapes and transpositions around attention heads are nothing", "[frontends][onnx]") {
  const ImportedModel model = fixture("attention");
  CHECK(outline(model.graph) ==
        "conv2d 24x4x4, reshape 24x16x1, concat 24x17x1, add 24x17x1, layer_norm 24x17x1, "
        "dense 24x17x1, dense 24x17x1, dense 24x17x1, matmul 51x17x1, softmax 51x17x1, "
        "matmul 24x17x1, dense 24x17x1, add 24x17x1, pool 24x1x1");
  CHECK(std::get<dataflow::MatMul>(model.graph.layers()[8].op).heads == 3);
  CHECK(std::get<dataflow::MatMul>(model.graph.layers()[8].op).transpose_b);
  CHECK(std::get<dataflow::Softmax>(model.graph.layers()[9].op).heads == 3);
  CHECK_FALSE(std::get<dataflow::MatMul>(model.graph.layers()[10].op).transpose_b);
  CHECK_FALSE(has_default(model, "change their order"));
  // 16*192*24 + 4*17*24*24 + 2*17*17*24
  CHECK(model.graph.totals().macs.count() == 73728 + 39168 + 13872);
}

TEST_CASE("Elements that change their order are reported", "[frontends][onnx]") {
  OnnxBuilder b;
  b.input("x", {1, 8, 4, 4}).weight("w", {8, 8, 1, 1}).output("y");
  b.node("Relu", {"x"}, {"r"});
  b.node("Transpose", {"r"}, {"t"}, {{"perm", OnnxDims{0, 1, 3, 2}}});
  b.node("Conv", {"t", "w"}, {"y"});
  const ImportedModel model = import(b);
  CHECK(outline(model.graph) == "activation 8x4x4, reshape 8x4x4, conv2d 8x4x4");
  CHECK(has_default(model, "change their order"));
}

TEST_CASE("Automatic padding and rounded-up sizes give ONNX's output sizes", "[frontends][onnx]") {
  const auto conv_shape = [](std::int64_t size, std::int64_t stride, const std::string& pad) {
    OnnxBuilder b;
    b.input("x", {1, 1, size, size}).weight("w", {1, 1, 3, 3}).output("y");
    b.node("Conv", {"x", "w"}, {"y"}, {{"strides", OnnxDims{stride, stride}}, {"auto_pad", pad}});
    return outline(import(b).graph);
  };
  CHECK(conv_shape(7, 2, "SAME_UPPER") == "conv2d 1x4x4");
  CHECK(conv_shape(8, 2, "SAME_LOWER") == "conv2d 1x4x4");
  CHECK(conv_shape(8, 2, "VALID") == "conv2d 1x3x3");
  const auto pool_shape = [](std::int64_t size, std::int64_t ceil) {
    OnnxBuilder b;
    b.input("x", {1, 1, size, size}).output("y");
    b.node("MaxPool", {"x"}, {"y"},
           {{"kernel_shape", OnnxDims{3, 3}}, {"strides", OnnxDims{2, 2}}, {"ceil_mode", ceil}});
    return outline(import(b).graph);
  };
  CHECK(pool_shape(8, 0) == "pool 1x3x3");
  CHECK(pool_shape(8, 1) == "pool 1x4x4");
  CHECK(pool_shape(7, 1) == "pool 1x3x3");
}

TEST_CASE("A function of a tensor that others read too is a layer", "[frontends][onnx]") {
  OnnxBuilder b;
  b.input("x", {1, 4, 8, 8}).weight("w", {4, 4, 1, 1}).output("y");
  b.node("Conv", {"x", "w"}, {"c"}).node("Relu", {"c"}, {"r"}).node("Add", {"c", "r"}, {"y"});
  CHECK(outline(import(b).graph) == "conv2d 4x8x8, activation 4x8x8, add 4x8x8");
}

TEST_CASE("A normalization without a layer in front is a product and a sum", "[frontends][onnx]") {
  OnnxBuilder b;
  b.input("x", {1, 4, 8, 8}).output("y");
  for (const char* name : {"s", "b", "m", "v"}) b.weight(name, {4});
  b.node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"});
  const ImportedModel model = import(b);
  CHECK(outline(model.graph) == "multiply 4x8x8, add 4x8x8");
  CHECK(model.graph.totals().parameters == 8);
}

TEST_CASE("A bias behind a product is the layer's bias", "[frontends][onnx]") {
  OnnxBuilder b;
  b.input("x", {1, 6, 8}).weight("w", {8, 4}).weight("bias", {4}).output("y");
  b.node("MatMul", {"x", "w"}, {"m"}).node("Add", {"bias", "m"}, {"y"});
  const ImportedModel model = import(b);
  CHECK(outline(model.graph) == "dense 4x6x1");
  CHECK(std::get<dataflow::Dense>(model.graph.layers()[0].op).bias);
}

TEST_CASE("A weight on the left has its columns as pixels", "[frontends][onnx]") {
  OnnxBuilder b;
  b.input("x", {1, 8, 5}).weight("w", {4, 8}).output("y");
  b.node("MatMul", {"w", "x"}, {"m"}).node("Relu", {"m"}, {"y"});
  const ImportedModel model = import(b);
  CHECK(model.graph.totals().macs.count() == 160);  // 4 * 8 * 5
}

TEST_CASE("Nodes that no output needs are left out", "[frontends][onnx]") {
  OnnxBuilder b;
  b.input("x", {1, 8}).output("y").node("Relu", {"x"}, {"y"}).node("Tanh", {"x"}, {"z"});
  const ImportedModel model = import(b);
  CHECK(model.graph.layers().size() == 1);
  CHECK(reason_of(model, "z_node") == "no output of the network needs it");
}

TEST_CASE("A generated ResNet-50 is the network of the zoo", "[frontends][onnx]") {
  const LayerGraph onnx = read_onnx(tests::resnet50_onnx(false), "resnet50.onnx").graph;
  const LayerGraph yaml =
      dataflow::load_model(std::string(VERNIER_SOURCE_DIR) + "/configs/models/resnet50.yaml");
  CHECK(outline(onnx) == outline(yaml));
  CHECK(onnx.totals().macs == yaml.totals().macs);
  CHECK(onnx.totals().parameters == yaml.totals().parameters);
}

TEST_CASE("Reading takes less memory than the file has", "[frontends][onnx]") {
  const std::string path = fmt::format("{}/vernier-{}-resnet50.onnx",
                                       std::filesystem::temp_directory_path().string(), getpid());
  {
    const std::string bytes = tests::resnet50_onnx(true);
    CHECK(bytes.size() > 100'000'000);
    std::ofstream(path, std::ios::binary) << bytes;
  }
  const bool is_known = tests::reset_peak_memory();
  const auto before = tests::current_memory_kib();
  const ImportedModel model = load_onnx(path);
  const auto after = tests::peak_memory_kib();
  std::filesystem::remove(path);
  CHECK(model.graph.totals().parameters == 25557032);
  if (!is_known || !before || !after) {
    WARN("skipped: this system does not tell the peak of the memory");
    return;
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(*after - *before < 100'000);  // KiB; the system maps some pages around those that are read
#endif
}

}  // namespace
}  // namespace vernier::frontends
