// Networks from ONNX files: float, QONNX, QDQ and QCDQ, QLinear operators, integerized graphs. What
// was folded, left out and assumed, and who stated each width, is in the report. See docs/onnx.md.
#pragma once

#include <string>
#include <string_view>

#include "dataflow/graph/import_report.hpp"

namespace vernier::frontends {

/// Reads an ONNX file. Weight payloads are not needed: neither the bytes of large tensors nor files
/// with external data are touched. Widths that the file states are declared in the graph; those
/// that are assumed are in the report only, so that the user's defaults apply to them.
/// Throws ConfigError when the file cannot be read, ModelError with all problems of its content.
[[nodiscard]] dataflow::ImportedModel load_onnx(const std::string& path);

/// As load_onnx for bytes in memory; `file` is the name for messages.
[[nodiscard]] dataflow::ImportedModel read_onnx(std::string_view bytes, const std::string& file);

}  // namespace vernier::frontends
