#include <memory>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/machine/machine.hpp"
#include "frontends/cli/commands.hpp"

namespace vernier::frontends {
namespace {

struct ExplainOptions {
  std::string accelerator;
  std::string component;
  std::string action;
  std::vector<std::string> overrides;
  std::vector<std::string> own_tables;
};

std::string action_name(const energy::PricedAction& action) {
  const std::string bits = action.weight_bits > 0
                               ? fmt::format(" w{} a{}", action.weight_bits, action.activation_bits)
                               : std::string{};
  return std::string(to_text(action.action)) + bits;
}

std::string explain_action(const energy::PricedAction& action) {
  std::string out = fmt::format(
      "  {} = {:.6g} pJ{}  [table {}]\n", action_name(action), action.energy.count(),
      action.action == Action::kLeak ? " per core cycle, all instances" : "", action.table);
  for (const energy::PriceTerm& term : action.terms) {
    out += fmt::format("    {:>12.6g} pJ  {}: {}\n                     source: {}\n",
                       term.energy.count(), term.name, term.formula, term.source);
  }
  return out;
}

// Names that may follow a component: the actions it has prices for.
std::vector<std::string> actions_of_component(const energy::PriceList& prices, std::size_t at) {
  std::vector<std::string> names;
  for (const energy::PricedAction& action : prices.actions()) {
    const std::string name(to_text(action.action));
    if (action.component == at && (names.empty() || names.back() != name)) names.push_back(name);
  }
  return names;
}

ExitCode explain(const ExplainOptions& options) {
  const dataflow::Machine machine =
      dataflow::load_machine(shipped_or_path(options.accelerator, "accelerators"),
                             options.overrides, energy_table_folders(), options.own_tables);
  const energy::PriceList& prices = machine.prices;
  std::vector<std::string> components;
  for (const energy::Component& component : prices.components()) {
    components.push_back(component.name);
  }
  std::string out;
  for (std::size_t at = 0; at < components.size(); ++at) {
    if (!options.component.empty() && options.component != components[at]) continue;
    const energy::Component& component = prices.components()[at];
    std::string actions;
    for (const energy::PricedAction& action : prices.actions()) {
      if (action.component != at) continue;
      if (!options.action.empty() && options.action != to_text(action.action)) continue;
      actions += explain_action(action);
    }
    if (actions.empty() && !options.component.empty()) {
      const std::vector<std::string> names = actions_of_component(prices, at);
      throw ConfigError(fmt::format("'{}' has no action '{}'; it has {}{}", component.name,
                                    shown(options.action), name_list(names),
                                    suggestion(options.action, names)));
    }
    if (actions.empty()) continue;
    out += fmt::format("{}: {} x {}\n", component.name, component.instances,
                       to_text(component.hardware));
    out += actions;
    const energy::PricedArea& area = prices.areas()[at];
    out += fmt::format(
        "  area = {:.6g} um2 of all instances  [table {}]\n                     "
        "source: {}\n\n",
        area.area.count(), area.table, area.source);
  }
  if (out.empty()) {
    const std::string& found = options.component.empty() ? options.action : options.component;
    throw ConfigError(fmt::format("the machine has no {} '{}'; its components are {}{}",
                                  options.component.empty() ? "action" : "component", shown(found),
                                  name_list(components), suggestion(found, components)));
  }
  for (const std::string& warning : prices.warnings()) out += "warning: " + warning + "\n";
  write_result(out, "");
  return ExitCode::kGood;
}

}  // namespace

void add_explain_command(CLI::App& app, VerbAction& action) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* verb =
      app.add_subcommand("explain", "formula, terms and source of every price of a machine");
  verb->add_option("--accelerator,-a", options->accelerator, "machine file (YAML)")
      ->required()
      ->check(not_empty());
  verb->add_option("COMPONENT", options->component, "only this component of the machine");
  verb->add_option("ACTION", options->action, "only this action");
  verb->add_option("--energy-table", options->own_tables,
                   "your own energy table or ERT; it beats all others")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  verb->add_option("--set", options->overrides, "key.path=value, changes the machine file")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  verb->callback([&action, options] { action = [options] { return explain(*options); }; });
}

}  // namespace vernier::frontends
