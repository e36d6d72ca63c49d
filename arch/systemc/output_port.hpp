// The way of a sum from below a column into the output buffer: adds the partial sum that lies
// there, and on the last visit bias, zero points and requantization.
#pragma once

#include <cstdint>

#include "arch/systemc/array_program.hpp"
#include "arch/systemc/operand_feeder.hpp"

namespace vernier::arch {

class OutputPort {
 public:
  /// `reads_sums` false: plants the mistake that partial sums are not read back.
  OutputPort(const ArrayTask& task, bool reads_sums, ArrayCounts& counts);

  void begin_tile(const ArrayTile& tile) { tile_ = tile; }
  [[nodiscard]] const ArrayTile& tile() const { return tile_; }
  /// As many output channels of each group of a pixel pass the buffer's ports, back and forth for
  /// partial sums: one run where all channels are there, else one per group.
  void count_pixel(const Fold& fold, std::int64_t channels);
  /// Writes a sum of a fold; returns it with the partial sum added. `output` counts the outputs of
  /// a pixel, all groups.
  std::int64_t deliver(const Fold& fold, std::int64_t pixel, std::int64_t output, std::int64_t sum);

 private:
  [[nodiscard]] std::int64_t finish(std::int64_t pixel, std::int64_t output, std::int64_t sum);

  const ArrayTask& task_;
  bool reads_sums_;
  ArrayCounts& counts_;
  ArrayTile tile_;
  std::int64_t most_ = 0;  ///< largest sum that the accumulator holds
};

/// Adds up the real activations of a tile, once for all output channels (weight zero points).
void add_zero_points(const ArrayTask& task, const ArrayTile& tile, ArrayCounts& counts);

}  // namespace vernier::arch
