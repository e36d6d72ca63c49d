// What the edges of an array with overlapping folds ask of the buffers: the operand that row,
// column or PE needs for an element of a fold's stream, and the words that are read for it.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/systemc/array_program.hpp"
#include "arch/systemc/operand_feeder.hpp"
#include "arch/systemc/overlap_grid.hpp"
#include "arch/systemc/tile_operands.hpp"

namespace vernier::arch {

template <typename Word>
class OperandSource {
 public:
  OperandSource(const ArrayTask& task, const OperandSets& sets, ArrayCounts& counts);

  void begin_tile(const ArrayTile& tile);
  /// ceilK of the tile.
  [[nodiscard]] std::int64_t reduction_steps() const { return operands_.steps(); }
  /// Steps of the tile's pixels and of its output channels, kP and kN at a time.
  [[nodiscard]] std::int64_t pixel_steps() const { return operands_.pixel_steps(); }
  [[nodiscard]] std::int64_t channel_steps() const { return operands_.channel_steps(); }
  /// Output channels that the columns of a fold hold (not is).
  [[nodiscard]] std::int64_t fold_channels(const Fold& fold) const;
  /// dot_columns: rows that have a channel in some step.
  [[nodiscard]] std::int64_t dot_rows() const;

  /// A fold's stream begins; counts its product slots.
  void begin_fold(const Fold& fold);
  /// Operand of PE (row, 0) for cycle `at` of the fold's stream, one value per row lane; counts
  /// the words that are due with it.
  void read_row(const Fold& fold, std::int64_t row, std::int64_t at, Word* lanes);
  /// Output stationary: the same for PE (0, column).
  void read_column(const Fold& fold, std::int64_t column, std::int64_t at, Word* lanes);
  /// Counts the words of the fold's stationary operand.
  void begin_preload(const Fold& fold);
  /// Stationary operand of a PE, one value per column lane; zeros where the fold does not use it.
  void read_stationary(const Fold& fold, std::int64_t row, std::int64_t column, Word* lanes) const;
  /// dot_columns: the banks of a fold, [row][phase][column lane][pitch]. In a phase column y has
  /// the weights that it needs y lines later than column 0: the step of cycle phase - y.
  void fill_banks(const Fold& fold, std::int64_t pitch, std::vector<Word>& banks) const;

 private:
  using Element = typename TileOperands<Word>::Element;
  using Run = typename TileOperands<Word>::Run;
  using Origin = typename TileOperands<Word>::Origin;

  [[nodiscard]] Word input_value(std::int64_t pixel, const Element& at) const;
  [[nodiscard]] Word weight_value(std::int64_t channel, const Element& at) const;
  void count_run(const Run& run, std::int64_t pixel, std::int64_t output_channels);
  void count_pixels(const Run& run, std::int64_t pixel_step, std::int64_t output_channels);
  void count_row(const Fold& fold, std::int64_t row, std::int64_t step);
  void count_bank_words(const Fold& fold, std::int64_t row, std::int64_t step);

  const ArrayTask& task_;
  const MacMode& mode_;
  OperandSets sets_;
  ArrayCounts& counts_;
  Dataflow dataflow_;
  TileOperands<Word> operands_;
  ArrayTile tile_;
  std::vector<Origin> origins_;              ///< of the tile's pixels
  std::vector<Run> fold_runs_;               ///< ws, is: of the fold whose stream began last
  std::int64_t fold_elements_ = 0;           ///< of these runs
  std::vector<std::vector<Run>> step_runs_;  ///< dot_columns: of each step
  std::vector<std::int64_t> bank_elements_;  ///< dot_columns: taken by a row's units for a pixel
};

extern template class OperandSource<std::uint32_t>;
extern template class OperandSource<std::uint64_t>;

}  // namespace vernier::arch
