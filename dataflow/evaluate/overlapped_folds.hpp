// Closed form of the folds of one tile that overlap in the array (design 5.1): when each one
// starts, and what the ports take for the lines that several folds share.
#pragma once

#include <cstdint>

#include "arch/fold_model.hpp"
#include "arch/port_waits.hpp"
#include "dataflow/machine/accelerator.hpp"

namespace vernier::dataflow {

/// The folds of a tile: column folds outer, row folds inner, all of the same temporal length.
struct TileFolds {
  std::int64_t row_steps = 1;     ///< along the rows, all folds together
  std::int64_t column_steps = 1;  ///< along the columns
  std::int64_t temporal = 1;      ///< T
  std::int64_t output_cycles = 1;
  bool rows_are_folded = true;      ///< dot_columns: one fold takes all rows of the reduction
  bool first_reads = false;         ///< the outputs were visited before
  bool finishes = false;            ///< last visit
  bool row_folds_add_sums = false;  ///< ws, is: all but the first row fold read partial sums
};

/// Lines of all folds of a tile, and the cycles that the ports add to them.
struct FoldCycles {
  std::int64_t lines = 0;
  std::int64_t port_cycles = 0;
  arch::PortWaits port_waits{};  ///< the same by who needs them
};

/// For machines with `fold_overlap` other than none.
///
/// Lines are counted in intervals, one per fold, from the start of its stream to that of the next
/// one; the first begins with the preload, the last ends with the last result. rho is constant in
/// an interval. Each operand asks for the largest demand among the folds that have a line in the
/// interval (a row, a column or a bus works for one fold at a time, so demands of several folds
/// do not add up), and the preload of the next fold adds to the streams.
[[nodiscard]] FoldCycles overlapped_folds(const TileFolds& folds, const arch::MacMode& mode,
                                          const Accelerator& machine);

}  // namespace vernier::dataflow
