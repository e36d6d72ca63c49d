#include "frontends/report/run_report.hpp"

#include <fmt/format.h>

#include "frontends/report/numbers.hpp"

namespace vernier::frontends {

DerivedFigures derive(const dataflow::CostSummary& cost, Hertz clock, std::int64_t batch) {
  DerivedFigures figures;
  const Nanoseconds time = time_of(cost.cycles.total(), clock);
  constexpr double kNanosecondsPerMillisecond = 1e6;
  constexpr double kNanosecondsPerSecond = 1e9;
  constexpr double kOperationsPerMac = 2.0;
  figures.time_ms = time.count() / kNanosecondsPerMillisecond;
  figures.average_power_mw = average_power(cost.energy.total(), time).count();
  if (time.count() > 0.0) {
    figures.inferences_per_s = static_cast<double>(batch) * kNanosecondsPerSecond / time.count();
    // Operations per nanosecond are 1e9 operations per second.
    figures.tops = kOperationsPerMac * static_cast<double>(cost.macs.count()) / time.count() / 1e3;
  }
  if (figures.average_power_mw > 0.0) {
    figures.tops_per_w = figures.tops / (figures.average_power_mw / 1e3);
  }
  return figures;
}

std::string port_waits_text(const dataflow::CostSummary& cost,
                            const dataflow::AcceleratorSpec& spec) {
  std::string text;
  const std::int64_t all = cost.cycles[dataflow::CycleCause::kPort];
  const auto add = [&](std::string_view name, std::int64_t waits) {
    if (waits == 0) return;
    text += fmt::format("{}{} {:.1f}%", text.empty() ? "  (" : ", ", name, share(waits, all));
  };
  for (std::size_t at = 0; at < spec.buffers.size(); ++at) {
    add(spec.buffers[at].name, cost.port_waits[at]);
  }
  add("requantizer", cost.port_waits[arch::kRequantizerPort]);
  return text.empty() ? text : text + ")";
}

std::optional<dataflow::Roofline> roofline_in(const RunReport& report,
                                              const dataflow::CostSummary& cost) {
  return dataflow::roofline_of(cost,
                               report.machine.accelerator.spec().dram.bandwidth.bits_per_cycle());
}

std::vector<PowerSample> power_over_time(const dataflow::NetworkCost& cost, Hertz clock) {
  constexpr double kNanosecondsPerMillisecond = 1e6;
  const auto at_ms = [clock](Cycles cycles) {
    return time_of(cycles, clock).count() / kNanosecondsPerMillisecond;
  };
  std::vector<PowerSample> samples;
  Cycles begin(0);
  for (const dataflow::LayerCost& layer : cost.layers) {
    const Cycles cycles = layer.cost.cycles.total();
    if (cycles.count() == 0) continue;
    const Cycles end = begin + cycles;
    samples.push_back({layer.layer, at_ms(begin), at_ms(end),
                       average_power(layer.cost.energy.total(), time_of(cycles, clock)).count()});
    begin = end;
  }
  return samples;
}

std::string rounding_text(const dataflow::LayerGraph& graph,
                          const dataflow::WidthRounding& rounding) {
  return fmt::format("tensor '{}': {} bits, stored as {}, computed as {}",
                     graph.tensor(rounding.tensor).name, rounding.logical.bits(),
                     rounding.storage.bits(), rounding.compute.bits());
}

}  // namespace vernier::frontends
