// Vernier's own model format: a list of layers, with blocks that are written once and used often.
// See docs/model_format.md for the keys.
#pragma once

#include <string>

#include "arch/base/yaml.hpp"
#include "dataflow/graph/layer_graph.hpp"

namespace vernier::dataflow {

/// Reads a model. Throws ConfigError (form, keys, values; all problems of the file at once) or
/// ModelError (names, cycles, shapes).
[[nodiscard]] LayerGraph read_model(const YamlNode& root);
[[nodiscard]] LayerGraph load_model(const std::string& path);

}  // namespace vernier::dataflow
