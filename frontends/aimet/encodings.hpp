// AIMET encodings (JSON beside a model: bit width, scale and offset of each tensor) as widths.
// Versions 0.4 to 0.6 (a list of encodings per tensor name), 1.0 (lists of named encodings)
// and 2.0, 2.1 (the form of ONNX QuantizeLinear); the forms are facts of qualcomm/aimet, commit
// 38dc8929, Docs/techniques/encoding_spec.rst. JSON is read by the strict YAML reader, so that
// messages have line and key path.
#pragma once

#include <string>
#include <vector>

#include "arch/base/yaml.hpp"
#include "dataflow/graph/precision_map.hpp"

namespace vernier::frontends::aimet {

/// Widths of the named tensors; scales themselves cost nothing and are not kept.
struct Encodings {
  dataflow::PrecisionMap map;
  std::string format;              ///< "AIMET encodings 0.6.1"
  std::vector<std::string> notes;  ///< what was assumed
};

/// Whether the keys at the root are those of an encodings file.
[[nodiscard]] bool is_encodings(const YamlNode& root);

/// Reads encodings. Throws ConfigError with line and key path, all problems at once.
[[nodiscard]] Encodings read_encodings(const YamlNode& root);

/// Most bytes of an encodings file; per-channel lists of old versions are long.
[[nodiscard]] YamlLimits encodings_limits();

}  // namespace vernier::frontends::aimet
