// Layers that are small enough to be timed and counted by hand. The arithmetic stands in the
// comments; prices are those of configs/energy at 200 MHz (5 ns rows).
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/machine/components.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

using tests::example_machine;
using tests::gemm_task;

// Prices by hand, in pJ.
constexpr double kMac8x8 = 8.63 * 64 / 1024 + 0.0857;  // multiplier 8x8, adder 32
constexpr double kRead = 1.9032;                       // 2 KiB bank, one port
constexpr double kWrite = 3.6385;
constexpr double kDramBit = 8.0;                             // LPDDR4
constexpr double kRequantize = 0.0857 + 8.63 / 2 + 0.41652;  // add 32, multiply 32x16, shift 32
constexpr double kVectorAdd = 0.0857;
// Leakage per cycle. PE: multiplier 8x8, adder 32, register 32; bank: CACTI leakage and gate
// leakage over 5 ns; lane: adder, comparator, register of 32, multiplier 16x16; requantizer.
constexpr double kPeLeak = 0.24 * 64 / 1024 + 0.0119 + 32 * 0.00037;
constexpr double kBankLeak = (3.22997 + 0.108463) * 5;
constexpr double kLaneLeak = 0.0119 + 0.0001211 + 32 * 0.00037 + 0.24 * 256 / 1024;
constexpr double kRequantizerLeak = 0.0119 + 0.24 / 2 + 0.008;
// 16 PEs, 2 + 2 + 4 banks, 4 lanes, 4 requantizers (one per column).
constexpr double kLeakPerCycle =
    16 * kPeLeak + 8 * kBankLeak + 4 * kLaneLeak + 4 * kRequantizerLeak;

struct Run {
  PreparedTask prepared;
  CostSummary cost;
  std::vector<TimingEvent> events;

  [[nodiscard]] std::vector<TimingEvent> of(TimingEvent::Kind kind) const {
    std::vector<TimingEvent> result;
    for (const TimingEvent& event : events) {
      if (event.kind == kind) result.push_back(event);
    }
    return result;
  }
};

Run run(const Machine& machine, const LayerTask& task, const TileSize& tile,
        const TaskBorder& border = {}) {
  Mapping mapping;
  mapping.tile = tile;
  mapping.origin = MappingOrigin::kGiven;
  Run result{prepare_task(task, mapping, machine.accelerator).value(), {}, {}};
  TimingOptions options;
  options.jump = false;
  options.on_event = [&](const TimingEvent& event) { result.events.push_back(event); };
  result.cost = cost_of_task(result.prepared, border, machine, options);
  return result;
}

// Begin and end of each event of a kind.
using Spans = std::vector<std::pair<std::int64_t, std::int64_t>>;
Spans spans(const std::vector<TimingEvent>& events) {
  Spans result;
  for (const TimingEvent& event : events) result.emplace_back(event.begin, event.end);
  return result;
}

void check_causes(const CycleBreakdown& cycles, std::int64_t compute, std::int64_t port,
                  std::int64_t fill, std::int64_t input, std::int64_t weight, std::int64_t drain) {
  CHECK(cycles[CycleCause::kCompute] == compute);
  CHECK(cycles[CycleCause::kPort] == port);
  CHECK(cycles[CycleCause::kFill] == fill);
  CHECK(cycles[CycleCause::kInput] == input);
  CHECK(cycles[CycleCause::kWeight] == weight);
  CHECK(cycles[CycleCause::kPsum] == 0);
  CHECK(cycles[CycleCause::kOutput] == 0);
  CHECK(cycles[CycleCause::kDrain] == drain);
}

// Actions of the example machine by component name.
struct Counts {
  const Activity& activity;
  ComponentIndices at;
  [[nodiscard]] std::int64_t mac(Action action) const { return activity.count(at.mac, action); }
  [[nodiscard]] std::int64_t input(Action action) const {
    return activity.count(at.buffer(0), action);
  }
  [[nodiscard]] std::int64_t weight(Action action) const {
    return activity.count(at.buffer(1), action);
  }
  [[nodiscard]] std::int64_t output(Action action) const {
    return activity.count(at.buffer(2), action);
  }
  [[nodiscard]] std::int64_t dram(Action action) const { return activity.count(at.dram, action); }
};

Counts counts(const Run& run, const Machine& machine) {
  return {run.cost.activity, component_indices(machine.accelerator)};
}

TEST_CASE("The MatMul of design 5.8 takes 96 cycles with every grant where it must be",
          "[evaluate][worked]") {
  // P = 8, K = 6, N = 8, tiles 4x4, K whole, pixel outer, n inner; os, one fold per tile:
  // T + R + C - 2 = 6 + 4 + 4 - 2 = 12 lines. I and W rows: 6 x 8 bit = 48 -> 64 bit, four rows
  // = 256 bit = 8 beats. O rows: 4 x 8 bit = 32 bit, four = 128 bit = 4 beats.
  const Machine machine = example_machine(arch::Dataflow::kOutputStationary);
  const Run result = run(machine, gemm_task(8, 6, 8), {4, 1, 6, 4});

  for (const TileClass& tile : result.prepared.schedule.classes()) {
    CHECK(tile.load[0] == Bits(256));
    CHECK(tile.load[2] == Bits(256));
    CHECK(tile.store == Bits(128));
    CHECK(tile.reload == Bits(0));
  }
  for (const TileCost& tile : result.prepared.tiles) {
    CHECK(tile.lines == 12);
    CHECK(tile.port_cycles == 0);
  }
  // Loads in program order: I0 0, W0 8, W1 16, I1 42, W2 50, W3 62.
  CHECK(spans(result.of(TimingEvent::Kind::kLoad)) ==
        Spans{{0, 8}, {8, 16}, {16, 24}, {42, 50}, {50, 58}, {62, 70}});
  CHECK(spans(result.of(TimingEvent::Kind::kStore)) ==
        Spans{{38, 42}, {58, 62}, {80, 84}, {92, 96}});
  CHECK(spans(result.of(TimingEvent::Kind::kTile)) ==
        Spans{{26, 38}, {38, 50}, {68, 80}, {80, 92}});
  check_causes(result.cost.cycles, 48, 0, 26, 0, 18, 4);
  CHECK(result.cost.cycles.total() == Cycles(96));
  CHECK(result.cost.channel_busy_cycles == 6 * 8 + 4 * 4);
  // The channel is busy for 64 cycles, the array for 48.
  CHECK(bound_by(result.cost.cycles, result.cost.channel_busy_cycles) == BoundBy::kDram);

  // Per tile: 4 pixels x ceil(48 / 32) = 8 input words, 8 weight words, 4 output words; 96 MACs.
  const Counts count = counts(result, machine);
  CHECK(count.mac(Action::kMac) == 384);
  CHECK(count.mac(Action::kMacIdle) == 0);
  CHECK(count.input(Action::kRead) == 32);
  CHECK(count.input(Action::kWrite) == 16);  // I0, I1: 512 bit
  CHECK(count.weight(Action::kRead) == 32);
  CHECK(count.weight(Action::kWrite) == 32);  // W0 .. W3: 1024 bit
  CHECK(count.output(Action::kWrite) == 16);
  CHECK(count.output(Action::kRead) == 16);  // the DMA, four blocks of four words
  CHECK(count.dram(Action::kRead) == 512 + 1024);
  CHECK(count.dram(Action::kWrite) == 512);
  const double expected = 384 * kMac8x8 + (32 + 32 + 16) * kRead + (16 + 32 + 16) * kWrite +
                          2048 * kDramBit + 64 * kRequantize + 96 * kLeakPerCycle;
  CHECK(result.cost.energy.total().count() == Approx(expected).epsilon(1e-12));
  // 384 MACs in 96 cycles on 16 PEs: a quarter of the peak.
  CHECK(result.cost.utilisation() == Approx(0.25));
}

TEST_CASE("The MatMul of design 5.8 takes 140 cycles with single buffers", "[evaluate][worked]") {
  // Every load waits for the end of the last tile, every tile for the store of the block before.
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  for (memory::BufferSpec& buffer : spec.buffers) buffer.buffering = memory::Buffering::kSingle;
  const Machine machine = tests::with_prices(spec);
  const Run result = run(machine, gemm_task(8, 6, 8), {4, 1, 6, 4});
  // I0 0, W0 8; W1 38; I1 68, W2 76; W3 106.
  CHECK(spans(result.of(TimingEvent::Kind::kLoad)) ==
        Spans{{0, 8}, {8, 16}, {38, 46}, {68, 76}, {76, 84}, {106, 114}});
  CHECK(spans(result.of(TimingEvent::Kind::kStore)) ==
        Spans{{46, 50}, {84, 88}, {114, 118}, {136, 140}});
  CHECK(spans(result.of(TimingEvent::Kind::kTile)) ==
        Spans{{26, 38}, {56, 68}, {94, 106}, {124, 136}});
  check_causes(result.cost.cycles, 48, 0, 26, 0, 18 + 26 + 18, 4);
}

TEST_CASE("The MatMul of design 5.8 takes 72 cycles with its activations on chip",
          "[evaluate][worked]") {
  LayerTask task = gemm_task(8, 6, 8);
  task.input_resident[0] = task.output_resident = true;
  const Machine machine = example_machine(arch::Dataflow::kOutputStationary);
  const Run result = run(machine, task, {4, 1, 6, 4});
  // Only weights: W0 0, W1 8, W2 when tile 0 has ended, W3 when tile 1 has.
  CHECK(spans(result.of(TimingEvent::Kind::kLoad)) == Spans{{0, 8}, {8, 16}, {30, 38}, {42, 50}});
  CHECK(result.of(TimingEvent::Kind::kStore).empty());
  CHECK(spans(result.of(TimingEvent::Kind::kTile)) ==
        Spans{{18, 30}, {30, 42}, {48, 60}, {60, 72}});
  check_causes(result.cost.cycles, 48, 0, 18, 0, 6, 0);
  // The array touches the same words as ever; the DMA only weights.
  const Counts count = counts(result, machine);
  CHECK(count.input(Action::kRead) == 4 * 8);
  CHECK(count.input(Action::kWrite) == 0);
  CHECK(count.output(Action::kWrite) == 4 * 4);
  CHECK(count.output(Action::kRead) == 0);
  CHECK(count.dram(Action::kRead) == 4 * 256);
  CHECK(count.dram(Action::kWrite) == 0);
  CHECK(result.cost.peak_on_chip == Bytes(2 * 32));  // two weight blocks
}

TEST_CASE("A 1x1 convolution on weight-stationary PEs waits for its output ports",
          "[evaluate][worked]") {
  // P = 64 (8x8), K = 64, N = 64; tiles of 4x8 pixels, all 64 input and 32 output channels.
  // Row folds 64 / 4 = 16, column folds 32 / 4 = 8, T = 32, lines 32 + 8 + 4 - 2 = 42 per fold.
  // Drain: 4 columns x 32 bit = 128 bit per line = what 4 banks of 32 bit give; with read-back of
  // partial sums (15 of 16 row folds) 256 bit, so rho = 2 there.
  // Tile: 128 x 42 = 5376 lines and 15 x 8 x 42 = 5040 port cycles: 10416 cycles.
  const Machine machine = example_machine(arch::Dataflow::kWeightStationary);
  LayerTask task = gemm_task(8, 64, 64);
  task.in_width = task.out_width = 8;
  const TileSize tile{4, 8, 64, 32};
  // Blocks fill the halves exactly: I 32 x 512 bit = W 32 x 512 bit = 2 KiB, O 32 x 32 x 32 bit =
  // 4 KiB at accumulator width.
  const BlockBits blocks = block_bits(task, tile, machine.accelerator);
  CHECK(blocks.input[0] == Bits(16384));
  CHECK(blocks.weight == Bits(16384));
  CHECK(blocks.output == Bits(32768));
  CHECK_FALSE(misfit(task, tile, machine.accelerator).has_value());
  const auto too_wide = misfit(task, {5, 8, 64, 32}, machine.accelerator);
  REQUIRE(too_wide.has_value());
  CHECK(too_wide->buffer == "input");
  CHECK(too_wide->missing == Bytes(512));  // 8 more pixels x 64 bytes

  const Run result = run(machine, task, tile);
  for (const TileCost& cost : result.prepared.tiles) {
    CHECK(cost.lines == 5376);
    CHECK(cost.port_cycles == 5040);
  }
  // I, W: 512 beats; O leaves at 8 bit: 32 x 32 x 8 = 8192 bit = 256 beats.
  // I0 0, W0 512, W1 1024 | tile 0 starts when W0 is usable: 1024 + 10.
  // S0 11450, I1 11706, W2 12218 | S1 21866, W3 22122 | S2 32282, S3 42698.
  CHECK(spans(result.of(TimingEvent::Kind::kLoad)) ==
        Spans{{0, 512}, {512, 1024}, {1024, 1536}, {11706, 12218}, {12218, 12730}, {22122, 22634}});
  CHECK(spans(result.of(TimingEvent::Kind::kTile)) ==
        Spans{{1034, 11450}, {11450, 21866}, {21866, 32282}, {32282, 42698}});
  CHECK(spans(result.of(TimingEvent::Kind::kStore)) ==
        Spans{{11450, 11706}, {21866, 22122}, {32282, 32538}, {42698, 42954}});
  check_causes(result.cost.cycles, 4 * 5376, 4 * 5040, 1034, 0, 0, 256);
  CHECK(result.cost.cycles.total() == Cycles(42954));

  const Counts count = counts(result, machine);
  CHECK(count.mac(Action::kMac) == 64 * 64 * 64);
  CHECK(count.mac(Action::kMacIdle) == 0);
  // Per tile: 8 column folds x 16 row folds x 32 pixels x 1 word (4 channels x 8 bit).
  CHECK(count.input(Action::kRead) == 4 * 8 * 16 * 32);
  CHECK(count.input(Action::kWrite) == 2 * 512);
  CHECK(count.weight(Action::kRead) == 4 * 32 * 16);
  CHECK(count.weight(Action::kWrite) == 4 * 512);
  // Runs of 4 channels: 4 words at 32 bit, 1 word at 8 bit in the last row fold.
  CHECK(count.output(Action::kWrite) == 4 * (15 * 32 * 8 * 4 + 32 * 8 * 1));
  CHECK(count.output(Action::kRead) == 4 * (15 * 32 * 8 * 4) + 4 * 256);
  CHECK(count.dram(Action::kRead) == 2 * 16384 + 4 * 16384);
  CHECK(count.dram(Action::kWrite) == 4 * 8192);
  const double expected = 262144 * kMac8x8 + (16384 + 2048 + 61440 + 1024) * kRead +
                          (1024 + 2048 + 62464) * kWrite + (98304 + 32768) * kDramBit +
                          4096 * kRequantize + 42954 * kLeakPerCycle;
  CHECK(result.cost.energy.total().count() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("A depthwise convolution runs one group after the other", "[evaluate][worked]") {
  // 4x4 map, two channels, 3x3 window, padding 1; per group P = 16, K = 9, N = 1. os: 4 row
  // folds of 9 + 4 + 4 - 2 = 15 lines = 60. I: 16 pixels x 32 bit (8 bit padded to a word) = 512
  // bit = 16 beats; W: 72 -> 96 bit = 3 beats; O: 16 x 32 bit = 16 beats.
  const Machine machine = example_machine(arch::Dataflow::kOutputStationary);
  LayerTask task = gemm_task(4, 1, 1);
  task.groups = 2;
  task.in_width = task.out_width = 4;
  task.window = {.kernel_height = 3,
                 .kernel_width = 3,
                 .pad_top = 1,
                 .pad_left = 1,
                 .pad_bottom = 1,
                 .pad_right = 1};
  const Run result = run(machine, task, {4, 4, 1, 1});
  CHECK(result.prepared.schedule.classes().front().load[0] == Bits(512));
  CHECK(result.prepared.schedule.classes().front().load[2] == Bits(96));
  CHECK(result.prepared.schedule.classes().front().store == Bits(512));
  CHECK(result.prepared.tiles.front().lines == 60);
  CHECK(spans(result.of(TimingEvent::Kind::kLoad)) == Spans{{0, 16}, {16, 19}, {19, 35}, {35, 38}});
  CHECK(spans(result.of(TimingEvent::Kind::kTile)) == Spans{{29, 89}, {89, 149}});
  CHECK(spans(result.of(TimingEvent::Kind::kStore)) == Spans{{89, 105}, {149, 165}});
  check_causes(result.cost.cycles, 120, 0, 29, 0, 0, 16);
  CHECK(result.cost.cycles.total() == Cycles(165));

  // Of the 16 outputs along one axis pair, taps -1, 0, +1 meet 3 + 4 + 3 = 10 real rows and 10
  // real columns: 100 real products of 144 slots per group.
  const Counts count = counts(result, machine);
  CHECK(result.cost.macs == Macs(288));
  CHECK(count.mac(Action::kMac) == 200);
  CHECK(count.mac(Action::kMacIdle) == 88);
  CHECK(count.input(Action::kRead) == 200);
  CHECK(count.input(Action::kWrite) == 32);
  CHECK(count.weight(Action::kRead) == 2 * 4 * 3);  // each row fold reads the 3 words again
  CHECK(count.weight(Action::kWrite) == 6);
  CHECK(count.output(Action::kWrite) == 32);
  CHECK(count.output(Action::kRead) == 32);
  const double expected = 200 * kMac8x8 + (200 + 24 + 32) * kRead + (32 + 6 + 32) * kWrite +
                          (1024 + 192 + 1024) * kDramBit + 32 * kRequantize + 165 * kLeakPerCycle;
  CHECK(result.cost.energy.total().count() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("A residual add waits for its second input", "[evaluate][worked]") {
  // 4x4 map, 8 channels, 4 lanes; tiles of two rows: 64 elements = 16 cycles. Each input block:
  // 8 pixels x 64 bit = 512 bit = 16 beats; so is the output block.
  const Machine machine = example_machine(arch::Dataflow::kOutputStationary);
  LayerTask task;
  task.unit = TaskUnit::kVector;
  task.in_height = task.in_width = task.out_height = task.out_width = 4;
  task.channels = task.out_channels = 8;
  task.reach = {InputReach::kWindow, InputReach::kWindow};
  task.actions = {Action::kAdd, Action::kCopy};
  task.ops_per_output = {1, 0};
  const Run result = run(machine, task, {2, 4, 1, 8});
  // A0 0, B0 16, A1 32, B1 48 | tile 0 at 42; the store waits for the channel until 64; tile 1
  // waits for B1, usable at 64 + 10.
  CHECK(spans(result.of(TimingEvent::Kind::kLoad)) == Spans{{0, 16}, {16, 32}, {32, 48}, {48, 64}});
  CHECK(spans(result.of(TimingEvent::Kind::kTile)) == Spans{{42, 58}, {74, 90}});
  CHECK(spans(result.of(TimingEvent::Kind::kStore)) == Spans{{64, 80}, {90, 106}});
  check_causes(result.cost.cycles, 32, 0, 42, 16, 0, 16);
  CHECK(result.cost.cycles.total() == Cycles(106));

  const Counts count = counts(result, machine);
  const ComponentIndices at = component_indices(machine.accelerator);
  CHECK(result.cost.activity.count(at.vector, Action::kAdd) == 128);
  CHECK(result.cost.activity.count(at.requantizer, Action::kRequantize) == 0);
  CHECK(count.input(Action::kRead) == 2 * 16 * 2);
  CHECK(count.input(Action::kWrite) == 64);
  CHECK(count.output(Action::kWrite) == 32);
  CHECK(count.output(Action::kRead) == 32);
  const double expected = 128 * kVectorAdd + (64 + 32) * kRead + (64 + 32) * kWrite +
                          (2048 + 1024) * kDramBit + 106 * kLeakPerCycle;
  CHECK(result.cost.energy.total().count() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("A prefetched weight block shifts its beats to the layer before", "[evaluate][worked]") {
  // The MatMul of 5.8 as a layer with constant weights: the first block is there already, and the
  // last loads include a next block of 320 bit = 10 beats.
  const Machine machine = example_machine(arch::Dataflow::kOutputStationary);
  LayerTask task = gemm_task(8, 6, 8);
  task.constant_weight = true;
  const Run result =
      run(machine, task, {4, 1, 6, 4}, {.weight_is_loaded = true, .next_weight = Bits(320)});
  // I0 0, W1 8 | tile 0 when I0 is usable: 18 .. 30, S0 30 .. 34 | I1 34, W2 42 | tile 1 30 .. 42,
  // S1 50 .. 54 | W3 54 .. 62 (its half is free since 42) | tile 2 when W2 is usable: 50 + 10 = 60
  // .. 72, S2 72 .. 76 | the next layer's block takes the half of W2, free since 72: 76 .. 86 |
  // tile 3: 72 .. 84, S3 86 .. 90 | the layer ends when the prefetched block arrives: 86 + 10.
  CHECK(spans(result.of(TimingEvent::Kind::kLoad)) ==
        Spans{{0, 8}, {8, 16}, {34, 42}, {42, 50}, {54, 62}});
  CHECK(spans(result.of(TimingEvent::Kind::kTile)) ==
        Spans{{18, 30}, {30, 42}, {60, 72}, {72, 84}});
  CHECK(spans(result.of(TimingEvent::Kind::kPrefetch)) == Spans{{76, 86}});
  CHECK(spans(result.of(TimingEvent::Kind::kStore)) ==
        Spans{{30, 34}, {50, 54}, {72, 76}, {86, 90}});
  check_causes(result.cost.cycles, 48, 0, 18, 0, 18, 12);
  CHECK(result.cost.dram.weight_read == Bits(3 * 256 + 320));
}

}  // namespace
}  // namespace vernier::dataflow
