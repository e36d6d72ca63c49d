// Timeloop's charge rule on all level-and-tensor entries of the reference runs.
#include "energy/timeloop_charge.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "arch/base/yaml.hpp"
#include "tests/support/shared_data.hpp"

namespace vernier::energy {
namespace {

using Table = std::map<std::string, std::map<std::string, double>>;

double number(const YamlNode& node, const char* key) {
  const YamlNode* value = node.find(key);
  REQUIRE(value != nullptr);
  return std::stod(value->scalar);
}
std::int64_t count(const YamlNode& node, const char* key) {
  return static_cast<std::int64_t>(number(node, key));
}

LevelAccesses accesses_of(const YamlNode& entry) {
  return {count(entry, "instances"), count(entry, "reads_per_instance"),
          count(entry, "fills_per_instance"), count(entry, "updates_per_instance")};
}
LevelEnergies energies_of(const std::map<std::string, double>& actions) {
  return {Picojoules(actions.at("read")), Picojoules(actions.at("write")),
          Picojoules(actions.at("update"))};
}

// The references print two digits behind the point.
constexpr double kPrinted = 0.005 + 1e-6;

struct Outcome {
  int entries = 0;
  double worst = 0.0;
  void add(Picojoules found, double printed) {
    ++entries;
    worst = std::max(worst, std::abs(found.count() - printed));
  }
};

TEST_CASE("An access that ends inside a block pays for the whole block", "[energy][timeloop]") {
  const LevelEnergies energies{Picojoules(8), Picojoules(6), Picojoules(4)};
  // 18 words of blocks of 8: 3 accesses each.
  CHECK(timeloop_charge({1, 18, 0, 0}, energies, 8).count() == 24.0);
  CHECK(timeloop_charge({2, 16, 8, 1}, energies, 8).count() == 2 * (16.0 + 6.0 + 4.0));
  CHECK(timeloop_charge({1, 0, 0, 0}, energies, 8).count() == 0.0);
  CHECK(timeloop_leakage(Picojoules(0.5), 10, 4).count() == 20.0);
  CHECK_THROWS_AS(timeloop_charge({1, 1, 0, 0}, energies, 0), ConfigError);
  CHECK_THROWS_AS(timeloop_charge({1, -1, 0, 0}, energies, 1), ConfigError);
}

TEST_CASE("Energies of the Eyeriss-like runs come out as printed, level by level",
          "[energy][timeloop]") {
  const auto ert_file = tests::shared_file("timeloop/ert_art_eyeriss_like_16b_65nm.csv");
  if (!ert_file) return;
  Table ert;
  for (const auto& row : tests::read_csv(*ert_file)) {
    ert[row.at("component")][row.at("action")] = std::stod(row.at("energy_pJ_per_vector_access"));
  }
  const std::map<std::string, std::int64_t> block{
      {"DRAM", 4}, {"shared_glb", 4}, {"ifmap_spad", 1}, {"weights_spad", 1}, {"psum_spad", 1}};
  Outcome charge;
  Outcome leakage;
  Outcome compute;
  for (const char* name :
       {"timeloop/eyeriss_like_12x14_16b.yaml", "timeloop/eyeriss_like_12x14_16b_best6000.yaml"}) {
    const YamlNode root = load_yaml(*tests::shared_file(name));
    for (const YamlNode& run : root.find("cases")->items) {
      INFO(name << " " << run.find("case")->scalar);
      for (const auto& [level, values] : run.find("levels")->entries) {
        const YamlNode* tensors = values.find("dataspaces");
        if (tensors == nullptr) {
          compute.add(Picojoules(ert.at(level).at("compute") * number(run, "computes")),
                      number(values, "energy_pJ"));
          continue;
        }
        std::int64_t instances = 0;
        for (const auto& [tensor, entry] : tensors->entries) {
          INFO(level << " " << tensor);
          charge.add(
              timeloop_charge(accesses_of(entry), energies_of(ert.at(level)), block.at(level)),
              number(entry, "energy_total_pJ"));
          CHECK(charge.worst <= kPrinted);
          instances = std::max(instances, count(entry, "instances"));
        }
        leakage.add(
            timeloop_leakage(Picojoules(ert.at(level).at("leak")), count(run, "cycles"), instances),
            number(values, "leakage_pJ"));
        CHECK(leakage.worst <= kPrinted);
      }
    }
  }
  CHECK(charge.entries == 136);
  CHECK(compute.entries == 17);
  CHECK(leakage.entries > 80);
  CHECK(compute.worst <= kPrinted);
}

TEST_CASE("Energies of the authors' own results come out as printed", "[energy][timeloop]") {
  const auto file = tests::shared_file("timeloop/authors_reference_outputs.yaml");
  if (!file) return;
  const YamlNode root = load_yaml(*file);
  Outcome charge;
  for (const YamlNode& run : root.find("cases")->items) {
    std::map<std::string, std::int64_t> block;
    for (const YamlNode& level : run.find("levels_outer_first")->items) {
      const std::string& name = level.find("name")->scalar;
      if (level.find("datawidth") == nullptr) continue;
      block[name.substr(0, name.find('['))] = count(level, "width") / count(level, "datawidth");
    }
    Table ert;
    for (const auto& [level, actions] : run.find("ert_pJ")->entries) {
      for (const auto& [action, energy] : actions.entries) {
        ert[level][action] = std::stod(energy.scalar);
      }
    }
    for (const auto& [level, tensors] : run.find("levels")->entries) {
      for (const auto& [tensor, entry] : tensors.entries) {
        INFO(run.find("case")->scalar << " " << level << " " << tensor);
        charge.add(timeloop_charge(accesses_of(entry), energies_of(ert.at(level)), block.at(level)),
                   number(entry, "energy_total_pJ"));
        CHECK(charge.worst <= kPrinted);
      }
    }
  }
  CHECK(charge.entries == 66);
}

}  // namespace
}  // namespace vernier::energy
