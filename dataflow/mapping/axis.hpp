// One spatial axis cut into tiles: how many tiles there are of each kind, and for each kind how
// long its output is, how much of the real input it touches (halo included, clipped), and how many
// of its outputs each kernel tap reaches without falling into padding.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// One axis of a window operator.
struct AxisSpec {
  std::int64_t in_size = 1;
  std::int64_t out_size = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_before = 0;
  bool scaled = false;     ///< nearest-neighbour resize instead of a window
  bool lists_taps = true;  ///< whether AxisClass::taps is filled; only the array asks for it
};

[[nodiscard]] AxisSpec row_axis(const LayerTask& task);
[[nodiscard]] AxisSpec column_axis(const LayerTask& task);

/// Tiles of one kind along an axis.
struct AxisClass {
  std::int64_t out_length = 0;
  std::int64_t in_length = 0;      ///< real input rows or columns touched; 0: all padding
  std::int64_t tap_sum = 0;        ///< sum over taps of outputs that meet real input
  std::vector<std::int64_t> taps;  ///< the same per tap, if the axis lists them
  friend bool operator==(const AxisClass&, const AxisClass&) = default;
};

/// `count` consecutive tiles of class `index`.
struct Run {
  std::size_t index = 0;
  std::int64_t count = 0;
};

struct AxisTiles {
  std::vector<AxisClass> classes;
  std::vector<Run> runs;  ///< in order along the axis
  std::int64_t total = 0;
};

/// Cuts an axis into tiles of `length` outputs, the last one perhaps shorter.
[[nodiscard]] AxisTiles cut_axis(const AxisSpec& axis, std::int64_t length);

/// Largest in_length of any tile of the cut, without cutting.
[[nodiscard]] std::int64_t reach_of(const AxisSpec& axis, std::int64_t length);

/// `count` consecutive slices of equal size along a plain dimension.
struct SizeRun {
  std::int64_t size = 0;
  std::int64_t count = 0;
};
/// At most two runs, without an allocation.
struct SizeRuns {
  std::array<SizeRun, 2> runs{};
  std::size_t count = 0;
  [[nodiscard]] const SizeRun* begin() const { return runs.data(); }
  [[nodiscard]] const SizeRun* end() const { return runs.data() + count; }
  [[nodiscard]] std::size_t size() const { return count; }
  [[nodiscard]] const SizeRun& operator[](std::size_t at) const { return runs[at]; }
};
/// Cuts a plain dimension: whole slices, then the rest.
[[nodiscard]] SizeRuns cut_size(std::int64_t total, std::int64_t slice);

}  // namespace vernier::dataflow
