// Costs of the MAC unit families and depthwise modes by hand, and the laws of published machines on
// a layer that is bound by compute.
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/components.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/oracle_case.hpp"

namespace vernier::dataflow {
namespace {

using arch::Dataflow;
using arch::DepthwiseMode;

CostSummary cost_of(const AcceleratorSpec& spec, const LayerTask& task) {
  const Machine machine = tests::with_flat_prices(spec);
  Mapping mapping;
  mapping.tile = {task.out_height, task.out_width, task.channels, task.out_channels};
  const auto prepared = prepare_task(task, mapping, machine.accelerator);
  return cost_of_task(prepared.value(), {}, machine);
}

std::int64_t count(const CostSummary& cost, Action action) {
  return cost.activity.count(0, action);  // of the MAC unit
}

LayerTask at_widths(LayerTask task, int weight, int activation) {
  task.weight_storage = task.weight_compute = Bitwidth(weight);
  task.input_storage[0] = task.activation_compute = Bitwidth(activation);
  return task;
}

// 3x3, one channel in and out of each of five groups, a map of 4 x 4, padding all around.
LayerTask depthwise_task() {
  LayerTask task;
  task.groups = 5;
  task.in_height = task.in_width = task.out_height = task.out_width = 4;
  task.window.kernel_height = task.window.kernel_width = 3;
  task.window.pad_top = task.window.pad_left = 1;
  task.window.pad_bottom = task.window.pad_right = 1;
  return task;
}

TEST_CASE("Sum apart in two dimensions drains four sums of each PE", "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.mac.style = "sum_apart";
  spec.mac.weight_bits = spec.mac.activation_bits = {2, 4, 8};
  // P = 8, K = 6, N = 8 at 4x4: kN = kP = 2, so 4 rows and 4 columns, one fold of T = 6: 6 + 4 + 4
  // - 2 = 12 lines.
  const CostSummary cost = cost_of(spec, at_widths(tests::gemm_task(8, 6, 8), 4, 4));
  CHECK(cost.cycles[CycleCause::kCompute] == 12);
  // A line asks the output buffer for 4 columns * 4 sums * 32 bit = 512, it has 4 * 32: 4 cycles.
  CHECK(cost.cycles[CycleCause::kPort] == 12 * 3);
  CHECK(count(cost, Action::kMac) == 8 * 6 * 8);
  CHECK(count(cost, Action::kMacIdle) == 0);  // 16 PEs * 6 steps * 4 products
  // One channel and one pixel more: five steps along both sides, so 2 x 2 folds; 10 * 10 * 6 slots.
  const CostSummary ragged = cost_of(spec, at_widths(tests::gemm_task(9, 6, 9), 4, 4));
  CHECK(ragged.cycles[CycleCause::kCompute] == 4 * 12);
  CHECK(count(ragged, Action::kMacIdle) == 10 * 10 * 6 - 9 * 9 * 6);
}

TEST_CASE("Lanes for groups take several groups of a depthwise layer at once",
          "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.mac.style = "subword_apart";
  spec.mac.weight_bits = spec.mac.activation_bits = {2, 4, 8};
  const LayerTask task = at_widths(depthwise_task(), 4, 4);
  // One group at a time: 16 pixels are 4 row folds of 9 + 4 + 4 - 2 = 15 lines.
  CHECK(cost_of(spec, task).cycles[CycleCause::kCompute] == 5 * 4 * 15);
  spec.array.depthwise = DepthwiseMode::kGroupedLanes;
  const CostSummary cost = cost_of(spec, task);  // 2 + 2 + 1 groups
  CHECK(cost.cycles[CycleCause::kCompute] == 3 * 4 * 15);
  // Taps that meet the map: (3 + 4 + 3) per axis. Slots: 3 passes of 16 rows * 9 steps * 2 lanes.
  CHECK(count(cost, Action::kMac) == 5 * 100);
  CHECK(count(cost, Action::kMacIdle) == 3 * 16 * 9 * 2 - 500);
  // At 2x2 four lanes: 4 + 1 groups.
  CHECK(cost_of(spec, at_widths(task, 2, 2)).cycles[CycleCause::kCompute] == 2 * 4 * 15);
  // Asymmetric widths have the lanes of the wider operand.
  CHECK(cost_of(spec, at_widths(task, 2, 8)).cycles[CycleCause::kCompute] == 5 * 4 * 15);
  // A pixel's two channels of 4 bit share a word: 3 blocks of 16 words, not 5.
  CHECK(cost.dram.input_read == Bits(3 * 16 * 32));
}

TEST_CASE("Groups on the diagonal of a weight stationary array share a fold",
          "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kWeightStationary);
  spec.array.rows = 20;
  const LayerTask task = depthwise_task();
  // T = 16 pixels: 16 + 2 * 20 + 4 - 2 = 58 lines a fold.
  CHECK(cost_of(spec, task).cycles[CycleCause::kCompute] == 5 * 58);
  spec.array.depthwise = DepthwiseMode::kBlockDiagonal;
  // 20 rows hold two groups of 9 taps, 4 columns would hold four.
  const CostSummary cost = cost_of(spec, task);
  CHECK(cost.cycles[CycleCause::kCompute] == 3 * 58);
  CHECK(count(cost, Action::kMac) == 500);
  // Mapped: 18 rows * 2 columns twice, then 9 * 1; 16 pixels each.
  CHECK(count(cost, Action::kMacIdle) == (2 * 18 * 2 + 9) * 16 - 500);
}

TEST_CASE("A 32x32 array holds 3 and 10 and 32 depthwise groups on its diagonal",
          "[evaluate][families]") {
  // hardware_notes 1.6: 3x3 at kK = 1, 4 and 16, the window flattened.
  AcceleratorSpec spec = tests::example_spec(Dataflow::kWeightStationary);
  spec.array.rows = spec.array.columns = 32;
  spec.array.depthwise = DepthwiseMode::kBlockDiagonal;
  spec.array.reduction_packing = arch::ReductionPacking::kWindow;
  spec.mac.style = "sum_together";
  spec.mac.weight_bits = spec.mac.activation_bits = {2, 4, 8};
  const Accelerator machine(spec);
  LayerTask task = depthwise_task();
  task.groups = 64;
  const auto groups = [&](int bits) {
    return groups_per_tile(at_widths(task, bits, bits), {1, 1, 1, 1}, machine);
  };
  CHECK(groups(8) == 3);
  CHECK(groups(4) == 10);
  CHECK(groups(2) == 32);
}

// Cycles of a layer that only compute binds: one tile, everything at once from DRAM, wide ports.
double compute_bound(AcceleratorSpec spec, int weight, int activation, std::int64_t groups = 1) {
  for (memory::BufferSpec& buffer : spec.buffers) {
    buffer.banks = 1024;
    buffer.capacity = Bytes(1024 * 32768);
  }
  spec.dram.bandwidth = Bandwidth::per_cycles(1 << 28, 1);
  spec.dram.latency = Cycles(0);
  LayerTask task = at_widths(tests::gemm_task(64, 16384, 64), weight, activation);
  task.groups = groups;
  return static_cast<double>(cost_of(spec, task).cycles.total().count());
}

// Time at the widest mode over time at the others, within one percent.
void check_law(const AcceleratorSpec& spec, const std::vector<std::pair<int, int>>& widths,
               const std::vector<double>& speeds, std::int64_t groups = 1) {
  const double base = compute_bound(spec, widths[0].first, widths[0].second, groups);
  for (std::size_t at = 0; at < widths.size(); ++at) {
    CAPTURE(spec.mac.style, widths[at].first, widths[at].second);
    const double time = compute_bound(spec, widths[at].first, widths[at].second, groups);
    CHECK(base / time == Approx(speeds[at]).epsilon(0.01));
  }
}

TEST_CASE("On a compute-bound layer the families follow their published laws",
          "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.mac.weight_bits = spec.mac.activation_bits = {2, 4, 8};
  const std::vector<std::pair<int, int>> widths{{8, 8}, {4, 8}, {4, 4}, {2, 2}};
  const auto law = [&](const std::string& style, const std::vector<double>& speeds) {
    spec.mac.style = style;
    check_law(spec, widths, speeds);
  };
  law("fixed", {1, 1, 1, 1});
  law("sum_together", {1, 2, 4, 16});
  law("sum_together_1d", {1, 2, 2, 4});
  law("sum_apart", {1, 2, 4, 16});
  law("sum_apart_1d", {1, 2, 2, 4});
  law("subword_together", {1, 1, 2, 4});
  spec.mac.subwords = arch::Subwords::kOutChannels;
  law("subword_apart", {1, 1, 2, 4});
  spec.mac.subwords = arch::Subwords::kPixels;
  law("subword_apart", {1, 1, 2, 4});
  // Independent subwords: one layer without groups gains nothing, one of four groups does.
  spec.mac.subwords = arch::Subwords::kGroups;
  law("subword_apart", {1, 1, 1, 1});
  spec.array.depthwise = DepthwiseMode::kGroupedLanes;
  check_law(spec, widths, {1, 1, 2, 4}, 4);
}

TEST_CASE("Bit-serial time is proportional to the bits of the serial operands",
          "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.mac.style = "bit_serial";
  spec.mac.weight_bits = spec.mac.activation_bits = {1, 2, 4, 8, 16};
  const std::vector<std::pair<int, int>> widths{{16, 16}, {8, 16}, {16, 4}, {2, 8}, {1, 1}};
  spec.mac.serial = arch::SerialOperand::kWeight;  // UNPU
  check_law(spec, widths, {1, 2, 1, 8, 16});
  spec.mac.serial = arch::SerialOperand::kActivation;  // Stripes
  check_law(spec, widths, {1, 1, 4, 2, 16});
  spec.mac.serial = arch::SerialOperand::kBoth;  // Loom
  check_law(spec, widths, {1, 2, 4, 16, 256});
  // A stated mode: UNPU at 1 bit does a third more than the law.
  spec.mac.serial = arch::SerialOperand::kWeight;
  spec.mac.lanes = 12;
  spec.mac.modes = {{.weight = 1, .activation = 16, .cycles = 1, .reduction = 16}};
  check_law(spec, {{16, 16}, {4, 16}, {1, 16}}, {1, 4, 16 * 4.0 / 3});
}

TEST_CASE("Where ports bind a narrow mode the report says so", "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.mac.style = "sum_together";
  spec.mac.weight_bits = spec.mac.activation_bits = {2, 4, 8};
  spec.dram.bandwidth = Bandwidth::per_cycles(1 << 20, 1);
  for (memory::BufferSpec& buffer : spec.buffers) buffer.capacity = Bytes(1 << 20);
  const LayerTask task = tests::gemm_task(4, 4096, 4);
  const CostSummary wide = cost_of(spec, at_widths(task, 8, 8));
  CHECK(bound_by(wide.cycles, wide.channel_busy_cycles) == BoundBy::kCompute);
  // 4 rows of 32 bit inputs are asked for in every line; half the word gives a quarter of that.
  spec.buffers[0].word = Bits(16);
  const CostSummary narrow = cost_of(spec, at_widths(task, 2, 2));
  CHECK(narrow.cycles[CycleCause::kPort] == 3 * narrow.cycles[CycleCause::kCompute]);
  CHECK(bound_by(narrow.cycles, narrow.channel_busy_cycles) == BoundBy::kPort);
  CHECK(narrow.port_waits == arch::PortWaits{narrow.cycles[CycleCause::kPort], 0, 0, 0});
}

TEST_CASE("Products of a data-gated unit with narrow operands are counted apart",
          "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.mac.weight_bits = spec.mac.activation_bits = {4, 8};
  spec.mac.data_gating = true;
  const LayerTask task = tests::gemm_task(8, 6, 8);
  const CostSummary narrow = cost_of(spec, at_widths(task, 4, 8));
  CHECK(count(narrow, Action::kMacGated) == 8 * 6 * 8);
  CHECK(count(narrow, Action::kMac) == 0);
  const CostSummary wide = cost_of(spec, at_widths(task, 8, 8));
  CHECK(count(wide, Action::kMac) == 8 * 6 * 8);
  CHECK(count(wide, Action::kMacGated) == 0);
  CHECK(narrow.cycles[CycleCause::kCompute] == wide.cycles[CycleCause::kCompute]);  // no gain
  CHECK_THROWS_WITH(tests::with_prices(spec), Catch::Contains("the action 'mac_gated'") &&
                                                  Catch::Contains("component 'mac'"));
}

// A depthwise layer and a grouped one, which is not depthwise.
LoweredLayer lowered(const AcceleratorSpec& spec, std::int64_t groups, const PrecisionMap& bits) {
  const Accelerator machine(spec);
  Conv2d conv;
  conv.out_channels = 6;
  conv.groups = groups;
  conv.window = depthwise_task().window;
  const LayerGraph graph("net", {{"image", {6, 4, 4}, {}, {}}},
                         {{"conv", conv, {"image"}, {}, {}, {}, {}}});
  const NetworkPrecision precision = resolve_precision(graph, bits).tensors;
  return lower_layer(graph, graph.find_layer("conv").value(), precision, machine);
}

TEST_CASE("A depthwise layer on the vector unit multiplies and adds once per tap",
          "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.array.depthwise = DepthwiseMode::kVectorUnit;
  const PrecisionMap bits = PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));
  const LoweredLayer layer = lowered(spec, 6, bits);
  REQUIRE(layer.tasks.size() == 1);
  const LayerTask& task = layer.tasks.front();
  CHECK(task.unit == TaskUnit::kVector);
  CHECK(task.macs() == Macs(16 * 6 * 9));
  const Machine machine = tests::with_flat_prices(spec);
  Mapping mapping;
  mapping.tile = {4, 4, 1, 6};
  const CostSummary cost =
      cost_of_task(prepare_task(task, mapping, machine.accelerator).value(), {}, machine);
  // 16 pixels * 6 channels * (9 + 9) lane cycles on 4 lanes.
  CHECK(cost.cycles[CycleCause::kCompute] == 16 * 6 * 18 / 4);
  const ComponentIndices at = component_indices(machine.accelerator);
  CHECK(cost.activity.count(at.vector, Action::kMultiply) == 16 * 6 * 9);
  CHECK(cost.activity.count(at.vector, Action::kAdd) == 16 * 6 * 9);
  CHECK(cost.activity.count(at.requantizer, Action::kRequantize) == 16 * 6);
  CHECK(cost.macs == task.macs());
  // Inputs: 16 pixels of 6 bytes, 2 words each; weights: 9 taps of 6 bytes.
  CHECK(cost.dram.input_read == Bits((16 + 9) * 64));
  // Groups of several channels stay on the array.
  CHECK(lowered(spec, 3, bits).tasks.front().unit == TaskUnit::kArray);
}

TEST_CASE("What a vector lane cannot multiply is refused by name", "[evaluate][families]") {
  AcceleratorSpec spec = tests::example_spec(Dataflow::kOutputStationary);
  spec.array.depthwise = DepthwiseMode::kVectorUnit;
  spec.mac.weight_bits = spec.mac.activation_bits = {8, 16};
  CHECK_THROWS_WITH(lowered(spec, 6, PrecisionMap::uniform(Bitwidth(16), Bitwidth(16))),
                    Catch::Contains("layer 'conv'") && Catch::Contains("need 36 bits") &&
                        Catch::Contains("vector_unit"));
}

}  // namespace
}  // namespace vernier::dataflow
