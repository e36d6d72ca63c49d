// The inner loop of the clocked array: every PE that holds a pair of operands adds its product.
#pragma once

#include <cstdint>

namespace vernier::arch {

/// Columns are worked on in groups of this many; register rows are padded to whole groups.
inline constexpr std::int64_t kColumnGroup = 8;

/// Register rows as flat arrays; see PeGrid for what moves and what lies still.
template <typename Word>
struct MultiplyJob {
  Word* sums = nullptr;           ///< [slot][padded column]
  const Word* rows = nullptr;     ///< [lane][row][position], origin included
  const Word* columns = nullptr;  ///< [slot][lane][padded column]
  std::int64_t array_rows = 0;
  std::int64_t padded_columns = 0;
  std::int64_t lanes = 1;         ///< that add up in the sums of this job
  std::int64_t column_lanes = 1;  ///< of a slot of column operands, those of other sums included
  std::int64_t row_pitch = 0;
  std::int64_t first_row = 0;  ///< rows with at least one pair
  std::int64_t end_row = 0;
  std::int64_t used_columns = 0;
  std::int64_t last_element = 0;  ///< of a stream
  std::int64_t line = 0;
  bool sums_stay = true;  ///< and the column operands move; else the other way round
  std::int64_t top = 0;
};

void multiply_rows(const MultiplyJob<std::uint32_t>& job);
void multiply_rows(const MultiplyJob<std::uint64_t>& job);

}  // namespace vernier::arch
