// What a person reads about activations that stay on chip.
#include <array>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "dataflow/evaluate/evaluator.hpp"
#include "frontends/report/run_report.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::frontends {
namespace {

using Catch::Contains;

// in -> a -> b -> out; a and b take 128 bytes each (32 pixels of one word), room for both or none.
struct Example {
  dataflow::Machine machine;
  dataflow::LayerGraph graph;
  dataflow::NetworkPrecision precision;
  dataflow::NetworkCost cost;
};

Example example(std::int64_t resident_bytes) {
  dataflow::AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  memory::BufferSpec& io = spec.buffers[0];
  io.name = "io";
  io.serves = {TensorRole::kInput, TensorRole::kOutput};
  io.banks = 16;
  io.capacity = Bytes(16 * 128);
  io.resident_bytes = Bytes(resident_bytes);
  io.buffering = memory::Buffering::kSingle;
  spec.buffers.pop_back();
  std::vector<dataflow::LayerSpec> layers(3);
  const std::array<const char*, 4> names{"in", "a", "b", "out"};
  for (std::size_t at = 0; at < layers.size(); ++at) {
    layers[at].name = names[at + 1];
    layers[at].op = dataflow::Dense{4};
    layers[at].inputs = {names[at]};
  }
  dataflow::LayerGraph graph("net", {{"in", dataflow::Shape{4, 32, 1}, {}, {}, false}}, layers);
  const auto bits = dataflow::PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));
  dataflow::NetworkPrecision precision = resolve_precision(graph, bits).tensors;
  dataflow::Machine machine = tests::with_prices(spec);
  dataflow::NetworkCost cost = dataflow::Evaluator(machine).evaluate(graph, precision).value();
  return {std::move(machine), std::move(graph), std::move(precision), std::move(cost)};
}

RunReport report_of(const Example& example, const dataflow::ImportReport& import) {
  return {example.machine,
          example.graph,
          example.precision,
          example.cost,
          import,
          "analytical",
          "",
          "",
          "",
          {},
          {},
          {}};
}

TEST_CASE("The reports say which activations stay on chip and why others do not",
          "[frontends][report][residency]") {
  const dataflow::ImportReport import;
  const Example both = example(256);
  const nlohmann::json json = nlohmann::json::parse(to_json(report_of(both, import)));
  REQUIRE(json["residences"].size() == 3);
  CHECK(
      json["residences"][0] ==
      nlohmann::json{{"tensor", "a"}, {"size_bytes", 128}, {"on_chip", true}, {"why", "on chip"}});
  CHECK(json["residences"][2]["on_chip"] == false);
  CHECK(json["residences"][2]["why"] == "network output");
  CHECK(json["machine"]["buffers"]["io"]["resident_bytes"] == 256);
  CHECK(json["machine"]["buffers"]["io"]["buffering"] == "single");
  CHECK(json["machine"]["buffers"]["weight"]["buffering"] == "double");
  // In the layer of b: both activations and two weight blocks of 4 words.
  CHECK(json["layers"][1]["peak_on_chip_bytes"] == 256 + 2 * 16);
  CHECK_THAT(to_table(report_of(both, import)), Contains("activations: 2 of 3 stay on chip"));

  const Example none = example(128);
  const std::string table = to_table(report_of(none, import));
  CHECK_THAT(table, Contains("activations: 0 of 3 stay on chip") && Contains("no room"));

  const Example without = example(0);
  CHECK(nlohmann::json::parse(to_json(report_of(without, import)))["residences"].empty());
  CHECK_THAT(to_table(report_of(without, import)), !Contains("stay on chip"));
}

}  // namespace
}  // namespace vernier::frontends
