// The candidate space of one task: the tile sizes and loop orders among which a mapper chooses, in
// a fixed order (docs/mapping.md). Sizes are equal cuts, since of all sizes that give a number of
// tiles the smallest needs the least buffer, and the sizes that fill the array's folds, since lanes
// left empty cost cycles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {

using LoopOrder = std::array<LoopDim, 3>;

/// All orders of the three loops, outer to inner, in the order in which they are tried.
inline constexpr std::array<LoopOrder, 6> kLoopOrders{{
    {LoopDim::kPixel, LoopDim::kOutChannel, LoopDim::kInChannel},
    {LoopDim::kOutChannel, LoopDim::kPixel, LoopDim::kInChannel},
    {LoopDim::kPixel, LoopDim::kInChannel, LoopDim::kOutChannel},
    {LoopDim::kOutChannel, LoopDim::kInChannel, LoopDim::kPixel},
    {LoopDim::kInChannel, LoopDim::kPixel, LoopDim::kOutChannel},
    {LoopDim::kInChannel, LoopDim::kOutChannel, LoopDim::kPixel},
}};

/// Which loops have more than one iteration, a bit per LoopDim.
using MovingLoops = unsigned;
[[nodiscard]] constexpr MovingLoops moving_loop(LoopDim dim, bool moves) {
  return moves ? 1U << static_cast<unsigned>(dim) : 0U;
}

/// Whether the order at `index` of kLoopOrders runs the tiles in another order than all earlier
/// ones, when only the given loops move.
[[nodiscard]] bool is_distinct_order(std::size_t index, MovingLoops moving);

/// Whether `outer` stands outside `inner`.
[[nodiscard]] constexpr bool stands_outside(const LoopOrder& order, LoopDim outer, LoopDim inner) {
  for (const LoopDim dim : order) {
    if (dim == outer) return true;
    if (dim == inner) return false;
  }
  return false;
}

/// What a loop order moves more than once, given which loops move: a block is moved again when a
/// loop that it does not follow stands outside one that it follows.
struct MovedAgain {
  bool input = false;   ///< per slice of output channels
  bool weight = false;  ///< per rectangle
  bool sums = false;    ///< partial sums leave and return
  bool pixel = false;   ///< one-pixel inputs and taps of the vector unit, per rectangle
};
/// For the order at `index` of kLoopOrders.
[[nodiscard]] const MovedAgain& moved_again(std::size_t index, MovingLoops moving);

/// Tile sizes per axis, descending. A candidate is one size of each and a distinct loop order.
struct CandidateSpace {
  std::vector<std::int64_t> in_channels;
  std::vector<std::int64_t> out_channels;
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> columns;
};

/// The space of a task on a machine, whether or not its tiles fit the buffers.
[[nodiscard]] CandidateSpace candidate_space(const LayerTask& task, const Accelerator& machine);

/// For each number of tiles that an axis can be cut into, the smallest size that gives it;
/// descending.
[[nodiscard]] std::vector<std::int64_t> equal_cuts(std::int64_t total);

}  // namespace vernier::dataflow
