// The clocked machine on DRAM with banks, rows and refresh: right results, counted commands, and
// how far the analytical engine's effective bandwidth is from it.
#include <string>

#include <catch2/catch.hpp>

#include "dataflow/clocked/systemc_engine.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "tests/support/clocked_run.hpp"
#include "tests/support/dram_presets.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::tests {
namespace {

using dataflow::ClockedRun;
using dataflow::CostSummary;
using dataflow::CycleCause;

constexpr std::int64_t kCorePs = 1000;

/// 2 x 64 PEs at 1 GHz: with few rows it asks for up to 512 bits of weights per cycle, more than
/// any preset delivers. Priced by supply currents where there are some.
dataflow::Machine timing_machine(const std::string& preset) {
  dataflow::AcceleratorSpec spec = example_spec(arch::Dataflow::kOutputStationary);
  spec.clock = Hertz(1'000'000'000);
  spec.array.rows = 2;
  spec.array.columns = 64;
  for (memory::BufferSpec& buffer : spec.buffers) {
    buffer.banks = 64;
    buffer.capacity = Bytes(4096 * buffer.banks);
  }
  memory::DramTimingSpec timing = dram_spec(preset);
  spec.energy.tables = {"aladdin_45nm", "cacti_45nm", "dram_currents", "dram_interface"};
  spec.energy.dram = timing.preset.energy_type;
  spec.dram = memory::DramSpec::with_timing(std::move(timing), spec.clock);
  return with_prices(std::move(spec));
}

// A layer like a classifier's: 4096 x 512 weights of 8 bits, 16.8 Mbit, each used twice.
ClockedCase streaming_case(const std::string& preset) {
  dataflow::TileSize tile;
  tile.rows = 2;
  tile.in_channels = 512;
  tile.out_channels = 64;
  return clocked_case(timing_machine(preset), gemm_task(2, 4096, 512), tile);
}

std::int64_t count(const dataflow::Machine& machine, const Activity& activity, Action action) {
  return activity.count(component_indices(machine.accelerator).dram, action);
}

double dram_energy(const dataflow::Machine& machine, const CostSummary& cost) {
  const ComponentIndex dram = component_indices(machine.accelerator).dram;
  return cost.energy.of_component(dram).count();
}

}  // namespace

TEST_CASE("On DRAM with banks the outputs are right and commands are counted", "[clocked][dram]") {
  for (const std::string& preset : dram_preset_names()) {
    CAPTURE(preset);
    const ClockedCase given = streaming_case(preset);
    const dataflow::Accelerator& machine = given.machine.accelerator;
    const ClockedRun run = run_clocked(given);
    CHECK(check_outputs(given.prepared.schedule.task(), machine, given.operands, run).mismatches ==
          0);
    const CostSummary clocked = cost_of_run(run, given.prepared.schedule, given.machine);
    const CostSummary effective = cost_of_task(given.prepared, {}, given.machine);
    CHECK(clocked.dram == effective.dram);  // packed bits by the contract

    const memory::DramPreset& dram = machine.spec().dram.timing->preset;
    const std::int64_t read = count(given.machine, run.activity, Action::kRead);
    const std::int64_t written = count(given.machine, run.activity, Action::kWrite);
    CHECK(read % dram.burst_bits() == 0);
    CHECK(written % dram.burst_bits() == 0);
    CHECK(read + written >= clocked.dram.total().count());
    CHECK(count(given.machine, run.activity, Action::kActivateRow) > 0);
    const double dram_cycles = static_cast<double>(clocked.cycles.total().count() * kCorePs) /
                               static_cast<double>(dram.clock_ps);
    CHECK(count(given.machine, run.activity, Action::kRefresh) ==
          static_cast<std::int64_t>(dram_cycles / static_cast<double>(dram.cycles.refi)));

    const double ratio = static_cast<double>(clocked.cycles.total().count()) /
                         static_cast<double>(effective.cycles.total().count());
    WARN(preset << ": clocked " << clocked.cycles.total().count() << ", effective bandwidth "
                << effective.cycles.total().count() << " cycles, ratio " << ratio);
    // HBM2: a run of 512 bytes is 8 bursts in 4 rows of 1 KiB, one per bank group, and the next
    // output channel lies in other banks. Four activates take tFAW = 30 cycles, the bursts 16:
    // 30 / 16 * (1 - tRFC/tREFI) = 1.75, and somewhat more for the refreshes.
    const bool opens_often = preset == "HBM2";
    CHECK(ratio > (opens_often ? 1.75 : 1.0));
    CHECK(ratio < (opens_often ? 1.88 : 1.05));
  }
}

TEST_CASE("Counted commands are priced by the currents", "[clocked][dram][energy]") {
  const ClockedCase given = streaming_case("DDR4-2400");
  const ClockedRun run = run_clocked(given);
  const CostSummary cost = cost_of_run(run, given.prepared.schedule, given.machine);
  // Per device, mA * V * ns = pJ; 8 devices share a burst of 512 bits.
  constexpr double kVdd = 1.2;
  constexpr double kClock = 0.833;
  constexpr double kCoreNs = 1.0;
  const double read = kVdd * (135 - 43) * 4 * kClock / 64;  // a bit of one device
  const double write = kVdd * (123 - 43) * 4 * kClock / 64;
  const double activate = 8 * kVdd * (48.0 * 55 - (43.0 * 39 + 34.0 * 16)) * kClock;
  const double refresh = 8 * kVdd * (250 - 43) * 420 * kClock;
  const double background = 8 * kVdd * 43 * kCoreNs;  // a core cycle
  const auto times = [&](Action action, double price) {
    return price * static_cast<double>(count(given.machine, run.activity, action));
  };
  const double expected = times(Action::kRead, read) + times(Action::kWrite, write) +
                          times(Action::kActivateRow, activate) + times(Action::kRefresh, refresh) +
                          background * static_cast<double>(cost.cycles.total().count());
  CHECK(dram_energy(given.machine, cost) == Approx(expected).epsilon(1e-12));
  CHECK(activate == Approx(8 * 419.0).epsilon(1e-3));  // published: 0.419 nJ per device
  CHECK(refresh == Approx(8 * 86910.0).epsilon(1e-3));
}

TEST_CASE("A figure per bit is not paid for rows a second time", "[clocked][dram][energy]") {
  const ClockedCase given = streaming_case("LPDDR4-3200");
  const ClockedRun run = run_clocked(given);
  const CostSummary cost = cost_of_run(run, given.prepared.schedule, given.machine);
  const std::int64_t bits = count(given.machine, run.activity, Action::kRead) +
                            count(given.machine, run.activity, Action::kWrite);
  CHECK(dram_energy(given.machine, cost) == Approx(8.0 * static_cast<double>(bits)));
}

TEST_CASE("The analytical engine counts what streaming would do", "[dram]") {
  const ClockedCase given = streaming_case("DDR4-2400");
  const CostSummary cost = cost_of_task(given.prepared, {}, given.machine);
  // One activate for every 8 KiB of the channel, one refresh for every 9364 * 0.833 ns.
  CHECK(count(given.machine, cost.activity, Action::kActivateRow) ==
        ceil_div(cost.dram.total().count(), 65536));
  CHECK(count(given.machine, cost.activity, Action::kRefresh) ==
        cost.cycles.total().count() * kCorePs / 833 / 9364);
}

TEST_CASE("A network runs on DRAM with banks, prefetches and spills included", "[clocked][dram]") {
  const std::string configs = std::string(VERNIER_SOURCE_DIR) + "/configs";
  const dataflow::Machine machine = dataflow::load_machine(
      configs + "/accelerators/bitfusion_16x32.yaml",
      {"dram={model: timing, preset: LPDDR3-1600, policy: closed, address_mapping: "
       "ro-ba-bg-ra-co-ch}"},
      {configs + "/energy"});
  const dataflow::LayerGraph graph = dataflow::load_model(configs + "/models/resnet20.yaml");
  const auto precision =
      resolve_precision(graph, dataflow::PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).tensors;
  const dataflow::ClockedNetwork clocked =
      simulate(machine, graph, precision, dataflow::map_heuristically).value();
  const dataflow::NetworkCost effective =
      dataflow::Evaluator(machine).evaluate(graph, precision).value();
  CHECK(clocked.outputs() > 0);
  CHECK(clocked.mismatches() == 0);
  CHECK(clocked.cost.total.dram == effective.total.dram);
  const double ratio = static_cast<double>(clocked.cost.total.cycles.total().count()) /
                       static_cast<double>(effective.total.cycles.total().count());
  WARN("resnet20, LPDDR3-1600, rows closed: ratio " << ratio);
  CHECK(ratio > 0.9);
  CHECK(ratio < 2.0);
}

}  // namespace vernier::tests
