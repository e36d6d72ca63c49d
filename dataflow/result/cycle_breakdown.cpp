#include "dataflow/result/cycle_breakdown.hpp"

namespace vernier::dataflow {

std::string_view to_text(CycleCause cause) {
  switch (cause) {
    case CycleCause::kCompute: return "compute";
    case CycleCause::kPort: return "port";
    case CycleCause::kFill: return "fill";
    case CycleCause::kInput: return "input";
    case CycleCause::kWeight: return "weight";
    case CycleCause::kPsum: return "psum";
    case CycleCause::kOutput: return "output";
    case CycleCause::kDrain: return "drain";
  }
  return "unknown";
}

Cycles CycleBreakdown::total() const {
  std::int64_t sum = 0;
  for (const std::int64_t cycles : by_cause) sum = checked_add(sum, cycles);
  return Cycles(sum);
}

void CycleBreakdown::add(const CycleBreakdown& other) {
  for (std::size_t at = 0; at < by_cause.size(); ++at) {
    by_cause[at] = checked_add(by_cause[at], other.by_cause[at]);
  }
}

}  // namespace vernier::dataflow
