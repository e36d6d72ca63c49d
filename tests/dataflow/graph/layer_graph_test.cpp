#include "dataflow/graph/layer_graph.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace vernier::dataflow {
namespace {

using Catch::Contains;

LayerSpec layer(const std::string& name, Operator op, std::vector<std::string> inputs) {
  LayerSpec spec;
  spec.name = name;
  spec.op = op;
  spec.inputs = std::move(inputs);
  return spec;
}

LayerSpec dense(const std::string& name, const std::string& from) {
  return layer(name, Dense{8}, {from});
}

LayerGraph graph_of(const std::vector<LayerSpec>& layers) {
  return {"net", {{"x", {8, 4, 1}, {}, {}}}, layers};
}

std::vector<std::string> order_of(const LayerGraph& graph) {
  std::vector<std::string> names;
  for (const Layer& entry : graph.layers()) names.push_back(entry.name);
  return names;
}

TEST_CASE("Layers that could run in any order keep the order of the file", "[dataflow][graph]") {
  const LayerGraph graph = graph_of({dense("c", "x"), dense("a", "x"), dense("b", "x")});
  CHECK(order_of(graph) == std::vector<std::string>{"c", "a", "b"});
}

TEST_CASE("A layer may stand before the one it reads", "[dataflow][graph]") {
  const LayerGraph graph = graph_of(
      {dense("last", "mid"), dense("free", "x"), dense("mid", "first"), dense("first", "x")});
  // Ready at first: free, first. Then mid, then last.
  CHECK(order_of(graph) == std::vector<std::string>{"free", "first", "mid", "last"});
  CHECK(graph.layers()[3].macs == Macs(256));  // 8 * 8 features, 4 tokens
}

TEST_CASE("A cycle is named with its layers", "[dataflow][graph]") {
  CHECK_THROWS_WITH(graph_of({dense("a", "c"), dense("b", "a"), dense("c", "b"), dense("d", "c"),
                              dense("e", "x")}),
                    "the layers form a cycle: a, b, c");
  CHECK_THROWS_WITH(graph_of({dense("a", "x"), dense("b", "b")}), "the layers form a cycle: b");
}

TEST_CASE("Names are unique among layers, inputs and weight tensors", "[dataflow][graph]") {
  CHECK_THROWS_WITH(graph_of({dense("a", "x"), dense("a", "x")}),
                    Contains("layer 'a': two layers have this name"));
  CHECK_THROWS_WITH(graph_of({dense("x", "x")}), Contains("a network input has the same name"));
  CHECK_THROWS_WITH(graph_of({dense("a", "x"), dense("a.weight", "a")}),
                    Contains("layer 'a'") && Contains("called 'a.weight'"));
  CHECK_THROWS_WITH(
      LayerGraph("net", {{"x", {8, 1, 1}, {}, {}}, {"x", {8, 1, 1}, {}, {}}}, {dense("a", "x")}),
      Contains("the network input 'x' stands twice"));
}

TEST_CASE("An unknown input is answered with the nearest name", "[dataflow][graph]") {
  CHECK_THROWS_WITH(graph_of({dense("conv1", "x"), dense("b", "conv")}),
                    "layer 'b': unknown input 'conv'; did you mean 'conv1'?");
}

TEST_CASE("All wrong names of a network are reported together", "[dataflow][graph]") {
  CHECK_THROWS_WITH(graph_of({dense("a", "p"), dense("a", "q")}),
                    Contains("two layers") && Contains("'p'") && Contains("'q'"));
}

TEST_CASE("Thousands of wrong names are cut", "[dataflow][graph]") {
  std::vector<LayerSpec> layers;
  for (int at = 0; at < 3000; ++at) layers.push_back(dense("l" + std::to_string(at), "nowhere"));
  CHECK_THROWS_WITH(graph_of(layers), Contains("'l49'") && !Contains("'l60'") && Contains("more"));
}

TEST_CASE("A network without input or layers is refused", "[dataflow][graph]") {
  CHECK_THROWS_WITH(graph_of({}), Contains("has no layers"));
  CHECK_THROWS_WITH(LayerGraph("net", {}, {dense("a", "x")}), Contains("has no input"));
}

TEST_CASE("Tensors know producer, consumers and whether they leave the network",
          "[dataflow][graph]") {
  const LayerGraph graph = graph_of({dense("a", "x"), dense("b", "a"),
                                     layer("sum", Elementwise{}, {"b", "a"}), dense("side", "a")});
  const Tensor& a = graph.tensor(*graph.find_tensor("a"));
  CHECK(a.producer == LayerId{0});
  CHECK(a.consumers == std::vector<LayerId>{1, 2, 3});
  CHECK_FALSE(a.is_network_output);
  CHECK(graph.tensor(*graph.find_tensor("sum")).is_network_output);
  CHECK(graph.tensor(*graph.find_tensor("side")).is_network_output);
  CHECK(graph.tensor(*graph.find_tensor("x")).is_network_input);
  const Tensor& weight = graph.tensor(*graph.find_tensor("b.weight"));
  CHECK(weight.kind == TensorKind::kWeight);
  CHECK(weight.elements() == 64);
  CHECK_FALSE(weight.is_network_output);
  CHECK_FALSE(graph.find_tensor("sum.weight").has_value());
}

TEST_CASE("A tensor that a layer reads twice has one consumer", "[dataflow][graph]") {
  const LayerGraph graph = graph_of({layer("twice", Elementwise{}, {"x", "x"})});
  CHECK(graph.tensor(*graph.find_tensor("x")).consumers == std::vector<LayerId>{0});
  CHECK(graph.layers()[0].inputs.size() == 2);
}

TEST_CASE("A residual keeps its tensor alive until the addition", "[dataflow][graph]") {
  const LayerGraph graph = graph_of(
      {dense("a", "x"), dense("b", "a"), dense("c", "b"), layer("sum", Elementwise{}, {"c", "a"})});
  const std::vector<Liveness> alive = graph.liveness();
  const auto of = [&](const char* name) { return alive[*graph.find_tensor(name)]; };
  CHECK_FALSE(of("x").produced.has_value());
  CHECK(of("x").last_use == LayerId{0});
  CHECK(of("a").produced == LayerId{0});
  CHECK(of("a").last_use == LayerId{3});
  CHECK(of("b").last_use == LayerId{2});
  CHECK(of("sum").produced == LayerId{3});
  CHECK_FALSE(of("sum").last_use.has_value());
}

TEST_CASE("A view keeps what it shows alive and shares its life", "[dataflow][graph]") {
  const LayerGraph graph = graph_of({dense("a", "x"), layer("flat", Reshape{{32, 1, 1}}, {"a"}),
                                     layer("again", Reshape{{8, 2, 2}}, {"flat"}), dense("b", "x"),
                                     dense("use", "again")});
  const TensorId a = *graph.find_tensor("a");
  CHECK(graph.viewed(*graph.find_tensor("flat")) == a);
  CHECK(graph.viewed(*graph.find_tensor("again")) == a);
  CHECK(graph.viewed(*graph.find_tensor("use")) == *graph.find_tensor("use"));
  const std::vector<Liveness> alive = graph.liveness();
  CHECK(alive[a].produced == LayerId{0});
  CHECK(alive[a].last_use == LayerId{4});
  CHECK(alive[*graph.find_tensor("again")].produced == LayerId{0});
  CHECK(alive[*graph.find_tensor("again")].last_use == LayerId{4});
}

TEST_CASE("A view of a network input is still the input", "[dataflow][graph]") {
  const LayerGraph graph =
      graph_of({layer("flat", Reshape{{32, 1, 1}}, {"x"}), dense("a", "flat")});
  CHECK(graph.viewed(*graph.find_tensor("flat")) == *graph.find_tensor("x"));
  CHECK_FALSE(graph.liveness()[*graph.find_tensor("flat")].produced.has_value());
}

TEST_CASE("A shape error names the layer", "[dataflow][graph]") {
  CHECK_THROWS_WITH(graph_of({dense("a", "x"), layer("r", Reshape{{5, 1, 1}}, {"a"})}),
                    "layer 'r': 5x1x1 has 5 elements, the input 8x4x1 has 32");
}

TEST_CASE("A tensor has at most 2^40 elements with its batch", "[dataflow][graph]") {
  const Shape large{1 << 20, 1 << 10, 1};  // 2^30, times batch 2^10 just fits
  const std::vector<InputSpec> inputs{{"x", large, {}, {}}};
  const std::vector<LayerSpec> layers{layer("act", ActivationLayer{}, {"x"})};
  CHECK_NOTHROW(LayerGraph("net", inputs, layers, 1 << 10));
  CHECK_THROWS_WITH(LayerGraph("net", inputs, layers, (1 << 10) + 1),
                    Contains("input 'x'") && Contains("more than 1099511627776 elements"));
  const LayerGraph one("net", inputs, layers);
  CHECK(one.with_batch(1 << 10).batch() == 1 << 10);
  CHECK_THROWS_AS(one.with_batch((1 << 10) + 1), ModelError);
}

TEST_CASE("A batch is 1 to 65536", "[dataflow][graph]") {
  const LayerGraph graph = graph_of({dense("a", "x")});
  CHECK(graph.with_batch(65536).batch() == 65536);
  CHECK_THROWS_AS(graph.with_batch(0), ModelError);
  CHECK_THROWS_AS(graph.with_batch(65537), ModelError);
}

TEST_CASE("One layer alone reads network inputs of the same shape", "[dataflow][graph]") {
  const LayerGraph graph =
      graph_of({dense("a", "x"), layer("sum", Elementwise{}, {"a", "a"}), dense("b", "sum")});
  const LayerGraph only = graph.only_layer("sum");
  REQUIRE(only.layers().size() == 1);
  CHECK(only.tensor(*only.find_tensor("a")).is_network_input);
  CHECK(only.tensor(*only.find_tensor("sum")).shape == Shape{8, 4, 1});
  CHECK_THROWS_WITH(graph.only_layer("sun"), Contains("no layer 'sun'; did you mean 'sum'?"));
}

TEST_CASE("Totals count MAC layers, weights and the largest maps", "[dataflow][graph]") {
  const LayerGraph graph =
      graph_of({layer("wide", Dense{100, true}, {"x"}), layer("pool", ActivationLayer{}, {"wide"}),
                dense("narrow", "pool")});
  const NetworkTotals totals = graph.totals();
  CHECK(totals.macs == Macs(6400));  // 4 * (8 * 100 + 100 * 8)
  CHECK(totals.weights == 1600);     // 8 * 100 + 100 * 8
  CHECK(totals.parameters == 1700);  // and 100 biases
  CHECK(totals.mac_layers == 2);
  CHECK(totals.largest_activation == 400);   // 100 * 4
  CHECK(totals.largest_in_plus_out == 432);  // 32 + 400, and 400 + 32
}

}  // namespace
}  // namespace vernier::dataflow
