// The array with its feeders and drain, one line after the other. Plain objects: the SystemC
// module around it says when a line happens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "arch/systemc/array_program.hpp"
#include "arch/systemc/pe_grid.hpp"

namespace vernier::arch {

/// A bit that flips once, counted in lines that the array has executed since the task began.
struct BitFlip {
  PeRegister which = PeRegister::kRowOperand;
  std::int64_t row = 0;
  std::int64_t column = 0;
  std::int64_t line = 0;
  int bit = 0;
};

/// Mistakes to plant, so that the checks can be seen to find them.
struct ArrayFaults {
  std::optional<BitFlip> flip;
  bool skip_sum_reads = false;     ///< partial sums are not read back
  bool shorten_last_fold = false;  ///< the last, partial fold of a tile ends one line early
  bool lose_last_product = false;  ///< the last product of every PE never reaches its sum
  bool start_early = false;        ///< overlapping folds start one line before they may
  bool take_over_late = false;     ///< shadow registers are taken over one line late
  bool keep_column_sums = false;   ///< dot_columns: a column goes on adding to its last sum
};

/// What can be seen of the array in its current line.
struct ArrayView {
  std::int64_t fold = 0;  ///< of the tile
  std::int64_t line = 0;  ///< of the fold, preload included
  bool preloads = false;
  std::vector<std::int64_t> row_operands;     ///< of PEs (x, 0)
  std::vector<std::int64_t> column_operands;  ///< of PEs (0, y)
  std::vector<std::int64_t> drained;          ///< of the columns, 0 where nothing leaves
  std::vector<std::uint8_t> drain_valid;
};

/// What one or several lines did.
struct LineOutcome {
  std::int64_t cycles = 1;  ///< that they take: 1 a line unless the ports are too narrow
  bool ends_tile = false;
  bool begins_fold = false;
};

class ArrayEngine {
 public:
  virtual ~ArrayEngine() = default;
  /// Places a tile; the next line is the first of its first fold.
  virtual void begin_tile(const ArrayTile& tile) = 0;
  /// Executes lines one after the other: at most so many, and not beyond the end of a fold.
  virtual LineOutcome lines(std::int64_t most) = 0;
  [[nodiscard]] virtual const ArrayCounts& counts() const = 0;
  /// Keeps what view() shows; costs time.
  virtual void watch() = 0;
  [[nodiscard]] virtual const ArrayView& view() const = 0;
};

/// Registers of 32 bits where every sum fits, else of 64. The task must outlive it.
[[nodiscard]] std::unique_ptr<ArrayEngine> make_array_engine(const ArrayTask& task,
                                                             const ArrayFaults& faults);

/// Cycles that the ports need for the busiest line of a fold, served cycle by cycle.
[[nodiscard]] LineTime serve_line(const ArrayTask& task, std::int64_t used_rows,
                                  std::int64_t used_columns, bool reads_sums, bool finishes);

}  // namespace vernier::arch
