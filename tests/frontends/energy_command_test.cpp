// The command line around energy: explain, own tables, warnings, Accelergy's files, the manual.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/command_line.hpp"

namespace vernier::frontends {
namespace {

using Catch::Contains;
using tests::run_vernier;
using Json = nlohmann::json;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";
const std::string kMachine = kRoot + "configs/accelerators/bitfusion_16x32.yaml";
const std::string kModel = kRoot + "configs/models/resnet20.yaml";

// A folder that removes itself.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("vernier-energy-" + name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
  }

 private:
  std::filesystem::path path_;
};

double total_energy(const std::vector<std::string>& extra) {
  std::vector<std::string> arguments{"run", "-a", kMachine, "-m", kModel, "--format", "json"};
  arguments.insert(arguments.end(), extra.begin(), extra.end());
  const auto run = run_vernier(arguments);
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  return Json::parse(run.output)["total"]["energy_pj"].get<double>();
}

TEST_CASE("explain shows formula, terms and source of a price", "[frontends][cli][energy]") {
  const auto run = run_vernier({"explain", "-a", kMachine, "requantizer", "requantize"});
  CHECK(run.exit_code == 0);
  // 2 ns: 0.0858 + 9.55 / 2 + 0.407
  CHECK_THAT(run.output, Contains("requantize = 5.2678 pJ  [table aladdin_45nm]") &&
                             Contains("multiplier: 9.55 pJ (row of 2 ns) * (32 * 16) / 32^2") &&
                             Contains("shifter: 0.407 pJ") &&
                             Contains("source: accelergy-aladdin-plug-in data/shifter.csv") &&
                             Contains("area = "));
  CHECK_THAT(run.output, !Contains("\nmac:"));
  const auto wrong = run_vernier({"explain", "-a", kMachine, "requantiser"});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.error, Contains("did you mean 'requantizer'"));
  const auto action = run_vernier({"explain", "-a", kMachine, "input", "raed"});
  CHECK(action.exit_code == 2);
  CHECK_THAT(action.error, Contains("'input' has no action 'raed'; it has read, write, leak"));
}

TEST_CASE("explain answers for the whole machine, with every source", "[frontends][cli][energy]") {
  for (const char* machine : {"bitfusion_16x32", "eyeriss_sized_ws", "edge_64x64_ws"}) {
    const auto run = run_vernier({"explain", "-a", machine});
    INFO(machine << run.error);
    CHECK(run.exit_code == 0);
    CHECK_THAT(run.output, Contains("mac: ") && Contains("dram: ") && Contains("vector: "));
    CHECK_THAT(run.output, !Contains("source: \n"));
  }
}

TEST_CASE("An own table from the command line beats the machine's tables",
          "[frontends][cli][energy]") {
  const Folder folder("own");
  folder.write("cheap.yaml",
               "ERT: {version: 0.4, tables: [{name: dram, actions: [{name: read, energy: 0.0}, "
               "{name: write, energy: 0.0}]}]}\n");
  const auto run = run_vernier({"run", "-a", kMachine, "-m", kModel, "--format", "json",
                                "--energy-table", folder.file("cheap.yaml")});
  REQUIRE(run.exit_code == 0);
  const Json result = Json::parse(run.output);
  CHECK(result["total"]["energy_by_component_pj"]["dram"].get<double>() == 0.0);
  CHECK(result["total"]["energy_pj"].get<double>() < total_energy({}));
  const auto missing = run_vernier(
      {"run", "-a", kMachine, "-m", kModel, "--energy-table", folder.file("absent.yaml")});
  CHECK(missing.exit_code == 2);
  CHECK_THAT(missing.error, Contains("absent.yaml: cannot be opened"));
}

TEST_CASE("Mixing two sources' MAC and SRAM warns on standard error and in the result",
          "[frontends][cli][energy]") {
  const auto run = run_vernier({"run", "-a", kMachine, "-m", kModel, "--format", "json", "--set",
                                "energy.tables=[aladdin_45nm, cacti_45nm, dram_interface]"});
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.error, Contains("vernier: warning: the MAC unit is priced by figures of "
                                 "'aladdin_45nm', the memory 'input' by figures of 'bitfusion'"));
  CHECK(Json::parse(run.output)["warnings"].size() == 1);
  const auto plain = run_vernier({"run", "-a", kMachine, "-m", kModel, "--format", "json"});
  CHECK(plain.error.find("warning") == std::string::npos);
  CHECK(Json::parse(plain.output)["warnings"].empty());
}

TEST_CASE("Accelergy's files are written and price the machine again", "[frontends][cli][energy]") {
  const Folder folder("accelergy");
  const double before = total_energy({"--accelergy-output", folder.file("out")});
  for (const char* name : {"ERT.yaml", "ART.yaml", "action_counts.yaml"}) {
    CHECK(std::filesystem::exists(folder.file("out/") + name));
  }
  const double after = total_energy({"--energy-table", folder.file("out/ERT.yaml"),
                                     "--energy-table", folder.file("out/ART.yaml")});
  CHECK(after == Approx(before).epsilon(1e-12));
  const auto blocked = run_vernier(
      {"run", "-a", kMachine, "-m", kModel, "--accelergy-output", folder.file("out/ERT.yaml")});
  CHECK(blocked.exit_code == 2);
}

TEST_CASE("DRAM by currents adds its background to the run", "[frontends][cli][energy]") {
  const auto run =
      run_vernier({"run", "-a", kMachine, "-m", kModel, "--format", "json", "--set",
                   "energy.dram=DDR4-2400", "--set", "energy.tables[3]=dram_currents"});
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  const Json total = Json::parse(run.output)["total"];
  double standing = 0.0;
  for (const Json& entry : total["activity"]) {
    if (entry["component"] == "dram" && entry["action"] == "leak") {
      CHECK(entry["count"] == total["cycles"]);
      standing = entry["energy_pj"].get<double>();
    }
  }
  // Per cycle of 2 ns: 8 devices * 1.2 V * (43 mA + (250 - 43) mA * 420 / 9364)
  const double per_cycle = 8 * 1.2 * 2 * (43 + 207.0 * 420 / 9364);
  CHECK(standing == Approx(per_cycle * total["cycles"].get<double>()).epsilon(1e-9));
}

TEST_CASE("An architecture of Accelergy runs and says what was assumed",
          "[frontends][cli][energy]") {
  const Folder folder("architecture");
  folder.write("arch.yaml", R"(architecture:
  version: 0.4
  nodes:
  - !Container {name: tiny, attributes: {technology: "45nm", global_cycle_seconds: 5e-9}}
  - !Component {name: dram, class: DRAM, attributes: {type: LPDDR4, width: 64, datawidth: 8}}
  - !Component
    name: glb
    class: SRAM
    attributes: {depth: 16384, width: 64, datawidth: 8, n_banks: 16}
  - !Container {name: pe, spatial: {meshX: 8, meshY: 8}}
  - !Component {name: mac, class: intmac, attributes: {multiplier_width: 8, adder_width: 32}}
)");
  const auto run =
      run_vernier({"run", "-a", folder.file("arch.yaml"), "-m", "resnet20", "--format", "json"});
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.error, Contains("assumed: output_stationary") &&
                            Contains("assumed: DRAM: one access of its width per cycle"));
  const Json result = Json::parse(run.output);
  CHECK(result["machine"]["array"]["rows"] == 8);
  CHECK(result["assumptions"].size() >= 6);
}

TEST_CASE("check knows Accelergy's files", "[frontends][cli][energy]") {
  const auto good = run_vernier({"check", kRoot + "configs/energy/eyeriss_like_32nm.yaml",
                                 kRoot + "configs/energy/smart_buffer_45nm.yaml",
                                 kRoot + "configs/energy/psma_28nm.yaml"});
  INFO(good.error);
  CHECK(good.exit_code == 0);
  CHECK_THAT(good.output, Contains("energy table 'eyeriss_like_32nm', stated accuracy 95 %") &&
                              Contains("energy table 'smart_buffer_45nm'") &&
                              Contains("energy table 'psma_28nm', stated accuracy 90 %"));
}

TEST_CASE("A shipped file may be named without path and ending", "[frontends][cli]") {
  const auto named = run_vernier({"run", "-a", "bitfusion_16x32", "-m", "resnet20"});
  const auto by_path = run_vernier({"run", "-a", kMachine, "-m", kModel});
  REQUIRE(named.exit_code == 0);
  CHECK(named.output == by_path.output);
  const auto wrong = run_vernier({"run", "-a", "bitfusion_16x23", "-m", "resnet20"});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.error, Contains("none of the shipped accelerators has that name") &&
                              Contains("did you mean 'bitfusion_16x32'"));
}

TEST_CASE("The manual is generated from the command definitions", "[frontends][cli]") {
  const auto man = run_vernier({"manual"});
  CHECK(man.exit_code == 0);
  CHECK_THAT(man.output, Catch::StartsWith(".TH VERNIER 1"));
  const auto help = run_vernier({"--help"});
  for (const char* verb : {"run", "check", "describe", "explain", "scalesim", "validate"}) {
    CHECK_THAT(man.output, Contains(std::string("\n.SS ") + verb + "\n"));
    CHECK_THAT(help.output, Contains(verb));
  }
  CHECK_THAT(man.output, Contains("\\-\\-accelergy\\-output"));
  const auto bash = run_vernier({"manual", "bash"});
  CHECK_THAT(bash.output, Contains("complete -o filenames -F _vernier vernier") &&
                              Contains("run) options=\"") && Contains("--energy-table"));
}

}  // namespace
}  // namespace vernier::frontends
