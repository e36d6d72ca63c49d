// Below the array: takes the sums that a column's bus (output stationary) or its bottom PE brings
// in a line, and hands them to the output port.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/systemc/array_program.hpp"
#include "arch/systemc/operand_feeder.hpp"
#include "arch/systemc/output_port.hpp"
#include "arch/systemc/pe_grid.hpp"

namespace vernier::arch {

template <typename Word>
class ColumnDrain {
 public:
  ColumnDrain(const ArrayTask& task, const PeLanes& lanes, PeGrid<Word>& grid, ArrayCounts& counts);

  void begin_tile(const ArrayTile& tile) { port_.begin_tile(tile); }
  void begin_fold(const Fold& fold) { fold_ = fold; }
  /// What leaves the array in this line of the stream.
  void drain(std::int64_t line);

  /// Last value that each column brought, for waveforms; kept only when `keep_values`.
  void keep_values(bool keep) { keeps_values_ = keep; }
  [[nodiscard]] const std::vector<std::int64_t>& values() const { return values_; }
  [[nodiscard]] const std::vector<std::uint8_t>& valid() const { return valid_; }

 private:
  void drain_buses(std::int64_t line);
  void drain_bottom(std::int64_t line);
  void drain_pe(std::int64_t column, std::int64_t step, const std::int64_t* sums);
  void deliver(std::int64_t column, std::int64_t pixel, std::int64_t output, std::int64_t sum);
  void count_pixels(std::int64_t pixel_step, std::int64_t channels);
  [[nodiscard]] std::int64_t fold_channels() const;
  [[nodiscard]] const ArrayTile& tile() const { return port_.tile(); }

  const ArrayTask& task_;
  PeLanes lanes_;
  PeGrid<Word>& grid_;
  OutputPort port_;
  Fold fold_;
  bool keeps_values_ = false;
  std::vector<std::int64_t> accumulators_;  ///< [column][sum], over the cycles of a step
  std::vector<std::int64_t> sums_;          ///< of one PE
  std::vector<Word*> bottom_;               ///< register rows that leave in this line, by sum
  std::vector<std::int64_t> values_;
  std::vector<std::uint8_t> valid_;
};

extern template class ColumnDrain<std::uint32_t>;
extern template class ColumnDrain<std::uint64_t>;

}  // namespace vernier::arch
