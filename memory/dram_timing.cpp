#include "memory/dram_timing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::memory {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;
constexpr std::int64_t kMostCycles = 1'000'000;

const std::vector<std::string>& field_names() {
  static const std::vector<std::string> names{"ch", "ra", "bg", "ba", "ro", "co"};
  return names;
}

void read_organization(const YamlNode& node, DramPreset& preset, ProblemList& problems) {
  MappingReader reader(node, "organization", problems);
  Bits bus(preset.bus_bits);
  unit_field(reader, "bus", "bit", bus, &parse_bits, Need::kRequired, "data pins of a channel");
  preset.bus_bits = bus.count();
  if (node.find("bus") != nullptr && (preset.bus_bits < 1 || preset.bus_bits > 4096)) {
    reader.problem("bus", "must be 1 to 4096 bit");
  }
  constexpr IntegerRange kSizes{1, std::int64_t{1} << 24};
  reader.integer("burst", preset.burst, {2, 64}, Need::kRequired, "beats, two per cycle");
  reader.integer("bank_groups", preset.bank_groups, {1, 16}, Need::kRequired, "of a rank");
  reader.integer("banks_per_group", preset.banks_per_group, {1, 64}, Need::kRequired, "banks");
  reader.integer("rows", preset.rows, kSizes, Need::kRequired, "of a bank");
  reader.integer("columns", preset.columns, kSizes, Need::kRequired,
                 "of a row, as wide as the bus");
  reader.finish();
  if (preset.burst % 2 != 0) reader.problem("burst", "must be even: two beats per cycle");
  if (preset.columns % preset.burst != 0) {
    reader.problem("columns",
                   fmt::format("{} are not whole bursts of {}", preset.columns, preset.burst));
  }
}

// The keys are the names of the datasheets.
void read_cycles(const YamlNode& node, DramCycles& cycles, ProblemList& problems) {
  MappingReader reader(node, "timing", problems);
  const auto need = [&](std::string_view key, std::int64_t& value, std::string_view sentence) {
    reader.integer(key, value, {1, kMostCycles}, Need::kRequired, sentence);
  };
  need("CL", cycles.cl, "read to data");
  reader.integer("tDQSCK", cycles.dqsck, {0, kMostCycles}, Need::kOptional, "data strobe delay");
  need("CWL", cycles.cwl, "write to data");
  need("tRCD", cycles.rcd, "activate to read or write");
  need("tRP", cycles.rp, "precharge to activate");
  cycles.rp_all = cycles.rp;
  reader.integer("tRP_all", cycles.rp_all, {1, kMostCycles}, Need::kOptional,
                 "precharge of all banks; default: tRP");
  need("tRAS", cycles.ras, "activate to precharge");
  cycles.rc = cycles.ras + cycles.rp;
  reader.integer("tRC", cycles.rc, {1, kMostCycles}, Need::kOptional,
                 "activate to activate of a bank; default: tRAS + tRP");
  need("tRRD_S", cycles.rrd_s, "activate to activate, other bank group");
  need("tRRD_L", cycles.rrd_l, "activate to activate, same bank group");
  need("tFAW", cycles.faw, "window of four activates");
  need("tCCD_S", cycles.ccd_s, "column to column, other bank group");
  need("tCCD_L", cycles.ccd_l, "column to column, same bank group");
  need("tWTR_S", cycles.wtr_s, "write data to read, other bank group");
  need("tWTR_L", cycles.wtr_l, "write data to read, same bank group");
  need("tRTP", cycles.rtp, "read to precharge");
  need("tWR", cycles.wr, "write data to precharge");
  need("tRFC", cycles.rfc, "refresh to activate");
  need("tREFI", cycles.refi, "between refreshes");
  need("turnaround", cycles.turnaround, "idle bus between read and write data");
  need("tRTRS", cycles.rtrs, "idle bus between ranks");
  reader.finish();
}

// Exceptions to the common source must name numbers that exist.
void read_sources(const YamlNode& node, const YamlNode& root, ProblemList& problems) {
  std::vector<std::string> keys{"clock"};
  for (const std::string_view part : {"organization", "timing"}) {
    const YamlNode* numbers = root.find(part);
    if (numbers == nullptr) continue;
    for (const auto& [key, value] : numbers->entries) keys.push_back(key);
  }
  for (const auto& [key, value] : node.entries) {
    const std::string path = fmt::format("sources.{}", key);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      problems.add(value.place, path,
                   fmt::format("the preset has no such number{}", suggestion(key, keys)));
    } else if (value.kind != YamlNode::Kind::kScalar || value.scalar.empty()) {
      problems.add(value.place, path, "a source is a text");
    }
  }
}

// Relations without which the model has no meaning.
void check_cycles(const DramPreset& preset, MappingReader& reader) {
  const DramCycles& cycles = preset.cycles;
  const std::int64_t refresh = cycles.ras + cycles.rp_all + cycles.rfc;
  if (cycles.refi <= refresh) {
    reader.problem("timing", fmt::format("tREFI is {}; it must be more than tRAS + tRP_all + tRFC "
                                         "= {}, or there is time for nothing but refresh",
                                         cycles.refi, refresh));
  }
  if (cycles.rc < cycles.ras) reader.problem("timing", "tRC is less than tRAS");
  if (cycles.rrd_l < cycles.rrd_s || cycles.ccd_l < cycles.ccd_s || cycles.wtr_l < cycles.wtr_s) {
    reader.problem("timing", "an _L is less than its _S: bank groups make nothing faster");
  }
  if (preset.banks() > kMostDramBanks) {
    reader.problem("organization",
                   fmt::format("{} banks; at most {}", preset.banks(), kMostDramBanks));
  }
}

std::int64_t wide_ceil(Wide dividend, std::int64_t divisor) {
  return static_cast<std::int64_t>((dividend + divisor - 1) / divisor);
}

}  // namespace

DramPreset read_dram_preset(const YamlNode& root) {
  ProblemList problems;
  MappingReader reader(root, "", problems);
  DramPreset preset;
  reader.text("name", preset.name, Need::kRequired, "name of the preset, that of the file");
  reader.text("source", preset.source, Need::kRequired, "origin of the numbers");
  reader.text("energy", preset.energy_type, Need::kOptional, "type in the energy tables");
  if (const YamlNode* sources = reader.mapping("sources", Need::kOptional)) {
    read_sources(*sources, root, problems);
  }
  Nanoseconds clock{0.0};
  unit_field(reader, "clock", "ns", clock, &parse_nanoseconds, Need::kRequired,
             "period of the clock; data move on both edges");
  constexpr double kPicosecondsPerNanosecond = 1000.0;
  constexpr std::int64_t kSlowest = 1'000'000;
  preset.clock_ps = std::llround(clock.count() * kPicosecondsPerNanosecond);
  const double rounding =
      clock.count() * kPicosecondsPerNanosecond - static_cast<double>(preset.clock_ps);
  if (root.find("clock") != nullptr &&
      (preset.clock_ps < 1 || preset.clock_ps > kSlowest || std::abs(rounding) > 1e-6)) {
    reader.problem("clock", "must be whole picoseconds, from 0.001 ns to 1000 ns");
  }
  if (const YamlNode* node = reader.mapping("organization", Need::kRequired)) {
    read_organization(*node, preset, problems);
  }
  if (const YamlNode* node = reader.mapping("timing", Need::kRequired)) {
    read_cycles(*node, preset.cycles, problems);
  }
  reader.finish();
  if (problems.empty()) check_cycles(preset, reader);
  problems.throw_if_any();
  return preset;
}

AddressMapping AddressMapping::parse(std::string_view text) {
  const std::vector<std::string>& names = field_names();
  const auto fail = [&](const std::string& what) {
    throw ConfigError(
        fmt::format("found '{}': {}; wanted is each of {} once, joined by '-', the most "
                    "significant first, as in '{}'",
                    shown(text), what, name_list(names), kDefaultMapping));
  };
  std::vector<DramField> fields;
  for (std::string_view rest = text;;) {
    const std::size_t dash = rest.find('-');
    const std::string part(rest.substr(0, dash));
    const auto found = std::find(names.begin(), names.end(), part);
    if (found == names.end()) {
      fail(fmt::format("'{}' is no part of an address{}", shown(part), suggestion(part, names)));
    }
    const auto field = static_cast<DramField>(found - names.begin());
    if (std::find(fields.begin(), fields.end(), field) != fields.end()) {
      fail(fmt::format("'{}' stands twice", part));
    }
    fields.push_back(field);
    if (dash == std::string_view::npos) break;
    rest.remove_prefix(dash + 1);
  }
  for (std::size_t field = 0; field < kDramFields; ++field) {
    if (std::find(fields.begin(), fields.end(), static_cast<DramField>(field)) == fields.end()) {
      fail(fmt::format("'{}' is missing", names[field]));
    }
  }
  AddressMapping mapping;
  std::copy(fields.begin(), fields.end(), mapping.order.begin());
  return mapping;
}

std::string AddressMapping::text() const {
  std::string result;
  for (const DramField field : order) {
    if (!result.empty()) result += '-';
    result += field_names()[static_cast<std::size_t>(field)];
  }
  return result;
}

const std::vector<std::string>& row_policy_names() {
  static const std::vector<std::string> names{"open", "closed"};
  return names;
}

std::int64_t DramTimingSpec::capacity_bytes() const {
  constexpr std::int64_t kBitsPerByte = 8;
  const std::int64_t banks = checked_mul(channels, banks_per_channel());
  return checked_mul(checked_mul(banks, preset.rows), preset.row_bits()) / kBitsPerByte;
}

ClockRatio ClockRatio::of(const DramPreset& preset, Hertz core_clock) {
  const std::int64_t core = checked_mul(preset.clock_ps, core_clock.count());
  const std::int64_t divisor = std::gcd(core, kPicosecondsPerSecond);
  return {core / divisor, kPicosecondsPerSecond / divisor};
}

std::int64_t ClockRatio::core_ceil(std::int64_t dram_cycle) const {
  return wide_ceil(Wide{dram_cycle} * core, dram);
}

std::int64_t ClockRatio::core_after(std::int64_t dram_cycle) const {
  return static_cast<std::int64_t>(Wide{dram_cycle} * core / dram) + 1;
}

std::int64_t ClockRatio::dram_ceil(std::int64_t core_cycle) const {
  return wide_ceil(Wide{core_cycle} * dram, core);
}

Bandwidth effective_bandwidth(const DramTimingSpec& spec, Hertz core_clock) {
  const DramPreset& preset = spec.preset;
  const std::int64_t refi = preset.cycles.refi;
  constexpr std::int64_t kMega = 1'000'000;
  const Wide bits_per_interval =
      Wide{spec.channels} * preset.bus_bits * 2 * (refi - preset.cycles.rfc);
  const Wide picoseconds = Wide{refi} * preset.clock_ps;
  const auto megabits =
      static_cast<std::int64_t>(bits_per_interval * (kPicosecondsPerSecond / kMega) / picoseconds);
  return Bandwidth::per_second(checked_mul(std::max<std::int64_t>(megabits, 1), kMega), core_clock);
}

Cycles effective_latency(const DramTimingSpec& spec, Hertz core_clock) {
  const DramCycles& cycles = spec.preset.cycles;
  return Cycles(
      ClockRatio::of(spec.preset, core_clock).core_ceil(cycles.rcd + cycles.cl + cycles.dqsck));
}

std::int64_t streamed_activations(const DramTimingSpec& spec, std::int64_t bits) {
  return ceil_div(bits, spec.preset.row_bits());
}

std::int64_t elapsed_refreshes(const DramTimingSpec& spec, std::int64_t core_cycles,
                               Hertz core_clock) {
  const ClockRatio ratio = ClockRatio::of(spec.preset, core_clock);
  const auto dram_cycles = static_cast<std::int64_t>(Wide{core_cycles} * ratio.dram / ratio.core);
  return checked_mul(spec.channels * spec.ranks, dram_cycles / spec.preset.cycles.refi);
}

}  // namespace vernier::memory
