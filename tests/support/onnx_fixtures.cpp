#include "tests/support/onnx_fixtures.hpp"

#include "tests/support/onnx_builder.hpp"

namespace vernier::tests {
namespace {

constexpr auto kQonnx = "qonnx.custom_op.general";

OnnxAttributes window(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return {{"kernel_shape", OnnxDims{kernel, kernel}},
          {"strides", OnnxDims{stride, stride}},
          {"pads", OnnxDims{pad, pad, pad, pad}}};
}

std::string float_network() {
  OnnxBuilder b(13);
  b.input("x", {2, 3, 16, 16}).weight("w1", {8, 3, 3, 3}).weight("w2", {8, 1, 3, 3});
  b.weight("w3", {8, 8, 1, 1}).weight("fc", {8, 10}).weight("bias", {10});
  for (const char* name : {"s", "b", "m", "v"}) b.weight(name, {8});
  b.constant("sizes", {4}, {1, 1, 2, 2}).constant("none", {0}, {});
  b.constant("flat", {2}, {0, -1}, OnnxType::kInt64);
  b.constant("pads", {8}, {0, 0, 1, 1, 0, 0, 1, 1}, OnnxType::kInt64);
  b.node("Pad", {"x", "pads"}, {"xp"});
  b.node("Conv", {"xp", "w1"}, {"c1"}, window(3, 2, 0));
  b.node("BatchNormalization", {"c1", "s", "b", "m", "v"}, {"n1"});
  b.node("Relu", {"n1"}, {"r1"});
  b.node("Conv", {"r1", "w2"}, {"c2"},
         {{"group", std::int64_t{8}}, {"auto_pad", std::string("SAME_UPPER")}});
  b.node("HardSwish", {"c2"}, {"h2"});
  b.node("GlobalAveragePool", {"h2"}, {"g"});
  b.node("Conv", {"g", "w3"}, {"e"});
  b.node("Sigmoid", {"e"}, {"gate"});
  b.node("Mul", {"h2", "gate"}, {"se"});
  b.node("Add", {"se", "r1"}, {"sum"});
  b.node("MaxPool", {"sum"}, {"p"}, window(2, 2, 0));
  b.node("Resize", {"p", "none", "sizes"}, {"up"}, {{"mode", std::string("nearest")}});
  b.node("Concat", {"up", "sum"}, {"cat"}, {{"axis", std::int64_t{1}}});
  b.constant("axes", {2}, {2, 3}, OnnxType::kInt64);
  b.node("ReduceMean", {"cat", "axes"}, {"mean"}, {{"keepdims", std::int64_t{1}}});
  b.weight("w4", {8, 16, 1, 1});
  b.node("Conv", {"mean", "w4"}, {"last"});
  b.node("Reshape", {"last", "flat"}, {"rows"});
  b.node("Gemm", {"rows", "fc", "bias"}, {"y"});
  b.node("Softmax", {"y"}, {"out"});
  return b.output("out").bytes();
}

std::string attention_network() {
  OnnxBuilder b(17);
  b.input("x", {1, 3, 32, 32}).weight("patch", {24, 3, 8, 8}).weight("cls", {1, 1, 24});
  b.weight("pos", {1, 17, 24}).weight("ls", {24}).weight("lb", {24}).constant("scale", {}, {0.35});
  b.constant("tokens", {3}, {0, 24, -1}, OnnxType::kInt64);
  b.constant("heads", {4}, {0, -1, 3, 8}, OnnxType::kInt64);
  b.constant("joined", {3}, {0, 17, 24}, OnnxType::kInt64)
      .constant("zero", {}, {0}, OnnxType::kInt64);
  for (const char* name : {"wq", "wk", "wv", "wo"}) b.weight(name, {24, 24});
  b.node("Conv", {"x", "patch"}, {"c"}, window(8, 8, 0));
  b.node("Reshape", {"c", "tokens"}, {"t"});
  b.node("Transpose", {"t"}, {"tt"}, {{"perm", OnnxDims{0, 2, 1}}});
  b.node("Concat", {"cls", "tt"}, {"seq"}, {{"axis", std::int64_t{1}}});
  b.node("Add", {"seq", "pos"}, {"e"});
  b.node("LayerNormalization", {"e", "ls", "lb"}, {"n"});
  for (const std::string name : {"q", "k", "v"}) {
    b.node("MatMul", {"n", "w" + name}, {name});
    b.node("Reshape", {name, "heads"}, {name + "h"});
    b.node("Transpose", {name + "h"}, {name + "t"},
           {{"perm", name == "k" ? OnnxDims{0, 2, 3, 1} : OnnxDims{0, 2, 1, 3}}});
  }
  b.node("MatMul", {"qt", "kt"}, {"qk"});
  b.node("Mul", {"qk", "scale"}, {"scaled"});
  b.node("Softmax", {"scaled"}, {"p"}, {{"axis", std::int64_t{-1}}});
  b.node("MatMul", {"p", "vt"}, {"pv"});
  b.node("Transpose", {"pv"}, {"back"}, {{"perm", OnnxDims{0, 2, 1, 3}}});
  b.node("Reshape", {"back", "joined"}, {"o"});
  b.node("MatMul", {"o", "wo"}, {"proj"});
  b.node("Add", {"proj", "e"}, {"res"});
  b.node("Gather", {"res", "zero"}, {"first"}, {{"axis", std::int64_t{1}}});
  return b.output("first").bytes();
}

std::string shape_network() {
  OnnxBuilder b(11);
  b.input("x", {-1, 4, 6, 6}).weight("w", {144, 10}).constant("zero", {}, {0}, OnnxType::kInt64);
  b.constant("rest", {1}, {-1}, OnnxType::kInt64);
  b.node("Shape", {"x"}, {"shape"});
  b.node("Gather", {"shape", "zero"}, {"n"}, {{"axis", std::int64_t{0}}});
  b.node("Unsqueeze", {"n"}, {"n1"}, {{"axes", OnnxDims{0}}});
  b.node("Concat", {"n1", "rest"}, {"new"}, {{"axis", std::int64_t{0}}});
  b.node("Reshape", {"x", "new"}, {"flat"});
  b.node("MatMul", {"flat", "w"}, {"y"});
  return b.output("y").bytes();
}

std::string qonnx_network() {
  OnnxBuilder b(13);
  b.opset(kQonnx, 1).input("x", {1, 3, 8, 8}).weight("w", {4, 3, 3, 3}).weight("v", {4, 6});
  b.constant("s", {}, {0.1}).constant("z", {}, {0.0}).constant("four", {}, {4.0});
  b.constant("bits", {4, 1, 1, 1}, {2, 2, 4, 4}).constant("three", {}, {3.0});
  const OnnxAttributes plain{{"signed", std::int64_t{0}}, {"narrow", std::int64_t{0}}};
  const OnnxAttributes narrow{{"signed", std::int64_t{1}}, {"narrow", std::int64_t{1}}};
  b.node("Quant", {"x", "s", "z", "four"}, {"xq"}, plain, kQonnx);
  b.node("Quant", {"w", "s", "z", "bits"}, {"wq"}, narrow, kQonnx);
  b.node("Conv", {"xq", "wq"}, {"c"}, window(3, 1, 1));
  b.node("Relu", {"c"}, {"r"});
  b.node("Quant", {"r", "s", "z", "four"}, {"rq"}, plain, kQonnx);
  b.node("AveragePool", {"rq"}, {"p"}, window(8, 1, 0));
  b.node("Trunc", {"p", "s", "z", "four", "three"}, {"t"}, {}, kQonnx);
  b.node("Flatten", {"t"}, {"f"});
  b.node("BipolarQuant", {"v", "s"}, {"vq"}, {}, kQonnx);
  b.node("MatMul", {"f", "vq"}, {"y"});
  b.constant("e", {}, {4.0}).constant("m", {}, {3.0});
  b.node("FloatQuant", {"y", "s", "e", "m", "e", "e"}, {"out"}, {}, kQonnx);
  return b.annotate("w", "INT4").output("out").bytes();
}

std::string qdq_network() {
  OnnxBuilder b(21);
  b.input("x", {1, 3, 8, 8}).weight("w", {4, 3, 3, 3}, OnnxType::kInt4);
  b.constant("s", {}, {0.1}).constant("z", {}, {3}, OnnxType::kUint8).weight("ws", {4});
  b.constant("low", {}, {0}, OnnxType::kUint8).constant("high", {}, {63}, OnnxType::kUint8);
  b.node("QuantizeLinear", {"x", "s", "z"}, {"xq"});
  b.node("Clip", {"xq", "low", "high"}, {"xc"});
  b.node("DequantizeLinear", {"xc", "s", "z"}, {"xd"});
  b.node("DequantizeLinear", {"w", "ws"}, {"wd"}, {{"axis", std::int64_t{0}}});
  b.node("Conv", {"xd", "wd"}, {"c"}, window(3, 1, 1));
  b.node("QuantizeLinear", {"c", "s", "z"}, {"q"});
  b.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  b.node("MaxPool", {"d"}, {"y"}, window(2, 2, 0));
  return b.output("y").bytes();
}

std::string integer_network() {
  OnnxBuilder b(10);
  b.input("x", {1, 3, 8, 8}, OnnxType::kUint8).weight("w", {4, 3, 3, 3}, OnnxType::kInt8);
  b.weight("v", {4, 4, 1, 1}).weight("mul", {1, 4, 1, 1}).weight("add", {1, 4, 1, 1});
  b.constant("s", {}, {0.1}).constant("z", {}, {0}, OnnxType::kUint8);
  b.constant("wz", {}, {0}, OnnxType::kInt8).constant("div", {}, {4096});
  b.node("QLinearConv", {"x", "s", "z", "w", "s", "wz", "s", "z"}, {"q"}, window(3, 1, 1));
  b.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  b.node("Conv", {"d", "v"}, {"c"}, {{"weight_bits", std::int64_t{2}}});
  b.node("Mul", {"c", "mul"}, {"m"});
  b.node("Add", {"m", "add"}, {"a"});
  b.node("Div", {"a", "div"}, {"dv"});
  b.node("Floor", {"dv"}, {"f"});
  b.node("Clip", {"f"}, {"y"}, {{"min", 0.0}, {"max", 15.0}});
  return b.output("y").bytes();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> onnx_fixtures() {
  return {{"float", float_network()}, {"attention", attention_network()},
          {"shape", shape_network()}, {"qonnx", qonnx_network()},
          {"qdq", qdq_network()},     {"integer", integer_network()}};
}

}  // namespace vernier::tests
