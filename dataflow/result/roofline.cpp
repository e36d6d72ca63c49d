#include "dataflow/result/roofline.hpp"

namespace vernier::dataflow {

std::string_view to_text(Roof roof) { return roof == Roof::kCompute ? "compute" : "dram"; }

std::optional<Roofline> roofline_of(const CostSummary& cost, double bandwidth_bits_per_cycle) {
  const auto macs = static_cast<double>(cost.macs.count());
  const auto cycles = static_cast<double>(cost.cycles.total().count());
  if (macs == 0.0 || cycles == 0.0 || cost.ideal_compute_cycles == 0.0) return std::nullopt;
  Roofline line;
  line.peak_macs_per_cycle = macs / cost.ideal_compute_cycles;
  line.machine_balance = line.peak_macs_per_cycle / bandwidth_bits_per_cycle;
  line.attainable_macs_per_cycle = line.peak_macs_per_cycle;
  line.achieved_macs_per_cycle = macs / cycles;
  if (cost.dram.total().count() > 0) {
    line.operational_intensity = macs / static_cast<double>(cost.dram.total().count());
    const double slope = *line.operational_intensity * bandwidth_bits_per_cycle;
    if (slope < line.peak_macs_per_cycle) {
      line.attainable_macs_per_cycle = slope;
      line.roof = Roof::kDram;
    }
  }
  return line;
}

}  // namespace vernier::dataflow
