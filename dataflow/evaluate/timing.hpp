// When everything of one task happens: grants of the DRAM channel, starts and ends of tiles, and
// where the cycles went (design 5.3 to 5.5). The recurrences are exact; equal loops are jumped over
// once their state repeats, which is exact too.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "dataflow/evaluate/tile_cost.hpp"
#include "dataflow/result/cycle_breakdown.hpp"
#include "dataflow/schedule/layer_schedule.hpp"
#include "dataflow/schedule/network_schedule.hpp"

namespace vernier::dataflow {

/// Bits that the DRAM channel moved, by purpose.
struct ChannelTraffic {
  std::array<std::int64_t, 2> input_bits{};
  std::int64_t weight_bits = 0;
  std::int64_t prefetch_bits = 0;  ///< first weight block of the next task
  std::int64_t reload_bits = 0;    ///< partial sums read back
  std::int64_t spill_bits = 0;     ///< partial sums written
  std::int64_t store_bits = 0;     ///< finished outputs
  std::int64_t busy_cycles = 0;
  friend bool operator==(const ChannelTraffic&, const ChannelTraffic&) = default;
};

/// One event of the schedule, for tests and timelines.
struct TimingEvent {
  enum class Kind : std::uint8_t { kLoad, kReload, kStore, kPrefetch, kTile };
  Kind kind = Kind::kTile;
  Stream stream = Stream::kOutput;
  std::int64_t begin = 0;  ///< grant, or start of the tile
  std::int64_t end = 0;    ///< channel free again, or end of the tile
  friend bool operator==(const TimingEvent&, const TimingEvent&) = default;
};

struct TaskTiming {
  CycleBreakdown cycles;
  ChannelTraffic traffic;
  friend bool operator==(const TaskTiming&, const TaskTiming&) = default;
};

struct TimingOptions {
  /// Jump over repeating loops. Off only to prove that the jump changes nothing.
  bool jump = true;
  /// Called for every event in program order; needs `jump` off to see all of them.
  std::function<void(const TimingEvent&)> on_event;
};

/// Costs of the schedule's tile classes, same index.
using TileCosts = std::vector<TileCost>;

/// Runs the recurrences over a schedule.
[[nodiscard]] TaskTiming time_task(const LayerSchedule& schedule, const TileCosts& costs,
                                   const TaskBorder& border, const Accelerator& machine,
                                   const TimingOptions& options = {});

}  // namespace vernier::dataflow
