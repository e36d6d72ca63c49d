// What a mapping search minimises.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataflow/result/cost.hpp"

namespace vernier::dataflow {

/// Figure of one layer, alone on the machine, that a search makes as small as it can.
enum class SearchObjective : std::uint8_t {
  kCycles,       ///< ties by DRAM bits
  kEnergy,       ///< picojoules, leakage included; ties by cycles
  kEnergyDelay,  ///< picojoules times cycles; ties by cycles
  kDramBits,     ///< ties by cycles
};
inline constexpr int kSearchObjectiveCount = 4;

/// Names in the order of the values: cycles, energy, energy-delay, dram.
[[nodiscard]] const std::vector<std::string>& search_objective_names();
[[nodiscard]] std::string_view to_text(SearchObjective objective);
/// nullopt for an unknown name.
[[nodiscard]] std::optional<SearchObjective> parse_search_objective(std::string_view name);

/// What is compared, the smaller the better.
struct Score {
  double value = 0.0;
  std::int64_t tie = 0;
  friend auto operator<=>(const Score&, const Score&) = default;
};

/// The score of figures. Falls in none of them when another one rises, so that lower bounds of the
/// figures make a lower bound of the score.
[[nodiscard]] Score score_of(SearchObjective objective, Picojoules energy, Cycles cycles,
                             Bits dram_bits);
[[nodiscard]] Score score_of(SearchObjective objective, const CostSummary& cost);

}  // namespace vernier::dataflow
