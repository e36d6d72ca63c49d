#include "frontends/models/network_file.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "dataflow/graph/model_yaml.hpp"
#include "frontends/onnx/onnx_model.hpp"
#include "frontends/tflite/tflite_model.hpp"
#include "frontends/topology/topology_model.hpp"

namespace vernier::frontends {
namespace {

// A format that is known by the end of the file's name.
struct FileKind {
  std::string_view extension;
  dataflow::ImportedModel (*load)(const std::string& path);
};

constexpr auto kFileKinds = std::to_array<FileKind>({
    {".csv", topology::load_topology_model},
    {".onnx", load_onnx},
    {".tflite", tflite::load_tflite},
});

const FileKind* kind_of(const std::string& path) {
  static constexpr FileKind kTflite{"TFLite", tflite::load_tflite};
  if (tflite::is_tflite(path)) return &kTflite;
  const auto* kind =
      std::find_if(kFileKinds.begin(), kFileKinds.end(),
                   [&](const FileKind& candidate) { return path.ends_with(candidate.extension); });
  return kind == kFileKinds.end() ? nullptr : kind;
}

dataflow::ImportedModel load_own_yaml(const std::string& path) {
  dataflow::ImportedModel model{dataflow::load_model(path), {}};
  model.report.format = "Vernier model (YAML)";
  for (const dataflow::Tensor& tensor : model.graph.tensors()) {
    if (!tensor.declared) continue;
    model.report.widths.push_back(
        {tensor.name, *tensor.declared, path, "declared in the model file", false});
  }
  return model;
}

}  // namespace

bool is_foreign_network(const std::string& path) { return kind_of(path) != nullptr; }

dataflow::ImportedModel load_network_file(const std::string& path) {
  const FileKind* kind = kind_of(path);
  return kind == nullptr ? load_own_yaml(path) : kind->load(path);
}

}  // namespace vernier::frontends
