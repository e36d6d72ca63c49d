// Any file that states widths of tensors beside a network: Vernier's own YAML, AIMET encodings.
#pragma once

#include <string>
#include <vector>

#include "arch/base/yaml.hpp"
#include "dataflow/graph/precision_map.hpp"

namespace vernier::frontends {

struct PrecisionFile {
  dataflow::PrecisionMap map;
  std::string format;              ///< "Vernier precision file", "AIMET encodings 1.0.0"
  std::vector<std::string> notes;  ///< what the reader assumed
};

/// Whether the keys at the root are those of a precision file that can be read.
[[nodiscard]] bool is_precision_file(const YamlNode& root);

/// Reads widths in any known form, told by the keys at the root. Throws ConfigError.
[[nodiscard]] PrecisionFile read_precision_file(const YamlNode& root);
[[nodiscard]] PrecisionFile load_precision_file(const std::string& path);

/// Limits of what is read of such a file.
[[nodiscard]] YamlLimits precision_file_limits();

}  // namespace vernier::frontends
