// Hand arithmetic on folds that overlap and on dot_columns (design 5.1), held against both engines.
#include <cstdint>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/clocked_run.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::tests {
namespace {

using arch::Dataflow;
using arch::FoldOverlap;
using dataflow::CycleCause;

struct Product {
  std::int64_t pixels = 1;
  std::int64_t reduction = 1;
  std::int64_t out_channels = 1;
};

/// Compute and port cycles of a matrix product in one tile.
struct Cycles {
  std::int64_t compute = 0;
  std::int64_t port = 0;
  friend bool operator==(const Cycles&, const Cycles&) = default;
};

struct Outcome {
  Cycles analytical;
  Cycles clocked;
  bool exact = false;
};

Outcome run_product(const dataflow::AcceleratorSpec& spec, const Product& product, int bits = 8) {
  dataflow::LayerTask task = gemm_task(product.pixels, product.reduction, product.out_channels);
  task.weight_compute = task.weight_storage = Bitwidth(bits);
  task.activation_compute = task.input_storage[0] = Bitwidth(bits);
  const ClockedCase given = clocked_case(
      with_prices(spec), task, {product.pixels, 1, product.reduction, product.out_channels});
  const auto cost = cost_of_task(given.prepared, {}, given.machine);
  const dataflow::ClockedRun run = run_clocked(given);
  const auto cycles = [](const dataflow::CycleBreakdown& all) {
    return Cycles{all[CycleCause::kCompute], all[CycleCause::kPort]};
  };
  return {cycles(cost.cycles), cycles(run.cycles),
          run.exact == reference_outputs(task, given.machine.accelerator, given.operands)};
}

void check(const dataflow::AcceleratorSpec& spec, const Product& product, const Cycles& expected) {
  const Outcome outcome = run_product(spec, product);
  CAPTURE(to_text(spec.array.dataflow), to_text(spec.array.fold_overlap), product.pixels,
          product.reduction, product.out_channels, outcome.analytical.compute,
          outcome.analytical.port, outcome.clocked.compute, outcome.clocked.port);
  CHECK(outcome.analytical == expected);
  CHECK(outcome.clocked == expected);
  CHECK(outcome.exact);
}

dataflow::AcceleratorSpec spec_of(Dataflow dataflow, FoldOverlap overlap) {
  dataflow::AcceleratorSpec spec = example_spec(dataflow);
  spec.array.fold_overlap = overlap;
  return spec;
}

}  // namespace

// The array is 4x4; buffers give 64, 64 and 128 bit per line. Sums are 32 bit, so a fold that reads
// partial sums back in all four columns asks for 256 bit and takes two cycles per line.
TEST_CASE("Stationary operands are preloaded behind the fold before", "[clocked][overlap]") {
  const auto ws = spec_of(Dataflow::kWeightStationary, FoldOverlap::kPreload);
  const auto is = spec_of(Dataflow::kInputStationary, FoldOverlap::kPreload);
  // Four folds (K = 8 in two, N = 8 in two) of T = 2: starts every max(2, 4) lines,
  // 4 + 3 * 4 + (2+4+4-2) = 24. A fold is at work for 8 lines, so the first interval (4 + 4 lines)
  // alone sees no read-back.
  check(ws, {2, 8, 8}, {24, 4 + 4 + 8});
  // T = 6: 4 + 3 * 6 + 12 = 34; the first interval has 10 lines.
  check(ws, {6, 8, 8}, {34, 6 + 6 + 12});
  // Input stationary, P = 8 in two, T = N = 3: 4 + 3 * 4 + (3+4+4-2).
  check(is, {8, 8, 3}, {25, 4 + 4 + 9});
  // One fold: as without overlap, T+2R+C-2.
  check(ws, {5, 3, 2}, {15, 0});
  check(spec_of(Dataflow::kWeightStationary, FoldOverlap::kNone), {2, 8, 8}, {48, 2 * 12});
}

TEST_CASE("Output stationary folds with a second accumulator follow each other",
          "[clocked][overlap]") {
  const auto os = spec_of(Dataflow::kOutputStationary, FoldOverlap::kFull);
  // T = K. Four folds; the buses need four lines each.
  check(os, {8, 3, 8}, {3 * 4 + 9, 0});
  check(os, {8, 6, 8}, {3 * 6 + 12, 0});
  check(os, {3, 6, 2}, {12, 0});
}

// Weights and inputs from one buffer of 32 bit per line: 4 rows * 8 bit of inputs fill it, and so
// do 4 columns * 8 bit of weights.
TEST_CASE("A preload behind a stream adds to what the ports are asked for", "[clocked][overlap]") {
  dataflow::AcceleratorSpec spec = spec_of(Dataflow::kWeightStationary, FoldOverlap::kPreload);
  memory::BufferSpec operands = spec.buffers[0];
  operands.name = "operands";
  operands.serves = {TensorRole::kInput, TensorRole::kWeight};
  operands.word = Bits(16);
  spec.buffers = {operands, spec.buffers[2]};
  // Two folds of T = 7. Intervals of 4 + 7 and 7 + 6 lines. The preload of the second fold takes 4
  // lines in each column, the last one 3 lines late: it is over before the second stream begins.
  check(spec, {7, 4, 8}, {24, 11});
  // T = 6: its last line is in the second interval (6 + 6 lines) too.
  check(spec, {6, 4, 8}, {22, 22});
  // A fold alone does not preload behind anything.
  check(spec, {7, 4, 4}, {17, 0});
}

// Design 5.1, notes 1.4: K = 96 at 8 bit takes T = 96 lines, at 4 bit 24.
TEST_CASE("Without overlap four times the products are not four times as fast",
          "[clocked][overlap]") {
  dataflow::AcceleratorSpec spec = example_spec(Dataflow::kOutputStationary);
  spec.array.rows = spec.array.columns = 32;
  spec.mac.style = "sum_together";
  spec.mac.weight_bits = spec.mac.activation_bits = {2, 4, 8};
  for (memory::BufferSpec& buffer : spec.buffers) {
    buffer.banks = 64;
    buffer.capacity = Bytes(buffer.word.count() * buffer.banks * 32);
  }
  constexpr std::int64_t kFolds = 10;
  const Product product{32 * kFolds, 96, 32};
  const auto lines = [&](int bits) {
    const Outcome outcome = run_product(spec, product, bits);
    CHECK(outcome.analytical == outcome.clocked);
    CHECK(outcome.analytical.port == 0);
    CHECK(outcome.exact);
    return outcome.analytical.compute;
  };
  CHECK(lines(8) == kFolds * (96 + 62));
  CHECK(lines(4) == kFolds * (24 + 62));  // 158 / 86 = 1.84
  CHECK(lines(2) == kFolds * (6 + 62));
  // With the second accumulator a fold takes max(T, 32) lines: 96 / 32 = 3, and not more.
  spec.array.fold_overlap = FoldOverlap::kFull;
  CHECK(lines(8) == (kFolds - 1) * 96 + 158);
  CHECK(lines(4) == (kFolds - 1) * 32 + 86);
  CHECK(lines(2) == (kFolds - 1) * 32 + 68);
}

// 4 rows take 4 channels per step. Each PE asks its bank for 8 bit per line: 128 bit of 64.
TEST_CASE("Dot columns take a pixel's steps one after the other", "[clocked][overlap]") {
  // K = 6: two steps, the second one with two rows; P = 3: T = 6. N = 8: two folds of 6+4+4-2.
  check(spec_of(Dataflow::kDotColumns, FoldOverlap::kNone), {3, 6, 8}, {24, 24});
  check(spec_of(Dataflow::kDotColumns, FoldOverlap::kFull), {3, 6, 8}, {6 + 12, 6 + 12});
  // K = 2: two rows, 2 * 4 * 8 bit. All four columns hand over a sum in a line.
  check(spec_of(Dataflow::kDotColumns, FoldOverlap::kFull), {3, 2, 4}, {9, 0});
}

TEST_CASE("Words of dot columns are counted at banks and rows", "[clocked][overlap]") {
  // K = 6, P = 3, N = 8, words of 32 bit. A pixel's steps read 4 and 2 inputs: a word each, for
  // both folds. Rows 0 and 1 have two weights, rows 2 and 3 one: a word per PE and pixel.
  const ClockedCase given =
      clocked_case(with_prices(spec_of(Dataflow::kDotColumns, FoldOverlap::kFull)),
                   gemm_task(3, 6, 8), {3, 1, 6, 8});
  const dataflow::TileCost& tile = given.prepared.tiles.front();
  CHECK(tile.accesses.input_reads[0] == 2 * 3 * 2);
  CHECK(tile.accesses.weight_reads == 3 * 8 * 4);
  CHECK(tile.accesses.output_writes == 3 * 2);  // 4 outputs of 8 bit for each pixel and fold
  CHECK(tile.accesses.output_reads == 0);
  CHECK(tile.macs == 3 * 6 * 8);
  CHECK(tile.idle_macs == 3 * 2 * 8);  // two rows have nothing to do in the second step
}

}  // namespace vernier::tests
