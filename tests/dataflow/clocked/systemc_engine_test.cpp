// Whole networks on the clocked engine: the same costs as the analytical engine in every field, and
// exact outputs in every layer.
#include "dataflow/clocked/systemc_engine.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/graph/model_yaml.hpp"

namespace vernier::dataflow {
namespace {

Machine shipped_machine(const std::string& name, const std::vector<std::string>& changes = {}) {
  const std::string configs = std::string(VERNIER_SOURCE_DIR) + "/configs";
  return load_machine(configs + "/accelerators/" + name + ".yaml", changes, {configs + "/energy"});
}

// A dense layer, a depthwise one of 10 channels, and one of two groups.
LayerGraph grouped_network() {
  Conv2d first;
  first.out_channels = 10;
  first.window.kernel_height = first.window.kernel_width = 3;
  Conv2d depthwise = first;
  depthwise.groups = 10;
  depthwise.window.pad_top = depthwise.window.pad_left = 1;
  depthwise.window.pad_bottom = depthwise.window.pad_right = 1;
  Conv2d grouped = first;
  grouped.groups = 2;
  return LayerGraph("grouped", {{"image", {3, 9, 9}, {}, {}}},
                    {{"first", first, {"image"}, {}, {}, {}, {}},
                     {"depthwise", depthwise, {"first"}, {}, {}, {}, {}},
                     {"grouped", grouped, {"depthwise"}, {}, {}, {}, {}}});
}

LayerGraph shipped_network(const std::string& name) {
  return load_model(std::string(VERNIER_SOURCE_DIR) + "/configs/models/" + name + ".yaml");
}

void check_equal(const CostSummary& clocked, const CostSummary& analytical) {
  CHECK(clocked.cycles == analytical.cycles);
  CHECK(clocked.port_waits == analytical.port_waits);
  CHECK(clocked.channel_busy_cycles == analytical.channel_busy_cycles);
  CHECK(clocked.dram == analytical.dram);
  CHECK(clocked.activity == analytical.activity);
  CHECK(clocked.macs == analytical.macs);
  CHECK(clocked.peak_on_chip == analytical.peak_on_chip);
  CHECK(clocked.energy.total().count() == analytical.energy.total().count());
}

void check_network(const Machine& machine, const LayerGraph& graph, const PrecisionMap& bits) {
  const NetworkPrecision precision = resolve_precision(graph, bits).tensors;
  const NetworkCost analytical = Evaluator(machine).evaluate(graph, precision).value();
  const ClockedNetwork clocked = simulate(machine, graph, precision, map_heuristically).value();
  check_equal(clocked.cost.total, analytical.total);
  REQUIRE(clocked.cost.layers.size() == analytical.layers.size());
  for (std::size_t at = 0; at < analytical.layers.size(); ++at) {
    CAPTURE(graph.layers()[at].name, clocked.checks[at].first_mismatch);
    check_equal(clocked.cost.layers[at].cost, analytical.layers[at].cost);
    CHECK(clocked.checks[at].mismatches == 0);
    CHECK(clocked.checks[at].overflows == 0);
  }
  CHECK(clocked.outputs() > 0);
}

}  // namespace

TEST_CASE("Every depthwise mode costs the same on both engines", "[clocked][families]") {
  const auto changes = GENERATE(
      std::vector<std::string>{"array.depthwise=per_group"},
      std::vector<std::string>{"array.fold_overlap=none"},
      std::vector<std::string>{"array.fold_overlap=none", "array.depthwise=block_diagonal"},
      std::vector<std::string>{"array.fold_overlap=none", "array.depthwise=block_diagonal",
                               "array.rows=64"},
      std::vector<std::string>{"array.depthwise=vector_unit"});
  CAPTURE(changes);
  check_network(shipped_machine("bitfusion_16x32", changes), grouped_network(),
                PrecisionMap::uniform(Bitwidth(4), Bitwidth(4)));
}

TEST_CASE("The serial and subword machines cost the same on both engines", "[clocked][families]") {
  const auto name =
      GENERATE(as<std::string>{}, "weight_serial", "activation_serial", "subword_dvafs");
  const int bits = GENERATE(2, 4);
  CAPTURE(name, bits);
  check_network(shipped_machine(name), grouped_network(),
                PrecisionMap::uniform(Bitwidth(bits), Bitwidth(bits)));
}

TEST_CASE("A network with sliced weights and prefetch costs the same on both engines",
          "[clocked]") {
  const Machine machine = shipped_machine("bitfusion_16x32");
  const LayerGraph graph = shipped_network("resnet20");
  PrecisionMap bits = PrecisionMap::uniform(Bitwidth(4), Bitwidth(8));
  Precision sliced;
  sliced.bits = Bitwidth(8);
  sliced.slices = {{10, Bitwidth(2)}, {6, Bitwidth(8)}};
  bits.tensors["conv1.weight"] = sliced;
  check_network(machine, graph, bits);
}

TEST_CASE("MobileNetV2 on Bit Fusion costs the same on both engines", "[clocked][slow]") {
  check_network(shipped_machine("bitfusion_16x32"), shipped_network("mobilenetv2"),
                PrecisionMap::uniform(Bitwidth(4), Bitwidth(8)));
}

TEST_CASE("ResNet-18 on SCALE-Sim's default machine costs the same on both engines",
          "[clocked][slow]") {
  check_network(shipped_machine("scale_sim_default"), shipped_network("resnet18"),
                PrecisionMap::uniform(Bitwidth(8), Bitwidth(8)));
}

TEST_CASE("Attention and normalization cost the same on both engines", "[clocked][slow]") {
  check_network(shipped_machine("edge_64x64_ws"), shipped_network("vit_tiny"),
                PrecisionMap::uniform(Bitwidth(8), Bitwidth(8)));
}

TEST_CASE("Given tensors are used and checked against the network", "[clocked]") {
  const Machine machine = shipped_machine("bitfusion_16x32");
  const LayerGraph graph = shipped_network("resnet20").only_layer("conv1");
  const NetworkPrecision precision =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).tensors;
  ClockedOptions options;
  const std::size_t weights = 16 * 3 * 3 * 3;
  options.tensors["conv1.weight"] = {
      std::vector<std::int32_t>(weights, 0), {16, 3, 3, 3}, "zeros.npy"};
  CHECK(simulate(machine, graph, precision, map_heuristically, options)->mismatches() == 0);
  options.tensors["conv1.weight"].values.back() = 200;
  CHECK_THROWS_WITH(simulate(machine, graph, precision, map_heuristically, options),
                    Catch::Contains("zeros.npy: the value 200 does not fit the 8 signed bits of "
                                    "'conv1.weight'"));
  options.tensors["conv1.weight"].shape = {3, 3, 3, 16};
  CHECK_THROWS_WITH(simulate(machine, graph, precision, map_heuristically, options),
                    Catch::Contains("the shape is (3, 3, 3, 16); the tensor 'conv1.weight' has "
                                    "(16, 3, 3, 3)"));
  options.tensors = {{"conv1", {{}, {}, "x.npy"}}};
  CHECK_THROWS_WITH(simulate(machine, graph, precision, map_heuristically, options),
                    Catch::Contains("no layer reads 'conv1'"));
  options.tensors = {{"conv1.weights", {{}, {}, "x.npy"}}};
  CHECK_THROWS_WITH(
      simulate(machine, graph, precision, map_heuristically, options),
      Catch::Contains("no tensor 'conv1.weights'") && Catch::Contains("conv1.weight"));
  options.tensors.clear();
  options.window_layer = "conv2";
  CHECK_THROWS_WITH(simulate(machine, graph, precision, map_heuristically, options),
                    Catch::Contains("no layer 'conv2'"));
}

}  // namespace vernier::dataflow
