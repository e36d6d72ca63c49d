#include "dataflow/mapping/mapping_file.hpp"

#include <catch2/catch.hpp>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

// A convolution with weights of two widths, a pool and a dense layer.
LayerGraph small_graph() {
  Conv2d conv;
  conv.out_channels = 8;
  return LayerGraph("small", {{"image", {4, 6, 6}, {}, {}}},
                    {{"conv", conv, {"image"}, {}, {}, {}, {}},
                     {"flat", Reshape{{288, 1, 1}}, {"conv"}, {}, {}, {}, {}},
                     {"last", Dense{5}, {"flat"}, {}, {}, {}, {}}});
}

struct Lowered {
  LayerGraph graph = small_graph();
  Machine machine = tests::example_machine(arch::Dataflow::kOutputStationary);
  NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).tensors;
  std::vector<LoweredLayer> layers = lower_network(graph, bits, machine.accelerator, false);

  [[nodiscard]] MappingPlan read(const std::string& text) const {
    return read_mapping_plan(parse_yaml(text, "map.yaml"), graph, layers);
  }
  void refuses(const std::string& text, const std::string& message) const {
    INFO(text);
    CHECK_THROWS_WITH(read(text), Catch::Contains(message));
  }
};

const std::string kTile = "{pixels: [3, 2], input_channels: 4, output_channels: 8}";

TEST_CASE("A mapping file gives tiles and orders to the layers it names", "[mapping]") {
  const Lowered lowered;
  const MappingPlan plan =
      lowered.read("layers:\n  conv: {tile: " + kTile + ", order: [n, pixel, k]}\n");
  const Mapping* conv = plan.find(0, 0);
  REQUIRE(conv != nullptr);
  CHECK(conv->tile == TileSize{3, 2, 4, 8});
  CHECK(conv->order == std::array{LoopDim::kOutChannel, LoopDim::kPixel, LoopDim::kInChannel});
  CHECK(conv->origin == MappingOrigin::kGiven);
  CHECK(plan.find(0, 1) == nullptr);
  CHECK(unmapped_layers(plan, lowered.layers) == std::vector<LayerId>{2});  // no view

  EvaluateOptions options;
  options.mappings = &plan;
  const Evaluator evaluator(lowered.machine);
  const NetworkCost cost = evaluator.evaluate(lowered.graph, lowered.bits, options).value();
  CHECK(cost.layers[0].tasks[0].mapping == *conv);
  CHECK(cost.layers[2].tasks[0].mapping.origin == MappingOrigin::kSearched);
  // The cache still holds the heuristic's answer for callers without a plan.
  const NetworkCost other = evaluator.evaluate(lowered.graph, lowered.bits).value();
  CHECK(other.layers[0].tasks[0].mapping.origin == MappingOrigin::kSearched);
}

TEST_CASE("A mapping file with mistakes is refused with place and remedy", "[mapping]") {
  const Lowered lowered;
  const std::string order = ", order: [pixel, n, k]}\n";
  lowered.refuses("layers:\n  cnv: {tile: " + kTile + order,
                  "map.yaml:2: layers.cnv: the network 'small' has no layer of this name; did you "
                  "mean 'conv'?");
  lowered.refuses("layers:\n  conv: {tle: " + kTile + order, "did you mean 'tile'?");
  lowered.refuses("layers:\n  conv: {tile: " + kTile + ", order: [pixel, n]}\n",
                  "layers.conv.order: found [pixel, n]; pixel, n, k stand once each");
  lowered.refuses("layers:\n  conv: {tile: " + kTile + ", order: [pixel, n, n]}\n",
                  "stand once each");
  lowered.refuses(
      "layers:\n  conv: {tile: {pixels: [7, 2], input_channels: 4, output_channels: "
      "8}" +
          order,
      "layers.conv.tile.pixels[0]: found '7'; the rows of a tile are 1 to 6 here");
  lowered.refuses(
      "layers:\n  conv: {tile: {pixels: [3], input_channels: 4, output_channels: 8}" + order,
      "found 1 numbers; rows and columns are needed");
  lowered.refuses(
      "layers:\n  conv: {tile: {pixels: [3, 2], input_channels: 5, output_channels: "
      "8}" +
          order,
      "layers.conv.tile.input_channels");
  lowered.refuses("layers:\n  conv: {tile: {pixels: [3, 2], input_channels: 4}" + order,
                  "output_channels");
  lowered.refuses("layers:\n  flat: {tile: " + kTile + order, "it has no mapping");
  lowered.refuses(
      "layers:\n  conv:\n    - {tile: " + kTile + order + "    - {tile: " + kTile + order,
      "found 2 mappings; the layer runs as 1 task");
  lowered.refuses("layer: {}\n", "did you mean 'layers'?");
}

TEST_CASE("A tile that does not fit is infeasible and says what is missing", "[mapping]") {
  Lowered lowered;
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  for (memory::BufferSpec& buffer : spec.buffers) {
    buffer.banks = 2;
    buffer.capacity = Bytes(256);
  }
  const Machine machine = tests::with_prices(spec);
  const MappingPlan plan = lowered.read(
      "layers:\n  conv: {tile: {pixels: [6, 6], input_channels: 4, output_channels: 8}, order: "
      "[pixel, n, k]}\n");
  EvaluateOptions options;
  options.mappings = &plan;
  const auto cost = Evaluator(machine).evaluate(lowered.graph, lowered.bits, options);
  REQUIRE_FALSE(cost.has_value());
  CHECK(cost.infeasible().layer == "conv");
  // Inputs: 36 pixels of 4 bytes are 144 bytes; a half has 128.
  CHECK(cost.infeasible().missing == Bytes(16));
  CHECK_THAT(cost.infeasible().reason, Catch::Contains("16 bytes are missing"));
}

TEST_CASE("A layer of several tasks takes a list with one mapping for each", "[mapping]") {
  Lowered lowered;
  lowered.layers[0].tasks.push_back(lowered.layers[0].tasks.front());
  const std::string one = "{tile: " + kTile + ", order: [pixel, n, k]}";
  const MappingPlan plan = lowered.read("layers:\n  conv:\n    - " + one +
                                        "\n    - {tile: " + kTile + ", order: [k, n, pixel]}\n");
  REQUIRE(plan.find(0, 1) != nullptr);
  CHECK(plan.find(0, 0)->order[0] == LoopDim::kPixel);
  CHECK(plan.find(0, 1)->order[0] == LoopDim::kInChannel);
  lowered.refuses("layers:\n  conv: " + one + "\n",
                  "the layer runs as 2 tasks, so a list of 2 mappings is needed");
}

TEST_CASE("What is written is read back as it was", "[mapping]") {
  const Lowered lowered;
  const Mapping mapping{{3, 2, 4, 8},
                        {LoopDim::kInChannel, LoopDim::kOutChannel, LoopDim::kPixel},
                        MappingOrigin::kGiven};
  const std::vector<std::vector<WrittenMapping>> layers{
      {{TaskUnit::kArray, mapping}}, {}, {{TaskUnit::kArray, {{1, 1, 288, 5}}}}};
  const std::string text = mapping_file_text(lowered.graph, layers);
  CHECK(text ==
        "layers:\n"
        "  \"conv\": {tile: {pixels: [3, 2], input_channels: 4, output_channels: 8}, order: [k, n, "
        "pixel]}\n"
        "  \"last\": {tile: {pixels: [1, 1], input_channels: 288, output_channels: 5}, order: "
        "[pixel, n, k]}\n");
  const MappingPlan plan = lowered.read(text);
  CHECK(*plan.find(0, 0) == mapping);
  CHECK(plan.find(2, 0)->tile == TileSize{1, 1, 288, 5});
}

}  // namespace
}  // namespace vernier::dataflow
