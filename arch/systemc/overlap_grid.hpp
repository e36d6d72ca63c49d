// The registers of an array whose folds overlap, or whose PEs read their weights from banks of
// their own (dot_columns), and what one cycle does to them.
//
// A PE holds a row operand that moves one PE to the right per cycle; a column operand, which moves
// down (output stationary), is taken over from a shadow register when the first element of a fold
// arrives (weight and input stationary), or is loaded from the PE's bank (dot_columns); a sum,
// which stays or moves down; and, where sums stay, a second accumulator that keeps the finished sum
// while the first one works for the next fold. PEs without an operand hold 0.
//
// Values that move lie still in memory, as in PeGrid: a row is a ring in which the entry moves, a
// register row that moves down is a slot whose row number grows. Shadow registers really shift,
// since one fold's operands are on their way while the last ones still wait to be taken over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arch/spec.hpp"
#include "arch/systemc/pe_grid.hpp"

namespace vernier::arch {

/// Operands of one PE. A unit that extends output channels or pixels multiplies each of the sets
/// that come along its row with each of those from its column, `reduction` lanes at a time.
struct OperandSets {
  std::int64_t reduction = 1;  ///< kK
  std::int64_t row_sets = 1;
  std::int64_t column_sets = 1;

  [[nodiscard]] std::int64_t row_lanes() const { return row_sets * reduction; }
  [[nodiscard]] std::int64_t column_lanes() const { return column_sets * reduction; }
  [[nodiscard]] std::int64_t sums() const { return row_sets * column_sets; }
};

/// Columns [begin, end).
struct ColumnRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

template <typename Word>
class OverlapGrid {
 public:
  OverlapGrid(const ArraySpec& array, const OperandSets& sets);

  /// One cycle: values that move have moved on, nothing has entered yet.
  void begin_line();
  /// Puts an operand into PE (row, 0) for this line.
  void enter_row(std::int64_t lane, std::int64_t row, Word value);
  /// Output stationary: puts an operand into PE (0, column) for this line.
  void enter_column(std::int64_t lane, std::int64_t column, Word value);

  /// Columns whose shadow registers shift in line `line` of a preload, down to row `row`: all of
  /// them at once, or each one a line behind the last.
  [[nodiscard]] ColumnRange shifting(std::int64_t line, std::int64_t row, bool skewed) const;
  /// Shifts shadow registers down; those of row 0 are to be filled.
  void shift_shadows(std::int64_t line, bool skewed);
  /// Shadow registers of row 0, one lane.
  [[nodiscard]] Word* top_shadows(std::int64_t lane) { return shadows_.data() + lane * pitch_; }
  /// The shadow register of a PE becomes its operand.
  void take_over(std::int64_t row, std::int64_t column);
  /// dot_columns: loads the operands of some PEs of a row; `bank` is [lane][padded column].
  void load(std::int64_t row, ColumnRange columns, const Word* bank);

  /// One cycle of all multipliers.
  void multiply();

  /// Output stationary: the finished sums of a PE move to its second accumulators.
  void finish_sums(std::int64_t row, std::int64_t column);
  /// One of them, row set * column sets + column set, is taken from there.
  [[nodiscard]] Word take_sum(std::int64_t row, std::int64_t column, std::int64_t sum) const;
  /// The same sum of all PEs of the bottom row, which leaves in this line.
  [[nodiscard]] const Word* bottom_sums(std::int64_t sum) const;

  void flip(PeRegister which, std::int64_t row, std::int64_t column, int bit);
  [[nodiscard]] Word row_operand(std::int64_t row, std::int64_t column) const;
  [[nodiscard]] Word column_operand(std::int64_t row, std::int64_t column) const;

  [[nodiscard]] std::int64_t padded_columns() const { return pitch_; }

 private:
  [[nodiscard]] std::size_t row_at(std::int64_t lane, std::int64_t row) const {
    return static_cast<std::size_t>((lane * array_rows_ + row) * 2 * pitch_ + entry_);
  }
  [[nodiscard]] std::int64_t moving_slot(std::int64_t row) const;
  [[nodiscard]] std::size_t operand_at(std::int64_t row) const {
    return static_cast<std::size_t>((sums_stay_ ? moving_slot(row) : row) * sets_.column_lanes() *
                                    pitch_);
  }
  [[nodiscard]] std::size_t sum_at(std::int64_t row, std::int64_t sum) const {
    return static_cast<std::size_t>((sum * array_rows_ + (sums_stay_ ? row : moving_slot(row))) *
                                    pitch_);
  }

  bool sums_stay_;
  std::int64_t array_rows_;
  std::int64_t columns_;
  OperandSets sets_;
  std::int64_t pitch_;      ///< padded columns
  std::int64_t entry_ = 0;  ///< where row operands enter their ring
  std::int64_t top_ = 0;    ///< slot that is in row 0
  std::vector<Word>
      rows_;  ///< [row lane][row][2 * pitch]: each value twice, so that reads never wrap
  std::vector<Word> operands_;  ///< [slot or row][column lane][pitch]
  std::vector<Word> shadows_;   ///< [row][column lane][pitch]
  std::vector<Word> sums_;      ///< [sum][row or slot][pitch]
  std::vector<Word> finished_;  ///< [sum][row][pitch]
};

extern template class OverlapGrid<std::uint32_t>;
extern template class OverlapGrid<std::uint64_t>;

}  // namespace vernier::arch
