#include "frontends/scalesim/estimated_reads.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "frontends/scalesim/quirks.hpp"

namespace vernier::frontends::scalesim {
namespace {

// Words that are demanded in the same order `passes` times before others follow.
struct Block {
  std::int64_t words = 0;
  std::int64_t passes = 1;
};

// Folds of one block follow each other; the whole stream is blocks of equal size but the last.
class DistinctStream {
 public:
  explicit DistinctStream(const ReadStream& stream) : stream_(stream) {
    const FoldPlan& plan = stream.plan();
    switch (stream.axis()) {
      case LaneAxis::kRows:
        blocks_ = 1;
        passes_ = plan.column_folds;
        break;
      case LaneAxis::kColumns:
        blocks_ = plan.column_folds;
        passes_ = plan.row_folds;
        break;
      case LaneAxis::kStationary:
        blocks_ = 1;
        passes_ = 1;
        break;
    }
  }

  [[nodiscard]] std::int64_t blocks() const { return blocks_; }

  [[nodiscard]] Block block(std::int64_t index) const {
    const FoldPlan& plan = stream_.plan();
    switch (stream_.axis()) {
      case LaneAxis::kRows: return {plan.row_extent * plan.steps, passes_};
      case LaneAxis::kColumns: return {plan.used_columns(index) * plan.steps, passes_};
      case LaneAxis::kStationary: break;
    }
    return {plan.row_extent * plan.column_extent, 1};
  }

  /// Line of the word number `word` of a block, all passes counted.
  [[nodiscard]] std::int64_t line_of(std::int64_t index, std::int64_t word) const {
    const FoldPlan& plan = stream_.plan();
    if (stream_.axis() == LaneAxis::kStationary) return stationary_line(word);
    const std::int64_t pass_words = block(index).words;
    const std::int64_t pass = word / pass_words;
    std::int64_t rest = word % pass_words;
    std::int64_t column_fold = index;
    std::int64_t row_fold = pass;
    std::int64_t lanes = 0;
    if (stream_.axis() == LaneAxis::kRows) {
      column_fold = pass;
      row_fold = rest / (plan.rows * plan.steps);
      rest -= row_fold * plan.rows * plan.steps;
      lanes = plan.used_rows(row_fold);
    } else {
      lanes = plan.used_columns(index);
    }
    const SkewedBlock fold{.lanes = lanes, .steps = plan.steps};
    return stream_.demand(column_fold, row_fold, fold.line_of(rest)).line;
  }

 private:
  [[nodiscard]] std::int64_t stationary_line(std::int64_t word) const {
    const FoldPlan& plan = stream_.plan();
    const std::int64_t column_fold = word / (plan.row_extent * plan.columns);
    std::int64_t rest = word - column_fold * plan.row_extent * plan.columns;
    const std::int64_t columns = plan.used_columns(column_fold);
    const std::int64_t row_fold = rest / (plan.rows * columns);
    rest -= row_fold * plan.rows * columns;
    return stream_.demand(column_fold, row_fold, rest / columns).line;
  }

  const ReadStream& stream_;
  std::int64_t blocks_ = 1;
  std::int64_t passes_ = 1;
};

// A word misses when it was last asked for before the generation began. Inside a block a word
// returns after `block.words` others, so misses form runs that need no walking.
EstimatedReads count_distinct(const ReadStream& stream, std::int64_t capacity) {
  const DistinctStream words(stream);
  EstimatedReads result;
  std::int64_t filled = 0;
  std::int64_t generation_begin = 0;  // counted over the stream
  std::int64_t block_begin = 0;
  for (std::int64_t index = 0; index < words.blocks(); ++index) {
    const Block block = words.block(index);
    const std::int64_t demanded = checked_mul(block.words, block.passes);
    std::int64_t at = 0;
    while (true) {
      const std::int64_t known_from = generation_begin - block_begin + block.words;
      const std::int64_t run_end = std::min(demanded, std::max(block.words, known_from));
      const std::int64_t run = std::min(run_end - at, capacity - filled);
      if (run <= 0) break;
      at += run;
      filled += run;
      result.misses += run;
      if (filled < capacity) break;
      filled = 0;
      generation_begin = block_begin + at;
      ++result.full_generations;
      result.last_full_line = words.line_of(index, at - 1);
    }
    block_begin = checked_add(block_begin, demanded);
  }
  return result;
}

// The generation in which each word was last asked for. Words that hang over the edge carry a mark
// that no generation reaches, so that they always hit.
class GenerationStore {
 public:
  GenerationStore(const ReadStream& stream, std::int64_t capacity)
      : stream_(stream),
        capacity_(capacity),
        last_asked_(static_cast<std::size_t>(stream.address_count()), 0) {
    for (const std::int64_t address : stream.null_addresses()) {
      last_asked_[static_cast<std::size_t>(address)] = kNever;
    }
  }

  EstimatedReads count() {
    const FoldPlan& plan = stream_.plan();
    for (std::int64_t column_fold = 0; column_fold < plan.column_folds; ++column_fold) {
      const std::int64_t misses_before = result_.misses;
      for (std::int64_t row_fold = 0; row_fold < plan.row_folds; ++row_fold) {
        walk_fold(column_fold, row_fold);
      }
      // A streamed pass that found everything leaves the store as it was, and so do the next ones.
      if (stream_.axis() == LaneAxis::kRows && result_.misses == misses_before) break;
    }
    return result_;
  }

 private:
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

  void walk_fold(std::int64_t column_fold, std::int64_t row_fold) {
    const std::int64_t lines = stream_.demand_lines(column_fold, row_fold);
    const bool is_stationary = stream_.axis() == LaneAxis::kStationary;
    for (std::int64_t index = 0; index < lines; ++index) {
      const DemandLine demand = stream_.demand(column_fold, row_fold, index);
      const Element first = stream_.element(demand, demand.first_lane);
      const std::int64_t words = demand.last_lane - demand.first_lane + 1;
      const std::int32_t* outer = stream_.outer_address().data() + first.outer;
      const std::int32_t* inner = stream_.inner_address().data() + first.inner;
      if (filled_ + words >= capacity_) {
        walk_full(outer, inner, words, is_stationary ? 0 : 1, demand.line);
      } else if (is_stationary) {
        walk<0>(outer, inner, words);
      } else {
        walk<1>(outer, inner, words);
      }
    }
  }

  // No generation can fill up in this line.
  template <int kStep>
  void walk(const std::int32_t* outer, const std::int32_t* inner, std::int64_t words) {
    const std::uint32_t generation = generation_;
    std::uint32_t* const last_asked = last_asked_.data();
    std::int64_t misses = 0;
    for (std::int64_t lane = 0; lane < words; ++lane) {
      std::uint32_t& asked = last_asked[outer[lane] + inner[-lane * kStep]];
      misses += asked < generation ? 1 : 0;
      asked = std::max(asked, generation);
    }
    filled_ += misses;
    result_.misses += misses;
  }

  void walk_full(const std::int32_t* outer, const std::int32_t* inner, std::int64_t words,
                 std::int64_t step, std::int64_t line) {
    for (std::int64_t lane = 0; lane < words; ++lane) {
      std::uint32_t& asked = last_asked_[static_cast<std::size_t>(outer[lane]) +
                                         static_cast<std::size_t>(inner[-lane * step])];
      if (asked >= generation_) continue;
      asked = generation_;
      ++result_.misses;
      if (++filled_ < capacity_) continue;
      filled_ = 0;
      ++generation_;
      ++result_.full_generations;
      result_.last_full_line = line;
    }
  }

  const ReadStream& stream_;
  std::int64_t capacity_;
  std::vector<std::uint32_t> last_asked_;
  std::uint32_t generation_ = 1;
  std::int64_t filled_ = 0;
  EstimatedReads result_;
};

}  // namespace

std::int64_t generation_words(std::int64_t sram_words) {
  return kActiveSets * (sram_words / kSetsPerSram);
}

EstimatedReads estimate_reads(const ReadStream& stream, std::int64_t sram_words) {
  const std::int64_t capacity = generation_words(sram_words);
  if (stream.is_distinct()) return count_distinct(stream, capacity);
  return GenerationStore(stream, capacity).count();
}

DramSpan estimated_span(const EstimatedReads& reads, std::int64_t sram_words,
                        std::int64_t first_cycle, std::int64_t last_full_cycle) {
  const std::int64_t set_words = sram_words / kSetsPerSram;
  if (reads.full_generations == 0) {
    const std::int64_t fetched = round_up(reads.misses, set_words);
    return {.start = kDramReadLatency - 1 - ceil_div(fetched, kEstimatedFillWordsPerCycle),
            .stop = kDramReadLatency - 2};
  }
  const std::int64_t first_fill =
      ceil_div(generation_words(sram_words), kEstimatedFillWordsPerCycle);
  return {.start = kDramReadLatency + first_cycle - 1 - first_fill,
          .stop = kDramReadLatency + last_full_cycle};
}

}  // namespace vernier::frontends::scalesim
