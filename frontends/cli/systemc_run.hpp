// `vernier run --engine systemc`: the part of the verb that needs SystemC. Builds without it link
// systemc_missing.cpp instead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "arch/base/result.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/mapping/mapping_plan.hpp"
#include "dataflow/result/cost.hpp"
#include "frontends/report/run_report.hpp"

namespace vernier::frontends {

/// Options of the clocked engine; naming one with another engine is an error.
struct SystemcOptions {
  std::string seed;
  std::vector<std::string> tensors;  ///< NAME=FILE.npy
  std::string waveform;
  std::string timeline;
  std::string window;

  /// The first option that was given, empty: none.
  [[nodiscard]] std::string first_given() const;
};

void add_systemc_options(CLI::App& verb, SystemcOptions& options);

[[nodiscard]] bool has_systemc();

struct SystemcRun {
  dataflow::NetworkCost cost;
  DataCheckFigures check;
};

/// Simulates with the given mappings (a loan; nullptr: the heuristic's); throws ConfigError when
/// SystemC is not built in.
[[nodiscard]] Result<SystemcRun> run_systemc(const dataflow::Machine& machine,
                                             const dataflow::LayerGraph& graph,
                                             const dataflow::NetworkPrecision& precision,
                                             bool strict_bits,
                                             const dataflow::MappingPlan* mappings,
                                             const SystemcOptions& options);

}  // namespace vernier::frontends
