// How a layer is laid on the array: the three operand matrices (P output pixels, K window elements,
// N filters), the folds and their order, and everything of the reports that follows from that in
// closed form. First station after the readers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arch/base/checked.hpp"
#include "frontends/scalesim/config.hpp"
#include "frontends/scalesim/layer.hpp"

namespace vernier::frontends::scalesim {

/// Row folds follow each other inside a column fold; all folds have the same number of lines
/// (cycles' worth of demands), quirk 3.
struct FoldPlan {
  Dataflow dataflow = Dataflow::kOutputStationary;
  std::int64_t pixels = 0;         ///< P
  std::int64_t window = 0;         ///< K
  std::int64_t filters = 0;        ///< N
  std::int64_t rows = 0;           ///< of the array
  std::int64_t columns = 0;        ///< of the array
  std::int64_t row_extent = 0;     ///< elements along the rows: P for os, else K
  std::int64_t column_extent = 0;  ///< elements along the columns: N for os and ws, else P
  std::int64_t steps = 0;          ///< elements in time: K for os, P for ws, N for is
  std::int64_t row_folds = 0;
  std::int64_t column_folds = 0;
  std::int64_t fold_lines = 0;

  [[nodiscard]] std::int64_t folds() const { return checked_mul(row_folds, column_folds); }
  [[nodiscard]] std::int64_t lines() const { return checked_mul(folds(), fold_lines); }
  /// Rows that row fold `fold` uses.
  [[nodiscard]] std::int64_t used_rows(std::int64_t fold) const {
    return std::min(rows, row_extent - fold * rows);
  }
  /// Columns that column fold `fold` uses.
  [[nodiscard]] std::int64_t used_columns(std::int64_t fold) const {
    return std::min(columns, column_extent - fold * columns);
  }
};

/// Throws ModelError or ArithmeticOverflow when the layer is too large to be counted.
[[nodiscard]] FoldPlan plan_folds(const LayerShape& shape, const Config& config);

/// SRAM words of the three ports, nulls included.
struct SramWords {
  std::int64_t input_reads = 0;
  std::int64_t filter_reads = 0;
  std::int64_t output_writes = 0;
};
[[nodiscard]] SramWords sram_words(const FoldPlan& plan);

/// Percent of the array that the folds map, on average.
[[nodiscard]] double mapping_efficiency(const FoldPlan& plan);

/// Percent of the PE cycles of the folds that compute, on average.
[[nodiscard]] double compute_utilisation(const FoldPlan& plan);

/// Percent of the PE cycles up to `total_cycles` that compute.
[[nodiscard]] double overall_utilisation(const FoldPlan& plan, std::int64_t total_cycles);

/// The words of a block of `lanes` x `steps` elements that starts one lane later each line: the
/// shape of every streamed demand. Line 0 holds lane 0 alone.
struct SkewedBlock {
  std::int64_t lanes = 0;
  std::int64_t steps = 0;

  [[nodiscard]] std::int64_t lines() const { return lanes + steps - 1; }
  /// Words of one line.
  [[nodiscard]] std::int64_t width(std::int64_t line) const {
    return std::min({line + 1, lanes, steps, lines() - line});
  }
  /// Words of all lines before `line`.
  [[nodiscard]] std::int64_t words_before(std::int64_t line) const;
  /// The line that holds the word number `word`, 0 <= word < lanes * steps.
  [[nodiscard]] std::int64_t line_of(std::int64_t word) const;
};

}  // namespace vernier::frontends::scalesim
