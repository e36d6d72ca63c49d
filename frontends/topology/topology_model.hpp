// A SCALE-Sim topology (CSV) as a network: every row a layer, convolutions without padding or
// matrix products. The file states neither wiring nor widths: a row reads the output of the row
// before it where the sizes are equal, and otherwise an input of its own, which the report names.
#pragma once

#include <string>
#include <string_view>

#include "dataflow/graph/import_report.hpp"

namespace vernier::frontends::topology {

/// Reads the text of a topology; `file` is its name in messages, `name` that of the network.
/// Header and columns tell convolutions from matrix products, and the report says which it was.
/// Throws ConfigError (form, with line and column) or ModelError (a window beyond its input).
[[nodiscard]] dataflow::ImportedModel read_topology_model(std::string_view text,
                                                          const std::string& file,
                                                          const std::string& name);

/// Reads a topology file; the network has the file's name.
[[nodiscard]] dataflow::ImportedModel load_topology_model(const std::string& path);

}  // namespace vernier::frontends::topology
