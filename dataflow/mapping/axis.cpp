#include "dataflow/mapping/axis.hpp"

#include <algorithm>

namespace vernier::dataflow {
namespace {

constexpr std::int64_t floor_div(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t quotient = numerator / denominator;
  return numerator % denominator < 0 ? quotient - 1 : quotient;
}

// The tile of outputs [first, first + length).
AxisClass class_at(const AxisSpec& axis, std::int64_t first, std::int64_t length) {
  AxisClass result;
  result.out_length = length;
  const std::int64_t last = first + length - 1;
  if (axis.scaled) {
    const std::int64_t low = first * axis.in_size / axis.out_size;
    const std::int64_t high = last * axis.in_size / axis.out_size;
    result.in_length = high - low + 1;
    result.tap_sum = length;
    result.taps = {length};
    return result;
  }
  const std::int64_t low = std::max<std::int64_t>(0, first * axis.stride - axis.pad_before);
  const std::int64_t high = std::min(
      axis.in_size - 1, last * axis.stride - axis.pad_before + (axis.kernel - 1) * axis.dilation);
  result.in_length = std::max<std::int64_t>(0, high - low + 1);
  result.taps.reserve(static_cast<std::size_t>(axis.kernel));
  for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
    const std::int64_t shift = axis.pad_before - tap * axis.dilation;
    const std::int64_t least = -floor_div(-shift, axis.stride);  // ceil
    const std::int64_t most = floor_div(axis.in_size - 1 + shift, axis.stride);
    const std::int64_t count =
        std::max<std::int64_t>(0, std::min(last, most) - std::max(first, least) + 1);
    result.taps.push_back(count);
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
          task.unit == TaskUnit::kVector && task.reach[0] == InputReach::kScaled};
}

AxisSpec column_axis(const LayerTask& task) {
  return {task.in_width,
          task.out_width,
          task.window.kernel_width,
          task.window.stride_width,
          task.window.dilation_width,
          task.window.pad_left,
          task.unit == TaskUnit::kVector && task.reach[0] == InputReach::kScaled};
}

AxisTiles cut_axis(const AxisSpec& axis, std::int64_t length) {
  AxisTiles tiles;
  const std::int64_t count = ceil_div(axis.out_size, length);
  const auto tile = [&](std::int64_t at) {
    const std::int64_t first = at * length;
    return class_at(axis, first, std::min(length, axis.out_size - first));
  };
  if (axis.scaled) {
    for (std::int64_t at = 0; at < count; ++at) append(tiles, tile(at), 1);
    return tiles;
  }
  // Tiles [inner_first, inner_end) are whole and touch no padding, hence all equal.
  const std::int64_t inner_first = std::min(count, ceil_div(axis.pad_before, length * axis.stride));
  const std::int64_t last_output = floor_div(
      axis.in_size - 1 + axis.pad_before - (axis.kernel - 1) * axis.dilation, axis.stride);
  const std::int64_t inner_end =
      std::clamp(floor_div(std::min(axis.out_size, last_output + 1), length), inner_first, count);
  for (std::int64_t at = 0; at < inner_first; ++at) append(tiles, tile(at), 1);
  if (inner_end > inner_first) append(tiles, tile(inner_first), inner_end - inner_first);
  for (std::int64_t at = inner_end; at < count; ++at) append(tiles, tile(at), 1);
  return tiles;
}

std::int64_t reach_of(const AxisSpec& axis, std::int64_t length) {
  if (axis.scaled) {
    return std::min(axis.in_size, ceil_div(length * axis.in_size, axis.out_size) + 1);
  }
  return std::min(axis.in_size, (length - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1);
}

std::vector<SizeRun> cut_size(std::int64_t total, std::int64_t slice) {
  std::vector<SizeRun> runs;
  if (total / slice > 0) runs.push_back({slice, total / slice});
  if (total % slice > 0) runs.push_back({total % slice, 1});
  return runs;
}

}  // namespace vernier::dataflow
