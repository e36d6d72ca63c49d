#include "dataflow/mapping/heuristic_mapper.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "arch/fold_model.hpp"
#include "dataflow/mapping/axis.hpp"
#include "dataflow/mapping/candidates.hpp"
#include "dataflow/mapping/channel_slices.hpp"
#include "dataflow/mapping/tile_fit.hpp"
#include "memory/packing.hpp"
#include "memory/port_model.hpp"

namespace vernier::dataflow {
namespace {

// Sums over the tiles of one dimension. "words" are buffer words of one row of a block.
struct OutChannelSums {
  std::int64_t size = 0;
  double count = 0;
  double folds = 0;        // column folds (os, ws)
  double steps = 0;        // sum of ceil(n / kN)
  double final_words = 0;  // of one output pixel, at storage width
  double spill_words = 0;  // of one output pixel, at accumulator width
  double input_words = 0;  // of one input pixel (vector tasks: rows follow the output channels)
  double pixel_words = 0;  // of an input of one pixel
  double tap_words = 0;    // of the weights of a depthwise layer of the vector unit
  double uneven = 1;       // whole slices over the average one
};

struct InChannelSums {
  std::int64_t size = 0;
  double count = 0;
  double steps = 0;         // sum of ceilK
  double row_folds = 0;     // sum of ceil(ceilK / R)
  double input_words = 0;   // of one input pixel
  double weight_words = 0;  // of one output channel
  bool splits_folds = false;
  double uneven = 1;
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
  double uneven = 1;
};

// Bits over the channel, by stream.
struct StreamBits {
  double input = 0;
  double weight = 0;
  double output = 0;  // finished
  double spill = 0;   // partial sums, both ways
  [[nodiscard]] double total() const { return input + weight + output + spill; }
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
        is_array_(task.unit == TaskUnit::kArray),
        fit_(task, machine) {
    if (is_array_) mode_ = machine.mode(task.weight_compute, task.activation_compute);
    input_word_ = machine.buffer(TensorRole::kInput).word;
    weight_word_ = machine.buffer(TensorRole::kWeight).word;
    output_word_ = machine.buffer(TensorRole::kOutput).word;
  }

  // `groups`: that a tile holds at once.
  [[nodiscard]] OutChannelSums out_channels(std::int64_t size, std::int64_t groups) const {
    OutChannelSums sums;
    sums.size = size;
    for (const SizeRun& run : cut_size(task_.out_channels, size)) {
      const auto count = static_cast<double>(run.count);
      const std::int64_t steps = ceil_div(run.size, mode_.out_channels);
      sums.count += count;
      sums.steps += count * static_cast<double>(steps);
      sums.folds += count * static_cast<double>(ceil_div(steps, array_.columns));
      if (!task_.output_resident) {
        sums.final_words +=
            count * words(groups * run.size, task_.output_storage.bits(), output_word_);
      }
      sums.spill_words +=
          count * words(groups * run.size, machine_.spec().mac.accumulator_bits, output_word_);
      for (std::size_t slot = 0; !is_array_ && slot < task_.reach.size(); ++slot) {
        if (task_.reach[slot] == InputReach::kNone || task_.input_resident[slot]) continue;
        const double row = count * words(run.size, task_.input_storage[slot].bits(), input_word_);
        switch (task_.reach[slot]) {
          case InputReach::kOnePixel: sums.pixel_words += row; break;
          case InputReach::kTaps:
            sums.tap_words += static_cast<double>(task_.window.positions()) * row;
            break;
          default: sums.input_words += row;
        }
      }
    }
    sums.uneven = uneven(size, sums.count, task_.out_channels);
    return sums;
  }

  [[nodiscard]] InChannelSums in_channels(std::int64_t size, std::int64_t groups) const {
    InChannelSums sums;
    sums.size = size;
    if (!is_array_) {
      sums.count = 1;
      return sums;
    }
    for (const SizeRun& run : cut_size(task_.channels, size)) {
      const auto count = static_cast<double>(run.count);
      const std::int64_t steps = reduction_steps(task_, run.size, mode_, array_);
      const std::int64_t folds = array_.folds_reduction() ? ceil_div(steps, array_.rows) : 1;
      sums.count += count;
      sums.steps += count * static_cast<double>(steps);
      sums.row_folds += count * static_cast<double>(folds);
      if (!task_.input_resident[0]) {
        sums.input_words +=
            count * words(groups * run.size, task_.input_storage[0].bits(), input_word_);
      }
      sums.weight_words +=
          static_cast<double>(groups) * count *
          words(task_.window.positions() * run.size, task_.weight_storage.bits(), weight_word_);
      sums.splits_folds = sums.splits_folds || folds > 1;
    }
    sums.uneven = uneven(size, sums.count, task_.channels);
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
    sums.uneven = uneven(rows * columns, sums.count, task_.pixels());
    return sums;
  }

  // Compute and port cycles of the whole task; independent of the loop order.
  [[nodiscard]] double compute_cycles(const PixelSums& p, const OutChannelSums& n,
                                      const InChannelSums& k) const {
    return passes(n, k) * cycles_of_group(p, n, k);
  }

  [[nodiscard]] std::int64_t groups_at_once(std::int64_t in_size, std::int64_t out_size) const {
    return groups_per_tile(task_, {1, 1, in_size, out_size}, machine_);
  }

  [[nodiscard]] MappingEstimate estimate(const PixelSums& p, const OutChannelSums& n,
                                         const InChannelSums& k, double compute,
                                         const LoopOrder& order) const {
    const StreamBits bits = traffic(p, n, k, order);
    const double groups = passes(n, k);
    const double rate = machine_.spec().dram.bandwidth.bits_per_cycle();
    const double first_input = p.first_in_pixels *
                               (is_array_ ? k.input_words / k.count : n.input_words / n.count) *
                               static_cast<double>(input_word_.count());
    const double first_weight = bits.weight / (groups * n.count * k.count);
    const double first = (first_input + first_weight) / rate;
    const double stores = groups * p.count * n.count;
    const double last = std::ceil(bits.output / stores / rate);
    const double transfer = (bits.total() - bits.output) / rate + stores * last;
    const double latency =
        first > 0 ? static_cast<double>(machine_.spec().dram.latency.count()) : 0.0;
    // Blocks of a single buffer move while nothing is computed.
    const double alone = ((is_single(TensorRole::kInput) ? bits.input - first_input : 0.0) +
                          (is_single(TensorRole::kWeight) ? bits.weight - first_weight : 0.0) +
                          (is_single(TensorRole::kOutput) ? bits.output + bits.spill : 0.0)) /
                         rate;
    const double busy =
        compute + std::max(0.0, alone - (is_single(TensorRole::kOutput) ? last : 0.0));

    // Blocks of one operand may stay while the innermost loop runs; they come in one go.
    double inner = 1;
    double rare = 0;
    double uneven = 1;
    for (const LoopDim dim : order) {
      const auto take = [&](double count, double whole, double stays) {
        if (count <= 1) return;
        inner = count;
        uneven = whole;
        rare = stays / rate;
      };
      if (dim == LoopDim::kPixel) take(p.count, p.uneven, bits.weight);
      if (dim == LoopDim::kOutChannel) take(n.count, n.uneven, is_array_ ? bits.input : 0.0);
      if (dim == LoopDim::kInChannel) take(k.count, k.uneven, bits.output);
    }
    const double tiles = groups * p.count * n.count * k.count;
    const double rounds = tiles / inner;
    const double each = busy / tiles;
    const double often = (transfer - rare) / tiles;  // per tile
    const double burst = rare > 0 ? std::max(0.0, often + rare / rounds + latency - each) : 0.0;
    const double chain = longer_chain({tiles, inner, often + each, uneven, latency, first});
    MappingEstimate estimate;
    estimate.dram_bits = bits.total();
    estimate.cycles =
        std::max({first + latency + busy + (rounds - 1) * burst + last, transfer + latency + each,
                  first > 0 ? chain + rare * (rounds - 1) / rounds : 0.0});
    return estimate;
  }

  // One pass over the tiles: how many, those of the innermost loop, transfers and computing of an
  // average tile, how much larger whole tiles are, latency, beats of the first loads.
  struct TileChain {
    double tiles;
    double inner;
    double work;
    double uneven;
    double latency;
    double first;
  };

  // Loads of a tile cannot be granted before the tile two before it has ended: of two chains of
  // tiles, each with its transfers, latencies and computing one after the other, the longer takes
  // at least half of both. What comes in one go lies on one of them. With an even number of slices
  // the small one is always on the same chain, with an odd one it evens out in part.
  static double longer_chain(const TileChain& of) {
    const bool odd = std::fmod(of.inner, 2.0) != 0.0;
    if (odd && of.tiles == of.inner) {  // the last tile is on the longer chain
      const double whole = (of.inner - 1) * of.work * of.uneven;
      const double rest = std::max(0.0, of.inner * of.work - whole);
      return whole / 2 + rest + (of.inner + 1) / 2 * of.latency;
    }
    constexpr double kOddShare = 0.7;
    const double larger = 1.0 + (odd ? kOddShare : 1.0) * (of.uneven - 1.0);
    const double step = (of.work * larger + of.latency) / 2;
    return of.tiles * step + std::min(step, of.first);
  }

  [[nodiscard]] Footprint footprint(std::int64_t in_size, std::int64_t out_size) const {
    return fit_.footprint(in_size, out_size);
  }

  [[nodiscard]] bool fits(const Footprint& footprint, std::int64_t in_pixels,
                          std::int64_t out_pixels) const {
    return fit_.fits(footprint, in_pixels, out_pixels);
  }

 private:
  [[nodiscard]] bool is_single(TensorRole role) const {
    return machine_.buffer(role).blocks_held() == 1;
  }
  // How often tiles of these channels go through all groups.
  [[nodiscard]] double passes(const OutChannelSums& n, const InChannelSums& k) const {
    return static_cast<double>(ceil_div(task_.groups, groups_at_once(k.size, n.size)));
  }

  // How much larger whole slices are than the average one.
  static double uneven(std::int64_t size, double count, std::int64_t total) {
    return static_cast<double>(size) * count / static_cast<double>(total);
  }

  [[nodiscard]] StreamBits traffic(const PixelSums& p, const OutChannelSums& n,
                                   const InChannelSums& k, const LoopOrder& order) const {
    const double groups = passes(n, k);
    const bool n_moves = n.count > 1;
    const bool k_moves = k.count > 1;
    const bool p_moves = p.count > 1;
    const auto inside = [&order](LoopDim outer, LoopDim inner) {
      return stands_outside(order, outer, inner);
    };
    const bool input_again =
        n_moves && ((p_moves && inside(LoopDim::kOutChannel, LoopDim::kPixel)) ||
                    (k_moves && inside(LoopDim::kOutChannel, LoopDim::kInChannel)));
    const bool weight_again =
        p_moves && ((n_moves && inside(LoopDim::kPixel, LoopDim::kOutChannel)) ||
                    (k_moves && inside(LoopDim::kPixel, LoopDim::kInChannel)));
    const bool spills = k_moves && ((p_moves && inside(LoopDim::kInChannel, LoopDim::kPixel)) ||
                                    (n_moves && inside(LoopDim::kInChannel, LoopDim::kOutChannel)));
    const double outputs =
        groups * static_cast<double>(task_.pixels()) * static_cast<double>(output_word_.count());
    const double input_words =
        is_array_ ? k.input_words * (input_again ? n.count : 1.0) : n.input_words;
    StreamBits bits;
    bits.input = groups * p.in_pixels * input_words * static_cast<double>(input_word_.count());
    if (!is_array_) {
      const bool each_tile = n_moves && inside(LoopDim::kPixel, LoopDim::kOutChannel);
      const double fixed =
          (each_tile ? p.count : static_cast<double>(task_.images)) * n.pixel_words +
          (each_tile ? p.count : 1.0) * n.tap_words;
      bits.input += fixed * static_cast<double>(input_word_.count());
    }
    if (is_array_) {
      bits.weight = groups * static_cast<double>(task_.out_channels) * k.weight_words *
                    static_cast<double>(weight_word_.count()) * (weight_again ? p.count : 1.0);
    }
    bits.output = outputs * n.final_words;
    if (spills) bits.spill = 2.0 * (k.count - 1.0) * outputs * n.spill_words;
    return bits;
  }

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

  [[nodiscard]] double cycles_of_group(const PixelSums& p, const OutChannelSums& n,
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
    double folds = 0;                     // of all tiles
    double temporal = 0;                  // mean T of a fold
    double first_visits = 1.0 / k.count;  // share of folds that read no partial sums
    switch (array_.dataflow) {
      case arch::Dataflow::kOutputStationary:
        folds = p.row_folds * n.folds * k.count;
        temporal = step * k.steps / k.count;
        break;
      case arch::Dataflow::kWeightStationary:
        folds = k.row_folds * n.folds * p.count;
        temporal = step * p.steps / p.count;
        first_visits = 1.0 / k.row_folds;
        break;
      case arch::Dataflow::kInputStationary:
        folds = k.row_folds * p.column_folds * n.count;
        temporal = step * n.steps / n.count;
        first_visits = 1.0 / k.row_folds;
        break;
      case arch::Dataflow::kDotColumns:
        folds = n.folds * p.count * k.count;
        temporal = step * k.steps / k.count * p.steps / p.count;
        break;
    }
    const double lines = lines_of(folds, p.count * n.count * k.count, temporal);
    const double wait = first_visits * full_fold_rho(p, n, k, false) +
                        (1.0 - first_visits) * full_fold_rho(p, n, k, true);
    return lines * wait;
  }

  // Lines of that many folds of that mean length in so many tiles.
  [[nodiscard]] double lines_of(double folds, double tiles, double temporal) const {
    const auto skew = static_cast<double>(arch::fold_lines(array_, 0));
    if (array_.fold_overlap == arch::FoldOverlap::kNone) return folds * (temporal + skew);
    const double least = static_cast<double>(arch::fold_interval(array_, mode_, 1));
    return (folds - tiles) * std::max(temporal, least) + tiles * (temporal + skew);
  }

  // Cycles per line of the largest fold of a tile.
  [[nodiscard]] double full_fold_rho(const PixelSums& p, const OutChannelSums& n,
                                     const InChannelSums& k, bool reads) const {
    const std::int64_t pixels = ceil_div(p.rows * p.columns, mode_.pixels);
    const std::int64_t outputs = ceil_div(n.size, mode_.out_channels);
    const std::int64_t reduction = reduction_steps(task_, k.size, mode_, array_);
    const bool output_stationary = array_.dataflow == arch::Dataflow::kOutputStationary;
    const bool input_stationary = array_.dataflow == arch::Dataflow::kInputStationary;
    arch::FoldShape fold;
    fold.used_rows = std::min(array_.rows, output_stationary ? pixels : reduction);
    if (array_.dataflow == arch::Dataflow::kDotColumns) {
      fold.used_rows = std::min(array_.rows, ceil_div(k.size, mode_.reduction));
      fold.output_cycles = mode_.cycles * reduction;
    }
    fold.used_columns = std::min(array_.columns, input_stationary ? pixels : outputs);
    fold.reads_partial_sums = reads;
    return static_cast<double>(memory::cycles_per_line(
        arch::fold_demand(array_, mode_, machine_.spec().mac.accumulator_bits, fold),
        machine_.spec().buffers));
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
  TileFit fit_;
};

class Chooser {
 public:
  Chooser(const LayerTask& task, const Accelerator& machine)
      : task_(task),
        machine_(machine),
        search_(task, machine),
        rows_(cuts(row_axis(task), task.out_height)),
        columns_(cuts(column_axis(task), task.out_width)),
        grid_(rows_.size() * columns_.size()) {}

  Result<Mapping> choose() {
    const std::int64_t unit = task_.channel_unit;
    const TileSize smallest{1, 1, 1, unit};
    if (auto reason = misfit(task_, smallest, machine_)) return *reason;
    const bool is_array = task_.unit == TaskUnit::kArray;
    const arch::ArraySpec& array = machine_.spec().array;
    const std::int64_t lanes =
        is_array ? array.columns : std::max<std::int64_t>(1, machine_.spec().vector.lanes);
    const std::vector<std::int64_t> in_sizes =
        is_array ? reduction_slices(task_, machine_) : std::vector<std::int64_t>{1};
    for (const std::int64_t units : halvings(task_.out_channels / unit, ceil_div(lanes, unit))) {
      const std::int64_t out_size = units * unit;
      // Far below the array's width only when nothing wider fits.
      if (out_size * 4 < lanes && best_) break;
      int tried = 0;
      for (const std::int64_t in_size : in_sizes) {
        if (!fits(search_.footprint(in_size, out_size), rows_.back(), columns_.back())) continue;
        try_channels(in_size, out_size, Shapes::kFew);
        constexpr int kMostInSizes = 6;
        if (++tried == kMostInSizes) break;
      }
    }
    VERNIER_ASSERT(best_.has_value(), "a candidate, since the smallest tile fits");
    refine();
    return *best_;
  }

 private:
  // An equal cut of an output axis.
  struct Cut {
    std::int64_t size = 0;
    std::int64_t reach = 0;
  };
  // Which rectangles to try for given channel slices.
  enum class Shapes : std::uint8_t { kFew, kAll };

  static std::vector<Cut> cuts(const AxisSpec& axis, std::int64_t total) {
    std::vector<Cut> result;
    for (const std::int64_t size : equal_cuts(total)) {
      result.push_back({size, reach_of(axis, size)});
    }
    return result;
  }

  [[nodiscard]] bool fits(const Footprint& footprint, const Cut& rows, const Cut& columns) const {
    return search_.fits(footprint, rows.reach * columns.reach, rows.size * columns.size);
  }

  // The tallest rectangle of a width that fits, as an index of rows_; their number: none fits.
  [[nodiscard]] std::size_t tallest(const Footprint& footprint, const Cut& columns) const {
    const auto found = std::partition_point(rows_.begin(), rows_.end(), [&](const Cut& rows) {
      return !fits(footprint, rows, columns);
    });
    return static_cast<std::size_t>(found - rows_.begin());
  }

  const PixelSums& pixels(std::size_t row, std::size_t column) {
    std::optional<PixelSums>& sums = grid_[row * columns_.size() + column];
    if (!sums) sums = search_.pixels(rows_[row].size, columns_[column].size);
    return *sums;
  }

  // Channel slices near the best ones so far: a little less of them may leave room for a larger
  // rectangle, a little more fills the array better.
  void refine() {
    const auto near = [](std::int64_t total, std::int64_t size) {
      const std::int64_t slices = ceil_div(total, size);
      std::vector<std::int64_t> sizes;
      for (std::int64_t count = std::max<std::int64_t>(1, slices - 1); count <= slices + 2;
           ++count) {
        const std::int64_t next = ceil_div(total, count);
        if (sizes.empty() || sizes.back() != next) sizes.push_back(next);
      }
      return sizes;
    };
    const std::int64_t unit = task_.channel_unit;
    try_channels(best_->tile.in_channels, best_->tile.out_channels, Shapes::kAll);
    for (const std::int64_t units :
         near(task_.out_channels / unit, best_->tile.out_channels / unit)) {
      try_channels(best_->tile.in_channels, units * unit, Shapes::kAll);
    }
    if (task_.unit == TaskUnit::kVector) return;
    for (const std::int64_t size : near(task_.channels, best_->tile.in_channels)) {
      try_channels(size, best_->tile.out_channels, Shapes::kAll);
    }
  }

  // Rectangles for given channel slices: of each width the tallest that fits, and some smaller
  // ones, which overlap better with their loads. A few: narrower ones only when full width leaves
  // few rows.
  void try_channels(std::int64_t in_size, std::int64_t out_size, Shapes shapes) {
    constexpr std::int64_t kFewRows = 8;
    constexpr std::int64_t kSmallest = 8;  // down to an eighth of the largest
    const Footprint footprint = search_.footprint(in_size, out_size);
    const std::int64_t groups = search_.groups_at_once(in_size, out_size);
    const OutChannelSums n = search_.out_channels(out_size, groups);
    const InChannelSums k = search_.in_channels(in_size, groups);
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      const std::size_t first = tallest(footprint, columns_[column]);
      if (first == rows_.size()) continue;
      const std::int64_t most = rows_[first].size;
      const std::int64_t parts = column == 0 ? kSmallest : (shapes == Shapes::kAll ? 2 : 1);
      std::int64_t part = 1;
      for (std::size_t row = first; row < rows_.size() && part <= parts; ++row) {
        if (rows_[row].size * part > most) continue;
        try_rectangle(pixels(row, column), n, k);
        part *= 2;
      }
      const bool enough = most >= std::min(task_.out_height, kFewRows);
      if (shapes == Shapes::kFew && enough) break;
    }
  }

  void try_rectangle(const PixelSums& p, const OutChannelSums& n, const InChannelSums& k) {
    const double compute = search_.compute_cycles(p, n, k);
    if (best_ && compute >= best_estimate_.cycles) return;
    const MovingLoops moving = moving_loop(LoopDim::kPixel, p.count > 1) |
                               moving_loop(LoopDim::kOutChannel, n.count > 1) |
                               moving_loop(LoopDim::kInChannel, k.count > 1);
    for (std::size_t at = 0; at < kLoopOrders.size(); ++at) {
      if (!is_distinct_order(at, moving)) continue;
      const LoopOrder& order = kLoopOrders[at];
      const MappingEstimate estimate = search_.estimate(p, n, k, compute, order);
      if (best_ && std::pair(estimate.cycles, estimate.dram_bits) >=
                       std::pair(best_estimate_.cycles, best_estimate_.dram_bits)) {
        continue;
      }
      best_ = Mapping{{p.rows, p.columns, k.size, n.size}, order, MappingOrigin::kSearched};
      best_estimate_ = estimate;
    }
  }

  const LayerTask& task_;
  const Accelerator& machine_;
  Search search_;
  std::vector<Cut> rows_;  // descending
  std::vector<Cut> columns_;
  std::vector<std::optional<PixelSums>> grid_;  // by row and column cut
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
  const PixelSums p = search.pixels(mapping.tile.rows, mapping.tile.columns);
  const std::int64_t in_size = std::min(mapping.tile.in_channels, task.channels);
  const std::int64_t groups = search.groups_at_once(in_size, mapping.tile.out_channels);
  const OutChannelSums n = search.out_channels(mapping.tile.out_channels, groups);
  const InChannelSums k = search.in_channels(in_size, groups);
  return search.estimate(p, n, k, search.compute_cycles(p, n, k), mapping.order);
}

}  // namespace vernier::dataflow
