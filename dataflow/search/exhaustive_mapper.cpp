#include "dataflow/search/exhaustive_mapper.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <tuple>

#include <fmt/format.h>

#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/mapping/tile_fit.hpp"
#include "dataflow/search/candidate_bounds.hpp"

namespace vernier::dataflow {
namespace {

// A pair of channel cuts, with a bound of what all of its mappings score: first a cheap one, then
// one with the work of its own tiles.
struct ChannelPair {
  Score bound;
  std::size_t in = 0;
  std::size_t out = 0;
  bool refined = false;
  InnerWork whole;
  friend bool operator>(const ChannelPair& left, const ChannelPair& right) {
    return std::tie(left.bound, left.in, left.out) > std::tie(right.bound, right.in, right.out);
  }
};
using PairQueue = std::priority_queue<ChannelPair, std::vector<ChannelPair>, std::greater<>>;

// A tile size in pixels.
struct Rectangle {
  const SpatialCut* rows = nullptr;
  const SpatialCut* columns = nullptr;
  RectangleCut cut;
  std::int64_t in_pixels = 0;
  std::int64_t out_pixels = 0;
};

// A rectangle of a pair, with a bound of what all of its loop orders score.
struct OpenRectangle {
  Score bound;
  std::size_t at = 0;
  friend bool operator<(const OpenRectangle& left, const OpenRectangle& right) {
    return std::tie(left.bound, left.at) < std::tie(right.bound, right.at);
  }
};

// Place in the enumeration; the heuristic's mapping comes before all.
using Place = std::array<std::size_t, 5>;

class Exhaustive {
 public:
  Exhaustive(const LayerTask& task, const Machine& machine, SearchObjective objective,
             const Mapping& heuristic, const CostSummary& known)
      : task_(task),
        machine_(machine),
        objective_(objective),
        bounds_(task, machine, objective, known),
        fit_(task, machine.accelerator),
        best_{heuristic, score_of(objective, known), {}} {
    best_.mapping.origin = MappingOrigin::kProven;
    const CandidateSpace space = candidate_space(task, machine.accelerator);
    const AxisSpec row = row_axis(task);
    const AxisSpec column = column_axis(task);
    for (const std::int64_t size : space.in_channels) {
      in_.push_back(bounds_.in_channels(size));
      in_work_.push_back(bounds_.whole_map_and_channels(in_.back()));
    }
    for (const std::int64_t size : space.out_channels) out_.push_back(bounds_.out_channels(size));
    for (const std::int64_t size : space.rows) rows_.push_back(bounds_.spatial(row, size));
    for (const std::int64_t size : space.columns) {
      columns_.push_back(bounds_.spatial(column, size));
    }
    for (const SpatialCut& rows : rows_) {
      for (const SpatialCut& columns : columns_) {
        rectangles_.push_back({&rows, &columns, bounds_.rectangle(rows, columns),
                               checked_mul(rows.reach, columns.reach),
                               checked_mul(rows.size, columns.size)});
      }
    }
  }

  FoundMapping run() {
    PairQueue pairs = channel_pairs();
    while (!pairs.empty() && pairs.top().bound <= best_.score) {
      ChannelPair pair = pairs.top();
      pairs.pop();
      if (pair.refined) {
        open(pair);
      } else if (refine(pair)) {
        pairs.push(pair);
      }
    }
    return best_;
  }

 private:
  // Pairs that fit and may beat the best known mapping.
  PairQueue channel_pairs() {
    std::vector<ChannelPair> pairs;
    for (std::size_t in = 0; in < in_.size(); ++in) {
      for (std::size_t out = 0; out < out_.size(); ++out) {
        ++best_.effort.channel_pairs;
        const TileFit::Room room = fit_.room(fit_.footprint(in_[in].size, out_[out].size));
        if (room.in_pixels < least_reach() || room.out_pixels == 0) continue;
        const PairTraffic traffic = bounds_.pair_traffic(in_[in], out_[out]);
        const Score bound = least_of_orders(traffic, least_rectangle(room), in_work_[in], nullptr);
        if (bound <= best_.score) pairs.push_back({bound, in, out, false, {}});
      }
    }
    return PairQueue(std::greater<>(), std::move(pairs));
  }

  // Raises the bound of a pair with its own work; false: it cannot win.
  [[nodiscard]] bool refine(ChannelPair& pair) const {
    const InChannelCut& in = in_[pair.in];
    const OutChannelCut& out = out_[pair.out];
    const RectangleCut least = least_rectangle(fit_.room(fit_.footprint(in.size, out.size)));
    pair.whole = bounds_.whole_map(in, out);
    pair.refined = true;
    InnerWork work = pair.whole;
    if (least.tiles > static_cast<Count>(task_.images)) {
      work = work.at_least(bounds_.per_rectangle(in, out), least.tiles);
    }
    pair.bound = least_of_orders(bounds_.pair_traffic(in, out), least, work, nullptr);
    return pair.bound <= best_.score;
  }

  [[nodiscard]] static Count least_loaded(const std::vector<SpatialCut>& cuts) {
    Count least = cuts.front().loaded;
    for (const SpatialCut& cut : cuts) least = std::min(least, cut.loaded);
    return least;
  }

  // Input pixels that the smallest rectangle touches at most; 0 where a tile lies in padding only.
  [[nodiscard]] std::int64_t least_reach() const {
    const auto least = [](const std::vector<SpatialCut>& cuts) {
      std::int64_t reach = cuts.front().reach;
      for (const SpatialCut& cut : cuts) reach = std::min(reach, cut.reach);
      return reach;
    };
    return least(rows_) * least(columns_);
  }

  // Fewest tiles and loads that any rectangle within the room can have.
  [[nodiscard]] RectangleCut least_rectangle(const TileFit::Room& room) const {
    // A stride beyond the kernel skips inputs, so that smaller tiles may load less.
    RectangleCut least;
    const auto images = static_cast<Count>(task_.images);
    least.loaded = images * least_loaded(rows_) * least_loaded(columns_);
    const auto pixels = static_cast<Count>(task_.out_height) * static_cast<Count>(task_.out_width);
    const Count by_output = std::ceil(pixels / static_cast<Count>(room.out_pixels));
    const Count by_input =
        room.in_pixels == 0 ? 1.0
                            : std::ceil(least.loaded / images / static_cast<Count>(room.in_pixels));
    least.tiles = images * std::max({1.0, by_output, by_input});
    return least;
  }

  // The least score of all loop orders, from work that none of them goes below. Without `ends`
  // only for the order of magnitude of a pair.
  [[nodiscard]] Score least_of_orders(const PairTraffic& pair, const RectangleCut& rectangle,
                                      const InnerWork& work, const Ends* ends) const {
    const MovingLoops loops = pair.moving | moving_loop(LoopDim::kPixel, rectangle.tiles > 1);
    Score least{std::numeric_limits<double>::infinity(), 0};
    for (std::size_t order = 0; order < kLoopOrders.size(); ++order) {
      if (!is_distinct_order(order, loops)) continue;
      const TrafficBits traffic = bounds_.traffic(pair, rectangle, order);
      const Count cycles = ends == nullptr
                               ? bounds_.cycles(work, traffic)
                               : bounds_.cycles(work, traffic, pair.tiles * rectangle.tiles, *ends);
      least = std::min(least, bounds_.score(work, traffic, cycles));
    }
    return least;
  }

  void open(const ChannelPair& pair) {
    ++best_.effort.pairs_opened;
    const InChannelCut& in = in_[pair.in];
    const OutChannelCut& out = out_[pair.out];
    const Footprint footprint = fit_.footprint(in.size, out.size);
    const PairTraffic traffic = bounds_.pair_traffic(in, out);
    const InnerWork each = bounds_.per_rectangle(in, out);
    std::vector<OpenRectangle> open;
    for (std::size_t at = 0; at < rectangles_.size(); ++at) {
      const Rectangle& rectangle = rectangles_[at];
      if (!fit_.fits(footprint, rectangle.in_pixels, rectangle.out_pixels)) continue;
      ++best_.effort.rectangles;
      const InnerWork work = pair.whole.at_least(each, rectangle.cut.tiles);
      if (least_of_orders(traffic, rectangle.cut, work, nullptr) > best_.score) continue;
      const Ends ends = bounds_.ends(in, out, *rectangle.rows, *rectangle.columns);
      const Score bound = least_of_orders(traffic, rectangle.cut, work, &ends);
      if (bound <= best_.score) open.push_back({bound, at});
    }
    std::sort(open.begin(), open.end());
    for (const OpenRectangle& rectangle : open) {
      if (rectangle.bound > best_.score) break;
      count(pair, traffic, rectangle.at);
    }
  }

  // Counts the work of a tile size exactly, once, and times the loop orders that may still win.
  void count(const ChannelPair& pair, const PairTraffic& moved, std::size_t at) {
    const InChannelCut& in = in_[pair.in];
    const OutChannelCut& out = out_[pair.out];
    const Rectangle& rectangle = rectangles_[at];
    const MovingLoops loops = moved.moving | moving_loop(LoopDim::kPixel, rectangle.cut.tiles > 1);
    const Ends ends = bounds_.ends(in, out, *rectangle.rows, *rectangle.columns);
    Mapping mapping;
    mapping.origin = MappingOrigin::kProven;
    mapping.tile = {rectangle.rows->size, rectangle.columns->size, in.size, out.size};
    std::optional<InnerWork> work;
    for (std::size_t order = 0; order < kLoopOrders.size(); ++order) {
      if (!is_distinct_order(order, loops)) continue;
      mapping.order = kLoopOrders[order];
      const TrafficBits traffic = bounds_.traffic(moved, rectangle.cut, order);
      const auto bound = [&](const InnerWork& known) {
        const Count tiles = moved.tiles * rectangle.cut.tiles;
        return bounds_.score(known, traffic, bounds_.cycles(known, traffic, tiles, ends));
      };
      const Place place{1, pair.in, pair.out, at, order};
      if (!may_win(bound(work.value_or(pair.whole)), place)) continue;
      const Result<PreparedTask> prepared = prepare_task(task_, mapping, machine_.accelerator);
      VERNIER_ASSERT(prepared.has_value(), "a tile that fits, as its footprint says");
      if (!work) {
        ++best_.effort.tiles_counted;
        work = CandidateBounds::exact(*prepared);
        if (!may_win(bound(*work), place)) continue;
      }
      time(*prepared, *work, traffic, mapping, place);
    }
  }

  void time(const PreparedTask& prepared, const InnerWork& work, const TrafficBits& traffic,
            const Mapping& mapping, const Place& place) {
    ++best_.effort.mappings_timed;
    const TaskTiming timing =
        time_task(prepared.schedule, prepared.tiles, {}, machine_.accelerator);
    const auto cycles = static_cast<Count>(timing.cycles.total().count());
    const Score expected = bounds_.score(work, traffic, cycles);
    if (!may_win(expected, place)) return;
    const Score score = score_of(objective_, cost_of_task(prepared, {}, machine_));
    check(expected, score);
    if (std::tie(score, place) >= std::tie(best_.score, place_)) return;
    best_.mapping = mapping;
    best_.score = score;
    place_ = place;
  }

  [[nodiscard]] bool may_win(const Score& bound, const Place& place) const {
    return std::tie(bound, place) < std::tie(best_.score, place_);
  }

  // Bounds and engine must mean the same machine.
  static void check(const Score& expected, const Score& found) {
    constexpr double kSame = 1e-9;
    VERNIER_ASSERT(
        expected.tie == found.tie && std::abs(expected.value - found.value) <= kSame * found.value,
        "a bound that equals the engine's cost once everything is known");
  }

  const LayerTask& task_;
  const Machine& machine_;
  SearchObjective objective_;
  CandidateBounds bounds_;
  TileFit fit_;
  std::vector<InChannelCut> in_;
  std::vector<OutChannelCut> out_;
  std::vector<SpatialCut> rows_;
  std::vector<SpatialCut> columns_;
  std::vector<InnerWork> in_work_;  // by input channel cut
  std::vector<Rectangle> rectangles_;
  FoundMapping best_;
  Place place_{};
};

}  // namespace

void SearchEffort::add(const SearchEffort& other) {
  channel_pairs += other.channel_pairs;
  pairs_opened += other.pairs_opened;
  rectangles += other.rectangles;
  tiles_counted += other.tiles_counted;
  mappings_timed += other.mappings_timed;
}

bool is_searchable(const LayerTask& task, const Accelerator& machine) {
  return groups_per_tile(task, {1, 1, task.channels, task.out_channels}, machine) == 1;
}

Result<FoundMapping> map_exhaustively(const LayerTask& task, const Machine& machine,
                                      SearchObjective objective) {
  if (!is_searchable(task, machine.accelerator)) {
    throw ModelError(fmt::format(
        "the exhaustive search takes one group at a time; with depthwise {} tiles of the machine "
        "'{}' hold several (use the heuristic, a mapping file, or depthwise per_group)",
        to_text(machine.accelerator.spec().array.depthwise), machine.accelerator.spec().name));
  }
  const Result<PreparedTask> heuristic = prepare_heuristically(task, machine.accelerator);
  if (!heuristic) return heuristic.infeasible();
  const CostSummary known = cost_of_task(*heuristic, {}, machine);
  return Exhaustive(task, machine, objective, heuristic->schedule.mapping(), known).run();
}

}  // namespace vernier::dataflow
