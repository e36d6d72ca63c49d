// The widths that an importer assumed, against those that the user gives.
#include "dataflow/graph/import_report.hpp"

#include <catch2/catch.hpp>

namespace vernier::dataflow {
namespace {

const Precision kFloat32{Bitwidth(32), NumberKind::kFloat, false, {}};

ImportedModel model() {
  LayerSpec layer;
  layer.name = "fc";
  layer.op = Dense{4, false, false};
  layer.inputs = {"x"};
  layer.weight_precision = Precision{Bitwidth(3), NumberKind::kInt, false, {}};
  ImportReport report;
  report.widths = {{"x", kFloat32, "x", "float, assumed 32", true},
                   {"fc.weight", *layer.weight_precision, "q", "QONNX Quant bit width", false},
                   {"fc", kFloat32, "fc", "float, assumed 32", true}};
  InputSpec input;
  input.name = "x";
  input.shape = {8, 1, 1};
  return {LayerGraph("net", {input}, {layer}), report};
}

TEST_CASE("Without a user's default the assumed widths hold", "[dataflow][graph]") {
  const ImportedModel imported = model();
  const auto widths = resolve_precision(imported.graph, with_assumed_widths({}, imported)).tensors;
  CHECK(widths[0] == kFloat32);
  CHECK(widths[1].bits.bits() == 3);
  CHECK(widths[2] == kFloat32);
}

TEST_CASE("A user's default or entry replaces an assumed width", "[dataflow][graph]") {
  const ImportedModel imported = model();
  PrecisionMap map;
  map.default_activation = Precision{Bitwidth(8), NumberKind::kUint, false, {}};
  map.tensors.emplace("fc", Precision{Bitwidth(16), NumberKind::kInt, false, {}});
  const auto widths = resolve_precision(imported.graph, with_assumed_widths(map, imported)).tensors;
  CHECK(widths[0].bits.bits() == 8);
  CHECK(widths[1].bits.bits() == 3);
  CHECK(widths[2].bits.bits() == 16);
}

}  // namespace
}  // namespace vernier::dataflow
