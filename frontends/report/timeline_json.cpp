#include "frontends/report/timeline_json.hpp"

#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vernier::frontends {
namespace {

using dataflow::TimelineCounter;
using dataflow::TimelineTrack;

constexpr std::array kTrackNames{"array or vector unit", "feeders (folds)", "DMA engine",
                                 "DRAM channel",         "input buffer",    "weight buffer",
                                 "output buffer"};
static_assert(kTrackNames.size() == dataflow::kTimelineTrackCount);

constexpr std::array kCounterNames{"channel bits per cycle", "input buffer bits",
                                   "weight buffer bits", "output buffer bits"};
static_assert(kCounterNames.size() == dataflow::kTimelineCounterCount);

constexpr int kProcess = 1;
constexpr int kLayerTrack = 0;  // the tracks of the enumeration follow

// Buffers hold two blocks that may be on their way at once, so commands overlap there; a viewer
// wants slices of one track to nest, hence asynchronous events for all but the serial tracks.
bool is_serial(TimelineTrack track) {
  return track == TimelineTrack::kCompute || track == TimelineTrack::kFeeders ||
         track == TimelineTrack::kDram;
}

// Writes the events one after the other: a tree of all of them would take ten times the memory.
class Writer {
 public:
  Writer(const dataflow::Timeline& timeline, Hertz clock)
      : timeline_(timeline), microseconds_per_cycle_(1e6 / static_cast<double>(clock.count())) {}

  std::string write() {
    text_ = fmt::format(
        "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"entries_left_out\":{}}},\"traceEvents\":[",
        timeline_.left_out);
    name_track(kLayerTrack, "layers");
    for (std::size_t at = 0; at < kTrackNames.size(); ++at) {
      name_track(1 + static_cast<int>(at), kTrackNames[at]);
    }
    for (const dataflow::TimelineTask& task : timeline_.tasks) {
      add_slice(kLayerTrack, task.name, task.begin, task.end, 0);
    }
    for (const dataflow::TimelineSlice& slice : timeline_.slices) {
      const int track = 1 + static_cast<int>(slice.track);
      if (is_serial(slice.track)) {
        add_slice(track, slice.name, slice.begin, slice.end, slice.bits);
      } else {
        add_async(track, slice);
      }
    }
    for (const dataflow::TimelineSample& sample : timeline_.samples) {
      begin_event("C", kCounterNames[static_cast<std::size_t>(sample.counter)], sample.cycle);
      add(",\"args\":{{\"value\":{}}}}}", sample.value);
    }
    return std::move(text_) + "]}\n";
  }

 private:
  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }
  [[nodiscard]] double time(std::int64_t cycle) const {
    return static_cast<double>(cycle) * microseconds_per_cycle_;
  }

  // Names may come from a user's file, so they are escaped.
  void begin_event(std::string_view phase, std::string_view name, std::int64_t cycle) {
    if (has_events_) text_ += ",\n";
    has_events_ = true;
    const std::string escaped =
        nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    add("{{\"ph\":\"{}\",\"pid\":{},\"name\":{},\"ts\":{}", phase, kProcess, escaped, time(cycle));
  }

  void name_track(int track, std::string_view name) {
    begin_event("M", "thread_name", 0);
    add(",\"tid\":{},\"args\":{{\"name\":\"{}\"}}}}", track, name);
  }

  void add_arguments(std::int64_t begin, std::int64_t end, std::int64_t bits) {
    add(",\"args\":{{\"begin_cycle\":{},\"cycles\":{}", begin, end - begin);
    if (bits > 0) add(",\"bits\":{}", bits);
    text_ += "}";
  }

  void add_slice(int track, std::string_view name, std::int64_t begin, std::int64_t end,
                 std::int64_t bits) {
    begin_event("X", name, begin);
    add(",\"tid\":{},\"dur\":{}", track, time(end) - time(begin));
    add_arguments(begin, end, bits);
    text_ += "}";
  }

  void add_async(int track, const dataflow::TimelineSlice& slice) {
    ++asynchronous_;
    for (const bool begins : {true, false}) {
      begin_event(begins ? "b" : "e", slice.name, begins ? slice.begin : slice.end);
      add(",\"tid\":{},\"cat\":\"{}\",\"id\":\"0x{:x}\"", track,
          kTrackNames[static_cast<std::size_t>(slice.track)], asynchronous_);
      if (begins) add_arguments(slice.begin, slice.end, slice.bits);
      text_ += "}";
    }
  }

  const dataflow::Timeline& timeline_;
  double microseconds_per_cycle_;
  std::uint64_t asynchronous_ = 0;
  bool has_events_ = false;
  std::string text_;
};

}  // namespace

std::string to_trace_events(const dataflow::Timeline& timeline, Hertz clock) {
  return Writer(timeline, clock).write();
}

}  // namespace vernier::frontends
