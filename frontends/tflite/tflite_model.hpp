// TFLite files (flatbuffers, schema version 3) as networks: int8, uint8, int16, int4 and float
// tensors, per-tensor and per-axis quantization. Weight payloads are never read, only small integer
// constants such as paddings and axes. Operators run in the order of the file; the first subgraph
// is the network.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataflow/graph/import_report.hpp"

namespace vernier::frontends::tflite {

/// Reads the bytes of a file; `file` is its name in messages, `name` that of the network. A layer
/// has the name of its output tensor (the first of several that the converter joined with ';').
/// Throws ConfigError when the bytes are no TFLite file, ModelError with operator and index when
/// something in it cannot be expressed.
[[nodiscard]] dataflow::ImportedModel read_tflite(std::span<const std::uint8_t> bytes,
                                                  const std::string& file, const std::string& name);

/// Reads a TFLite file; the network has the file's name. Throws ConfigError when it cannot be read.
[[nodiscard]] dataflow::ImportedModel load_tflite(const std::string& path);

/// Whether a regular file begins as TFLite files do.
[[nodiscard]] bool is_tflite(const std::string& path);

}  // namespace vernier::frontends::tflite
