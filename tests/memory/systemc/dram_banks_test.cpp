// Every distance between two commands from both sides: legal at n, not at n-1. The numbers are
// those of the datasheets (DRAMsim3 configurations, Ramulator for LPDDR4), written down here once
// more.
#include "memory/systemc/dram_banks.hpp"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"
#include "tests/support/dram_presets.hpp"

namespace vernier::tests {
namespace {

using memory::DramBanks;
using memory::DramCommand;
using memory::DramTimingSpec;

struct Datasheet {
  std::string name;
  std::int64_t cl, cwl, rcd, rp, rp_all, ras, rc, rrd_s, rrd_l, faw, ccd_s, ccd_l, wtr_s, wtr_l;
  std::int64_t rtp, wr, rfc, burst_cycles, groups;
};

// CL of LPDDR4 with its tDQSCK of 3. HBM2: tCCD_S is 1, but a burst takes 2 cycles on the bus.
const Datasheet kSheets[] = {
    {"DDR3-1600", 11, 8, 11, 11, 11, 28, 39, 6, 6, 32, 4, 4, 6, 6, 6, 12, 280, 4, 1},
    {"DDR4-2400", 16, 16, 16, 16, 16, 39, 55, 4, 6, 26, 4, 6, 3, 9, 9, 19, 420, 4, 4},
    {"DDR4-3200", 22, 16, 22, 22, 22, 52, 74, 4, 8, 34, 4, 8, 4, 12, 12, 24, 560, 4, 4},
    {"LPDDR3-1600", 12, 9, 15, 15, 15, 34, 49, 8, 8, 40, 4, 4, 6, 6, 6, 12, 168, 4, 1},
    {"HBM2", 14, 4, 14, 14, 14, 34, 48, 4, 6, 30, 2, 2, 6, 8, 6, 16, 260, 2, 4},
    {"LPDDR4-3200", 35, 18, 29, 27, 32, 68, 95, 16, 16, 64, 8, 8, 16, 16, 14, 28, 288, 8, 1},
};
constexpr std::int64_t kTurnaround = 2;
constexpr std::int64_t kRankGap = 2;
constexpr std::int64_t kRow = 5;
// Long after everything before it.
constexpr std::int64_t kLate = 5000;

// The command is refused a cycle too early and taken at its time.
void legal_from(const DramBanks& banks, DramCommand command, std::int64_t bank,
                std::int64_t cycle) {
  CHECK(banks.earliest(command, bank) == cycle);
  DramBanks early = banks;
  CHECK_THROWS_AS(early.issue(command, bank, kRow, cycle - 1), InternalError);
  DramBanks exact = banks;
  CHECK_NOTHROW(exact.issue(command, bank, kRow, cycle));
}

DramBanks with_open(const DramTimingSpec& spec, std::initializer_list<std::int64_t> banks) {
  DramBanks state(spec);
  std::int64_t cycle = 0;
  for (const std::int64_t bank : banks) {
    cycle = std::max(cycle, state.earliest(DramCommand::kActivate, bank));
    state.issue(DramCommand::kActivate, bank, kRow, cycle);
  }
  return state;
}

template <typename Check>
void for_each_sheet(const Check& check) {
  for (const Datasheet& sheet : kSheets) {
    CAPTURE(sheet.name);
    const DramTimingSpec spec = dram_spec(sheet.name);
    REQUIRE(spec.preset.bank_groups == sheet.groups);
    check(sheet, spec);
  }
}

// A bank of another group than bank 0; without groups just another one.
std::int64_t far_bank(const DramTimingSpec& spec) {
  return spec.preset.bank_groups > 1 ? spec.preset.banks_per_group : 2;
}

}  // namespace

TEST_CASE("A row is open tRCD after its activate and closes after tRAS", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, const DramTimingSpec& spec) {
    const DramBanks banks = with_open(spec, {0});
    legal_from(banks, DramCommand::kRead, 0, sheet.rcd);
    legal_from(banks, DramCommand::kWrite, 0, sheet.rcd);
    legal_from(banks, DramCommand::kPrecharge, 0, sheet.ras);
    legal_from(banks, DramCommand::kPrechargeAll, 0, sheet.ras);
  });
}

TEST_CASE("A bank is activated again after tRC and tRP", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, const DramTimingSpec& spec) {
    DramBanks soon = with_open(spec, {0});
    soon.issue(DramCommand::kPrecharge, 0, 0, sheet.ras);
    legal_from(soon, DramCommand::kActivate, 0, sheet.rc);  // tRAS + tRP = tRC in all presets
    DramBanks late = with_open(spec, {0});
    late.issue(DramCommand::kPrecharge, 0, 0, kLate);
    legal_from(late, DramCommand::kActivate, 0, kLate + sheet.rp);
    legal_from(late, DramCommand::kRefresh, 0, kLate + sheet.rp);
    DramBanks all = with_open(spec, {0, 1});
    all.issue(DramCommand::kPrechargeAll, 0, 0, kLate);
    legal_from(all, DramCommand::kActivate, 1, kLate + sheet.rp_all);
    legal_from(all, DramCommand::kRefresh, 0, kLate + sheet.rp_all);
  });
}

TEST_CASE("A tRC beyond tRAS and tRP holds for itself", "[memory][dram]") {
  DramTimingSpec spec = dram_spec("DDR3-1600");
  spec.preset.cycles.rc = 45;  // tRAS + tRP = 39
  DramBanks banks = with_open(spec, {0});
  banks.issue(DramCommand::kPrecharge, 0, 0, 28);
  legal_from(banks, DramCommand::kActivate, 0, 45);
}

TEST_CASE("Activates of a rank keep tRRD and tFAW", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, const DramTimingSpec& spec) {
    const DramBanks one = with_open(spec, {0});
    legal_from(one, DramCommand::kActivate, 1, sheet.rrd_l);
    legal_from(one, DramCommand::kActivate, far_bank(spec), sheet.rrd_s);
    // Four at tRRD_S; the fifth waits for the window, which opens with the first at 0.
    const std::int64_t step = sheet.groups > 1 ? spec.preset.banks_per_group : 1;
    const DramBanks four = with_open(spec, {0, step, 2 * step, 3 * step});
    const std::int64_t fifth = sheet.groups > 1 ? 1 : 4;
    legal_from(four, DramCommand::kActivate, fifth, sheet.faw);
    CHECK(sheet.faw >= 4 * sheet.rrd_s);  // LPDDR4: equal, both edges at once
  });
}

TEST_CASE("Bursts of one kind keep tCCD", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, const DramTimingSpec& spec) {
    const std::int64_t far = far_bank(spec);
    for (const DramCommand kind : {DramCommand::kRead, DramCommand::kWrite}) {
      DramBanks banks = with_open(spec, {0, 1, far});
      banks.issue(kind, 0, 0, kLate);
      legal_from(banks, kind, 1, kLate + sheet.ccd_l);
      legal_from(banks, kind, far, kLate + sheet.ccd_s);
    }
  });
}

TEST_CASE("The data bus turns around between reads and writes", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, const DramTimingSpec& spec) {
    const std::int64_t far = far_bank(spec);
    DramBanks read = with_open(spec, {0, 1, far});
    read.issue(DramCommand::kRead, 0, 0, kLate);
    const std::int64_t write_from = kLate + sheet.cl + sheet.burst_cycles + kTurnaround - sheet.cwl;
    legal_from(read, DramCommand::kWrite, 1, write_from);
    legal_from(read, DramCommand::kWrite, far, write_from);
    DramBanks write = with_open(spec, {0, 1, far});
    write.issue(DramCommand::kWrite, 0, 0, kLate);
    const std::int64_t data_end = kLate + sheet.cwl + sheet.burst_cycles;
    legal_from(write, DramCommand::kRead, 1, data_end + sheet.wtr_l);
    legal_from(write, DramCommand::kRead, far, data_end + sheet.wtr_s);
  });
}

TEST_CASE("A row closes tRTP after a read and tWR after written data", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, const DramTimingSpec& spec) {
    DramBanks read = with_open(spec, {0});
    read.issue(DramCommand::kRead, 0, 0, kLate);
    legal_from(read, DramCommand::kPrecharge, 0, kLate + sheet.rtp);
    DramBanks write = with_open(spec, {0});
    write.issue(DramCommand::kWrite, 0, 0, kLate);
    const std::int64_t closes = kLate + sheet.cwl + sheet.burst_cycles + sheet.wr;
    legal_from(write, DramCommand::kPrecharge, 0, closes);
    // With auto-precharge the next activate comes tRP after that moment.
    DramBanks read_close = with_open(spec, {0});
    read_close.issue(DramCommand::kReadClose, 0, 0, kLate);
    CHECK(read_close.open_row(0) == DramBanks::kClosed);
    legal_from(read_close, DramCommand::kActivate, 0, kLate + sheet.rtp + sheet.rp);
    DramBanks write_close = with_open(spec, {0});
    write_close.issue(DramCommand::kWriteClose, 0, 0, kLate);
    legal_from(write_close, DramCommand::kActivate, 0, closes + sheet.rp);
    // An early read does not close the row before tRAS.
    DramBanks early = with_open(spec, {0});
    early.issue(DramCommand::kReadClose, 0, 0, sheet.rcd);
    const std::int64_t closed = std::max(sheet.ras, sheet.rcd + sheet.rtp);
    legal_from(early, DramCommand::kActivate, 0, std::max(sheet.rc, closed + sheet.rp));
  });
}

TEST_CASE("A refreshed rank sleeps for tRFC", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, const DramTimingSpec& spec) {
    DramBanks banks(spec);
    banks.issue(DramCommand::kRefresh, 0, 0, kLate);
    legal_from(banks, DramCommand::kActivate, 3, kLate + sheet.rfc);
    legal_from(banks, DramCommand::kRefresh, 0, kLate + sheet.rfc);
    DramBanks open = with_open(spec, {0});
    CHECK_THROWS_AS(open.issue(DramCommand::kRefresh, 0, 0, kLate), InternalError);
  });
}

TEST_CASE("Two ranks share commands and data bus and nothing else", "[memory][dram]") {
  for_each_sheet([](const Datasheet& sheet, DramTimingSpec spec) {
    spec.ranks = 2;
    const std::int64_t other = spec.preset.banks();
    const DramBanks opened = with_open(spec, {0});
    legal_from(opened, DramCommand::kActivate, other, 1);  // one command per cycle
    const DramBanks both = with_open(spec, {0, other});
    DramBanks read = both;
    read.issue(DramCommand::kRead, 0, 0, kLate);
    legal_from(read, DramCommand::kRead, other, kLate + sheet.burst_cycles + kRankGap);
    legal_from(read, DramCommand::kWrite, other,
               kLate + sheet.cl + sheet.burst_cycles + kRankGap - sheet.cwl);
    DramBanks write = both;
    write.issue(DramCommand::kWrite, 0, 0, kLate);
    legal_from(write, DramCommand::kWrite, other, kLate + sheet.burst_cycles + kRankGap);
    legal_from(
        write, DramCommand::kRead, other,
        kLate + std::max<std::int64_t>(1, sheet.cwl + sheet.burst_cycles + kRankGap - sheet.cl));
    DramBanks refreshed(spec);
    refreshed.issue(DramCommand::kRefresh, 0, 0, kLate);
    legal_from(refreshed, DramCommand::kActivate, other, kLate + 1);
  });
}

}  // namespace vernier::tests
