#include "energy/breakdown.hpp"

#include <algorithm>

namespace vernier::energy {
namespace {

template <typename Matches>
Picojoules sum_if(const std::vector<EnergyEntry>& entries, Matches matches) {
  Picojoules sum{0.0};
  for (const EnergyEntry& entry : entries) {
    if (matches(entry.activity)) sum += entry.energy;
  }
  return sum;
}

}  // namespace

EnergyState state_of(Action action) {
  if (action == Action::kLeak) return EnergyState::kStanding;
  return action == Action::kMacIdle ? EnergyState::kIdle : EnergyState::kActive;
}

std::string_view to_text(EnergyState state) {
  switch (state) {
    case EnergyState::kActive: return "active";
    case EnergyState::kIdle: return "idle";
    case EnergyState::kStanding: return "standing";
  }
  return "unknown";
}

EnergyBreakdown::EnergyBreakdown(const Activity& activity, const PriceList& prices) {
  entries_.reserve(activity.entries().size());
  const auto add = [&](const ActivityEntry& entry) {
    const Picojoules energy = prices.price(entry) * static_cast<double>(entry.count);
    entries_.push_back({entry, energy});
    total_ += energy;
  };
  std::int64_t cycles = 0;  // that all components leak together
  for (const ActivityEntry& entry : activity.entries()) {
    add(entry);
    if (entry.action == Action::kLeak) cycles = std::max(cycles, entry.count);
  }
  for (const ComponentIndex component : prices.standing()) {
    if (cycles == 0 || activity.count(component, Action::kLeak) > 0) continue;
    add({.component = component, .action = Action::kLeak, .count = cycles});
  }
}

Picojoules EnergyBreakdown::of_component(ComponentIndex component) const {
  return sum_if(entries_, [=](const ActivityEntry& a) { return a.component == component; });
}
Picojoules EnergyBreakdown::of_action(Action action) const {
  return sum_if(entries_, [=](const ActivityEntry& a) { return a.action == action; });
}
Picojoules EnergyBreakdown::of_state(EnergyState state) const {
  return sum_if(entries_, [=](const ActivityEntry& a) { return state_of(a.action) == state; });
}
Picojoules EnergyBreakdown::of_role(TensorRole role) const {
  return sum_if(entries_, [=](const ActivityEntry& a) { return a.role == role; });
}

}  // namespace vernier::energy
