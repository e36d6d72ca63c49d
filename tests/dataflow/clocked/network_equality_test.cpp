// Holds the engines against each other on random small networks, on machines on which activations
// stay on chip: every layer's cycles by cause, actions and bits over the channel, and the outputs,
// where a layer computes on what the layers before it have really left on chip.
#include <algorithm>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "dataflow/clocked/systemc_engine.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "tests/support/oracle_case.hpp"
#include "tests/support/random_network.hpp"

namespace vernier::tests {
namespace {

using dataflow::CostSummary;
using dataflow::CycleCause;
using dataflow::Residence;

struct Tally {
  int feasible = 0;
  int networks_with_residence = 0;
  int activations_on_chip = 0;
  int activations_without_room = 0;
};

void compare(std::string& text, const CostSummary& clocked, const CostSummary& analytical) {
  for (int at = 0; at < dataflow::kCycleCauseCount; ++at) {
    const auto cause = static_cast<CycleCause>(at);
    if (clocked.cycles[cause] == analytical.cycles[cause]) continue;
    text += fmt::format("  {}: clocked {}, analytical {}\n", to_text(cause), clocked.cycles[cause],
                        analytical.cycles[cause]);
  }
  if (clocked.channel_busy_cycles != analytical.channel_busy_cycles) {
    text += fmt::format("  channel busy: clocked {}, analytical {}\n", clocked.channel_busy_cycles,
                        analytical.channel_busy_cycles);
  }
  if (clocked.dram != analytical.dram) text += "  bits over the channel differ\n";
  if (clocked.activity != analytical.activity) text += "  actions differ\n";
  if (clocked.peak_on_chip != analytical.peak_on_chip) text += "  bytes on chip differ\n";
}

std::string differences_of(const dataflow::AcceleratorSpec& spec, const RandomNetwork& network,
                           std::uint64_t seed, Tally& tally) {
  const dataflow::Machine machine = with_flat_prices(spec);
  const auto analytical = dataflow::Evaluator(machine).evaluate(network.graph, network.precision);
  dataflow::ClockedOptions options;
  options.seed = seed;
  const auto clocked =
      simulate(machine, network.graph, network.precision, dataflow::map_heuristically, options);
  if (analytical.has_value() != clocked.has_value()) return "only one engine finds it feasible\n";
  if (!analytical) return {};
  ++tally.feasible;
  const auto count = [&](Residence residence) {
    return static_cast<int>(std::count_if(
        analytical->residences.begin(), analytical->residences.end(),
        [residence](const auto& activation) { return activation.residence == residence; }));
  };
  tally.networks_with_residence += count(Residence::kOnChip) > 0 ? 1 : 0;
  tally.activations_on_chip += count(Residence::kOnChip);
  tally.activations_without_room += count(Residence::kNoRoom);
  std::string text;
  for (std::size_t at = 0; at < analytical->layers.size(); ++at) {
    std::string layer;
    compare(layer, clocked->cost.layers[at].cost, analytical->layers[at].cost);
    const dataflow::DataCheck& check = clocked->checks[at];
    if (check.mismatches != 0) layer += "  " + check.first_mismatch + "\n";
    if (check.overflows != 0) layer += "  sums left the accumulator\n";
    if (!layer.empty()) text += network.graph.layers()[at].name + "\n" + layer;
  }
  compare(text, clocked->cost.total, analytical->total);
  if (clocked->cost.residences != analytical->residences) text += "residences differ\n";
  return text;
}

void check_random_networks(int cases) {
  Tally tally;
  rc::detail::TestParams parameters = rc::detail::configuration().testParams;
  parameters.maxSuccess = cases;
  const auto result = rc::detail::checkTestable(
      [&] {
        dataflow::AcceleratorSpec spec = draw_oracle_machine(true);
        spec.mac.overflow = arch::AccumulatorOverflow::kSaturate;
        const RandomNetwork network = draw_network(dataflow::Accelerator(spec));
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        const std::string differences = differences_of(spec, network, seed, tally);
        if (!differences.empty()) {
          RC_FAIL(to_text(spec) + to_text(network) + fmt::format("operand seed {}\n", seed) +
                  differences);
        }
      },
      rc::detail::TestMetadata{}, parameters);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  if (result.is<rc::detail::FailureResult>()) {
    message.str(result.get<rc::detail::FailureResult>().description);
  }
  INFO(message.str() << "\nto repeat: RC_PARAMS=\"seed=" << parameters.seed << "\"");
  REQUIRE(result.is<rc::detail::SuccessResult>());
  // Or the property would say little.
  CHECK(4 * tally.feasible > 3 * cases);
  CHECK(2 * tally.networks_with_residence > cases);
  CHECK(10 * tally.activations_without_room > cases);
  constexpr int kMany = 1000;
  if (cases < kMany) return;
  WARN(tally.feasible << " networks ran; in " << tally.networks_with_residence
                      << " activations stayed on chip (" << tally.activations_on_chip << "), for "
                      << tally.activations_without_room << " there was no room");
}

TEST_CASE("The engines agree on random networks whose activations stay on chip",
          "[clocked][property]") {
  check_random_networks(150);
}

TEST_CASE("The engines agree on many random networks whose activations stay on chip",
          "[clocked][property][slow]") {
  check_random_networks(10'000);
}

}  // namespace
}  // namespace vernier::tests
