// `dram: {model: timing}` as a user runs it with either engine.
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/command_line.hpp"

namespace vernier::tests {
namespace {

using Json = nlohmann::json;

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

std::vector<std::string> arguments(const std::string& engine, const std::string& preset) {
  return {"run",
          "-a",
          kConfigs + "accelerators/bitfusion_16x32.yaml",
          "-m",
          kConfigs + "models/resnet20.yaml",
          "-b",
          "w=4,a=8",
          "--layer",
          "conv1",
          "--set",
          "dram={model: timing, preset: " + preset + "}",
          "--engine",
          engine,
          "--format",
          "json"};
}

}  // namespace

TEST_CASE("The analytical engine says what it assumes of DRAM with banks", "[frontends][dram]") {
  const auto analytical = run_vernier(arguments("analytical", "LPDDR4-3200"));
  CAPTURE(analytical.error);
  REQUIRE(analytical.exit_code == 0);
  CHECK_THAT(analytical.error,
             Catch::Contains("vernier: assumed: DRAM LPDDR4-3200 is not simulated"));
  const Json json = Json::parse(analytical.output);
  CHECK_THAT(json["assumptions"].dump(), Catch::Contains("1 - tRFC/tREFI (288/6246)"));
  const Json& dram = json["machine"]["dram"];
  CHECK(dram["model"] == "timing");
  CHECK(dram["preset"] == "LPDDR4-3200");
  CHECK(dram["address_mapping"] == "ro-ra-ba-co-bg-ch");
  CHECK(dram["policy"] == "open");
}

TEST_CASE("The clocked engine simulates DRAM with banks and assumes nothing", "[frontends][dram]") {
  const auto clocked = run_vernier(arguments("systemc", "LPDDR4-3200"));
  CAPTURE(clocked.error);
  REQUIRE(clocked.exit_code == 0);
  CHECK_THAT(clocked.error, !Catch::Contains("not simulated"));
  const Json json = Json::parse(clocked.output);
  bool opens_rows = false;
  for (const Json& entry : json["total"]["activity"]) {
    opens_rows = opens_rows || (entry["component"] == "dram" && entry["action"] == "activate_row" &&
                                entry["count"] > 0);
  }
  CHECK(opens_rows);
}

TEST_CASE("An unknown preset is named with the known ones", "[frontends][dram]") {
  const auto result = run_vernier(arguments("systemc", "LPDDR4-3201"));
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.error, Catch::Contains("dram.preset: there is no DRAM preset 'LPDDR4-3201'") &&
                               Catch::Contains("did you mean 'LPDDR4-3200'?"));
}

}  // namespace vernier::tests
