// How one layer lies on the machine: the tile that is worked on between two buffer swaps, and the
// order in which tiles follow each other (design 5.2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "arch/base/result.hpp"
#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// A loop over tiles. `kPixel` runs over images, then rows, then columns of output rectangles.
enum class LoopDim : std::uint8_t { kPixel, kOutChannel, kInChannel };
[[nodiscard]] std::string_view to_text(LoopDim dim);

/// Where a mapping comes from: best of its whole candidate space, heuristic, or from the user.
enum class MappingOrigin : std::uint8_t { kProven, kSearched, kGiven };
[[nodiscard]] std::string_view to_text(MappingOrigin origin);

/// Sizes of a whole tile; tiles at the edges are smaller.
struct TileSize {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  std::int64_t in_channels = 1;   ///< Ct of the group; vector tasks: unused
  std::int64_t out_channels = 1;  ///< Nt of the group
  friend bool operator==(const TileSize&, const TileSize&) = default;
};

struct Mapping {
  TileSize tile;
  std::array<LoopDim, 3> order{LoopDim::kPixel, LoopDim::kOutChannel, LoopDim::kInChannel};
  MappingOrigin origin = MappingOrigin::kSearched;
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// Bits of the largest block of each operand at a tile size; none where it lies on chip anyway.
struct BlockBits {
  std::array<Bits, 2> input{};  ///< second one: vector tasks with two inputs
  Bits weight;
  Bits output;  ///< at the width at which it is held in the buffer
  /// Bits that a half of the given buffer must hold.
  [[nodiscard]] Bits in_buffer(const memory::BufferSpec& buffer) const;
};

/// Groups that a tile holds at once (design 5.1): more than one only when it holds whole groups and
/// the machine's depthwise mode takes several.
[[nodiscard]] std::int64_t groups_per_tile(const LayerTask& task, const TileSize& tile,
                                           const Accelerator& machine);

/// Block sizes of a tile. Outputs are held at accumulator width when their reduction is split over
/// tiles or over row folds, else at their storage width; resident ones are finished in place and
/// need a block for partial sums only.
[[nodiscard]] BlockBits block_bits(const LayerTask& task, const TileSize& tile,
                                   const Accelerator& machine);

/// Whether partial sums of a tile's outputs pass through the output buffer.
[[nodiscard]] bool splits_reduction(const LayerTask& task, const TileSize& tile,
                                    const Accelerator& machine);

/// The packing of a task's reduction: kChannels or kWindow.
[[nodiscard]] arch::ReductionPacking packing_of(const LayerTask& task,
                                                const arch::ArraySpec& array);

/// Array rows (ws, is) or steps (os, dot_columns) that `channels` channels of the window take:
/// ceilK. A step of dot_columns takes kK channels in every row.
[[nodiscard]] std::int64_t reduction_steps(const LayerTask& task, std::int64_t channels,
                                           const arch::MacMode& mode, const arch::ArraySpec& array);

/// nullopt when every buffer half holds its blocks, else which one does not and what is missing.
[[nodiscard]] std::optional<Infeasible> misfit(const LayerTask& task, const TileSize& tile,
                                               const Accelerator& machine);

}  // namespace vernier::dataflow
