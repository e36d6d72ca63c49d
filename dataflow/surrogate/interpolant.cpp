#include "dataflow/surrogate/interpolant.hpp"

#include <algorithm>
#include <numeric>

#include "arch/base/error.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kMostInside = 6;
constexpr Figures kNoSlopes{kNoSlope, kNoSlope, kNoSlope, kNoSlope};
using Block = std::array<Figures, std::size_t{1} << kMostInside>;

// (high - low) * scale.
Figures slope(const Figures& high, const Figures& low, double scale) {
  Figures result;
  for (std::size_t at = 0; at < kFigureCount; ++at) result[at] = (high[at] - low[at]) * scale;
  return result;
}

void step_towards(Figures& low, const Figures& difference, double fraction) {
  for (std::size_t at = 0; at < kFigureCount; ++at) low[at] += fraction * difference[at];
}

// Multilinear value of a block whose coordinate i (bit i of the corner) stands at fraction i.
void reduce(Figures* corners, std::span<const double> fractions) {
  for (std::size_t dim = fractions.size(); dim-- > 0;) {
    const std::size_t half = std::size_t{1} << dim;
    for (std::size_t at = 0; at < half; ++at) {
      Figures difference;
      for (std::size_t figure = 0; figure < kFigureCount; ++figure) {
        difference[figure] = corners[at + half][figure] - corners[at][figure];
      }
      step_towards(corners[at], difference, fractions[dim]);
    }
  }
}

// The same, and the derivative by each fraction.
void reduce_with_slopes(Figures* corners, std::span<const double> fractions, Figures* slopes) {
  Block differences;
  for (std::size_t dim = fractions.size(); dim-- > 0;) {
    const std::size_t half = std::size_t{1} << dim;
    for (std::size_t at = 0; at < half; ++at) {
      for (std::size_t figure = 0; figure < kFigureCount; ++figure) {
        differences[at][figure] = corners[at + half][figure] - corners[at][figure];
      }
      step_towards(corners[at], differences[at], fractions[dim]);
    }
    reduce(differences.data(), fractions.first(dim));
    slopes[dim] = differences[0];
  }
}

// Appends the block of corners around the knots; takes it back when one is not legal.
bool append_block(Patch& patch, std::vector<KnotIndex> knots, const VertexSource& source) {
  const std::size_t first = patch.corners.size();
  const std::size_t count = std::size_t{1} << patch.inside.size();
  patch.corners.resize(first + count);
  for (std::size_t corner = 0; corner < count; ++corner) {
    std::vector<KnotIndex> point = knots;
    for (std::size_t bit = 0; bit < patch.inside.size(); ++bit) {
      if ((corner >> bit & 1U) != 0) ++point[patch.inside[bit]];
    }
    if (source(point, patch.corners[first + corner])) continue;
    patch.corners.resize(first);
    return false;
  }
  return true;
}

std::int16_t appended_block(Patch& patch, const std::vector<KnotIndex>& knots,
                            const VertexSource& source) {
  const std::size_t block = patch.corners.size() >> patch.inside.size();
  return append_block(patch, knots, source) ? static_cast<std::int16_t>(block) : std::int16_t{-1};
}

std::vector<KnotIndex> floor_of(std::span<const KnotPosition> at) {
  std::vector<KnotIndex> knots;
  knots.reserve(at.size());
  for (const KnotPosition& position : at) knots.push_back(position.below);
  return knots;
}

}  // namespace

KnotPosition locate(std::span<const std::int64_t> knots, double x) {
  VERNIER_ASSERT(!knots.empty(), "a coordinate has knots");
  KnotPosition position;
  const auto above = std::upper_bound(
      knots.begin(), knots.end(), x,
      [](double value, std::int64_t knot) { return value < static_cast<double>(knot); });
  const std::size_t index =
      above == knots.begin() ? 0 : static_cast<std::size_t>(above - knots.begin()) - 1;
  position.below = static_cast<KnotIndex>(index);
  const auto here = static_cast<double>(knots[index]);
  if (index > 0) position.cell_below = here - static_cast<double>(knots[index - 1]);
  if (index + 1 < knots.size()) {
    position.cell_above = static_cast<double>(knots[index + 1]) - here;
    position.fraction = std::max(0.0, (x - here) / position.cell_above);
  }
  return position;
}

Patch make_patch(std::span<const KnotPosition> at, const VertexSource& source) {
  Patch patch;
  patch.below.assign(at.size(), -1);
  patch.above.assign(at.size(), -1);
  for (std::size_t place = 0; place < at.size(); ++place) {
    if (!at[place].on_knot()) patch.inside.push_back(static_cast<std::uint8_t>(place));
  }
  VERNIER_ASSERT(patch.inside.size() <= kMostInside, "few tensors in a multilinear term");
  std::vector<KnotIndex> knots = floor_of(at);
  patch.legal = append_block(patch, knots, source);
  if (!patch.legal) return patch;
  for (std::size_t place = 0; place < at.size(); ++place) {
    if (!at[place].on_knot()) continue;
    const KnotIndex here = knots[place];
    if (at[place].cell_below > 0.0) {
      knots[place] = static_cast<KnotIndex>(here - 1);
      patch.below[place] = appended_block(patch, knots, source);
    }
    if (at[place].cell_above > 0.0) {
      knots[place] = static_cast<KnotIndex>(here + 1);
      patch.above[place] = appended_block(patch, knots, source);
    }
    knots[place] = here;
  }
  return patch;
}

void interpolate(const Patch& patch, std::span<const KnotPosition> at, Interpolated& out) {
  std::array<double, kMostInside> all_fractions;
  for (std::size_t bit = 0; bit < patch.inside.size(); ++bit) {
    all_fractions[bit] = at[patch.inside[bit]].fraction;
  }
  const std::span<const double> fractions =
      std::span<const double>(all_fractions).first(patch.inside.size());
  const std::size_t size = std::size_t{1} << patch.inside.size();
  out.left.assign(at.size(), kNoSlopes);
  out.right.assign(at.size(), kNoSlopes);

  Block block;
  std::copy_n(patch.corners.begin(), size, block.begin());
  std::array<Figures, kMostInside> slopes;
  reduce_with_slopes(block.data(), fractions, slopes.data());
  out.value = block[0];
  for (std::size_t bit = 0; bit < patch.inside.size(); ++bit) {
    const std::size_t place = patch.inside[bit];
    out.left[place] = out.right[place] = slope(slopes[bit], Figures{}, 1.0 / at[place].cell_above);
  }
  const auto value_of = [&](std::int16_t index) {
    std::copy_n(patch.corners.begin() + static_cast<std::ptrdiff_t>(size) * index, size,
                block.begin());
    reduce(block.data(), fractions);
    return block[0];
  };
  for (std::size_t place = 0; place < at.size(); ++place) {
    if (patch.below[place] >= 0) {
      out.left[place] = slope(out.value, value_of(patch.below[place]), 1.0 / at[place].cell_below);
    }
    if (patch.above[place] >= 0) {
      out.right[place] = slope(value_of(patch.above[place]), out.value, 1.0 / at[place].cell_above);
    }
  }
}

namespace {

// One evaluation on simplices; the corners are sets of coordinates that stand one knot higher.
class SimplexWalk {
 public:
  SimplexWalk(std::span<const KnotPosition> at, const VertexSource& source, Interpolated& out)
      : at_(at), source_(source), out_(out), floor_(floor_of(at)) {}

  bool run() {
    out_.left.assign(at_.size(), kNoSlopes);
    out_.right.assign(at_.size(), kNoSlopes);
    if (!walk()) return false;
    for (std::size_t place = 0; place < at_.size(); ++place) {
      if (at_[place].on_knot()) {
        slopes_on_knot(place);
      } else if (is_tied(place)) {
        slopes_of_tied(place);
      }
    }
    return true;
  }

 private:
  bool walk() {
    std::vector<std::size_t> order(at_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return at_[a].fraction > at_[b].fraction;
    });
    point_ = floor_;
    if (!source_(point_, bottom_)) return false;
    out_.value = bottom_;
    top_ = bottom_;
    for (const std::size_t place : order) {
      if (at_[place].on_knot()) break;
      ++point_[place];
      Figures next;
      if (!source_(point_, next)) return false;
      step_towards(out_.value, slope(next, top_, 1.0), at_[place].fraction);
      out_.left[place] = out_.right[place] = slope(next, top_, 1.0 / at_[place].cell_above);
      top_ = next;
    }
    return true;
  }

  // Upwards the coordinate comes after all that lie inside a cell, downwards before them.
  void slopes_on_knot(std::size_t place) {
    const KnotPosition& here = at_[place];
    Figures other;
    if (here.cell_above > 0.0) {
      std::vector<KnotIndex> beyond = point_;
      ++beyond[place];
      if (source_(beyond, other)) out_.right[place] = slope(other, top_, 1.0 / here.cell_above);
    }
    if (here.cell_below > 0.0) {
      std::vector<KnotIndex> beyond = floor_;
      --beyond[place];
      if (source_(beyond, other)) out_.left[place] = slope(bottom_, other, 1.0 / here.cell_below);
    }
  }

  [[nodiscard]] bool is_tied(std::size_t place) const {
    for (std::size_t other = 0; other < at_.size(); ++other) {
      if (other != place && at_[other].fraction == at_[place].fraction) return true;
    }
    return false;
  }

  // Upwards the coordinate is the first of the equal ones, downwards the last.
  void slopes_of_tied(std::size_t place) {
    const double fraction = at_[place].fraction;
    const auto step_after = [&](bool equal_ones_first) {
      std::vector<KnotIndex> corner = floor_;
      for (std::size_t other = 0; other < at_.size(); ++other) {
        const double f = at_[other].fraction;
        if (other != place && (f > fraction || (equal_ones_first && f == fraction))) {
          ++corner[other];
        }
      }
      Figures low;
      Figures high;
      const bool found = source_(corner, low);
      ++corner[place];
      if (!found || !source_(corner, high)) return kNoSlopes;
      return slope(high, low, 1.0 / at_[place].cell_above);
    };
    out_.right[place] = step_after(false);
    out_.left[place] = step_after(true);
  }

  std::span<const KnotPosition> at_;
  const VertexSource& source_;
  Interpolated& out_;
  std::vector<KnotIndex> floor_;
  std::vector<KnotIndex> point_;
  Figures bottom_{};
  Figures top_{};
};

}  // namespace

bool interpolate_on_simplex(std::span<const KnotPosition> at, const VertexSource& source,
                            Interpolated& out) {
  return SimplexWalk(at, source, out).run();
}

}  // namespace vernier::dataflow
