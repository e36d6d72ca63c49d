// The banks of one DRAM channel: which row is open where, and from which cycle of the DRAM clock on
// each command is legal. Knows the rules of the datasheet and nothing of who issues commands.
//
// Rules (cycles after a command; BL/2 is the time of a burst on the data bus):
//   activate   read, write tRCD; precharge tRAS; activate tRC (bank), tRRD_L (group), tRRD_S
//   (rank);
//              a fifth activate in a rank tFAW after the first
//   read       read max(tCCD, BL/2); write CL + BL/2 + turnaround - CWL; precharge tRTP
//   write      write max(tCCD, BL/2); read CWL + BL/2 + tWTR; precharge CWL + BL/2 + tWR
//   precharge  activate tRP (tRP_all when it closes all banks); refresh the same
//   refresh    activate, refresh tRFC; needs all banks of the rank closed
//   ranks      data of two ranks lie tRTRS apart on the bus
// One command per cycle and channel. A read or write that closes its row does so as soon as a
// precharge would be legal. Left out: power-down, self refresh, refresh of single banks, commands
// that take several cycles, tPPD, HBM's second command bus.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "memory/dram_timing.hpp"

namespace vernier::memory {

enum class DramCommand : std::uint8_t {
  kActivate,
  kRead,
  kReadClose,  ///< with auto-precharge
  kWrite,
  kWriteClose,
  kPrecharge,
  kPrechargeAll,  ///< all banks of a rank
  kRefresh,       ///< of a rank
};

class DramBanks {
 public:
  explicit DramBanks(const DramTimingSpec& spec);

  /// First cycle in which a command to a bank is legal as far as times go; commands to a rank take
  /// any of its banks. `bank` counts all banks of the channel, ranks outer, groups next.
  [[nodiscard]] std::int64_t earliest(DramCommand command, std::int64_t bank) const;
  /// Issues a legal command; an illegal one is a bug. `row` is for kActivate.
  void issue(DramCommand command, std::int64_t bank, std::int64_t row, std::int64_t cycle);

  /// Row that is open in a bank, or kClosed.
  static constexpr std::int64_t kClosed = -1;
  [[nodiscard]] std::int64_t open_row(std::int64_t bank) const { return row_[index(bank)]; }
  [[nodiscard]] bool has_open_row(std::int64_t rank) const { return open_banks_[index(rank)] > 0; }
  [[nodiscard]] std::int64_t rank_of(std::int64_t bank) const { return bank / banks_per_rank_; }

 private:
  static std::size_t index(std::int64_t at) { return static_cast<std::size_t>(at); }
  [[nodiscard]] std::size_t group_of(std::int64_t bank) const {
    return index(bank / banks_per_group_);
  }
  [[nodiscard]] bool is_legal(DramCommand command, std::int64_t bank) const;
  void activate(std::int64_t bank, std::int64_t row, std::int64_t cycle);
  void transfer(std::int64_t bank, std::int64_t cycle, bool writes);
  void close(std::int64_t bank, std::int64_t cycle, std::int64_t precharge);
  void precharge_all(std::int64_t rank, std::int64_t cycle);

  DramCycles cycles_;
  std::int64_t burst_cycles_;
  std::int64_t banks_per_rank_;
  std::int64_t banks_per_group_;
  std::int64_t ranks_;

  static constexpr std::size_t kActivates = 4;  // in a window of tFAW
  std::int64_t next_command_ = 0;
  // By bank.
  std::vector<std::int64_t> row_;
  std::vector<std::int64_t> next_activate_;
  std::vector<std::int64_t> next_column_;
  std::vector<std::int64_t> next_precharge_;
  // By bank group of all ranks: reads, writes.
  std::vector<std::int64_t> group_activate_;
  std::array<std::vector<std::int64_t>, 2> group_column_;
  // By rank.
  std::vector<std::int64_t> rank_activate_;
  std::array<std::vector<std::int64_t>, 2> rank_column_;
  std::vector<std::int64_t> next_refresh_;
  std::vector<std::int64_t> open_banks_;
  std::vector<std::array<std::int64_t, kActivates>> last_activates_;  ///< a ring
  std::vector<std::size_t> ring_at_;
};

}  // namespace vernier::memory
