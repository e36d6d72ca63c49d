// Writes what the clocked modules tell their observer into a Timeline.
#pragma once

#include <array>

#include "dataflow/clocked/timeline.hpp"
#include "memory/systemc/machine_observer.hpp"

namespace vernier::dataflow {

class TimelineRecorder final : public memory::MachineObserver {
 public:
  TimelineRecorder(Timeline& timeline, const sc_core::sc_time& clock_period)
      : timeline_(timeline), period_(clock_period) {}

  void on_transfer(const memory::TransferEvent& event) override;
  void on_tile(const memory::TileEvent& event) override;
  void on_occupancy(memory::BlockStream stream, std::int64_t half, std::int64_t bits) override;

 private:
  [[nodiscard]] std::int64_t cycle(const sc_core::sc_time& time) const {
    return static_cast<std::int64_t>(time.value() / period_.value());
  }
  [[nodiscard]] bool has_room();
  void add(TimelineSlice slice);
  void sample(TimelineCounter counter, std::int64_t at, double value);

  Timeline& timeline_;
  sc_core::sc_time period_;
  std::array<std::array<std::int64_t, 2>, memory::kBlockStreams> held_{};
};

}  // namespace vernier::dataflow
