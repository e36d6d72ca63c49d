// `dram: {model: timing, ...}` in a machine file.
#include <string>

#include <catch2/catch.hpp>

#include "dataflow/machine/machine.hpp"

namespace vernier::dataflow {
namespace {

using Catch::Contains;

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

Machine with_dram(const std::string& dram, const std::string& type = "LPDDR4") {
  return load_machine(kConfigs + "accelerators/edge_64x64_ws.yaml",
                      {"dram=" + dram, "energy.dram=" + type,
                       "energy.tables=[aladdin_45nm, cacti_45nm, dram_interface, dram_currents]"});
}

void fails_with(const std::string& dram, const std::string& message) {
  CAPTURE(dram);
  CHECK_THROWS_WITH(with_dram(dram), Contains(message));
}

}  // namespace

TEST_CASE("A machine file names a DRAM preset", "[dataflow][machine][dram]") {
  const Machine machine = with_dram(
      "{model: timing, preset: DDR4-2400, address_mapping: ro-ba-bg-ra-co-ch, policy: closed, "
      "channels: 2, ranks: 2, queue: 16}",
      "DDR4-2400");
  const memory::DramSpec& dram = machine.accelerator.spec().dram;
  REQUIRE(dram.timing);
  CHECK(dram.timing->preset.name == "DDR4-2400");
  CHECK(dram.timing->mapping.text() == "ro-ba-bg-ra-co-ch");
  CHECK(dram.timing->policy == memory::RowPolicy::kClosed);
  CHECK(dram.timing->channels == 2);
  CHECK(dram.timing->ranks == 2);
  CHECK(dram.timing->queue == 16);
  CHECK(dram.bandwidth.bits_per_cycle() > 580);  // 2 channels of 153.7 Gbit/s * 0.955 at 500 MHz
  const auto assumptions = dram_assumptions(machine.accelerator);
  REQUIRE(assumptions.size() == 1);
  CHECK_THAT(assumptions[0], Contains("1 - tRFC/tREFI (420/9364)") && Contains("DDR4-2400"));
  CHECK(machine.assumptions.empty());
  const Machine plain = with_dram("{bandwidth: 1 B/cycle, latency: 1 cycle}");
  CHECK(dram_assumptions(plain.accelerator).empty());
}

TEST_CASE("Energy figures of another DRAM than the preset's are said",
          "[dataflow][machine][dram]") {
  const Machine machine = with_dram("{model: timing, preset: DDR4-2400}");
  REQUIRE(machine.assumptions.size() == 1);
  CHECK_THAT(machine.assumptions[0], Contains("LPDDR4") && Contains("DDR4-2400"));
}

TEST_CASE("Keys of one DRAM model are refused by the other", "[dataflow][machine][dram]") {
  fails_with("{model: timing, preset: DDR4-2400, latency: 1 cycle}",
             "dram.latency: is for model: bandwidth");
  fails_with("{bandwidth: 1 B/cycle, latency: 1 cycle, policy: open}",
             "dram.policy: is for model: timing");
  fails_with("{model: timing}", "dram.preset: the key is missing");
  fails_with("{model: banks}", "dram.model: found 'banks'; allowed are bandwidth, timing");
  fails_with(
      "{model: timing, preset: DDR4-2401}",
      "there is no DRAM preset 'DDR4-2401'; known are DDR3-1600, DDR4-2400, DDR4-3200, HBM2, "
      "LPDDR3-1600, LPDDR4-3200; did you mean 'DDR4-2400'?");
  fails_with("{model: timing, preset: mine/none.yaml}", "cannot be opened");
  fails_with("{model: timing, preset: HBM2, policy: opened}", "dram.policy: found 'opened'");
  fails_with("{model: timing, preset: HBM2, address_mapping: ro-co}",
             "dram.address_mapping: found 'ro-co': 'ch' is missing");
  fails_with("{model: timing, preset: HBM2, ranks: 8}",
             "8 ranks of 16 banks; a channel has at most");
  fails_with("{model: timing, preset: HBM2, rows: 3}", "dram.rows: unknown key");
}

TEST_CASE("The format of both DRAM models is described", "[dataflow][machine][dram]") {
  bool has_preset = false;
  bool has_bandwidth = false;
  for (const ComponentDescription& part : describe_accelerator_format()) {
    for (const ParameterDescription& parameter : part.parameters) {
      has_preset = has_preset || parameter.key == "dram.preset";
      has_bandwidth = has_bandwidth || parameter.key == "dram.bandwidth";
    }
  }
  CHECK(has_preset);
  CHECK(has_bandwidth);
}

}  // namespace vernier::dataflow
