#include "energy/price_finder.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace vernier::energy {
namespace {

std::vector<const Estimator*> rank(const std::vector<std::unique_ptr<Estimator>>& tables,
                                   std::size_t own) {
  std::vector<const Estimator*> ranked;
  ranked.reserve(tables.size());
  for (const auto& table : tables) ranked.push_back(table.get());
  const auto first = ranked.begin() + static_cast<std::ptrdiff_t>(std::min(own, ranked.size()));
  std::stable_sort(first, ranked.end(), [](const auto* left, const auto* right) {
    return left->accuracy() > right->accuracy();
  });
  return ranked;
}

std::vector<std::string> action_names(const Hardware& hardware) {
  std::vector<std::string> names;
  for (const Action action : actions_of(hardware)) names.emplace_back(to_text(action));
  return names;
}

std::vector<std::string> names_of(const std::vector<const Estimator*>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const Estimator* table : tables) names.push_back(table->name());
  return names;
}

// The entry with the attributes that the machine adds by itself: the widths of a MAC unit.
EntryUse entry_of(const ComponentUse& use, const Component& component) {
  EntryUse entry{use.entry, use.attributes};
  if (const auto* unit = std::get_if<MacUnit>(&component.hardware)) {
    entry.attributes.emplace("accumulator_bits", static_cast<double>(unit->accumulator_bits));
    entry.attributes.emplace("weight_bits", static_cast<double>(unit->widest_weight.bits()));
    entry.attributes.emplace("activation_bits",
                             static_cast<double>(unit->widest_activation.bits()));
  }
  return entry;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Bits that one action of a component moves, for memories.
double bits_per_action(const Hardware& hardware) {
  if (const auto* bank = std::get_if<SramBank>(&hardware)) {
    return static_cast<double>(bank->word.count());
  }
  return 1.0;  // DRAM counts bits
}

}  // namespace

PriceFinder::PriceFinder(const std::vector<Component>& components,
                         const std::vector<std::unique_ptr<Estimator>>& tables, Hertz clock,
                         Nanometers technology, const PricingRules& rules)
    : components_(components),
      tables_(tables),
      clock_(clock),
      technology_(technology),
      rules_(rules),
      ranked_(rank(tables, rules.own_tables)),
      primitives_(ranked_) {
  for (const auto& table : tables_) {
    const Nanometers stated = table->technology().value_or(technology_);
    if (stated == technology_ || rules_.scaling == NodeScaling::kCapacitance) continue;
    throw ConfigError(
        fmt::format("the energy table '{}' holds figures of {}, the machine is {}; figures are not "
                    "scaled between nodes, so name a table of the machine's node, or say "
                    "'scaling: capacitance' under energy",
                    table->name(), vernier::to_text(stated), vernier::to_text(technology_)));
  }
  check_map();
}

double PriceFinder::node_ratio(const Estimator& table) const {
  return technology_ / table.technology().value_or(technology_);
}

const ComponentUse* PriceFinder::use_of(const Component& component) const {
  const auto found =
      std::find_if(rules_.map.begin(), rules_.map.end(),
                   [&](const ComponentUse& use) { return use.component == component.name; });
  return found == rules_.map.end() ? nullptr : &*found;
}

const Estimator& PriceFinder::table_named(const ComponentUse& use) const {
  const auto found = std::find_if(tables_.begin(), tables_.end(),
                                  [&](const auto& table) { return table->name() == use.table; });
  if (found == tables_.end()) {
    const std::vector<std::string> names = names_of(ranked_);
    throw ConfigError(
        fmt::format("{}: energy.map.{}.table: there is no table '{}' among the "
                    "machine's tables {}{}",
                    use.place.text(), use.component, shown(use.table), name_list(names),
                    suggestion(use.table, names)));
  }
  return **found;
}

void PriceFinder::check_map() const {
  std::vector<std::string> components;
  components.reserve(components_.size());
  for (const Component& component : components_) components.push_back(component.name);
  for (const ComponentUse& use : rules_.map) {
    const auto component =
        std::find_if(components_.begin(), components_.end(),
                     [&](const Component& entry) { return entry.name == use.component; });
    if (component == components_.end()) {
      throw ConfigError(
          fmt::format("{}: energy.map.{}: the machine has no such component; it has "
                      "{}{}",
                      use.place.text(), shown(use.component), name_list(components),
                      suggestion(use.component, components)));
    }
    const Estimator& table = table_named(use);
    const std::vector<std::string>& entries = table.entries();
    if (!contains(entries, use.entry)) {
      throw ConfigError(
          fmt::format("{}: energy.map.{}.entry: the table '{}' has no entry '{}'; it "
                      "has {}{}",
                      use.place.text(), use.component, table.name(), shown(use.entry),
                      name_list(entries), suggestion(use.entry, entries)));
    }
    const std::vector<std::string> ours = action_names(component->hardware);
    for (const ActionUse& action : use.actions) {
      if (contains(ours, action.action)) continue;
      throw ConfigError(
          fmt::format("{}: energy.map.{}.actions.{}: '{}' has no such action; it has "
                      "{}{}",
                      use.place.text(), use.component, shown(action.action), use.component,
                      name_list(ours), suggestion(action.action, ours)));
    }
  }
}

std::optional<Estimate> PriceFinder::from_entry(const Estimator& table, const ComponentUse& use,
                                                const ActionUse& action, const Component& component,
                                                const ActionQuery& query) const {
  if (action.is_free) {
    return Estimate::of(
        {{"free", Picojoules(0.0), "0: stated free in the machine's map", use.place.text()}});
  }
  EntryAction wanted{action.name, action.arguments, query.mac, query.clock};
  if (query.mac != nullptr) {
    wanted.arguments.emplace("weight_bits", query.mac->weight.bits());
    wanted.arguments.emplace("activation_bits", query.mac->activation.bits());
  }
  const EntryUse entry = entry_of(use, component);
  std::optional<Estimate> estimate = table.entry_energy(entry, wanted, primitives_);
  if (!estimate) return std::nullopt;
  if (action.scale != 1.0) estimate->scale(action.scale, "map");
  const bool moves = query.action == Action::kRead || query.action == Action::kWrite;
  if (use.width && moves) {
    const double share =
        bits_per_action(component.hardware) / static_cast<double>(use.width->count());
    if (share != 1.0) estimate->scale(share, "bits moved / bits of an access");
  }
  return estimate;
}

FoundPrice PriceFinder::mapped(const ComponentUse& use, const Component& component,
                               const ActionQuery& query) const {
  const Estimator& table = table_named(use);
  const std::string ours(to_text(query.action));
  ActionUse action;
  action.action = action.name = ours;
  for (const ActionUse& stated : use.actions) {
    if (stated.action == ours) action = stated;
  }
  std::string reason;
  try {
    if (std::optional<Estimate> estimate = from_entry(table, use, action, component, query)) {
      FoundPrice found{*std::move(estimate), &table};
      const double entries = static_cast<double>(use.instances.value_or(component.instances));
      if (query.action == Action::kLeak && entries != 1.0) {
        found.estimate.scale(entries, "instances");
      }
      return found;
    }
  } catch (const NotCovered& error) {
    reason = fmt::format("\n  {}", error.what());
  }
  std::vector<std::string> theirs;
  try {
    theirs = table.entry_actions({use.entry, use.attributes});
  } catch (const NotCovered& error) {
    reason += fmt::format("\n  {}", error.what());
  }
  throw ConfigError(fmt::format(
      "{}: energy.map.{}: the action '{}' is not mapped to one that the entry has; '{}' counts {}; "
      "the entry '{}' of the table '{}' has {}; name one under actions, or say '{}: free' when it "
      "costs nothing{}",
      use.place.text(), use.component, ours, use.component,
      name_list(action_names(component.hardware)), use.entry, table.name(), name_list(theirs), ours,
      reason));
}

std::optional<FoundPrice> PriceFinder::ask(const Estimator& table, const Component& component,
                                           const ActionQuery& query, std::string& reasons) const {
  try {
    if (std::optional<Estimate> estimate = table.energy(component.hardware, query)) {
      FoundPrice found{*std::move(estimate), &table};
      if (query.action == Action::kLeak && component.instances != 1) {
        found.estimate.scale(static_cast<double>(component.instances), "instances");
      }
      return found;
    }
    // A table of named components speaks for a component of that very name.
    const std::vector<std::string>& entries = table.entries();
    if (!contains(entries, component.name)) return std::nullopt;
    ComponentUse use;
    use.component = use.entry = component.name;
    use.table = table.name();
    ActionUse action;
    action.action = action.name = std::string(to_text(query.action));
    std::optional<Estimate> estimate = from_entry(table, use, action, component, query);
    if (!estimate) return std::nullopt;
    FoundPrice found{*std::move(estimate), &table};
    if (query.action == Action::kLeak && component.instances != 1) {
      found.estimate.scale(static_cast<double>(component.instances), "instances");
    }
    return found;
  } catch (const NotCovered& reason) {
    reasons += fmt::format("\n  {}", reason.what());
    return std::nullopt;
  }
}

void PriceFinder::finish(FoundPrice& found, const Component& component, Action action) const {
  const double ratio = node_ratio(*found.table);
  if (ratio != 1.0 && !std::holds_alternative<DramInterface>(component.hardware)) {
    found.estimate.scale(
        ratio, fmt::format("{} / {}", vernier::to_text(technology_),
                           vernier::to_text(found.table->technology().value_or(technology_))));
  }
  if (action != Action::kMacIdle) return;
  if (rules_.idle_slots == IdleSlots::kGated) {
    found.estimate.scale(0.0, "idle slots are gated");
  }
}

FoundPrice PriceFinder::price(const Component& component, Action action,
                              const MacUnitMode* mode) const {
  const bool as_real = action == Action::kMacIdle && rules_.idle_slots == IdleSlots::kActive;
  const ActionQuery query{as_real ? Action::kMac : action, mode, clock_};
  std::string reasons;
  const ComponentUse* use = use_of(component);
  if (use != nullptr && std::any_of(use->actions.begin(), use->actions.end(), [&](const auto& a) {
        return a.from_tables && a.action == to_text(action);
      })) {
    use = nullptr;
  }
  for (std::size_t at = 0; at < ranked_.size(); ++at) {
    if (at == rules_.own_tables && use != nullptr) break;
    if (std::optional<FoundPrice> found = ask(*ranked_[at], component, query, reasons)) {
      finish(*found, component, action);
      return *std::move(found);
    }
  }
  if (use != nullptr) {
    FoundPrice found = mapped(*use, component, query);
    finish(found, component, action);
    return found;
  }
  throw ConfigError(
      fmt::format("no energy table has the action '{}' of the component '{}' ({}); tables: {}{}{}",
                  to_text(action), component.name, to_text(component.hardware),
                  name_list(names_of(ranked_)), reasons, both_sides()));
}

std::string PriceFinder::both_sides() const {
  std::string text;
  for (const Estimator* table : ranked_) {
    const std::vector<std::string>& entries = table->entries();
    if (entries.empty()) continue;
    text += fmt::format("\n  entries of the table '{}' that energy.map may name: {}", table->name(),
                        name_list(entries));
  }
  if (text.empty()) return text;
  for (const Component& component : components_) {
    text += fmt::format("\n  component '{}' counts {}{}", component.name,
                        name_list(action_names(component.hardware)),
                        use_of(component) != nullptr ? " (mapped)" : "");
  }
  return text;
}

std::optional<FoundPrice> PriceFinder::standing(const Component& component,
                                                const Estimator& table) const {
  if (use_of(component) != nullptr) return std::nullopt;
  std::string reasons;
  return ask(table, component, {Action::kLeak, nullptr, clock_}, reasons);
}

FoundArea PriceFinder::area(const Component& component) const {
  const ComponentUse* use = use_of(component);
  const auto finished = [&](AreaEstimate estimate, const Estimator& table, std::int64_t instances) {
    const double ratio = node_ratio(table);
    estimate.area = estimate.area * (static_cast<double>(instances) * ratio * ratio);
    return FoundArea{std::move(estimate), &table};
  };
  for (std::size_t at = 0; at < ranked_.size(); ++at) {
    const Estimator& table = *ranked_[at];
    try {
      if (at == rules_.own_tables && use != nullptr) break;
      std::optional<AreaEstimate> found = table.area(component.hardware, clock_);
      if (!found && contains(table.entries(), component.name)) {
        found = table.entry_area({component.name, {}}, clock_, primitives_);
      }
      if (found) return finished(*std::move(found), table, component.instances);
    } catch (const NotCovered&) {
      continue;  // the actions have named the reason already when no table covers it
    }
  }
  if (use != nullptr) {
    const Estimator& table = table_named(*use);
    const std::int64_t entries = use->instances.value_or(component.instances);
    try {
      const EntryUse entry = entry_of(*use, component);
      if (auto found = table.entry_area(entry, clock_, primitives_)) {
        return finished(*std::move(found), table, entries);
      }
      // An ERT holds no areas; the ART of the same components is a table of its own.
      for (const Estimator* other : ranked_) {
        if (!contains(other->entries(), use->entry)) continue;
        if (auto found = other->entry_area(entry, clock_, primitives_)) {
          return finished(*std::move(found), *other, entries);
        }
      }
    } catch (const NotCovered& reason) {
      throw ConfigError(fmt::format("{}: energy.map.{}: the area: {}", use->place.text(),
                                    use->component, reason.what()));
    }
  }
  throw ConfigError(fmt::format("no energy table has the area of the component '{}' ({})",
                                component.name, to_text(component.hardware)));
}

}  // namespace vernier::energy
