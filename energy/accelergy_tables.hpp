// Accelergy's output files as an energy table: ERT, ART, ERT_summary and ART_summary, versions 0.2
// to 0.4, in the list layout (tables: [{name, actions}]) and in the older map layout (tables:
// {name: {action: energy}}). A component may be named by its full path or by its last element
// without the instance range, if only one component has it. Energies are pJ per action and
// instance, areas um2.
#pragma once

#include <memory>
#include <string>

#include "energy/estimator.hpp"

namespace vernier::energy {

/// Whether the first keys of a file say that it is one of Accelergy's tables.
[[nodiscard]] bool is_accelergy_table(const YamlNode& root);

/// Reads the file as a table whose entries are its components; the table's name is that of the
/// file. Throws ConfigError with all problems.
[[nodiscard]] std::unique_ptr<Estimator> make_accelergy_tables(const YamlNode& root);

/// "chip.glb[1..32]" -> "glb".
[[nodiscard]] std::string last_component(std::string_view path);

/// Name of a table from its file: "configs/energy/x.ERT.yaml" -> "x.ERT".
[[nodiscard]] std::string table_name_of(const std::string& file);

}  // namespace vernier::energy
