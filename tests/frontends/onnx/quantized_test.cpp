// Quantized networks in the forms that exporters write, made node by node: QONNX, QDQ and QCDQ,
// QLinear and integer operators, annotations. Each states a width and the node that decides it.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "frontends/onnx/onnx_model.hpp"
#include "tests/support/onnx_builder.hpp"

namespace vernier::frontends {
namespace {

using Catch::Contains;
using dataflow::DecidedWidth;
using dataflow::ImportedModel;
using tests::OnnxAttributes;
using tests::OnnxBuilder;
using tests::OnnxDims;
using tests::OnnxType;

constexpr auto kQonnx = "qonnx.custom_op.general";

ImportedModel import(const OnnxBuilder& builder) {
  return read_onnx(builder.bytes(), "fixture.onnx");
}

const DecidedWidth& width_of(const ImportedModel& model, const std::string& tensor) {
  const auto& widths = model.report.widths;
  const auto found = std::find_if(widths.begin(), widths.end(),
                                  [&](const DecidedWidth& each) { return each.tensor == tensor; });
  if (found == widths.end()) FAIL("no width of " << tensor);
  return *found;
}

/// "int 8 by q_node", with the slices of a tensor that has some.
std::string width_text(const ImportedModel& model, const std::string& tensor) {
  const DecidedWidth& width = width_of(model, tensor);
  std::string text =
      fmt::format("{} {}", to_text(width.precision.kind), width.precision.bits.bits());
  for (const PrecisionSlice& slice : width.precision.slices) {
    text += fmt::format(" {}x{}", slice.channels, slice.bits.bits());
  }
  return text + (width.precision.asymmetric ? " asymmetric" : "") +
         (width.assumed ? " assumed" : " by " + width.decided_by);
}

bool has_default(const ImportedModel& model, const std::string& part) {
  return std::any_of(model.report.defaults.begin(), model.report.defaults.end(),
                     [&](const dataflow::AppliedDefault& each) {
                       return (each.where + ": " + each.what).find(part) != std::string::npos;
                     });
}

OnnxAttributes window(std::int64_t kernel, std::int64_t pad) {
  return {{"kernel_shape", OnnxDims{kernel, kernel}}, {"pads", OnnxDims{pad, pad, pad, pad}}};
}

/// A scale and a zero point of this type: `name`.scale and `name`.zero.
void add_grid(OnnxBuilder& builder, const std::string& name, OnnxType type, double zero = 0.0,
              double scale = 0.5) {
  builder.constant(name + ".scale", {}, {scale});
  builder.constant(name + ".zero", {}, {zero}, type);
}

/// from -> QuantizeLinear -> DequantizeLinear -> name; the quantizer node is `name`.q_node.
void add_qdq(OnnxBuilder& builder, const std::string& from, const std::string& name, OnnxType type,
             double zero = 0.0) {
  add_grid(builder, name, type, zero);
  builder.node("QuantizeLinear", {from, name + ".scale", name + ".zero"}, {name + ".q"});
  builder.node("DequantizeLinear", {name + ".q", name + ".scale", name + ".zero"}, {name});
}

TEST_CASE("A QDQ convolution has the widths of its element types", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 3, 8, 8});
  add_qdq(builder, "x", "xq", OnnxType::kUint8, 128.0);
  // Weights are stored as whole numbers, one scale per output channel.
  builder.weight("w", {4, 3, 3, 3}, OnnxType::kInt8);
  builder.weight("w.scale", {4});
  builder.constant("w.zero", {4}, {0, 0, 0, 0}, OnnxType::kInt8);
  builder.node("DequantizeLinear", {"w", "w.scale", "w.zero"}, {"wd"}, {{"axis", std::int64_t{0}}});
  builder.weight("b", {4}, OnnxType::kInt32);
  builder.weight("b.scale", {4});
  builder.node("DequantizeLinear", {"b", "b.scale"}, {"bd"}, {{"axis", std::int64_t{0}}});
  builder.node("Conv", {"xq", "wd", "bd"}, {"y"}, window(3, 1));
  builder.node("Relu", {"y"}, {"r"});
  add_qdq(builder, "r", "out", OnnxType::kUint8);
  builder.output("out");
  const ImportedModel model = import(builder);
  REQUIRE(model.graph.layers().size() == 1);
  CHECK(model.graph.layers()[0].activation == dataflow::ActivationKind::kRelu);
  CHECK(std::get<dataflow::Conv2d>(model.graph.layers()[0].op).bias);
  CHECK(width_text(model, "x") == "uint 8 asymmetric by xq.q_node");
  CHECK(width_text(model, "y_node.weight") == "int 8 by wd_node");
  CHECK(width_text(model, "y_node") == "uint 8 by out.q_node");
  CHECK(has_default(model, "y_node: the bias has 32 bits"));
}

TEST_CASE("Weights of four bits are four bits wide", "[frontends][onnx]") {
  OnnxBuilder builder(21);
  builder.input("x", {1, 16});
  add_qdq(builder, "x", "xq", OnnxType::kInt8);
  builder.weight("w", {16, 8}, OnnxType::kInt4);
  builder.constant("w.scale", {}, {0.1});
  builder.node("DequantizeLinear", {"w", "w.scale"}, {"wd"});
  builder.node("MatMul", {"xq", "wd"}, {"y"});
  builder.weight("v", {8, 4}, OnnxType::kUint4);
  builder.constant("v.zero", {}, {8.0}, OnnxType::kUint4);
  builder.node("DequantizeLinear", {"v", "w.scale", "v.zero"}, {"vd"});
  add_qdq(builder, "y", "yq", OnnxType::kInt4);
  builder.node("MatMul", {"yq", "vd"}, {"z"});
  builder.output("z");
  const ImportedModel model = import(builder);
  CHECK(width_text(model, "y_node.weight") == "int 4 by wd_node");
  CHECK(width_text(model, "z_node.weight") == "uint 4 asymmetric by vd_node");
  CHECK(width_text(model, "y_node") == "int 4 by yq.q_node");
  CHECK(width_text(model, "z_node") == "int 32 assumed");
}

TEST_CASE("The bounds of a Clip between quantizer and dequantizer are the width",
          "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 3, 8, 8}).weight("w", {4, 3, 1, 1}).output("out");
  add_grid(builder, "g", OnnxType::kInt8);
  builder.constant("least", {}, {-7.0}, OnnxType::kInt8);
  builder.constant("most", {}, {7.0}, OnnxType::kInt8);
  builder.constant("zero", {}, {0.0}, OnnxType::kInt8);
  builder.constant("three", {}, {3.0}, OnnxType::kInt8);
  builder.node("QuantizeLinear", {"w", "g.scale", "g.zero"}, {"wq"});
  builder.node("Clip", {"wq", "least", "most"}, {"wc"});
  builder.node("DequantizeLinear", {"wc", "g.scale", "g.zero"}, {"wd"});
  builder.node("QuantizeLinear", {"x", "g.scale", "g.zero"}, {"xq"});
  builder.node("Clip", {"xq", "zero", "three"}, {"xc"});
  builder.node("DequantizeLinear", {"xc", "g.scale", "g.zero"}, {"xd"});
  builder.node("Conv", {"xd", "wd"}, {"out"});
  const ImportedModel model = import(builder);
  CHECK(width_text(model, "out_node.weight") == "int 4 by wc_node");  // 15 levels
  CHECK(width_text(model, "x") == "uint 2 by xc_node");
  CHECK(model.graph.layers().size() == 1);
}

TEST_CASE("A change of scale between two quantizers is a pass over the data", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 8}).weight("w", {8, 8}, OnnxType::kInt8).constant("s", {}, {0.1});
  builder.node("DequantizeLinear", {"w", "s"}, {"wd"});
  add_qdq(builder, "x", "a", OnnxType::kInt8);
  builder.node("MatMul", {"a", "wd"}, {"y"});
  add_qdq(builder, "y", "b", OnnxType::kInt8);
  add_qdq(builder, "b", "c", OnnxType::kInt4);
  builder.node("MatMul", {"c", "wd"}, {"z"});
  builder.output("z");
  const ImportedModel model = import(builder);
  REQUIRE(model.graph.layers().size() == 3);
  CHECK(model.graph.layers()[1].name == "c.q_node");
  CHECK(width_text(model, "y_node") == "int 8 by b.q_node");
  CHECK(width_text(model, "c.q_node") == "int 4 by c.q_node");
  CHECK(has_default(model, "a change of the number format"));
}

TEST_CASE("The same quantization twice is one", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 4, 8, 8});
  add_qdq(builder, "x", "a", OnnxType::kInt8);
  builder.node("MaxPool", {"a"}, {"p"}, {{"kernel_shape", OnnxDims{2, 2}}});
  builder.node("QuantizeLinear", {"p", "a.scale", "a.zero"}, {"q"});
  builder.node("DequantizeLinear", {"q", "a.scale", "a.zero"}, {"d"});
  builder.output("d");
  const ImportedModel model = import(builder);
  CHECK(model.graph.layers().size() == 1);
  CHECK(width_text(model, "p_node") == "int 8 by a.q_node");
}

TEST_CASE("A tensor behind two quantizers is stored once, at the widest", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 8}).weight("w", {8, 8}, OnnxType::kInt8).constant("s", {}, {0.1});
  builder.node("DequantizeLinear", {"w", "s"}, {"wd"});
  builder.node("MatMul", {"x", "wd"}, {"y"});
  add_qdq(builder, "y", "narrow", OnnxType::kInt4);
  add_qdq(builder, "y", "wide", OnnxType::kInt8);
  builder.node("MatMul", {"narrow", "wd"}, {"a"});
  builder.node("MatMul", {"wide", "wd"}, {"b"});
  builder.output("a").output("b");
  const ImportedModel model = import(builder);
  CHECK(width_text(model, "y_node") == "int 8 by wide.q_node");
  CHECK(has_default(model,
                    "stored once at 8 bits ('wide.q_node'), although 'narrow.q_node' asks "
                    "for 4"));
}

TEST_CASE("A tensor that is read with and without quantizer is stored in both forms",
          "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 8}).weight("w", {8, 8}).output("sum");
  builder.node("MatMul", {"x", "w"}, {"y"});
  add_qdq(builder, "y", "q", OnnxType::kInt4);
  builder.node("MatMul", {"q", "w"}, {"z"});
  builder.node("Add", {"y", "z"}, {"sum"});
  const ImportedModel model = import(builder);
  REQUIRE(model.graph.layers().size() == 4);
  CHECK(width_text(model, "y_node") == "float 32 assumed");
  CHECK(width_text(model, "q.q_node") == "int 4 by q.q_node");
}

TEST_CASE("Each domain of QONNX is read", "[frontends][onnx]") {
  for (const std::string domain :
       {"qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas"}) {
    for (const std::string op : {"Quant", "IntQuant"}) {
      CAPTURE(domain, op);
      OnnxBuilder builder;
      builder.input("x", {1, 8}).weight("w", {4, 8}).output("y");
      builder.constant("s", {}, {0.1}).constant("z", {}, {0.0}).constant("three", {}, {3.0});
      const OnnxAttributes attributes{{"signed", std::int64_t{0}}, {"narrow", std::int64_t{0}}};
      builder.node(op, {"x", "s", "z", "three"}, {"xq"}, attributes, domain);
      builder.node("BipolarQuant", {"w", "s"}, {"wq"}, {}, domain);
      builder.node("Transpose", {"wq"}, {"wt"}, {{"perm", OnnxDims{1, 0}}});
      builder.node("MatMul", {"xq", "wt"}, {"y"});
      const ImportedModel model = import(builder);
      CHECK(width_text(model, "x") == "uint 3 by xq_node");
      CHECK(width_text(model, "y_node.weight") == "bipolar 1 by wq_node");
      CHECK(has_default(model, domain + ": no opset import"));
    }
  }
}

TEST_CASE("A bit width per channel becomes slices of output channels", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.opset(kQonnx, 1).input("x", {1, 3, 8, 8}).weight("w", {4, 3, 3, 3}).output("y");
  builder.constant("s", {}, {0.1}).constant("z", {}, {0.0});
  builder.constant("bits", {4, 1, 1, 1}, {4, 4, 2, 8});
  builder.node("Quant", {"w", "s", "z", "bits"}, {"wq"},
               {{"signed", std::int64_t{1}}, {"narrow", std::int64_t{1}}}, kQonnx);
  builder.node("Conv", {"x", "wq"}, {"y"});
  CHECK(width_text(import(builder), "y_node.weight") == "int 8 2x4 1x2 1x8 by wq_node");
}

TEST_CASE("A bit width per column of a product follows the transposition", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.opset(kQonnx, 1).input("x", {1, 8}).weight("w", {2, 8}).output("y");
  builder.constant("s", {}, {0.1}).constant("z", {}, {0.0});
  builder.constant("bits", {2, 1}, {2, 4});
  builder.node("Quant", {"w", "s", "z", "bits"}, {"wq"},
               {{"signed", std::int64_t{1}}, {"narrow", std::int64_t{1}}}, kQonnx);
  builder.node("Transpose", {"wq"}, {"wt"}, {{"perm", OnnxDims{1, 0}}});
  builder.node("MatMul", {"x", "wt"}, {"y"});
  CHECK(width_text(import(builder), "y_node.weight") == "int 4 1x2 1x4 by wq_node");
}

TEST_CASE("Trunc states the width behind an average, in both versions", "[frontends][onnx]") {
  for (const bool second : {false, true}) {
    CAPTURE(second);
    OnnxBuilder builder;
    builder.opset(kQonnx, second ? 2 : 1).input("x", {1, 4, 8, 8}).output("t");
    builder.constant("s", {}, {0.1}).constant("z", {}, {0.0});
    builder.constant("eight", {}, {8.0}).constant("five", {}, {5.0});
    builder.node("Quant", {"x", "s", "z", "eight"}, {"q"},
                 {{"signed", std::int64_t{0}}, {"narrow", std::int64_t{0}}}, kQonnx);
    builder.node("AveragePool", {"q"}, {"p"}, {{"kernel_shape", OnnxDims{8, 8}}});
    if (second) {
      builder.node("Trunc", {"p", "s", "z", "eight", "s", "five"}, {"t"},
                   {{"signed", std::int64_t{0}}, {"narrow", std::int64_t{0}}}, kQonnx);
    } else {
      builder.node("Trunc", {"p", "s", "z", "eight", "five"}, {"t"}, {}, kQonnx);
    }
    const ImportedModel model = import(builder);
    CHECK(width_text(model, "p_node") == (second ? "uint 5 by t_node" : "int 5 by t_node"));
    CHECK(has_default(model, "t_node: signed") == !second);
  }
}

TEST_CASE("A channels-last QONNX convolution reads rows of channels", "[frontends][onnx]") {
  const std::string last = "qonnx.custom_op.channels_last";
  OnnxBuilder builder;
  builder.input("x", {1, 16, 12, 3}).weight("w", {8, 3, 3, 3}).output("p");
  builder.node("Conv", {"x", "w"}, {"y"}, window(3, 1), last);
  builder.node("MaxPool", {"y"}, {"p"},
               {{"kernel_shape", OnnxDims{2, 2}}, {"strides", OnnxDims{2, 2}}}, last);
  const ImportedModel model = import(builder);
  REQUIRE(model.graph.layers().size() == 2);  // no view between input and layers
  CHECK(dataflow::to_text(model.graph.tensor(0).shape) == "3x16x12");
  CHECK(dataflow::to_text(model.graph.tensor(model.graph.layers()[1].output).shape) == "8x8x6");
}

TEST_CASE("Annotations of FINN state what no quantizer states", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 8}).weight("w", {8, 4}).output("y");
  builder.annotate("w", "INT3").annotate("y", "SCALEDINT<20>").annotate("nobody", "INT2");
  builder.node("MatMul", {"x", "w"}, {"y"});
  const ImportedModel model = import(builder);
  CHECK(width_text(model, "y_node.weight") == "int 3 by w");
  CHECK(width_text(model, "y_node") == "int 20 by y");
  CHECK(width_of(model, "y_node.weight").rule == "quantization annotation INT3");
}

TEST_CASE("QLinear operators have the element types of their operands", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 3, 8, 8}, OnnxType::kUint8).weight("w", {4, 3, 3, 3}, OnnxType::kInt8);
  builder.weight("v", {4, 2}, OnnxType::kInt8).weight("b", {4}, OnnxType::kInt32);
  add_grid(builder, "g", OnnxType::kUint8);
  add_grid(builder, "h", OnnxType::kInt8);
  builder.node("QLinearConv",
               {"x", "g.scale", "g.zero", "w", "h.scale", "h.zero", "g.scale", "g.zero", "b"},
               {"y"}, window(3, 1));
  builder.node("GlobalMaxPool", {"y"}, {"p"});
  builder.node("Flatten", {"p"}, {"f"});
  builder.node("QLinearMatMul",
               {"f", "g.scale", "g.zero", "v", "h.scale", "h.zero", "h.scale", "h.zero"}, {"z"});
  builder.output("z");
  const ImportedModel model = import(builder);
  CHECK(width_text(model, "x") == "uint 8 by x");
  CHECK(width_text(model, "y_node.weight") == "int 8 by w");
  CHECK(width_text(model, "y_node") == "uint 8 by y_node");
  CHECK(width_text(model, "p_node") == "uint 8 by y_node");
  CHECK(width_text(model, "z_node") == "int 8 by z_node");
}

TEST_CASE("Integer operators behind a dynamic quantizer end in 32 bits", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 8}).weight("w", {8, 4}, OnnxType::kInt8).constant("s", {}, {0.1});
  builder.constant("bias", {4}, {0, 0, 0, 0});
  builder.node("DynamicQuantizeLinear", {"x"}, {"q", "qs", "qz"});
  builder.node("MatMulInteger", {"q", "w", "qz"}, {"y"});
  builder.node("Cast", {"y"}, {"f"}, {{"to", std::int64_t{1}}});
  builder.node("Mul", {"qs", "s"}, {"scale"});
  builder.node("Mul", {"f", "scale"}, {"d"});
  builder.node("Add", {"d", "bias"}, {"out"});
  builder.output("out");
  const ImportedModel model = import(builder);
  REQUIRE(model.graph.layers().size() == 1);
  CHECK(width_text(model, "x") == "uint 8 by q_node");
  CHECK(width_text(model, "y_node.weight") == "int 8 by w");
  CHECK(width_text(model, "y_node") == "int 32 assumed");
  CHECK(std::get<dataflow::Dense>(model.graph.layers()[0].op).bias);
}

TEST_CASE("The levels of a RequantShift are the width of what it shifts", "[frontends][onnx]") {
  OnnxBuilder builder;
  builder.input("x", {1, 3, 8, 8}, OnnxType::kInt8).weight("w", {4, 3, 1, 1}, OnnxType::kInt8);
  builder.weight("mul", {4}).weight("add", {4}).output("r");
  builder.node("Conv", {"x", "w"}, {"y"});
  builder.node("RequantShift", {"y", "mul", "add"}, {"r"},
               {{"n_levels_out", std::int64_t{16}}, {"signed", std::int64_t{0}}});
  const ImportedModel model = import(builder);
  CHECK(width_text(model, "y_node") == "uint 4 by r_node");
  CHECK(std::get<dataflow::Conv2d>(model.graph.layers()[0].op).batch_norm);
}

}  // namespace
}  // namespace vernier::frontends
