// The controller of one DRAM channel: a queue of bursts, first ready first come first served
// (FR-FCFS), refresh when it is due. Per cycle of the DRAM clock one command, chosen from those
// that are legal then: refresh of a rank that is due, else a read or write to an open row, else an
// activate, else a precharge; among equals the oldest burst.
//
// The oldest burst of a bank decides which row is opened. A row with waiting bursts is not closed
// for another one, but a burst that `queue` younger ones have overtaken goes before all of them.
// A rank whose refresh is due takes no other command: its banks are closed, then it is refreshed.
// Refreshes of the ranks are spread over tREFI.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "memory/systemc/dram_banks.hpp"

namespace vernier::memory {

/// One burst on its way to a channel.
struct DramBurst {
  std::int64_t bank = 0;  ///< of the channel
  std::int64_t row = 0;
  bool writes = false;
  std::int64_t request = 0;  ///< whatever the owner knows it by
};

/// A command at its cycle.
struct ScheduledCommand {
  DramCommand command = DramCommand::kRefresh;
  std::int64_t cycle = 0;
  std::int64_t bank = 0;
  std::int64_t row = 0;
  std::int64_t entry = -1;  ///< place in the queue of the burst that moves with it, -1: none

  friend bool operator==(const ScheduledCommand&, const ScheduledCommand&) = default;
};

/// Commands that a channel has issued.
struct DramCounts {
  std::int64_t activates = 0;
  std::int64_t reads = 0;
  std::int64_t writes = 0;
  std::int64_t refreshes = 0;
};

class DramScheduler {
 public:
  explicit DramScheduler(const DramTimingSpec& spec);

  [[nodiscard]] bool has_room() const { return bursts_.size() < capacity_; }
  [[nodiscard]] bool is_empty() const { return bursts_.empty(); }
  /// A burst arrives; there must be room. No command is issued before `cycle` from now on.
  void push(const DramBurst& burst, std::int64_t cycle);

  /// What comes next if nothing arrives. There always is something: the next refresh.
  [[nodiscard]] const ScheduledCommand& next();

  struct Served {
    std::int64_t request = 0;
    std::int64_t data_end = 0;
  };
  /// Issues what `next` says; the burst whose data it moves, if it does.
  std::optional<Served> issue();
  /// Passes over refreshes between which nothing happens: those of ranks without an open row while
  /// no burst comes before a cycle. The last ones before it stay to be issued, so that what follows
  /// finds the banks as they would be.
  void skip_refreshes(std::int64_t before);

  [[nodiscard]] const DramCounts& counts() const { return counts_; }

 private:
  struct Waiting {
    DramBurst burst;
    std::int64_t overtaken = 0;  ///< younger bursts that went before
  };
  enum class Rank : std::uint8_t { kRefresh, kColumn, kActivate, kPrecharge };

  void decide();
  void consider_refresh(std::int64_t rank);
  void consider(std::size_t entry);
  void offer(ScheduledCommand command, Rank rank);
  [[nodiscard]] bool row_waits(std::size_t entry) const;
  [[nodiscard]] bool oldest_starves() const;

  DramTimingSpec spec_;
  DramBanks banks_;
  std::size_t capacity_;
  std::vector<Waiting> bursts_;           ///< oldest first
  std::vector<std::int64_t> due_;         ///< next refresh, by rank
  std::vector<std::uint8_t> bank_hit_;    ///< a waiting burst goes to the bank's open row
  std::vector<std::uint8_t> bank_taken_;  ///< an older burst decides about the bank
  std::int64_t now_ = 0;
  bool is_decided_ = false;
  ScheduledCommand next_;
  Rank next_rank_ = Rank::kRefresh;
  bool has_offer_ = false;
  DramCounts counts_;
};

}  // namespace vernier::memory
