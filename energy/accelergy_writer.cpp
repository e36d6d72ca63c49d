#include "energy/accelergy_writer.hpp"

#include <fmt/format.h>

#include "arch/base/checked.hpp"

namespace vernier::energy {
namespace {

constexpr std::string_view kVersion = "'0.4'";

std::string instance_path(std::string_view root, const Component& component) {
  return fmt::format("'{}.{}[1..{}]'", root, component.name, component.instances);
}

std::string arguments_text(Action action, int weight_bits, int activation_bits) {
  if (!depends_on_mode(action)) return "{}";
  return fmt::format("{{weight_bits: {}, activation_bits: {}}}", weight_bits, activation_bits);
}

}  // namespace

std::string accelergy_ert(const PriceList& prices, std::string_view root, Hertz clock) {
  std::string out = fmt::format("ERT:\n  version: {}\n  tables:\n", kVersion);
  for (std::size_t at = 0; at < prices.components().size(); ++at) {
    const Component& component = prices.components()[at];
    out += fmt::format("  - name: {}\n    actions:\n", instance_path(root, component));
    for (const PricedAction& action : prices.actions()) {
      if (action.component != at) continue;
      const bool leaks = action.action == Action::kLeak;
      const double energy = leaks ? action.energy.count() / static_cast<double>(component.instances)
                                  : action.energy.count();
      const std::string arguments =
          leaks ? fmt::format("{{global_cycle_seconds: {}}}",
                              1.0 / static_cast<double>(clock.count()))
                : arguments_text(action.action, action.weight_bits, action.activation_bits);
      out += fmt::format("    - {{name: {}, arguments: {}, energy: {}}}\n", to_text(action.action),
                         arguments, energy);
    }
  }
  return out;
}

std::string accelergy_art(const PriceList& prices, std::string_view root) {
  std::string out = fmt::format("ART:\n  version: {}\n  tables:\n", kVersion);
  for (const PricedArea& area : prices.areas()) {
    const Component& component = prices.components()[area.component];
    out += fmt::format("  - {{name: {}, area: {}}}\n", instance_path(root, component),
                       area.area.count() / static_cast<double>(component.instances));
  }
  return out;
}

std::string accelergy_action_counts(const EnergyBreakdown& energy, const PriceList& prices,
                                    std::string_view root) {
  std::string out = fmt::format("action_counts:\n  version: {}\n  local:\n", kVersion);
  for (std::size_t at = 0; at < prices.components().size(); ++at) {
    const Component& component = prices.components()[at];
    Activity sums;  // the tensors of an action become one line
    for (const EnergyEntry& entry : energy.entries()) {
      if (entry.activity.component != at) continue;
      ActivityEntry line = entry.activity;
      line.role = TensorRole::kNone;
      if (line.action == Action::kLeak) line.count = checked_mul(line.count, component.instances);
      sums.add(line);
    }
    if (sums.entries().empty()) continue;
    out += fmt::format("  - name: '{}.{}'\n    action_counts:\n", root, component.name);
    for (const ActivityEntry& line : sums.entries()) {
      out += fmt::format("    - {{name: {}, arguments: {}, counts: {}}}\n", to_text(line.action),
                         arguments_text(line.action, line.weight_bits, line.activation_bits),
                         line.count);
    }
  }
  return out;
}

}  // namespace vernier::energy
