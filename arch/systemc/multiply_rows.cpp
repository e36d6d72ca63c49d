#include "arch/systemc/multiply_rows.hpp"

#include <algorithm>

#include "arch/base/simd.hpp"

namespace vernier::arch {
namespace {

// Operands of one row: lane l lies row_step * l and column_step * l further.
template <typename Word>
struct RowOperands {
  const Word* rows = nullptr;
  std::int64_t row_step = 0;
  const Word* columns = nullptr;
  std::int64_t column_step = 0;
};

// sums[y] += sum over lanes of rows[lane][y] * columns[lane][y] for one group of columns.
template <typename Word>
[[gnu::always_inline]] inline void add_group(Word* __restrict sums, RowOperands<Word> operands,
                                             std::int64_t lanes) {
  Word total[kColumnGroup];
  for (std::int64_t y = 0; y < kColumnGroup; ++y) total[y] = sums[y];
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    const Word* __restrict rows = operands.rows;
    const Word* __restrict columns = operands.columns;
    for (std::int64_t y = 0; y < kColumnGroup; ++y) total[y] += rows[y] * columns[y];
    operands.rows += operands.row_step;
    operands.columns += operands.column_step;
  }
  for (std::int64_t y = 0; y < kColumnGroup; ++y) sums[y] = total[y];
}

// A row at the beginning or end of its stream: PEs [begin, end) hold a pair.
template <typename Word>
[[gnu::always_inline]] inline void add_part_of_row(Word* sums, RowOperands<Word> operands,
                                                   std::int64_t lanes, std::int64_t begin,
                                                   std::int64_t end) {
  for (std::int64_t lane = 0; lane < lanes; ++lane) {
    Word* __restrict to = sums;
    for (std::int64_t y = begin; y < end; ++y) to[y] += operands.rows[y] * operands.columns[y];
    operands.rows += operands.row_step;
    operands.columns += operands.column_step;
  }
}

// Where the registers of a row lie, and how to get to those of the next row. Slots that move and
// slots of stationary operands go round the array's rows.
template <typename Word>
class RowCursor {
 public:
  [[gnu::always_inline]] RowCursor(const MultiplyJob<Word>& job, std::int64_t row) {
    const std::int64_t newest = job.line - row;  // element in PE (row, 0)
    const std::int64_t slot_step = job.column_lanes * job.padded_columns;
    operands.rows = job.rows + row * job.row_pitch - newest;
    operands.row_step = job.array_rows * job.row_pitch;
    operands.column_step = job.padded_columns;
    row_step_ = job.row_pitch + 1;
    sum_step_ = job.padded_columns;
    if (job.sums_stay) {
      sums = job.sums + row * sum_step_;
      operands.columns = job.columns + newest * slot_step;
      column_step_ = -slot_step;
      rows_to_sum_wrap_ = rows_to_column_wrap_ = job.array_rows + 1;  // never
      return;
    }
    const std::int64_t slot = newest % job.array_rows;
    const std::int64_t standing = (job.top + row) % job.array_rows;
    sums = job.sums + slot * sum_step_;
    operands.columns = job.columns + standing * slot_step;
    sum_step_ = -sum_step_;
    column_step_ = slot_step;
    rows_to_sum_wrap_ = slot;
    rows_to_column_wrap_ = job.array_rows - 1 - standing;
    wrap_rows_ = job.array_rows;
  }
  [[gnu::always_inline]] void next() {
    operands.rows += row_step_;
    sums += sum_step_;
    operands.columns += column_step_;
    if (rows_to_sum_wrap_-- == 0) sums -= wrap_rows_ * sum_step_;
    if (rows_to_column_wrap_-- == 0) operands.columns -= wrap_rows_ * column_step_;
  }

  Word* sums;
  RowOperands<Word> operands;

 private:
  std::int64_t row_step_;
  std::int64_t sum_step_;
  std::int64_t column_step_;
  std::int64_t rows_to_sum_wrap_;
  std::int64_t rows_to_column_wrap_;
  std::int64_t wrap_rows_ = 0;
};

// Rows [first, end), in which every PE of the used columns holds a pair. What the padding columns
// compute is never looked at. kGroups and kLanes are known at compile time or 0.
template <int kGroups, int kLanes, typename Word>
[[gnu::always_inline]] inline void multiply_full(const MultiplyJob<Word>& job, std::int64_t first,
                                                 std::int64_t end) {
  const std::int64_t groups =
      kGroups > 0 ? kGroups : (job.used_columns + kColumnGroup - 1) / kColumnGroup;
  const std::int64_t lanes = kLanes > 0 ? kLanes : job.lanes;
  RowCursor<Word> cursor(job, first);
  for (std::int64_t row = first; row < end; ++row) {
    Word* sums = cursor.sums;
    RowOperands<Word> operands = cursor.operands;
    for (std::int64_t group = 0; group < groups; ++group) {
      add_group(sums, operands, lanes);
      sums += kColumnGroup;
      operands.rows += kColumnGroup;
      operands.columns += kColumnGroup;
    }
    cursor.next();
  }
}

template <typename Word>
[[gnu::always_inline]] inline void multiply_part(const MultiplyJob<Word>& job, std::int64_t first,
                                                 std::int64_t end) {
  for (std::int64_t row = first; row < end; ++row) {
    const RowCursor<Word> cursor(job, row);
    const std::int64_t newest = job.line - row;
    add_part_of_row(cursor.sums, cursor.operands, job.lanes,
                    std::max<std::int64_t>(0, newest - job.last_element),
                    std::min(job.used_columns, newest + 1));
  }
}

// Rows at the end of their stream come first, those at its beginning last.
template <int kLanes, typename Word>
[[gnu::always_inline]] inline void multiply_all(const MultiplyJob<Word>& job) {
  const std::int64_t full = std::clamp(job.line - job.last_element, job.first_row, job.end_row);
  const std::int64_t full_end = std::clamp(job.line + 2 - job.used_columns, full, job.end_row);
  multiply_part(job, job.first_row, full);
  if (full < full_end) {
    switch ((job.used_columns + kColumnGroup - 1) / kColumnGroup) {
      case 1: multiply_full<1, kLanes>(job, full, full_end); break;
      case 2: multiply_full<2, kLanes>(job, full, full_end); break;
      case 4: multiply_full<4, kLanes>(job, full, full_end); break;
      default: multiply_full<0, kLanes>(job, full, full_end);
    }
  }
  multiply_part(job, full_end, job.end_row);
}

}  // namespace

VERNIER_SIMD_CLONES void multiply_rows(const MultiplyJob<std::uint32_t>& job) {
  switch (job.lanes) {
    case 1: return multiply_all<1>(job);
    case 2: return multiply_all<2>(job);
    default: return multiply_all<0>(job);
  }
}

VERNIER_SIMD_CLONES void multiply_rows(const MultiplyJob<std::uint64_t>& job) {
  multiply_all<0>(job);
}

}  // namespace vernier::arch
