#include "dataflow/graph/import_report.hpp"

#include <unordered_map>

namespace vernier::dataflow {

PrecisionMap with_assumed_widths(PrecisionMap map, const ImportedModel& model) {
  std::unordered_map<std::string, const Tensor*> tensors;
  for (const Tensor& tensor : model.graph.tensors()) tensors.emplace(tensor.name, &tensor);
  for (const DecidedWidth& width : model.report.widths) {
    const auto entry = tensors.find(width.tensor);
    if (!width.assumed || entry == tensors.end() || entry->second->shows) continue;
    const bool is_weight = entry->second->kind == TensorKind::kWeight;
    const bool has_default = (is_weight ? map.default_weight : map.default_activation).has_value();
    if (!has_default) map.tensors.emplace(width.tensor, width.precision);
  }
  return map;
}

}  // namespace vernier::dataflow
