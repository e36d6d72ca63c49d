#include "arch/systemc/pe_grid.hpp"

#include <algorithm>
#include <type_traits>

#include "arch/systemc/multiply_rows.hpp"

namespace vernier::arch {
namespace {

template <typename Word>
std::int64_t as_signed(Word word) {
  return static_cast<std::make_signed_t<Word>>(word);
}

}  // namespace

template <typename Word>
PeGrid<Word>::PeGrid(const ArraySpec& array, std::int64_t lanes)
    : sums_stay_(array.dataflow == Dataflow::kOutputStationary),
      array_rows_(array.rows),
      padded_columns_((array.columns + kColumnGroup - 1) / kColumnGroup * kColumnGroup),
      lanes_(lanes),
      sums_(static_cast<std::size_t>(array.rows * padded_columns_)) {
  if (!sums_stay_) {
    columns_.resize(static_cast<std::size_t>(array.rows * lanes * padded_columns_));
  }
}

template <typename Word>
void PeGrid<Word>::reserve(std::int64_t stream_cycles) {
  if (stream_cycles <= row_origin_) return;
  row_origin_ = stream_cycles;
  row_pitch_ = stream_cycles + padded_columns_;
  rows_.assign(static_cast<std::size_t>(lanes_ * array_rows_ * row_pitch_), 0);
  if (sums_stay_) {
    columns_.assign(
        static_cast<std::size_t>((stream_cycles + padded_columns_) * lanes_ * padded_columns_), 0);
  }
}

template <typename Word>
void PeGrid<Word>::begin_fold(std::int64_t used_rows, std::int64_t used_columns,
                              std::int64_t stream_cycles) {
  used_rows_ = used_rows;
  used_columns_ = used_columns;
  stream_cycles_ = stream_cycles;
  // A fold begins with empty accumulators, also where the multipliers worked on unused columns.
  if (sums_stay_) std::fill(sums_.begin(), sums_.end(), Word{0});
}

template <typename Word>
Word* PeGrid<Word>::shift_stationary() {
  top_ = top_ == 0 ? array_rows_ - 1 : top_ - 1;
  Word* row = columns_.data() + top_ * column_step();
  std::fill(row, row + column_step(), Word{0});
  return row;
}

template <typename Word>
void PeGrid<Word>::multiply(std::int64_t line) {
  MultiplyJob<Word> job;
  job.sums = sums_.data();
  job.rows = rows_.data() + row_origin_;
  job.columns = columns_.data();
  job.array_rows = array_rows_;
  job.padded_columns = padded_columns_;
  job.lanes = lanes_;
  job.row_pitch = row_pitch_;
  job.first_row = std::max<std::int64_t>(0, line - (stream_cycles_ - 1) - (used_columns_ - 1));
  job.end_row = std::min(used_rows_, line + 1);
  if (job.first_row >= job.end_row) return;  // the last pairs have left the used rows
  job.used_columns = used_columns_;
  job.last_element = stream_cycles_ - 1;
  job.line = line;
  job.sums_stay = sums_stay_;
  job.top = top_;
  multiply_rows(job);
}

template <typename Word>
std::int64_t PeGrid<Word>::take_sum(std::int64_t row, std::int64_t column) {
  Word& sum = sums_[static_cast<std::size_t>(row * padded_columns_ + column)];
  const std::int64_t value = as_signed(sum);
  sum = 0;
  return value;
}

template <typename Word>
Word* PeGrid<Word>::bottom_sums(std::int64_t line) {
  return sums_.data() + sum_row(array_rows_ - 1, line) * padded_columns_;
}

template <typename Word>
void PeGrid<Word>::enter_sums(std::int64_t line) {
  Word* row = sums_.data() + sum_row(0, line) * padded_columns_;
  std::fill(row, row + padded_columns_, Word{0});
}

template <typename Word>
std::int64_t PeGrid<Word>::sum_row(std::int64_t row, std::int64_t line) const {
  if (sums_stay_) return row;
  // Register rows that entered before line 0 belong to no stream; any slot that is free will do.
  const std::int64_t entered = line - row;
  return ((entered % array_rows_) + array_rows_) % array_rows_;
}

template <typename Word>
std::int64_t PeGrid<Word>::column_slot(std::int64_t row, std::int64_t line) const {
  return sums_stay_ ? line - row : (top_ + row) % array_rows_;
}

template <typename Word>
void PeGrid<Word>::flip(PeRegister which, std::int64_t row, std::int64_t column, std::int64_t line,
                        int bit) {
  const Word mask = Word{1} << static_cast<unsigned>(bit);
  const std::int64_t element = line - row - column;
  flipped_ = true;
  if (which == PeRegister::kSum) {
    sums_[static_cast<std::size_t>(sum_row(row, line) * padded_columns_ + column)] ^= mask;
  } else if (which == PeRegister::kRowOperand) {
    if (in_stream(element)) row_stream(0, row)[-element] ^= mask;
  } else if (!sums_stay_ || in_stream(element)) {
    columns_[static_cast<std::size_t>(column_slot(row, line) * column_step() + column)] ^= mask;
  }
}

template <typename Word>
std::int64_t PeGrid<Word>::row_operand(std::int64_t row, std::int64_t column,
                                       std::int64_t line) const {
  const std::int64_t element = line - row - column;
  if (row >= used_rows_ || !in_stream(element)) return 0;
  return as_signed(rows_[static_cast<std::size_t>(row * row_pitch_ + row_origin_ - element)]);
}

template <typename Word>
std::int64_t PeGrid<Word>::column_operand(std::int64_t row, std::int64_t column,
                                          std::int64_t line) const {
  const std::int64_t element = line - row - column;
  if (sums_stay_ && (column >= used_columns_ || !in_stream(element))) return 0;
  return as_signed(
      columns_[static_cast<std::size_t>(column_slot(row, line) * column_step() + column)]);
}

template <typename Word>
std::int64_t PeGrid<Word>::sum(std::int64_t row, std::int64_t column, std::int64_t line) const {
  return as_signed(sums_[static_cast<std::size_t>(sum_row(row, line) * padded_columns_ + column)]);
}

template class PeGrid<std::uint32_t>;
template class PeGrid<std::uint64_t>;

}  // namespace vernier::arch
