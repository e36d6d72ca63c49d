#include "frontends/models/precision_file.hpp"

#include <utility>

#include "frontends/aimet/encodings.hpp"

namespace vernier::frontends {

bool is_precision_file(const YamlNode& root) {
  return root.find("tensors") != nullptr || root.find("default") != nullptr ||
         aimet::is_encodings(root);
}

PrecisionFile read_precision_file(const YamlNode& root) {
  if (aimet::is_encodings(root)) {
    aimet::Encodings encodings = aimet::read_encodings(root);
    return {std::move(encodings.map), std::move(encodings.format), std::move(encodings.notes)};
  }
  return {dataflow::read_precision_map(root), "Vernier precision file", {}};
}

PrecisionFile load_precision_file(const std::string& path) {
  return read_precision_file(load_yaml(path, precision_file_limits()));
}

YamlLimits precision_file_limits() { return aimet::encodings_limits(); }

}  // namespace vernier::frontends
