// The traps of design 8.7: places where a plain gradient step stays although a legal step of two
// operands together gains, and what the documented remedy does there.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/surrogate/cost_model.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/small_networks.hpp"

namespace vernier::dataflow {
namespace {

using namespace tests;
using Catch::Contains;

// Subword units with a channel that is out of the way: every block takes one cycle.
Machine subword_machine(std::vector<std::string> overrides) {
  overrides.emplace_back("dram.bandwidth=1048576 bit/cycle");
  return load_machine(config_path("accelerators/subword_dvafs.yaml"), overrides);
}

LayerGraph depthwise(std::int64_t channels) {
  Conv2d conv;
  conv.out_channels = conv.groups = channels;
  conv.window.kernel_height = conv.window.kernel_width = 3;
  conv.window.pad_top = conv.window.pad_left = 1;
  conv.window.pad_bottom = conv.window.pad_right = 1;
  return {"depthwise", {{"x", {channels, 8, 8}, {}, {}}}, {layer_spec("fc1", conv, {"x"})}};
}

double sum_of(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0);
}

// One step of gradient descent over weight and input, rounded to legal widths.
std::vector<double> stepped(const CostModel& model, std::vector<double> bits,
                            const std::vector<double>& gradient) {
  double largest = 0.0;
  for (const double slope : gradient) largest = std::max(largest, std::abs(slope));
  for (std::size_t at = 0; at < bits.size() && largest > 0.0; ++at) {
    bits[at] -= 4.0 * gradient[at] / largest;
  }
  const LegalWidths legal = model.round_to_legal(bits, RoundPolicy::kNearest);
  return {legal.bits.begin(), legal.bits.end()};
}

void check_subword_trap(const Machine& machine, const LayerGraph& graph) {
  const CostModel model(machine, graph);
  const std::size_t weight = model.variable("fc1.weight");
  const std::size_t input = model.variable("x");
  const std::vector<double> top(model.variables().size(), 8.0);
  const Relaxation plain = model.relax(top, only("latency")).value();
  CHECK(plain.gradient[weight] == 0.0);
  CHECK(plain.gradient[input] == 0.0);
  CHECK(model.figures(stepped(model, top, plain.gradient))->cycles == plain.total);

  std::vector<double> low = top;
  low[weight] = low[input] = 4.0;
  const double gain = plain.total - model.figures(low)->cycles;
  REQUIRE(gain > 0.0);
  const Relaxation tied = model.relax(top, only("latency"), {.tie = true}).value();
  CHECK(tied.total == plain.total);
  CHECK(tied.gradient[weight] == Approx(0.5 * gain / 4.0).epsilon(1e-12));
  CHECK(tied.gradient[input] == tied.gradient[weight]);
  CHECK(model.figures(stepped(model, top, tied.gradient))->cycles == plain.total - gain);
}

TEST_CASE("Subword units at 8 x 8 bits are left by tying weight and input", "[surrogate]") {
  // 1, 1, 2, 4 products at 8x8, 8x4, 4x4, 2x2.
  SECTION("groups in the subwords of a depthwise layer") {
    check_subword_trap(subword_machine({}), depthwise(16));
  }
  SECTION("output channels in the subwords of a dense layer") {
    check_subword_trap(subword_machine({"mac.subwords=out_channels", "array.depthwise=per_group"}),
                       dense_chain({64, 64}, 32));
  }
}

TEST_CASE("Subword units at 4 x 4 bits are a trap again", "[surrogate]") {
  const Machine machine = subword_machine({});
  const LayerGraph graph = depthwise(16);
  const CostModel model(machine, graph);
  const std::vector<double> middle(model.variables().size(), 4.0);
  // Between two legal widths the mean of both sides counts; to the left there is nothing to gain.
  const Relaxation left = model.relax(middle, only("latency"), {.kink = Kink::kLeft}).value();
  CHECK(left.gradient[model.variable("fc1.weight")] == 0.0);
  CHECK(left.gradient[model.variable("x")] == 0.0);
  const Relaxation tied =
      model.relax(middle, only("latency"), {.kink = Kink::kLeft, .tie = true}).value();
  std::vector<double> low = middle;
  low[model.variable("fc1.weight")] = low[model.variable("x")] = 2.0;
  const double gain = left.total - model.figures(low)->cycles;
  REQUIRE(gain > 0.0);
  CHECK(sum_of(tied.gradient) == Approx(gain / 2.0).epsilon(1e-12));
}

TEST_CASE("Slices of a tied weight leave a trap together", "[surrogate]") {
  const Machine machine =
      subword_machine({"mac.subwords=out_channels", "array.depthwise=per_group"});
  const LayerGraph graph = dense_chain({64, 96}, 32);
  const CostModel model(machine, graph, {{}, {{"fc1.weight", {32, 32, 32}}}});
  const CostModel whole(machine, graph);
  const std::vector<double> top(model.variables().size(), 8.0);
  const std::vector<double> whole_top(whole.variables().size(), 8.0);
  const Relaxation tied = model.relax(top, only("latency"), {.tie = true}).value();
  const Relaxation expected = whole.relax(whole_top, only("latency"), {.tie = true}).value();
  REQUIRE(sum_of(expected.gradient) > 0.0);
  CHECK(tied.total == expected.total);
  // All slices and the input get equal parts of the slope that the whole weight and the input have.
  const std::size_t input = model.variable("x");
  CHECK(sum_of(tied.gradient) == Approx(sum_of(expected.gradient)).epsilon(1e-12));
  for (const char* slice : {"fc1.weight[0]", "fc1.weight[1]", "fc1.weight[2]"}) {
    CHECK(tied.gradient[model.variable(slice)] == tied.gradient[input]);
  }
  std::vector<double> apart = top;
  apart[model.variable("fc1.weight[1]")] = 4.0;
  CHECK_THROWS_WITH(model.relax(apart, only("latency"), {.tie = true}),
                    Contains("tie: 'x' has 8 bits and 'fc1.weight[1]' has 4"));
}

TEST_CASE("A tied step between legal widths keeps the slope of the cell", "[surrogate]") {
  // Inside a cell both operands already feel the corner where both are lower.
  const Machine machine = subword_machine({});
  const LayerGraph graph = depthwise(16);
  const CostModel model(machine, graph);
  const std::vector<double> inside(model.variables().size(), 6.0);
  const Relaxation plain = model.relax(inside, only("latency")).value();
  const Relaxation tied = model.relax(inside, only("latency"), {.tie = true}).value();
  CHECK(sum_of(plain.gradient) > 0.0);
  CHECK(sum_of(tied.gradient) == Approx(sum_of(plain.gradient)).epsilon(1e-12));
}

}  // namespace
}  // namespace vernier::dataflow
