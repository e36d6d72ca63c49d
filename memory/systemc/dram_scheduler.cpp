#include "memory/systemc/dram_scheduler.hpp"

#include <algorithm>

#include "arch/base/error.hpp"

namespace vernier::memory {

DramScheduler::DramScheduler(const DramTimingSpec& spec)
    : spec_(spec), banks_(spec), capacity_(static_cast<std::size_t>(spec.queue)) {
  bursts_.reserve(capacity_);
  const auto banks = static_cast<std::size_t>(spec.banks_per_channel());
  bank_hit_.assign(banks, 0);
  bank_taken_.assign(banks, 0);
  for (std::int64_t rank = 0; rank < spec.ranks; ++rank) {
    due_.push_back(spec.preset.cycles.refi * (rank + 1) / spec.ranks);
  }
}

void DramScheduler::push(const DramBurst& burst, std::int64_t cycle) {
  VERNIER_ASSERT(has_room(), "room in the queue");
  bursts_.push_back({burst, 0});
  now_ = std::max(now_, cycle);
  is_decided_ = false;
}

const ScheduledCommand& DramScheduler::next() {
  if (!is_decided_) decide();
  return next_;
}

void DramScheduler::decide() {
  has_offer_ = false;
  for (std::int64_t rank = 0; rank < spec_.ranks; ++rank) consider_refresh(rank);
  std::fill(bank_hit_.begin(), bank_hit_.end(), std::uint8_t{0});
  std::fill(bank_taken_.begin(), bank_taken_.end(), std::uint8_t{0});
  for (const Waiting& waiting : bursts_) {
    if (banks_.open_row(waiting.burst.bank) == waiting.burst.row) {
      bank_hit_[static_cast<std::size_t>(waiting.burst.bank)] = 1;
    }
  }
  for (std::size_t entry = 0; entry < bursts_.size(); ++entry) consider(entry);
  is_decided_ = true;
}

void DramScheduler::consider_refresh(std::int64_t rank) {
  const std::int64_t bank = rank * spec_.preset.banks();
  ScheduledCommand command;
  command.bank = bank;
  command.command = banks_.has_open_row(rank) ? DramCommand::kPrechargeAll : DramCommand::kRefresh;
  command.cycle =
      std::max(due_[static_cast<std::size_t>(rank)], banks_.earliest(command.command, bank));
  offer(command, Rank::kRefresh);
}

// The command that a burst waits for, unless its bank or rank is busy with something else.
void DramScheduler::consider(std::size_t entry) {
  const DramBurst& burst = bursts_[entry].burst;
  const auto bank = static_cast<std::size_t>(burst.bank);
  const std::int64_t open = banks_.open_row(burst.bank);
  ScheduledCommand command;
  command.bank = burst.bank;
  command.row = burst.row;
  Rank rank = Rank::kColumn;
  if (open == burst.row) {
    if (entry > 0 && oldest_starves()) return;
    const bool closes = spec_.policy == RowPolicy::kClosed && !row_waits(entry);
    command.command = burst.writes ? (closes ? DramCommand::kWriteClose : DramCommand::kWrite)
                                   : (closes ? DramCommand::kReadClose : DramCommand::kRead);
    command.entry = static_cast<std::int64_t>(entry);
  } else {
    if (bank_taken_[bank] != 0) return;
    bank_taken_[bank] = 1;
    if (open == DramBanks::kClosed) {
      command.command = DramCommand::kActivate;
      rank = Rank::kActivate;
    } else {
      const bool must_wait = bank_hit_[bank] != 0 && !(entry == 0 && oldest_starves());
      if (must_wait) return;
      command.command = DramCommand::kPrecharge;
      rank = Rank::kPrecharge;
    }
  }
  command.cycle = std::max(now_, banks_.earliest(command.command, burst.bank));
  const auto of_rank = static_cast<std::size_t>(banks_.rank_of(burst.bank));
  if (command.cycle >= due_[of_rank]) return;  // refresh comes first
  offer(command, rank);
}

// The earliest command, among equally early ones that of the highest rank, the oldest first.
void DramScheduler::offer(ScheduledCommand command, Rank rank) {
  const bool is_better = !has_offer_ || command.cycle < next_.cycle ||
                         (command.cycle == next_.cycle && rank < next_rank_);
  if (!is_better) return;
  next_ = command;
  next_rank_ = rank;
  has_offer_ = true;
}

// Another burst waits for the same row.
bool DramScheduler::row_waits(std::size_t entry) const {
  const DramBurst& burst = bursts_[entry].burst;
  for (std::size_t other = 0; other < bursts_.size(); ++other) {
    if (other == entry) continue;
    if (bursts_[other].burst.bank == burst.bank && bursts_[other].burst.row == burst.row) {
      return true;
    }
  }
  return false;
}

bool DramScheduler::oldest_starves() const {
  return !bursts_.empty() && bursts_.front().overtaken >= spec_.queue;
}

std::optional<DramScheduler::Served> DramScheduler::issue() {
  const ScheduledCommand command = next();
  banks_.issue(command.command, command.bank, command.row, command.cycle);
  now_ = command.cycle + 1;
  is_decided_ = false;
  switch (command.command) {
    case DramCommand::kActivate: ++counts_.activates; return std::nullopt;
    case DramCommand::kRefresh:
      ++counts_.refreshes;
      due_[static_cast<std::size_t>(banks_.rank_of(command.bank))] += spec_.preset.cycles.refi;
      return std::nullopt;
    case DramCommand::kPrecharge:
    case DramCommand::kPrechargeAll: return std::nullopt;
    default: break;
  }
  const auto entry = static_cast<std::size_t>(command.entry);
  const DramBurst burst = bursts_[entry].burst;
  for (std::size_t older = 0; older < entry; ++older) ++bursts_[older].overtaken;
  bursts_.erase(bursts_.begin() + command.entry);
  ++(burst.writes ? counts_.writes : counts_.reads);
  const DramPreset& preset = spec_.preset;
  return Served{burst.request,
                command.cycle + (burst.writes ? preset.write_cycles() : preset.read_cycles())};
}

void DramScheduler::skip_refreshes(std::int64_t before) {
  if (!bursts_.empty()) return;
  constexpr std::int64_t kIssued = 2;
  for (std::int64_t rank = 0; rank < spec_.ranks; ++rank) {
    std::int64_t& due = due_[static_cast<std::size_t>(rank)];
    const std::int64_t skipped = (before - due) / spec_.preset.cycles.refi - kIssued;
    if (skipped <= 0 || banks_.has_open_row(rank)) continue;
    due += skipped * spec_.preset.cycles.refi;
    counts_.refreshes += skipped;
    is_decided_ = false;
  }
}

}  // namespace vernier::memory
