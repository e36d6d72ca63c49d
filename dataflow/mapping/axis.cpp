#include "dataflow/mapping/axis.hpp"

#include <algorithm>
#include <numeric>

namespace vernier::dataflow {
namespace {

constexpr std::int64_t floor_div(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t quotient = numerator / denominator;
  return numerator % denominator < 0 ? quotient - 1 : quotient;
}

// Real input rows or columns that the outputs [first, last] touch, from the lowest to the highest.
std::int64_t in_length(const AxisSpec& axis, std::int64_t first, std::int64_t last) {
  if (axis.scaled) {
    return last * axis.in_size / axis.out_size - first * axis.in_size / axis.out_size + 1;
  }
  const std::int64_t low = std::max<std::int64_t>(0, first * axis.stride - axis.pad_before);
  const std::int64_t high = std::min(
      axis.in_size - 1, last * axis.stride - axis.pad_before + (axis.kernel - 1) * axis.dilation);
  return std::max<std::int64_t>(0, high - low + 1);
}

// Tiles [first, end) of a window are whole and touch no padding, hence all equal. Empty for a
// resize, whose tiles may all differ.
struct InnerTiles {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

InnerTiles inner_tiles(const AxisSpec& axis, std::int64_t length) {
  if (axis.scaled) return {};
  const std::int64_t count = ceil_div(axis.out_size, length);
  const std::int64_t first = std::min(count, ceil_div(axis.pad_before, length * axis.stride));
  const std::int64_t last_output = floor_div(
      axis.in_size - 1 + axis.pad_before - (axis.kernel - 1) * axis.dilation, axis.stride);
  return {first,
          std::clamp(floor_div(std::min(axis.out_size, last_output + 1), length), first, count)};
}

// The tile of outputs [first, first + length).
AxisClass class_at(const AxisSpec& axis, std::int64_t first, std::int64_t length) {
  AxisClass result;
  result.out_length = length;
  const std::int64_t last = first + length - 1;
  result.in_length = in_length(axis, first, last);
  if (axis.scaled) {
    result.tap_sum = length;
    if (axis.lists_taps) result.taps = {length};
    return result;
  }
  if (axis.lists_taps) result.taps.reserve(static_cast<std::size_t>(axis.kernel));
  for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
    const std::int64_t shift = axis.pad_before - tap * axis.dilation;
    const std::int64_t least = -floor_div(-shift, axis.stride);  // ceil
    const std::int64_t most = floor_div(axis.in_size - 1 + shift, axis.stride);
    const std::int64_t count =
        std::max<std::int64_t>(0, std::min(last, most) - std::max(first, least) + 1);
    if (axis.lists_taps) result.taps.push_back(count);
    result.tap_sum += count;
  }
  return result;
}

void append(AxisTiles& tiles, AxisClass tile, std::int64_t count) {
  tiles.total += count;
  if (!tiles.runs.empty() && tiles.classes[tiles.runs.back().index] == tile) {
    tiles.runs.back().count += count;
    return;
  }
  const auto known = std::find(tiles.classes.begin(), tiles.classes.end(), tile);
  const auto index = static_cast<std::size_t>(known - tiles.classes.begin());
  if (known == tiles.classes.end()) tiles.classes.push_back(std::move(tile));
  tiles.runs.push_back({index, count});
}

}  // namespace

AxisSpec row_axis(const LayerTask& task) {
  return {task.in_height,
          task.out_height,
          task.window.kernel_height,
          task.window.stride_height,
          task.window.dilation_height,
          task.window.pad_top,
          task.unit == TaskUnit::kVector && task.reach[0] == InputReach::kScaled,
          task.unit == TaskUnit::kArray};
}

AxisSpec column_axis(const LayerTask& task) {
  return {task.in_width,
          task.out_width,
          task.window.kernel_width,
          task.window.stride_width,
          task.window.dilation_width,
          task.window.pad_left,
          task.unit == TaskUnit::kVector && task.reach[0] == InputReach::kScaled,
          task.unit == TaskUnit::kArray};
}

AxisTiles cut_axis(const AxisSpec& axis, std::int64_t length) {
  AxisTiles tiles;
  const std::int64_t count = ceil_div(axis.out_size, length);
  const auto tile = [&](std::int64_t at) {
    const std::int64_t first = at * length;
    return class_at(axis, first, std::min(length, axis.out_size - first));
  };
  const InnerTiles inner = inner_tiles(axis, length);
  for (std::int64_t at = 0; at < inner.first; ++at) append(tiles, tile(at), 1);
  if (inner.end > inner.first) append(tiles, tile(inner.first), inner.end - inner.first);
  for (std::int64_t at = inner.end; at < count; ++at) append(tiles, tile(at), 1);
  return tiles;
}

std::int64_t reach_of(const AxisSpec& axis, std::int64_t length) {
  const std::int64_t count = ceil_div(axis.out_size, length);
  const auto reach = [&](std::int64_t at) {
    return in_length(axis, at * length, std::min((at + 1) * length, axis.out_size) - 1);
  };
  // No tile reaches further than a whole one without padding.
  const InnerTiles inner = inner_tiles(axis, length);
  if (inner.end > inner.first) return reach(inner.first);
  // A resize repeats itself once a tile begins at the same fraction of an input again.
  const std::int64_t different =
      axis.scaled ? axis.out_size / std::gcd(axis.out_size, checked_mul(length, axis.in_size))
                  : count;
  std::int64_t longest = 0;
  for (std::int64_t at = 0; at < std::min(count, different); ++at) {
    longest = std::max(longest, reach(at));
  }
  return longest;
}

SizeRuns cut_size(std::int64_t total, std::int64_t slice) {
  SizeRuns runs;
  if (total / slice > 0) runs.runs[runs.count++] = {slice, total / slice};
  if (total % slice > 0) runs.runs[runs.count++] = {total % slice, 1};
  return runs;
}

}  // namespace vernier::dataflow
