#include <memory>
#include <span>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "arch/fold_model.hpp"
#include "dataflow/machine/machine.hpp"
#include "energy/estimator.hpp"
#include "frontends/cli/commands.hpp"
#include "memory/port_model.hpp"

namespace vernier::frontends {
namespace {

std::vector<ComponentDescription> all_components() {
  std::vector<ComponentDescription> all = dataflow::describe_accelerator_format();
  for (auto& entry : arch::builtin_mac_families().describe()) all.push_back(std::move(entry));
  for (auto& entry : energy::builtin_estimators().describe()) all.push_back(std::move(entry));
  return all;
}

std::string describe_component(const ComponentDescription& component) {
  std::string out =
      fmt::format("{} ({}): {}\n", component.name, component.kind, component.sentence);
  for (const ParameterDescription& parameter : component.parameters) {
    const std::string unit = parameter.unit.empty() ? "" : fmt::format(" [{}]", parameter.unit);
    const std::string fallback = parameter.default_text.empty()
                                     ? std::string("required")
                                     : "default " + parameter.default_text;
    out += fmt::format("  {}: {}{}, {}\n      {}\n", parameter.key, parameter.type, unit, fallback,
                       parameter.sentence);
  }
  return out;
}

// What the fullest fold asks of the ports in a mode: operand bits of the whole array per cycle, and
// whether a line of it takes one cycle (design 5.1).
struct PortNeed {
  double weight_bits = 0.0;
  double input_bits = 0.0;
  std::string verdict;
};

PortNeed port_need(const dataflow::AcceleratorSpec& spec, const arch::MacMode& mode) {
  arch::FoldShape fold;
  fold.used_rows = spec.array.rows;
  fold.used_columns = spec.array.columns;
  const auto cycles = [&](bool reads, const auto& buffers) {
    fold.reads_partial_sums = reads;
    return memory::cycles_per_line(
        arch::fold_demand(spec.array, mode, spec.mac.accumulator_bits, fold), buffers);
  };
  const arch::FoldDemand demand =
      arch::fold_demand(spec.array, mode, spec.mac.accumulator_bits, fold);
  PortNeed need;
  const auto step = static_cast<double>(mode.cycles);
  need.weight_bits =
      static_cast<double>(demand.weight_bits) / (demand.weight_is_preloaded ? 1.0 : step);
  need.input_bits =
      static_cast<double>(demand.input_bits) / (demand.input_is_preloaded ? 1.0 : step);
  std::vector<std::string> narrow;
  for (const memory::BufferSpec& buffer : spec.buffers) {
    const std::span<const memory::BufferSpec> one(&buffer, 1);
    if (cycles(false, one) > 1) {
      narrow.push_back(buffer.name);
    } else if (cycles(true, one) > 1) {
      narrow.push_back(buffer.name + " (read-back)");
    }
  }
  need.verdict = narrow.empty()
                     ? std::string("yes")
                     : fmt::format("no: {} to {} cycles per line, {}", cycles(false, spec.buffers),
                                   cycles(true, spec.buffers), name_list(narrow));
  return need;
}

// What a memory of the `timing` model is, and that the figures before it are derived.
std::string timing_text(const memory::DramSpec& dram) {
  if (!dram.timing) return {};
  const memory::DramTimingSpec& timing = *dram.timing;
  return fmt::format(
      " (effective, for the analytical engine)\n  {:<12} {}, {} channel(s) x {} rank(s), {} bit, "
      "{} "
      "banks, rows of {} bit, address {}, rows {}; {}",
      "", timing.preset.name, timing.channels, timing.ranks, timing.preset.bus_bits,
      timing.preset.banks(), timing.preset.row_bits(), timing.mapping.text(),
      memory::row_policy_names()[static_cast<std::size_t>(timing.policy)], timing.preset.source);
}

std::string describe_machine(const std::string& path, const std::vector<std::string>& overrides) {
  const dataflow::Machine machine = dataflow::load_machine(shipped_or_path(path, "accelerators"),
                                                           overrides, energy_table_folders());
  const dataflow::Accelerator& accelerator = machine.accelerator;
  const dataflow::AcceleratorSpec& spec = accelerator.spec();
  std::string out = fmt::format("{}: {}x{} {}, MAC {}, {}, {}\n{}\n\n", spec.name, spec.array.rows,
                                spec.array.columns, to_text(spec.array.dataflow), spec.mac.style,
                                to_text(spec.clock), to_text(spec.technology), spec.source);
  out += fmt::format("{:>3} {:>3} {:>16} {:>10} {:>7} {:>18} {:>18}  {}\n", "w", "a",
                     "peak MACs/cycle", "peak TOPS", "cycles", "weight bits/cycle",
                     "input bits/cycle", "ports feed it");
  for (const auto& mode : accelerator.modes()) {
    const double peak = accelerator.peak_macs_per_cycle(mode.mode);
    const PortNeed need = port_need(spec, mode.mode);
    out += fmt::format("{:>3} {:>3} {:>16.6g} {:>10.4g} {:>7} {:>18.6g} {:>18.6g}  {}\n",
                       mode.weight.bits(), mode.activation.bits(), peak,
                       2.0 * peak * static_cast<double>(spec.clock.count()) / 1e12,
                       mode.mode.cycles, need.weight_bits, need.input_bits, need.verdict);
  }
  out += fmt::format(
      "bits per cycle of the whole array, all PEs at work; an operand that stays in the PEs is "
      "preloaded one array row per line\ndepthwise {}\n",
      to_text(spec.array.depthwise));
  out += "\nbuffers\n";
  for (const memory::BufferSpec& buffer : spec.buffers) {
    std::vector<std::string> roles;
    roles.reserve(buffer.serves.size());
    for (const TensorRole role : buffer.serves) roles.emplace_back(to_text(role));
    std::string use = buffer.blocks_held() == 1 ? ", single" : "";
    if (buffer.resident_bytes.count() > 0) {
      use += fmt::format(", {} of it for activations that stay", to_text(buffer.resident_bytes));
    }
    out +=
        fmt::format("  {:<12} serves {:<22} {:>9}, {} banks x {} port(s) x {} = {} bit/cycle{}\n",
                    buffer.name, name_list(roles), to_text(buffer.capacity), buffer.banks,
                    buffer.ports, buffer.word.count(), buffer.bits_per_cycle().count(), use);
  }
  out += fmt::format("  {:<12} {}, latency {}{}\n", "DRAM", to_text(spec.dram.bandwidth),
                     to_text(spec.dram.latency), timing_text(spec.dram));
  out += "\narea\n";
  for (const energy::PricedArea& area : machine.prices.areas()) {
    out += fmt::format("  {:<12} {:>10.4f} mm2  ({})\n",
                       machine.prices.components()[area.component].name, area.area.count() / 1e6,
                       area.table);
  }
  out +=
      fmt::format("  {:<12} {:>10.4f} mm2\n", "total", machine.prices.total_area().count() / 1e6);
  out += "\nprices\n";
  for (const energy::PricedAction& action : machine.prices.actions()) {
    const std::string bits =
        action.weight_bits > 0 ? fmt::format(" w{} a{}", action.weight_bits, action.activation_bits)
                               : std::string{};
    out += fmt::format(
        "  {:<12} {:<22} {:>12.6g} pJ  {}\n", machine.prices.components()[action.component].name,
        std::string(to_text(action.action)) + bits, action.energy.count(), action.table);
  }
  return out;
}

struct DescribeOptions {
  std::string component;
  std::string accelerator;
  std::vector<std::string> overrides;
};

ExitCode describe(const DescribeOptions& options) {
  if (!options.accelerator.empty() && !options.component.empty()) {
    throw ConfigError("describe: a component and --accelerator exclude each other");
  }
  if (options.accelerator.empty() && !options.overrides.empty()) {
    throw ConfigError("describe: --set needs --accelerator");
  }
  if (!options.accelerator.empty()) {
    write_result(describe_machine(options.accelerator, options.overrides), "");
    return ExitCode::kGood;
  }
  std::vector<std::string> names;
  std::string out;
  for (const ComponentDescription& component : all_components()) {
    names.push_back(component.name);
    if (options.component.empty()) {
      out += fmt::format("{:<14} {:<18} {}\n", component.name, component.kind, component.sentence);
    } else if (component.name == options.component) {
      out += describe_component(component);
    }
  }
  if (out.empty()) {
    throw ConfigError(fmt::format("there is no component '{}'; there are {}{}",
                                  shown(options.component), name_list(names, 30),
                                  suggestion(options.component, names)));
  }
  write_result(out, "");
  return ExitCode::kGood;
}

}  // namespace

void add_describe_command(CLI::App& app, VerbAction& action) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App* verb =
      app.add_subcommand("describe", "parameters of a component, or what a machine can do");
  verb->add_option("COMPONENT", options->component, "name of a component; none lists them all");
  verb->add_option("--accelerator,-a", options->accelerator, "machine file")->check(not_empty());
  verb->add_option("--set", options->overrides, "key.path=value, changes the machine file")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  verb->callback([&action, options] { action = [options] { return describe(*options); }; });
}

}  // namespace vernier::frontends
