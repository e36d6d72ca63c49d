#include "arch/systemc/multiply_rows.hpp"

#include <algorithm>

#include "arch/base/simd.hpp"

namespace vernier::arch {
namespace {

// sums[y] += sum over `count` lanes of rows[lane][y] * columns[lane][y]
template <int kLanes, typename Word>
[[gnu::always_inline]] inline void add_products(Word* __restrict sums, const Word* __restrict rows,
                                                std::int64_t row_step,
                                                const Word* __restrict columns,
                                                std::int64_t column_step, std::int64_t count) {
  for (std::int64_t y = 0; y < count; ++y) {
    Word sum = sums[y];
    for (int lane = 0; lane < kLanes; ++lane) {
      sum += rows[lane * row_step + y] * columns[lane * column_step + y];
    }
    sums[y] = sum;
  }
}

template <typename Word>
[[gnu::always_inline]] inline void multiply_all(const MultiplyJob<Word>& job) {
  const std::int64_t lane_pitch = job.array_rows * job.row_pitch;
  for (std::int64_t x = job.first_row; x < job.end_row; ++x) {
    const std::int64_t newest = job.line - x;  // element in PE (x, 0)
    const std::int64_t begin = std::max<std::int64_t>(0, newest - job.last_element);
    const std::int64_t count = std::min(job.used_columns, newest + 1) - begin;
    const std::int64_t sum_slot = job.sums_stay ? x : newest % job.array_rows;
    std::int64_t slot = newest;
    if (!job.sums_stay) {
      slot = job.top + x;
      if (slot >= job.array_rows) slot -= job.array_rows;
    }
    Word* sums = job.sums + sum_slot * job.array_columns + begin;
    const Word* rows = job.rows + x * job.row_pitch - newest + begin;
    const Word* columns = job.columns + slot * job.lanes * job.array_columns + begin;
    std::int64_t left = job.lanes;
    constexpr int kUnrolled = 4;
    for (; left >= kUnrolled; left -= kUnrolled) {
      add_products<kUnrolled>(sums, rows, lane_pitch, columns, job.array_columns, count);
      rows += kUnrolled * lane_pitch;
      columns += kUnrolled * job.array_columns;
    }
    for (; left > 0; --left) {
      add_products<1>(sums, rows, lane_pitch, columns, job.array_columns, count);
      rows += lane_pitch;
      columns += job.array_columns;
    }
  }
}

}  // namespace

VERNIER_SIMD_CLONES void multiply_rows(const MultiplyJob<std::uint32_t>& job) { multiply_all(job); }
VERNIER_SIMD_CLONES void multiply_rows(const MultiplyJob<std::uint64_t>& job) { multiply_all(job); }

}  // namespace vernier::arch
