// Energy of an Activity: counts times prices, kept per action so that it can be summed by
// component, by action or by tensor, with the same total each way.
#pragma once

#include <vector>

#include "arch/base/activity.hpp"
#include "arch/base/units.hpp"
#include "energy/price_list.hpp"

namespace vernier::energy {

/// Energy of one Activity entry.
struct EnergyEntry {
  ActivityEntry activity;
  Picojoules energy{0.0};
};

/// Energy by component, action and tensor. Sums run in entry order, so they are deterministic.
class EnergyBreakdown {
 public:
  EnergyBreakdown() = default;
  /// Prices every entry.
  EnergyBreakdown(const Activity& activity, const PriceList& prices);

  [[nodiscard]] const std::vector<EnergyEntry>& entries() const { return entries_; }
  [[nodiscard]] Picojoules total() const { return total_; }
  [[nodiscard]] Picojoules of_component(ComponentIndex component) const;
  [[nodiscard]] Picojoules of_action(Action action) const;
  [[nodiscard]] Picojoules of_role(TensorRole role) const;

 private:
  std::vector<EnergyEntry> entries_;
  Picojoules total_{0.0};
};

}  // namespace vernier::energy
