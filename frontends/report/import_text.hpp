// An import report for a person: what `vernier check` prints of a network, and one line for tables.
#pragma once

#include <string>

#include "dataflow/graph/import_report.hpp"

namespace vernier::frontends {

/// The whole report, indented lines: format, defaults, skipped nodes with reasons, and each width
/// with what decided it.
[[nodiscard]] std::string import_text(const dataflow::ImportReport& report);

/// "TFLite (version 3): 1 default(s), 2 node(s) skipped or folded, 20 width(s), 3 of them assumed";
/// empty when the file left nothing to decide.
[[nodiscard]] std::string import_summary(const dataflow::ImportReport& report);

}  // namespace vernier::frontends
