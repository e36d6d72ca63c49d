#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/report/run_report.hpp"

namespace vernier::frontends {
namespace {

// Empty fields where there are no MACs, or no intensity because no bit moves.
std::string roofline_fields(const std::optional<dataflow::Roofline>& line) {
  if (!line) return ",,,,,";
  const std::string intensity =
      line->operational_intensity ? fmt::format("{}", *line->operational_intensity) : "";
  return fmt::format("{},{},{},{},{},{}", line->peak_macs_per_cycle, intensity,
                     line->machine_balance, line->attainable_macs_per_cycle,
                     line->achieved_macs_per_cycle, to_text(line->roof));
}

std::string row(std::string_view name, std::string_view op, const dataflow::CostSummary& cost,
                const RunReport& report) {
  const DerivedFigures figures =
      derive(cost, report.machine.accelerator.spec().clock, report.graph.batch());
  std::string out = fmt::format("{},{},{},{}", csv_field(name), csv_field(op), cost.macs.count(),
                                cost.cycles.total().count());
  for (const std::int64_t cycles : cost.cycles.by_cause) out += fmt::format(",{}", cycles);
  out += fmt::format(",{},{},{},{},{},{},{},{},{}", cost.channel_busy_cycles,
                     to_text(bound_by(cost.cycles, cost.channel_busy_cycles)), cost.utilisation(),
                     roofline_fields(roofline_in(report, cost)), cost.dram.input_read.count(),
                     cost.dram.weight_read.count(), cost.dram.output_read.count(),
                     cost.dram.output_write.count(), cost.dram.total().count());
  out += fmt::format(",{},{}", cost.peak_on_chip.count(), cost.energy.total().count());
  for (std::size_t at = 0; at < report.machine.prices.components().size(); ++at) {
    out += fmt::format(",{}", cost.energy.of_component(static_cast<ComponentIndex>(at)).count());
  }
  for (int at = 0; at < kActionCount; ++at) {
    out += fmt::format(",{}", cost.energy.of_action(static_cast<Action>(at)).count());
  }
  for (int at = 0; at < kTensorRoleCount; ++at) {
    out += fmt::format(",{}", cost.energy.of_role(static_cast<TensorRole>(at)).count());
  }
  for (int at = 0; at < energy::kEnergyStateCount; ++at) {
    out += fmt::format(",{}", cost.energy.of_state(static_cast<energy::EnergyState>(at)).count());
  }
  return out + fmt::format(",{},{}\n", figures.time_ms, figures.average_power_mw);
}

}  // namespace

std::string to_csv(const RunReport& report) {
  std::string out = "name,operator,macs,cycles";
  for (int at = 0; at < dataflow::kCycleCauseCount; ++at) {
    out += fmt::format(",{}_cycles", to_text(static_cast<dataflow::CycleCause>(at)));
  }
  out +=
      ",channel_busy_cycles,bound_by,utilisation,peak_macs_per_cycle,"
      "operational_intensity_macs_per_bit,machine_balance_macs_per_bit,attainable_macs_per_cycle,"
      "achieved_macs_per_cycle,roof,dram_input_read_bits,dram_weight_read_bits,"
      "dram_output_read_bits,dram_output_write_bits,dram_bits,peak_on_chip_bytes,energy_pj";
  for (const energy::Component& component : report.machine.prices.components()) {
    out += "," + csv_field(component.name + "_energy_pj");
  }
  for (int at = 0; at < kActionCount; ++at) {
    out += fmt::format(",action_{}_energy_pj", to_text(static_cast<Action>(at)));
  }
  for (int at = 0; at < kTensorRoleCount; ++at) {
    out += fmt::format(",tensor_{}_energy_pj", to_text(static_cast<TensorRole>(at)));
  }
  for (int at = 0; at < energy::kEnergyStateCount; ++at) {
    out += fmt::format(",state_{}_energy_pj", to_text(static_cast<energy::EnergyState>(at)));
  }
  out += ",time_ms,average_power_mw\n";
  for (const dataflow::LayerCost& layer : report.cost.layers) {
    const dataflow::Layer& spec = report.graph.layers()[layer.layer];
    out += row(spec.name, operator_name(spec.op), layer.cost, report);
  }
  return out + row("total", "", report.cost.total, report);
}

}  // namespace vernier::frontends
