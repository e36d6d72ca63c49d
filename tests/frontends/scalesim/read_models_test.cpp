// Both read models against the words of the research note taken literally: every word of every line
// is looked up in sets of addresses. Small random layers, arrays and SRAMs.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "frontends/scalesim/estimated_reads.hpp"
#include "frontends/scalesim/prefetched_reads.hpp"

namespace vernier::frontends::scalesim {
namespace {

using Word = std::optional<std::int64_t>;  // null: no request
using Line = std::vector<Word>;

struct Model {
  LayerShape shape;
  FoldPlan plan;
  Operand operand;

  // Element of the operand matrix as section 1.1 defines it: A[pixel][k] or B[k][filter].
  [[nodiscard]] Word word(std::int64_t row, std::int64_t column) const {
    if (operand == Operand::kFilter) return column * plan.window + row;
    const std::int64_t out_width = shape.output_width();
    const std::int64_t filter_row = column / (shape.filter_width * shape.channels);
    const std::int64_t filter_column =
        column % (shape.filter_width * shape.channels) / shape.channels;
    const std::int64_t y = row / out_width * shape.stride_height + filter_row;
    const std::int64_t x = row % out_width * shape.stride_width + filter_column;
    if (y >= shape.input_height || x >= shape.input_width) return {};
    return (y * shape.input_width + x) * shape.channels + column % shape.channels;
  }

  // Section 1.3: what line t of a fold asks for.
  [[nodiscard]] Line demand(std::int64_t fc, std::int64_t fr, std::int64_t t) const {
    Line line;
    const std::int64_t r = plan.used_rows(fr);
    const std::int64_t c = plan.used_columns(fc);
    const std::int64_t bottom = fr * plan.rows + plan.rows - 1 - t;
    const bool is_input = operand == Operand::kInput;
    const bool has_row = t < plan.rows && plan.rows - 1 - t < r;
    const bool is_os = plan.dataflow == Dataflow::kOutputStationary;
    const bool is_stationary =
        plan.dataflow == (is_input ? Dataflow::kInputStationary : Dataflow::kWeightStationary);
    const std::int64_t lanes = is_stationary || (is_os && !is_input) ? c : r;
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      if (is_stationary) {
        if (!has_row) continue;
        const std::int64_t column = fc * plan.columns + lane;
        line.push_back(is_input ? word(column, bottom) : word(bottom, column));
        continue;
      }
      const std::int64_t u = t - lane - (is_os ? 0 : plan.rows);
      if (u < 0 || u >= plan.steps) continue;
      const std::int64_t along_rows = fr * plan.rows + lane;
      if (is_os && is_input) line.push_back(word(along_rows, u));
      if (is_os && !is_input) line.push_back(word(u, fc * plan.columns + lane));
      if (!is_os && is_input) line.push_back(word(u, along_rows));
      if (!is_os && !is_input) line.push_back(word(along_rows, u));
    }
    return line;
  }

  // Section 1.8: the prefetch order with its nulls.
  [[nodiscard]] std::vector<Word> prefetch_order() const {
    std::vector<Word> order;
    const bool is_input = operand == Operand::kInput;
    const bool is_os = plan.dataflow == Dataflow::kOutputStationary;
    if (plan.dataflow == (is_input ? Dataflow::kInputStationary : Dataflow::kWeightStationary)) {
      for (std::int64_t column = 0; column < plan.column_folds * plan.columns;
           column += plan.columns)
        for (std::int64_t k = 0; k < plan.row_extent; ++k)
          for (std::int64_t y = column; y < column + plan.columns; ++y)
            order.push_back(y >= plan.column_extent ? Word{} : is_input ? word(y, k) : word(k, y));
      return order;
    }
    const bool by_columns = is_os && !is_input;
    const std::int64_t width = by_columns ? plan.columns : plan.rows;
    const std::int64_t extent = by_columns ? plan.column_extent : plan.row_extent;
    const std::int64_t height = (by_columns ? plan.column_folds : plan.row_folds) * plan.steps;
    for (std::int64_t d = 0; d <= height + width; ++d) {
      for (std::int64_t row = std::min(d, height - 1);
           row >= std::max<std::int64_t>(0, d - width + 1); --row) {
        const std::int64_t lane = row / plan.steps * width + d - row;
        const std::int64_t step = row % plan.steps;
        const bool is_lane_first = is_os == is_input;
        order.push_back(lane >= extent  ? Word{}
                        : is_lane_first ? word(lane, step)
                                        : word(step, lane));
      }
    }
    return order;
  }

  template <typename Visit>
  void visit_lines(Visit visit) const {
    std::int64_t line = 0;
    for (std::int64_t fc = 0; fc < plan.column_folds; ++fc)
      for (std::int64_t fr = 0; fr < plan.row_folds; ++fr)
        for (std::int64_t t = 0; t < plan.fold_lines; ++t) visit(line++, demand(fc, fr, t));
  }
};

EstimatedReads brute_estimate(const Model& model, std::int64_t capacity) {
  EstimatedReads reads;
  std::set<std::int64_t> generation;
  model.visit_lines([&](std::int64_t number, const Line& line) {
    for (const Word& word : line) {
      if (!word || !generation.insert(*word).second) continue;
      ++reads.misses;
      if (static_cast<std::int64_t>(generation.size()) < capacity) continue;
      generation.clear();
      ++reads.full_generations;
      reads.last_full_line = number;
    }
  });
  return reads;
}

std::vector<Refill> brute_refills(const Model& model, std::int64_t sram_words) {
  const std::int64_t set_words = ceil_div(sram_words, 100);
  const std::int64_t half = ceil_div(sram_words, 2);
  std::vector<std::set<std::int64_t>> sets(1);
  std::int64_t in_set = 0;
  for (const Word& word : model.prefetch_order()) {
    if (!word) continue;
    sets.back().insert(*word);
    if (++in_set % set_words == 0) sets.emplace_back();
  }
  const auto count = static_cast<std::int64_t>(sets.size());
  const std::int64_t active = std::min(ceil_div(half, set_words), count);
  const std::int64_t step = std::min(ceil_div(sram_words - half, set_words), count - active);
  std::int64_t begin = 0;
  std::int64_t end = active;
  const auto holds = [&](std::int64_t word) {
    for (std::int64_t set = 0; set < count; ++set) {
      const bool is_active = begin < end ? set >= begin && set < end : set >= begin || set < end;
      if (is_active && sets[static_cast<std::size_t>(set)].contains(word)) return true;
    }
    return false;
  };
  std::vector<Refill> refills;
  model.visit_lines([&](std::int64_t number, const Line& line) {
    std::int64_t moves = 0;
    for (const Word& word : line) {
      while (word && !holds(*word)) {
        begin = (begin + step) % count;
        end = (begin + active) % count;
        ++moves;
      }
    }
    if (moves > 0) refills.push_back({number, moves});
  });
  return refills;
}

struct Case {
  Model model;
  std::int64_t sram_words = 0;
};

Case random_case(std::mt19937& random) {
  const auto pick = [&](int least, int most) {
    return std::int64_t{std::uniform_int_distribution<int>(least, most)(random)};
  };
  Config config;
  config.rows = pick(1, 6);
  config.columns = pick(1, 6);
  config.dataflow = static_cast<Dataflow>(pick(0, 2));
  LayerShape shape{.input_height = pick(1, 7),
                   .input_width = pick(1, 7),
                   .filter_height = pick(1, 4),
                   .filter_width = pick(1, 4),
                   .channels = pick(1, 4),
                   .filters = pick(1, 13),
                   .stride_height = pick(1, 3),
                   .stride_width = pick(1, 3)};
  shape.filter_height = std::min(shape.filter_height, shape.input_height);
  shape.filter_width = std::min(shape.filter_width, shape.input_width);
  const Operand operand = pick(0, 1) == 0 ? Operand::kInput : Operand::kFilter;
  return {.model = {shape, plan_folds(shape, config), operand}, .sram_words = pick(100, 420)};
}

TEST_CASE("Both read models equal a walk over every word", "[frontends][scalesim]") {
  constexpr int kCases = 400;
  for (int seed = 0; seed < kCases; ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const Case one = random_case(random);
    const ReadStream stream(one.model.shape, one.model.plan, one.model.operand);
    CAPTURE(seed, one.model.shape.input_height, one.model.shape.input_width,
            one.model.shape.filter_height, one.model.shape.filter_width, one.sram_words);
    const EstimatedReads reads = estimate_reads(stream, one.sram_words);
    const EstimatedReads expected = brute_estimate(one.model, generation_words(one.sram_words));
    REQUIRE(reads.misses == expected.misses);
    REQUIRE(reads.full_generations == expected.full_generations);
    REQUIRE(reads.last_full_line == expected.last_full_line);
    const PrefetchedReads prefetched = find_refills(stream, one.sram_words, 10);
    const std::vector<Refill> refills = brute_refills(one.model, one.sram_words);
    REQUIRE(prefetched.refills.size() == refills.size());
    for (std::size_t index = 0; index < refills.size(); ++index) {
      REQUIRE(prefetched.refills[index].line == refills[index].line);
      REQUIRE(prefetched.refills[index].moves == refills[index].moves);
    }
  }
}

TEST_CASE("The words of a skewed block are found line by line", "[frontends][scalesim]") {
  for (const SkewedBlock block : {SkewedBlock{3, 5}, SkewedBlock{5, 3}, SkewedBlock{1, 4},
                                  SkewedBlock{4, 1}, SkewedBlock{4, 4}}) {
    std::int64_t word = 0;
    for (std::int64_t line = 0; line < block.lines(); ++line) {
      CHECK(block.words_before(line) == word);
      for (std::int64_t lane = 0; lane < block.width(line); ++lane) {
        CHECK(block.line_of(word++) == line);
      }
    }
    CHECK(word == block.lanes * block.steps);
  }
}

}  // namespace
}  // namespace vernier::frontends::scalesim
