#include "dataflow/graph/precision_map.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "dataflow/graph/model_yaml.hpp"

namespace vernier::dataflow {
namespace {

using Catch::Contains;

LayerGraph sample() {
  return read_model(parse_yaml(R"(
name: net
input: {name: x, shape: [4, 6, 6]}
layers:
  - {name: conv, op: conv2d, out_channels: 8, kernel: 3}
  - {name: flat, op: flatten}
  - {name: fc, op: dense, out_features: 10, weight_precision: 2, precision: {bits: 4, kind: uint}}
)",
                               "net.yaml"));
}

PrecisionMap map_of(const std::string& text) {
  return read_precision_map(parse_yaml(text, "p.yaml"));
}

Precision precision_of(const std::string& name, const PrecisionMap& map) {
  const LayerGraph graph = sample();
  return resolve_precision(graph, map).tensors.at(*graph.find_tensor(name));
}

TEST_CASE("A width comes from the map's entry, the model, the default or 8 bits, in this order",
          "[dataflow][precision]") {
  const PrecisionMap map = map_of("default: {weight: 3, activation: 5}\ntensors: {fc.weight: 7}\n");
  CHECK(precision_of("fc.weight", map).bits == Bitwidth(7));  // map before model
  CHECK(precision_of("fc", map).bits == Bitwidth(4));         // model before default
  CHECK(precision_of("fc", map).kind == NumberKind::kUint);
  CHECK(precision_of("conv.weight", map).bits == Bitwidth(3));
  CHECK(precision_of("x", map).bits == Bitwidth(5));
  CHECK(precision_of("conv.weight", {}).bits == Bitwidth(8));
}

TEST_CASE("A width that nobody stated is counted among the assumptions", "[dataflow][precision]") {
  const LayerGraph graph = sample();
  const auto assumptions = resolve_precision(graph, {}).assumptions;
  REQUIRE(assumptions.size() == 2);
  CHECK_THAT(assumptions[0], Contains("1 weight tensor(s)") && Contains("8 bits"));  // conv.weight
  CHECK_THAT(assumptions[1], Contains("3 activation tensor(s)"));  // x, conv, flat
  CHECK(resolve_precision(graph, PrecisionMap::uniform(Bitwidth(4), Bitwidth(4)))
            .assumptions.empty());
}

TEST_CASE("A view has the width of what it shows", "[dataflow][precision]") {
  CHECK(precision_of("flat", map_of("tensors: {conv: 2}\n")).bits == Bitwidth(2));
  CHECK_NOTHROW(precision_of("flat", map_of("tensors: {conv: 2, flat: 2}\n")));
  CHECK_THROWS_WITH(precision_of("flat", map_of("tensors: {conv: 2, flat: 4}\n")),
                    Contains("'flat' is a view of 'conv' and has its 2 bits, not 4"));
}

TEST_CASE("A tensor that the network does not have is answered with the nearest",
          "[dataflow][precision]") {
  CHECK_THROWS_WITH(precision_of("x", map_of("tensors: {conv.wieght: 4}\n")),
                    Contains("no tensor 'conv.wieght'; did you mean 'conv.weight'?"));
}

TEST_CASE("Slices hold every channel of the tensor and the widest is its width",
          "[dataflow][precision]") {
  const Precision sliced = precision_of(
      "conv.weight",
      map_of("tensors: {conv.weight: {slices: [{channels: 6, bits: 2}, {channels: 2, bits: 4}]}}"));
  CHECK(sliced.bits == Bitwidth(4));
  REQUIRE(sliced.slices.size() == 2);
  CHECK(sliced.slices[0].channels == 6);
  CHECK_THROWS_WITH(
      precision_of("conv.weight",
                   map_of("tensors: {conv.weight: {slices: [{channels: 7, bits: 2}]}}")),
      Contains("the slices have 7 channels, the tensor has 8"));
}

TEST_CASE("Widths per channel become slices of equal neighbours", "[dataflow][precision]") {
  const Precision sliced = precision_of(
      "conv.weight", map_of("tensors: {conv.weight: {per_channel: [4, 4, 2, 2, 2, 4, 8, 8]}}"));
  CHECK(sliced.bits == Bitwidth(8));
  REQUIRE(sliced.slices.size() == 4);
  CHECK(sliced.slices[1] == PrecisionSlice{3, Bitwidth(2)});
  CHECK(sliced.slices[3] == PrecisionSlice{2, Bitwidth(8)});
}

TEST_CASE("All problems of a precision file are reported together with their lines",
          "[dataflow][precision]") {
  CHECK_THROWS_WITH(map_of("default: {wieght: 4}\n"
                           "tensors:\n"
                           "  a: 0\n"
                           "  b: 33\n"
                           "  c: {bits: 4, slices: [{channels: 1, bits: 4}]}\n"
                           "  d: {slices: []}\n"
                           "  e: {kind: uint}\n"
                           "  f: {bits: 4, kind: real}\n"
                           "  g: '8'\n"),
                    Contains("p.yaml:1: default.wieght: unknown key; did you mean 'weight'?") &&
                        Contains("p.yaml:3: tensors.a: found '0'; a width of 1 to 32") &&
                        Contains("p.yaml:4: tensors.b: found '33'") &&
                        Contains("p.yaml:5: tensors.c: exactly one of bits, slices, per_channel") &&
                        Contains("p.yaml:6: tensors.d.slices: the list is empty") &&
                        Contains("p.yaml:7: tensors.e: exactly one of") &&
                        Contains("p.yaml:8: tensors.f.kind: found 'real'; allowed are int, uint") &&
                        Contains("p.yaml:9: tensors.g: found '8'"));
}

TEST_CASE("The bits option sets all weights and all activations", "[dataflow][precision]") {
  const PrecisionMap map = parse_bits_option("w=4,a=8");
  CHECK(map.default_weight->bits == Bitwidth(4));
  CHECK(map.default_activation->bits == Bitwidth(8));
  CHECK(parse_bits_option("a=1,w=32").default_weight->bits == Bitwidth(32));
}

TEST_CASE("A bits option of another form says what the form is", "[dataflow][precision]") {
  const auto fails_with = [](const char* option, const char* message) {
    CAPTURE(option);
    CHECK_THROWS_WITH(parse_bits_option(option), Contains(message));
  };
  fails_with("", "both w=BITS and a=BITS are needed");
  fails_with("w=8", "both w=BITS and a=BITS are needed");
  fails_with("w=8,a=8,", "ends in ','");
  fails_with("w=8,,a=8", "the form is w=BITS,a=BITS");
  fails_with("W=8,a=8", "found 'W=8'");
  fails_with("w=8,a=8,w=8", "'w' stands twice");
  fails_with("w=0,a=8", "0 bits is outside the range 1 to 32");
  fails_with("w=8,a=33", "33 bits is outside");
  fails_with("w=-1,a=8", "-1 bits is outside");
  fails_with("w=8.5,a=8", "'8.5' is not a number of bits");
  fails_with("w= 8,a=8", "' 8' is not a number of bits");
  fails_with("w=,a=8", "'' is not a number of bits");
}

}  // namespace
}  // namespace vernier::dataflow
