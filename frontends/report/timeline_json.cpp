#include "frontends/report/timeline_json.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vernier::frontends {
namespace {

using Json = nlohmann::ordered_json;
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

class Writer {
 public:
  Writer(const dataflow::Timeline& timeline, Hertz clock)
      : timeline_(timeline), microseconds_per_cycle_(1e6 / static_cast<double>(clock.count())) {}

  std::string write() {
    name_tracks();
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
      events_.push_back({{"ph", "C"},
                         {"pid", kProcess},
                         {"name", kCounterNames[static_cast<std::size_t>(sample.counter)]},
                         {"ts", time(sample.cycle)},
                         {"args", {{"value", sample.value}}}});
    }
    Json json = {{"displayTimeUnit", "ns"},
                 {"otherData", {{"entries_left_out", timeline_.left_out}}}};
    json["traceEvents"] = std::move(events_);
    return json.dump() + "\n";
  }

 private:
  [[nodiscard]] double time(std::int64_t cycle) const {
    return static_cast<double>(cycle) * microseconds_per_cycle_;
  }

  void name_tracks() {
    const auto name = [this](int track, const char* text) {
      events_.push_back({{"ph", "M"},
                         {"pid", kProcess},
                         {"tid", track},
                         {"name", "thread_name"},
                         {"args", {{"name", text}}}});
    };
    name(kLayerTrack, "layers");
    for (std::size_t at = 0; at < kTrackNames.size(); ++at) {
      name(1 + static_cast<int>(at), kTrackNames[at]);
    }
  }

  static Json arguments(std::int64_t begin, std::int64_t end, std::int64_t bits) {
    Json json = {{"begin_cycle", begin}, {"cycles", end - begin}};
    if (bits > 0) json["bits"] = bits;
    return json;
  }

  void add_slice(int track, const std::string& name, std::int64_t begin, std::int64_t end,
                 std::int64_t bits) {
    events_.push_back({{"ph", "X"},
                       {"pid", kProcess},
                       {"tid", track},
                       {"name", name},
                       {"ts", time(begin)},
                       {"dur", time(end) - time(begin)},
                       {"args", arguments(begin, end, bits)}});
  }

  void add_async(int track, const dataflow::TimelineSlice& slice) {
    const std::string category = kTrackNames[static_cast<std::size_t>(slice.track)];
    const std::string id = fmt::format("0x{:x}", ++asynchronous_);
    for (const bool begins : {true, false}) {
      Json event = {{"ph", begins ? "b" : "e"},
                    {"pid", kProcess},
                    {"tid", track},
                    {"cat", category},
                    {"id", id},
                    {"name", slice.name},
                    {"ts", time(begins ? slice.begin : slice.end)}};
      if (begins) event["args"] = arguments(slice.begin, slice.end, slice.bits);
      events_.push_back(std::move(event));
    }
  }

  const dataflow::Timeline& timeline_;
  double microseconds_per_cycle_;
  std::uint64_t asynchronous_ = 0;
  Json events_ = Json::array();
};

}  // namespace

std::string to_trace_events(const dataflow::Timeline& timeline, Hertz clock) {
  return Writer(timeline, clock).write();
}

}  // namespace vernier::frontends
