#include "memory/systemc/dram_banks.hpp"

#include <algorithm>
#include <limits>

#include "arch/base/error.hpp"

namespace vernier::memory {
namespace {

constexpr std::int64_t kLongAgo = std::numeric_limits<std::int64_t>::min() / 4;

void raise(std::int64_t& time, std::int64_t least) { time = std::max(time, least); }

}  // namespace

DramBanks::DramBanks(const DramTimingSpec& spec)
    : cycles_(spec.preset.cycles),
      burst_cycles_(spec.preset.burst_cycles()),
      banks_per_rank_(spec.preset.banks()),
      banks_per_group_(spec.preset.banks_per_group),
      ranks_(spec.ranks) {
  const std::size_t banks = index(ranks_ * banks_per_rank_);
  const std::size_t groups = index(ranks_ * spec.preset.bank_groups);
  const std::size_t ranks = index(ranks_);
  row_.assign(banks, kClosed);
  for (auto* times : {&next_activate_, &next_column_, &next_precharge_}) times->assign(banks, 0);
  group_activate_.assign(groups, 0);
  rank_activate_.assign(ranks, 0);
  for (std::size_t kind = 0; kind < 2; ++kind) {
    group_column_[kind].assign(groups, 0);
    rank_column_[kind].assign(ranks, 0);
  }
  next_refresh_.assign(ranks, 0);
  open_banks_.assign(ranks, 0);
  last_activates_.resize(ranks);
  for (auto& ring : last_activates_) ring.fill(kLongAgo);
  ring_at_.assign(ranks, 0);
}

std::int64_t DramBanks::earliest(DramCommand command, std::int64_t bank) const {
  const std::size_t at = index(bank);
  const std::size_t rank = index(rank_of(bank));
  switch (command) {
    case DramCommand::kActivate:
      return std::max({next_command_, next_activate_[at], group_activate_[group_of(bank)],
                       rank_activate_[rank]});
    case DramCommand::kRead:
    case DramCommand::kReadClose:
      return std::max({next_command_, next_column_[at], group_column_[0][group_of(bank)],
                       rank_column_[0][rank]});
    case DramCommand::kWrite:
    case DramCommand::kWriteClose:
      return std::max({next_command_, next_column_[at], group_column_[1][group_of(bank)],
                       rank_column_[1][rank]});
    case DramCommand::kPrecharge: return std::max(next_command_, next_precharge_[at]);
    case DramCommand::kPrechargeAll: {
      std::int64_t time = next_command_;
      const std::size_t first = rank * index(banks_per_rank_);
      for (std::size_t other = first; other < first + index(banks_per_rank_); ++other) {
        if (row_[other] != kClosed) raise(time, next_precharge_[other]);
      }
      return time;
    }
    case DramCommand::kRefresh: return std::max(next_command_, next_refresh_[rank]);
  }
  return next_command_;
}

bool DramBanks::is_legal(DramCommand command, std::int64_t bank) const {
  const bool is_open = open_row(bank) != kClosed;
  switch (command) {
    case DramCommand::kActivate: return !is_open;
    case DramCommand::kPrechargeAll: return true;
    case DramCommand::kRefresh: return !has_open_row(rank_of(bank));
    default: return is_open;
  }
}

void DramBanks::issue(DramCommand command, std::int64_t bank, std::int64_t row,
                      std::int64_t cycle) {
  VERNIER_ASSERT(is_legal(command, bank), "a command that the state of its bank allows");
  VERNIER_ASSERT(cycle >= earliest(command, bank), "a command not before its time");
  next_command_ = cycle + 1;
  const std::int64_t rank = rank_of(bank);
  switch (command) {
    case DramCommand::kActivate: activate(bank, row, cycle); break;
    case DramCommand::kRead:
    case DramCommand::kReadClose:
    case DramCommand::kWrite:
    case DramCommand::kWriteClose: {
      const bool writes = command == DramCommand::kWrite || command == DramCommand::kWriteClose;
      transfer(bank, cycle, writes);
      if (command == DramCommand::kReadClose || command == DramCommand::kWriteClose) {
        close(bank, next_precharge_[index(bank)], cycles_.rp);
      }
      break;
    }
    case DramCommand::kPrecharge: close(bank, cycle, cycles_.rp); break;
    case DramCommand::kPrechargeAll: precharge_all(rank, cycle); break;
    case DramCommand::kRefresh:
      raise(rank_activate_[index(rank)], cycle + cycles_.rfc);
      raise(next_refresh_[index(rank)], cycle + cycles_.rfc);
      break;
  }
}

void DramBanks::activate(std::int64_t bank, std::int64_t row, std::int64_t cycle) {
  const std::size_t at = index(bank);
  const std::size_t rank = index(rank_of(bank));
  row_[at] = row;
  ++open_banks_[rank];
  next_activate_[at] = cycle + cycles_.rc;
  next_column_[at] = cycle + cycles_.rcd;
  next_precharge_[at] = cycle + cycles_.ras;
  raise(group_activate_[group_of(bank)], cycle + cycles_.rrd_l);
  raise(rank_activate_[rank], cycle + cycles_.rrd_s);
  auto& ring = last_activates_[rank];
  std::size_t& oldest = ring_at_[rank];
  ring[oldest] = cycle;
  oldest = (oldest + 1) % kActivates;
  raise(rank_activate_[rank], ring[oldest] + cycles_.faw);
}

// A read or write of one burst.
void DramBanks::transfer(std::int64_t bank, std::int64_t cycle, bool writes) {
  const std::size_t own = writes ? 1 : 0;
  const std::size_t other = 1 - own;
  const std::int64_t read_data = cycles_.cl + cycles_.dqsck;
  const std::int64_t data = writes ? cycles_.cwl : read_data;
  const std::int64_t other_data = writes ? read_data : cycles_.cwl;
  const std::int64_t end = cycle + data + burst_cycles_;
  const std::size_t group = group_of(bank);
  const std::size_t rank = index(rank_of(bank));
  raise(group_column_[own][group], cycle + std::max(cycles_.ccd_l, burst_cycles_));
  raise(rank_column_[own][rank], cycle + std::max(cycles_.ccd_s, burst_cycles_));
  if (writes) {
    raise(group_column_[other][group], end + cycles_.wtr_l);
    raise(rank_column_[other][rank], end + cycles_.wtr_s);
    raise(next_precharge_[index(bank)], end + cycles_.wr);
  } else {
    raise(rank_column_[other][rank], end + cycles_.turnaround - other_data);
    raise(next_precharge_[index(bank)], cycle + cycles_.rtp);
  }
  for (std::size_t foreign = 0; foreign < index(ranks_); ++foreign) {
    if (foreign == rank) continue;
    raise(rank_column_[own][foreign], cycle + burst_cycles_ + cycles_.rtrs);
    raise(rank_column_[other][foreign], end + cycles_.rtrs - other_data);
  }
}

void DramBanks::close(std::int64_t bank, std::int64_t cycle, std::int64_t precharge) {
  const std::size_t rank = index(rank_of(bank));
  row_[index(bank)] = kClosed;
  --open_banks_[rank];
  raise(next_activate_[index(bank)], cycle + precharge);
  raise(next_refresh_[rank], cycle + precharge);
}

void DramBanks::precharge_all(std::int64_t rank, std::int64_t cycle) {
  const std::int64_t first = rank * banks_per_rank_;
  for (std::int64_t bank = first; bank < first + banks_per_rank_; ++bank) {
    if (open_row(bank) != kClosed) close(bank, cycle, cycles_.rp_all);
  }
}

}  // namespace vernier::memory
