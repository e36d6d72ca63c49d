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
#include "arch/systemc/tile_operands.hpp"

namespace vernier::arch {

/// One filling of the array by one block of a tile.
struct Fold {
  std::int64_t first_row = 0;  ///< os: step of kP pixels; ws, is: step of the reduction
  std::int64_t used_rows = 1;
  std::int64_t first_column = 0;  ///< os, ws: step of kN output channels; is: step of kP pixels
  std::int64_t used_columns = 1;
  std::int64_t stream_cycles = 1;  ///< T
  bool reads_sums = false;
  bool finishes = false;
};

/// Feeds one tile after the other into a grid.
template <typename Word>
class OperandFeeder {
 public:
  OperandFeeder(const ArrayTask& task, const PeLanes& lanes, PeGrid<Word>& grid,
                ArrayCounts& counts);

  /// Sets the tile; allocates only when its reduction is longer than any before.
  void begin_tile(const ArrayTile& tile);
  /// Steps of the reduction of each group of the tile: ceilK.
  [[nodiscard]] std::int64_t reduction_steps() const { return operands_.steps(); }

  void begin_fold(const Fold& fold);
  /// ws, is: shifts one array row of stationary operands in; line 0 brings the bottom row.
  void preload(std::int64_t line);
  /// Reads the bursts that begin in this line of the stream.
  void feed(std::int64_t line);

 private:
  using Element = typename TileOperands<Word>::Element;
  using Run = typename TileOperands<Word>::Run;
  using Origin = typename TileOperands<Word>::Origin;

  void put(Word* stream, std::int64_t element, Word value);

  void feed_row_of_pixels(std::int64_t row, std::int64_t burst);         // os
  void feed_columns(std::int64_t line);                                  // os
  void feed_column_of_weights(std::int64_t column, std::int64_t burst);  // os
  void feed_row_of_inputs(std::int64_t row, std::int64_t burst);         // ws
  void feed_row_of_weights(std::int64_t row, std::int64_t burst);        // is
  /// A row of the streamed operand: which registers it fills, and for which group.
  struct RowPlace {
    std::int64_t row = 0;
    std::int64_t lane = 0;  ///< first of the kK lanes
    std::int64_t group = 0;
  };
  void feed_pixel(const RowPlace& to, std::int64_t pixel, std::int64_t burst);
  void feed_tap(const RowPlace& to, const std::uint32_t* run, std::int64_t first_step);
  void feed_weights(std::int64_t first_lane, std::int64_t column, const std::uint32_t* weights,
                    std::int64_t burst);
  void feed_inputs(const RowPlace& to, std::int64_t reduction_step, std::int64_t burst);
  void feed_row_of_map(Word* stream, std::int64_t group, const Element& at, std::int64_t burst);
  void feed_pixel_steps(Word* stream, std::int64_t group, const Element& at, std::int64_t burst,
                        std::int64_t set);
  void fill_stationary(Word* registers, std::int64_t row, std::int64_t lane_group,
                       std::int64_t group);
  void count_row_of_pixels(std::int64_t row);
  void count_pixel(std::int64_t pixel, std::int64_t output_channels);
  void count_preload();
  /// Groups lie side by side on the diagonal; else they are lanes of each PE.
  [[nodiscard]] bool diagonal() const { return task_.groups_on_diagonal && tile_.groups > 1; }
  /// Output channels of each group that the fold holds.
  [[nodiscard]] std::int64_t fold_channels() const;
  [[nodiscard]] std::int64_t input_words(std::int64_t channels) const;

  const ArrayTask& task_;
  const MacMode& mode_;
  PeLanes lanes_;
  PeGrid<Word>& grid_;
  ArrayCounts& counts_;
  TileOperands<Word> operands_;
  ArrayTile tile_;
  Fold fold_;
  std::int64_t burst_lines_ = 1;
  std::int64_t bursts_ = 1;
  std::int64_t phase_ = 0;  ///< line modulo burst_lines_
  /// os: first column of the fold whose weights lie in the column registers. The folds of one tile
  /// that differ in their rows only ask for the same words again, which is counted, and find the
  /// registers filled with them already.
  std::int64_t fed_column_ = -1;
  bool columns_are_fed_ = false;
  std::vector<Run> runs_;  ///< of the rows of a fold (ws, is)
  std::int64_t run_elements_ = 0;
};

extern template class OperandFeeder<std::uint32_t>;
extern template class OperandFeeder<std::uint64_t>;

}  // namespace vernier::arch
