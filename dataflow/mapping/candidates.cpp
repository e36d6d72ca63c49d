#include "dataflow/mapping/candidates.hpp"

#include <algorithm>
#include <functional>

namespace vernier::dataflow {
namespace {

constexpr unsigned kAllMoving = 7;

constexpr bool differs_from_earlier(std::size_t index, MovingLoops moving) {
  const auto signature = [moving](const LoopOrder& order) {
    unsigned value = 1;
    for (const LoopDim dim : order) {
      if ((moving & moving_loop(dim, true)) != 0) value = value * 4 + static_cast<unsigned>(dim);
    }
    return value;
  };
  for (std::size_t earlier = 0; earlier < index; ++earlier) {
    if (signature(kLoopOrders[earlier]) == signature(kLoopOrders[index])) return false;
  }
  return true;
}

constexpr auto kDistinct = [] {
  std::array<std::array<bool, kLoopOrders.size()>, kAllMoving + 1> table{};
  for (unsigned moving = 0; moving <= kAllMoving; ++moving) {
    for (std::size_t at = 0; at < kLoopOrders.size(); ++at) {
      table[moving][at] = differs_from_earlier(at, moving);
    }
  }
  return table;
}();

constexpr MovedAgain again_of(const LoopOrder& order, MovingLoops moving) {
  const auto again = [&](LoopDim other, LoopDim first, LoopDim second) {
    const auto moves = [moving](LoopDim dim) { return (moving & moving_loop(dim, true)) != 0; };
    return moves(other) && ((moves(first) && stands_outside(order, other, first)) ||
                            (moves(second) && stands_outside(order, other, second)));
  };
  using enum LoopDim;
  return {again(kOutChannel, kPixel, kInChannel), again(kPixel, kOutChannel, kInChannel),
          again(kInChannel, kPixel, kOutChannel), again(kPixel, kOutChannel, kOutChannel)};
}

constexpr auto kAgain = [] {
  std::array<std::array<MovedAgain, kLoopOrders.size()>, kAllMoving + 1> table{};
  for (unsigned moving = 0; moving <= kAllMoving; ++moving) {
    for (std::size_t at = 0; at < kLoopOrders.size(); ++at) {
      table[moving][at] = again_of(kLoopOrders[at], moving);
    }
  }
  return table;
}();

// Adds for every size the one that `fill` makes of it, sorts descending, drops doubles.
template <typename Fill>
std::vector<std::int64_t> with_filled(std::vector<std::int64_t> sizes, std::int64_t total,
                                      Fill fill) {
  const std::size_t cuts = sizes.size();
  for (std::size_t at = 0; at < cuts; ++at) {
    sizes.push_back(std::clamp(fill(sizes[at]), sizes[at], total));
  }
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

std::vector<std::int64_t> in_channel_sizes(const LayerTask& task, const Accelerator& machine) {
  const arch::ArraySpec& array = machine.spec().array;
  const arch::MacMode& mode = machine.mode(task.weight_compute, task.activation_compute);
  const auto steps = [&](std::int64_t size) { return reduction_steps(task, size, mode, array); };
  const bool rows_reduce = array.dataflow == arch::Dataflow::kWeightStationary ||
                           array.dataflow == arch::Dataflow::kInputStationary;
  const auto folds = [&](std::int64_t size) {
    return rows_reduce ? ceil_div(steps(size), array.rows) : steps(size);
  };
  return with_filled(equal_cuts(task.channels), task.channels, [&](std::int64_t size) {
    const std::int64_t wanted = folds(size);
    std::int64_t good = size;  // the largest size with as many folds; folds are monotone
    std::int64_t bad = task.channels + 1;
    while (bad - good > 1) {
      const std::int64_t middle = good + (bad - good) / 2;
      (folds(middle) == wanted ? good : bad) = middle;
    }
    return good;
  });
}

}  // namespace

bool is_distinct_order(std::size_t index, MovingLoops moving) { return kDistinct[moving][index]; }

const MovedAgain& moved_again(std::size_t index, MovingLoops moving) {
  return kAgain[moving][index];
}

std::vector<std::int64_t> equal_cuts(std::int64_t total) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t size = total; size >= 1;) {
    const std::int64_t tiles = ceil_div(total, size);
    sizes.push_back(ceil_div(total, tiles));
    // The largest size that gives more tiles than this one.
    size = (total - 1) / tiles;
  }
  return sizes;
}

CandidateSpace candidate_space(const LayerTask& task, const Accelerator& machine) {
  CandidateSpace space;
  space.rows = equal_cuts(task.out_height);
  space.columns = equal_cuts(task.out_width);
  std::int64_t fill = 1;  // output channels of a column fold, or lanes of the vector unit
  if (task.unit == TaskUnit::kArray) {
    const arch::ArraySpec& array = machine.spec().array;
    const arch::MacMode& mode = machine.mode(task.weight_compute, task.activation_compute);
    const bool columns_hold = array.dataflow != arch::Dataflow::kInputStationary;
    fill = checked_mul(mode.out_channels, columns_hold ? array.columns : 1);
    space.in_channels = in_channel_sizes(task, machine);
  } else {
    fill = ceil_div(machine.spec().vector.lanes, task.channel_unit);
    space.in_channels = {1};
  }
  const std::int64_t units = task.out_channels / task.channel_unit;
  space.out_channels = with_filled(equal_cuts(units), units,
                                   [&](std::int64_t size) { return round_up(size, fill); });
  for (std::int64_t& size : space.out_channels) size *= task.channel_unit;
  return space;
}

}  // namespace vernier::dataflow
