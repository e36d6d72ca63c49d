#include "dataflow/search/objective.hpp"

#include <algorithm>

namespace vernier::dataflow {

const std::vector<std::string>& search_objective_names() {
  static const std::vector<std::string> names{"cycles", "energy", "energy-delay", "dram"};
  return names;
}

std::string_view to_text(SearchObjective objective) {
  return search_objective_names()[static_cast<std::size_t>(objective)];
}

std::optional<SearchObjective> parse_search_objective(std::string_view name) {
  const std::vector<std::string>& names = search_objective_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<SearchObjective>(found - names.begin());
}

Score score_of(SearchObjective objective, Picojoules energy, Cycles cycles, Bits dram_bits) {
  const auto time = static_cast<double>(cycles.count());
  switch (objective) {
    case SearchObjective::kCycles: return {time, dram_bits.count()};
    case SearchObjective::kEnergy: return {energy.count(), cycles.count()};
    case SearchObjective::kEnergyDelay: return {energy.count() * time, cycles.count()};
    case SearchObjective::kDramBits:
      return {static_cast<double>(dram_bits.count()), cycles.count()};
  }
  return {};
}

Score score_of(SearchObjective objective, const CostSummary& cost) {
  return score_of(objective, cost.energy.total(), cost.cycles.total(), cost.dram.total());
}

}  // namespace vernier::dataflow
