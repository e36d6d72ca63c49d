// Holds the closed forms and the jumping recurrences against an oracle that counts every element
// of every tile, on random tasks, mappings and machines.
#include "tests/support/counting_oracle.hpp"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/evaluate/task_cost.hpp"
#include "tests/support/oracle_case.hpp"

namespace vernier::tests {
namespace {

using dataflow::CycleBreakdown;
using dataflow::CycleCause;
using dataflow::Machine;
using dataflow::PreparedTask;
using dataflow::Stream;
using dataflow::TaskTiming;
using dataflow::TimingEvent;

/// Collects where the two disagree.
class Differences {
 public:
  void compare(std::string_view what, std::int64_t evaluator, std::int64_t oracle) {
    if (evaluator == oracle) return;
    text_ += fmt::format("{}: evaluator {}, oracle {}\n", what, evaluator, oracle);
  }
  void compare(const CycleBreakdown& evaluator, const OracleCycles& oracle) {
    compare("compute cycles", evaluator[CycleCause::kCompute], oracle.compute);
    compare("port cycles", evaluator[CycleCause::kPort], oracle.port);
    compare("fill cycles", evaluator[CycleCause::kFill], oracle.fill);
    compare("input cycles", evaluator[CycleCause::kInput], oracle.input);
    compare("weight cycles", evaluator[CycleCause::kWeight], oracle.weight);
    compare("psum cycles", evaluator[CycleCause::kPsum], oracle.psum);
    compare("output cycles", evaluator[CycleCause::kOutput], oracle.output);
    compare("drain cycles", evaluator[CycleCause::kDrain], oracle.drain);
  }
  void compare(const dataflow::ChannelTraffic& evaluator, const OracleTraffic& oracle) {
    compare("first input bits", evaluator.input_bits[0], oracle.input[0]);
    compare("second input bits", evaluator.input_bits[1], oracle.input[1]);
    compare("weight bits", evaluator.weight_bits, oracle.weight);
    compare("prefetch bits", evaluator.prefetch_bits, oracle.prefetch);
    compare("reload bits", evaluator.reload_bits, oracle.reload);
    compare("spill bits", evaluator.spill_bits, oracle.spill);
    compare("store bits", evaluator.store_bits, oracle.store);
    compare("channel busy cycles", evaluator.busy_cycles, oracle.busy_cycles);
  }
  void compare(std::string_view what, const Activity& evaluator, const OracleActivity& oracle) {
    OracleActivity counted;
    for (const ActivityEntry& entry : evaluator.entries()) {
      counted[{entry.component, entry.action, entry.role, entry.weight_bits,
               entry.activation_bits}] = entry.count;
    }
    compare(fmt::format("{} entries", what), static_cast<std::int64_t>(evaluator.entries().size()),
            static_cast<std::int64_t>(oracle.size()));
    OracleActivity all = oracle;
    all.insert(counted.begin(), counted.end());
    for (const auto& [action, ignored] : all) {
      const auto count_in = [&action = action](const OracleActivity& activity) {
        const auto found = activity.find(action);
        return found == activity.end() ? 0 : found->second;
      };
      compare(fmt::format("{}: component {} {} {} {}x{}", what, action.component,
                          vernier::to_text(action.action), vernier::to_text(action.role),
                          action.weight_bits, action.activation_bits),
              count_in(counted), count_in(oracle));
    }
  }
  template <typename Element>
  void compare_lists(std::string_view what, const std::vector<Element>& evaluator,
                     const std::vector<Element>& oracle) {
    compare(fmt::format("number of {}", what), static_cast<std::int64_t>(evaluator.size()),
            static_cast<std::int64_t>(oracle.size()));
    for (std::size_t at = 0; at < std::min(evaluator.size(), oracle.size()); ++at) {
      if (evaluator[at] == oracle[at]) continue;
      text_ += fmt::format("{} differ from number {} on\n", what, at);
      return;
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

OracleCommand::Kind kind_of(const TimingEvent& event) {
  switch (event.kind) {
    case TimingEvent::Kind::kReload: return OracleCommand::Kind::kReload;
    case TimingEvent::Kind::kStore: return OracleCommand::Kind::kStore;
    case TimingEvent::Kind::kPrefetch: return OracleCommand::Kind::kPrefetch;
    default: break;
  }
  if (event.stream == Stream::kWeight) return OracleCommand::Kind::kWeight;
  return event.stream == Stream::kInput ? OracleCommand::Kind::kInput
                                        : OracleCommand::Kind::kSecondInput;
}

// The timing without jumps, event by event; with jumps it must be the same.
void compare_timing(Differences& differences, const PreparedTask& prepared,
                    const dataflow::TaskBorder& border, const Machine& machine,
                    const OracleResult& oracle) {
  std::vector<OracleCommand> commands;
  std::vector<OracleInterval> tiles;
  dataflow::TimingOptions options;
  options.jump = false;
  options.on_event = [&](const TimingEvent& event) {
    if (event.kind == TimingEvent::Kind::kTile) {
      tiles.push_back({event.begin, event.end});
    } else {
      commands.push_back({kind_of(event), event.begin, event.end});
    }
  };
  const TaskTiming stepped =
      time_task(prepared.schedule, prepared.tiles, border, machine.accelerator, options);
  differences.compare_lists("commands", commands, oracle.commands);
  differences.compare_lists("tiles", tiles, oracle.tiles);
  differences.compare(stepped.cycles, oracle.cycles);
  differences.compare(stepped.traffic, oracle.traffic);
  const TaskTiming jumped =
      time_task(prepared.schedule, prepared.tiles, border, machine.accelerator);
  differences.compare("jumps change nothing", jumped == stepped ? 1 : 0, 1);
}

std::string differences_of(const OracleCase& drawn, bool& feasible) {
  const Machine machine = with_flat_prices(drawn.machine);
  const OracleResult oracle = count_task(drawn.task, drawn.mapping, drawn.machine,
                                         {drawn.weight_is_loaded, drawn.next_weight_bits});
  const Result<PreparedTask> prepared =
      prepare_task(drawn.task, drawn.mapping, machine.accelerator);
  Differences differences;
  differences.compare("fits the buffers", prepared.has_value() ? 1 : 0, oracle.fits ? 1 : 0);
  feasible = prepared.has_value() && oracle.fits;
  if (!feasible) return differences.text();

  const Bits next(drawn.next_weight_bits);
  differences.compare("prefetch fits",
                      prefetch_fits(prepared->schedule, next, machine.accelerator) ? 1 : 0,
                      oracle.prefetch_fits ? 1 : 0);
  differences.compare("first weight block", prepared->schedule.first_weight_block().count(),
                      oracle.first_weight_block);
  const dataflow::TaskBorder border{drawn.weight_is_loaded, next};
  compare_timing(differences, *prepared, border, machine, oracle);
  differences.compare("inner activity", prepared->inner_activity, oracle.inner_activity);

  const dataflow::CostSummary cost = cost_of_task(*prepared, border, machine);
  differences.compare(cost.cycles, oracle.cycles);
  differences.compare("activity", cost.activity, oracle.activity);
  const OracleTraffic& traffic = oracle.traffic;
  differences.compare("DRAM input", cost.dram.input_read.count(),
                      traffic.input[0] + traffic.input[1]);
  differences.compare("DRAM weight", cost.dram.weight_read.count(),
                      traffic.weight + traffic.prefetch);
  differences.compare("DRAM output read", cost.dram.output_read.count(), traffic.reload);
  differences.compare("DRAM output write", cost.dram.output_write.count(),
                      traffic.spill + traffic.store);
  return differences.text();
}

// The mapper finds a mapping that fits exactly when the smallest tile does.
std::string mapper_differences_of(const OracleCase& drawn, bool& feasible) {
  const dataflow::Accelerator machine(drawn.machine);
  dataflow::Mapping smallest;  // one pixel, one channel
  smallest.tile.out_channels = drawn.task.channel_unit;
  Differences differences;
  const Result<dataflow::Mapping> mapped = map_heuristically(drawn.task, machine);
  differences.compare("the smallest tile fits", mapped.has_value() ? 1 : 0,
                      fits_buffers(drawn.task, smallest, drawn.machine) ? 1 : 0);
  feasible = mapped.has_value();
  if (feasible) {
    differences.compare("the mapper's tile fits", 1,
                        fits_buffers(drawn.task, *mapped, drawn.machine) ? 1 : 0);
  }
  return differences.text();
}

using Property = std::string (*)(const OracleCase&, bool& feasible);

// RapidCheck with a number of cases of our own. Its seed is random; a failure prints it.
void check_random_cases(int cases, Property differences_of_case) {
  int feasible_cases = 0;
  rc::detail::TestParams parameters = rc::detail::configuration().testParams;
  parameters.maxSuccess = cases;
  const auto result = rc::detail::checkTestable(
      [&] {
        const OracleCase drawn = draw_oracle_case();
        bool feasible = false;
        const std::string differences = differences_of_case(drawn, feasible);
        feasible_cases += feasible ? 1 : 0;
        if (!differences.empty()) RC_FAIL(to_text(drawn) + differences);
      },
      rc::detail::TestMetadata{}, parameters);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  if (result.is<rc::detail::FailureResult>()) {
    // The case in words instead of RapidCheck's list of numbers drawn.
    message.str(result.get<rc::detail::FailureResult>().description);
  }
  INFO(message.str() << "\nto repeat: RC_PARAMS=\"seed=" << parameters.seed << "\"");
  REQUIRE(result.is<rc::detail::SuccessResult>());
  CHECK(2 * feasible_cases > cases);  // or the property would say little
}

constexpr int kCases = 1000;
constexpr int kMapperCases = 300;
constexpr int kManyCases = 10'000;

TEST_CASE("Closed forms and recurrences equal a count of every element", "[evaluate][property]") {
  check_random_cases(kCases, &differences_of);
}

TEST_CASE("Closed forms and recurrences equal a count of every element in many cases",
          "[evaluate][property][slow]") {
  check_random_cases(kManyCases, &differences_of);
}

TEST_CASE("The mapper finds a tile that fits whenever the smallest one does",
          "[mapping][property]") {
  check_random_cases(kMapperCases, &mapper_differences_of);
}

TEST_CASE("The mapper finds a tile that fits whenever the smallest one does in many cases",
          "[mapping][property][slow]") {
  check_random_cases(kManyCases, &mapper_differences_of);
}

}  // namespace
}  // namespace vernier::tests
