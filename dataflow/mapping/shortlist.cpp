#include "dataflow/mapping/shortlist.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <tuple>

#include "dataflow/mapping/tile_fit.hpp"

namespace vernier::dataflow {
namespace {

// A slice size of a channel dimension with its sums and its part of the footprint.
struct InSlices {
  InChannelSums sums;
  TileFit::InSlice fit;
};
struct OutSlices {
  OutChannelSums sums;
  TileFit::OutSlice fit;
};

// A rectangle of output pixels.
struct Rectangle {
  double count = 0;
  std::size_t at = 0;  // in enumeration order
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t in_pixels = 0;
  std::int64_t out_pixels = 0;
};

constexpr std::size_t kAllOut = std::numeric_limits<std::size_t>::max();

// A pair of channel slices, or one of the input channels with any of the output channels, and the
// least that its mappings can be estimated at.
struct Branch {
  double floor = 0;
  std::size_t in = 0;
  std::size_t out = kAllOut;
  // The least is on top of a heap.
  friend bool operator<(const Branch& left, const Branch& right) {
    return std::tie(left.floor, left.in, left.out) > std::tie(right.floor, right.in, right.out);
  }
};

// Place in the enumeration: input channels, output channels, rectangle, loop order.
using Place = std::array<std::size_t, 4>;

// Sizes of an axis of which there are very many (maps of a million rows, of which no network is
// made): as many of them, at even distances in their order, the largest and the smallest included.
std::vector<std::int64_t> thinned(const std::vector<std::int64_t>& sizes, std::size_t most) {
  if (sizes.size() <= most) return sizes;
  std::vector<std::int64_t> kept;
  kept.reserve(most);
  for (std::size_t at = 0; at < most; ++at) {
    kept.push_back(sizes[at * (sizes.size() - 1) / (most - 1)]);
  }
  return kept;
}

class Shortlist {
 public:
  Shortlist(const LayerTask& task, const Accelerator& machine, std::size_t most)
      : task_(task),
        images_(static_cast<double>(task.images)),
        estimator_(task, machine),
        fit_(task, machine),
        most_(most) {
    const CandidateSpace space = candidate_space(task, machine);
    constexpr std::size_t kMostSlices = 1024;
    for (const std::int64_t size : thinned(space.in_channels, kMostSlices)) {
      in_.push_back(in_slices(size, 1));
    }
    for (const std::int64_t size : thinned(space.out_channels, kMostSlices)) {
      out_.push_back(out_slices(size, 1));
    }
    constexpr std::size_t kMostRectangles = 1U << 16U;
    constexpr std::size_t kMostSides = 256;
    const bool many = space.rows.size() * space.columns.size() > kMostRectangles;
    add_rectangles(many ? thinned(space.rows, kMostSides) : space.rows,
                   many ? thinned(space.columns, kMostSides) : space.columns);
  }

  std::vector<RankedMapping> run() {
    for (std::size_t in = 0; in < in_.size(); ++in) {
      const InChannelSums& sums = in_[in].sums;
      push({sums.count > 1 ? estimator_.floor_of(out_.front().sums, sums).from_any(images_) : 0.0,
            in, kAllOut});
    }
    while (!branches_.empty() && branches_.front().floor <= worst_) {
      std::pop_heap(branches_.begin(), branches_.end());
      const Branch branch = branches_.back();
      branches_.pop_back();
      if (branch.out == kAllOut) {
        add_pairs(branch.in);
      } else {
        open(branch);
      }
    }
    std::vector<RankedMapping> result;
    result.reserve(found_.size());
    for (const Found& found : found_) result.push_back(found.ranked);
    return result;
  }

 private:
  struct Found {
    RankedMapping ranked;
    Place place{};
    [[nodiscard]] auto key() const {
      return std::tie(ranked.estimate.cycles, ranked.estimate.dram_bits, place);
    }
  };

  [[nodiscard]] InSlices in_slices(std::int64_t size, std::int64_t groups) const {
    return {estimator_.in_channels(size, groups), fit_.in_slice(size, groups)};
  }
  [[nodiscard]] OutSlices out_slices(std::int64_t size, std::int64_t groups) const {
    return {estimator_.out_channels(size, groups), fit_.out_slice(size, groups)};
  }

  // By count, ascending.
  void add_rectangles(const std::vector<std::int64_t>& row_sizes,
                      const std::vector<std::int64_t>& column_sizes) {
    const AxisSpec row = row_axis(task_);
    const AxisSpec column = column_axis(task_);
    std::vector<std::int64_t> column_reach;
    column_reach.reserve(column_sizes.size());
    for (const std::int64_t size : column_sizes) column_reach.push_back(reach_of(column, size));
    rectangles_.reserve(row_sizes.size() * column_sizes.size());
    for (const std::int64_t rows : row_sizes) {
      const std::int64_t reach = reach_of(row, rows);
      const std::int64_t row_count = ceil_div(task_.out_height, rows);
      for (std::size_t at = 0; at < column_sizes.size(); ++at) {
        const std::int64_t columns = column_sizes[at];
        Rectangle rectangle;
        rectangle.at = rectangles_.size();
        rectangle.rows = rows;
        rectangle.columns = columns;
        rectangle.in_pixels = checked_mul(reach, column_reach[at]);
        rectangle.out_pixels = checked_mul(rows, columns);
        rectangle.count =
            images_ * static_cast<double>(row_count * ceil_div(task_.out_width, columns));
        rectangles_.push_back(rectangle);
      }
    }
    sums_.resize(rectangles_.size());
    std::sort(rectangles_.begin(), rectangles_.end(), [](const auto& left, const auto& right) {
      return std::tie(left.count, left.at) < std::tie(right.count, right.at);
    });
  }

  void push(const Branch& branch) {
    branches_.push_back(branch);
    std::push_heap(branches_.begin(), branches_.end());
  }

  void add_pairs(std::size_t in) {
    for (std::size_t out = 0; out < out_.size(); ++out) {
      const MappingEstimator::Floor floor = estimator_.floor_of(out_[out].sums, in_[in].sums);
      if (floor.from(images_) > worst_) continue;
      const TileFit::Room room = fit_.room(TileFit::footprint(in_[in].fit, out_[out].fit));
      if (room.out_pixels == 0) continue;
      const double least = images_ * std::ceil(static_cast<double>(task_.pixels()) / images_ /
                                               static_cast<double>(room.out_pixels));
      const double cycles = floor.best_from(least);
      if (cycles <= worst_) push({cycles, in, out});
    }
  }

  void open(const Branch& pair) {
    const InSlices& in = in_[pair.in];
    const OutSlices& out = out_[pair.out];
    const std::int64_t groups = estimator_.groups_at_once(in.sums.size, out.sums.size);
    if (groups > 1) {
      open_slices(pair, in_slices(in.sums.size, groups), out_slices(out.sums.size, groups));
    } else {
      open_slices(pair, in, out);
    }
  }

  void open_slices(const Branch& pair, const InSlices& in, const OutSlices& out) {
    const Footprint footprint = TileFit::footprint(in.fit, out.fit);
    const TileFit::Room room = fit_.room(footprint);
    const MappingEstimator::Floor floor = estimator_.floor_of(out.sums, in.sums);
    for (const Rectangle& rectangle : rectangles_) {
      if (rectangle.out_pixels > room.out_pixels || rectangle.in_pixels > room.in_pixels) continue;
      if (floor.from(rectangle.count) > worst_) break;
      if (floor.at(rectangle.count) > worst_) continue;
      if (!fit_.fits(footprint, rectangle.in_pixels, rectangle.out_pixels)) continue;
      std::optional<PixelSums>& sums = sums_[rectangle.at];
      if (!sums) sums = estimator_.pixels(rectangle.rows, rectangle.columns);
      estimate(in.sums, out.sums, *sums, {pair.in, pair.out, rectangle.at, 0});
    }
  }

  void estimate(const InChannelSums& k, const OutChannelSums& n, const PixelSums& p,
                const Place& place) {
    const double compute = estimator_.compute_cycles(p, n, k);
    if (compute > worst_) return;
    const MappingEstimator::Tiles tiles = estimator_.tiles(p, n, k, compute);
    for (std::size_t order = 0; order < kLoopOrders.size(); ++order) {
      if (!is_distinct_order(order, tiles.moving)) continue;
      const MappingEstimate estimate = estimator_.estimate(p, n, k, tiles, order);
      if (estimate.cycles > worst_) continue;
      keep({{{{p.rows, p.columns, k.size, n.size}, kLoopOrders[order], MappingOrigin::kSearched},
             estimate},
            {place[0], place[1], place[2], order}});
    }
  }

  void keep(const Found& found) {
    const auto place = std::upper_bound(
        found_.begin(), found_.end(), found,
        [](const Found& left, const Found& right) { return left.key() < right.key(); });
    found_.insert(place, found);
    if (found_.size() > most_) found_.pop_back();
    if (found_.size() == most_) worst_ = found_.back().ranked.estimate.cycles;
  }

  const LayerTask& task_;
  double images_;
  MappingEstimator estimator_;
  TileFit fit_;
  std::size_t most_;
  std::vector<InSlices> in_;
  std::vector<OutSlices> out_;
  std::vector<Rectangle> rectangles_;
  std::vector<std::optional<PixelSums>> sums_;  // by place of the rectangle, once asked for
  std::vector<Branch> branches_;                // a heap
  std::vector<Found> found_;
  double worst_ = std::numeric_limits<double>::infinity();  // of the list, once it is full
};

}  // namespace

Result<std::vector<RankedMapping>> shortlist(const LayerTask& task, const Accelerator& machine,
                                             std::size_t most) {
  if (auto reason = misfit(task, {1, 1, 1, task.channel_unit}, machine)) return *std::move(reason);
  std::vector<RankedMapping> found = Shortlist(task, machine, most).run();
  VERNIER_ASSERT(!found.empty(), "a candidate, since the smallest tile fits");
  return found;
}

}  // namespace vernier::dataflow
