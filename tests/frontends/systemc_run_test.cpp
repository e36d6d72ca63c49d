// `vernier run --engine systemc` as a user runs it.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/command_line.hpp"

namespace vernier::tests {
namespace {

using Json = nlohmann::json;

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

std::vector<std::string> run_arguments(const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"run",
                                     "-a",
                                     kConfigs + "accelerators/bitfusion_16x32.yaml",
                                     "-m",
                                     kConfigs + "models/resnet20.yaml",
                                     "-b",
                                     "w=4,a=8",
                                     "--engine"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "vernier_systemc_run_test") {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("Both engines print the same costs", "[frontends][clocked]") {
  const auto analytical = run_vernier(run_arguments({"analytical", "--format", "json"}));
  const auto clocked = run_vernier(run_arguments({"systemc", "--format", "json", "--seed", "7"}));
  REQUIRE(analytical.exit_code == 0);
  REQUIRE(clocked.exit_code == 0);
  const Json left = Json::parse(analytical.output);
  const Json right = Json::parse(clocked.output);
  CHECK(left["total"] == right["total"]);
  CHECK(left["layers"] == right["layers"]);
  CHECK(right["engine"] == "systemc");
  CHECK(right["data_check"]["seed"] == 7);
  CHECK(right["data_check"]["mismatches"] == 0);
  CHECK(right["data_check"]["outputs_compared"] > 100'000);
}

TEST_CASE("The timeline is trace events whose tracks are busy as long as the report says",
          "[frontends][clocked]") {
  const Folder folder;
  const std::string timeline = folder.file("timeline.json");
  const std::string waveform = folder.file("wave.vcd");
  const auto run = run_vernier(run_arguments({"systemc", "--format", "json", "--timeline", timeline,
                                              "--trace", waveform, "--window", "conv1"}));
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  const Json result = Json::parse(run.output);
  const Json& layer = result["layers"][0];
  REQUIRE(layer["name"] == "conv1");

  std::ifstream stream(timeline);
  const Json trace = Json::parse(stream);
  CHECK(trace["otherData"]["entries_left_out"] == 0);
  std::map<int, std::string> tracks;
  std::map<std::string, std::int64_t> busy;
  for (const Json& event : trace["traceEvents"]) {
    const std::string phase = event["ph"];
    REQUIRE((phase == "M" || phase == "X" || phase == "C" || phase == "b" || phase == "e"));
    if (phase == "M") tracks[event["tid"]] = event["args"]["name"];
    if (phase == "M") continue;
    CHECK(event["ts"].get<double>() >= 0.0);
    if (phase == "X") {
      CHECK(event["dur"].get<double>() >= 0.0);
      busy[tracks.at(event["tid"])] += event["args"]["cycles"].get<std::int64_t>();
    }
  }
  const Json& causes = layer["cycles_by_cause"];
  CHECK(busy["layers"] == layer["cycles"]);
  CHECK(busy["array or vector unit"] ==
        causes["compute"].get<std::int64_t>() + causes["port"].get<std::int64_t>());
  CHECK(busy["feeders (folds)"] == busy["array or vector unit"]);
  CHECK(busy["DRAM channel"] == layer["channel_busy_cycles"]);
  CHECK(std::filesystem::file_size(waveform) > 1000);
}

TEST_CASE("Wrong options of the clocked engine are refused", "[frontends][clocked]") {
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const auto wrong = GENERATE(values<Case>({
      {{"analytical", "--seed", "3"}, "--seed is for --engine systemc"},
      {{"analytical", "--timeline", "x.json"}, "--timeline is for --engine systemc"},
      {{"systemc", "--jobs", "2"}, "start several processes"},
      {{"systemc", "--tensor", "conv1.weight"}, "wanted is NAME=FILE.npy"},
      {{"systemc", "--tensor", "conv1.weight=/no/such.npy"}, "/no/such.npy: cannot be read"},
      {{"systemc", "--tensor", "conv1.weight=/dev/zero"}, "/dev/zero: cannot be read as a file"},
      {{"systemc", "--seed", "-1"}, "--seed -1"},
      {{"systemc", "--window", "conv1"}, "--window is for --trace and --timeline"},
      {{"systemc", "--trace", "/dev/null"}, "the file's name must end in .vcd"},
      {{"systemc", "--trace", "/no/such/wave.vcd"}, "--trace /no/such/wave.vcd: cannot be written"},
      {{"systemc", "--window", "conv_1", "--timeline", "/dev/null"}, "no layer 'conv_1'"},
      {{"verilator"}, "--engine verilator"},
  }));
  const auto run = run_vernier(run_arguments(wrong.arguments));
  CAPTURE(wrong.message, run.error);
  CHECK(run.exit_code == 2);
  CHECK(run.output.empty());
  CHECK_THAT(run.error, Catch::Contains(wrong.message));
}

}  // namespace vernier::tests
