// What the controller of one channel issues, and when. DDR4-2400 unless said: tRCD 16, tRP 16, CL
// 16, a burst 4, tRAS 39, tRTP 9, tCCD_S 4, tCCD_L 6, CWL 16, tWTR_S 3, tWTR_L 9, tRFC 420, tREFI
// 9364.
#include "memory/systemc/dram_scheduler.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/dram_presets.hpp"

namespace vernier::tests {
namespace {

using memory::DramBurst;
using memory::DramCommand;
using memory::DramScheduler;
using memory::DramTimingSpec;
using memory::RowPolicy;
using memory::ScheduledCommand;

constexpr std::int64_t kReadEnd = 20;  // CL + BL/2

struct Channel {
  explicit Channel(const DramTimingSpec& given) : spec(given), scheduler(given) {}

  void read(std::int64_t cycle, std::int64_t bank, std::int64_t row) {
    run_before(cycle);
    scheduler.push({bank, row, false, requests++}, cycle);
  }
  void write(std::int64_t cycle, std::int64_t bank, std::int64_t row) {
    run_before(cycle);
    scheduler.push({bank, row, true, requests++}, cycle);
  }
  /// Issues until nothing waits.
  void finish() {
    while (!scheduler.is_empty()) step();
  }
  void run_before(std::int64_t cycle) {
    while (scheduler.next().cycle < cycle) step();
  }
  void step() {
    trace.push_back(scheduler.next());
    if (const auto served = scheduler.issue()) {
      CHECK(ends.emplace(served->request, served->data_end).second);
      last_end = std::max(last_end, served->data_end);
    }
  }
  [[nodiscard]] std::vector<std::int64_t> cycles(DramCommand command) const {
    std::vector<std::int64_t> result;
    for (const ScheduledCommand& issued : trace) {
      if (issued.command == command) result.push_back(issued.cycle);
    }
    return result;
  }

  DramTimingSpec spec;
  DramScheduler scheduler;
  std::int64_t requests = 0;
  std::map<std::int64_t, std::int64_t> ends;  ///< data of each request
  std::vector<ScheduledCommand> trace;
  std::int64_t last_end = 0;
};

Channel ddr4() { return Channel(dram_spec("DDR4-2400")); }
using Times = std::vector<std::int64_t>;

// Distance that two commands must keep, from the rules of the datasheets and nothing of the model.
std::int64_t distance(const DramTimingSpec& spec, const ScheduledCommand& first,
                      const ScheduledCommand& second) {
  const memory::DramCycles& t = spec.preset.cycles;
  const std::int64_t burst = spec.preset.burst / 2;
  const std::int64_t read_data = t.cl + t.dqsck;
  const auto rank = [&](const ScheduledCommand& c) { return c.bank / spec.preset.banks(); };
  const bool same_rank = rank(first) == rank(second);
  const bool same_group = same_rank && first.bank / spec.preset.banks_per_group ==
                                           second.bank / spec.preset.banks_per_group;
  const bool same_bank = first.bank == second.bank;
  const auto reads = [](DramCommand c) {
    return c == DramCommand::kRead || c == DramCommand::kReadClose;
  };
  const auto writes = [](DramCommand c) {
    return c == DramCommand::kWrite || c == DramCommand::kWriteClose;
  };
  const DramCommand a = first.command;
  const DramCommand b = second.command;
  std::int64_t least = 1;
  const auto at_least = [&least](std::int64_t gap) { least = std::max(least, gap); };
  if (reads(a) && reads(b)) {
    at_least(same_group ? t.ccd_l : t.ccd_s);
    at_least(same_rank ? burst : burst + t.rtrs);
  }
  if (writes(a) && writes(b)) {
    at_least(same_group ? t.ccd_l : t.ccd_s);
    at_least(same_rank ? burst : burst + t.rtrs);
  }
  if (reads(a) && writes(b)) {
    at_least(read_data + burst + (same_rank ? t.turnaround : t.rtrs) - t.cwl);
  }
  if (writes(a) && reads(b)) {
    at_least(same_rank ? t.cwl + burst + (same_group ? t.wtr_l : t.wtr_s)
                       : t.cwl + burst + t.rtrs - read_data);
  }
  if (!same_rank) return least;
  if (a == DramCommand::kActivate) {
    if (b == DramCommand::kActivate) at_least(same_group ? t.rrd_l : t.rrd_s);
    if (b == DramCommand::kActivate && same_bank) at_least(t.rc);
    if (same_bank && (reads(b) || writes(b))) at_least(t.rcd);
    if (same_bank && b == DramCommand::kPrecharge) at_least(t.ras);
    if (b == DramCommand::kRefresh) at_least(t.ras + t.rp);
  }
  if (same_bank && b == DramCommand::kPrecharge) {
    if (reads(a)) at_least(t.rtp);
    if (writes(a)) at_least(t.cwl + burst + t.wr);
  }
  if (b == DramCommand::kRefresh || (same_bank && b == DramCommand::kActivate)) {
    if (a == DramCommand::kPrecharge) at_least(t.rp);
    if (reads(a)) at_least(t.rtp + t.rp);
    if (writes(a)) at_least(t.cwl + burst + t.wr + t.rp);
  }
  if (a == DramCommand::kPrechargeAll &&
      (b == DramCommand::kActivate || b == DramCommand::kRefresh)) {
    at_least(t.rp_all);
  }
  if (a == DramCommand::kRefresh && (b == DramCommand::kActivate || b == DramCommand::kRefresh)) {
    at_least(t.rfc);
  }
  return least;
}

// All pairs of a trace; windows of five activates; rows open where data move.
void check_trace(const DramTimingSpec& spec, const std::vector<ScheduledCommand>& trace) {
  std::map<std::int64_t, std::deque<std::int64_t>> activates;
  std::map<std::int64_t, std::int64_t> row;
  int broken = 0;
  for (std::size_t later = 0; later < trace.size(); ++later) {
    const ScheduledCommand& command = trace[later];
    for (std::size_t at = later > 600 ? later - 600 : 0; at < later; ++at) {
      if (command.cycle - trace[at].cycle < distance(spec, trace[at], command)) ++broken;
    }
    const std::int64_t rank = command.bank / spec.preset.banks();
    switch (command.command) {
      case DramCommand::kActivate: {
        auto& window = activates[rank];
        window.push_back(command.cycle);
        if (window.size() > 4) {
          if (command.cycle - window.front() < spec.preset.cycles.faw) ++broken;
          window.pop_front();
        }
        if (row.contains(command.bank)) ++broken;
        row[command.bank] = command.row;
        break;
      }
      case DramCommand::kPrecharge: row.erase(command.bank); break;
      case DramCommand::kPrechargeAll:
      case DramCommand::kRefresh: {
        const bool is_refresh = command.command == DramCommand::kRefresh;
        for (std::int64_t bank = rank * spec.preset.banks();
             bank < (rank + 1) * spec.preset.banks(); ++bank) {
          if (is_refresh && row.contains(bank)) ++broken;
          row.erase(bank);
        }
        break;
      }
      default:
        if (!row.contains(command.bank) || row[command.bank] != command.row) ++broken;
        if (command.command == DramCommand::kReadClose ||
            command.command == DramCommand::kWriteClose) {
          row.erase(command.bank);
        }
    }
  }
  CHECK(broken == 0);
}

// Feeds bursts as fast as the queue takes them; cycles from the first to the last data.
template <typename Next>
std::int64_t saturate(Channel& channel, std::int64_t bursts, const Next& next) {
  std::int64_t cycle = 0;
  for (std::int64_t sent = 0; sent < bursts;) {
    while (sent < bursts && channel.scheduler.has_room()) {
      const DramBurst burst = next(sent++);
      if (burst.writes) {
        channel.write(cycle, burst.bank, burst.row);
      } else {
        channel.read(cycle, burst.bank, burst.row);
      }
    }
    cycle = channel.scheduler.next().cycle + 1;
    channel.step();
  }
  channel.finish();
  return channel.last_end;
}

// Burst number n of a stream under the default mapping ro-ra-ba-co-bg-ch.
DramBurst streamed(const DramTimingSpec& spec, std::int64_t number) {
  const memory::DramPreset& preset = spec.preset;
  const std::int64_t group = number % preset.bank_groups;
  number /= preset.bank_groups * preset.bursts_per_row();
  const std::int64_t bank = number % preset.banks_per_group;
  number /= preset.banks_per_group;
  return {group * preset.banks_per_group + bank, number, false, 0};
}

}  // namespace

TEST_CASE("A read from a closed row takes tRCD and CL and its burst", "[memory][dram]") {
  Channel channel = ddr4();
  channel.read(0, 0, 7);
  channel.finish();
  CHECK(channel.cycles(DramCommand::kActivate) == Times{0});
  CHECK(channel.cycles(DramCommand::kRead) == Times{16});
  CHECK(channel.ends[0] == 36);  // 16 + 16 + 4
}

TEST_CASE("A read from the open row takes CL and its burst", "[memory][dram]") {
  Channel channel = ddr4();
  channel.read(0, 0, 7);
  channel.finish();
  channel.read(100, 0, 7);
  channel.finish();
  CHECK(channel.ends[1] == 100 + kReadEnd);
  CHECK(channel.scheduler.counts().activates == 1);
}

TEST_CASE("A row conflict costs tRP and tRCD more", "[memory][dram]") {
  Channel channel = ddr4();
  channel.read(0, 0, 7);
  channel.finish();
  channel.read(100, 0, 8);
  channel.finish();
  CHECK(channel.cycles(DramCommand::kPrecharge) == Times{100});
  CHECK(channel.ends[1] == 100 + 16 + 16 + kReadEnd);
  // Soon after the activate tRAS holds the precharge back: 39 instead of 20.
  Channel soon = ddr4();
  soon.read(0, 0, 7);
  soon.read(20, 0, 8);
  soon.finish();
  CHECK(soon.cycles(DramCommand::kPrecharge) == Times{39});
  CHECK(soon.ends[1] == 39 + 16 + 16 + kReadEnd);
}

TEST_CASE("The closed policy closes a row with its last waiting burst", "[memory][dram]") {
  DramTimingSpec spec = dram_spec("DDR4-2400");
  spec.policy = RowPolicy::kClosed;
  Channel channel(spec);
  channel.read(0, 0, 7);
  channel.read(0, 0, 7);
  channel.finish();
  CHECK(channel.cycles(DramCommand::kRead) == Times{16});       // another one waits
  CHECK(channel.cycles(DramCommand::kReadClose) == Times{22});  // tCCD_L later
  channel.read(100, 0, 8);
  channel.finish();
  CHECK(channel.ends[2] == 100 + 36);  // no precharge to wait for
  CHECK(channel.cycles(DramCommand::kPrecharge).empty());
  // The row closes max(tRAS 39, 22 + tRTP 9) = 39 after the activate; the next comes at 55.
  Channel soon(spec);
  soon.read(0, 0, 7);
  soon.read(1, 0, 8);
  soon.finish();
  CHECK(soon.cycles(DramCommand::kActivate) == Times{0, 55});
}

TEST_CASE("A hit goes before an older miss", "[memory][dram]") {
  Channel channel = ddr4();
  channel.read(0, 0, 7);
  channel.finish();
  channel.read(100, 0, 8);  // the miss
  channel.read(100, 0, 7);  // the hit
  channel.finish();
  CHECK(channel.ends[2] == 100 + kReadEnd);
  CHECK(channel.cycles(DramCommand::kPrecharge) == Times{109});  // tRTP after the hit
  CHECK(channel.ends[1] == 109 + 16 + 16 + kReadEnd);
}

TEST_CASE("A miss that a queue of hits has overtaken goes before the next hit", "[memory][dram]") {
  DramTimingSpec spec = dram_spec("DDR4-2400");
  spec.queue = 4;
  Channel channel(spec);
  channel.read(0, 0, 7);
  channel.finish();
  channel.read(100, 0, 8);
  std::int64_t hits = 0;
  while (!channel.ends.contains(1)) {
    while (channel.scheduler.has_room()) channel.read(100, 0, 7);
    channel.step();
    hits = static_cast<std::int64_t>(channel.ends.size()) - (channel.ends.contains(1) ? 2 : 1);
    REQUIRE(hits <= 4);
  }
  CHECK(hits == 4);
}

TEST_CASE("Reads in a row alternate groups at tCCD_S, in one group at tCCD_L", "[memory][dram]") {
  Channel channel = ddr4();
  for (const std::int64_t bank : {0, 4, 0, 0}) channel.read(0, bank, 7);
  channel.finish();
  // Bank 4 is in the next group: activated at tRRD_S = 4, so its read waits for tRCD at 20. The two
  // others keep tCCD_L among themselves: 16, 22, 28.
  CHECK(channel.cycles(DramCommand::kActivate) == Times{0, 4});
  CHECK(channel.cycles(DramCommand::kRead) == Times{16, 20, 22 + 2, 30});
}

TEST_CASE("Five rows in a rank are opened at the rate of tFAW", "[memory][dram]") {
  Channel channel = ddr4();
  for (const std::int64_t bank : {0, 4, 8, 12, 1}) channel.read(0, bank, 7);
  channel.finish();
  CHECK(channel.cycles(DramCommand::kActivate) == Times{0, 4, 8, 12, 26});
}

TEST_CASE("A read after a write waits for the write's data and tWTR", "[memory][dram]") {
  Channel channel = ddr4();
  channel.write(0, 0, 7);
  channel.read(0, 0, 7);
  channel.finish();
  CHECK(channel.cycles(DramCommand::kWrite) == Times{16});
  CHECK(channel.ends[0] == 36);
  CHECK(channel.cycles(DramCommand::kRead) == Times{16 + 16 + 4 + 9});
  Channel far = ddr4();
  far.write(0, 0, 7);
  far.read(0, 4, 7);
  far.finish();
  // Both rows are open at 20; the write goes at 16.
  CHECK(far.cycles(DramCommand::kRead) == Times{16 + 16 + 4 + 3});
}

TEST_CASE("A refresh stalls whoever comes at tREFI", "[memory][dram]") {
  Channel before = ddr4();
  before.read(9364 - 17, 0, 7);  // activate 9347, read 9363: the last cycle before
  before.finish();
  CHECK(before.ends[0] == 9363 + kReadEnd);
  Channel late = ddr4();
  late.read(9364 - 16, 0, 7);  // the read would come in the cycle of the refresh
  late.finish();
  // Closed when tRAS is over (9348 + 39), refreshed tRP later, opened again tRFC later.
  CHECK(late.cycles(DramCommand::kPrechargeAll) == Times{9387});
  CHECK(late.cycles(DramCommand::kRefresh) == Times{9403});
  CHECK(late.cycles(DramCommand::kActivate) == Times{9348, 9823});
  CHECK(late.ends[0] == 9823 + 36);
  Channel idle = ddr4();
  idle.run_before(9400);
  CHECK(idle.cycles(DramCommand::kRefresh) == Times{9364});
  idle.read(9400, 0, 7);
  idle.finish();
  CHECK(idle.ends[0] == 9364 + 420 + 36);
  idle.run_before(9364 * 10 + 100);
  CHECK(idle.scheduler.counts().refreshes == 10);
}

TEST_CASE("Refreshes that are passed over change nothing of what follows", "[memory][dram]") {
  for (const std::string& preset : dram_preset_names()) {
    for (const std::int64_t idle : {1, 9364, 3 * 9364 + 17, 1'000'003}) {
      CAPTURE(preset, idle);
      DramTimingSpec spec = dram_spec(preset);
      spec.ranks = 3;
      Channel issued(spec);
      Channel skipped(spec);
      for (Channel* channel : {&issued, &skipped}) {
        channel->read(100, 0, 7);
        channel->finish();
      }
      const std::int64_t end = issued.last_end + idle;
      while (skipped.scheduler.next().cycle < end) {
        skipped.step();
        skipped.scheduler.skip_refreshes(end);
      }
      for (Channel* channel : {&issued, &skipped}) {
        channel->read(end, 0, 7);
        channel->read(end, spec.preset.banks(), 9);
        channel->finish();
        channel->run_before(end + 50'000);
      }
      CHECK(skipped.ends == issued.ends);
      CHECK(skipped.scheduler.next() == issued.scheduler.next());
      CHECK(skipped.scheduler.counts().refreshes == issued.scheduler.counts().refreshes);
      if (idle > 100'000) CHECK(skipped.trace.size() < issued.trace.size());
    }
  }
}

TEST_CASE("Ranks are refreshed one after the other", "[memory][dram]") {
  DramTimingSpec spec = dram_spec("DDR4-2400");
  spec.ranks = 2;
  Channel channel(spec);
  channel.run_before(9364 + 1);
  REQUIRE(channel.trace.size() == 2);
  CHECK(channel.trace[0].cycle == 9364 / 2);
  CHECK(channel.trace[1].cycle == 9364);
  CHECK(channel.trace[1].bank == 16);
  channel.read(9400, 0, 7);
  channel.finish();
  CHECK(channel.ends[0] == 9400 + 36);  // rank 0 is awake
}

TEST_CASE("A stream moves at the peak but for refresh", "[memory][dram]") {
  for (const std::string& name : dram_preset_names()) {
    const DramTimingSpec spec = dram_spec(name);
    Channel channel(spec);
    constexpr std::int64_t kBursts = 30000;
    const std::int64_t cycles =
        saturate(channel, kBursts, [&](std::int64_t number) { return streamed(spec, number); });
    const memory::DramCycles& t = spec.preset.cycles;
    const double peak = static_cast<double>(kBursts * spec.preset.burst_cycles());
    const double allowed = 1.0 - static_cast<double>(t.rfc) / static_cast<double>(t.refi);
    const double reached = peak / static_cast<double>(cycles);
    WARN(name << ": " << 100.0 * reached << " % of the peak, datasheet allows " << 100.0 * allowed
              << " %");
    CHECK(reached <= 1.0);
    CHECK(reached > 0.98 * allowed);
    CHECK(reached < allowed + 0.01);  // less than one refresh of the run is cut off
    // One activate per row, besides those that refresh has closed.
    const std::int64_t rows = kBursts / spec.preset.bursts_per_row();
    CHECK(channel.scheduler.counts().activates >= rows);
    CHECK(channel.scheduler.counts().activates <=
          rows + spec.preset.bank_groups * 2 * (channel.scheduler.counts().refreshes + 1));
  }
}

TEST_CASE("Row conflicts in one bank come at the rate of tRC", "[memory][dram]") {
  for (const std::string& name : dram_preset_names()) {
    CAPTURE(name);
    DramTimingSpec spec = dram_spec(name);
    Channel channel(spec);
    constexpr std::int64_t kBursts = 40;
    saturate(channel, kBursts, [](std::int64_t number) { return DramBurst{0, number, false, 0}; });
    const Times activates = channel.cycles(DramCommand::kActivate);
    const memory::DramCycles& t = spec.preset.cycles;
    REQUIRE(activates.size() >= 20);
    for (std::size_t at = 1; at < 20; ++at) {
      CHECK(activates[at] - activates[at - 1] == std::max(t.rc, t.rcd + t.rtp + t.rp));
    }
  }
}

TEST_CASE("Random reads open a row each and run at the rate of tFAW", "[memory][dram]") {
  for (const std::string& name : dram_preset_names()) {
    const DramTimingSpec spec = dram_spec(name);
    Channel channel(spec);
    std::mt19937 random(3);
    constexpr std::int64_t kBursts = 5000;
    const std::int64_t cycles = saturate(channel, kBursts, [&](std::int64_t) {
      return DramBurst{static_cast<std::int64_t>(random() % spec.preset.banks()),
                       static_cast<std::int64_t>(random() % spec.preset.rows), false, 0};
    });
    const double misses =
        static_cast<double>(channel.scheduler.counts().activates) / static_cast<double>(kBursts);
    const double per_read = static_cast<double>(cycles) / static_cast<double>(kBursts);
    const double fastest = static_cast<double>(spec.preset.cycles.faw) / 4.0;
    CAPTURE(name, misses, per_read, fastest);
    CHECK(misses > 0.99);
    CHECK(misses < 1.03);  // refresh closes a few that have not been read yet
    CHECK(per_read > fastest);
    CHECK(per_read < 2.5 * std::max(fastest, static_cast<double>(spec.preset.cycles.rc) /
                                                 static_cast<double>(spec.preset.banks())));
  }
}

TEST_CASE("No traffic breaks a rule of the datasheet", "[memory][dram]") {
  std::mt19937 random(11);
  for (const std::string& name : dram_preset_names()) {
    for (int round = 0; round < 6; ++round) {
      CAPTURE(name, round);
      DramTimingSpec spec = dram_spec(name);
      spec.ranks = 1 + round % 2;
      spec.policy = round % 3 == 2 ? RowPolicy::kClosed : RowPolicy::kOpen;
      spec.queue = round == 5 ? 1 : 8 << (round % 3);
      Channel channel(spec);
      const std::int64_t rows = 1 + static_cast<std::int64_t>(random() % 4);
      const std::uint32_t writes = random() % 4;
      constexpr std::int64_t kBursts = 1500;
      saturate(channel, kBursts, [&](std::int64_t) {
        return DramBurst{static_cast<std::int64_t>(
                             random() % static_cast<std::uint32_t>(spec.banks_per_channel())),
                         static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(rows)),
                         random() % 4 < writes, 0};
      });
      CHECK(channel.ends.size() == kBursts);  // each once
      CHECK(channel.scheduler.counts().reads + channel.scheduler.counts().writes == kBursts);
      check_trace(spec, channel.trace);
    }
  }
}

}  // namespace vernier::tests
