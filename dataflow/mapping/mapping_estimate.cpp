#include "dataflow/mapping/mapping_estimate.hpp"

#include <algorithm>
#include <cmath>

#include "memory/port_model.hpp"

namespace vernier::dataflow {
namespace {

double packed(std::int64_t elements, std::int64_t bits, Bits word) {
  return static_cast<double>(round_up(checked_mul(elements, bits), word.count()));
}

// What rounding up the beats (or lane cycles) of a whole tile adds to all of them.
double rounded_up(double whole) { return whole > 0 ? std::ceil(whole) / whole : 1.0; }

// Sizes of whole and last slices over the average one.
template <typename Sums>
void set_shares(Sums& sums, std::int64_t size, std::int64_t total) {
  const auto count = static_cast<double>(ceil_div(total, size));
  const double whole = static_cast<double>(size) * count / static_cast<double>(total);
  sums.uneven = whole;
  sums.last = count - (count - 1.0) * whole;
}

}  // namespace

MappingEstimator::MappingEstimator(const LayerTask& task, const Accelerator& machine)
    : task_(task),
      machine_(machine),
      array_(machine.spec().array),
      rows_(row_axis(task)),
      columns_(column_axis(task)),
      is_array_(task.unit == TaskUnit::kArray),
      input_word_(machine.buffer(TensorRole::kInput).word),
      weight_word_(machine.buffer(TensorRole::kWeight).word),
      output_word_(machine.buffer(TensorRole::kOutput).word),
      cycles_per_bit_(1.0 / machine.spec().dram.bandwidth.bits_per_cycle()),
      latency_(static_cast<double>(machine.spec().dram.latency.count())),
      input_is_single_(is_single(TensorRole::kInput)),
      weight_is_single_(is_single(TensorRole::kWeight)),
      output_is_single_(is_single(TensorRole::kOutput)),
      groups_of_whole_(groups_per_tile(task, {1, 1, task.channels, task.out_channels}, machine)),
      groups_(static_cast<double>(task.groups)),
      passes_of_whole_(static_cast<double>(ceil_div(task.groups, groups_of_whole_))),
      pixels_(static_cast<double>(task.pixels())) {
  // Where windows leave inputs out between them, small tiles load the fewest.
  const auto least = [this](const AxisSpec& axis) {
    return std::min(axis_load(axis, axis.out_size), axis_load(axis, 1));
  };
  least_loaded_ = static_cast<double>(task.images) * least(rows_) * least(columns_);
  if (is_array_) {
    mode_ = machine.mode(task.weight_compute, task.activation_compute);
    skew_ = static_cast<double>(arch::fold_lines(array_, 0));
    least_interval_ = static_cast<double>(arch::fold_interval(array_, mode_, 1));
    return;
  }
  double ops = 0;
  for (std::size_t at = 0; at < task.actions.size(); ++at) {
    ops += static_cast<double>(task.ops_per_output[at]) *
           static_cast<double>(machine.spec().vector.cycles_for(task.actions[at]));
  }
  cycles_per_output_ = ops / static_cast<double>(machine.spec().vector.lanes);
}

std::int64_t MappingEstimator::groups_at_once(std::int64_t in_size, std::int64_t out_size) const {
  const bool whole = out_size == task_.out_channels && (in_size == task_.channels || !is_array_);
  return whole ? groups_of_whole_ : 1;
}

OutChannelSums MappingEstimator::out_channels(std::int64_t size, std::int64_t groups) const {
  OutChannelSums sums;
  sums.size = size;
  sums.runs = cut_size(task_.out_channels, size);
  for (const SizeRun& run : sums.runs) {
    const auto count = static_cast<double>(run.count);
    const std::int64_t steps = ceil_div(run.size, mode_.out_channels);
    sums.count += count;
    sums.steps += count * static_cast<double>(steps);
    sums.folds += count * static_cast<double>(ceil_div(steps, array_.columns));
    if (!task_.output_resident) {
      sums.final_bits +=
          count * packed(groups * run.size, task_.output_storage.bits(), output_word_);
    }
    sums.spill_bits +=
        count * packed(groups * run.size, machine_.spec().mac.accumulator_bits, output_word_);
    for (std::size_t slot = 0; !is_array_ && slot < task_.reach.size(); ++slot) {
      if (task_.reach[slot] == InputReach::kNone || task_.input_resident[slot]) continue;
      const double row = count * packed(run.size, task_.input_storage[slot].bits(), input_word_);
      switch (task_.reach[slot]) {
        case InputReach::kOnePixel: sums.pixel_bits += row; break;
        case InputReach::kTaps:
          sums.tap_bits += static_cast<double>(task_.window.positions()) * row;
          break;
        default: sums.input_bits += row;
      }
    }
  }
  set_shares(sums, size, task_.out_channels);
  return sums;
}

InChannelSums MappingEstimator::in_channels(std::int64_t size, std::int64_t groups) const {
  InChannelSums sums;
  sums.size = size;
  if (!is_array_) return sums;
  sums.count = 0;
  for (const SizeRun& run : cut_size(task_.channels, size)) {
    const auto count = static_cast<double>(run.count);
    const std::int64_t steps = reduction_steps(task_, run.size, mode_, array_);
    const std::int64_t folds = array_.folds_reduction() ? ceil_div(steps, array_.rows) : 1;
    sums.count += count;
    sums.steps += count * static_cast<double>(steps);
    sums.row_folds += count * static_cast<double>(folds);
    if (!task_.input_resident[0]) {
      sums.input_bits +=
          count * packed(groups * run.size, task_.input_storage[0].bits(), input_word_);
    }
    sums.weight_bits +=
        static_cast<double>(groups) * count *
        packed(task_.window.positions() * run.size, task_.weight_storage.bits(), weight_word_);
  }
  set_shares(sums, size, task_.channels);
  return sums;
}

PixelSums MappingEstimator::pixels(std::int64_t rows, std::int64_t columns) const {
  PixelSums sums;
  sums.rows = rows;
  sums.columns = columns;
  sums.row_runs = cut_size(task_.out_height, rows);
  sums.column_runs = cut_size(task_.out_width, columns);
  for (const SizeRun& row : sums.row_runs) {
    for (const SizeRun& column : sums.column_runs) {
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
  sums.first_in_pixels =
      static_cast<double>(reach_of(rows_, rows)) * static_cast<double>(reach_of(columns_, columns));
  const double average = pixels_ / sums.count;
  const std::int64_t last_row = task_.out_height - (ceil_div(task_.out_height, rows) - 1) * rows;
  const std::int64_t last_column =
      task_.out_width - (ceil_div(task_.out_width, columns) - 1) * columns;
  sums.uneven = static_cast<double>(rows * columns) / average;
  sums.last = static_cast<double>(last_row * last_column) / average;
  return sums;
}

// Input rows (or columns) loaded over all tiles of an axis.
double MappingEstimator::axis_load(const AxisSpec& axis, std::int64_t length) const {
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

double MappingEstimator::compute_cycles(const PixelSums& p, const OutChannelSums& n,
                                        const InChannelSums& k) const {
  if (!is_array_) return vector_cycles(p, n);
  return groups_passed(n, k) * lines(p, n, k) * full_fold_wait(p, n, k);
}

namespace {

// A sum over all tiles, which have few different sizes.
template <typename Of>
double sum_of_tiles(const PixelSums& p, const OutChannelSums& n, Of of) {
  double sum = 0;
  for (const SizeRun& row : p.row_runs) {
    for (const SizeRun& column : p.column_runs) {
      for (const SizeRun& out : n.runs) {
        sum += static_cast<double>(row.count * column.count * out.count) *
               of(static_cast<double>(row.size * column.size), out.size);
      }
    }
  }
  return sum;
}

}  // namespace

// Lanes stay empty at the end of each tile.
double MappingEstimator::vector_cycles(const PixelSums& p, const OutChannelSums& n) const {
  return static_cast<double>(task_.images) *
         sum_of_tiles(p, n, [this](double pixels, std::int64_t channels) {
           return std::ceil(pixels * static_cast<double>(channels) * cycles_per_output_);
         });
}

// The beats of each store are whole.
double MappingEstimator::vector_stores(const PixelSums& p, const OutChannelSums& n) const {
  return static_cast<double>(task_.images) *
         sum_of_tiles(p, n, [this](double pixels, std::int64_t channels) {
           return std::ceil(pixels * packed(channels, task_.output_storage.bits(), output_word_) *
                            cycles_per_bit_);
         });
}

double MappingEstimator::Floor::best_from(double rectangles) const {
  const double least = from(rectangles);
  if (each <= 0 || base + lines(rectangles) + first / rectangles <= least) return least;
  // The more rectangles, the shorter the first load, and the more lines.
  const double best = std::max({rectangles, flat, std::sqrt(first / each)});
  return std::max(least, base + each * best + first / best);
}

void MappingEstimator::set_floor_lines(Floor& floor, const OutChannelSums& n,
                                       const InChannelSums& k) const {
  if (!is_array_) {
    floor.base = pixels_ * static_cast<double>(task_.out_channels) * cycles_per_output_;
    return;
  }
  const double steps = pixels_ / static_cast<double>(mode_.pixels);
  const auto step = static_cast<double>(mode_.cycles);
  const double skew = array_.fold_overlap == arch::FoldOverlap::kNone ? skew_ : 0.0;
  switch (array_.dataflow) {
    case arch::Dataflow::kOutputStationary:
      floor.flat = steps / static_cast<double>(array_.rows);
      floor.each = n.folds * (step * k.steps + k.count * skew);
      break;
    case arch::Dataflow::kWeightStationary:
      floor.base = k.row_folds * n.folds * step * steps;
      floor.each = k.row_folds * n.folds * skew;
      break;
    case arch::Dataflow::kInputStationary:
      floor.base = k.row_folds * steps / static_cast<double>(array_.columns) *
                   (step * n.steps + n.count * skew);
      break;
    case arch::Dataflow::kDotColumns:
      floor.base = n.folds * step * k.steps * steps;
      floor.each = n.folds * k.count * skew;
      break;
  }
}

MappingEstimator::Floor MappingEstimator::floor_of(const OutChannelSums& n,
                                                   const InChannelSums& k) const {
  const double groups = groups_passed(n, k);
  const double input = least_loaded_ * (is_array_ ? k.input_bits : n.input_bits) * cycles_per_bit_;
  const double weight =
      is_array_ ? static_cast<double>(task_.out_channels) * k.weight_bits * cycles_per_bit_ : 0.0;
  const double output = pixels_ * n.final_bits * cycles_per_bit_;
  const double slices = n.count * k.count;
  const double latency = input + weight > 0 ? latency_ : 0.0;
  Floor floor;
  set_floor_lines(floor, n, k);
  floor.base *= groups;
  floor.each *= groups;
  floor.moved = groups * (input + weight + output);
  if (input > 0) {
    // In a single pass of one loop the block that it does not follow is no part of the chains.
    double stays = 0;
    if (slices <= 1) {
      stays = weight;
    } else if (k.count <= 1 || n.count <= 1) {
      stays = n.count > 1 ? input : output;
    }
    floor.chains = (floor.moved - groups * stays + floor.base) / 2;
    floor.chain = groups * slices * latency / 2;
  }
  floor.first_weight = weight / slices;
  floor.base += floor.first_weight + latency;
  floor.first = input / (is_array_ ? k.count : n.count);
  floor.moved += latency;
  return floor;
}

double MappingEstimator::lines(const PixelSums& p, const OutChannelSums& n,
                               const InChannelSums& k) const {
  const auto step = static_cast<double>(mode_.cycles);
  double folds = 0;     // of all tiles
  double temporal = 0;  // mean T of a fold
  switch (array_.dataflow) {
    case arch::Dataflow::kOutputStationary:
      folds = p.row_folds * n.folds * k.count;
      temporal = step * k.steps / k.count;
      break;
    case arch::Dataflow::kWeightStationary:
      folds = k.row_folds * n.folds * p.count;
      temporal = step * p.steps / p.count;
      break;
    case arch::Dataflow::kInputStationary:
      folds = k.row_folds * p.column_folds * n.count;
      temporal = step * n.steps / n.count;
      break;
    case arch::Dataflow::kDotColumns:
      folds = n.folds * p.count * k.count;
      temporal = step * k.steps / k.count * p.steps / p.count;
      break;
  }
  return lines_of(folds, p.count * n.count * k.count, temporal);
}

// Lines of that many folds of that mean length in so many tiles.
double MappingEstimator::lines_of(double folds, double tiles, double temporal) const {
  if (array_.fold_overlap == arch::FoldOverlap::kNone) return folds * (temporal + skew_);
  return (folds - tiles) * std::max(temporal, least_interval_) + tiles * (temporal + skew_);
}

// Cycles per line of the largest fold of a tile, on average over first and later visits.
double MappingEstimator::full_fold_wait(const PixelSums& p, const OutChannelSums& n,
                                        const InChannelSums& k) const {
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
  const FoldWaits& waits = waits_of(fold);
  const double visits = array_.folds_reduction() ? k.row_folds : k.count;
  return visits > 1 ? waits.first / visits + (1.0 - 1.0 / visits) * waits.later : waits.first;
}

const MappingEstimator::FoldWaits& MappingEstimator::waits_of(arch::FoldShape fold) const {
  FoldWaits& known = last_waits_;
  if (known.used_rows == fold.used_rows && known.used_columns == fold.used_columns &&
      known.output_cycles == fold.output_cycles) {
    return known;
  }
  const auto wait = [&](bool reads) {
    fold.reads_partial_sums = reads;
    return static_cast<double>(memory::cycles_per_line(
        arch::fold_demand(array_, mode_, machine_.spec().mac.accumulator_bits, fold),
        machine_.spec().buffers));
  };
  known = {fold.used_rows, fold.used_columns, fold.output_cycles, wait(false), wait(true)};
  return known;
}

MappingEstimator::Tiles MappingEstimator::tiles(const PixelSums& p, const OutChannelSums& n,
                                                const InChannelSums& k, double compute) const {
  Tiles tiles;
  tiles.compute = compute;
  tiles.moving = moving_loop(LoopDim::kPixel, p.count > 1) |
                 moving_loop(LoopDim::kOutChannel, n.count > 1) |
                 moving_loop(LoopDim::kInChannel, k.count > 1);
  tiles.groups = groups_passed(n, k);
  tiles.count = tiles.groups * p.count * n.count * k.count;
  const double loaded = is_array_ ? k.input_bits : n.input_bits;
  tiles.input = tiles.groups * p.in_pixels * loaded;
  tiles.first_input =
      p.first_in_pixels * loaded / (is_array_ ? k.count : n.count) * cycles_per_bit_;
  tiles.input_beats = cycles_per_bit_ * rounded_up(tiles.first_input);
  if (is_array_) {
    tiles.weight = tiles.groups * static_cast<double>(task_.out_channels) * k.weight_bits;
    tiles.first_weight = tiles.weight / (tiles.groups * n.count * k.count) * cycles_per_bit_;
    tiles.weight_beats = cycles_per_bit_ * rounded_up(tiles.first_weight);
  } else {
    tiles.first_input += (n.pixel_bits + n.tap_bits) / n.count * cycles_per_bit_;
  }
  tiles.output = tiles.groups * pixels_ * n.final_bits;
  tiles.stores = tiles.groups * p.count * n.count;
  const double store = tiles.output / tiles.stores * cycles_per_bit_;
  tiles.store = is_array_ || task_.output_resident ? store * rounded_up(store * p.uneven * n.uneven)
                                                   : vector_stores(p, n) / tiles.stores;
  tiles.last_store = std::ceil(store * p.last * n.last);
  return tiles;
}

MappingEstimator::StreamBits MappingEstimator::traffic(const PixelSums& p, const OutChannelSums& n,
                                                       const InChannelSums& k, const Tiles& tiles,
                                                       std::size_t order) const {
  const MovedAgain& again = moved_again(order, tiles.moving);
  StreamBits bits;
  if (!is_array_) {
    const double pixel_loads = again.pixel ? p.count : static_cast<double>(task_.images);
    bits.input =
        tiles.input + pixel_loads * n.pixel_bits + (again.pixel ? p.count : 1.0) * n.tap_bits;
    return bits;
  }
  bits.input = tiles.input * (again.input ? n.count : 1.0);
  bits.weight = tiles.weight * (again.weight ? p.count : 1.0);
  if (again.sums) {
    bits.spill = 2.0 * (k.count - 1.0) * tiles.groups * pixels_ * n.spill_bits;
  }
  return bits;
}

MappingEstimate MappingEstimator::estimate(const PixelSums& p, const OutChannelSums& n,
                                           const InChannelSums& k, const Tiles& tiles,
                                           std::size_t order) const {
  const StreamBits bits = traffic(p, n, k, tiles, order);
  const double spill = bits.spill * cycles_per_bit_;
  const double first = tiles.first_input + tiles.first_weight;
  const double latency = first > 0 ? latency_ : 0.0;
  const double input = bits.input * tiles.input_beats;
  const double weight = bits.weight * tiles.weight_beats;
  const double output = tiles.store * tiles.stores;
  const double transfer = input + weight + spill + output;

  // Blocks of a single buffer move while nothing is computed.
  double busy = tiles.compute;
  if (input_is_single_) busy += input - tiles.first_input;
  if (weight_is_single_) busy += weight - tiles.first_weight;
  if (output_is_single_) busy += std::max(0.0, output + spill - tiles.last_store);

  // Blocks of one operand may stay while the innermost loop runs; they come in one go.
  InnerLoop inner;
  for (const LoopDim dim : kLoopOrders[order]) {
    const auto take = [&](double count, double uneven, double stays) {
      if (count > 1) inner = {count, uneven, stays};
    };
    if (dim == LoopDim::kPixel) take(p.count, p.uneven, weight);
    if (dim == LoopDim::kOutChannel) take(n.count, n.uneven, is_array_ ? input : 0.0);
    if (dim == LoopDim::kInChannel) take(k.count, k.uneven, output);
  }
  const double rare = inner.rare;
  const double rounds = tiles.count / inner.count;
  const double each = busy / tiles.count;
  const double often = (transfer - rare) / tiles.count;
  const double burst = rare > 0 ? std::max(0.0, often + rare / rounds + latency - each) : 0.0;
  const double last_tile = each * p.last * n.last * k.last;

  MappingEstimate estimate;
  estimate.dram_bits = bits.input + bits.weight + bits.spill + tiles.output;
  const double by_compute = first + latency + busy + (rounds - 1) * burst + tiles.last_store;
  // The stores of the last two tiles may come after all loads, one of them beside the last tile.
  const double before = tiles.stores > 1 && k.count == 1 ? tiles.store : 0.0;
  const double loads_first = first > 0 ? std::max(before, latency + last_tile) - before
                                       : each * p.uneven * n.uneven;  // the first store waits
  estimate.cycles = std::max(by_compute, transfer + loads_first);
  if (first > 0) {
    const double chain = chain_of(
        {tiles.count, inner.count, often, each, inner.uneven, latency, first, tiles.last_store});
    estimate.cycles = std::max(estimate.cycles, chain + rare * (rounds - 1) / rounds);
  }
  return estimate;
}

// Loads of a tile cannot be granted before the tile two before it has ended: two chains of tiles,
// each with its transfers, latencies and computing one after the other.
double MappingEstimator::chain_of(const TileChain& of) {
  const double work = of.moved + of.computed;  // of an average tile
  const double whole = work * of.uneven;
  const double least = of.inner * work - (of.inner - 1) * whole;  // of the small tile of a round
  const bool odd = std::fmod(of.inner, 2.0) != 0.0;
  if (of.tiles == of.inner) {
    // The chain of the first tile, and that of the second one, which begins after its loads.
    const double half = std::floor(of.tiles / 2);
    const double steps = half * (whole + of.latency);
    if (odd) return steps + least + of.latency;
    return std::max(steps + of.last_store,
                    steps - (whole - least) + std::max(of.first, of.computed));
  }
  // With an even number of tiles in a round the small one is always on the same chain. With an odd
  // one the chains take turns, and one may run ahead of the other until tiles or transfers touch.
  const double step = (work + of.latency) / 2;
  const double lead = std::max(0.0, step - std::max(of.moved, of.computed));
  const double lost = odd ? std::max(0.0, whole - least - lead) : whole - least;
  const double rounds = of.tiles / of.inner;
  return of.tiles * step + rounds * lost / 2 + std::min(step, std::max(of.first, of.computed));
}

MappingEstimate estimate_mapping(const LayerTask& task, const Mapping& mapping,
                                 const Accelerator& machine) {
  const MappingEstimator estimator(task, machine);
  const PixelSums p = estimator.pixels(mapping.tile.rows, mapping.tile.columns);
  const std::int64_t in_size = std::min(mapping.tile.in_channels, task.channels);
  const std::int64_t groups = estimator.groups_at_once(in_size, mapping.tile.out_channels);
  const OutChannelSums n = estimator.out_channels(mapping.tile.out_channels, groups);
  const InChannelSums k = estimator.in_channels(in_size, groups);
  const MappingEstimator::Tiles tiles = estimator.tiles(p, n, k, estimator.compute_cycles(p, n, k));
  const auto order = std::find(kLoopOrders.begin(), kLoopOrders.end(), mapping.order);
  return estimator.estimate(p, n, k, tiles, static_cast<std::size_t>(order - kLoopOrders.begin()));
}

}  // namespace vernier::dataflow
