// Between buffers and array: reads the operands' runs in the line in which a row or column asks for
// them, decodes the codes, puts zeros (or the zero point) where the window lies in the padding, and
// counts the words that it reads and the products that it starts.
//
// Bursts: a row (os: also a column) reads one contiguous run at a time, when its first element is
// due, and then feeds one element per line from it. Row x runs one line behind row x-1.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/systemc/array_program.hpp"
#include "arch/systemc/pe_grid.hpp"

namespace vernier::arch {

/// One filling of the array by one block of a tile.
struct Fold {
  std::int64_t first_row = 0;  ///< os: pixel; ws, is: step of the reduction
  std::int64_t used_rows = 1;
  std::int64_t first_column = 0;  ///< os, ws: output channel; is: pixel
  std::int64_t used_columns = 1;
  std::int64_t stream_cycles = 1;  ///< T
  bool reads_sums = false;
  bool finishes = false;
};

/// Feeds one tile after the other into a grid.
template <typename Word>
class OperandFeeder {
 public:
  OperandFeeder(const ArrayTask& task, PeGrid<Word>& grid, ArrayCounts& counts);

  /// Sets the tile; allocates only when its reduction is longer than any before.
  void begin_tile(const ArrayTile& tile);
  /// Steps of the reduction of the tile: ceilK.
  [[nodiscard]] std::int64_t reduction_steps() const { return steps_; }

  void begin_fold(const Fold& fold);
  /// ws, is: shifts one array row of stationary operands in; line 0 brings the bottom row.
  void preload(std::int64_t line);
  /// Reads the bursts that begin in this line of the stream.
  void feed(std::int64_t line);

 private:
  /// A product slot of the reduction: window position and channel, or nothing (padding of lanes).
  struct Element {
    std::int32_t position = -1;
    std::int32_t channel = 0;
  };
  /// A contiguous run of channels of one window position inside a fold.
  struct Run {
    std::int64_t position = 0;
    std::int64_t channels = 0;
  };
  struct Origin {  ///< input coordinates of the first window position of a pixel, in the block
    std::int64_t row = 0;
    std::int64_t column = 0;
  };

  void list_elements();
  void list_runs();
  [[nodiscard]] Origin origin_of(std::int64_t pixel) const;
  /// First channel of a window position of a pixel; nullptr in the padding.
  [[nodiscard]] const std::uint32_t* input_at(const Origin& origin, std::int64_t position) const;
  [[nodiscard]] bool is_real(const Origin& origin, std::int64_t position) const;
  [[nodiscard]] const Element& element(std::int64_t step, std::int64_t lane) const {
    return elements_[static_cast<std::size_t>(step * mode_.reduction + lane)];
  }
  [[nodiscard]] Word input_value(const std::uint32_t* code) const;
  [[nodiscard]] Word weight_value(const std::uint32_t* code) const;
  /// The part of a row operand that goes in at one cycle of a step of several cycles.
  [[nodiscard]] Word part(Word value, std::int64_t cycle) const;
  void put(Word* stream, std::int64_t element, Word value);

  void feed_row_of_pixels(std::int64_t row, std::int64_t burst);         // os
  void feed_columns(std::int64_t line);                                  // os
  void feed_column_of_weights(std::int64_t column, std::int64_t burst);  // os
  void feed_row_of_inputs(std::int64_t row, std::int64_t burst);         // ws
  void feed_row_of_weights(std::int64_t row, std::int64_t burst);        // is
  void feed_tap(std::int64_t row, std::int64_t position, std::int64_t first_step);
  void count_row_of_pixels(std::int64_t row);
  void count_pixel(std::int64_t pixel, std::int64_t output_channels);

  const ArrayTask& task_;
  const MacMode& mode_;
  PeGrid<Word>& grid_;
  ArrayCounts& counts_;
  ArrayTile tile_;
  Fold fold_;
  int input_unused_ = 0;  ///< bits of a code above the operand's width
  int weight_unused_ = 0;
  std::int64_t positions_ = 1;
  std::int64_t steps_ = 1;
  std::int64_t steps_per_position_ = 1;  ///< of bursts in os
  std::int64_t burst_lines_ = 1;
  std::int64_t bursts_ = 1;
  std::int64_t phase_ = 0;  ///< line modulo burst_lines_
  std::int64_t part_bits_ = 0;
  Word pad_value_ = 0;
  /// os: first column of the fold whose weights lie in the column registers. The folds of one tile
  /// that differ in their rows only ask for the same words again, which is counted, and find the
  /// registers filled with them already.
  std::int64_t fed_column_ = -1;
  bool columns_are_fed_ = false;
  bool whole_positions_ = true;  ///< every step holds channels of one window position
  std::int64_t listed_channels_ = 0;
  std::vector<Element> elements_;
  std::vector<Run> runs_;  ///< of the rows of a fold (ws, is)
  std::int64_t run_elements_ = 0;
};

extern template class OperandFeeder<std::uint32_t>;
extern template class OperandFeeder<std::uint64_t>;

}  // namespace vernier::arch
