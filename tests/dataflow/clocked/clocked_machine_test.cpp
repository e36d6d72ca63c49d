// The clocked machine by itself: the worked example, planted mistakes, a platform of somebody
// else's, many runs in one process, and what its timeline says.
#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/clocked_run.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/oracle_case.hpp"

namespace vernier::tests {
namespace {

using dataflow::ClockedRun;
using dataflow::CycleBreakdown;
using dataflow::CycleCause;
using dataflow::Timeline;
using dataflow::TimelineTrack;

dataflow::TileSize tile(std::int64_t rows, std::int64_t in_channels, std::int64_t out_channels) {
  dataflow::TileSize size;
  size.rows = rows;
  size.in_channels = in_channels;
  size.out_channels = out_channels;
  return size;
}

/// What the analytical engine says of the same case.
dataflow::CostSummary analytical(const ClockedCase& given) {
  return cost_of_task(given.prepared, {}, given.machine);
}

bool differs(const ClockedCase& given, const memory::MachineFaults& faults) {
  const ClockedRun run = run_clocked(given, faults);
  const dataflow::CostSummary cost = analytical(given);
  return run.cycles != cost.cycles || run.activity != cost.activity ||
         run.exact != reference_outputs(given.prepared.schedule.task(), given.machine.accelerator,
                                        given.operands);
}

}  // namespace

// docs/design.md 5.8.
TEST_CASE("The clocked engine runs the worked example of the contract", "[clocked][worked]") {
  const ClockedCase given = clocked_case(example_machine(arch::Dataflow::kOutputStationary),
                                         gemm_task(8, 6, 8), tile(4, 6, 4));
  Timeline timeline;
  const ClockedRun run = run_clocked(given, {}, &timeline);
  CHECK(run.cycles.total().count() == 96);
  CHECK(run.cycles[CycleCause::kCompute] == 48);
  CHECK(run.cycles[CycleCause::kFill] == 26);
  CHECK(run.cycles[CycleCause::kWeight] == 18);
  CHECK(run.cycles[CycleCause::kDrain] == 4);
  const auto begins = [&timeline](TimelineTrack track) {
    std::vector<std::int64_t> result;
    for (const dataflow::TimelineSlice& slice : timeline.slices) {
      if (slice.track == track) result.push_back(slice.begin);
    }
    std::sort(result.begin(), result.end());
    return result;
  };
  CHECK(begins(TimelineTrack::kDram) ==
        std::vector<std::int64_t>{0, 8, 16, 38, 42, 50, 58, 62, 80, 92});
  CHECK(begins(TimelineTrack::kCompute) == std::vector<std::int64_t>{26, 38, 68, 80});
}

TEST_CASE("The timeline's tracks are busy as long as the report says", "[clocked]") {
  const ClockedCase given = clocked_case(example_machine(arch::Dataflow::kWeightStationary),
                                         gemm_task(10, 9, 7), tile(4, 5, 3));
  Timeline timeline;
  const ClockedRun run = run_clocked(given, {}, &timeline);
  std::map<TimelineTrack, std::int64_t> busy;
  std::map<TimelineTrack, std::int64_t> bits;
  for (const dataflow::TimelineSlice& slice : timeline.slices) {
    busy[slice.track] += slice.end - slice.begin;
    bits[slice.track] += slice.bits;
  }
  const std::int64_t working = run.cycles[CycleCause::kCompute] + run.cycles[CycleCause::kPort];
  CHECK(busy[TimelineTrack::kCompute] == working);
  CHECK(busy[TimelineTrack::kFeeders] == working);
  CHECK(busy[TimelineTrack::kDram] == run.channel_busy_cycles);
  CHECK(bits[TimelineTrack::kDram] == run.dram.total().count());
  CHECK(bits[TimelineTrack::kInputBuffer] == run.dram.input_read.count());
  CHECK(bits[TimelineTrack::kWeightBuffer] == run.dram.weight_read.count());
  CHECK(bits[TimelineTrack::kOutputBuffer] ==
        run.dram.output_read.count() + run.dram.output_write.count());
  CHECK(timeline.left_out == 0);
}

// Each mistake is planted where the contract is tight: two operands that are loaded for one tile,
// partial sums that go to DRAM and back, folds that do not fill the array.
TEST_CASE("Every planted mistake is found", "[clocked]") {
  const auto dataflow =
      GENERATE(arch::Dataflow::kOutputStationary, arch::Dataflow::kWeightStationary,
               arch::Dataflow::kInputStationary);
  dataflow::AcceleratorSpec spec = example_spec(dataflow);
  spec.dram.bandwidth = Bandwidth::per_cycles(8, 1);  // tiles wait for their operands
  const ClockedCase given = clocked_case(with_prices(spec), gemm_task(10, 9, 7), tile(5, 4, 3));
  CHECK_FALSE(differs(given, {}));
  memory::MachineFaults faults;
  SECTION("weights before inputs") { faults.dma.swap_loads = true; }
  SECTION("halves given free one tile early") { faults.release_early = true; }
  SECTION("latency waited for twice") { faults.double_latency = true; }
  SECTION("partial sums not read back") { faults.array.skip_sum_reads = true; }
  SECTION("last partial fold ends a line early") { faults.array.shorten_last_fold = true; }
  SECTION("a weight bit flips") {
    // PE (1, 1) holds an operand in stream lines 2 to 4; ws and is preload for 4 lines before.
    const std::int64_t line = dataflow == arch::Dataflow::kOutputStationary ? 3 : 7;
    faults.array.flip = arch::BitFlip{arch::PeRegister::kColumnOperand, 1, 1, line, 0};
  }
  CHECK(differs(given, faults));
}

TEST_CASE("A sum that leaves the accumulator is reported", "[clocked]") {
  dataflow::AcceleratorSpec spec = example_spec(arch::Dataflow::kOutputStationary);
  spec.mac.accumulator_bits = 16;
  spec.mac.overflow = arch::AccumulatorOverflow::kSaturate;
  ClockedCase given = clocked_case(with_prices(spec), gemm_task(2, 4, 2), tile(2, 4, 2));
  CHECK(run_clocked(given).accumulator_overflows == 0);
  given.operands.inputs[0].assign(8, 127);
  given.operands.weights.assign(8, 127);  // 4 * 127 * 127 = 64516 > 32767, for all four outputs
  CHECK(run_clocked(given).accumulator_overflows == 4);
}

TEST_CASE("A sum beyond 32 bits is not wrapped before it is looked at", "[clocked]") {
  dataflow::AcceleratorSpec spec = example_spec(arch::Dataflow::kOutputStationary);
  spec.mac.weight_bits = spec.mac.activation_bits = spec.storage_bits = {16};
  spec.mac.overflow = arch::AccumulatorOverflow::kSaturate;
  dataflow::LayerTask task = gemm_task(2, 4, 2);
  task.input_storage[0] = task.weight_storage = task.output_storage = Bitwidth(16);
  task.weight_compute = task.activation_compute = Bitwidth(16);
  ClockedCase given = clocked_case(with_flat_prices(spec), task, tile(2, 4, 2));
  given.operands.inputs[0].assign(8, 32767);
  given.operands.weights.assign(8, 32767);  // 4 * 32767^2 > 2^31, for all four outputs
  const ClockedRun run = run_clocked(given);
  CHECK(run.accumulator_overflows == 4);
  CHECK(run.exact == reference_outputs(task, given.machine.accelerator, given.operands));
}

TEST_CASE("Requantization rounds half up and clips", "[clocked]") {
  CHECK(arch::requantize(5, 1, 8) == 3);
  CHECK(arch::requantize(-5, 1, 8) == (-2 & 0xFF));
  CHECK(arch::requantize(-6, 2, 8) == (-1 & 0xFF));
  CHECK(arch::requantize(1000, 0, 8) == 127);
  CHECK(arch::requantize(-1000, 0, 8) == 128);
  CHECK(arch::requantize(std::numeric_limits<std::int64_t>::max(), 62, 8) == 2);
  CHECK(arch::requantize(std::numeric_limits<std::int64_t>::min(), 62, 8) == (-2 & 0xFF));
}

TEST_CASE("Operands of neighbouring tasks are not one stream shifted by a draw", "[clocked]") {
  const dataflow::Machine machine = example_machine(arch::Dataflow::kOutputStationary);
  const auto draw = [&](std::size_t number) {
    return draw_operands(gemm_task(8, 8, 1), machine.accelerator, dataflow::operand_seed(1, number))
        .inputs[0];
  };
  const auto first = draw(0);
  const auto second = draw(1);
  for (std::ptrdiff_t shift = 0; shift < 8; ++shift) {
    CHECK_FALSE(std::equal(first.begin() + shift, first.end(), second.begin()));
    CHECK_FALSE(std::equal(second.begin() + shift, second.end(), first.begin()));
  }
}

namespace {

std::int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmRSS:") continue;
    std::int64_t kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

}  // namespace

TEST_CASE("A thousand simulations in one process leave memory as it is", "[clocked]") {
  const ClockedCase given = clocked_case(example_machine(arch::Dataflow::kWeightStationary),
                                         gemm_task(8, 6, 8), tile(4, 6, 4));
  const CycleBreakdown first = run_clocked(given).cycles;
  constexpr int kWarmUp = 50;
  constexpr int kRuns = 1000;
  [[maybe_unused]] std::int64_t before = 0;  // sanitizers make no use of it
  for (int at = 0; at < kWarmUp + kRuns; ++at) {
    if (at == kWarmUp) before = resident_kib();
    REQUIRE(run_clocked(given).cycles == first);
  }
#ifndef __SANITIZE_ADDRESS__  // which keeps freed memory for a while
  constexpr std::int64_t kSlackKib = 512;
  CHECK(resident_kib() <= before + kSlackKib);
#endif
}

}  // namespace vernier::tests
