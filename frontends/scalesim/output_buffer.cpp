#include "frontends/scalesim/output_buffer.hpp"

#include <algorithm>

namespace vernier::frontends::scalesim {

OutputBuffer::OutputBuffer(const FoldPlan& plan, std::int64_t total_words, std::int64_t row_words)
    : plan_(plan), row_words_(row_words), free_(total_words) {
  const std::int64_t rest = total_words - ceil_div(total_words, 2);
  drain_rows_ = ceil_div(rest, row_words);
  drain_below_ = total_words - rest;
}

OutputBuffer::Run OutputBuffer::run_at(std::int64_t fold, std::int64_t line) const {
  const std::int64_t row_fold = fold % plan_.row_folds;
  const std::int64_t used_rows = plan_.used_rows(row_fold);
  const bool is_os = plan_.dataflow == Dataflow::kOutputStationary;
  // os: outputs leave by the bottom edge, so the unused rows come first.
  const std::int64_t first = is_os ? plan_.steps - 1 + plan_.rows - used_rows : 2 * plan_.rows - 1;
  const SkewedBlock block{.lanes = plan_.used_columns(fold / plan_.row_folds),
                          .steps = is_os ? used_rows : plan_.steps};
  const std::int64_t at = line - first;
  if (at < 0) return {.lines = -at, .words = 0};
  if (at >= block.lines()) return {.lines = plan_.fold_lines - line, .words = 0};
  const std::int64_t ramp = std::min(block.lanes, block.steps);
  const bool is_flat = at >= ramp - 1 && at <= block.lines() - ramp;
  return {.lines = is_flat ? block.lines() - ramp + 1 - at : 1, .words = block.width(at)};
}

void OutputBuffer::advance(std::int64_t begin, std::int64_t end, std::int64_t& stalls) {
  while (begin < end) {
    Run run = run_at(begin / plan_.fold_lines, begin % plan_.fold_lines);
    run.lines = std::min(run.lines, end - begin);
    if (run.words > 0) write_lines(begin, run, stalls);
    begin += run.lines;
  }
}

std::int64_t OutputBuffer::serve(std::int64_t line, std::int64_t stalls) {
  const Run run = run_at(line / plan_.fold_lines, line % plan_.fold_lines);
  if (run.words == 0) return 0;
  const std::int64_t stall = write(line + stalls, run.words);
  note_write(line + stalls + stall);
  return stall;
}

void OutputBuffer::write_lines(std::int64_t line, const Run& run, std::int64_t& stalls) {
  std::int64_t left = run.lines;
  while (left > 0) {
    const std::int64_t cycle = line + stalls;
    std::int64_t calm = 0;  // lines in which nothing but filling happens
    if (cycle < drain_end_) {
      calm = std::min(drain_end_ - cycle, free_ > 0 ? (free_ - 1) / run.words : 0);
    } else {
      calm = std::max<std::int64_t>(0, free_ - drain_below_) / run.words;
    }
    calm = std::min(calm, left);
    if (calm > 0) {
      put(calm * run.words);
      note_write(cycle);
      note_write(cycle + calm - 1);
      line += calm;
      left -= calm;
      continue;
    }
    const std::int64_t stall = write(cycle, run.words);
    note_write(cycle + stall);
    stalls += stall;
    ++line;
    --left;
  }
}

std::int64_t OutputBuffer::write(std::int64_t cycle, std::int64_t words) {
  std::int64_t now = cycle;
  while (words > 0) {
    if (now < drain_end_) {
      const std::int64_t fits = std::min(words, std::max<std::int64_t>(1, free_));
      put(fits);
      words -= fits;
      if (free_ <= 0) now = drain_end_;
    } else {
      const std::int64_t fits =
          std::min(words, std::max<std::int64_t>(1, free_ - drain_below_ + 1));
      put(fits);
      words -= fits;
      if (free_ < drain_below_) drain(now);
    }
  }
  return now - cycle;
}

void OutputBuffer::put(std::int64_t words) {
  free_ -= words;
  open_words_ += words;
  const std::int64_t full = open_words_ / row_words_;
  open_words_ %= row_words_;
  if (full == 0) return;
  if (!closed_.empty() && closed_.back().words == row_words_) {
    closed_.back().count += full;
  } else {
    closed_.push_back({row_words_, full});
  }
}

void OutputBuffer::close_open_row() {
  if (open_words_ == 0) return;
  closed_.push_back({open_words_, 1});
  open_words_ = 0;
}

void OutputBuffer::drain(std::int64_t cycle) {
  close_open_row();
  std::int64_t taken = 0;
  std::int64_t last_words = row_words_;
  while (taken < drain_rows_ && !closed_.empty()) {
    Rows& front = closed_.front();
    const std::int64_t count = std::min(front.count, drain_rows_ - taken);
    last_words = front.words;
    taken += count;
    front.count -= count;
    if (front.count == 0) closed_.pop_front();
  }
  // Quirk 15: only the last taken row counts with what it holds.
  const std::int64_t amount = taken * row_words_ - (row_words_ - last_words);
  free_ += amount;
  dram_writes_ += amount;
  if (!has_drained_) dram_start_ = cycle;
  has_drained_ = true;
  drain_end_ = cycle + taken - 1;
  last_drain_stop_ = drain_end_;
  latest_stop_ = std::max(latest_stop_, drain_end_);
}

void OutputBuffer::finish(std::int64_t cycle) {
  close_open_row();
  while (!closed_.empty()) {
    drain(cycle);
    cycle = drain_end_ + 1;
  }
}

void OutputBuffer::note_write(std::int64_t cycle) {
  if (!has_written_) first_write_ = cycle;
  has_written_ = true;
  last_write_ = cycle;
}

}  // namespace vernier::frontends::scalesim
