// On the lattice the surrogate is the evaluator; inside a cell its gradient is the finite
// difference; on inner legal widths it is the mean of both sides.
#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/surrogate/cost_model.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/small_networks.hpp"

namespace vernier::dataflow {
namespace {

using namespace tests;

std::vector<Objective> all_sums() {
  std::vector<Objective> objectives;
  for (const char* name : {"latency", "energy", "dram_traffic"}) {
    objectives.push_back({.measure = parse_measure(name)});
  }
  return objectives;
}

// Sums over the layers, in their order: what the surrogate adds up.
std::vector<double> layer_sums(const NetworkCost& cost) {
  std::vector<double> sums(3, 0.0);
  for (const LayerCost& layer : cost.layers) {
    sums[0] += static_cast<double>(layer.cost.cycles.total().count());
    sums[1] += layer.cost.energy.total().count();
    sums[2] += static_cast<double>(layer.cost.dram.total().count());
  }
  return sums;
}

// Whether both refuse, or both give the same numbers.
bool agree(const CostModel& model, const std::vector<double>& bits) {
  const Result<NetworkCost> exact = model.evaluate(bits);
  const Result<Relaxation> relaxed = model.relax(bits, all_sums());
  if (!exact || !relaxed) return exact.has_value() == relaxed.has_value();
  const std::vector<double> sums = layer_sums(*exact);
  const double total = exact->total.energy.total().count();
  bool equal = std::abs(sums[1] - total) <= 1e-12 * total;
  equal = equal && sums[0] == static_cast<double>(exact->total.cycles.total().count());
  for (std::size_t at = 0; at < sums.size(); ++at) {
    equal = equal && relaxed->objectives[at].measured == sums[at];
  }
  const Result<CostFigures> figures = model.figures(bits);
  return equal && figures->cycles == sums[0] && figures->energy_pj == sums[1] &&
         figures->dram_bits == sums[2];
}

// Advances an odometer over all lattice points.
bool next_point(const CostModel& model, std::vector<std::size_t>& point) {
  for (std::size_t at = 0; at < point.size(); ++at) {
    if (++point[at] < model.lattice(at).size()) return true;
    point[at] = 0;
  }
  return false;
}

std::size_t count_disagreements(const Machine& machine, const LayerGraph& graph) {
  const CostModel model(machine, graph);
  REQUIRE(model.variables().size() <= 6);
  std::vector<std::size_t> point(model.variables().size(), 0);
  std::size_t wrong = 0;
  do {
    std::vector<double> bits;
    for (std::size_t at = 0; at < point.size(); ++at) {
      bits.push_back(static_cast<double>(model.lattice(at)[point[at]]));
    }
    if (!agree(model, bits)) ++wrong;
  } while (next_point(model, point));
  return wrong;
}

TEST_CASE("Relax equals evaluate at every lattice point of 20 random networks", "[surrogate]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const auto dataflow =
        seed % 2 == 0 ? arch::Dataflow::kOutputStationary : arch::Dataflow::kWeightStationary;
    AcceleratorSpec spec = seed % 3 == 0 ? shared_buffer_spec(dataflow) : fused_spec(dataflow);
    if (seed % 4 == 0) spec.storage_bits = {1, 4, 8};
    const Machine machine = with_prices(spec);
    CHECK(count_disagreements(machine, random_network(seed)) == 0);
  }
}

// Largest deviation from finite differences, in units of 1e-9 * |value| / cell width.
double worst_difference(const CostModel& model, const std::vector<double>& bits) {
  const std::vector<Objective> objectives = all_sums();
  const Result<Relaxation> here = model.relax(bits, objectives);
  REQUIRE(here.has_value());
  double worst = 0.0;
  for (std::size_t at = 0; at < bits.size(); ++at) {
    const WidthLattice& lattice = model.lattice(at);
    const KnotPosition place = locate(lattice, bits[at]);
    const double step = 1e-5 * place.cell_above;
    std::vector<double> moved = bits;
    moved[at] = bits[at] + step;
    const Result<Relaxation> above = model.relax(moved, objectives);
    const double high = moved[at];
    moved[at] = bits[at] - step;
    const Result<Relaxation> below = model.relax(moved, objectives);
    for (std::size_t one = 0; one < objectives.size(); ++one) {
      const double difference =
          (above->objectives[one].measured - below->objectives[one].measured) / (high - moved[at]);
      const double allowed = 1e-9 * std::abs(here->objectives[one].measured) / place.cell_above;
      worst = std::max(worst, std::abs(difference - here->objectives[one].gradient[at]) / allowed);
    }
  }
  return worst;
}

TEST_CASE("The gradient at 1000 inner points is the finite difference", "[surrogate]") {
  // Multilinear terms on machines with separate buffers, simplices where all share one.
  Random random(7);
  int points = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Machine machine =
        with_prices(seed % 2 == 0 ? fused_spec(arch::Dataflow::kWeightStationary)
                                  : shared_buffer_spec(arch::Dataflow::kOutputStationary));
    const LayerGraph graph = random_network(seed);
    const CostModel model(machine, graph);
    for (int at = 0; at < 50; ++at, ++points) {
      const std::vector<double> bits = inner_bits(model, random);
      if (!model.relax(bits, all_sums())) continue;
      CAPTURE(seed, at);
      // A finite difference of numbers near 1e6 with steps near 1e-5 has this much rounding.
      CHECK(worst_difference(model, bits) <= 1.0);
    }
  }
  CHECK(points == 1000);
}

TEST_CASE("At an inner legal width the slope is the mean of both sides", "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({16, 16, 8}, 12);
  const CostModel model(machine, graph);
  const std::size_t weight = model.variable("fc1.weight");
  const auto cycles = [&](double bits) {
    std::vector<double> all(model.variables().size(), 4.0);
    all[weight] = bits;
    return model.figures(all)->cycles;
  };
  const double left = (cycles(4) - cycles(2)) / 2.0;
  const double right = (cycles(8) - cycles(4)) / 4.0;
  REQUIRE(left != right);
  const std::vector<double> bits(model.variables().size(), 4.0);
  const auto slope = [&](Kink kink) {
    return model.relax(bits, only("latency"), {.kink = kink})->gradient[weight];
  };
  CHECK(slope(Kink::kMean) == 0.5 * (left + right));
  CHECK(slope(Kink::kLeft) == left);
  CHECK(slope(Kink::kRight) == right);
}

TEST_CASE("At the ends of the lattice the inner slope holds and outside there is none",
          "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({16, 16, 8}, 12);
  const CostModel model(machine, graph);
  const std::size_t weight = model.variable("fc1.weight");
  std::vector<double> bits(model.variables().size(), 4.0);
  const auto cost = [&](double width) {
    bits[weight] = width;
    return model.relax(bits, only("latency"));
  };
  const double top = cost(8.0)->total;
  const double inner = (top - cost(4.0)->total) / 4.0;
  CHECK(cost(8.0)->gradient[weight] == inner);
  CHECK(cost(7.5)->gradient[weight] == Approx(inner).epsilon(1e-12));
  const Result<Relaxation> outside = cost(9.0);
  CHECK(outside->total == top);
  CHECK(outside->gradient[weight] == 0.0);
  CHECK(outside->clamped == std::vector<std::size_t>{weight});
  CHECK(cost(8.0)->clamped.empty());
  CHECK(cost(1.0)->clamped == std::vector<std::size_t>{weight});
}

TEST_CASE("Between legal widths relax is cheaper than the width that evaluate rounds up to",
          "[surrogate]") {
  // Design 8.6: 5 bits lie a quarter of the way from 4 to 8.
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({16, 16}, 12);
  const CostModel model(machine, graph);
  std::vector<double> bits(model.variables().size(), 8.0);
  const std::size_t weight = model.variable("fc1.weight");
  const double at8 = model.figures(bits)->cycles;
  bits[weight] = 4.0;
  const double at4 = model.figures(bits)->cycles;
  bits[weight] = 5.0;
  CHECK(model.figures(bits)->cycles == at8);
  const Result<Relaxation> relaxed = model.relax(bits, only("latency"));
  CHECK(relaxed->total == Approx(at4 + 0.25 * (at8 - at4)).epsilon(1e-14));
  const Result<Relaxation> exact = model.relax(bits, only("latency"), {.forward = Forward::kExact});
  CHECK(exact->total == at8);
  CHECK(exact->objectives[0].relaxed == relaxed->total);
  CHECK(exact->gradient == relaxed->gradient);
}

TEST_CASE("The bits of the next layer's weights change this layer and the gradient knows",
          "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({8, 8, 8}, 4);
  const CostModel model(machine, graph);
  const std::size_t weight = model.variable("fc2.weight");
  std::vector<double> bits(model.variables().size(), 8.0);
  const auto layers = [&](double width) {
    bits[weight] = width;
    const NetworkCost cost = model.evaluate(bits).value();
    return std::pair(cost.layers[0].cost.cycles.total().count(), cost.total.cycles.total().count());
  };
  const auto [first8, total8] = layers(8.0);
  const auto [first4, total4] = layers(4.0);
  CHECK(first4 < first8);  // the first layer loads fewer bits of the second one's weights
  bits[weight] = 6.0;
  CHECK(model.relax(bits, only("latency"))->gradient[weight] ==
        Approx(static_cast<double>(total8 - total4) / 4.0).epsilon(1e-12));
}

// Random lattice points of a shipped network.
std::size_t zoo_disagreements(const std::string& name, int points) {
  const Machine machine = load_machine(config_path("accelerators/bitfusion_16x32.yaml"));
  const LayerGraph graph = load_model(config_path("models/" + name + ".yaml"));
  const CostModel model(machine, graph);
  Random random(11);
  std::size_t wrong = 0;
  for (int at = 0; at < points; ++at) {
    if (!agree(model, legal_bits(model, random))) ++wrong;
  }
  return wrong;
}

TEST_CASE("Relax equals evaluate at random lattice points of shipped networks", "[surrogate]") {
  for (const char* name : {"mobilenetv2", "resnet20", "alexnet_grouped"}) {
    CAPTURE(name);
    CHECK(zoo_disagreements(name, 25) == 0);
  }
}

TEST_CASE("Relax equals evaluate at 1000 lattice points of every shipped network",
          "[surrogate][slow]") {
  const std::string name =
      GENERATE("alexnet_grouped", "alexnet_torchvision", "bert_base_layer", "efficientnet_lite0",
               "mobilenetv1", "mobilenetv2", "mobilenetv3_small", "resnet18", "resnet20",
               "resnet20_option_b", "resnet50", "resnet50_v1", "vgg16", "vit_tiny");
  CAPTURE(name);
  CHECK(zoo_disagreements(name, 1000) == 0);
}

}  // namespace
}  // namespace vernier::dataflow
