// Closed form of one fold of the array: how many lines it takes and what it asks of the buffers
// per line (design 5.1). A line is one cycle's worth of demands.
#pragma once

#include <cstdint>

#include "arch/mac_family.hpp"
#include "arch/spec.hpp"

namespace vernier::arch {

/// One filling of the array, in steps of the MAC mode.
struct FoldShape {
  std::int64_t used_rows = 1;
  std::int64_t used_columns = 1;
  std::int64_t temporal = 1;        ///< T: cycles of the streamed dimension, s included
  bool reads_partial_sums = false;  ///< not the first visit of its outputs
  bool finishes_outputs = false;    ///< last visit: results are requantized on the way out
  /// dot_columns: cycles from one output of a column to its next, s * ceilK.
  std::int64_t output_cycles = 1;
};

/// Bits per line that each operand asks of its buffer. Streamed operands are exact fractions
/// bits / cycles, since a step may take several cycles.
struct FoldDemand {
  std::int64_t input_bits = 0;
  std::int64_t weight_bits = 0;
  std::int64_t output_bits = 0;
  std::int64_t step_cycles = 1;      ///< divisor of the streamed operands
  bool input_is_preloaded = false;   ///< is: one array row per line, before streaming starts
  bool weight_is_preloaded = false;  ///< ws
};

/// Lines of a fold alone: os and dot_columns T+R+C-2, ws and is T+2R+C-2, always with the full R
/// and C.
[[nodiscard]] std::int64_t fold_lines(const ArraySpec& array, std::int64_t temporal);

/// Lines from the start of a fold's stream to that of the next one in its tile: all lines of the
/// fold without overlap; `preload` max(T, R); `full` max(T, R * n_acc), dot_columns T.
[[nodiscard]] std::int64_t fold_interval(const ArraySpec& array, const MacMode& mode,
                                         std::int64_t temporal);

/// Lines from the start of a fold's stream to its last result, the fold followed by another one.
[[nodiscard]] std::int64_t stream_lines(const ArraySpec& array, const MacMode& mode,
                                        std::int64_t temporal);

/// Columns that bring a result in the same line. Columns are skewed by a line each, so those of
/// dot_columns, which bring one every `output_cycles`, take turns.
[[nodiscard]] std::int64_t drained_columns(const ArraySpec& array, const FoldShape& fold);

/// Demands of a fold at its peak line.
[[nodiscard]] FoldDemand fold_demand(const ArraySpec& array, const MacMode& mode,
                                     std::int64_t accumulator_bits, const FoldShape& fold);

}  // namespace vernier::arch
