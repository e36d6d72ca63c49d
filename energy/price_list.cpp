#include "energy/price_list.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vernier::energy {
namespace {

constexpr std::size_t kWidths = Bitwidth::kMax + 1;

// Actions that a component of this kind counts.
std::vector<Action> actions_of(const Hardware& hardware) {
  if (std::holds_alternative<MacUnit>(hardware)) {
    return {Action::kMac, Action::kMacIdle, Action::kZeroPointAdd, Action::kLeak};
  }
  if (std::holds_alternative<SramBank>(hardware)) {
    return {Action::kRead, Action::kWrite, Action::kLeak};
  }
  if (std::holds_alternative<DramInterface>(hardware)) return {Action::kRead, Action::kWrite};
  if (const auto* lane = std::get_if<VectorLane>(&hardware)) {
    std::vector<Action> actions = lane->actions;
    actions.push_back(Action::kLeak);
    return actions;
  }
  return {Action::kRequantize, Action::kLeak};
}

bool depends_on_mode(Action action) { return action == Action::kMac || action == Action::kMacIdle; }

}  // namespace

PriceList::PriceList(std::vector<Component> components,
                     const std::vector<std::unique_ptr<Estimator>>& tables, Hertz clock,
                     Nanometers technology)
    : components_(std::move(components)), plain_(components_.size() * kActionCount) {
  std::size_t macs = 0;
  for (const Component& component : components_) {
    mac_rank_.push_back(macs);
    if (std::holds_alternative<MacUnit>(component.hardware)) ++macs;
  }
  mac_.resize(macs * 2 * kWidths * kWidths);
  std::vector<const Estimator*> ranked;
  for (const auto& table : tables) {
    const Nanometers stated = table->technology().value_or(technology);
    if (stated != technology) {
      throw ConfigError(fmt::format(
          "the energy table '{}' holds figures of {}, the machine is {}; figures are not scaled "
          "between nodes, so name a table of the machine's node",
          table->name(), vernier::to_text(stated), vernier::to_text(technology)));
    }
    ranked.push_back(table.get());
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto* left, const auto* right) {
    return left->accuracy() > right->accuracy();
  });
  for (std::size_t at = 0; at < components_.size(); ++at) {
    const auto index = static_cast<ComponentIndex>(at);
    for (const Action action : actions_of(components_[at].hardware)) {
      const auto* unit = std::get_if<MacUnit>(&components_[at].hardware);
      if (unit != nullptr && depends_on_mode(action)) {
        for (const MacUnitMode& mode : unit->modes) {
          price_action(index, action, &mode, ranked, clock);
        }
      } else {
        price_action(index, action, nullptr, ranked, clock);
      }
    }
    price_area(index, ranked, clock);
  }
}

std::size_t PriceList::slot_index(ComponentIndex component, Action action, std::uint8_t weight,
                                  std::uint8_t activation) const {
  if (!depends_on_mode(action)) {
    return std::size_t{component} * kActionCount + static_cast<std::size_t>(action);
  }
  const std::size_t kind = action == Action::kMac ? 0 : 1;
  return ((mac_rank_[component] * 2 + kind) * kWidths + weight) * kWidths + activation;
}

void PriceList::price_action(ComponentIndex index, Action action, const MacUnitMode* mode,
                             const std::vector<const Estimator*>& tables, Hertz clock) {
  const Component& component = components_[index];
  const ActionQuery query{action, mode, clock};
  std::string reasons;
  for (const Estimator* table : tables) {
    std::optional<Estimate> estimate;
    try {
      estimate = table->energy(component.hardware, query);
    } catch (const NotCovered& reason) {
      reasons += fmt::format("\n  {}", reason.what());
    }
    if (!estimate) continue;
    PricedAction priced{.component = index,
                        .action = action,
                        .weight_bits = 0,
                        .activation_bits = 0,
                        .energy = estimate->energy,
                        .table = table->name(),
                        .source = std::move(estimate->source)};
    if (action == Action::kLeak) {
      priced.energy = priced.energy * static_cast<double>(component.instances);
    }
    if (mode != nullptr) {
      priced.weight_bits = static_cast<std::uint8_t>(mode->weight.bits());
      priced.activation_bits = static_cast<std::uint8_t>(mode->activation.bits());
    }
    auto& slots = depends_on_mode(action) ? mac_ : plain_;
    slots.at(slot_index(index, action, priced.weight_bits, priced.activation_bits)) = {
        priced.energy.count(), true};
    actions_.push_back(std::move(priced));
    return;
  }
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const Estimator* table : tables) names.push_back(table->name());
  throw ConfigError(fmt::format(
      "no energy table has the action '{}' of the component '{}' ({}); tables: {}{}",
      to_text(action), component.name, to_text(component.hardware), name_list(names), reasons));
}

void PriceList::price_area(ComponentIndex index, const std::vector<const Estimator*>& tables,
                           Hertz clock) {
  const Component& component = components_[index];
  for (const Estimator* table : tables) {
    std::optional<AreaEstimate> estimate;
    try {
      estimate = table->area(component.hardware, clock);
    } catch (const NotCovered&) {
      continue;  // the actions have named the reason already when no table covers it
    }
    if (!estimate) continue;
    areas_.push_back({index, estimate->area * static_cast<double>(component.instances),
                      table->name(), std::move(estimate->source)});
    return;
  }
  throw ConfigError(fmt::format("no energy table has the area of the component '{}' ({})",
                                component.name, to_text(component.hardware)));
}

Picojoules PriceList::price(const ActivityEntry& entry) const {
  const auto& slots = depends_on_mode(entry.action) ? mac_ : plain_;
  const Slot& slot =
      slots.at(slot_index(entry.component, entry.action, entry.weight_bits, entry.activation_bits));
  VERNIER_ASSERT(slot.priced, "an action that the machine's component has");
  return Picojoules(slot.picojoules);
}

SquareMicrons PriceList::total_area() const {
  SquareMicrons sum{0.0};
  for (const PricedArea& area : areas_) sum += area.area;
  return sum;
}

}  // namespace vernier::energy
