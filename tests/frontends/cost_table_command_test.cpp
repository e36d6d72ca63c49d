// The table that `vernier cost-table` writes, read back: every entry is what the evaluator says.
#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/surrogate/cost_table.hpp"
#include "frontends/report/run_report.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/input_file.hpp"
#include "tests/support/small_networks.hpp"

namespace vernier::tests {
namespace {

using namespace dataflow;
using Catch::Contains;
using Json = nlohmann::json;

// Evaluates single layers, as the table says it does.
class Expected {
 public:
  Expected(const std::string& machine, const std::string& model)
      : machine_(load_machine(config_path("accelerators/" + machine + ".yaml"))),
        graph_(load_model(config_path("models/" + model + ".yaml"))),
        evaluator_(machine_) {}

  CostSummary of(const std::string& layer, int weight, int activation, int output = 8) const {
    const LayerGraph alone = graph_.only_layer(layer);
    const std::optional<Bitwidth> weights =
        weight > 0 ? std::optional<Bitwidth>(Bitwidth(weight)) : std::nullopt;
    return evaluator_
        .evaluate(alone,
                  single_layer_widths(alone, weights, Bitwidth(activation), Bitwidth(output)))
        .value()
        .total;
  }
  [[nodiscard]] const Machine& machine() const { return machine_; }
  [[nodiscard]] const LayerGraph& graph() const { return graph_; }

 private:
  Machine machine_;
  LayerGraph graph_;
  Evaluator evaluator_;
};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) {
    if (field.size() >= 2 && field.front() == '"') field = field.substr(1, field.size() - 2);
    fields.push_back(field);
  }
  return fields;
}

std::string file_text(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST_CASE("A cost table in CSV holds what evaluate says of each layer at each pair", "[cli]") {
  const CommandResult result =
      run_vernier({"cost-table", "-a", "bitfusion_16x32", "-m", "mobilenetv2"});
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.error, Contains("pairs cannot run") && Contains("accumulator bits"));
  const Expected expected("bitfusion_16x32", "mobilenetv2");
  std::istringstream lines(result.output);
  std::string line;
  std::getline(lines, line);
  std::map<std::string, std::size_t> column;
  for (const std::string& name : fields_of(line)) column.emplace(name, column.size());
  std::size_t rows = 0;
  std::size_t wrong = 0;
  while (std::getline(lines, line)) {
    const std::vector<std::string> row = fields_of(line);
    const auto number = [&](const std::string& name) {
      const std::string& text = row[column.at(name)];
      return text.empty() ? 0.0 : std::stod(text);
    };
    const CostSummary cost =
        expected.of(row[column.at("layer")], static_cast<int>(number("weight_bits")),
                    static_cast<int>(number("activation_bits")));
    double parts = 0.0;
    bool equal = number("cycles") == static_cast<double>(cost.cycles.total().count()) &&
                 number("energy_pj") == cost.energy.total().count() &&
                 number("dram_bits") == static_cast<double>(cost.dram.total().count()) &&
                 row[column.at("model")].find("mobilenetv2.yaml") != std::string::npos;
    const auto& components = expected.machine().prices.components();
    for (std::size_t at = 0; at < components.size(); ++at) {
      const double part = number(components[at].name + "_energy_pj");
      parts += part;
      equal = equal && part == cost.energy.of_component(static_cast<ComponentIndex>(at)).count();
    }
    if (!equal || std::abs(parts - number("energy_pj")) > 1e-9 * parts) ++wrong;
    ++rows;
  }
  CHECK(wrong == 0);
  // 53 MAC layers at up to 25 pairs; 10 additions and a pool at 5 widths.
  CHECK(rows > 53 * 16 + 11 * 5);
}

TEST_CASE("A cost table in JSON has provenance and the keys of Free Bits", "[cli]") {
  const CommandResult result = run_vernier(
      {"cost-table", "-a", "bitfusion_16x32", "-m", "resnet20", "--format", "json", "--jobs", "2"});
  REQUIRE(result.exit_code == 0);
  const Json table = Json::parse(result.output);
  CHECK(table.at("kind") == "cost_table");
  CHECK(table.at("provenance").at("machine") == "bitfusion_16x32");
  CHECK(table.at("provenance").at("output_bits") == 8);
  const Expected expected("bitfusion_16x32", "resnet20");
  std::size_t wrong = 0;
  for (const Json& layer : table.at("layers")) {
    for (const Json& entry : layer.at("entries")) {
      const CostSummary cost =
          expected.of(layer.at("name"), entry.value("weight_bits", 0), entry.at("activation_bits"));
      double parts = 0.0;
      for (const Json& part : entry.at("energy_by_component_pj")) parts += part.get<double>();
      if (entry.at("cycles") != cost.cycles.total().count() ||
          entry.at("energy_pj") != cost.energy.total().count() ||
          std::abs(parts - cost.energy.total().count()) > 1e-9 * parts) {
        ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
  // The first stage's six convolutions are one type.
  const Json& types = table.at("free_bits").at("types");
  bool found = false;
  for (const Json& type : types) {
    if (type.at("layers").front() != "layer1.0.conv1") continue;
    found = true;
    CHECK(type.at("layers").size() == 6);
    CHECK(type.at("key").at("kernel") == 3);
    CHECK(type.at("key").at("input_size") == 32);
    CHECK(type.at("key").at("channels_out") == 16);
    const Json& first = type.at("latencies").front();
    CHECK(first.at("latency_cycles") ==
          expected.of("layer1.0.conv1", first.at("weight_bits"), first.at("input_bits"))
              .cycles.total()
              .count());
  }
  CHECK(found);
}

TEST_CASE("The types of Free Bits hold what their layers cost", "[cli]") {
  const CommandResult result =
      run_vernier({"cost-table", "-a", "bitfusion_16x32", "-m", "mobilenetv2", "--format", "json"});
  REQUIRE(result.exit_code == 0);
  const Json table = Json::parse(result.output);
  const auto layer = [&](const Json& name) -> const Json& {
    for (const Json& one : table.at("layers")) {
      if (one.at("name") == name) return one;
    }
    FAIL("no layer " << name);
    return table;
  };
  const auto key_of = [&](const std::string& name) {
    for (const Json& type : table.at("free_bits").at("types")) {
      const Json& layers = type.at("layers");
      if (std::find(layers.begin(), layers.end(), name) != layers.end()) return type.at("key");
    }
    return Json();
  };
  // The ten parts of the key, in its order, written out for a stem, a depthwise and a linear layer.
  CHECK(key_of("features.0") == Json::parse(R"({"linear": false, "kernel": 3, "input_size": 224,
      "output_size": 112, "depthwise": false, "groups": 1, "padding": 1, "stride": 2,
      "channels_in": 3, "channels_out": 32})"));
  CHECK(key_of("features.1.depthwise") == Json::parse(R"({"linear": false, "kernel": 3,
      "input_size": 112, "output_size": 112, "depthwise": true, "groups": 32, "padding": 1,
      "stride": 1, "channels_in": 32, "channels_out": 32})"));
  CHECK(key_of("classifier") == Json::parse(R"({"linear": true, "kernel": 1, "input_size": 1,
      "output_size": 1, "depthwise": false, "groups": 1, "padding": 0, "stride": 1,
      "channels_in": 1280, "channels_out": 1000})"));
  std::int64_t most = 0;
  std::size_t wrong = 0;
  std::size_t layers = 0;
  for (const Json& type : table.at("free_bits").at("types")) {
    for (const Json& name : type.at("layers")) {
      const Json& entries = layer(name).at("entries");
      ++layers;
      if (entries.size() != type.at("latencies").size()) ++wrong;
      for (std::size_t at = 0; at < entries.size(); ++at) {
        const Json& latency = type.at("latencies").at(at);
        most = std::max(most, latency.at("latency_cycles").get<std::int64_t>());
        if (latency.at("latency_cycles") != entries[at].at("cycles") ||
            latency.at("weight_bits") != entries[at].at("weight_bits") ||
            latency.at("input_bits") != entries[at].at("activation_bits")) {
          ++wrong;
        }
      }
    }
  }
  CHECK(layers == 53);
  CHECK(wrong == 0);
  CHECK(table.at("free_bits").at("largest_latency_cycles") == most);
}

TEST_CASE("A cost table in npy has HAQ's form", "[cli]") {
  const InputFile place("unused", "");
  const std::string path = place.path() + ".npy";
  const CommandResult result = run_vernier({"cost-table", "-a", "bitfusion_16x32", "-m", "resnet20",
                                            "--format", "npy", "--output", path});
  REQUIRE(result.exit_code == 0);
  const std::string file = file_text(path);
  REQUIRE(file.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header =
      static_cast<unsigned char>(file[8]) + 256U * static_cast<unsigned char>(file[9]);
  CHECK((10 + header) % 64 == 0);
  CHECK_THAT(file.substr(10, header),
             Contains("'descr': '<f8', 'fortran_order': False, 'shape': (20, 16, 16, )"));
  REQUIRE(file.size() == 10 + header + 20 * 16 * 16 * sizeof(double));
  const auto value = [&](std::size_t layer, std::size_t weight, std::size_t activation) {
    std::uint64_t bits = 0;
    const std::size_t at = 10 + header + 8 * ((layer * 16 + weight - 1) * 16 + activation - 1);
    for (std::size_t byte = 8; byte-- > 0;) {
      bits = bits << 8U | static_cast<unsigned char>(file[at + byte]);
    }
    return std::bit_cast<double>(bits);
  };
  const Json names = Json::parse(file_text(path + ".json"));
  CHECK(names.at("unit") == "ms");
  CHECK(names.at("layers").size() == 20);
  const Expected expected("bitfusion_16x32", "resnet20");
  const auto time = [&](const std::string& layer, int weight, int activation) {
    return frontends::derive(expected.of(layer, weight, activation),
                             expected.machine().accelerator.spec().clock, 1)
        .time_ms;
  };
  CHECK(names.at("layers").at(1) == "layer1.0.conv1");
  CHECK(value(1, 4, 8) == time("layer1.0.conv1", 4, 8));
  CHECK(value(1, 3, 5) == time("layer1.0.conv1", 4, 8));  // rounded up as the machine does
  CHECK(value(1, 1, 2) == time("layer1.0.conv1", 1, 2));
  CHECK(value(19, 8, 2) == time("fc", 8, 2));
  CHECK(std::isinf(value(1, 16, 16)));  // the accumulators are too narrow
}

TEST_CASE("Wrong use of cost-table is refused by name", "[cli]") {
  const std::vector<std::string> base{"cost-table", "-a", "bitfusion_16x32", "-m", "resnet20"};
  const auto refused = [&](const std::vector<std::string>& extra) {
    std::vector<std::string> arguments = base;
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    const CommandResult result = run_vernier(arguments);
    CHECK(result.exit_code == 2);
    return result.error;
  };
  CHECK_THAT(refused({"--format", "npy"}), Contains("--format npy needs --output"));
  CHECK_THAT(refused({"--quantity", "energy"}), Contains("--quantity is for --format npy"));
  CHECK_THAT(refused({"--format", "xml"}), Contains("xml"));
  CHECK_THAT(refused({"--output-bits", "20"}), Contains("output bits: found 20"));
  CHECK_THAT(refused({"--layer", "conv9"}), Contains("conv9"));
}

}  // namespace
}  // namespace vernier::tests
