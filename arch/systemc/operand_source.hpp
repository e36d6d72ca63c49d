// What the edges of an array with overlapping folds ask of the buffers: the operand that row,
// column or PE needs for an element of a fold's stream, read as codes and decoded, and the words
// that are read for it. Zeros (or the zero point) stand where the window lies in the padding.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/systemc/array_program.hpp"
#include "arch/systemc/operand_feeder.hpp"
#include "arch/systemc/overlap_grid.hpp"

namespace vernier::arch {

template <typename Word>
class OperandSource {
 public:
  OperandSource(const ArrayTask& task, const OperandSets& sets, ArrayCounts& counts);

  void begin_tile(const ArrayTile& tile);
  /// ceilK of the tile.
  [[nodiscard]] std::int64_t reduction_steps() const { return steps_; }
  /// Steps of the tile's pixels and of its output channels, kP and kN at a time.
  [[nodiscard]] std::int64_t pixel_steps() const;
  [[nodiscard]] std::int64_t channel_steps() const;
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
  /// A product slot of the reduction: window position and channel, or nothing (padding of lanes).
  struct Element {
    std::int32_t position = -1;
    std::int32_t channel = 0;
  };
  /// A contiguous run of channels of one window position.
  struct Run {
    std::int64_t position = 0;
    std::int64_t channels = 0;
  };
  struct Origin {  ///< input coordinates of the first window position of a pixel, in the block
    std::int64_t row = 0;
    std::int64_t column = 0;
  };

  void list_elements();
  [[nodiscard]] const Element& element(std::int64_t step, std::int64_t lane) const {
    return elements_[static_cast<std::size_t>(step * step_lanes_ + lane)];
  }
  [[nodiscard]] Word input_value(std::int64_t pixel, const Element& at) const;
  [[nodiscard]] Word weight_value(std::int64_t channel, const Element& at) const;
  [[nodiscard]] Word part(Word value, std::int64_t cycle) const;
  [[nodiscard]] bool is_real(std::int64_t pixel, std::int64_t position) const;
  [[nodiscard]] std::vector<Run> runs_of(std::int64_t first_slot, std::int64_t slots) const;
  [[nodiscard]] static std::int64_t elements_of(const std::vector<Run>& runs);
  void count_run(const Run& run, std::int64_t pixel, std::int64_t output_channels);
  void count_pixels(const Run& run, std::int64_t pixel_step, std::int64_t output_channels);
  void count_row(const Fold& fold, std::int64_t row, std::int64_t step);
  void count_bank_words(const Fold& fold, std::int64_t row, std::int64_t step);

  const ArrayTask& task_;
  const MacMode& mode_;
  OperandSets sets_;
  ArrayCounts& counts_;
  Dataflow dataflow_;
  ArrayTile tile_;
  std::int64_t positions_ = 1;
  std::int64_t steps_ = 1;
  std::int64_t step_lanes_ = 1;  ///< that take an element in one step of the reduction
  std::int64_t part_bits_ = 0;
  Word pad_value_ = 0;
  std::int64_t listed_channels_ = 0;
  std::vector<Element> elements_;
  std::vector<Origin> origins_;              ///< of the tile's pixels
  std::vector<Run> fold_runs_;               ///< ws, is: of the fold whose stream began last
  std::vector<std::vector<Run>> step_runs_;  ///< dot_columns: of each step
  std::vector<std::int64_t> bank_elements_;  ///< dot_columns: taken by a row's units for a pixel
};

extern template class OperandSource<std::uint32_t>;
extern template class OperandSource<std::uint64_t>;

}  // namespace vernier::arch
