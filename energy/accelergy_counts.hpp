// Accelergy's action counts: what each component did, as list of paths or as a tree of subtree and
// local (versions 0.2 to 0.4). With an energy table of the same components they give an energy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "energy/estimator.hpp"

namespace vernier::energy {

/// One line of a counts file.
struct CountedAction {
  std::string component;  ///< full path
  std::string action;
  Arguments arguments;
  std::int64_t count = 0;
};

/// Reads a file with the key action_counts. Throws ConfigError with all problems.
[[nodiscard]] std::vector<CountedAction> read_action_counts(const YamlNode& root);

/// Sum over all lines of count times the table's energy. Throws ConfigError that names component
/// and action when the table lacks one.
[[nodiscard]] Picojoules price_of_counts(const std::vector<CountedAction>& counts,
                                         const Estimator& table, Hertz clock);

}  // namespace vernier::energy
