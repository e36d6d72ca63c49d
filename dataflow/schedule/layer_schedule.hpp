// The ordered tile steps of one task, compressed: a nest of loops over classes of equal tiles,
// with the blocks that each step moves (design 5.2, 5.3). Both engines run this program; it says
// what moves and in which order, never when.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/mapping/axis.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {

/// Streams that a schedule moves. Two input streams exist only for vector tasks with two inputs;
/// kWeight only for array tasks.
enum class Stream : std::uint8_t { kInput, kSecondInput, kWeight, kOutput };
inline constexpr int kStreamCount = 4;
using StreamMask = std::uint8_t;
[[nodiscard]] constexpr StreamMask mask_of(Stream stream) {
  return static_cast<StreamMask>(1U << static_cast<unsigned>(stream));
}
[[nodiscard]] constexpr bool has(StreamMask mask, Stream stream) {
  return (mask & mask_of(stream)) != 0;
}

/// What a loop of the nest counts.
enum class LoopKind : std::uint8_t { kGroup, kImage, kRow, kColumn, kOutChannel, kInChannel };
inline constexpr int kLoopKindCount = 6;

/// One loop, outer to inner. `runs[i].index` is the class of the tiles in that part of the loop.
struct ScheduleLoop {
  LoopKind kind = LoopKind::kGroup;
  std::vector<Run> runs;
  std::int64_t total = 1;
  /// Streams whose block changes when this loop advances (inner loops restart then).
  StreamMask changes = 0;
};

/// A slice of the reduction: first and last decide what happens to partial sums.
struct ReductionSlice {
  std::int64_t channels = 0;
  bool is_first = true;
  bool is_last = true;
};

/// Geometry of one class of tiles.
struct TileClass {
  const AxisClass* row = nullptr;
  const AxisClass* column = nullptr;
  std::int64_t out_channels = 0;  ///< of each group
  std::int64_t groups = 1;        ///< that the tile holds at once
  ReductionSlice reduction;
  std::int64_t count = 0;  ///< tiles of this class in the whole task

  // Blocks, packed into buffer words. A block without real input and one that is resident has 0
  // bits and no command.
  std::array<Bits, 3> load{};  ///< by Stream: kInput, kSecondInput, kWeight
  Bits reload;                 ///< partial sums, when the outputs were visited before
  Bits store;                  ///< leaving the block: accumulator width unless the last visit

  [[nodiscard]] std::int64_t pixels() const { return row->out_length * column->out_length; }
};

/// The program of one task. Immovable parts point into each other, hence not copyable.
class LayerSchedule {
 public:
  /// Compiles a mapping; Infeasible when a block does not fit its buffer half. Throws ModelError
  /// when a size of the mapping is outside the layer.
  [[nodiscard]] static Result<LayerSchedule> compile(const LayerTask& task, const Mapping& mapping,
                                                     const Accelerator& machine);

  LayerSchedule(LayerSchedule&&) = default;
  LayerSchedule& operator=(LayerSchedule&&) = default;
  LayerSchedule(const LayerSchedule&) = delete;
  LayerSchedule& operator=(const LayerSchedule&) = delete;
  ~LayerSchedule() = default;

  [[nodiscard]] const LayerTask& task() const { return task_; }
  [[nodiscard]] const Mapping& mapping() const { return mapping_; }
  [[nodiscard]] const std::vector<ScheduleLoop>& loops() const { return loops_; }
  /// Classes of tiles; index by class_index.
  [[nodiscard]] const std::vector<TileClass>& classes() const { return classes_; }
  /// Index of the tile class for a class index per LoopKind.
  [[nodiscard]] std::size_t class_index(const std::array<std::size_t, kLoopKindCount>& at) const;
  /// The first weight block, for the prefetch by the layer before; 0 bits when there is none.
  [[nodiscard]] Bits first_weight_block() const { return first_weight_block_; }
  /// Largest blocks of all classes.
  [[nodiscard]] const BlockBits& largest_blocks() const { return largest_; }
  /// Tiles of the whole task.
  [[nodiscard]] std::int64_t tile_count() const;

 private:
  LayerSchedule() = default;
  void build_loops();
  void set_blocks(TileClass& tile, const Accelerator& machine);
  void build_classes(const Accelerator& machine);
  void find_first_weight_block();

  LayerTask task_;
  Mapping mapping_;
  AxisTiles rows_;
  AxisTiles columns_;
  SizeRuns group_slices_;
  SizeRuns out_slices_;
  std::vector<ReductionSlice> in_slices_;
  std::vector<Run> in_runs_;
  std::vector<ScheduleLoop> loops_;
  std::vector<TileClass> classes_;
  BlockBits largest_;
  Bits first_weight_block_{0};
};

/// Streams of a task that exist at all.
[[nodiscard]] StreamMask streams_of(const LayerTask& task);

}  // namespace vernier::dataflow
