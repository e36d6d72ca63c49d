// `--mapping`, `--objective` and `--mapping-output` of `vernier run`: who chooses how layers lie on
// the machine, and where the choice is written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/mapping/mapping_plan.hpp"
#include "dataflow/result/cost.hpp"

namespace vernier::frontends {

struct MappingOptions {
  std::string mapping = "heuristic";  ///< heuristic, exhaustive, or a file
  std::string objective;              ///< empty: cycles
  std::string output;                 ///< file; empty: none
};

void add_mapping_options(CLI::App& verb, MappingOptions& options);

/// Throws ConfigError when the options contradict each other or name nothing.
void check_mapping_options(const MappingOptions& options);

/// The network as the engine will see it.
struct MappedNetwork {
  const dataflow::Machine& machine;
  const dataflow::LayerGraph& graph;
  const dataflow::NetworkPrecision& precision;
  /// Names of layers that a mapping file may hold although the graph does not (--layer).
  std::vector<std::string> other_layers;
  bool strict_bits = false;
  int jobs = 1;
};

/// What was chosen before the engine runs.
struct ChosenMappings {
  std::optional<dataflow::MappingPlan> plan;  ///< nullopt: the heuristic for every layer
  std::vector<std::string> assumptions;
};

/// Searches, reads, or leaves it to the heuristic. Throws ConfigError for a wrong file.
[[nodiscard]] Result<ChosenMappings> choose_mappings(const MappingOptions& options,
                                                     const MappedNetwork& network);

/// Writes how every layer lay on the machine, as a file that --mapping reads.
void write_mapping_file(const std::string& path, const dataflow::LayerGraph& graph,
                        const dataflow::NetworkCost& cost);

}  // namespace vernier::frontends
