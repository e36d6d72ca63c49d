// Prices, areas and counts in Accelergy's file formats (version 0.4, list form), so that
// Accelergy's energy calculator can price our counts and other tools can read our tables.
// Components are named <root>.<component>[1..instances]; a MAC action carries its widths as
// arguments; leakage is per cycle and instance.
#pragma once

#include <string>
#include <string_view>

#include "arch/base/activity.hpp"
#include "energy/breakdown.hpp"
#include "energy/price_list.hpp"

namespace vernier::energy {

/// Energy reference table: pJ per action and instance.
[[nodiscard]] std::string accelergy_ert(const PriceList& prices, std::string_view root,
                                        Hertz clock);
/// Area reference table: um2 per instance.
[[nodiscard]] std::string accelergy_art(const PriceList& prices, std::string_view root);
/// Action counts of a priced activity; the tensors of an action are added up. Leakage counts are
/// cycles times instances.
[[nodiscard]] std::string accelergy_action_counts(const EnergyBreakdown& energy,
                                                  const PriceList& prices, std::string_view root);

}  // namespace vernier::energy
