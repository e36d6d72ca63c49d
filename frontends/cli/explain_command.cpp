#include <memory>
#include <optional>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/machine/machine.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/cli/network_bits.hpp"
#include "frontends/models/network_file.hpp"
#include "frontends/report/layer_explanation.hpp"

namespace vernier::frontends {
namespace {

struct ExplainOptions {
  std::string accelerator;
  std::string component;
  std::string action;
  std::string model;
  std::string layer;
  BitsOptions bits;
  std::optional<std::int64_t> batch;
  std::vector<std::string> overrides;
  std::vector<std::string> own_tables;

  [[nodiscard]] bool asks_for_layer() const { return !model.empty() || !layer.empty(); }
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

// Options of one of the two questions, prices and layers, that were given with the other.
void check_question(const ExplainOptions& options) {
  if (!options.asks_for_layer()) {
    const bool others =
        options.batch || !options.bits.bits.empty() || !options.bits.precision.empty();
    if (!others) return;
    throw ConfigError("--bits, --precision and --batch need --model and --layer");
  }
  if (options.model.empty()) throw ConfigError("--layer needs --model");
  if (options.layer.empty()) {
    throw ConfigError("--model needs --layer: one layer is explained at a time");
  }
  if (options.component.empty()) return;
  throw ConfigError(
      fmt::format("'{}': a component's prices are explained without --model and --layer",
                  shown(options.component)));
}

ExitCode explain_layer_of(const ExplainOptions& options, const dataflow::Machine& machine) {
  dataflow::ImportedModel model = load_network_file(shipped_or_path(options.model, "models"));
  if (options.batch) model.graph = model.graph.with_batch(*options.batch);
  const PrecisionFile widths = load_bits(options.bits, model.graph);
  const dataflow::ResolvedPrecision bits =
      dataflow::resolve_precision(model.graph, dataflow::with_assumed_widths(widths.map, model));
  for (const std::string& assumed : machine.assumptions) say("vernier: assumed: " + assumed);
  for (const std::string& note : widths.notes) say("vernier: assumed: " + note);
  for (const std::string& assumed : bits.assumptions) say("vernier: assumed: " + assumed);
  for (const std::string& assumed : dataflow::dram_assumptions(machine.accelerator)) {
    say("vernier: assumed: " + assumed);
  }
  const dataflow::Evaluator evaluator(machine);
  const Result<std::string> text =
      explain_layer(evaluator, model.graph, bits.tensors, options.layer);
  if (!text) {
    say("vernier: infeasible: " + text.infeasible().reason);
    return ExitCode::kInfeasible;
  }
  write_result(*text, "");
  return ExitCode::kGood;
}

ExitCode explain(const ExplainOptions& options) {
  check_question(options);
  const dataflow::Machine machine =
      dataflow::load_machine(shipped_or_path(options.accelerator, "accelerators"),
                             options.overrides, energy_table_folders(), options.own_tables);
  if (options.asks_for_layer()) return explain_layer_of(options, machine);
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
  CLI::App* verb = app.add_subcommand(
      "explain", "where a number comes from: every price of a machine, or the cost of one layer");
  verb->add_option("--accelerator,-a", options->accelerator, "machine file (YAML)")
      ->required()
      ->check(not_empty());
  verb->add_option("COMPONENT", options->component, "only this component of the machine");
  verb->add_option("ACTION", options->action, "only this action");
  verb->add_option("--model,-m", options->model, "network file (YAML, ONNX, TFLite, topology CSV)")
      ->check(not_empty());
  verb->add_option("--layer,-l", options->layer, "explain the cost of this layer of the model")
      ->check(not_empty());
  verb->add_option("--bits,-b", options->bits.bits, "w=BITS,a=BITS for all weights and activations")
      ->check(not_empty());
  verb->add_option("--precision,-p", options->bits.precision,
                   "precision file (YAML, AIMET JSON), bits per tensor")
      ->check(not_empty());
  verb->add_option("--batch", options->batch, "images per inference");
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
