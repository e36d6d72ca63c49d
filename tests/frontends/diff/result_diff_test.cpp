#include "frontends/diff/result_diff.hpp"

#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "arch/base/error.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/input_file.hpp"

namespace vernier::frontends {
namespace {

using Catch::Contains;
using Json = nlohmann::ordered_json;
using tests::run_vernier;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";

Json part(std::int64_t cycles, double energy) {
  return {{"macs", 100},
          {"cycles", cycles},
          {"cycles_by_cause", {{"compute", cycles - 10}, {"fill", 10}}},
          {"bound_by", "compute"},
          {"roofline", nullptr},
          {"dram_bits", 640},
          {"energy_pj", energy}};
}

Json layer(const std::string& name, std::int64_t cycles, double energy) {
  Json json = {{"name", name},
               {"operator", "conv2d"},
               {"output_shape", "8x4x4"},
               {"bits", {{"input", 8}, {"weight", 4}, {"output", 8}}},
               {"tasks", Json::array()}};
  json.update(part(cycles, energy));
  return json;
}

// Three layers of 100, 200 and 300 cycles.
Json small_result() {
  return {{"schema_version", "1.2"},
          {"vernier_version", "0.1.0"},
          {"engine", "analytical"},
          {"inputs", {{"accelerator", "a.yaml"}, {"overrides", Json::array()}}},
          {"machine", {{"name", "small"}, {"array", {{"rows", 4}, {"columns", 4}}}}},
          {"network", {{"name", "net"}, {"batch", 1}}},
          {"total", part(600, 60.0)},
          {"layers", {layer("one", 100, 10.0), layer("two", 200, 20.0), layer("three", 300, 30.0)}},
          {"prices",
           {{{"component", "mac"},
             {"action", "mac"},
             {"weight_bits", 4},
             {"activation_bits", 8},
             {"energy_pj", 0.5},
             {"table", "t"},
             {"source", "s"}}}}};
}

ResultFile read(const Json& json) { return read_result(json.dump(1), "r.json"); }

TEST_CASE("A result equals itself and nothing is listed", "[frontends][diff]") {
  const ResultFile result = read(small_result());
  CHECK(result.machine == "small");
  CHECK(result.network == "net");
  const ResultDiff diff = compare_results(result, result);
  CHECK(diff.is_equal());
  CHECK(diff.equal_layers == 3);
  CHECK(diff.layers.empty());
  CHECK(diff_table(diff, result, result).find("no setting and no figure differs") !=
        std::string::npos);
}

TEST_CASE("Settings that differ come first with both values", "[frontends][diff]") {
  Json changed = small_result();
  changed["machine"]["array"]["rows"] = 8;
  changed["machine"]["fold_overlap"] = "full";
  changed["inputs"]["overrides"] = {"array.rows=8"};
  changed["prices"][0]["energy_pj"] = 0.75;
  const ResultDiff diff = compare_results(read(small_result()), read(changed));
  REQUIRE(diff.settings.size() == 4);
  CHECK(diff.settings[0].key == "inputs.overrides");
  CHECK(diff.settings[0].before == "[]");
  CHECK(diff.settings[0].after == "[array.rows=8]");
  CHECK(diff.settings[1].key == "machine.array.rows");
  CHECK(diff.settings[2].key == "prices.mac.mac.w4a8.energy_pj");
  CHECK(diff.settings[3].key == "machine.fold_overlap");
  CHECK_FALSE(diff.settings[3].before.has_value());
  CHECK(diff.layers.empty());
  CHECK_FALSE(diff.is_equal());
}

TEST_CASE("Layers are sorted by their share of the change and shares sum to one",
          "[frontends][diff]") {
  Json changed = small_result();
  changed["layers"][0] = layer("one", 90, 10.0);          // -10
  changed["layers"][1] = layer("two", 150, 25.0);         // -50
  changed["layers"].erase(2);                             // -300
  changed["layers"].push_back(layer("four", 160, 16.0));  // +160
  changed["total"] = part(400, 51.0);
  const ResultDiff diff = compare_results(read(small_result()), read(changed));
  REQUIRE(diff.layers.size() == 4);
  CHECK(diff.layers[0].name == "three");
  CHECK(diff.layers[0].state == LayerState::kRemoved);
  CHECK(diff.layers[0].share == 1.5);
  CHECK(diff.layers[1].name == "four");
  CHECK(diff.layers[1].state == LayerState::kAdded);
  CHECK(diff.layers[1].share == -0.8);
  CHECK(diff.layers[2].name == "two");
  CHECK(diff.layers[2].measure.count_change() == -50);
  CHECK(diff.layers[2].measure.relative() == -0.25);
  CHECK(diff.layers[3].name == "one");
  CHECK(diff.removed_layers == 1);
  CHECK(diff.added_layers == 1);
  double shares = 0.0;
  for (const LayerDifference& difference : diff.layers) shares += difference.share.value();
  CHECK(shares == Approx(1.0));
  // The figures of a layer that is in both: what changed only, causes included.
  std::vector<std::string> keys;
  for (const FigureDifference& figure : diff.layers[2].figures) keys.push_back(figure.key);
  CHECK(keys == std::vector<std::string>{"cycles", "cycles_by_cause.compute", "energy_pj"});
}

TEST_CASE("Layers may be sorted by another figure and not by any", "[frontends][diff]") {
  Json changed = small_result();
  changed["layers"][0] = layer("one", 50, 11.0);
  changed["layers"][1] = layer("two", 201, 50.0);
  const ResultFile before = read(small_result());
  CHECK(compare_results(before, read(changed)).layers[0].name == "one");
  CHECK(compare_results(before, read(changed), "energy_pj").layers[0].name == "two");
  // The total is the same, so nobody has a share in its change.
  CHECK_FALSE(compare_results(before, read(changed)).layers[0].share.has_value());
  CHECK_THROWS_WITH(compare_results(before, before, "cycle"), Contains("did you mean 'cycles'"));
}

TEST_CASE("A layer whose bits or bound changed is listed though its figures did not",
          "[frontends][diff]") {
  Json changed = small_result();
  changed["layers"][1]["bits"]["weight"] = 2;
  changed["layers"][1]["bound_by"] = "dram";
  const ResultDiff diff = compare_results(read(small_result()), read(changed));
  REQUIRE(diff.layers.size() == 1);
  CHECK(diff.layers[0].figures.empty());
  REQUIRE(diff.layers[0].settings.size() == 2);
  CHECK(diff.layers[0].settings[0].key == "bits");
  CHECK(diff.layers[0].settings[1].key == "bound_by");
}

TEST_CASE("Counts beyond the exact range of a double differ by one", "[frontends][diff]") {
  Json large = small_result();
  Json larger = small_result();
  large["total"]["macs"] = 9007199254740992;
  larger["total"]["macs"] = 9007199254740993;
  const ResultDiff diff = compare_results(read(large), read(larger));
  CHECK(diff.total[0].key == "macs");
  CHECK(diff.total[0].is_change());
  CHECK(diff.total[0].count_change() == 1);
}

TEST_CASE("A file that is no result is refused with file and line and key", "[frontends][diff]") {
  struct Case {
    const char* pointer;
    Json value;
    const char* message;
  };
  const std::vector<Case> cases{
      {"/schema_version", "2.0", "found '2.0'; this vernier reads 1.1, 1.2"},
      {"/schema_version", 1.2, "not a result"},
      {"/total", Json::array(), "total: found a list; an object is needed"},
      {"/total/cycles", "many", "total.cycles: found the text 'many'; a number is needed"},
      {"/total/cycles", -1, "total.cycles: found the number -1; no figure"},
      {"/layers", 3, "layers: found the number 3; a list is needed"},
      {"/layers/1/name", "one", "layers[1].name: the layer 'one' stands in line"},
      {"/layers/0/name", nullptr, "layers[0].name: found null; a text is needed"},
      {"/machine", "x", "machine: found the text 'x'; an object is needed"},
      {"/prices", 1, "prices: found the number 1; a list is needed"},
  };
  for (const Case& wrong : cases) {
    Json json = small_result();
    json[Json::json_pointer(wrong.pointer)] = wrong.value;
    CAPTURE(wrong.pointer);
    CHECK_THROWS_WITH(read(json), Contains("r.json:") && Contains(wrong.message));
  }
  for (const char* key :
       {"vernier_version", "engine", "inputs", "machine", "network", "total", "layers", "prices"}) {
    Json json = small_result();
    json.erase(key);
    CHECK_THROWS_WITH(read(json), Contains(std::string(key) + ": the key is missing"));
  }
  Json json = small_result();
  json.erase("schema_version");
  CHECK_THROWS_WITH(read(json), Contains("schema_version: the key is missing; not a result"));
  CHECK_THROWS_WITH(read_result("[]", "r.json"), Contains("r.json:1: found a list; not a result"));
}

std::string result_of(const std::string& bits, const std::string& rows) {
  const auto run = run_vernier({"run", "-a", kRoot + "configs/accelerators/bitfusion_16x32.yaml",
                                "-m", kRoot + "configs/models/resnet20.yaml", "--bits", bits,
                                "--set", "array.rows=" + rows, "--format", "json"});
  REQUIRE(run.exit_code == 0);
  return run.output;
}

TEST_CASE("vernier diff compares two results in every format", "[frontends][diff]") {
  const std::string before = result_of("w=4,a=8", "16");
  const std::string after = result_of("w=2,a=8", "8");
  const tests::InputFile first("a.json", before);
  const tests::InputFile second("b.json", after);
  const auto table = run_vernier({"diff", first.path(), second.path()});
  REQUIRE(table.exit_code == 0);
  CHECK(table.error.empty());
  for (const char* text : {"resnet20 on bitfusion_16x32", "inputs.bits", "--bits w=4,a=8",
                           "machine.array.rows", "energy_pj", "layers by change of cycles"}) {
    CAPTURE(text);
    CHECK(table.output.find(text) != std::string::npos);
  }
  const auto json = run_vernier({"diff", first.path(), second.path(), "--format", "json"});
  REQUIRE(json.exit_code == 0);
  const Json diff = Json::parse(json.output);
  const Json a = Json::parse(before);
  const Json b = Json::parse(after);
  CHECK_FALSE(diff["is_equal"].get<bool>());
  std::int64_t change = 0;
  double share = 0.0;
  for (const Json& layer : diff["layers"]) {
    change += layer["measure"]["change"].get<std::int64_t>();
    share += layer["share"].get<double>();
  }
  CHECK(change ==
        b["total"]["cycles"].get<std::int64_t>() - a["total"]["cycles"].get<std::int64_t>());
  CHECK(share == Approx(1.0));
  const auto csv =
      run_vernier({"diff", first.path(), second.path(), "--by", "energy_pj", "--format", "csv"});
  REQUIRE(csv.exit_code == 0);
  std::istringstream lines(csv.output);
  std::string line;
  std::getline(lines, line);
  CHECK(line == "part,name,key,a,b,change,relative_change,share");
  CHECK(csv.output.find("total,total,cycles,") != std::string::npos);
  CHECK(csv.output.find("\nsetting,,inputs.bits,\"--bits w=4,a=8\",") != std::string::npos);
}

TEST_CASE("vernier diff of a result with itself says that nothing differs", "[frontends][diff]") {
  const tests::InputFile file("a.json", result_of("w=4,a=8", "16"));
  const auto run = run_vernier({"diff", file.path(), file.path()});
  CHECK(run.exit_code == 0);
  CHECK(run.output.find("no setting and no figure differs") != std::string::npos);
}

TEST_CASE("vernier diff refuses truncated and foreign files with exit code 2",
          "[frontends][diff]") {
  const std::string good = result_of("w=4,a=8", "16");
  const tests::InputFile result("a.json", good);
  const tests::InputFile truncated("b.json", good.substr(0, good.size() / 2));
  const tests::InputFile foreign("c.json", "{\"name\": 1}");
  for (const std::string& other :
       {truncated.path(), foreign.path(), kRoot + "README.md", kRoot, kRoot + "none.json"}) {
    CAPTURE(other);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"diff", result.path(), other},
          std::vector<std::string>{"diff", other, result.path()}}) {
      const auto run = run_vernier(words);
      CHECK(run.exit_code == 2);
      CHECK(run.output.empty());
      CHECK(run.error.find(other) != std::string::npos);
    }
  }
  CHECK(run_vernier({"diff", result.path()}).exit_code == 2);
  CHECK(run_vernier({"diff", result.path(), result.path(), "--by", "speed"}).exit_code == 2);
}

}  // namespace
}  // namespace vernier::frontends
