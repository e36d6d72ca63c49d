#include "tests/support/fuzzed_readers.hpp"

#include <string_view>

#include "arch/base/error.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/accelerator.hpp"
#include "frontends/aimet/encodings.hpp"
#include "frontends/diff/result_diff.hpp"
#include "frontends/tflite/tflite_model.hpp"
#include "frontends/topology/topology_model.hpp"

namespace vernier::tests {
namespace {

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_graph(const dataflow::LayerGraph& graph) {
  VERNIER_ASSERT(!graph.layers().empty(), "a network has layers");
  for (const dataflow::Tensor& tensor : graph.tensors()) {
    VERNIER_ASSERT(!tensor.name.empty(), "tensors have names");
    VERNIER_ASSERT(tensor.elements() >= 1 && tensor.elements() <= dataflow::kMaxElements,
                   "tensors have elements within the limits");
    VERNIER_ASSERT(
        tensor.producer || tensor.is_network_input || tensor.kind == dataflow::TensorKind::kWeight,
        "activations come from somewhere");
  }
  (void)dataflow::resolve_precision(graph, {});
  (void)graph.totals();
}

void check_import(const dataflow::ImportedModel& model) {
  check_graph(model.graph);
  VERNIER_ASSERT(!model.report.format.empty(), "a report names the format");
  for (const dataflow::DecidedWidth& width : model.report.widths) {
    VERNIER_ASSERT(!width.rule.empty() && !width.decided_by.empty(), "a width has a reason");
  }
}

void check_widths(const dataflow::PrecisionMap& map) {
  for (const auto& [name, precision] : map.tensors) {
    for (const PrecisionSlice& slice : precision.slices) {
      VERNIER_ASSERT(slice.channels >= 1 && slice.bits <= precision.bits, "slices are sound");
    }
  }
}

}  // namespace

void read_any_model_yaml(Bytes bytes) {
  check_graph(dataflow::read_model(parse_yaml(text_of(bytes), "any.yaml")));
}

void read_any_precision_yaml(Bytes bytes) {
  check_widths(dataflow::read_precision_map(parse_yaml(text_of(bytes), "any.yaml")));
}

void read_any_machine_yaml(Bytes bytes) {
  const dataflow::Accelerator machine =
      dataflow::read_accelerator(parse_yaml(text_of(bytes), "any.yaml"));
  VERNIER_ASSERT(machine.spec().array.rows >= 1 && machine.spec().array.columns >= 1,
                 "an array has processing elements");
}

void read_any_tflite(Bytes bytes) {
  check_import(frontends::tflite::read_tflite(bytes, "any.tflite", "any"));
}

void read_any_topology(Bytes bytes) {
  check_import(frontends::topology::read_topology_model(text_of(bytes), "any.csv", "any"));
}

void read_any_aimet(Bytes bytes) {
  check_widths(frontends::aimet::read_encodings(
                   parse_yaml(text_of(bytes), "any.json", frontends::aimet::encodings_limits()))
                   .map);
}

// A result that is read can be compared and written: with itself nothing differs.
void read_any_result_json(Bytes bytes) {
  const frontends::ResultFile result = frontends::read_result(text_of(bytes), "any.json");
  for (const std::string& measure : frontends::diff_measures()) {
    VERNIER_ASSERT(frontends::compare_results(result, result, measure).is_equal(),
                   "a result equals itself");
  }
  frontends::ResultFile other = result;
  if (!other.layers.empty()) other.layers.pop_back();
  const frontends::ResultDiff diff = frontends::compare_results(result, other);
  VERNIER_ASSERT(diff.removed_layers == result.layers.size() - other.layers.size(),
                 "a layer that is gone is listed");
  (void)frontends::diff_table(diff, result, other);
  (void)frontends::diff_json(diff, result, other);
  (void)frontends::diff_csv(diff);
}

}  // namespace vernier::tests
