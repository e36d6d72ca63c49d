// Energy of an Activity: counts times prices, kept per action so that it can be summed by
// component, by action or by tensor, with the same total each way.
#pragma once

#include <string_view>
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

/// What a component did when it spent the energy, derived from the counted actions.
enum class EnergyState : std::uint8_t {
  kActive,    ///< real work
  kIdle,      ///< product slots of a mapped PE that hold padding
  kStanding,  ///< leakage, and background and refresh of a DRAM, over the time
};
inline constexpr int kEnergyStateCount = 3;
[[nodiscard]] EnergyState state_of(Action action);
[[nodiscard]] std::string_view to_text(EnergyState state);

/// Energy by component, action and tensor. Sums run in entry order, so they are deterministic.
class EnergyBreakdown {
 public:
  EnergyBreakdown() = default;
  /// Prices every entry. A DRAM with background power gets an entry of its own, over the cycles
  /// that the other components leak.
  EnergyBreakdown(const Activity& activity, const PriceList& prices);

  [[nodiscard]] const std::vector<EnergyEntry>& entries() const { return entries_; }
  [[nodiscard]] Picojoules total() const { return total_; }
  [[nodiscard]] Picojoules of_component(ComponentIndex component) const;
  [[nodiscard]] Picojoules of_action(Action action) const;
  [[nodiscard]] Picojoules of_role(TensorRole role) const;
  [[nodiscard]] Picojoules of_state(EnergyState state) const;

 private:
  std::vector<EnergyEntry> entries_;
  Picojoules total_{0.0};
};

}  // namespace vernier::energy
