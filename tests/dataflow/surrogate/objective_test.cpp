// Measures by name, their golden values from two papers, and the forms in which they enter a loss.
#include <cmath>
#include <limits>
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
using Catch::Contains;

// A measure of a shipped network with equal bits everywhere, in one unit of its last printed digit.
double measured(const std::string& network, const std::string& name, double bits,
                const std::vector<std::string>& also = {}) {
  const Machine machine =
      load_machine(config_path("accelerators/bitfusion_16x32.yaml"), {"mac.accumulator_bits=64"});
  const LayerGraph graph = load_model(config_path("models/" + network + ".yaml"));
  const CostModel model(machine, graph);
  std::vector<Objective> objectives = only(name);
  objectives[0].measure.also = also;
  const std::vector<double> all(model.variables().size(), bits);
  return model.relax(all, objectives)->objectives[0].measured;
}

TEST_CASE("Sizes are those of Schaefer et al.", "[surrogate]") {
  // 3 bits everywhere; the averaged vector has a quantizer before and after the pool's reshape.
  CHECK(measured("efficientnet_lite0", "weight_size_kB", 3.0) == Approx(1728.7).margin(0.05));
  CHECK(measured("efficientnet_lite0", "activation_sum_inputs_kB", 3.0, {"global_pool"}) ==
        Approx(2504.1).margin(0.05));
  // Per bit.
  CHECK(measured("mobilenetv2", "weight_size_kB", 4.0) / 4.0 == Approx(433.8).margin(0.05));
  CHECK(measured("mobilenetv2", "activation_sum_inputs_kB", 4.0) / 4.0 ==
        Approx(827.1).margin(0.05));
}

TEST_CASE("Sizes are those of Uhlich et al.", "[surrogate]") {
  CHECK(measured("resnet20", "activation_sum_relu_KiB", 4.0) == 92.0);
  CHECK(measured("resnet20", "activation_max_tensor_KiB", 4.0) == 8.0);
  // 32 bits in MiB, from 16 bits: 4.594.
  CHECK(2.0 * measured("mobilenetv2", "activation_max_tensor_KiB", 16.0) / 1024.0 ==
        Approx(4.594).margin(0.0005));
  CHECK(2.0 * measured("mobilenetv2", "weight_size_KiB", 16.0) / 1024.0 ==
        Approx(13.24).margin(0.005));
}

TEST_CASE("The presets of two papers measure what their targets count", "[surrogate]") {
  const Machine machine =
      load_machine(config_path("accelerators/bitfusion_16x32.yaml"), {"mac.accumulator_bits=64"});
  const auto relaxed = [&](const std::string& network, double bits,
                           const std::vector<Objective>& objectives) {
    const LayerGraph graph = load_model(config_path("models/" + network + ".yaml"));
    const CostModel model(machine, graph);
    return model.relax(std::vector<double>(model.variables().size(), bits), objectives).value();
  };
  // Targets of the two configurations; at 3 and 4 bits everywhere they are just met.
  std::vector<Objective> schaefer = schaefer_sizes(1731.0, 2505.0);
  schaefer[1].measure.also = {"global_pool"};
  const Relaxation lite = relaxed("efficientnet_lite0", 3.0, schaefer);
  CHECK(lite.objectives[0].measured == Approx(1728.7).margin(0.05));
  CHECK(lite.objectives[1].measured == Approx(2504.1).margin(0.05));
  CHECK(lite.total == 0.0);
  const Relaxation wider = relaxed("efficientnet_lite0", 4.0, schaefer);
  const double over = wider.objectives[0].measured - 1731.0;
  CHECK(wider.objectives[0].value == Approx(1e-4 * over * over));
  const Relaxation sum = relaxed("resnet20", 4.0, uhlich_sizes(70.1, 92.1, false));
  CHECK(sum.objectives[1].measured == 92.0);
  CHECK(sum.objectives[1].value == 0.0);
  CHECK(sum.objectives[0].measured == Approx(131.0).margin(0.1));  // twice the 65.5 KiB at 2 bits
  CHECK(sum.objectives[0].value == Approx(0.1 * std::pow(sum.objectives[0].measured - 70.1, 2)));
  CHECK(relaxed("resnet20", 4.0, uhlich_sizes(70.1, 8.1, true)).objectives[1].measured == 8.0);
}

TEST_CASE("All accountings of a small chain", "[surrogate]") {
  // x: 8 x 2 elements, fc1: 4 x 2, fc2: 16 x 2; weights 32 and 64.
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({8, 4, 16}, 2);
  const CostModel model(machine, graph);
  std::vector<double> bits(model.variables().size(), 8.0);
  bits[model.variable("fc1")] = 4.0;
  const auto bytes = [&](const std::string& name) {
    return 1000.0 * model.relax(bits, only(name))->total;
  };
  CHECK(bytes("weight_size_kB") == Approx(32 + 64));
  CHECK(bytes("activation_sum_inputs_kB") == Approx(4));  // fc1 at 4 bits; x is the network's
  CHECK(bytes("activation_sum_outputs_kB") == Approx(4 + 32));
  CHECK(bytes("activation_sum_relu_kB") == 0.0);
  CHECK(bytes("activation_max_tensor_kB") == Approx(32));
  CHECK(bytes("activation_peak_in_out_kB") == Approx(4 + 32));
  CHECK(model.relax(bits, only("bit_operations"))->total == 8 * 4 * 2 * 64 + 4 * 16 * 2 * 32);
  const Result<Relaxation> relu = model.relax(bits, only("activation_max_tensor_kB"));
  CHECK(relu->gradient[model.variable("fc2")] == Approx(32.0 / 8000.0));
  CHECK(relu->gradient[model.variable("fc1")] == 0.0);
}

TEST_CASE("Every maximal tensor gets the gradient of the largest", "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({8, 4, 4}, 2);
  const CostModel model(machine, graph);
  const std::vector<double> bits(model.variables().size(), 5.0);
  const Result<Relaxation> largest = model.relax(bits, only("activation_max_tensor_kB"));
  CHECK(largest->gradient[model.variable("fc1")] == Approx(8.0 / 8000.0));
  CHECK(largest->gradient[model.variable("fc2")] == Approx(8.0 / 8000.0));
}

TEST_CASE("A stored size follows the storage widths", "[surrogate]") {
  AcceleratorSpec spec = fused_spec(arch::Dataflow::kOutputStationary);
  spec.storage_bits = {4, 8};
  const Machine machine = with_prices(spec);
  const LayerGraph graph = dense_chain({8, 4}, 2);
  const CostModel model(machine, graph);
  std::vector<double> bits(model.variables().size(), 2.0);
  const auto size = [&](double width) {
    bits[model.variable("fc1.weight")] = width;
    return 1000.0 * model.relax(bits, only("weight_size_kB_stored"))->total;
  };
  CHECK(size(2.0) == Approx(16));  // 32 weights of 4 bits
  CHECK(size(4.0) == Approx(16));
  CHECK(size(6.0) == Approx(24));
  CHECK(size(8.0) == Approx(32));
}

// Value and central difference of a form.
void check_slope(const Objective& objective, double at) {
  constexpr double kStep = 1e-6;
  const FormValue here = apply(objective, at);
  const double difference =
      (apply(objective, at + kStep).value - apply(objective, at - kStep).value) / (2.0 * kStep);
  CHECK(here.slope == Approx(difference).epsilon(1e-6).margin(1e-9));
}

TEST_CASE("Forms of an objective and their slopes", "[surrogate]") {
  Objective objective{.measure = parse_measure("latency"), .weight = 3.0, .target = 10.0};
  const auto value = [&](Form form, double at) {
    objective.form = form;
    return apply(objective, at).value;
  };
  CHECK(value(Form::kPenalty, 12.0) == 36.0);
  CHECK(value(Form::kHinge, 12.0) == 6.0);
  CHECK(value(Form::kHinge, 9.0) == 0.0);
  CHECK(value(Form::kSquaredHinge, 12.0) == 12.0);
  CHECK(value(Form::kLogBarrier, 5.0) == Approx(-3.0 * std::log(0.5)));
  objective.multiplier = 0.5;
  CHECK(value(Form::kAugmentedLagrangian, 12.0) == Approx((1.1 * 1.1 - 0.25) / 6.0));
  CHECK(value(Form::kAugmentedLagrangian, 1.0) == Approx(-0.25 / 6.0));
  for (const Form form : {Form::kPenalty, Form::kHinge, Form::kSquaredHinge, Form::kLogBarrier,
                          Form::kAugmentedLagrangian}) {
    objective.form = form;
    for (const double at : {2.0, 7.0, 9.5}) check_slope(objective, at);
    if (form != Form::kLogBarrier) check_slope(objective, 12.0);
  }
}

TEST_CASE("The multiplier grows while the target is missed and never falls below zero",
          "[surrogate]") {
  Objective objective{.measure = parse_measure("latency"),
                      .form = Form::kAugmentedLagrangian,
                      .weight = 2.0,
                      .target = 10.0,
                      .multiplier = 0.5};
  CHECK(updated_multiplier(objective, 15.0) == Approx(1.5));
  CHECK(updated_multiplier(objective, 9.0) == Approx(0.3));
  CHECK(updated_multiplier(objective, 1.0) == 0.0);
  // At the solution of min x^2 with x >= 1, written as g = 2 - x <= 1, the multiplier is 2.
  objective = {.measure = parse_measure("latency"),
               .form = Form::kAugmentedLagrangian,
               .weight = 4.0,
               .target = 1.0};
  double x = 0.0;
  for (int outer = 0; outer < 30; ++outer) {
    for (int step = 0; step < 400; ++step) x -= 0.05 * (2.0 * x - apply(objective, 2.0 - x).slope);
    objective.multiplier = updated_multiplier(objective, 2.0 - x);
  }
  CHECK(x == Approx(1.0).epsilon(1e-6));
  CHECK(objective.multiplier == Approx(2.0).epsilon(1e-6));
}

TEST_CASE("Energy-delay follows the chain rule", "[surrogate]") {
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const LayerGraph graph = dense_chain({16, 16, 8}, 12);
  const CostModel model(machine, graph);
  const std::vector<double> bits(model.variables().size(), 5.0);
  std::vector<Objective> objectives = only("latency");
  objectives.push_back({.measure = parse_measure("energy")});
  objectives.push_back({.measure = parse_measure("energy_delay")});
  const Relaxation cost = model.relax(bits, objectives).value();
  const ObjectiveResult& latency = cost.objectives[0];
  const ObjectiveResult& energy = cost.objectives[1];
  CHECK(cost.objectives[2].value == latency.value * energy.value);
  for (std::size_t at = 0; at < bits.size(); ++at) {
    CHECK(cost.objectives[2].gradient[at] ==
          Approx(latency.value * energy.gradient[at] + energy.value * latency.gradient[at]));
    CHECK(cost.gradient[at] ==
          Approx(latency.gradient[at] + energy.gradient[at] + cost.objectives[2].gradient[at]));
  }
  CHECK(cost.total == latency.value + energy.value + cost.objectives[2].value);
}

TEST_CASE("Wrong objectives are refused by name", "[surrogate]") {
  CHECK_THROWS_WITH(parse_measure("latncy"),
                    Contains("found 'latncy'") && Contains("did you mean 'latency'?"));
  CHECK_THROWS_WITH(parse_measure("energy_stored"), Contains("energy_stored"));
  CHECK_THROWS_WITH(parse_form("hing"), Contains("did you mean 'hinge'?"));
  for (const std::string& name : measure_names()) CHECK(to_text(parse_measure(name)) == name);
  Objective objective{
      .measure = parse_measure("energy"), .form = Form::kLogBarrier, .target = 10.0};
  CHECK_THROWS_WITH(apply(objective, 10.0),
                    Contains("log_barrier") && Contains("below its target 10"));
  objective.target = 0.0;
  CHECK_THROWS_WITH(apply(objective, 1.0), Contains("target: found 0"));
  objective = {.measure = parse_measure("energy"), .weight = std::nan("")};
  CHECK_THROWS_WITH(apply(objective, 1.0), Contains("weight: found nan"));
  objective = {.measure = parse_measure("energy"),
               .form = Form::kAugmentedLagrangian,
               .weight = 1.0,
               .target = 1.0,
               .multiplier = -1.0};
  CHECK_THROWS_WITH(apply(objective, 1.0), Contains("multiplier: found -1"));
  CHECK_THROWS_WITH(measured("resnet20", "activation_sum_relu_kB", 4.0, {"avgpol"}),
                    Contains("avgpol") && Contains("did you mean 'avgpool'?"));
}

}  // namespace
}  // namespace vernier::dataflow
