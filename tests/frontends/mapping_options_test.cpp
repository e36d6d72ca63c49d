// `vernier run --mapping`, `--objective` and `--mapping-output` as a user runs them.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/command_line.hpp"

namespace vernier::tests {
namespace {

using Json = nlohmann::json;

/// A file that goes away with the test.
class MappingFile {
 public:
  explicit MappingFile(const std::string& name)
      : path_((std::filesystem::temp_directory_path() / name).string()) {}
  ~MappingFile() { std::filesystem::remove(path_); }
  MappingFile(const MappingFile&) = delete;
  MappingFile& operator=(const MappingFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& text) const { std::ofstream(path_) << text; }

 private:
  std::string path_;
};

CommandResult run_resnet20(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"run", "-a",      "bitfusion_16x32", "-m",  "resnet20",
                                     "-b",  "w=4,a=8", "--format",        "json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_vernier(arguments);
}

// A result without the notes on where its mappings come from.
Json costs_of(const CommandResult& run) {
  Json json = Json::parse(run.output);
  for (Json& layer : json["layers"]) {
    for (Json& task : layer["tasks"]) task.erase("mapping");
  }
  return {{"total", json["total"]}, {"layers", json["layers"]}};
}

TEST_CASE("A mapping that was written gives the same result when it is read", "[frontends][cli]") {
  for (const std::vector<std::string>& chosen :
       {std::vector<std::string>{"--mapping", "heuristic"},
        {"--mapping", "exhaustive", "--objective", "energy", "--jobs", "2"}}) {
    const MappingFile file("vernier_mapping_round_trip.yaml");
    std::vector<std::string> writing = chosen;
    writing.insert(writing.end(), {"--mapping-output", file.path()});
    const CommandResult first = run_resnet20(writing);
    REQUIRE(first.exit_code == 0);
    const CommandResult again = run_resnet20({"--mapping", file.path()});
    REQUIRE(again.exit_code == 0);
    CHECK(costs_of(first) == costs_of(again));
    const std::string wanted = chosen[1] == "heuristic" ? "searched" : "proven";
    CHECK(Json::parse(first.output)["layers"][0]["tasks"][0]["mapping"] == wanted);
    CHECK(Json::parse(again.output)["layers"][0]["tasks"][0]["mapping"] == "given");
    CHECK(Json::parse(again.output)["assumptions"].empty());
  }
}

TEST_CASE("An exhaustive search is never worse than the heuristic at its objective",
          "[frontends][cli]") {
  const Json heuristic = Json::parse(run_resnet20({}).output);
  const auto sum = [](const Json& result, const char* key) {
    double value = 0;
    for (const Json& layer : result["layers"]) value += layer[key].get<double>();
    return value;
  };
  const Json energy =
      Json::parse(run_resnet20({"--mapping", "exhaustive", "--objective", "energy"}).output);
  CHECK(sum(energy, "energy_pj") < sum(heuristic, "energy_pj"));
  const Json traffic =
      Json::parse(run_resnet20({"--mapping", "exhaustive", "--objective", "dram"}).output);
  CHECK(sum(traffic, "dram_bits") <= sum(heuristic, "dram_bits"));
}

TEST_CASE("Both engines run the chosen mappings alike", "[frontends][cli][clocked]") {
  const std::vector<std::string> chosen{"--mapping", "exhaustive", "--layer", "layer2.0.conv1"};
  std::vector<std::string> clocked = chosen;
  clocked.insert(clocked.end(), {"--engine", "systemc"});
  const CommandResult left = run_resnet20(chosen);
  const CommandResult right = run_resnet20(clocked);
  REQUIRE(left.exit_code == 0);
  REQUIRE(right.exit_code == 0);
  CHECK(Json::parse(left.output)["layers"] == Json::parse(right.output)["layers"]);
  CHECK(Json::parse(right.output)["layers"][0]["tasks"][0]["mapping"] == "proven");
}

TEST_CASE("A mapping file for some layers leaves the others to the heuristic and says so",
          "[frontends][cli]") {
  const MappingFile file("vernier_mapping_part.yaml");
  file.write(
      "layers:\n  conv1: {tile: {pixels: [8, 8], input_channels: 3, output_channels: 16}, order: "
      "[pixel, n, k]}\n");
  const CommandResult run = run_resnet20({"--mapping", file.path()});
  REQUIRE(run.exit_code == 0);
  const Json json = Json::parse(run.output);
  REQUIRE(json["assumptions"].size() == 1);
  CHECK_THAT(json["assumptions"][0].get<std::string>(),
             Catch::Contains("which the heuristic maps"));
  CHECK(json["layers"][0]["tasks"][0]["tile"]["rows"] == 8);
  // With --layer the file may name the others; a name that is in neither is still a mistake.
  CHECK(run_resnet20({"--mapping", file.path(), "--layer", "fc"}).exit_code == 0);
  file.write("layers:\n  conv9: {}\n");
  CHECK(run_resnet20({"--mapping", file.path(), "--layer", "fc"}).exit_code == 2);
}

TEST_CASE("A mapping that cannot run exits 1 and a wrong one exits 2", "[frontends][cli]") {
  const MappingFile file("vernier_mapping_wrong.yaml");
  file.write(
      "layers:\n  conv1: {tile: {pixels: [32, 32], input_channels: 3, output_channels: 16}, "
      "order: [pixel, n, k]}\n");
  const CommandResult large =
      run_resnet20({"--mapping", file.path(), "--set", "buffers.output.capacity=8 KiB"});
  CHECK(large.exit_code == 1);
  CHECK_THAT(large.error, Catch::Contains("layer 'conv1'"));
  CHECK_THAT(large.error, Catch::Contains("'output'"));
  CHECK_THAT(large.error, Catch::Contains("bytes are missing"));
  file.write("layers:\n  convl: {}\n");
  const CommandResult unknown = run_resnet20({"--mapping", file.path()});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.error, Catch::Contains("did you mean 'conv1'?"));
  const CommandResult slip = run_resnet20({"--mapping", "exhaustiv"});
  CHECK(slip.exit_code == 2);
  CHECK_THAT(slip.error, Catch::Contains("did you mean 'exhaustive'?"));
  const CommandResult lonely = run_resnet20({"--objective", "energy"});
  CHECK(lonely.exit_code == 2);
  CHECK_THAT(lonely.error, Catch::Contains("--objective is for --mapping exhaustive"));
  const CommandResult unnamed = run_resnet20({"--mapping", "exhaustive", "--objective", "enery"});
  CHECK(unnamed.exit_code == 2);
  CHECK_THAT(unnamed.error, Catch::Contains("did you mean 'energy'?"));
}

}  // namespace
}  // namespace vernier::tests
