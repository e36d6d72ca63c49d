#include <algorithm>

#include <fmt/format.h>

#include "frontends/report/import_text.hpp"
#include "frontends/report/numbers.hpp"
#include "frontends/report/run_report.hpp"

namespace vernier::frontends {
namespace {

using dataflow::CostSummary;
using dataflow::CycleCause;

// Keeps the end: names of imported layers begin alike.
std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : ".." + text.substr(text.size() - width + 2);
}

std::string bits_text(const dataflow::LayerCost& cost, const RunReport& report) {
  const dataflow::Layer& layer = report.graph.layers()[cost.layer];
  const int input = report.precision[layer.inputs.front()].bits.bits();
  if (!is_mac(layer.op)) return fmt::format("a{}", input);
  const dataflow::TensorId weight = layer.weight ? *layer.weight : layer.inputs[1];
  std::string widths;  // "2/4" for a sliced weight
  for (const PrecisionSlice& slice : report.precision[weight].slices) {
    const std::string width = fmt::format("{}", slice.bits.bits());
    if (("/" + widths + "/").find("/" + width + "/") != std::string::npos) continue;
    widths += (widths.empty() ? "" : "/") + width;
  }
  if (widths.empty()) widths = fmt::format("{}", report.precision[weight].bits.bits());
  return fmt::format("w{} a{}", widths, input);
}

void add_layers(std::string& out, const RunReport& report) {
  out += fmt::format("{:<26} {:<10} {:>7} {:>13} {:>11} {:>6} {:>8} {:>10} {:>11}\n", "layer",
                     "operator", "bits", "MACs", "cycles", "util", "bound by", "DRAM", "energy");
  for (const dataflow::LayerCost& layer : report.cost.layers) {
    const dataflow::Layer& spec = report.graph.layers()[layer.layer];
    const CostSummary& cost = layer.cost;
    const std::string util =
        cost.peak_macs > 0.0 ? fmt::format("{:.1f}%", 100.0 * cost.utilisation()) : "-";
    out += fmt::format("{:<26} {:<10} {:>7} {:>13} {:>11} {:>6} {:>8} {:>10} {:>11}\n",
                       cut(spec.name, 26), operator_name(spec.op), bits_text(layer, report),
                       grouped(cost.macs.count()), grouped(cost.cycles.total().count()), util,
                       to_text(bound_by(cost.cycles, cost.channel_busy_cycles)),
                       bytes_text(cost.dram.total()), energy_text(cost.energy.total()));
  }
}

std::string or_dash(const std::optional<double>& figure) {
  return figure ? fmt::format("{:.4g}", *figure) : "-";
}

void add_cycles(std::string& out, const CostSummary& total, const dataflow::AcceleratorSpec& spec) {
  const std::int64_t cycles = total.cycles.total().count();
  out += "\ncycles by cause\n";
  for (int at = 0; at < dataflow::kCycleCauseCount; ++at) {
    const auto cause = static_cast<CycleCause>(at);
    out += fmt::format("  {:<10} {:>15}  {:5.1f}%", to_text(cause), grouped(total.cycles[cause]),
                       share(total.cycles[cause], cycles));
    if (cause == CycleCause::kPort) out += port_waits_text(total, spec);
    out += '\n';
  }
  out += fmt::format("  {:<10} {:>15}  (DRAM channel busy {:.1f}% of them)\n", "total",
                     grouped(cycles), share(total.channel_busy_cycles, cycles));
}

void add_traffic(std::string& out, const CostSummary& total) {
  out += "\nDRAM bits\n";
  const auto line = [&out](std::string_view name, Bits bits) {
    out += fmt::format("  {:<13} {:>15}  {}\n", name, grouped(bits.count()), bytes_text(bits));
  };
  line("input read", total.dram.input_read);
  line("weight read", total.dram.weight_read);
  line("psum read", total.dram.output_read);
  line("output write", total.dram.output_write);
  line("total", total.dram.total());
}

// Which activations stay on chip; nothing for machines on which none can.
void add_residences(std::string& out, const RunReport& report) {
  const std::vector<dataflow::ActivationResidence>& all = report.cost.residences;
  if (all.empty()) return;
  const auto on_chip = std::count_if(all.begin(), all.end(), [](const auto& activation) {
    return activation.residence == dataflow::Residence::kOnChip;
  });
  out += fmt::format("\nactivations: {} of {} stay on chip\n", on_chip, all.size());
  constexpr std::size_t kMost = 24;
  for (std::size_t at = 0; at < std::min(kMost, all.size()); ++at) {
    out += fmt::format("  {:<26} {:>12}  {}\n", cut(report.graph.tensor(all[at].tensor).name, 26),
                       bytes_text(to_bits(all[at].size)), to_text(all[at].residence));
  }
  if (all.size() > kMost) {
    out += fmt::format("  {} more (all are in --format json)\n", all.size() - kMost);
  }
}

void add_energy(std::string& out, const RunReport& report) {
  const energy::EnergyBreakdown& energy = report.cost.total.energy;
  const auto& components = report.machine.prices.components();
  const double whole = energy.total().count();
  out += "\nenergy by component\n";
  for (std::size_t at = 0; at < components.size(); ++at) {
    const Picojoules part = energy.of_component(static_cast<ComponentIndex>(at));
    Picojoules leak{0.0};
    for (const energy::EnergyEntry& entry : energy.entries()) {
      if (entry.activity.component == at && entry.activity.action == Action::kLeak) {
        leak += entry.energy;
      }
    }
    out += fmt::format("  {:<13} {:>13}  {:5.1f}%  (leakage {})\n", components[at].name,
                       energy_text(part), whole > 0 ? 100.0 * part.count() / whole : 0.0,
                       energy_text(leak));
  }
  out += fmt::format("  {:<13} {:>13}\n", "total", energy_text(energy.total()));
}

// "energy by action: mac 1.0 uJ, read 2.0 uJ": parts that are not 0, the largest first.
void add_parts(std::string& out, std::string_view title,
               std::vector<std::pair<std::string, Picojoules>> parts) {
  std::erase_if(parts, [](const auto& part) { return part.second.count() == 0.0; });
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  out += fmt::format("\n{}\n", title);
  for (const auto& [name, energy] : parts) {
    out += fmt::format("  {:<13} {:>13}\n", name, energy_text(energy));
  }
}

void add_energy_views(std::string& out, const RunReport& report) {
  const energy::EnergyBreakdown& energy = report.cost.total.energy;
  std::vector<std::pair<std::string, Picojoules>> actions;
  for (int at = 0; at < kActionCount; ++at) {
    const auto action = static_cast<Action>(at);
    actions.emplace_back(to_text(action), energy.of_action(action));
  }
  add_parts(out, "energy by action", std::move(actions));
  std::vector<std::pair<std::string, Picojoules>> tensors;
  for (int at = 0; at < kTensorRoleCount; ++at) {
    const auto role = static_cast<TensorRole>(at);
    tensors.emplace_back(role == TensorRole::kNone ? "no tensor" : to_text(role),
                         energy.of_role(role));
  }
  add_parts(out, "energy by tensor", std::move(tensors));
}

// "roofline: 82.3 MACs/cycle of 245 attainable (...)", on a line of its own.
void add_roofline(std::string& out, const RunReport& report) {
  const std::optional<dataflow::Roofline> line = roofline_in(report, report.cost.total);
  if (!line) return;
  const std::string intensity = line->operational_intensity
                                    ? fmt::format("{:.4g} MACs", *line->operational_intensity)
                                    : "no traffic";
  out += fmt::format(
      "roofline: {:.4g} MACs/cycle of {:.4g} attainable; {} per DRAM bit, balance {:.4g}: the roof "
      "is {} (peak {:.4g})\n",
      line->achieved_macs_per_cycle, line->attainable_macs_per_cycle, intensity,
      line->machine_balance, to_text(line->roof), line->peak_macs_per_cycle);
}

void add_notes(std::string& out, const RunReport& report) {
  constexpr std::size_t kMostRoundings = 10;
  const std::string import = import_summary(report.import);
  const std::vector<std::string>& warnings = report.machine.prices.warnings();
  if (report.assumptions.empty() && report.cost.roundings.empty() && import.empty() &&
      warnings.empty()) {
    return;
  }
  out += "\nnotes\n";
  for (const std::string& warning : warnings) out += "  warning: " + warning + "\n";
  if (!import.empty()) out += "  imported: " + import + "\n";
  for (const std::string& assumption : report.assumptions) out += "  assumed: " + assumption + "\n";
  const auto& roundings = report.cost.roundings;
  for (std::size_t at = 0; at < std::min(kMostRoundings, roundings.size()); ++at) {
    out += "  rounded: " + rounding_text(report.graph, roundings[at]) + "\n";
  }
  if (roundings.size() > kMostRoundings) {
    out += fmt::format("  rounded: {} more tensors (all are in --format json)\n",
                       roundings.size() - kMostRoundings);
  }
}

// How grouped layers ran, when there are any.
void add_grouped_layers(std::string& out, const RunReport& report) {
  std::int64_t on_array = 0;
  std::int64_t on_vector = 0;
  std::int64_t most = 1;
  for (const dataflow::LayerCost& layer : report.cost.layers) {
    if (layer.tasks.empty() || layer.tasks.front().groups == 1) continue;
    ++(layer.tasks.front().unit == dataflow::TaskUnit::kArray ? on_array : on_vector);
    for (const dataflow::TaskOutline& task : layer.tasks) {
      most = std::max(most, task.groups_at_once);
    }
  }
  if (on_array + on_vector == 0) return;
  out +=
      fmt::format("depthwise {}: {} grouped layers",
                  to_text(report.machine.accelerator.spec().array.depthwise), on_array + on_vector);
  if (on_vector > 0) out += fmt::format(", {} of them on the vector unit", on_vector);
  out += fmt::format(", at most {} group{} at once on the array\n", most, most == 1 ? "" : "s");
}

}  // namespace

std::string to_table(const RunReport& report) {
  const dataflow::AcceleratorSpec& spec = report.machine.accelerator.spec();
  const CostSummary& total = report.cost.total;
  const DerivedFigures figures = derive(total, spec.clock, report.graph.batch());
  std::string out =
      fmt::format("{} on {}: {}x{} {}, MAC {}, {}, batch {}, engine {}\n\n", report.graph.name(),
                  spec.name, spec.array.rows, spec.array.columns, to_text(spec.array.dataflow),
                  spec.mac.style, to_text(spec.clock), report.graph.batch(), report.engine);
  add_layers(out, report);
  add_cycles(out, total, report.machine.accelerator.spec());
  add_traffic(out, total);
  add_residences(out, report);
  add_energy(out, report);
  add_energy_views(out, report);
  out += fmt::format(
      "\n{:.4g} ms, {} inferences/s, {:.4g} mW, {:.4g} TOPS, {} TOPS/W, utilisation {:.1f}% of the "
      "peak at each layer's precision\n",
      figures.time_ms, or_dash(figures.inferences_per_s), figures.average_power_mw, figures.tops,
      or_dash(figures.tops_per_w), 100.0 * total.utilisation());
  out += fmt::format("{} MACs, peak on-chip {} bytes, area {:.3f} mm2 (on chip, from the tables)\n",
                     grouped(total.macs.count()), grouped(total.peak_on_chip.count()),
                     report.machine.prices.total_area().count() / 1e6);
  add_grouped_layers(out, report);
  add_roofline(out, report);
  if (report.data_check) {
    out += fmt::format("{} outputs compared with the definition of their layers, {} differ\n",
                       grouped(report.data_check->outputs), grouped(report.data_check->mismatches));
    if (report.data_check->overflows > 0) {
      out += fmt::format("{} sums on their way out of the array did not fit the accumulator\n",
                         grouped(report.data_check->overflows));
    }
  }
  add_notes(out, report);
  return out;
}

}  // namespace vernier::frontends
