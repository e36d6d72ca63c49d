// Any file that describes a network, by content and name: Vernier's own YAML, TFLite, SCALE-Sim
// topologies. All verbs of the command line read networks through here.
#pragma once

#include <string>

#include "dataflow/graph/import_report.hpp"

namespace vernier::frontends {

/// Reads a network. A TFLite file is known by its identifier, the others by the end of their name;
/// anything else is read as Vernier's YAML, whose report holds the widths that it declares. Throws
/// ConfigError (form), ModelError (contents).
[[nodiscard]] dataflow::ImportedModel load_network_file(const std::string& path);

/// Whether load_network_file reads the file as something else than YAML.
[[nodiscard]] bool is_foreign_network(const std::string& path);

}  // namespace vernier::frontends
