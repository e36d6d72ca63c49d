// The clocked array with overlapping folds alone, on units that extend every dimension: matrix
// products against their definition, lines against the closed form.
#include "arch/systemc/overlap_engine.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/fold_model.hpp"

namespace vernier::arch {
namespace {

/// out[pixel][channel] = sum over k of input[pixel][k] * weight[channel][k].
struct Product {
  std::int64_t pixels = 1;
  std::int64_t reduction = 1;
  std::int64_t channels = 1;
  std::vector<std::uint32_t> input;
  std::vector<std::uint32_t> weight;

  [[nodiscard]] std::vector<std::int64_t> outputs(const ArrayTask& task) const {
    std::vector<std::int64_t> result;
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      for (std::int64_t channel = 0; channel < channels; ++channel) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < reduction; ++k) {
          sum += decode(input[static_cast<std::size_t>(pixel * reduction + k)], task.input) *
                 decode(weight[static_cast<std::size_t>(channel * reduction + k)], task.weight);
        }
        result.push_back(sum);
      }
    }
    return result;
  }
};

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(random_() % static_cast<unsigned>(most - least + 1));
  }

  ArrayTask task() {
    ArrayTask task;
    task.array.rows = between(1, 5);
    task.array.columns = between(1, 5);
    task.array.dataflow = static_cast<Dataflow>(between(0, 3));
    task.array.fold_overlap = task.array.preloads() ? FoldOverlap::kPreload : FoldOverlap::kFull;
    task.mode.cycles = between(1, 2);
    task.mode.reduction = between(1, 3);
    task.mode.out_channels = between(1, 3);
    task.mode.pixels = between(1, 2);
    task.mode.accumulators = task.mode.out_channels * task.mode.pixels;
    task.input.is_signed = between(0, 1) == 1;
    task.output_words.element_bits = 32;
    return task;
  }
  Product product() {
    Product result{between(1, 12), between(1, 12), between(1, 12), {}, {}};
    const auto fill = [this](std::vector<std::uint32_t>& codes, std::int64_t count) {
      for (; count > 0; --count) codes.push_back(static_cast<std::uint32_t>(between(0, 255)));
    };
    fill(result.input, result.pixels * result.reduction);
    fill(result.weight, result.channels * result.reduction);
    return result;
  }

 private:
  std::mt19937 random_;
};

struct Run {
  std::vector<std::int64_t> exact;
  ArrayCounts counts;
};

Run run(const ArrayTask& task, const Product& product) {
  const auto outputs = static_cast<std::size_t>(product.pixels * product.channels);
  Run result;
  result.exact.assign(outputs, 0);
  std::vector<std::int64_t> codes(outputs, 0);
  const std::vector<std::int64_t> bias(static_cast<std::size_t>(product.channels), 0);
  ArrayTile tile;
  tile.out_rows = tile.in_rows = product.pixels;
  tile.in_columns = 1;
  tile.channels = product.reduction;
  tile.out_channels = product.channels;
  tile.input = product.input.data();
  tile.weight = product.weight.data();
  tile.output = codes.data();
  tile.exact = result.exact.data();
  tile.bias = bias.data();
  const auto engine = make_overlap_engine(task, {});
  engine->begin_tile(tile);
  while (!engine->lines(7).ends_tile) continue;
  result.counts = engine->counts();
  return result;
}

std::int64_t expected_lines(const ArrayTask& task, const Product& product) {
  const MacMode& mode = task.mode;
  const ArraySpec& array = task.array;
  const std::int64_t pixels = ceil_div(product.pixels, mode.pixels);
  const std::int64_t channels = ceil_div(product.channels, mode.out_channels);
  const std::int64_t steps = ceil_div(product.reduction, mode.reduction * array.rows_per_step());
  const auto lines = [&](std::int64_t rows, std::int64_t columns, std::int64_t temporal) {
    const std::int64_t folds = rows * ceil_div(columns, array.columns);
    const std::int64_t cycles = temporal * mode.cycles;
    return (folds - 1) * fold_interval(array, mode, cycles) + fold_lines(array, cycles);
  };
  switch (array.dataflow) {
    case Dataflow::kOutputStationary: return lines(ceil_div(pixels, array.rows), channels, steps);
    case Dataflow::kWeightStationary: return lines(ceil_div(steps, array.rows), channels, pixels);
    case Dataflow::kInputStationary: return lines(ceil_div(steps, array.rows), pixels, channels);
    case Dataflow::kDotColumns: break;
  }
  return lines(1, channels, pixels * steps);
}

}  // namespace

TEST_CASE("Overlapping folds of units with several accumulators multiply matrices exactly",
          "[arch][clocked][overlap]") {
  constexpr unsigned kCases = 2000;
  for (unsigned seed = 0; seed < kCases; ++seed) {
    Draw draw(seed);
    const ArrayTask task = draw.task();
    const Product product = draw.product();
    const Run result = run(task, product);
    CAPTURE(seed, to_text(task.array.dataflow), task.array.rows, task.array.columns,
            task.mode.cycles, task.mode.reduction, task.mode.out_channels, task.mode.pixels,
            product.pixels, product.reduction, product.channels);
    REQUIRE(result.exact == product.outputs(task));
    REQUIRE(result.counts.lines == expected_lines(task, product));
    REQUIRE(result.counts.finished_outputs == product.pixels * product.channels);
    REQUIRE(result.counts.real_products == product.pixels * product.reduction * product.channels);
    REQUIRE(result.counts.product_slots % task.mode.macs_per_step() == 0);
  }
}

}  // namespace vernier::arch
