// The `energy` part of a machine file: which tables price the machine, whose own they are, and the
// map from components to table entries.
#pragma once

#include <string>
#include <vector>

#include "arch/base/fields.hpp"
#include "energy/pricing_rules.hpp"

namespace vernier::dataflow {

/// Which energy tables price the machine, and how.
struct EnergySpec {
  std::vector<std::string> tables;
  std::vector<std::string> own_tables;  ///< the user's: they beat all others
  std::string dram = "LPDDR4";
  energy::PricingRules rules;  ///< own_tables is set when the tables are loaded
};

/// Reads the mapping under `energy`; problems go to the list.
void read_energy_spec(const YamlNode& node, EnergySpec& spec, ProblemList& problems);

/// Keys of `energy` and of one entry of its map.
[[nodiscard]] std::vector<ComponentDescription> describe_energy_format();

}  // namespace vernier::dataflow
