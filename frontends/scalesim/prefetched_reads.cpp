#include "frontends/scalesim/prefetched_reads.hpp"

#include <algorithm>
#include <limits>

#include "arch/base/error.hpp"

namespace vernier::frontends::scalesim {
namespace {

constexpr std::int64_t kMostBands = std::int64_t{1} << 31;

// The circular window of sets, and the same as ranges of places in the prefetch order.
class SetWindow {
 public:
  SetWindow(std::int64_t places, std::int64_t sram_words)
      : set_words_(ceil_div(sram_words, kSetsPerSram)), sets_(places / set_words_ + 1) {
    const std::int64_t half = ceil_div(sram_words, 2);
    active_ = std::min(ceil_div(half, set_words_), sets_);
    step_ = std::min(ceil_div(sram_words - half, set_words_), sets_ - active_);
    update();
  }

  [[nodiscard]] bool holds_all() const { return active_ == sets_; }

  /// Whether all places of [begin, end) are on chip; true for an empty range.
  [[nodiscard]] bool holds(std::int64_t begin, std::int64_t end) const {
    return (begin >= begin_ && end <= end_) || end <= wrapped_end_ || begin >= end;
  }
  /// Whether none of them is.
  [[nodiscard]] bool misses(std::int64_t begin, std::int64_t end) const {
    return (end <= begin_ || begin >= end_) && begin >= wrapped_end_;
  }
  [[nodiscard]] bool holds(std::int64_t place) const {
    return (place >= begin_ && place < end_) || place < wrapped_end_;
  }

  /// Moves of the window until a place that it misses is in it.
  [[nodiscard]] std::int64_t moves_to(std::int64_t place) const {
    std::int64_t distance = place / set_words_ - first_;
    if (distance < 0) distance += sets_;
    return (distance - active_ + step_) / step_;
  }

  void move(std::int64_t moves) {
    first_ = (first_ + moves % sets_ * step_) % sets_;
    update();
  }

 private:
  void update() {
    const std::int64_t end = first_ + active_;
    begin_ = first_ * set_words_;
    const bool is_wrapped = end > sets_;
    end_ = end >= sets_ ? std::numeric_limits<std::int64_t>::max() : end * set_words_;
    wrapped_end_ = is_wrapped ? (end - sets_) * set_words_ : 0;
  }

  std::int64_t set_words_;
  std::int64_t sets_;
  std::int64_t active_ = 0;
  std::int64_t step_ = 0;
  std::int64_t first_ = 0;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t wrapped_end_ = 0;
};

// Places in the prefetch order: bands one after the other, lanes ascending, nulls skipped.
class PrefetchOrder {
 public:
  explicit PrefetchOrder(const ReadStream& stream) : stream_(stream) {
    const std::int64_t bands = stream.band_count();
    if (bands > kMostBands) throw ModelError("the layer is larger than can be simulated");
    begins_.resize(static_cast<std::size_t>(bands) + 1, 0);
    for (std::int64_t band = 0; band < bands; ++band) {
      begins_[static_cast<std::size_t>(band) + 1] =
          stream.elements_before(band, stream.lane_width());
    }
    for (const Element& null : stream.null_elements()) {
      --begins_[static_cast<std::size_t>(stream.band_of(null)) + 1];
    }
    for (std::size_t band = 1; band < begins_.size(); ++band) begins_[band] += begins_[band - 1];
  }

  [[nodiscard]] std::int64_t places() const { return begins_.back(); }
  [[nodiscard]] std::int64_t begin(std::int64_t band) const {
    return begins_[static_cast<std::size_t>(band)];
  }
  [[nodiscard]] std::int64_t end(std::int64_t band) const {
    return begins_[static_cast<std::size_t>(band) + 1];
  }

  [[nodiscard]] std::int64_t place(std::int64_t band, std::int64_t lane) const {
    const std::int64_t width = stream_.lane_width();
    const bool has_null =
        stream_.has_nulls() && end(band) - begin(band) != stream_.elements_before(band, width);
    if (!has_null) return begin(band) + stream_.elements_before(band, lane);
    std::int64_t before = 0;
    Element element;
    for (std::int64_t other = 0; other < lane; ++other) {
      const bool exists = stream_.element_of_band(band, other, element);
      before += exists && !stream_.is_null(element) ? 1 : 0;
    }
    return begin(band) + before;
  }

 private:
  const ReadStream& stream_;
  std::vector<std::int64_t> begins_;
};

class RefillFinder {
 public:
  RefillFinder(const ReadStream& stream, std::int64_t sram_words)
      : stream_(stream), order_(stream), window_(order_.places(), sram_words) {}

  void find(PrefetchedReads& result) {
    if (window_.holds_all()) return;
    const FoldPlan& plan = stream_.plan();
    for (std::int64_t column_fold = 0; column_fold < plan.column_folds; ++column_fold) {
      for (std::int64_t row_fold = 0; row_fold < plan.row_folds; ++row_fold) {
        const std::int64_t lines = stream_.demand_lines(column_fold, row_fold);
        for (std::int64_t index = 0; index < lines; ++index) {
          walk_line(stream_.demand(column_fold, row_fold, index), result);
        }
      }
    }
  }

 private:
  void walk_line(const DemandLine& demand, PrefetchedReads& result) {
    if (holds_band(demand.band)) return;
    std::int64_t moves = 0;
    for (std::int64_t lane = demand.first_lane; lane <= demand.last_lane; ++lane) {
      const Element element = stream_.element(demand, lane);
      if (stream_.is_null(element) || holds_element(demand.band, lane)) continue;
      const std::int64_t needed = moves_needed(demand.band, lane, element);
      if (needed == 0) continue;
      window_.move(needed);
      moves += needed;
      if (holds_band(demand.band)) break;
    }
    if (moves == 0) return;
    result.refills.push_back({.line = demand.line, .moves = moves});
    result.moves += moves;
  }

  [[nodiscard]] bool holds_band(std::int64_t band) const {
    return window_.holds(order_.begin(band), order_.end(band));
  }

  [[nodiscard]] bool holds_element(std::int64_t band, std::int64_t lane) const {
    if (window_.misses(order_.begin(band), order_.end(band))) return false;
    return holds_band(band) || window_.holds(order_.place(band, lane));
  }

  // Any place of the same word will do; 0 when one is on chip already.
  std::int64_t moves_needed(std::int64_t band, std::int64_t lane, const Element& element) {
    if (stream_.is_distinct()) return window_.moves_to(order_.place(band, lane));
    stream_.same_words(element, same_words_);
    for (const Element& other : same_words_) {
      if (holds_element(stream_.band_of(other), stream_.lane_of(other))) return 0;
    }
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const Element& other : same_words_) {
      const std::int64_t place = order_.place(stream_.band_of(other), stream_.lane_of(other));
      least = std::min(least, window_.moves_to(place));
    }
    return least;
  }

  const ReadStream& stream_;
  PrefetchOrder order_;
  SetWindow window_;
  std::vector<Element> same_words_;
};

}  // namespace

PrefetchedReads find_refills(const ReadStream& stream, std::int64_t sram_words,
                             std::int64_t bandwidth) {
  const std::int64_t half = ceil_div(sram_words, 2);
  PrefetchedReads result;
  result.initial_rows =
      std::min(ceil_div(half, bandwidth), ceil_div(stream.prefetch_slots(), bandwidth));
  result.refill_rows = ceil_div(sram_words - half, bandwidth);
  RefillFinder(stream, sram_words).find(result);
  return result;
}

std::int64_t RefillClock::serve(std::int64_t cycle, std::int64_t moves) {
  const std::int64_t on_time = cycle + 1;
  std::int64_t served = on_time;
  if (compat_ == Compat::kV2) {
    last_ += cycles_per_move_ * moves;
    return std::max(served, last_) - on_time;
  }
  for (std::int64_t move = 0; move < moves; ++move) {  // Quirk 14
    last_ += cycles_per_move_;
    const std::int64_t late = last_ - served;
    served += late > 0 ? 2 * late : late;
  }
  return served - on_time;
}

}  // namespace vernier::frontends::scalesim
