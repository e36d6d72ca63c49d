#include "dataflow/result/cost.hpp"

#include <algorithm>

namespace vernier::dataflow {

void DramBits::add(const DramBits& other) {
  input_read += other.input_read;
  weight_read += other.weight_read;
  output_read += other.output_read;
  output_write += other.output_write;
}

std::string_view to_text(BoundBy bound) {
  switch (bound) {
    case BoundBy::kNothing: return "nothing";
    case BoundBy::kCompute: return "compute";
    case BoundBy::kDram: return "dram";
    case BoundBy::kPort: return "port";
    case BoundBy::kFill: return "fill";
  }
  return "unknown";
}

BoundBy bound_by(const CycleBreakdown& cycles, std::int64_t channel_busy_cycles) {
  const std::array<std::pair<std::int64_t, BoundBy>, 4> shares{
      {{cycles[CycleCause::kCompute], BoundBy::kCompute},
       {channel_busy_cycles, BoundBy::kDram},
       {cycles[CycleCause::kPort], BoundBy::kPort},
       {cycles[CycleCause::kFill] + cycles[CycleCause::kDrain], BoundBy::kFill}}};
  const auto largest = std::max_element(
      shares.begin(), shares.end(),
      [](const auto& left, const auto& right) { return left.first < right.first; });
  return largest->first == 0 ? BoundBy::kNothing : largest->second;
}

double CostSummary::utilisation() const {
  return peak_macs > 0.0 ? static_cast<double>(macs.count()) / peak_macs : 0.0;
}

void accumulate(CostSummary& sum, const CostSummary& part) {
  sum.macs += part.macs;
  sum.cycles.add(part.cycles);
  for (std::size_t port = 0; port < sum.port_waits.size(); ++port) {
    sum.port_waits[port] = checked_add(sum.port_waits[port], part.port_waits[port]);
  }
  sum.channel_busy_cycles = checked_add(sum.channel_busy_cycles, part.channel_busy_cycles);
  sum.dram.add(part.dram);
  sum.activity.merge(part.activity);
  sum.peak_macs += part.peak_macs;
  sum.ideal_compute_cycles += part.ideal_compute_cycles;
  sum.peak_on_chip = std::max(sum.peak_on_chip, part.peak_on_chip);
}

void set_static_figures(CostSummary& cost, const LayerSchedule& schedule,
                        const Accelerator& machine) {
  const LayerTask& task = schedule.task();
  cost.macs = task.macs();
  if (task.unit == TaskUnit::kArray) {
    const arch::MacMode& mode = machine.mode(task.weight_compute, task.activation_compute);
    const double peak = machine.peak_macs_per_cycle(mode);
    cost.peak_macs = peak * static_cast<double>(cost.cycles.total().count());
    cost.ideal_compute_cycles = static_cast<double>(cost.macs.count()) / peak;
  } else if (task.requantizes) {  // a lane multiplies and adds one after the other
    const arch::VectorSpec& vector = machine.spec().vector;
    const std::int64_t per_product =
        vector.cycles_for(Action::kMultiply) + vector.cycles_for(Action::kAdd);
    const double peak = static_cast<double>(vector.lanes) / static_cast<double>(per_product);
    cost.peak_macs = peak * static_cast<double>(cost.cycles.total().count());
    cost.ideal_compute_cycles = static_cast<double>(cost.macs.count()) / peak;
  }
  for (const memory::BufferSpec& buffer : machine.spec().buffers) {
    cost.peak_on_chip +=
        to_bytes_ceil(schedule.largest_blocks().in_buffer(buffer) * buffer.blocks_held());
  }
}

}  // namespace vernier::dataflow
