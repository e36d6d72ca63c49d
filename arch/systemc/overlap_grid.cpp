#include "arch/systemc/overlap_grid.hpp"

#include <algorithm>

#include "arch/base/simd.hpp"
#include "arch/systemc/multiply_rows.hpp"

namespace vernier::arch {
namespace {

// sums[y] += sum over lanes of rows[lane][y] * operands[lane][y], in whole groups of columns.
template <typename Word>
[[gnu::always_inline]] inline void add_row(Word* __restrict sums, const Word* __restrict rows,
                                           std::int64_t row_step, const Word* __restrict operands,
                                           std::int64_t pitch, std::int64_t lanes) {
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    for (std::int64_t y = 0; y < pitch; ++y) sums[y] += rows[y] * operands[y];
    rows += row_step;
    operands += pitch;
  }
}

// The loops are cloned for each word, so that each one is compiled for the instruction sets.
VERNIER_SIMD_CLONES void add_products(std::uint32_t* sums, const std::uint32_t* rows,
                                      std::int64_t row_step, const std::uint32_t* operands,
                                      std::int64_t pitch, std::int64_t lanes) {
  add_row(sums, rows, row_step, operands, pitch, lanes);
}
VERNIER_SIMD_CLONES void add_products(std::uint64_t* sums, const std::uint64_t* rows,
                                      std::int64_t row_step, const std::uint64_t* operands,
                                      std::int64_t pitch, std::int64_t lanes) {
  add_row(sums, rows, row_step, operands, pitch, lanes);
}

}  // namespace

template <typename Word>
OverlapGrid<Word>::OverlapGrid(const ArraySpec& array, const OperandSets& sets)
    : sums_stay_(array.dataflow == Dataflow::kOutputStationary),
      array_rows_(array.rows),
      columns_(array.columns),
      sets_(sets),
      pitch_((array.columns + kColumnGroup - 1) / kColumnGroup * kColumnGroup),
      rows_(static_cast<std::size_t>(sets.row_lanes() * array.rows * 2 * pitch_)),
      operands_(static_cast<std::size_t>(array.rows * sets.column_lanes() * pitch_)),
      sums_(static_cast<std::size_t>(sets.sums() * array.rows * pitch_)) {
  if (array.preloads()) shadows_.resize(operands_.size());
  if (sums_stay_) finished_.resize(sums_.size());
}

template <typename Word>
void OverlapGrid<Word>::begin_line() {
  entry_ = entry_ == 0 ? pitch_ - 1 : entry_ - 1;
  top_ = top_ + 1 == array_rows_ ? 0 : top_ + 1;
  for (std::int64_t lane = 0; lane < sets_.row_lanes(); ++lane) {
    for (std::int64_t row = 0; row < array_rows_; ++row) enter_row(lane, row, Word{0});
  }
  if (sums_stay_) {
    const auto top = operands_.begin() + static_cast<std::ptrdiff_t>(operand_at(0));
    std::fill(top, top + sets_.column_lanes() * pitch_, Word{0});
    return;
  }
  for (std::int64_t sum = 0; sum < sets_.sums(); ++sum) {
    const auto top = sums_.begin() + static_cast<std::ptrdiff_t>(sum_at(0, sum));
    std::fill(top, top + pitch_, Word{0});
  }
}

template <typename Word>
void OverlapGrid<Word>::enter_row(std::int64_t lane, std::int64_t row, Word value) {
  const std::size_t at = row_at(lane, row);
  rows_[at] = value;
  rows_[at + static_cast<std::size_t>(pitch_)] = value;
}

template <typename Word>
void OverlapGrid<Word>::enter_column(std::int64_t lane, std::int64_t column, Word value) {
  operands_[operand_at(0) + static_cast<std::size_t>(lane * pitch_ + column)] = value;
}

template <typename Word>
ColumnRange OverlapGrid<Word>::shifting(std::int64_t line, std::int64_t row, bool skewed) const {
  if (!skewed) return {0, line >= row && line < array_rows_ ? columns_ : 0};
  return {std::max<std::int64_t>(0, line - array_rows_ + 1), std::min(columns_, line - row + 1)};
}

template <typename Word>
void OverlapGrid<Word>::shift_shadows(std::int64_t line, bool skewed) {
  for (std::int64_t row = array_rows_ - 1; row > 0; --row) {
    const ColumnRange columns = shifting(line, row, skewed);
    if (columns.begin >= columns.end) continue;
    Word* to = shadows_.data() + row * sets_.column_lanes() * pitch_;
    const Word* from = to - sets_.column_lanes() * pitch_;
    for (std::int64_t lane = 0; lane < sets_.column_lanes(); ++lane, to += pitch_, from += pitch_) {
      std::copy(from + columns.begin, from + columns.end, to + columns.begin);
    }
  }
}

template <typename Word>
void OverlapGrid<Word>::take_over(std::int64_t row, std::int64_t column) {
  std::size_t at = operand_at(row) + static_cast<std::size_t>(column);
  for (std::int64_t lane = 0; lane < sets_.column_lanes();
       ++lane, at += static_cast<std::size_t>(pitch_)) {
    operands_[at] = shadows_[at];
  }
}

template <typename Word>
void OverlapGrid<Word>::load(std::int64_t row, ColumnRange columns, const Word* bank) {
  Word* to = operands_.data() + operand_at(row);
  for (std::int64_t lane = 0; lane < sets_.column_lanes(); ++lane, to += pitch_, bank += pitch_) {
    std::copy(bank + columns.begin, bank + columns.end, to + columns.begin);
  }
}

template <typename Word>
void OverlapGrid<Word>::multiply() {
  const std::int64_t row_step = array_rows_ * 2 * pitch_;
  for (std::int64_t row_set = 0; row_set < sets_.row_sets; ++row_set) {
    for (std::int64_t set = 0; set < sets_.column_sets; ++set) {
      const std::int64_t sum = row_set * sets_.column_sets + set;
      for (std::int64_t row = 0; row < array_rows_; ++row) {
        add_products(sums_.data() + sum_at(row, sum),
                     rows_.data() + row_at(row_set * sets_.reduction, row), row_step,
                     operands_.data() + operand_at(row) + set * sets_.reduction * pitch_, pitch_,
                     sets_.reduction);
      }
    }
  }
}

template <typename Word>
void OverlapGrid<Word>::finish_sums(std::int64_t row, std::int64_t column) {
  for (std::int64_t sum = 0; sum < sets_.sums(); ++sum) {
    const std::size_t at = sum_at(row, sum) + static_cast<std::size_t>(column);
    finished_[at] = sums_[at];
    sums_[at] = 0;
  }
}

template <typename Word>
Word OverlapGrid<Word>::take_sum(std::int64_t row, std::int64_t column, std::int64_t sum) const {
  return finished_[sum_at(row, sum) + static_cast<std::size_t>(column)];
}

template <typename Word>
const Word* OverlapGrid<Word>::bottom_sums(std::int64_t sum) const {
  return sums_.data() + sum_at(array_rows_ - 1, sum);
}

// Slot of what entered at the top `row` lines ago.
template <typename Word>
std::int64_t OverlapGrid<Word>::moving_slot(std::int64_t row) const {
  return top_ >= row ? top_ - row : top_ - row + array_rows_;
}

template <typename Word>
void OverlapGrid<Word>::flip(PeRegister which, std::int64_t row, std::int64_t column, int bit) {
  const Word mask = Word{1} << static_cast<unsigned>(bit);
  const auto offset = static_cast<std::size_t>(column);
  if (which == PeRegister::kSum) {
    sums_[sum_at(row, 0) + offset] ^= mask;
  } else if (which == PeRegister::kColumnOperand) {
    operands_[operand_at(row) + offset] ^= mask;
  } else {  // a ring keeps each value twice
    const std::int64_t first = entry_ + column;
    const std::int64_t other = first >= pitch_ ? first - pitch_ : first + pitch_;
    const std::size_t ring = row_at(0, row) - static_cast<std::size_t>(entry_);
    rows_[ring + static_cast<std::size_t>(first)] ^= mask;
    rows_[ring + static_cast<std::size_t>(other)] ^= mask;
  }
}

template <typename Word>
Word OverlapGrid<Word>::row_operand(std::int64_t row, std::int64_t column) const {
  return rows_[row_at(0, row) + static_cast<std::size_t>(column)];
}

template <typename Word>
Word OverlapGrid<Word>::column_operand(std::int64_t row, std::int64_t column) const {
  return operands_[operand_at(row) + static_cast<std::size_t>(column)];
}

template class OverlapGrid<std::uint32_t>;
template class OverlapGrid<std::uint64_t>;

}  // namespace vernier::arch
