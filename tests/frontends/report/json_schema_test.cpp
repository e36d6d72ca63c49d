// Every result that the command line prints must satisfy docs/result.schema.json.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/input_file.hpp"
#include "tests/support/tflite_fixture.hpp"

namespace vernier::frontends {
namespace {

using Json = nlohmann::json;
using tests::run_vernier;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";

class ResultSchema {
 public:
  explicit ResultSchema(const char* file = "docs/result.schema.json") {
    std::ifstream stream(kRoot + file);
    document_ = Json::parse(stream);
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(document_), schema_);
  }
  // Empty when the result is valid, else the first messages.
  std::string problems(const Json& result) {
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema_, valijson::adapters::NlohmannJsonAdapter(result), &results)) {
      return {};
    }
    std::string text;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      for (const std::string& part : error.context) text += part;
      text += ": " + error.description + "\n";
    }
    return text;
  }

 private:
  Json document_;
  valijson::Schema schema_;
};

// The roofline of every part follows from its other figures (design 9).
void check_rooflines(const Json& result) {
  const double bandwidth = result["machine"]["dram"]["bandwidth_bits_per_cycle"].get<double>();
  std::vector<Json> parts(result["layers"].begin(), result["layers"].end());
  parts.push_back(result["total"]);
  for (const Json& part : parts) {
    const auto macs = part["macs"].get<double>();
    const Json& line = part["roofline"];
    REQUIRE(line.is_null() == (macs == 0.0));
    if (line.is_null()) continue;
    const auto peak = line["peak_macs_per_cycle"].get<double>();
    if (part["dram_bits"] == 0) {  // everything stays on chip: no roof but the array
      CHECK(line["operational_intensity_macs_per_bit"].is_null());
      CHECK(line["attainable_macs_per_cycle"].get<double>() == Approx(peak));
      CHECK(line["roof"] == "compute");
      continue;
    }
    const auto intensity = line["operational_intensity_macs_per_bit"].get<double>();
    const auto attainable = line["attainable_macs_per_cycle"].get<double>();
    CHECK(intensity == Approx(macs / part["dram_bits"].get<double>()));
    CHECK(line["machine_balance_macs_per_bit"].get<double>() == Approx(peak / bandwidth));
    CHECK(attainable == Approx(std::min(peak, intensity * bandwidth)));
    CHECK(line["achieved_macs_per_cycle"].get<double>() ==
          Approx(macs / part["cycles"].get<double>()));
    CHECK(line["roof"] == (intensity * bandwidth < peak ? "dram" : "compute"));
  }
}

double sum_of(const Json& parts) {
  double sum = 0.0;
  for (const auto& part : parts) sum += part.get<double>();
  return sum;
}

// Energy by component, action, tensor, state and layer, and power times time: all the same total.
void check_conservation(const Json& result) {
  const double total = result["total"]["energy_pj"].get<double>();
  std::vector<Json> parts(result["layers"].begin(), result["layers"].end());
  parts.push_back(result["total"]);
  for (const Json& part : parts) {
    const double energy = part["energy_pj"].get<double>();
    for (const char* view : {"energy_by_component_pj", "energy_by_action_pj", "energy_by_tensor_pj",
                             "energy_by_state_pj"}) {
      CHECK(sum_of(part[view]) == Approx(energy).epsilon(1e-12));
    }
    double listed = 0.0;
    for (const Json& entry : part["activity"]) listed += entry["energy_pj"].get<double>();
    CHECK(listed == Approx(energy).epsilon(1e-12));
  }
  double layers = 0.0;
  for (const Json& layer : result["layers"]) layers += layer["energy_pj"].get<double>();
  CHECK(layers == Approx(total).epsilon(1e-12));
  double over_time = 0.0;
  double end_ms = 0.0;
  for (const Json& sample : result["power_over_time"]) {
    CHECK(sample["begin_ms"].get<double>() == end_ms);
    end_ms = sample["end_ms"].get<double>();
    over_time += sample["average_power_mw"].get<double>() *
                 (end_ms - sample["begin_ms"].get<double>()) * 1e6;  // mW * ns = pJ
  }
  CHECK(over_time == Approx(total).epsilon(1e-9));
  CHECK(end_ms == Approx(result["total"]["time_ms"].get<double>()).epsilon(1e-12));
}

TEST_CASE("A result on DRAM with banks satisfies the schema", "[frontends][report][dram]") {
  ResultSchema schema;
  for (const char* engine : {"analytical", "systemc"}) {
    const auto run = run_vernier(
        {"run", "--accelerator", kRoot + "configs/accelerators/bitfusion_16x32.yaml", "--model",
         kRoot + "configs/models/resnet20.yaml", "--bits", "w=4,a=8", "--format", "json",
         "--engine", engine, "--set", "dram={model: timing, preset: DDR4-2400, policy: closed}",
         "--set", "energy.dram=DDR4-2400", "--set",
         "energy.tables=[aladdin_45nm, cacti_45nm, bitfusion_45nm, dram_currents]"});
    INFO(engine << " " << run.error);
    REQUIRE(run.exit_code == 0);
    const Json result = Json::parse(run.output);
    CHECK(schema.problems(result) == "");
    check_conservation(result);
  }
}

TEST_CASE("Every shipped machine and network gives a result that satisfies the schema",
          "[frontends][report]") {
  ResultSchema schema;
  for (const char* machine : {"bitfusion_16x32", "scale_sim_default", "scale_sim_low_memory",
                              "edge_64x64_ws", "eyeriss_sized_ws"}) {
    for (const char* network : {"mobilenetv2", "resnet18", "resnet20"}) {
      const auto run = run_vernier(
          {"run", "--accelerator", kRoot + "configs/accelerators/" + machine + ".yaml", "--model",
           kRoot + "configs/models/" + network + ".yaml", "--bits", "w=4,a=8", "--format", "json"});
      INFO(machine << " " << network << " " << run.error);
      REQUIRE(run.exit_code == 0);
      const Json result = Json::parse(run.output);
      CHECK(schema.problems(result) == "");
      // Parts sum to the total.
      std::int64_t cycles = 0;
      for (const Json& layer : result["layers"]) cycles += layer["cycles"].get<std::int64_t>();
      CHECK(cycles == result["total"]["cycles"].get<std::int64_t>());
      check_conservation(result);
      check_rooflines(result);
    }
  }
}

TEST_CASE("A result with all parts of an import report satisfies the schema",
          "[frontends][report]") {
  ResultSchema schema;
  const tests::InputFile file("net.tflite", tests::small_tflite_network());
  const auto run = run_vernier({"run", "-a", kRoot + "configs/accelerators/bitfusion_16x32.yaml",
                                "-m", file.path(), "--format", "json"});
  REQUIRE(run.exit_code == 0);
  Json result = Json::parse(run.output);
  CHECK(schema.problems(result) == "");
  result["import"]["widths"][0]["slices"] = {{{"channels", 3}, {"bits", 2}}};
  CHECK(schema.problems(result) == "");
}

TEST_CASE("The difference of two results satisfies its schema", "[frontends][report]") {
  ResultSchema schema("docs/diff.schema.json");
  std::vector<std::string> results;
  for (const char* layer : {"fc", "conv1"}) {
    const auto run =
        run_vernier({"run", "-a", kRoot + "configs/accelerators/bitfusion_16x32.yaml", "-m",
                     kRoot + "configs/models/resnet20.yaml", "--layer", layer, "--format", "json"});
    INFO(run.error);
    REQUIRE(run.exit_code == 0);
    results.push_back(run.output);
  }
  const tests::InputFile first("a.json", results[0]);
  const tests::InputFile second("b.json", results[1]);
  const auto run = run_vernier({"diff", first.path(), second.path(), "--format", "json"});
  REQUIRE(run.exit_code == 0);
  const Json diff = Json::parse(run.output);
  CHECK(schema.problems(diff) == "");
  CHECK(diff["removed_layers"] == 1);
  CHECK(diff["added_layers"] == 1);
  Json wrong = diff;
  wrong["layers"][0]["state"] = "gone";
  CHECK(schema.problems(wrong) != "");
}

TEST_CASE("A CSV result states energy by component, action, tensor and state",
          "[frontends][report]") {
  const auto run = run_vernier({"run", "-a", kRoot + "configs/accelerators/bitfusion_16x32.yaml",
                                "-m", kRoot + "configs/models/resnet20.yaml", "--format", "csv"});
  REQUIRE(run.exit_code == 0);
  std::stringstream lines(run.output);
  std::vector<std::string> names;
  double layers = 0.0;
  double total = 0.0;
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::stringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (names.empty()) {
      names = cells;
      continue;
    }
    REQUIRE(cells.size() == names.size());
    double energy = 0.0;
    double components = 0.0;
    double actions = 0.0;
    double tensors = 0.0;
    double states = 0.0;
    for (std::size_t at = 2; at < names.size(); ++at) {
      const std::string& name = names[at];
      if (name == "energy_pj") {
        energy = std::stod(cells[at]);
      } else if (name.starts_with("action_")) {
        actions += std::stod(cells[at]);
      } else if (name.starts_with("tensor_")) {
        tensors += std::stod(cells[at]);
      } else if (name.starts_with("state_")) {
        states += std::stod(cells[at]);
      } else if (name.ends_with("_energy_pj")) {
        components += std::stod(cells[at]);
      }
    }
    for (const double view : {components, actions, tensors, states}) {
      CHECK(view == Approx(energy).epsilon(1e-12));
    }
    (cells[0] == "total" ? total : layers) += energy;
  }
  CHECK(layers == Approx(total).epsilon(1e-12));
}

TEST_CASE("A CSV result states the roofline of layers with MACs and none of others",
          "[frontends][report]") {
  const auto run = run_vernier({"run", "-a", kRoot + "configs/accelerators/bitfusion_16x32.yaml",
                                "-m", kRoot + "configs/models/resnet20.yaml", "--format", "csv"});
  REQUIRE(run.exit_code == 0);
  const std::vector<std::string> columns{
      "peak_macs_per_cycle",          "operational_intensity_macs_per_bit",
      "machine_balance_macs_per_bit", "attainable_macs_per_cycle",
      "achieved_macs_per_cycle",      "roof"};
  std::istringstream lines(run.output);
  std::vector<std::string> names;
  int without = 0;
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (names.empty()) {
      names = cells;
      continue;
    }
    REQUIRE(cells.size() == names.size());
    for (const std::string& column : columns) {
      const auto found = std::find(names.begin(), names.end(), column);
      REQUIRE(found != names.end());
      CHECK((cells[2] == "0") == cells[static_cast<std::size_t>(found - names.begin())].empty());
    }
    without += cells[2] == "0" ? 1 : 0;
  }
  REQUIRE(names[2] == "macs");
  CHECK(without > 0);
}

TEST_CASE("The schema refuses results with a missing, foreign or negative value",
          "[frontends][report]") {
  ResultSchema schema;
  const auto run =
      run_vernier({"run", "-a", kRoot + "configs/accelerators/scale_sim_default.yaml", "-m",
                   kRoot + "configs/models/resnet20.yaml", "--layer", "fc", "--format", "json"});
  REQUIRE(run.exit_code == 0);
  const Json good = Json::parse(run.output);
  REQUIRE(schema.problems(good) == "");
  Json missing = good;
  missing["total"].erase("cycles");
  CHECK(schema.problems(missing) != "");
  Json foreign = good;
  foreign["layers"][0]["speed"] = 1;
  CHECK(schema.problems(foreign) != "");
  Json without_import = good;
  without_import.erase("import");
  CHECK(schema.problems(without_import) != "");
  Json foreign_width = good;
  foreign_width["import"]["widths"].push_back({{"tensor", "x"}, {"bits", 33}});
  CHECK(schema.problems(foreign_width) != "");
  Json without_roofline = good;
  without_roofline["total"].erase("roofline");
  CHECK(schema.problems(without_roofline) != "");
  Json infinite = good;
  infinite["total"]["roofline"]["attainable_macs_per_cycle"] = nullptr;
  CHECK(schema.problems(infinite) != "");
  Json negative = good;
  negative["total"]["energy_pj"] = -1.0;
  CHECK(schema.problems(negative) != "");
}

TEST_CASE("The acceptance run prints total and layers with 300774272 MACs", "[frontends][report]") {
  const auto run = run_vernier(
      {"run", "--accelerator", kRoot + "configs/accelerators/bitfusion_16x32.yaml", "--model",
       kRoot + "configs/models/mobilenetv2.yaml", "--bits", "w=4,a=8", "--format", "json"});
  REQUIRE(run.exit_code == 0);
  CHECK(run.error == "");
  const Json result = Json::parse(run.output);
  CHECK(result["total"]["macs"] == 300774272);
  CHECK(result["layers"].size() == 64);
  CHECK(result["layers"][0]["name"] == "features.0");
}

TEST_CASE("Output is equal for one and two jobs in every format", "[frontends][report]") {
  for (const char* format : {"json", "csv", "table"}) {
    std::string first;
    for (const char* jobs : {"1", "2"}) {
      const auto run =
          run_vernier({"run", "-a", kRoot + "configs/accelerators/bitfusion_16x32.yaml", "-m",
                       kRoot + "configs/models/resnet18.yaml", "--bits", "w=2,a=8", "--format",
                       format, "--jobs", jobs});
      REQUIRE(run.exit_code == 0);
      REQUIRE(run.output.size() > 1000);
      if (first.empty()) first = run.output;
      CHECK(run.output == first);
    }
  }
}

TEST_CASE("The CSV has a row per layer and a total with the columns of its head",
          "[frontends][report]") {
  const auto run =
      run_vernier({"run", "-a", kRoot + "configs/accelerators/scale_sim_default.yaml", "-m",
                   kRoot + "configs/models/resnet20.yaml", "--bits", "w=8,a=8", "--format", "csv"});
  REQUIRE(run.exit_code == 0);
  std::istringstream lines(run.output);
  std::string line;
  std::size_t rows = 0;
  std::ptrdiff_t commas = -1;
  std::string last;
  while (std::getline(lines, line)) {
    const auto count = std::count(line.begin(), line.end(), ',');
    if (commas < 0) commas = count;
    CHECK(count == commas);
    ++rows;
    last = line;
  }
  CHECK(rows == 34 + 2);
  CHECK(last.rfind("total,", 0) == 0);
}

}  // namespace
}  // namespace vernier::frontends
