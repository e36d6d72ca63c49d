// What a clocked run did when, for a picture of it: slices on tracks and samples of counters, in
// core cycles since the machine was built. Bounded: a full timeline says so and takes no more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arch/base/activity.hpp"

namespace vernier::dataflow {

enum class TimelineTrack : std::uint8_t {
  kCompute,  ///< tiles on the array or the vector unit
  kFeeders,  ///< folds of the array
  kDma,      ///< commands from grant until their data have arrived
  kDram,     ///< commands while they occupy the channel
  kInputBuffer,
  kWeightBuffer,
  kOutputBuffer,  ///< blocks on their way in or out of the buffer of an operand
};
inline constexpr int kTimelineTrackCount = 7;

struct TimelineSlice {
  TimelineTrack track = TimelineTrack::kCompute;
  std::string name;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t bits = 0;  ///< moved; 0 for compute
};

enum class TimelineCounter : std::uint8_t {
  kBandwidth,  ///< bits per cycle on the channel
  kInputBits,
  kWeightBits,
  kOutputBits,  ///< in the buffer of an operand
};
inline constexpr int kTimelineCounterCount = 4;

struct TimelineSample {
  TimelineCounter counter = TimelineCounter::kBandwidth;
  std::int64_t cycle = 0;
  double value = 0.0;
};

/// One layer's task on the time axis.
struct TimelineTask {
  std::string name;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

struct Timeline {
  /// Slices and samples together that are kept at most.
  static constexpr std::size_t kMostEntries = 400'000;

  std::vector<TimelineTask> tasks;
  std::vector<TimelineSlice> slices;
  std::vector<TimelineSample> samples;
  std::size_t left_out = 0;  ///< entries that came after the bound was reached
};

}  // namespace vernier::dataflow
