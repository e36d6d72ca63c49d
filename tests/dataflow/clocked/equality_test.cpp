// Holds the clocked engine against the analytical one: cycles by cause, every action, every bit
// over the channel, and the results against the definition of the layer, on random tasks.
#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "dataflow/clocked/clocked_machine.hpp"
#include "dataflow/evaluate/task_cost.hpp"
#include "tests/support/oracle_case.hpp"

namespace vernier::tests {
namespace {

using dataflow::ClockedRun;
using dataflow::CostSummary;
using dataflow::CycleCause;

void compare(std::string& text, std::string_view what, std::int64_t clocked,
             std::int64_t analytical) {
  if (clocked == analytical) return;
  text += fmt::format("{}: clocked {}, analytical {}\n", what, clocked, analytical);
}

void compare_activity(std::string& text, const Activity& clocked, const Activity& analytical) {
  const auto list = [&](const Activity& all, const Activity& others, std::string_view who) {
    for (const ActivityEntry& entry : all.entries()) {
      const auto found = std::find(others.entries().begin(), others.entries().end(), entry);
      if (found != others.entries().end()) continue;
      text += fmt::format("only {}: component {} {} {} {}x{}: {}\n", who, entry.component,
                          vernier::to_text(entry.action), vernier::to_text(entry.role),
                          entry.weight_bits, entry.activation_bits, entry.count);
    }
  };
  list(clocked, analytical, "clocked");
  list(analytical, clocked, "analytical");
}

// Places of the activations that stay: inputs, then the output, one element after the other, the
// last element first.
struct OwnPlaces {
  std::array<std::vector<std::int64_t>, 2> inputs;
  std::vector<std::int64_t> output;
  dataflow::TaskPlaces loan;

  explicit OwnPlaces(const dataflow::LayerTask& task) {
    const dataflow::OperandSizes sizes = operand_sizes(task);
    const auto add = [this](std::vector<std::int64_t>& places, std::int64_t elements) {
      for (std::int64_t left = elements; left > 0; --left) {
        places.push_back(loan.elements + left - 1);
      }
      loan.elements += elements;
    };
    for (std::size_t slot = 0; slot < inputs.size(); ++slot) {
      if (task.input_resident[slot]) add(inputs[slot], sizes.inputs[slot]);
      loan.inputs[slot] = &inputs[slot];
    }
    if (task.output_resident) add(output, sizes.outputs);
    loan.output = &output;
  }
};

std::string differences_of(const OracleCase& drawn, std::uint64_t seed,
                           const memory::MachineFaults& faults, bool& feasible) {
  const dataflow::Machine machine = with_flat_prices(drawn.machine);
  const auto prepared = prepare_task(drawn.task, drawn.mapping, machine.accelerator);
  feasible = prepared.has_value();
  if (!feasible) return {};
  const dataflow::TaskBorder border{drawn.weight_is_loaded, Bits(drawn.next_weight_bits)};
  const CostSummary cost = cost_of_task(*prepared, border, machine);

  const dataflow::TaskOperands operands =
      draw_operands(drawn.task, machine.accelerator, seed,
                    {{(seed & 1U) != 0, (seed & 2U) != 0}, (seed & 4U) != 0});
  dataflow::ClockedMachine clocked(machine.accelerator);
  clocked.plant(faults);
  ClockedRun run;
  if (drawn.weight_is_loaded) {
    // A task before it that fetches the block: one multiplication of its own.
    dataflow::LayerTask first = drawn.task;
    first.images = first.groups = first.channels = first.out_channels = 1;
    first.in_height = first.in_width = first.out_height = first.out_width = 1;
    first.window = {};
    first.asymmetric_weight = first.asymmetric_input = false;
    first.input_resident = {};
    first.output_resident = false;
    const auto before = prepare_task(first, dataflow::Mapping{}, machine.accelerator);
    // Its inputs and outputs take room that those of a task with resident tensors do not.
    feasible = before.has_value();
    if (!feasible) return {};
    const dataflow::TaskOperands one = draw_operands(first, machine.accelerator, seed);
    static_cast<void>(clocked.run({&before->schedule,
                                   &one,
                                   {false, prepared->schedule.first_weight_block()},
                                   &prepared->schedule,
                                   &operands}));
  }
  const OwnPlaces places(drawn.task);
  for (std::size_t slot = 0; slot < places.inputs.size(); ++slot) {
    if (!drawn.task.input_resident[slot]) continue;
    clocked.leave_on_chip(places.inputs[slot], operands.inputs[slot],
                          drawn.task.input_storage[slot]);
  }
  run = clocked.run({&prepared->schedule, &operands, border, nullptr, nullptr, places.loan});

  std::string text;
  for (int at = 0; at < dataflow::kCycleCauseCount; ++at) {
    const auto cause = static_cast<CycleCause>(at);
    compare(text, to_text(cause), run.cycles[cause], cost.cycles[cause]);
  }
  for (std::size_t port = 0; port < run.port_waits.size(); ++port) {
    compare(text, fmt::format("waits for port {}", port), run.port_waits[port],
            cost.port_waits[port]);
  }
  compare(text, "channel busy", run.channel_busy_cycles, cost.channel_busy_cycles);
  if (run.dram != cost.dram) text += "bits over the channel differ\n";
  compare_activity(text, run.activity, cost.activity);
  const auto expected = reference_outputs(drawn.task, machine.accelerator, operands);
  compare(text, "outputs", static_cast<std::int64_t>(run.exact.size()),
          static_cast<std::int64_t>(expected.size()));
  for (std::size_t at = 0; at < std::min(run.exact.size(), expected.size()); ++at) {
    const std::int64_t code =
        arch::requantize(expected[at], operands.requant_shift, drawn.task.output_storage.bits());
    if (run.exact[at] == expected[at] && run.codes[at] == code) continue;
    text += fmt::format("output {}: {} (code {}), the definition says {} (code {})\n", at,
                        run.exact[at], run.codes[at], expected[at], code);
    break;
  }
  return text;
}

// About every fourth case does not fit its buffers.
constexpr int kCases = 480;
constexpr int kFeasible = 300;
constexpr int kManyCases = 14'500;
constexpr int kManyFeasible = 10'000;

enum class Shrink : std::uint8_t { kNo, kYes };

struct Outcome {
  bool holds = false;
  int feasible_cases = 0;
  std::string message;
};

// RapidCheck with a number of cases of our own. Its seed is random; a failure prints it.
Outcome run_property(int cases, const memory::MachineFaults& faults, Shrink shrink,
                     const std::string& style = {}) {
  Outcome outcome;
  rc::detail::TestParams parameters = rc::detail::configuration().testParams;
  parameters.maxSuccess = cases;
  parameters.disableShrinking = shrink == Shrink::kNo;
  const auto result = rc::detail::checkTestable(
      [&] {
        const OracleCase drawn = draw_oracle_case(style);
        const auto seed = *rc::gen::arbitrary<std::uint64_t>();
        bool feasible = false;
        const std::string differences = differences_of(drawn, seed, faults, feasible);
        outcome.feasible_cases += feasible ? 1 : 0;
        if (!differences.empty()) {
          RC_FAIL(to_text(drawn) + fmt::format("operand seed {}\n", seed) + differences);
        }
      },
      rc::detail::TestMetadata{}, parameters);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  if (result.is<rc::detail::FailureResult>()) {
    message.str(result.get<rc::detail::FailureResult>().description);
  }
  outcome.holds = result.is<rc::detail::SuccessResult>();
  outcome.message =
      fmt::format("{}\nto repeat: RC_PARAMS=\"seed={}\"", message.str(), parameters.seed);
  return outcome;
}

void check_random_cases(int cases, int feasible, const std::string& style = {}) {
  const Outcome outcome = run_property(cases, {}, Shrink::kYes, style);
  INFO(outcome.message);
  REQUIRE(outcome.holds);
  CHECK(outcome.feasible_cases >= feasible);
  if (cases >= kManyCases) WARN(outcome.feasible_cases << " cases ran; " << outcome.message);
}

TEST_CASE("The clocked engine equals the analytical one on random tasks", "[clocked][property]") {
  check_random_cases(kCases, kFeasible);
}

TEST_CASE("The clocked engine equals the analytical one on many random tasks",
          "[clocked][property][slow]") {
  check_random_cases(kManyCases, kManyFeasible);
}

std::string style_of_case() {
  return GENERATE(as<std::string>{}, "fixed", "sum_together", "sum_together_1d", "sum_apart",
                  "sum_apart_1d", "subword_apart", "subword_together", "bit_serial");
}

TEST_CASE("The engines agree on every family of MAC units", "[clocked][property][families]") {
  constexpr int kCasesOfFamily = 150;
  constexpr int kFeasibleOfFamily = 80;
  const std::string style = style_of_case();
  CAPTURE(style);
  check_random_cases(kCasesOfFamily, kFeasibleOfFamily, style);
}

TEST_CASE("A product that is lost in a PE is found in every family",
          "[clocked][property][families]") {
  const std::string style = style_of_case();
  CAPTURE(style);
  memory::MachineFaults faults;
  faults.array.lose_last_product = true;
  const Outcome outcome = run_property(kCases, faults, Shrink::kNo, style);
  CHECK_FALSE(outcome.holds);
  CHECK_THAT(outcome.message, Catch::Contains("the definition says"));
}

TEST_CASE("The equality property finds every planted mistake", "[clocked][property]") {
  memory::MachineFaults faults;
  SECTION("weights before inputs") { faults.dma.swap_loads = true; }
  SECTION("halves given free one tile early") { faults.release_early = true; }
  SECTION("latency waited for twice") { faults.double_latency = true; }
  SECTION("partial sums not read back") { faults.array.skip_sum_reads = true; }
  SECTION("last partial fold ends a line early") { faults.array.shorten_last_fold = true; }
  SECTION("overlapping folds start a line early") { faults.array.start_early = true; }
  SECTION("shadow registers taken over a line late") { faults.array.take_over_late = true; }
  SECTION("sums of dot columns never cleared") { faults.array.keep_column_sums = true; }
  const Outcome outcome = run_property(kCases, faults, Shrink::kNo);
  CHECK_FALSE(outcome.holds);
  CHECK_THAT(outcome.message, Catch::Contains("clocked"));  // a difference, not an exception
}

}  // namespace
}  // namespace vernier::tests
