// The registers of the PE array and what one cycle does to them. All state lies in flat arrays:
//
// - Row operands enter at column 0 and move one PE to the right per cycle. PE (x, y) holds element
//   t-x-y of its row's stream, so a row is a delay line: its elements lie still, in reverse order,
//   and a pointer moves over them.
// - Column operands of output stationary arrays enter at row 0 and move down; whole register rows
//   (slots) lie still while the row number that they belong to grows. Stationary operands are
//   shifted in from above during the preload and then stay.
// - Sums stay in their PE (output stationary), or move down; again a register row lies still and
//   the row number that works on it grows.
//
// A value lies in exactly one place at a time, so that a bit that flips in a register stays flipped
// in all PEs that the value reaches later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "arch/spec.hpp"

namespace vernier::arch {

/// Which register of a PE.
enum class PeRegister : std::uint8_t { kRowOperand, kColumnOperand, kSum };

/// Registers and multipliers. `Word` is std::uint32_t or std::uint64_t: sums are exact modulo its
/// size, hence exact as long as the accumulator is not wider.
template <typename Word>
class PeGrid {
 public:
  PeGrid(const ArraySpec& array, std::int64_t lanes);

  /// Makes room for streams of up to `stream_cycles`; keeps what is there when it is enough.
  void reserve(std::int64_t stream_cycles);
  /// A fold with streams of `stream_cycles` on the first `used_rows` rows.
  void begin_fold(std::int64_t used_rows, std::int64_t used_columns, std::int64_t stream_cycles);

  /// Element `at` of the row's stream is row_stream(...)[-at].
  [[nodiscard]] Word* row_stream(std::int64_t lane, std::int64_t row) {
    return rows_.data() + (lane * array_rows_ + row) * row_pitch_ + row_origin_;
  }
  /// Element `at` of the column's stream is column_stream(...)[at * column_step()].
  [[nodiscard]] Word* column_stream(std::int64_t lane, std::int64_t column) {
    return columns_.data() + (column * lanes_ + lane) * padded_columns_ + column;
  }
  [[nodiscard]] std::int64_t column_step() const { return lanes_ * padded_columns_; }
  /// From one lane of a register row of column operands to the next.
  [[nodiscard]] std::int64_t lane_step() const { return padded_columns_; }
  /// Shifts all stationary operands down by one row; the returned top row, [lane][column], is to
  /// be filled.
  [[nodiscard]] Word* shift_stationary();

  /// One cycle of all PEs that hold a pair of operands.
  void multiply(std::int64_t line);

  /// Sum of PE (row, column) of an output stationary array; taking it clears it.
  [[nodiscard]] std::int64_t take_sum(std::int64_t row, std::int64_t column);
  /// Register row of sums that leaves the bottom row of the array at this line.
  [[nodiscard]] Word* bottom_sums(std::int64_t line);
  /// Clears the register row of sums that enters at the top at this line.
  void enter_sums(std::int64_t line);

  /// Flips one bit of a register as it is in this line, before the PE multiplies.
  void flip(PeRegister which, std::int64_t row, std::int64_t column, std::int64_t line, int bit);
  /// Whether a register was flipped since this was asked last.
  [[nodiscard]] bool take_flipped() { return std::exchange(flipped_, false); }
  /// Registers as they are in this line; 0 where there is no operand.
  [[nodiscard]] std::int64_t row_operand(std::int64_t row, std::int64_t column,
                                         std::int64_t line) const;
  [[nodiscard]] std::int64_t column_operand(std::int64_t row, std::int64_t column,
                                            std::int64_t line) const;
  [[nodiscard]] std::int64_t sum(std::int64_t row, std::int64_t column, std::int64_t line) const;

 private:
  [[nodiscard]] bool in_stream(std::int64_t at) const { return at >= 0 && at < stream_cycles_; }
  [[nodiscard]] std::int64_t sum_row(std::int64_t row, std::int64_t line) const;
  [[nodiscard]] std::int64_t column_slot(std::int64_t row, std::int64_t line) const;

  bool sums_stay_;
  std::int64_t array_rows_;
  std::int64_t padded_columns_;
  std::int64_t lanes_;
  std::int64_t row_pitch_ = 0;
  std::int64_t row_origin_ = 0;
  std::int64_t used_rows_ = 0;
  std::int64_t used_columns_ = 0;
  std::int64_t stream_cycles_ = 0;
  bool flipped_ = false;
  std::int64_t top_ = 0;  ///< slot of the stationary operands of row 0
  std::vector<Word> rows_;
  std::vector<Word> columns_;
  std::vector<Word> sums_;
};

extern template class PeGrid<std::uint32_t>;
extern template class PeGrid<std::uint64_t>;

}  // namespace vernier::arch
