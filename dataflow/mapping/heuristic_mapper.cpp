#include "dataflow/mapping/heuristic_mapper.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "arch/fold_model.hpp"
#include "dataflow/mapping/axis.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::array<std::array<LoopDim, 3>, 6> kOrders{{
    {LoopDim::kPixel, LoopDim::kOutChannel, LoopDim::kInChannel},
    {LoopDim::kOutChannel, LoopDim::kPixel, LoopDim::kInChannel},
    {LoopDim::kPixel, LoopDim::kInChannel, LoopDim::kOutChannel},
    {LoopDim::kOutChannel, LoopDim::kInChannel, LoopDim::kPixel},
    {LoopDim::kInChannel, LoopDim::kPixel, LoopDim::kOutChannel},
    {LoopDim::kInChannel, LoopDim::kOutChannel, LoopDim::kPixel},
}};

// Sums over the tiles of one dimension. "words" are buffer words of one row of a block.
struct OutChannelSums {
  std::int64_t size = 0;
  double count = 0;
  double folds = 0;        // column folds (os, ws)
  double steps = 0;        // sum of ceil(n / kN)
  double final_words = 0;  // of one output pixel, at storage width
  double spill_words = 0;  // of one output pixel, at accumulator width
  double input_words = 0;  // of one input pixel (vector tasks: rows follow the output channels)
};

struct InChannelSums {
  std::int64_t size = 0;
  double count = 0;
  double steps = 0;         // sum of ceilK
  double row_folds = 0;     // sum of ceil(ceilK / R)
  double input_words = 0;   // of one input pixel
  double weight_words = 0;  // of one output channel
  bool splits_folds = false;
};

struct PixelSums {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  double count = 0;
  double row_folds = 0;     // sum of ceil(ceil(p / kP) / R), os
  double column_folds = 0;  // sum of ceil(ceil(p / kP) / C), is
  double steps = 0;         // sum of ceil(p / kP)
  double in_pixels = 0;     // input pixels loaded, halos counted as often as loaded
  double first_in_pixels = 0;
};

double words(std::int64_t elements, std::int64_t bits, Bits word) {
  return static_cast<double>(ceil_div(checked_mul(elements, bits), word.count()));
}

// Everything about the task that the inner loops of the search need.
class Search {
 public:
  Search(const LayerTask& task, const Accelerator& machine)
      : task_(task),
        machine_(machine),
        array_(machine.spec().array),
        rows_(row_axis(task)),
        columns_(column_axis(task)),
        is_array_(task.unit == TaskUnit::kArray) {
    if (is_array_) mode_ = machine.mode(task.weight_compute, task.activation_compute);
    input_word_ = machine.buffer(TensorRole::kInput).word;
    weight_word_ = machine.buffer(TensorRole::kWeight).word;
    output_word_ = machine.buffer(TensorRole::kOutput).word;
  }

  [[nodiscard]] OutChannelSums out_channels(std::int64_t size) const {
    OutChannelSums sums;
    sums.size = size;
    for (const SizeRun& run : cut_size(task_.out_channels, size)) {
      const auto count = static_cast<double>(run.count);
      const std::int64_t steps = ceil_div(run.size, mode_.out_channels);
      sums.count += count;
      sums.steps += count * static_cast<double>(steps);
      sums.folds += count * static_cast<double>(ceil_div(steps, array_.columns));
      sums.final_words += count * words(run.size, task_.output_storage.bits(), output_word_);
      sums.spill_words +=
          count * words(run.size, machine_.spec().mac.accumulator_bits, output_word_);
      for (std::size_t slot = 0; !is_array_ && slot < task_.reach.size(); ++slot) {
        if (task_.reach[slot] == InputReach::kNone) continue;
        sums.input_words += count * words(run.size, task_.input_storage[slot].bits(), input_word_);
      }
    }
    return sums;
  }

  [[nodiscard]] InChannelSums in_channels(std::int64_t size) const {
    InChannelSums sums;
    sums.size = size;
    for (const SizeRun& run : cut_size(task_.channels, size)) {
      const auto count = static_cast<double>(run.count);
      const std::int64_t steps = reduction_steps(task_, run.size, mode_, array_.reduction_packing);
      const std::int64_t folds = ceil_div(steps, array_.rows);
      sums.count += count;
      sums.steps += count * static_cast<double>(steps);
      sums.row_folds += count * static_cast<double>(folds);
      sums.input_words += count * words(run.size, task_.input_storage[0].bits(), input_word_);
      sums.weight_words += count * words(task_.window.positions() * run.size,
                                         task_.weight_storage.bits(), weight_word_);
      sums.splits_folds = sums.splits_folds || folds > 1;
    }
    return sums;
  }

  [[nodiscard]] PixelSums pixels(std::int64_t rows, std::int64_t columns) const {
    PixelSums sums;
    sums.rows = rows;
    sums.columns = columns;
    for (const SizeRun& row : cut_size(task_.out_height, rows)) {
      for (const SizeRun& column : cut_size(task_.out_width, columns)) {
        const double count = static_cast<double>(row.count) * static_cast<double>(column.count) *
                             static_cast<double>(task_.images);
        const std::int64_t steps = ceil_div(row.size * column.size, mode_.pixels);
        sums.count += count;
        sums.steps += count * static_cast<double>(steps);
        sums.row_folds += count * static_cast<double>(ceil_div(steps, array_.rows));
        sums.column_folds += count * static_cast<double>(ceil_div(steps, array_.columns));
      }
    }
    sums.in_pixels =
        static_cast<double>(task_.images) * axis_load(rows_, rows) * axis_load(columns_, columns);
    sums.first_in_pixels = static_cast<double>(reach_of(rows_, rows)) *
                           static_cast<double>(reach_of(columns_, columns));
    return sums;
  }

  [[nodiscard]] MappingEstimate estimate(const PixelSums& p, const OutChannelSums& n,
                                         const InChannelSums& k,
                                         const std::array<LoopDim, 3>& order) const {
    const double groups = static_cast<double>(task_.groups);
    const bool n_moves = n.count > 1;
    const bool k_moves = is_array_ && k.count > 1;
    const bool p_moves = p.count > 1;
    const auto inside = [&order](LoopDim outer, LoopDim inner) {
      const auto at = [&order](LoopDim dim) { return std::find(order.begin(), order.end(), dim); };
      return at(outer) < at(inner);
    };
    const bool input_again =
        n_moves && ((p_moves && inside(LoopDim::kOutChannel, LoopDim::kPixel)) ||
                    (k_moves && inside(LoopDim::kOutChannel, LoopDim::kInChannel)));
    const bool weight_again =
        p_moves && ((n_moves && inside(LoopDim::kPixel, LoopDim::kOutChannel)) ||
                    (k_moves && inside(LoopDim::kPixel, LoopDim::kInChannel)));
    const bool spills = k_moves && ((p_moves && inside(LoopDim::kInChannel, LoopDim::kPixel)) ||
                                    (n_moves && inside(LoopDim::kInChannel, LoopDim::kOutChannel)));
    const double output_pixels = static_cast<double>(task_.pixels());
    const auto input_word = static_cast<double>(input_word_.count());
    const auto weight_word = static_cast<double>(weight_word_.count());
    const auto output_word = static_cast<double>(output_word_.count());

    const double input_words =
        is_array_ ? k.input_words * (input_again ? n.count : 1.0) : n.input_words;
    const double input_bits = groups * p.in_pixels * input_words * input_word;
    const double weight_bits = is_array_ ? groups * static_cast<double>(task_.out_channels) *
                                               k.weight_words * weight_word *
                                               (weight_again ? p.count : 1.0)
                                         : 0.0;
    const double output_bits = groups * output_pixels * n.final_words * output_word;
    const double spill_bits =
        spills ? 2.0 * (k.count - 1.0) * groups * output_pixels * n.spill_words * output_word : 0.0;

    MappingEstimate estimate;
    estimate.dram_bits = input_bits + weight_bits + output_bits + spill_bits;
    // The first loads and the last store overlap with nothing.
    const double rate = machine_.spec().dram.bandwidth.bits_per_cycle();
    const double first_input = p.first_in_pixels *
                               (is_array_ ? k.input_words / k.count : n.input_words / n.count) *
                               input_word;
    const double first_weight = is_array_ ? static_cast<double>(task_.out_channels) / n.count *
                                                k.weight_words / k.count * weight_word
                                          : 0.0;
    const double first = (first_input + first_weight) / rate;
    const double last = output_bits / (groups * p.count * n.count) / rate;
    const double transfer = estimate.dram_bits / rate;
    const double compute = groups * compute_cycles(p, n, k);
    estimate.cycles = first + static_cast<double>(machine_.spec().dram.latency.count()) +
                      std::max(compute, transfer - first - last) + last;
    return estimate;
  }

  [[nodiscard]] bool fits(const TileSize& tile) const {
    return !misfit(task_, tile, machine_).has_value();
  }

 private:
  // Input rows (or columns) loaded over all tiles of an axis.
  static double axis_load(const AxisSpec& axis, std::int64_t length) {
    const std::int64_t count = ceil_div(axis.out_size, length);
    if (count == 1 || axis.scaled) {
      return static_cast<double>(reach_of(axis, axis.out_size)) + static_cast<double>(count - 1);
    }
    const std::int64_t window = (axis.kernel - 1) * axis.dilation + 1;
    const std::int64_t unclipped = (axis.out_size - count) * axis.stride + count * window;
    const std::int64_t span = (axis.out_size - 1) * axis.stride + window;
    const std::int64_t clipped = std::max<std::int64_t>(0, span - axis.in_size);
    return static_cast<double>(std::max<std::int64_t>(1, unclipped - clipped));
  }

  [[nodiscard]] double compute_cycles(const PixelSums& p, const OutChannelSums& n,
                                      const InChannelSums& k) const {
    if (!is_array_) {
      double ops = 0;
      for (std::size_t at = 0; at < task_.actions.size(); ++at) {
        ops += static_cast<double>(task_.ops_per_output[at]) *
               static_cast<double>(machine_.spec().vector.cycles_for(task_.actions[at]));
      }
      return static_cast<double>(task_.pixels()) * static_cast<double>(task_.out_channels) * ops /
             static_cast<double>(machine_.spec().vector.lanes);
    }
    const auto step = static_cast<double>(mode_.cycles);
    const auto skew = static_cast<double>(arch::fold_lines(array_, 0));
    switch (array_.dataflow) {
      case arch::Dataflow::kOutputStationary:
        return p.row_folds * n.folds * (step * k.steps + k.count * skew);
      case arch::Dataflow::kWeightStationary:
        return k.row_folds * n.folds * (step * p.steps + p.count * skew);
      case arch::Dataflow::kInputStationary:
        return k.row_folds * p.column_folds * (step * n.steps + n.count * skew);
    }
    return 0.0;
  }

  const LayerTask& task_;
  const Accelerator& machine_;
  const arch::ArraySpec& array_;
  AxisSpec rows_;
  AxisSpec columns_;
  bool is_array_;
  arch::MacMode mode_;
  Bits input_word_;
  Bits weight_word_;
  Bits output_word_;
};

// total, total/2, total/4 ... rounded up to `step`, then on below `step` down to 1.
std::vector<std::int64_t> halvings(std::int64_t total, std::int64_t step) {
  std::vector<std::int64_t> sizes{total};
  while (sizes.back() > 1) {
    std::int64_t next = ceil_div(sizes.back(), 2);
    if (next > step)
      next = std::min(round_up(next, step), sizes.back() - 1);
    else if (sizes.back() > step)
      next = step;
    sizes.push_back(next);
  }
  return sizes;
}

// Equal cuts: the smallest length that gives no more tiles than `length` does.
std::int64_t balanced(std::int64_t total, std::int64_t length) {
  return ceil_div(total, ceil_div(total, length));
}

// Largest value in [1, most] that passes, or 0; `passes` is monotone.
template <typename Passes>
std::int64_t largest(std::int64_t most, Passes passes) {
  if (passes(most)) return most;
  std::int64_t good = 0;
  std::int64_t bad = most;
  while (bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    (passes(middle) ? good : bad) = middle;
  }
  return good;
}

// Rectangles to try for given channel slices: the largest that fits, and some smaller ones, which
// overlap better with their loads.
std::vector<TileSize> rectangles(const Search& search, const LayerTask& task, TileSize tile) {
  std::vector<TileSize> result;
  tile.columns = task.out_width;
  const std::int64_t rows = largest(task.out_height, [&](std::int64_t candidate) {
    tile.rows = candidate;
    return search.fits(tile);
  });
  if (rows > 0) {
    constexpr std::int64_t kSmallest = 8;  // down to an eighth of the largest
    for (std::int64_t part = 1; part <= kSmallest && rows / part > 0; part *= 2) {
      tile.rows = balanced(task.out_height, rows / part);
      if (result.empty() || !(result.back() == tile)) result.push_back(tile);
    }
    return result;
  }
  tile.rows = 1;
  const std::int64_t columns = largest(task.out_width, [&](std::int64_t candidate) {
    tile.columns = candidate;
    return search.fits(tile);
  });
  if (columns > 0) {
    tile.columns = balanced(task.out_width, columns);
    result.push_back(tile);
  }
  return result;
}

class Chooser {
 public:
  Chooser(const LayerTask& task, const Accelerator& machine)
      : task_(task), machine_(machine), search_(task, machine) {}

  Result<Mapping> choose() {
    const std::int64_t unit = task_.channel_unit;
    const TileSize smallest{1, 1, 1, unit};
    if (auto reason = misfit(task_, smallest, machine_)) return *reason;
    const bool is_array = task_.unit == TaskUnit::kArray;
    const arch::ArraySpec& array = machine_.spec().array;
    const std::int64_t lanes =
        is_array ? array.columns : std::max<std::int64_t>(1, machine_.spec().vector.lanes);
    const std::vector<std::int64_t> in_sizes =
        is_array ? halvings(task_.channels, 1) : std::vector<std::int64_t>{1};
    for (const std::int64_t units : halvings(task_.out_channels / unit, ceil_div(lanes, unit))) {
      const std::int64_t out_size = units * unit;
      // Below the array's width only when nothing wider fits.
      if (out_size < lanes && best_) break;
      int tried = 0;
      for (const std::int64_t in_size : in_sizes) {
        if (!search_.fits({1, 1, in_size, out_size})) continue;
        try_channels(in_size, out_size);
        constexpr int kMostInSizes = 2;
        if (++tried == kMostInSizes) break;
      }
    }
    VERNIER_ASSERT(best_.has_value(), "a candidate, since the smallest tile fits");
    return *best_;
  }

 private:
  void try_channels(std::int64_t in_size, std::int64_t out_size) {
    const OutChannelSums n = search_.out_channels(out_size);
    const InChannelSums k = search_.in_channels(in_size);
    const TileSize tile{1, 1, in_size, out_size};
    for (const TileSize& rectangle : rectangles(search_, task_, tile)) {
      const PixelSums p = search_.pixels(rectangle.rows, rectangle.columns);
      for (const auto& order : kOrders) {
        if (is_repeated(order, p, n, k)) continue;
        const MappingEstimate estimate = search_.estimate(p, n, k, order);
        if (best_ && std::pair(estimate.cycles, estimate.dram_bits) >=
                         std::pair(best_estimate_.cycles, best_estimate_.dram_bits)) {
          continue;
        }
        best_ = Mapping{rectangle, order, MappingOrigin::kSearched};
        best_estimate_ = estimate;
      }
    }
  }

  // An order that differs from an earlier one only in loops of one iteration.
  [[nodiscard]] static bool is_repeated(const std::array<LoopDim, 3>& order, const PixelSums& p,
                                        const OutChannelSums& n, const InChannelSums& k) {
    const int moving = (p.count > 1 ? 1 : 0) + (n.count > 1 ? 1 : 0) + (k.count > 1 ? 1 : 0);
    if (moving <= 1) return order != kOrders[0];
    if (moving == 3) return false;
    const auto signature = [&](const std::array<LoopDim, 3>& candidate) {
      std::array<int, 2> moves{-1, -1};
      std::size_t at = 0;
      for (const LoopDim dim : candidate) {
        const double count = dim == LoopDim::kPixel        ? p.count
                             : dim == LoopDim::kOutChannel ? n.count
                                                           : k.count;
        if (count > 1) moves[at++] = static_cast<int>(dim);
      }
      return moves;
    };
    for (const auto& earlier : kOrders) {
      if (earlier == order) return false;
      if (signature(earlier) == signature(order)) return true;
    }
    return false;
  }

  const LayerTask& task_;
  const Accelerator& machine_;
  Search search_;
  std::optional<Mapping> best_;
  MappingEstimate best_estimate_;
};

}  // namespace

Result<Mapping> map_heuristically(const LayerTask& task, const Accelerator& machine) {
  return Chooser(task, machine).choose();
}

MappingEstimate estimate_mapping(const LayerTask& task, const Mapping& mapping,
                                 const Accelerator& machine) {
  const Search search(task, machine);
  return search.estimate(search.pixels(mapping.tile.rows, mapping.tile.columns),
                         search.out_channels(mapping.tile.out_channels),
                         search.in_channels(std::min(mapping.tile.in_channels, task.channels)),
                         mapping.order);
}

}  // namespace vernier::dataflow
