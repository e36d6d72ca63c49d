#include "energy/price_list.hpp"

#include <cmath>

#include <fmt/format.h>

#include "energy/price_finder.hpp"

namespace vernier::energy {
namespace {

constexpr std::size_t kWidths = Bitwidth::kMax + 1;
constexpr std::size_t kMacKinds = 3;  // kMac, kMacIdle, kMacGated

}  // namespace

PriceList::PriceList(std::vector<Component> components,
                     const std::vector<std::unique_ptr<Estimator>>& tables, Hertz clock,
                     Nanometers technology, const PricingRules& rules)
    : components_(std::move(components)), plain_(components_.size() * kActionCount) {
  std::size_t macs = 0;
  for (const Component& component : components_) {
    mac_rank_.push_back(macs);
    if (std::holds_alternative<MacUnit>(component.hardware)) ++macs;
  }
  mac_.resize(macs * kMacKinds * kWidths * kWidths);
  const PriceFinder finder(components_, tables, clock, technology, rules);
  std::vector<std::string> families(components_.size());  // of the main action's table
  for (std::size_t at = 0; at < components_.size(); ++at) {
    const Component& component = components_[at];
    const auto index = static_cast<ComponentIndex>(at);
    const Estimator* main_table = nullptr;
    for (const Action action : actions_of(component.hardware)) {
      const auto* unit = std::get_if<MacUnit>(&component.hardware);
      const bool by_mode = unit != nullptr && depends_on_mode(action);
      const std::size_t modes = by_mode ? unit->modes.size() : 1;
      for (std::size_t mode = 0; mode < modes; ++mode) {
        const MacUnitMode* chosen = by_mode ? &unit->modes[mode] : nullptr;
        FoundPrice found = finder.price(component, action, chosen);
        if (main_table == nullptr) main_table = found.table;
        add_action(index, action, chosen, std::move(found));
      }
    }
    if (main_table != nullptr) families[at] = main_table->family();
    if (main_table != nullptr && std::holds_alternative<DramInterface>(component.hardware)) {
      if (std::optional<FoundPrice> power = finder.standing(component, *main_table)) {
        add_action(index, Action::kLeak, nullptr, *std::move(power));
        standing_.push_back(index);
      }
    }
    FoundArea area = finder.area(component);
    areas_.push_back(
        {index, area.estimate.area, area.table->name(), std::move(area.estimate.source)});
  }
  warn_about_mixed_sources(families);
}

void PriceList::warn_about_mixed_sources(const std::vector<std::string>& families) {
  for (std::size_t mac = 0; mac < components_.size(); ++mac) {
    if (!std::holds_alternative<MacUnit>(components_[mac].hardware)) continue;
    for (std::size_t memory = 0; memory < components_.size(); ++memory) {
      if (!std::holds_alternative<SramBank>(components_[memory].hardware)) continue;
      if (families[mac] == families[memory]) continue;
      warnings_.push_back(
          fmt::format("the MAC unit is priced by figures of '{}', the memory '{}' by figures of "
                      "'{}': published "
                      "tables lie a factor of 2 to 3 apart, so their ratio is no result",
                      families[mac], components_[memory].name, families[memory]));
      return;  // one sentence says it
    }
  }
}

void PriceList::add_action(ComponentIndex index, Action action, const MacUnitMode* mode,
                           FoundPrice&& found) {
  PricedAction priced{.component = index,
                      .action = action,
                      .weight_bits = 0,
                      .activation_bits = 0,
                      .energy = found.estimate.energy,
                      .table = found.table->name(),
                      .source = std::move(found.estimate.source),
                      .terms = std::move(found.estimate.terms)};
  VERNIER_ASSERT(std::isfinite(priced.energy.count()), "a finite price");
  if (mode != nullptr) {
    priced.weight_bits = static_cast<std::uint8_t>(mode->weight.bits());
    priced.activation_bits = static_cast<std::uint8_t>(mode->activation.bits());
  }
  auto& slots = depends_on_mode(action) ? mac_ : plain_;
  slots.at(slot_index(index, action, priced.weight_bits, priced.activation_bits)) = {
      priced.energy.count(), true};
  actions_.push_back(std::move(priced));
}

std::size_t PriceList::slot_index(ComponentIndex component, Action action, std::uint8_t weight,
                                  std::uint8_t activation) const {
  if (!depends_on_mode(action)) {
    return std::size_t{component} * kActionCount + static_cast<std::size_t>(action);
  }
  const auto kind = static_cast<std::size_t>(action) - static_cast<std::size_t>(Action::kMac);
  return ((mac_rank_[component] * kMacKinds + kind) * kWidths + weight) * kWidths + activation;
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
