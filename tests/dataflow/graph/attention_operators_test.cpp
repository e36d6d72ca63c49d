// What transformers need beside products: softmax, layer normalization, tokens after tokens, and
// learned inputs.
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/machine/components.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

using Catch::Matchers::Contains;

LayerGraph read(const std::string& text) { return read_model(parse_yaml(text, "net.yaml")); }

// One layer on 5 tokens of 12 features.
LayerGraph one_layer(const std::string& layer) {
  return read(fmt::format("name: n\ninput: {{name: x, shape: [5, 12]}}\nlayers:\n  - {}\n", layer));
}

std::int64_t vector_count(const NetworkCost& cost, const Machine& machine, Action action) {
  return cost.total.activity.count(component_indices(machine.accelerator).vector, action);
}

TEST_CASE("Softmax and layer norm keep the shape and only layer norm has parameters", "[graph]") {
  const LayerGraph softmax = one_layer("{name: y, op: softmax, heads: 3}");
  CHECK(softmax.tensor(softmax.layers()[0].output).shape == Shape{12, 5, 1});
  CHECK(std::get<Softmax>(softmax.layers()[0].op).heads == 3);
  CHECK(softmax.totals().parameters == 0);
  const LayerGraph norm = one_layer("{name: y, op: layer_norm}");
  CHECK(norm.tensor(norm.layers()[0].output).shape == Shape{12, 5, 1});
  CHECK(norm.totals().parameters == 24);  // scale and shift of 12 channels
  CHECK(norm.totals().weights == 0);
  CHECK(norm.totals().mac_layers == 0);
}

TEST_CASE("Heads of a softmax divide its channels", "[graph]") {
  CHECK_THROWS_WITH(one_layer("{name: y, op: softmax, heads: 5}"),
                    Contains("net.yaml:4") && Contains("layer 'y'") &&
                        Contains("5 heads do not divide 12 channels"));
}

TEST_CASE("Concat puts tokens after tokens", "[graph]") {
  const auto joined = [](const std::string& shape, const std::string& axis) {
    const LayerGraph graph =
        read("name: n\ninputs:\n  - {name: a, shape: [5, 12]}\n  - {name: b, shape: " + shape +
             "}\nlayers:\n  - {name: y, op: concat, from: [a, b]" + axis + "}\n");
    return graph.tensor(graph.layers()[0].output).shape;
  };
  CHECK(joined("[1, 12]", ", axis: height") == Shape{12, 6, 1});
  CHECK(joined("[5, 3]", ", axis: channels") == Shape{15, 5, 1});
  CHECK(joined("[5, 3]", "") == Shape{15, 5, 1});
  CHECK_THROWS_WITH(joined("[1, 3]", ", axis: height"),
                    Contains("inputs of 12x5x1 and 3x1x1 cannot stand one below the other"));
  CHECK_THROWS_WITH(joined("[1, 12]", ""),
                    Contains("inputs of 12x5x1 and 12x1x1 cannot stand side by side"));
  CHECK_THROWS_WITH(joined("[1, 12]", ", axis: width"), Contains("axis"));
}

TEST_CASE("Learned inputs are parameters", "[graph]") {
  const LayerGraph graph = read(
      "name: n\n"
      "inputs:\n"
      "  - {name: x, shape: [5, 12]}\n"
      "  - {name: position, shape: [5, 12], learned: true}\n"
      "layers:\n"
      "  - {name: y, op: add, from: [x, position]}\n");
  CHECK_FALSE(graph.tensor(graph.find_tensor("x").value()).is_learned);
  CHECK(graph.tensor(graph.find_tensor("position").value()).is_learned);
  CHECK(graph.totals().parameters == 60);
  CHECK(graph.totals().weights == 0);
  CHECK(graph.only_layer("y").totals().parameters == 60);
}

TEST_CASE("Softmax and layer norm are counted operation by operation", "[evaluate]") {
  const Machine machine = tests::example_machine(arch::Dataflow::kOutputStationary);
  const PrecisionMap bits = PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));
  const auto run = [&](const std::string& layer) {
    return evaluate(machine, one_layer(layer), bits).value();
  };
  const NetworkCost softmax = run("{name: y, op: softmax}");
  CHECK(vector_count(softmax, machine, Action::kMax) == 60);
  CHECK(vector_count(softmax, machine, Action::kAdd) == 120);
  CHECK(vector_count(softmax, machine, Action::kActivation) == 60);
  CHECK(vector_count(softmax, machine, Action::kMultiply) == 60);
  CHECK(vector_count(softmax, machine, Action::kAverage) == 0);
  CHECK(softmax.total.cycles[CycleCause::kCompute] == 75);  // 60 * 5 / 4 lanes
  CHECK(softmax.total.dram.input_read == Bits(480));
  CHECK(softmax.total.dram.output_write == Bits(480));
  const NetworkCost norm = run("{name: y, op: layer_norm, activation: gelu}");
  CHECK(vector_count(norm, machine, Action::kAverage) == 120);
  CHECK(vector_count(norm, machine, Action::kAdd) == 120);
  CHECK(vector_count(norm, machine, Action::kMultiply) == 120);
  CHECK(vector_count(norm, machine, Action::kActivation) == 60);
  CHECK(norm.total.cycles[CycleCause::kCompute] == 105);
  // A folded activation function joins the operations of the same kind.
  const NetworkCost folded = run("{name: y, op: softmax, activation: relu}");
  CHECK(vector_count(folded, machine, Action::kActivation) == 120);
}

TEST_CASE("Tiles of a normalization hold all channels that it joins", "[evaluate]") {
  // Eight heads of 512 channels and a half of 2048 bytes (4x4 machine, input and output buffer).
  const Machine machine = tests::example_machine(arch::Dataflow::kOutputStationary);
  const PrecisionMap bits = PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));
  const auto run = [&](const std::string& layer, int channels) {
    return evaluate(machine,
                    read(fmt::format("name: n\ninput: {{name: x, shape: [5, {}]}}\nlayers: [{}]\n",
                                     channels, layer)),
                    bits);
  };
  const Result<NetworkCost> softmax = run("{name: y, op: softmax, heads: 8}", 8 * 512);
  REQUIRE(softmax.has_value());
  CHECK(softmax.value().layers[0].tasks[0].mapping.tile.out_channels % 512 == 0);
  const Result<NetworkCost> norm = run("{name: y, op: layer_norm}", 512);
  REQUIRE(norm.has_value());
  CHECK(norm.value().layers[0].tasks[0].mapping.tile.out_channels == 512);
  const Result<NetworkCost> large = run("{name: y, op: layer_norm}", 8 * 512);
  REQUIRE_FALSE(large.has_value());
  CHECK_THAT(large.infeasible().reason,
             Contains("layer 'y' cannot run") && Contains("4096 output channels needs 4096 bytes"));

  LayerTask task = tests::gemm_task(4, 8, 8);
  task.unit = TaskUnit::kVector;
  task.channels = task.out_channels = 8;
  task.channel_unit = 4;
  Mapping mapping;
  mapping.tile = {1, 1, 1, 6};
  CHECK_THROWS_WITH(prepare_task(task, mapping, machine.accelerator),
                    Contains("whole multiples of 4 are needed"));
}

TEST_CASE("Tokens after tokens are free where all widths are equal", "[evaluate]") {
  const Machine machine =
      load_machine(std::string(VERNIER_SOURCE_DIR) + "/configs/accelerators/bitfusion_16x32.yaml");
  const auto run = [&](int token_bits) {
    const LayerGraph graph =
        read(fmt::format("name: n\n"
                         "inputs:\n"
                         "  - {{name: x, shape: [5, 16]}}\n"
                         "  - {{name: token, shape: [1, 16], learned: true, precision: {}}}\n"
                         "layers:\n"
                         "  - {{name: y, op: concat, from: [token, x], axis: height}}\n",
                         token_bits));
    return evaluate(machine, graph, PrecisionMap{}).value();
  };
  CHECK(run(8).total.cycles.total() == Cycles(0));
  const NetworkCost copied = run(4);
  CHECK(vector_count(copied, machine, Action::kCopy) == 96);
  CHECK(copied.total.dram.input_read == Bits(704));    // 5 * 16 * 8 + 16 * 4
  CHECK(copied.total.dram.output_write == Bits(768));  // 6 * 16 * 8
}

}  // namespace
}  // namespace vernier::dataflow
