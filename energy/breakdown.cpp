#include "energy/breakdown.hpp"

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

EnergyBreakdown::EnergyBreakdown(const Activity& activity, const PriceList& prices) {
  entries_.reserve(activity.entries().size());
  for (const ActivityEntry& entry : activity.entries()) {
    const Picojoules energy = prices.price(entry) * static_cast<double>(entry.count);
    entries_.push_back({entry, energy});
    total_ += energy;
  }
}

Picojoules EnergyBreakdown::of_component(ComponentIndex component) const {
  return sum_if(entries_, [=](const ActivityEntry& a) { return a.component == component; });
}
Picojoules EnergyBreakdown::of_action(Action action) const {
  return sum_if(entries_, [=](const ActivityEntry& a) { return a.action == action; });
}
Picojoules EnergyBreakdown::of_role(TensorRole role) const {
  return sum_if(entries_, [=](const ActivityEntry& a) { return a.role == role; });
}

}  // namespace vernier::energy
