// What the `timing` model of DRAM is told: a preset (organisation and timing of one generation,
// from configs/dram), how addresses are cut into channel, rank, bank and row, and when rows are
// closed. Plain data; who keeps the times is memory/systemc/dram_banks.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arch/base/fields.hpp"
#include "arch/base/units.hpp"

namespace vernier::memory {

/// Minimal distances between commands, in cycles of the DRAM clock. _S: different bank groups, _L:
/// the same one; without bank groups both are equal.
struct DramCycles {
  std::int64_t cl = 0;          ///< read command to first data
  std::int64_t dqsck = 0;       ///< what the data strobe comes later than that (LPDDR)
  std::int64_t cwl = 0;         ///< write command to first data
  std::int64_t rcd = 0;         ///< activate to read or write
  std::int64_t rp = 0;          ///< precharge to activate
  std::int64_t rp_all = 0;      ///< precharge of all banks to activate or refresh
  std::int64_t ras = 0;         ///< activate to precharge
  std::int64_t rc = 0;          ///< activate to activate, same bank
  std::int64_t rrd_s = 0;       ///< activate to activate, other bank
  std::int64_t rrd_l = 0;       ///< the same within a bank group
  std::int64_t faw = 0;         ///< window in which a rank takes at most four activates
  std::int64_t ccd_s = 0;       ///< read to read, write to write
  std::int64_t ccd_l = 0;       ///< the same within a bank group
  std::int64_t wtr_s = 0;       ///< end of write data to read
  std::int64_t wtr_l = 0;       ///< the same within a bank group
  std::int64_t rtp = 0;         ///< read to precharge
  std::int64_t wr = 0;          ///< end of write data to precharge
  std::int64_t rfc = 0;         ///< refresh to activate
  std::int64_t refi = 0;        ///< between two refreshes of a rank
  std::int64_t turnaround = 0;  ///< idle cycles of the data bus between read and write data
  std::int64_t rtrs = 0;        ///< idle cycles of the data bus between two ranks
};

/// One generation of DRAM: the channel and its devices.
struct DramPreset {
  std::string name;
  std::string source;       ///< of all numbers that `sources` does not name
  std::string energy_type;  ///< type in the energy tables whose figures belong to it
  std::int64_t clock_ps = 1000;
  std::int64_t bus_bits = 64;
  std::int64_t burst = 8;  ///< beats, two per clock cycle
  std::int64_t bank_groups = 1;
  std::int64_t banks_per_group = 8;
  std::int64_t rows = 1;
  std::int64_t columns = 1;  ///< of bus_bits each
  DramCycles cycles;

  [[nodiscard]] std::int64_t banks() const { return bank_groups * banks_per_group; }
  [[nodiscard]] std::int64_t burst_cycles() const { return burst / 2; }
  [[nodiscard]] std::int64_t burst_bits() const { return burst * bus_bits; }
  [[nodiscard]] std::int64_t row_bits() const { return columns * bus_bits; }
  [[nodiscard]] std::int64_t bursts_per_row() const { return columns / burst; }
  /// Read command to the end of its data, write command to the end of its data.
  [[nodiscard]] std::int64_t read_cycles() const {
    return cycles.cl + cycles.dqsck + burst_cycles();
  }
  [[nodiscard]] std::int64_t write_cycles() const { return cycles.cwl + burst_cycles(); }
};

/// Reads a preset file strictly. Throws ConfigError with all problems.
[[nodiscard]] DramPreset read_dram_preset(const YamlNode& root);

/// The parts of an address; a column is one burst.
enum class DramField : std::uint8_t { kChannel, kRank, kBankGroup, kBank, kRow, kColumn };
inline constexpr std::size_t kDramFields = 6;

/// Which part of an address lies where, the most significant first.
struct AddressMapping {
  std::array<DramField, kDramFields> order{};

  /// "ro-ra-ba-co-bg-ch": each of ch, ra, bg, ba, ro, co once. Throws ConfigError.
  [[nodiscard]] static AddressMapping parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const AddressMapping&, const AddressMapping&) = default;
};

/// Neighbouring bursts lie in different channels and bank groups of one row each.
inline constexpr std::string_view kDefaultMapping = "ro-ra-ba-co-bg-ch";

/// When a row is closed: at a conflict or refresh, or with the last waiting burst to it.
enum class RowPolicy : std::uint8_t { kOpen, kClosed };
[[nodiscard]] const std::vector<std::string>& row_policy_names();

/// A memory of the `timing` model.
struct DramTimingSpec {
  DramPreset preset;
  AddressMapping mapping = AddressMapping::parse(kDefaultMapping);
  RowPolicy policy = RowPolicy::kOpen;
  std::int64_t channels = 1;
  std::int64_t ranks = 1;   ///< of each channel
  std::int64_t queue = 32;  ///< bursts that the scheduler of a channel sees

  [[nodiscard]] std::int64_t banks_per_channel() const { return ranks * preset.banks(); }
  /// Bytes that fit in; addresses end here.
  [[nodiscard]] std::int64_t capacity_bytes() const;
};

/// Most banks of a channel, all ranks.
inline constexpr std::int64_t kMostDramBanks = 64;

/// Cycles of two clocks as an exact ratio: `core` core cycles last as long as `dram` DRAM cycles.
struct ClockRatio {
  std::int64_t core = 1;
  std::int64_t dram = 1;

  [[nodiscard]] static ClockRatio of(const DramPreset& preset, Hertz core_clock);
  /// First core edge at or after a DRAM edge.
  [[nodiscard]] std::int64_t core_ceil(std::int64_t dram_cycle) const;
  /// First core edge after a DRAM edge.
  [[nodiscard]] std::int64_t core_after(std::int64_t dram_cycle) const;
  /// First DRAM edge at or after a core edge.
  [[nodiscard]] std::int64_t dram_ceil(std::int64_t core_cycle) const;
};

/// What the analytical engine takes instead: the peak rate times (1 - tRFC/tREFI), rounded down to
/// whole Mbit/s.
[[nodiscard]] Bandwidth effective_bandwidth(const DramTimingSpec& spec, Hertz core_clock);
/// And the latency of a read from a closed row, without its data: tRCD + CL, at the core edge.
[[nodiscard]] Cycles effective_latency(const DramTimingSpec& spec, Hertz core_clock);
/// Its count of row activations: one for every row's worth of bits.
[[nodiscard]] std::int64_t streamed_activations(const DramTimingSpec& spec, std::int64_t bits);
/// Its count of refreshes in a time, all ranks of all channels.
[[nodiscard]] std::int64_t elapsed_refreshes(const DramTimingSpec& spec, std::int64_t core_cycles,
                                             Hertz core_clock);

/// The `timing` part of the keys under `dram`, all optional.
template <typename Visitor>
void visit_fields(Visitor& visitor, DramTimingSpec& spec) {
  enum_field(visitor, "policy", spec.policy, row_policy_names(), Need::kOptional,
             "rows stay open until a conflict or refresh, or close with their last waiting burst");
  visitor.integer("channels", spec.channels, {1, 64}, Need::kOptional, "channels side by side");
  visitor.integer("ranks", spec.ranks, {1, 8}, Need::kOptional, "ranks of each channel");
  visitor.integer("queue", spec.queue, {1, 256}, Need::kOptional,
                  "bursts of a channel that the scheduler (FR-FCFS) chooses from");
}

}  // namespace vernier::memory
