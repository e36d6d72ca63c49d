#include "dataflow/clocked/timeline_recorder.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

namespace vernier::dataflow {
namespace {

using memory::BlockStream;
using memory::TransferEvent;

TimelineTrack buffer_track(BlockStream stream) {
  switch (role_of(stream)) {
    case TensorRole::kWeight: return TimelineTrack::kWeightBuffer;
    case TensorRole::kOutput: return TimelineTrack::kOutputBuffer;
    default: return TimelineTrack::kInputBuffer;
  }
}

TimelineCounter buffer_counter(BlockStream stream) {
  switch (role_of(stream)) {
    case TensorRole::kWeight: return TimelineCounter::kWeightBits;
    case TensorRole::kOutput: return TimelineCounter::kOutputBits;
    default: return TimelineCounter::kInputBits;
  }
}

std::string name_of(const TransferEvent& event) {
  switch (event.kind) {
    case TransferEvent::Kind::kReload: return "reload sums";
    case TransferEvent::Kind::kStore: return "store";
    case TransferEvent::Kind::kPrefetch: return "prefetch weight";
    case TransferEvent::Kind::kLoad: break;
  }
  return fmt::format("load {}", to_text(role_of(event.stream)));
}

}  // namespace

bool TimelineRecorder::has_room() {
  if (timeline_.slices.size() + timeline_.samples.size() < Timeline::kMostEntries) return true;
  ++timeline_.left_out;
  return false;
}

void TimelineRecorder::add(TimelineSlice slice) {
  if (has_room()) timeline_.slices.push_back(std::move(slice));
}

void TimelineRecorder::sample(TimelineCounter counter, std::int64_t at, double value) {
  if (has_room()) timeline_.samples.push_back({counter, at, value});
}

void TimelineRecorder::on_transfer(const TransferEvent& event) {
  const std::int64_t begin = cycle(event.granted);
  const std::int64_t free = cycle(event.channel_free);
  const std::int64_t end = cycle(event.arrived);
  const std::string name = name_of(event);
  add({TimelineTrack::kDma, name, begin, end, event.bits});
  add({TimelineTrack::kDram, name, begin, free, event.bits});
  add({buffer_track(event.stream), name, begin, end, event.bits});
  if (free == begin) return;
  sample(TimelineCounter::kBandwidth, begin,
         static_cast<double>(event.bits) / static_cast<double>(free - begin));
  sample(TimelineCounter::kBandwidth, free, 0.0);
}

void TimelineRecorder::on_tile(const memory::TileEvent& event) {
  const std::int64_t end = cycle(event.end);
  add({TimelineTrack::kCompute, fmt::format("tile {}", event.number), cycle(event.begin), end, 0});
  const auto& folds = *event.fold_begins;
  for (std::size_t at = 0; at < folds.size(); ++at) {
    const std::int64_t fold_end = at + 1 < folds.size() ? cycle(folds[at + 1]) : end;
    add({TimelineTrack::kFeeders, fmt::format("fold {}", at), cycle(folds[at]), fold_end, 0});
  }
}

void TimelineRecorder::on_occupancy(BlockStream stream, std::int64_t half, std::int64_t bits) {
  held_[static_cast<std::size_t>(stream)][static_cast<std::size_t>(half)] = bits;
  std::int64_t sum = 0;
  for (std::size_t at = 0; at < memory::kBlockStreams; ++at) {
    if (buffer_counter(static_cast<BlockStream>(at)) != buffer_counter(stream)) continue;
    sum += held_[at][0] + held_[at][1];
  }
  sample(buffer_counter(stream), cycle(sc_core::sc_time_stamp()), static_cast<double>(sum));
}

}  // namespace vernier::dataflow
