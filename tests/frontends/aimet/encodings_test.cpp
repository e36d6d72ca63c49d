#include "frontends/aimet/encodings.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "dataflow/graph/model_yaml.hpp"
#include "frontends/models/precision_file.hpp"

namespace vernier::frontends::aimet {
namespace {

using Catch::Contains;

Encodings read(const std::string& text) { return read_encodings(parse_yaml(text, "e.json")); }

std::string refused(const std::string& text) {
  try {
    (void)read(text);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

Precision width(std::int64_t bits, NumberKind kind, bool asymmetric = false) {
  return {Bitwidth(bits), kind, asymmetric, {}};
}

const std::string kOld = R"({
  "activation_encodings": {
    "x": [{"bitwidth": 8, "dtype": "int", "is_symmetric": "False", "max": 1.0, "min": -0.25,
           "offset": -51, "scale": 0.0049}],
    "relu": [{"bitwidth": 4, "is_symmetric": "False", "max": 1.5, "min": 0.0, "offset": 0,
              "scale": 0.1}],
    "fp": [{"bitwidth": 16, "dtype": "float"}]
  },
  "excluded_layers": [],
  "param_encodings": {
    "conv.weight": [
      {"bitwidth": 4, "dtype": "int", "is_symmetric": "True", "max": 0.7, "min": -0.8,
       "offset": -8, "scale": 1e-01},
      {"bitwidth": 4, "dtype": "int", "is_symmetric": "True", "max": 0.7, "min": -0.7,
       "offset": -7, "scale": 0.1}],
    "mixed.weight": [{"bitwidth": 4, "offset": -8}, {"bitwidth": 4, "offset": -8},
                     {"bitwidth": 2, "offset": -2}]
  },
  "quantizer_args": {"param_bitwidth": 4},
  "version": "0.6.1"
})";

TEST_CASE("Encodings by name (0.4 to 0.6) give bits, kind and zero point", "[frontends][aimet]") {
  const Encodings encodings = read(kOld);
  CHECK(encodings.format == "AIMET encodings 0.6.1");
  CHECK(encodings.notes.empty());
  const auto& tensors = encodings.map.tensors;
  REQUIRE(tensors.size() == 5);
  CHECK(tensors.at("x") == width(8, NumberKind::kUint, true));
  CHECK(tensors.at("relu") == width(4, NumberKind::kUint));
  CHECK(tensors.at("fp") == width(16, NumberKind::kFloat));
  CHECK(tensors.at("conv.weight") == width(4, NumberKind::kInt));
  CHECK(tensors.at("mixed.weight").slices ==
        std::vector<PrecisionSlice>{{2, Bitwidth(4)}, {1, Bitwidth(2)}});
  CHECK(tensors.at("mixed.weight").bits.bits() == 4);
}

TEST_CASE("Named encodings (1.0) give bits, kind and zero point", "[frontends][aimet]") {
  const Encodings encodings = read(R"({"version": "1.0.0",
    "activation_encodings": [
      {"name": "x", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 8, "is_sym": false,
       "scale": [0.1], "offset": [-12]},
      {"name": "h", "enc_type": "PER_TENSOR", "dtype": "FLOAT", "bw": 16}],
    "param_encodings": [
      {"name": "conv.weight", "enc_type": "PER_CHANNEL", "dtype": "INT", "bw": 8, "is_sym": true,
       "scale": [0.1, 0.2], "offset": [-128, -127]},
      {"name": "fc.weight", "enc_type": "LPBQ", "dtype": "INT", "bw": 8, "is_sym": true,
       "block_size": 64, "compressed_bw": 4, "per_block_int_scale": [1, 2], "scale": [0.1],
       "offset": [-128]}]})");
  const auto& tensors = encodings.map.tensors;
  CHECK(tensors.at("x") == width(8, NumberKind::kUint, true));
  CHECK(tensors.at("h") == width(16, NumberKind::kFloat));
  CHECK(tensors.at("conv.weight") == width(8, NumberKind::kInt));
  CHECK(tensors.at("fc.weight") == width(4, NumberKind::kInt));
}

TEST_CASE("Encodings in the form of QuantizeLinear (2.0, 2.1) have the width of their type",
          "[frontends][aimet]") {
  const Encodings encodings = read(R"({"version": "2.1.0", "encodings": [
    {"name": "x", "output_dtype": "uint8", "y_scale": 0.01, "y_zero_point": 41},
    {"name": "w", "output_dtype": "int4", "y_scale": [0.1, 0.2], "axis": 0},
    {"name": "b", "output_dtype": "int2", "y_scale": [[0.1]], "y_zero_point": [[-0.5]], "axis": 1,
     "block_size": 32},
    {"name": "f", "output_dtype": "float8e4m3fn", "y_scale": 1.0, "y_zero_point": 0},
    {"name": "l", "output_dtype": "int4", "axis": 1, "block_size": 32,
     "y_scale": {"x": [[3, 5]], "x_scale": [0.001], "axis": 0}}]})");
  const auto& tensors = encodings.map.tensors;
  CHECK(tensors.at("x") == width(8, NumberKind::kUint, true));
  CHECK(tensors.at("w") == width(4, NumberKind::kInt));
  CHECK(tensors.at("b") == width(2, NumberKind::kInt, true));
  CHECK(tensors.at("f") == width(8, NumberKind::kFloat));
  CHECK(tensors.at("l") == width(4, NumberKind::kInt));
}

TEST_CASE("Without a version the form follows from the keys, and that is said",
          "[frontends][aimet]") {
  const Encodings encodings =
      read(R"({"activation_encodings": {}, "param_encodings": {"w": [{"bitwidth": 16}]}})");
  CHECK(encodings.map.tensors.at("w").bits.bits() == 16);
  REQUIRE(encodings.notes.size() == 1);
  CHECK(encodings.notes[0] == "the file states no version: read in the form of 0.6 by its keys");
}

TEST_CASE("Wrong encodings are refused with line and key path", "[frontends][aimet]") {
  CHECK(refused("{\"version\": \"3.0.0\", \"encodings\": []}") ==
        "e.json:1: version: found '3.0.0'; versions 0.4 to 0.6, 1.0, 2.0 and 2.1 are read");
  CHECK(refused("{\"version\": \"2.0.0\",\n\"encodings\": [{\"name\": \"x\", \"output_dtype\": "
                "\"int5\"}]}") ==
        "e.json:2: encodings[0].output_dtype: found 'int5'; allowed are int2, uint2, int4, uint4, "
        "int8, uint8, int16, uint16, int32, float4e2m1, float8e4m3fn, float8e4m3fnuz, ... (2 "
        "more); did you mean 'int2'?");
  CHECK(refused("{\"version\": \"0.6.1\", \"param_encodings\":\n{\"w\": [{\"bitwith\": 8}]}}") ==
        "e.json:2: param_encodings.w[0].bitwidth: the key is missing\n"
        "e.json:2: param_encodings.w[0].bitwith: unknown key; did you mean 'bitwidth'?");
  CHECK_THAT(
      refused("{\"version\": \"0.6.1\", \"param_encodings\": {\"w\": [{\"bitwidth\": 33}]}}"),
      Contains("param_encodings.w[0].bitwidth: found 33; allowed is 1 to 32"));
  CHECK_THAT(refused("{\"version\": \"0.6.1\", \"activation_encodings\": {\"conv\": {\"output\": "
                     "{\"0\": {}}}}}"),
             Contains("activation_encodings.conv: encodings of a module's inputs and outputs"));
  CHECK_THAT(refused("{\"version\": \"1.0.0\", \"param_encodings\": {}}"),
             Contains("param_encodings: found a mapping; a list is needed"));
  CHECK_THAT(refused("{\"version\": \"2.0.0\", \"encodings\": [{\"name\": \"x\", \"output_dtype\": "
                     "\"int8\"}, {\"name\": \"x\", \"output_dtype\": \"int8\"}]}"),
             Contains("encodings[1].name: the tensor 'x' stands twice"));
  CHECK_THAT(refused("{\"version\": \"2.0.0\", \"encoding\": []}"),
             Contains("encoding: unknown key; did you mean 'encodings'?"));
}

TEST_CASE("Widths of biases change nothing and of unknown tensors are refused",
          "[frontends][aimet]") {
  const dataflow::LayerGraph graph =
      dataflow::read_model(parse_yaml("name: n\ninput: {name: x, shape: [8]}\nlayers:\n"
                                      "  - {name: fc, op: dense, out_features: 4, bias: true}\n",
                                      "m.yaml"));
  const auto resolve = [&](const std::string& names) {
    return dataflow::resolve_precision(
        graph, read_precision_file(
                   parse_yaml("{\"version\": \"2.0.0\", \"encodings\": [" + names + "]}", "e.json"))
                   .map);
  };
  const auto bias = resolve("{\"name\": \"fc.bias\", \"output_dtype\": \"int32\"}");
  CHECK(bias.assumptions.front() ==
        "1 bias width(s) not used: biases are held at accumulator width");
  CHECK_THROWS_WITH(resolve("{\"name\": \"fc.wieght\", \"output_dtype\": \"int8\"}"),
                    Contains("has no tensor 'fc.wieght'; did you mean 'fc.weight'?"));
}

}  // namespace
}  // namespace vernier::frontends::aimet
