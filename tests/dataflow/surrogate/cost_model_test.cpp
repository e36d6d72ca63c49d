// Slices, ties and other remedies, rounding to legal widths, moving one variable, wrong use.
#include "dataflow/surrogate/cost_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/surrogate/moving_cost.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/small_networks.hpp"

namespace vernier::dataflow {
namespace {

using namespace tests;
using Catch::Contains;

PrecisionMap sliced_map(const std::string& weight, std::vector<PrecisionSlice> slices) {
  PrecisionMap map = PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));
  Precision precision;
  precision.bits = Bitwidth(2);
  for (const PrecisionSlice& slice : slices) precision.bits = std::max(precision.bits, slice.bits);
  precision.slices = std::move(slices);
  map.tensors[weight] = precision;
  return map;
}

TEST_CASE("Slices at legal widths cost what evaluate says at whole column blocks", "[surrogate]") {
  // 4 columns: 12 output channels are three blocks. One width per channel.
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({16, 12, 8}, 6);
  const CostModel model(machine, graph, {{}, {{"fc1.weight", per_channel(graph, "fc1.weight")}}});
  REQUIRE(model.variables().size() == 12 + 4);
  CHECK(model.variables()[model.variable("fc1.weight[3]")].elements == 16);
  for (const auto& [two, four] :
       std::vector<std::pair<int, int>>{{4, 4}, {0, 8}, {8, 4}, {12, 0}}) {
    CAPTURE(two, four);
    std::vector<double> bits(model.variables().size(), 8.0);
    std::vector<PrecisionSlice> slices;
    for (int channel = 0; channel < 12; ++channel) {
      const int width = channel < two ? 2 : channel < two + four ? 4 : 8;
      bits[model.variable("fc1.weight[" + std::to_string(channel) + "]")] = width;
      slices.push_back({1, Bitwidth(width)});
    }
    const NetworkCost exact = model.evaluate(sliced_map("fc1.weight", slices)).value();
    const auto cycles = static_cast<double>(exact.total.cycles.total().count());
    CHECK(model.relax(bits, only("latency"))->total == cycles);
    CHECK(model.figures(bits)->cycles == cycles);
    CHECK(model.figures(sliced_map("fc1.weight", slices))->cycles == cycles);
    CHECK(static_cast<double>(model.evaluate(bits)->total.cycles.total().count()) == cycles);
    CHECK(model.relax(bits, only("dram_traffic"))->total ==
          static_cast<double>(exact.total.dram.total().count()));
  }
}

TEST_CASE("Beside whole blocks both numbers are returned and are one block per width apart",
          "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({16, 12}, 6);
  const CostModel model(machine, graph, {{}, {{"fc1.weight", {1, 11}}}});
  std::vector<double> bits(model.variables().size(), 8.0);
  bits[model.variable("fc1.weight[0]")] = 2.0;
  const Relaxation both = model.relax(bits, only("latency"), {.forward = Forward::kExact}).value();
  const auto exact = static_cast<double>(
      model.evaluate(sliced_map("fc1.weight", {{1, Bitwidth(2)}, {11, Bitwidth(8)}}))
          ->total.cycles.total()
          .count());
  CHECK(both.objectives[0].measured == exact);
  CHECK(both.objectives[0].relaxed < exact);
  // One block of four channels at each of the two widths.
  const auto block = [&](int width) {
    const LayerGraph four = dense_chain({16, 4}, 6);
    const CostModel alone(machine, four);
    std::vector<double> all(alone.variables().size(), 8.0);
    all[alone.variable("fc1.weight")] = width;
    return alone.figures(all)->cycles;
  };
  CHECK(exact - both.objectives[0].relaxed <= block(2) + block(8));
}

TEST_CASE("A slice's slope is that of the channels it moves", "[surrogate]") {
  // Between 4 and 8 bits the slice of 4 channels moves up to one column block.
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({64, 12}, 24);
  const CostModel model(machine, graph, {{}, {{"fc1.weight", {4, 8}}}});
  const std::size_t slice = model.variable("fc1.weight[0]");
  std::vector<double> bits(model.variables().size(), 8.0);
  const auto cost = [&](double width) {
    bits[slice] = width;
    return model.relax(bits, only("latency")).value();
  };
  const double secant = (cost(8.0).total - cost(4.0).total) / 4.0;
  REQUIRE(secant != 0.0);  // two small sub-layers may well cost more than one
  // Linear between the two ends, since only whole blocks lie there.
  CHECK(cost(6.0).total == Approx(0.5 * (cost(8.0).total + cost(4.0).total)).epsilon(1e-12));
  const double difference = (cost(6.001).total - cost(5.999).total) / 0.002;
  CHECK(cost(6.0).gradient[slice] == Approx(difference).epsilon(1e-6));
  CHECK(cost(6.0).gradient[slice] == Approx(secant).epsilon(1e-12));
  CHECK(cost(8.0).gradient[slice] == Approx(secant).epsilon(1e-12));
}

TEST_CASE("Wrong slices are refused by name", "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({16, 12}, 6);
  CHECK_THROWS_WITH(CostModel(machine, graph, {{}, {{"fc1.weigth", {12}}}}),
                    Contains("did you mean 'fc1.weight'?"));
  CHECK_THROWS_WITH(CostModel(machine, graph, {{}, {{"fc1.weight", {4, 4}}}}),
                    Contains("they have 8 channels, the tensor has 12"));
  CHECK_THROWS_WITH(CostModel(machine, graph, {{}, {{"fc1.weight", {0, 12}}}}),
                    Contains("found 0 channels"));
  CHECK_THROWS_WITH(CostModel(machine, graph, {{}, {{"fc1", {12}}}}), Contains("slices of 'fc1'"));
}

// A fused unit whose ports are as wide as 8 x 8 needs: with one narrow operand it takes half the
// steps and twice the cycles for each; with two narrow ones a quarter of the steps at twice the
// cycles. DRAM is fast enough to be out of the way.
AcceleratorSpec narrow_port_spec() {
  AcceleratorSpec spec = fused_spec(arch::Dataflow::kWeightStationary);
  spec.mac.weight_bits = spec.mac.activation_bits = spec.storage_bits = {4, 8};
  spec.buffers[0].word = spec.buffers[1].word = Bits(16);
  spec.buffers[2].banks = 8;  // sums are read back and written in the same line
  spec.buffers[2].capacity = Bytes(16384);
  spec.dram.bandwidth = Bandwidth::per_cycles(1 << 20, 1);
  return spec;
}

TEST_CASE("A unit that gains from both operands only is left by tying them", "[surrogate]") {
  const Machine machine = with_prices(narrow_port_spec());
  const LayerGraph graph = dense_chain({16, 4}, 8);
  const CostModel model(machine, graph);
  const std::size_t weight = model.variable("fc1.weight");
  const std::size_t input = model.variable("x");
  const std::vector<double> top(model.variables().size(), 8.0);
  const Relaxation plain = model.relax(top, only("latency")).value();
  CHECK(plain.gradient[weight] == 0.0);  // a step stays where it is
  CHECK(plain.gradient[input] == 0.0);
  const Relaxation tied = model.relax(top, only("latency"), {.tie = true}).value();
  std::vector<double> low = top;
  low[weight] = low[input] = 4.0;
  const double secant = (plain.total - model.figures(low)->cycles) / 4.0;
  REQUIRE(secant > 0.0);
  CHECK(tied.total == plain.total);
  CHECK(tied.gradient[weight] == 0.5 * secant);  // both move, and together they feel the secant
  CHECK(tied.gradient[input] == 0.5 * secant);
  std::vector<double> apart = top;
  apart[weight] = 4.0;
  CHECK_THROWS_WITH(model.relax(apart, only("latency"), {.tie = true}),
                    Contains("tie: 'x' has 8 bits and 'fc1.weight' has 4"));
}

TEST_CASE("In a DRAM-bound layer the operand that does not count moves with the one that does",
          "[surrogate]") {
  // One pixel of 8 channels fills one 64-bit word at 8 bits and at 4, so activations gain nothing;
  // the fixed unit gains nothing either. All time goes into the weights.
  AcceleratorSpec spec = example_spec(arch::Dataflow::kOutputStationary);
  spec.mac.weight_bits = spec.mac.activation_bits = spec.storage_bits = {4, 8};
  spec.buffers[0].word = Bits(64);
  spec.dram.bandwidth = Bandwidth::per_cycles(1, 1);
  const Machine machine = with_prices(spec);
  const LayerGraph graph = dense_chain({8, 64}, 1);
  const CostModel model(machine, graph);
  const std::size_t weight = model.variable("fc1.weight");
  const std::size_t input = model.variable("x");
  const std::vector<double> top(model.variables().size(), 8.0);
  REQUIRE(bound_by(model.evaluate(top)->total.cycles,
                   model.evaluate(top)->total.channel_busy_cycles) == BoundBy::kDram);
  const Relaxation plain = model.relax(top, only("latency")).value();
  CHECK(plain.gradient[input] == 0.0);
  CHECK(plain.gradient[weight] > 0.0);
  const Relaxation tied = model.relax(top, only("latency"), {.tie = true}).value();
  CHECK(tied.gradient[input] > 0.0);
  CHECK(tied.gradient[input] + tied.gradient[weight] == plain.gradient[weight]);
}

TEST_CASE("A cost that falls with wider bits is reported and the envelope takes the cheapest",
          "[surrogate]") {
  // Output stationary with narrow ports: 4 x 8 bits also pay fill and drain twice.
  AcceleratorSpec spec = narrow_port_spec();
  spec.array.dataflow = arch::Dataflow::kOutputStationary;
  const Machine machine = with_prices(spec);
  const LayerGraph graph = dense_chain({16, 4}, 8);
  const CostModel model(machine, graph);
  const std::size_t weight = model.variable("fc1.weight");
  std::vector<double> bits(model.variables().size(), 8.0);
  const double at8 = model.figures(bits)->cycles;
  bits[weight] = 4.0;
  const double at4 = model.figures(bits)->cycles;
  REQUIRE(at4 > at8);
  const Relaxation plain = model.relax(bits, only("latency")).value();
  CHECK(plain.total == at4);
  CHECK(plain.gradient[weight] < 0.0);
  CHECK(std::count(plain.falling.begin(), plain.falling.end(), weight) == 1);
  const Relaxation envelope =
      model.relax(bits, only("latency"), {.monotone = Monotone::kEnvelope}).value();
  CHECK(envelope.total == at8);
  CHECK(envelope.gradient[weight] == 0.0);
}

TEST_CASE("Moving one tensor evaluates only the terms that contain it", "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({8, 8, 8, 8, 8, 8, 8}, 4);
  const CostModel model(machine, graph);
  std::vector<double> bits(model.variables().size(), 6.0);
  MovingCost moving(model, bits);
  const std::vector<Objective> objectives = only("energy_delay");
  REQUIRE(moving.cost(objectives).has_value());
  CHECK(moving.evaluated_terms() == 6);
  const std::size_t weight = model.variable("fc3.weight");
  CHECK(moving.terms_of(weight) == std::vector<std::size_t>{1, 2});  // its own, and the prefetch
  for (const double width : {3.0, 8.0, 9.0, 2.0}) {
    moving.set(weight, width);
    bits[weight] = width;
    const std::size_t before = moving.evaluated_terms();
    const Relaxation moved = moving.cost(objectives).value();
    CHECK(moving.evaluated_terms() == before + 2);
    const Relaxation fresh = model.relax(bits, objectives).value();
    CHECK(moved.total == fresh.total);
    CHECK(moved.gradient == fresh.gradient);
    CHECK(moved.clamped == fresh.clamped);
  }
  CHECK_THROWS_WITH(moving.set(99, 4.0), Contains("variable 99"));
  CHECK_THROWS_WITH(moving.set(0, std::nan("")), Contains("nan"));
}

TEST_CASE("Legal pairs are those that evaluate takes and bits are rounded to them", "[surrogate]") {
  // 32-bit accumulators hold at most 256 products of 16 x 8 bits.
  const Machine machine = load_machine(config_path("accelerators/bitfusion_16x32.yaml"));
  const LayerGraph graph = dense_chain({512, 8}, 4);
  const CostModel model(machine, graph);
  const std::vector<WidthPair> pairs = model.legal_pairs("fc1");
  for (const int weight : {2, 4, 8, 16}) {
    for (const int input : {2, 4, 8, 16}) {
      const bool fits = weight + input + 9 <= 32;
      const WidthPair pair{Bitwidth(weight), Bitwidth(input)};
      CHECK((std::find(pairs.begin(), pairs.end(), pair) != pairs.end()) == fits);
    }
  }
  CHECK_THROWS_WITH(model.legal_pairs("fc2"), Contains("no layer 'fc2'"));

  std::vector<double> bits(model.variables().size(), 5.0);
  bits[model.variable("fc1.weight")] = 9.0;
  bits[model.variable("x")] = 15.0;
  const auto rounded = [&](RoundPolicy policy) {
    const LegalWidths legal = model.round_to_legal(bits, policy);
    return std::vector<std::int64_t>{legal.bits[model.variable("fc1.weight")],
                                     legal.bits[model.variable("x")],
                                     legal.bits[model.variable("fc1")]};
  };
  CHECK(rounded(RoundPolicy::kDown) == std::vector<std::int64_t>{8, 8, 4});
  // 8 x 16 is not legal, so the wider operand is narrowed; of 16 x 16 first the weight.
  CHECK(rounded(RoundPolicy::kNearest) == std::vector<std::int64_t>{8, 8, 4});
  CHECK(rounded(RoundPolicy::kUp) == std::vector<std::int64_t>{8, 8, 8});
  CHECK(model.round_to_legal(bits, RoundPolicy::kUp).notes.size() == 2);
}

TEST_CASE("Wrong bits are refused by name", "[surrogate]") {
  const Machine machine = load_machine(config_path("accelerators/bitfusion_16x32.yaml"));
  const LayerGraph graph = dense_chain({512, 8}, 4);
  const CostModel model(machine, graph);
  std::vector<double> bits(model.variables().size(), 8.0);
  bits[model.variable("x")] = 4.5;
  CHECK_THROWS_WITH(model.evaluate(bits),
                    Contains("bits of 'x': found 4.5") && Contains("the nearest are 4 and 8"));
  bits[model.variable("x")] = 17.0;
  CHECK_THROWS_WITH(model.evaluate(bits), Contains("found 17") && Contains("the nearest is 16"));
  bits[model.variable("x")] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(model.relax(bits, only("latency")),
                    Contains("bits of 'x'") && Contains("found nan"));
  CHECK_THROWS_WITH(model.evaluate(bits), Contains("found nan"));
  bits.pop_back();
  CHECK_THROWS_WITH(model.relax(bits, only("latency")),
                    Contains("found 2 numbers; the network has 3 variables"));
  CHECK_THROWS_WITH(model.variable("fc1.wieght"), Contains("did you mean 'fc1.weight'?"));

  // An illegal pair, exact and inside a cell with an illegal corner.
  const std::string advice =
      "legal pairs of the layer 'fc1' are w2a2, w2a4, w2a8, w2a16, w4a2, w4a4, w4a8, w4a16, w8a2, "
      "w8a4, w8a8, w16a2, w16a4; the nearest to w16a16 is w16a4";
  const std::vector<double> wide(model.variables().size(), 16.0);
  CHECK_THROWS_WITH(model.evaluate(wide), Contains("accumulator bits") && Contains(advice));
  CHECK_THROWS_WITH(model.evaluate(PrecisionMap::uniform(Bitwidth(16), Bitwidth(16))),
                    Contains(advice));
  CHECK_THROWS_WITH(model.figures(wide), Contains(advice));
  const std::vector<double> between(model.variables().size(), 12.0);
  CHECK_THROWS_WITH(model.relax(between, only("latency")), Contains(advice));
  // At 8 x 8 only the inner slope exists.
  const std::vector<double> edge(model.variables().size(), 8.0);
  std::vector<double> inside = edge;
  inside[model.variable("fc1.weight")] = 7.0;
  CHECK(model.relax(edge, only("latency"))->gradient[model.variable("fc1.weight")] ==
        Approx(model.relax(inside, only("latency"))->gradient[model.variable("fc1.weight")]));
}

TEST_CASE("Many maps at once give what each gives alone", "[surrogate]") {
  const Machine machine = load_machine(config_path("accelerators/bitfusion_16x32.yaml"));
  const LayerGraph graph = load_model(config_path("models/resnet20.yaml"));
  const CostModel model(machine, graph);
  std::vector<PrecisionMap> maps;
  for (const int weight : {2, 3, 4, 8}) {
    for (const int activation : {2, 4, 8}) {
      maps.push_back(PrecisionMap::uniform(Bitwidth(weight), Bitwidth(activation)));
    }
  }
  const std::vector<Result<CostFigures>> two = model.figures_of_all(maps, 2);
  const std::vector<Result<CostFigures>> one = model.figures_of_all(maps, 1);
  for (std::size_t at = 0; at < maps.size(); ++at) {
    CHECK(two[at].value() == one[at].value());
    const NetworkCost exact = model.evaluate(maps[at]).value();
    CHECK(two[at]->cycles == static_cast<double>(exact.total.cycles.total().count()));
  }
}

}  // namespace
}  // namespace vernier::dataflow
