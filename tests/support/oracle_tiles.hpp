// The tiles of one task, each with its coordinates, blocks and costs, counted element by element:
// the part of the counting oracle that knows no time (design 5.1, 5.2, 5.6).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataflow/machine/accelerator.hpp"
#include "dataflow/mapping/layer_task.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::tests {

/// Smallest number of parts that hold the amount.
[[nodiscard]] constexpr std::int64_t divide_up(std::int64_t amount, std::int64_t part) {
  return (amount + part - 1) / part;
}

/// A position in the plane of pixels.
struct OraclePixel {
  std::int64_t row = 0;
  std::int64_t column = 0;
};

/// Bits of a tile's blocks, packed into buffer words.
struct OracleBlocks {
  std::array<std::int64_t, 2> input{};
  std::int64_t weight = 0;
  std::int64_t held = 0;    ///< outputs, at the width at which the buffer holds them
  std::int64_t spill = 0;   ///< outputs at accumulator width
  std::int64_t finish = 0;  ///< outputs at output width
};

/// One fold: how long its stream is and what it asks of the ports, in bits; streams in the cycles
/// of a step, preloads and drain per line.
struct OracleFold {
  std::int64_t temporal = 0;
  std::int64_t rows = 0;  ///< dot_columns: with a channel in some step
  std::int64_t input_stream = 0;
  std::int64_t weight_stream = 0;
  std::int64_t input_preload = 0;
  std::int64_t weight_preload = 0;
  std::int64_t drain = 0;
  std::int64_t requantized = 0;  ///< results per line

  /// The larger one of each demand.
  void raise_to(const OracleFold& other);
};

/// What a tile costs the array or the vector unit; accesses are words.
struct OracleTileCounts {
  std::vector<OracleFold> folds;
  std::int64_t lines = 0;
  std::int64_t port = 0;
  std::int64_t real_products = 0;
  std::int64_t idle_products = 0;
  std::int64_t zero_point_adds = 0;
  std::int64_t input_reads = 0;
  std::int64_t weight_reads = 0;
  std::int64_t output_reads = 0;
  std::int64_t output_writes = 0;
};

/// Adds lines and port cycles of the folds, whose steps take `step_cycles`, by looking at each
/// interval between two starts and at all folds that have a line in it.
void count_time(OracleTileCounts& counts, std::int64_t step_cycles,
                const dataflow::AcceleratorSpec& machine);

/// One tile. The `..._at` are the coordinates of its loops.
struct OracleTile {
  std::int64_t group = 0;   ///< first of the tile
  std::int64_t groups = 1;  ///< that it holds together
  std::int64_t image = 0;
  std::int64_t row_at = 0;
  std::int64_t column_at = 0;
  std::int64_t out_at = 0;
  std::int64_t in_at = 0;
  std::vector<OraclePixel> pixels;  ///< outputs, row by row
  std::int64_t out_channels = 0;    ///< of each group
  std::int64_t in_channels = 0;
  bool first_visit = true;  ///< first slice of the reduction
  bool last_visit = true;
  OracleBlocks blocks;
  OracleTileCounts counts;
};

/// All tiles in loop order (group, then the mapping's order), with their blocks.
[[nodiscard]] std::vector<OracleTile> walk_tiles(const dataflow::LayerTask& task,
                                                 const dataflow::Mapping& mapping,
                                                 const dataflow::AcceleratorSpec& machine);

/// Fills in what the tiles cost.
void count_tiles(std::vector<OracleTile>& tiles, const dataflow::LayerTask& task,
                 const dataflow::AcceleratorSpec& machine);

/// Index of the buffer that serves an operand, and the width of its words.
[[nodiscard]] std::size_t buffer_serving(const dataflow::AcceleratorSpec& machine, TensorRole role);
[[nodiscard]] std::int64_t word_serving(const dataflow::AcceleratorSpec& machine, TensorRole role);

}  // namespace vernier::tests
