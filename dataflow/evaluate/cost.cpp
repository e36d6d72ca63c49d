#include "dataflow/evaluate/cost.hpp"

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

}  // namespace vernier::dataflow
