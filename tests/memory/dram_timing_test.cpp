#include "memory/dram_timing.hpp"

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "memory/spec.hpp"
#include "tests/support/dram_presets.hpp"
#include "tests/support/shared_data.hpp"

namespace vernier::memory {
namespace {

using Catch::Contains;

const std::string kGood = R"(name: mine
source: a datasheet
clock: 1.25 ns
organization: {bus: 64 bit, burst: 8, bank_groups: 1, banks_per_group: 8, rows: 16, columns: 64}
timing: {CL: 11, CWL: 8, tRCD: 11, tRP: 11, tRAS: 28, tRRD_S: 6, tRRD_L: 6, tFAW: 32, tCCD_S: 4,
  tCCD_L: 4, tWTR_S: 6, tWTR_L: 6, tRTP: 6, tWR: 12, tRFC: 280, tREFI: 6240, turnaround: 2, tRTRS: 2}
)";

DramPreset preset(const std::string& text) { return read_dram_preset(parse_yaml(text, "p.yaml")); }

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// A number of a row of the reference file, by key, wherever it stands in the row.
std::int64_t number(const YamlNode& row, const std::string& key) {
  for (const char* part : {"", "organization", "timing_cycles"}) {
    const YamlNode* place = *part == '\0' ? &row : row.find(part);
    const YamlNode* found = place == nullptr ? nullptr : place->find(key);
    if (found != nullptr) return integer_of(*found).value();
  }
  FAIL("the reference row has no " << key);
  return 0;
}

}  // namespace

TEST_CASE("The DRAM presets hold the numbers of their sources", "[memory][dram]") {
  const auto path = tests::shared_file("data/dram_timings.yaml");
  if (!path) return;
  const YamlNode data = load_yaml(*path);
  const auto row = [&](const char* list, const std::string& name) -> const YamlNode& {
    for (const YamlNode& item : data.find(list)->items) {
      if (item.find("name")->scalar.rfind(name, 0) == 0) return item;
    }
    throw ConfigError("no row " + name);
  };
  for (const std::string& name : tests::dram_preset_names()) {
    CAPTURE(name);
    const DramPreset given = tests::dram_spec(name).preset;
    const DramCycles& t = given.cycles;
    if (name == "LPDDR4-3200") {
      const YamlNode& source = row("ramulator", "LPDDR4-3200");
      const std::map<std::string, std::int64_t> cycles{{"nCL", t.cl},
                                                       {"nDQSCK", t.dqsck},
                                                       {"nCWL", t.cwl},
                                                       {"nRCD", t.rcd},
                                                       {"nRPpb", t.rp},
                                                       {"nRPab", t.rp_all},
                                                       {"nRAS", t.ras},
                                                       {"nRC", t.rc},
                                                       {"nRRD", t.rrd_s},
                                                       {"nFAW", t.faw},
                                                       {"nCCD", t.ccd_s},
                                                       {"nWTR", t.wtr_s},
                                                       {"nRTP", t.rtp},
                                                       {"nWR", t.wr},
                                                       {"nRTRS", t.rtrs},
                                                       {"nBL", given.burst_cycles()},
                                                       {"banks", given.banks()},
                                                       {"channel_width", given.bus_bits},
                                                       {"columns", given.columns}};
      for (const auto& [key, value] : cycles) CHECK(number(source, key) == value);
      continue;
    }
    const YamlNode& source = row("dramsim3", name);
    const std::map<std::string, std::int64_t> cycles{{"CL", t.cl},
                                                     {"CWL", t.cwl},
                                                     {"tRCD", t.rcd},
                                                     {"tRP", t.rp},
                                                     {"tRAS", t.ras},
                                                     {"tRFC", t.rfc},
                                                     {"tREFI", t.refi},
                                                     {"tRRD_S", t.rrd_s},
                                                     {"tRRD_L", t.rrd_l},
                                                     {"tWTR_S", t.wtr_s},
                                                     {"tWTR_L", t.wtr_l},
                                                     {"tFAW", t.faw},
                                                     {"tWR", t.wr},
                                                     {"tCCD_S", t.ccd_s},
                                                     {"tCCD_L", t.ccd_l},
                                                     {"rows", given.rows},
                                                     {"columns", given.columns},
                                                     {"bankgroups", given.bank_groups},
                                                     {"banks_per_group", given.banks_per_group},
                                                     {"BL", given.burst},
                                                     {"bus_width", given.bus_bits}};
    for (const auto& [key, value] : cycles) CHECK(number(source, key) == value);
    CHECK(t.rc == t.ras + t.rp);
    CHECK(parse_nanoseconds(source.find("timing_cycles")->find("tCK_ns")->scalar + " ns").count() *
              1000 ==
          Approx(static_cast<double>(given.clock_ps)));
  }
  CHECK(tests::dram_spec("DDR4-2400").preset.cycles.rtp == 9);
  CHECK(tests::dram_spec("HBM2").preset.cycles.rtp == 6);
}

TEST_CASE("A preset file is read strictly", "[memory][dram]") {
  CHECK(preset(kGood).cycles.rc == 39);  // tRAS + tRP, as nothing else is stated
  CHECK(preset(kGood).row_bits() == 4096);
  const auto fails = [](const std::string& from, const std::string& to, const std::string& what) {
    CAPTURE(to);
    CHECK_THROWS_WITH(preset(changed(kGood, from, to)), Contains(what));
  };
  fails("tRCD: 11, ", "", "p.yaml:5: timing.tRCD: the key is missing");
  fails("tRCD", "tRCd", "timing.tRCd: unknown key; did you mean 'tRCD'?");
  fails("tRCD: 11", "tRCD: 0", "timing.tRCD");
  fails("tREFI: 6240", "tREFI: 319", "must be more than tRAS + tRP_all + tRFC = 319");
  fails("tCCD_L: 4", "tCCD_L: 3", "an _L is less than its _S");
  fails("burst: 8", "burst: 7", "must be even");
  fails("columns: 64", "columns: 60", "60 are not whole bursts of 8");
  fails("1.25 ns", "1.2505 ns", "whole picoseconds");
  fails("banks_per_group: 8", "banks_per_group: 64, ranks: 2", "organization.ranks: unknown key");
  fails("source: a", "sources: {tRCd: x}\nsource: a", "no such number; did you mean 'tRCD'?");
  CHECK_NOTHROW(preset(changed(kGood, "tREFI: 6240", "tREFI: 320")));
}

TEST_CASE("An address mapping names each part once", "[memory][dram]") {
  CHECK(AddressMapping::parse("ro-ba-bg-ra-co-ch").text() == "ro-ba-bg-ra-co-ch");
  const auto fails = [](const std::string& text, const std::string& what) {
    CHECK_THROWS_WITH(AddressMapping::parse(text), Contains(what));
  };
  fails("ro-ba-bg-ra-co", "'ch' is missing");
  fails("ro-ba-bg-ra-co-ro", "'ro' stands twice");
  fails("ro-ba-bg-ra-co-cx", "'cx' is no part of an address");
  fails("robabgracoch", "wanted is each of ch, ra, bg, ba, ro, co once");
  fails("", "is no part");
  fails("ro-ba-bg-ra-co-ch-", "'' is no part");
}

TEST_CASE("The ratio of two clocks is exact", "[memory][dram]") {
  const DramPreset ddr4 = tests::dram_spec("DDR4-2400").preset;
  const ClockRatio ratio = ClockRatio::of(ddr4, Hertz(500'000'000));  // 0.833 ns in 2 ns
  CHECK(ratio.core == 833);
  CHECK(ratio.dram == 2000);
  CHECK(ratio.core_ceil(2000) == 833);
  CHECK(ratio.core_ceil(2001) == 834);
  CHECK(ratio.core_after(2000) == 834);  // on the edge: the next one
  CHECK(ratio.core_after(1999) == 833);
  CHECK(ratio.dram_ceil(833) == 2000);
  CHECK(ratio.dram_ceil(834) == 2003);  // 2002.4
  // No overflow where the product has 70 bits.
  const ClockRatio odd = ClockRatio::of(ddr4, Hertz(123'456'789));
  CHECK(odd.dram_ceil(odd.core_ceil(10'000'000'000)) >= 10'000'000'000);
}

TEST_CASE("The effective bandwidth is the peak but for refresh", "[memory][dram]") {
  DramTimingSpec spec = tests::dram_spec("DDR3-1600");
  const DramSpec dram = DramSpec::with_timing(spec, Hertz(1'000'000'000));
  // 128 bit / 1.25 ns = 102.4 Gbit/s; times (6240 - 280) / 6240 = 97805.1 Mbit/s.
  CHECK(dram.bandwidth.bits_per_cycle() == Approx(97.805).epsilon(1e-12));
  CHECK(dram.latency == Cycles(28));  // 22 cycles of 1.25 ns = 27.5 ns
  spec.channels = 2;
  CHECK(effective_bandwidth(spec, Hertz(1'000'000'000)).bits_per_cycle() ==
        Approx(195.61).epsilon(1e-12));
  CHECK(spec.capacity_bytes() == std::int64_t{2} * 8 * 65536 * 2048 * 8);
  CHECK(streamed_activations(spec, 131072) == 1);
  CHECK(streamed_activations(spec, 131073) == 2);
  CHECK(elapsed_refreshes(spec, 7799, Hertz(1'000'000'000)) == 0);
  CHECK(elapsed_refreshes(spec, 7800, Hertz(1'000'000'000)) == 2);  // 6240 * 1.25, two channels
}

}  // namespace vernier::memory
