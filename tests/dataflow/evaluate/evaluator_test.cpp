#include "dataflow/evaluate/evaluator.hpp"

#include <array>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/graph/model_yaml.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

Machine bit_fusion() { return load_machine(kConfigs + "accelerators/bitfusion_16x32.yaml"); }

bool same(const NetworkCost& left, const NetworkCost& right) {
  if (left.layers.size() != right.layers.size()) return false;
  const auto equal = [](const CostSummary& a, const CostSummary& b) {
    return a.cycles == b.cycles && a.dram == b.dram && a.activity == b.activity &&
           a.energy.total().count() == b.energy.total().count();
  };
  for (std::size_t at = 0; at < left.layers.size(); ++at) {
    if (!equal(left.layers[at].cost, right.layers[at].cost)) return false;
    if (left.layers[at].tasks != right.layers[at].tasks) return false;
  }
  return equal(left.total, right.total);
}

TEST_CASE("The result is the same for any number of jobs and any order of use", "[evaluate]") {
  const Machine machine = bit_fusion();
  const LayerGraph graph = load_model(kConfigs + "models/mobilenetv2.yaml");
  const NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(4), Bitwidth(8))).tensors;
  const Evaluator alone(machine);
  const NetworkCost one = alone.evaluate(graph, bits, {.jobs = 1}).value();
  const Evaluator two(machine);
  CHECK(same(one, two.evaluate(graph, bits, {.jobs = 2}).value()));
  CHECK(same(one, two.evaluate(graph, bits, {.jobs = 1}).value()));  // warm
  const NetworkPrecision other =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(2), Bitwidth(2))).tensors;
  CHECK_FALSE(same(one, alone.evaluate(graph, other).value()));
  CHECK(same(one, alone.evaluate(graph, bits).value()));
}

TEST_CASE("What an evaluator remembers of a layer fits that layer only", "[evaluate]") {
  // Layers of one place in the network that differ in one thing each: every field that the cost
  // follows from must tell them apart, whatever was asked before.
  const Machine machine = bit_fusion();
  const Evaluator shared(machine);
  Conv2d conv{16, {}, 1};
  conv.window.kernel_height = conv.window.kernel_width = 3;
  conv.window.pad_top = conv.window.pad_bottom = 1;
  const auto graph_of = [](const Operator& op, const Shape& shape, ActivationKind activation,
                           std::int64_t batch) {
    return LayerGraph("one", {{"x", shape, {}, {}}}, {{"y", op, {"x"}, activation, {}, {}, {}}},
                      batch);
  };
  const Shape shape{16, 12, 12};
  std::vector<LayerGraph> graphs{graph_of(conv, shape, ActivationKind::kNone, 1),
                                 graph_of(conv, shape, ActivationKind::kSigmoid, 1),
                                 graph_of(conv, shape, ActivationKind::kNone, 2),
                                 graph_of(conv, {16, 12, 13}, ActivationKind::kNone, 1),
                                 graph_of(conv, {32, 12, 12}, ActivationKind::kNone, 1)};
  for (std::int64_t Window::*const field :
       {&Window::stride_height, &Window::stride_width, &Window::dilation_height,
        &Window::dilation_width, &Window::kernel_height, &Window::kernel_width}) {
    Conv2d other = conv;
    other.window.*field += 1;
    graphs.push_back(graph_of(other, shape, ActivationKind::kNone, 1));
  }
  Conv2d other = conv;
  other.groups = 2;
  graphs.push_back(graph_of(other, shape, ActivationKind::kNone, 1));
  graphs.push_back(graph_of(Dense{16}, shape, ActivationKind::kNone, 1));
  Pool pool{PoolKind::kMax, conv.window};
  graphs.push_back(graph_of(pool, shape, ActivationKind::kNone, 1));
  pool.kind = PoolKind::kAverage;
  graphs.push_back(graph_of(pool, shape, ActivationKind::kNone, 1));
  for (int round = 0; round < 2; ++round) {
    for (std::size_t at = 0; at < graphs.size(); ++at) {
      for (const int weight : {4, 8}) {
        for (const bool asymmetric : {false, true}) {
          CAPTURE(round, at, weight, asymmetric);
          NetworkPrecision bits =
              resolve_precision(graphs[at], PrecisionMap::uniform(Bitwidth(weight), Bitwidth(8)))
                  .tensors;
          for (Precision& precision : bits) precision.asymmetric = asymmetric;
          CHECK(same(shared.evaluate(graphs[at], bits).value(),
                     Evaluator(machine).evaluate(graphs[at], bits).value()));
        }
      }
    }
  }
}

TEST_CASE("One evaluator serves many threads", "[evaluate][threads]") {
  const Machine machine = tests::example_machine(arch::Dataflow::kOutputStationary);
  const LayerGraph graph("two", {{"image", {8, 6, 6}, {}, {}}},
                         {{"first", Dense{16}, {"image"}, {}, {}, {}, {}},
                          {"second", Dense{8}, {"first"}, {}, {}, {}, {}}});
  const NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).tensors;
  const NetworkCost expected = Evaluator(machine).evaluate(graph, bits).value();
  const Evaluator shared(machine);
  constexpr int kThreads = 4;
  std::array<bool, kThreads> good{};
  {
    std::vector<std::jthread> threads;
    for (int at = 0; at < kThreads; ++at) {
      threads.emplace_back([&, at] {
        bool all = true;
        for (int turn = 0; turn < 20; ++turn) {
          all = all && same(expected, shared.evaluate(graph, bits).value());
        }
        good[static_cast<std::size_t>(at)] = all;
      });
    }
  }
  for (const bool one : good) CHECK(one);
}

TEST_CASE("MobileNetV2 on Bit Fusion costs more cycles and energy with every wider weight",
          "[evaluate]") {
  const Machine machine = bit_fusion();
  const LayerGraph graph = load_model(kConfigs + "models/mobilenetv2.yaml");
  const Evaluator evaluator(machine);
  Cycles cycles{0};
  Picojoules energy{0.0};
  for (const int weight : {2, 4, 8}) {
    const NetworkCost cost =
        evaluator
            .evaluate(graph,
                      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(weight), Bitwidth(8)))
                          .tensors)
            .value();
    CHECK(cost.total.macs == Macs(300774272));
    CHECK(cost.total.cycles.total() > cycles);
    CHECK(cost.total.energy.total() > energy);
    cycles = cost.total.cycles.total();
    energy = cost.total.energy.total();
  }
}

TEST_CASE("Layers end at a barrier and the next first weight block is prefetched", "[evaluate]") {
  // Two dense layers on the 4x4 example machine; the second's first W block is loaded by the first
  // one, so its own weight traffic is smaller by that block and the sum is the same.
  const Machine machine = tests::example_machine(arch::Dataflow::kOutputStationary);
  const LayerGraph graph("two", {{"image", {6, 8, 1}, {}, {}}},
                         {{"first", Dense{8}, {"image"}, {}, {}, {}, {}},
                          {"second", Dense{8}, {"first"}, {}, {}, {}, {}}});
  const NetworkCost cost =
      evaluate(machine, graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).value();
  REQUIRE(cost.layers.size() == 2);
  // Rows of both weights are 64 bit; the first block of the second layer moves to the first one.
  const PrecisionMap bits = PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));
  const std::int64_t block = 64 * cost.layers[1].tasks[0].mapping.tile.out_channels;
  const auto alone = [&](std::string_view layer) {
    return evaluate(machine, graph.only_layer(layer), bits).value().total.dram.weight_read.count();
  };
  CHECK(cost.layers[0].cost.dram.weight_read.count() == alone("first") + block);
  CHECK(cost.layers[1].cost.dram.weight_read.count() == alone("second") - block);
  CHECK(cost.total.cycles.total() ==
        cost.layers[0].cost.cycles.total() + cost.layers[1].cost.cycles.total());
}

TEST_CASE("A sliced weight runs one task per width, ascending", "[evaluate]") {
  const Machine machine = bit_fusion();
  const LayerGraph graph("sliced", {{"image", {64, 8, 8}, {}, {}}},
                         {{"conv", Dense{64}, {"image"}, {}, {}, {}, {}}});
  PrecisionMap sliced = PrecisionMap::uniform(Bitwidth(4), Bitwidth(8));
  Precision weight;
  weight.slices = {{16, Bitwidth(8)}, {40, Bitwidth(2)}, {8, Bitwidth(8)}};
  weight.bits = Bitwidth(8);
  sliced.tensors["conv.weight"] = weight;
  const NetworkCost cost = evaluate(machine, graph, sliced).value();
  REQUIRE(cost.layers[0].tasks.size() == 2);
  CHECK(cost.total.macs == Macs(64 * 64 * 64));
  std::int64_t two_bit = 0;
  std::int64_t eight_bit = 0;
  for (const ActivityEntry& entry : cost.total.activity.entries()) {
    if (entry.action != Action::kMac) continue;
    (entry.weight_bits == 2 ? two_bit : eight_bit) += entry.count;
  }
  CHECK(two_bit == 64 * 64 * 40);
  CHECK(eight_bit == 64 * 64 * 24);
}

TEST_CASE("Widths that the machine lacks are rounded up and named, or refused when strict",
          "[evaluate]") {
  const Machine machine = bit_fusion();
  const LayerGraph graph("one", {{"image", {16, 4, 4}, {}, {}}},
                         {{"conv", Dense{16}, {"image"}, {}, {}, {}, {}}});
  const NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(3), Bitwidth(1))).tensors;
  const Evaluator evaluator(machine);
  const NetworkCost cost = evaluator.evaluate(graph, bits).value();
  CHECK(cost.layers[0].tasks[0].precision.weight == Bitwidth(4));
  CHECK(cost.layers[0].tasks[0].precision.activation == Bitwidth(2));
  REQUIRE(cost.roundings.size() == 2);  // the weight, and the 1-bit input computed at 2
  CHECK(cost.roundings[0].storage == Bitwidth(1));
  CHECK(cost.roundings[0].compute == Bitwidth(2));
  CHECK(cost.roundings[1].storage == Bitwidth(4));
  CHECK_THROWS_WITH(evaluator.evaluate(graph, bits, {.strict_bits = true}),
                    Catch::Contains("conv.weight") && Catch::Contains("2, 4, 8, 16"));
  const NetworkPrecision wide =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(17), Bitwidth(8))).tensors;
  CHECK_THROWS_WITH(evaluator.evaluate(graph, wide), Catch::Contains("17 bits"));
}

TEST_CASE("A layer that no tile can hold is infeasible and says what is missing", "[evaluate]") {
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  const Machine machine = tests::with_prices(spec);
  // One output pixel needs a 64x64 window of one channel: 4096 pixels x 32 bit = 16 KiB, a half of
  // the input buffer has 2 KiB.
  Conv2d conv;
  conv.window.kernel_height = conv.window.kernel_width = 64;
  const LayerGraph graph("wide", {{"image", {1, 64, 64}, {}, {}}},
                         {{"conv", conv, {"image"}, {}, {}, {}, {}}});
  const Result<NetworkCost> cost =
      evaluate(machine, graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8)));
  REQUIRE_FALSE(cost.has_value());
  CHECK(cost.infeasible().layer == "conv");
  CHECK(cost.infeasible().buffer == "input");
  CHECK(cost.infeasible().missing == Bytes(4096 * 4 - 2048));
}

TEST_CASE("Three lines evaluate a network", "[evaluate][readme]") {
  using namespace vernier;
  using namespace vernier::dataflow;
  // [README]
  const Machine machine = load_machine(kConfigs + "accelerators/bitfusion_16x32.yaml");
  const LayerGraph network = load_model(kConfigs + "models/resnet18.yaml");
  const NetworkCost cost =
      evaluate(machine, network, PrecisionMap::uniform(Bitwidth(4), Bitwidth(8))).value();
  // [README]
  CHECK(cost.total.macs == Macs(1814073344));
  CHECK(cost.total.cycles.total() > Cycles(0));
}

}  // namespace
}  // namespace vernier::dataflow
