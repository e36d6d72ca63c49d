#include "dataflow/search/candidate_bounds.hpp"

#include <algorithm>
#include <cmath>

#include "dataflow/evaluate/tile_cost.hpp"
#include "dataflow/result/activity_counter.hpp"
#include "memory/packing.hpp"

namespace vernier::dataflow {
namespace {

// Sums in another order than the engine's differ in the last digits; bounds step back by more.
constexpr double kRounding = 1e-12;

Count count_of(std::int64_t value) { return static_cast<Count>(value); }

std::int64_t whole_number(Count count) {
  constexpr Count kMost = 9.0e18;  // more has no place in 64 bits
  return static_cast<std::int64_t>(std::min(count, kMost));
}

Count words(Count elements, std::int64_t bits, Bits word) {
  return std::ceil(elements * count_of(bits) / count_of(word.count()));
}

// A tile of one output that touches no input at all.
AxisClass empty_class(const AxisClass& whole) {
  AxisClass result;
  result.out_length = 1;
  result.taps.assign(whole.taps.size(), 0);
  return result;
}

// Actions that no mapping changes the count of.
bool is_fixed(Action action) {
  return action != Action::kMacIdle && action != Action::kRead && action != Action::kWrite &&
         action != Action::kLeak;
}

}  // namespace

void InnerWork::add(const TileCost& tile, Count count, Ports ports) {
  cycles += count_of(ports == Ports::kCounted ? tile.cycles() : tile.lines) * count;
  slots += (count_of(tile.macs) + count_of(tile.idle_macs)) * count;
  input_reads +=
      (count_of(tile.accesses.input_reads[0]) + count_of(tile.accesses.input_reads[1])) * count;
  weight_reads += count_of(tile.accesses.weight_reads) * count;
  output_reads += count_of(tile.accesses.output_reads) * count;
  output_writes += count_of(tile.accesses.output_writes) * count;
}

InnerWork InnerWork::at_least(const InnerWork& other, Count times) const {
  return {std::max(cycles, other.cycles * times),
          std::max(slots, other.slots * times),
          std::max(input_reads, other.input_reads * times),
          std::max(weight_reads, other.weight_reads * times),
          std::max(output_reads, other.output_reads * times),
          std::max(output_writes, other.output_writes * times)};
}

CandidateBounds::CandidateBounds(const LayerTask& task, const Machine& machine,
                                 SearchObjective objective, const CostSummary& known)
    : task_(task),
      machine_(machine),
      accelerator_(machine.accelerator),
      objective_(objective),
      is_array_(task.unit == TaskUnit::kArray),
      always_loads_(is_array_ || task.reach[0] != InputReach::kNone),
      groups_(count_of(task.groups)),
      images_(count_of(task.images)),
      pixels_(count_of(task.pixels())),
      latency_(count_of(machine.accelerator.spec().dram.latency.count())),
      channel_cycles_(count_of(machine.accelerator.spec().dram.bandwidth.cycles())),
      channel_bits_(count_of(machine.accelerator.spec().dram.bandwidth.bits())) {
  // Tiles in padding wait for no load.
  const auto in_padding = [](const AxisSpec& axis) {
    const AxisTiles pixels = cut_axis(axis, 1);
    return std::any_of(pixels.classes.begin(), pixels.classes.end(),
                       [](const AxisClass& pixel) { return pixel.in_length == 0; });
  };
  always_loads_ = always_loads_ && !task.input_resident[0] && !in_padding(row_axis(task)) &&
                  !in_padding(column_axis(task));
  whole_row_ = cut_axis(row_axis(task), task.out_height).classes.front();
  whole_column_ = cut_axis(column_axis(task), task.out_width).classes.front();
  no_row_ = empty_class(whole_row_);
  no_column_ = empty_class(whole_column_);
  set_rates(known);
}

void CandidateBounds::set_rates(const CostSummary& known) {
  Picojoules fixed{0.0};
  for (const energy::EnergyEntry& entry : known.energy.entries()) {
    if (is_fixed(entry.activity.action)) fixed += entry.energy;
    const bool is_product =
        entry.activity.action == Action::kMac || entry.activity.action == Action::kMacGated;
    if (is_product) real_products_ += count_of(entry.activity.count);
  }
  const auto price = [&](const auto& count, std::int64_t divisor = 1) {
    ActivityCounter counter(accelerator_);
    count(counter);
    return energy::EnergyBreakdown(counter.take(), machine_.prices).total().count() /
           static_cast<double>(divisor);
  };
  const auto access = [&](TensorRole role, Action action) {
    return price([&](ActivityCounter& counter) { counter.buffer(role, action, 1); });
  };
  const auto moved = [&](TensorRole role, bool to_chip) {
    const std::int64_t word = accelerator_.buffer(role).word.count();
    return price([&](ActivityCounter& counter) { counter.transfer(role, to_chip, word); }, word);
  };
  rates_.fixed = fixed.count();
  rates_.cycle = price([](ActivityCounter& counter) { counter.leak(1); });
  if (is_array_) {
    rates_.idle = price([&](ActivityCounter& counter) { counter.mac(Action::kMacIdle, task_, 1); });
  }
  rates_.input_read = access(TensorRole::kInput, Action::kRead);
  rates_.weight_read = access(TensorRole::kWeight, Action::kRead);
  rates_.output_read = access(TensorRole::kOutput, Action::kRead);
  rates_.output_write = access(TensorRole::kOutput, Action::kWrite);
  rates_.input_bit = moved(TensorRole::kInput, true);
  rates_.weight_bit = moved(TensorRole::kWeight, true);
  rates_.reload_bit = moved(TensorRole::kOutput, true);
  rates_.store_bit = moved(TensorRole::kOutput, false);
  for (const double rate : {rates_.cycle, rates_.idle, rates_.input_read, rates_.weight_read,
                            rates_.output_read, rates_.output_write, rates_.input_bit,
                            rates_.weight_bit, rates_.reload_bit, rates_.store_bit}) {
    VERNIER_ASSERT(rate >= 0.0, "prices that are not negative");
  }
}

Count CandidateBounds::beats(Count bits) const {
  return std::ceil(bits * channel_cycles_ / channel_bits_);
}

SpatialCut CandidateBounds::spatial(const AxisSpec& axis, std::int64_t size) const {
  const AxisTiles tiles = cut_axis(axis, size);
  SpatialCut cut;
  cut.size = size;
  cut.tiles = count_of(tiles.total);
  cut.first_load = count_of(tiles.classes[tiles.runs.front().index].in_length);
  cut.last_length = count_of(tiles.classes[tiles.runs.back().index].out_length);
  for (const Run& run : tiles.runs) {
    const std::int64_t length = tiles.classes[run.index].in_length;
    cut.loaded += count_of(length) * count_of(run.count);
    cut.has_empty = cut.has_empty || length == 0;
  }
  cut.reach = reach_of(axis, size);
  return cut;
}

OutChannelCut CandidateBounds::out_channels(std::int64_t size) const {
  const Bits input_word = accelerator_.buffer(TensorRole::kInput).word;
  const Bits output_word = accelerator_.buffer(TensorRole::kOutput).word;
  OutChannelCut cut;
  cut.size = size;
  cut.runs = cut_size(task_.out_channels, size);
  for (const SizeRun& run : cut.runs) {
    const Count count = count_of(run.count);
    const Count length = count_of(run.size);
    const Count final =
        task_.output_resident ? 0.0 : words(length, task_.output_storage.bits(), output_word);
    const Count spilled = words(length, accelerator_.spec().mac.accumulator_bits, output_word);
    cut.slices += count;
    cut.final_words += count * final;
    cut.spill_words += count * spilled;
    cut.most_words = std::max({cut.most_words, final, spilled});
    cut.last_words = final;
    for (std::size_t slot = 0; !is_array_ && slot < task_.reach.size(); ++slot) {
      if (task_.reach[slot] == InputReach::kNone || task_.input_resident[slot]) continue;
      const Count row = words(length, task_.input_storage[slot].bits(), input_word);
      if (cut.input_words[slot] == 0) cut.first_words[slot] = row;
      cut.input_words[slot] += count * row;
    }
  }
  return cut;
}

InChannelCut CandidateBounds::in_channels(std::int64_t size) const {
  InChannelCut cut;
  cut.size = size;
  cut.slices = 1;
  if (!is_array_) {
    cut.classes = {{{task_.channels, true, true}, 1}};
    return cut;
  }
  const std::int64_t slices = ceil_div(task_.channels, size);
  const std::int64_t last = task_.channels - (slices - 1) * size;
  cut.slices = count_of(slices);
  if (slices == 1) {
    cut.classes = {{{last, true, true}, 1}};
  } else {
    cut.classes = {{{size, true, false}, 1}, {{last, false, true}, 1}};
    if (slices > 2) cut.classes.push_back({{size, false, false}, slices - 2});
  }
  for (const auto& [slice, count] : cut.classes) {
    const Count channels = count_of(slice.channels);
    const Count input = task_.input_resident[0]
                            ? 0.0
                            : words(channels, task_.input_storage[0].bits(),
                                    accelerator_.buffer(TensorRole::kInput).word);
    const Count weight =
        words(count_of(task_.window.positions()) * channels, task_.weight_storage.bits(),
              accelerator_.buffer(TensorRole::kWeight).word);
    if (slice.is_first) {
      cut.first_input_words = input;
      cut.first_weight_words = weight;
    }
    cut.input_words += count_of(count) * input;
    cut.weight_words += count_of(count) * weight;
  }
  return cut;
}

RectangleCut CandidateBounds::rectangle(const SpatialCut& rows, const SpatialCut& columns) const {
  return {images_ * rows.tiles * columns.tiles, images_ * rows.loaded * columns.loaded};
}

PairTraffic CandidateBounds::pair_traffic(const InChannelCut& in, const OutChannelCut& out) const {
  const Count input_word = count_of(accelerator_.buffer(TensorRole::kInput).word.count());
  const Count weight_word = count_of(accelerator_.buffer(TensorRole::kWeight).word.count());
  const Count output_word = count_of(accelerator_.buffer(TensorRole::kOutput).word.count());
  PairTraffic pair;
  pair.out_slices = out.slices;
  pair.tiles = groups_ * in.slices * out.slices;
  pair.moving = moving_loop(LoopDim::kOutChannel, out.slices > 1) |
                moving_loop(LoopDim::kInChannel, in.slices > 1);
  if (is_array_) {
    pair.input_per_pixel[0] = groups_ * input_word * in.input_words;
    pair.weight = groups_ * weight_word * count_of(task_.out_channels) * in.weight_words;
  } else {
    for (std::size_t slot = 0; slot < task_.reach.size(); ++slot) {
      pair.input_per_pixel[slot] = input_word * out.input_words[slot];
    }
  }
  pair.reload = groups_ * output_word * pixels_ * (in.slices - 1) * out.spill_words;
  pair.final_store = groups_ * output_word * pixels_ * out.final_words;
  return pair;
}

TrafficBits CandidateBounds::traffic(const PairTraffic& pair, const RectangleCut& rectangle,
                                     std::size_t order) const {
  const MovingLoops moving = pair.moving | moving_loop(LoopDim::kPixel, rectangle.tiles > 1);
  const MovedAgain& again = moved_again(order, moving);
  TrafficBits bits;
  if (is_array_) {
    bits.input = rectangle.loaded * pair.input_per_pixel[0] * (again.input ? pair.out_slices : 1.0);
    bits.weight = pair.weight * (again.weight ? rectangle.tiles : 1.0);
    bits.reload = again.sums ? pair.reload : 0.0;
  } else {
    // A one-pixel block follows images and channels, not rows and columns; taps only channels.
    for (std::size_t slot = 0; slot < task_.reach.size(); ++slot) {
      Count rows = rectangle.loaded;
      if (task_.reach[slot] == InputReach::kOnePixel) {
        rows = again.pixel ? rectangle.tiles : images_;
      } else if (task_.reach[slot] == InputReach::kTaps) {
        rows = count_of(task_.window.positions()) * (again.pixel ? rectangle.tiles : 1.0);
      }
      bits.input += rows * pair.input_per_pixel[slot];
    }
  }
  bits.store = bits.reload + pair.final_store;
  return bits;
}

InnerWork CandidateBounds::work_of(const AxisClass& row, const AxisClass& column,
                                   const InChannelCut& in, const OutChannelCut& out, Count times,
                                   Ports ports) const {
  InnerWork work;
  TileClass tile;
  tile.row = &row;
  tile.column = &column;
  for (const SizeRun& run : out.runs) {
    tile.out_channels = run.size;
    for (const auto& [slice, count] : in.classes) {
      tile.reduction = slice;
      work.add(cost_of_tile(task_, tile, accelerator_),
               count_of(run.count) * count_of(count) * times, ports);
    }
  }
  return work;
}

InnerWork CandidateBounds::whole_map(const InChannelCut& in, const OutChannelCut& out) const {
  // Where pixels lie on rows or columns, other cuts may fill the ports better.
  const bool pixels_stream =
      is_array_ && accelerator_.spec().array.dataflow == arch::Dataflow::kWeightStationary;
  return work_of(whole_row_, whole_column_, in, out, groups_ * images_,
                 pixels_stream ? Ports::kCounted : Ports::kLeftOut);
}

InnerWork CandidateBounds::per_rectangle(const InChannelCut& in, const OutChannelCut& out) const {
  return work_of(no_row_, no_column_, in, out, groups_, Ports::kCounted);
}

InnerWork CandidateBounds::whole_map_and_channels(const InChannelCut& in) const {
  const OutChannelCut whole = out_channels(task_.out_channels);
  InnerWork work =
      work_of(whole_row_, whole_column_, in, whole, groups_ * images_, Ports::kLeftOut);
  // Slices may round their words up less often than the array's folds do: count bits instead.
  double filled = 1.0;
  const Bits word = accelerator_.buffer(TensorRole::kOutput).word;
  const std::int64_t fold =
      is_array_ ? accelerator_.spec().array.columns *
                      accelerator_.mode(task_.weight_compute, task_.activation_compute).out_channels
                : task_.out_channels;
  for (const std::int64_t run :
       {task_.out_channels, std::min(fold, task_.out_channels), task_.out_channels % fold}) {
    if (run == 0) continue;
    for (const std::int64_t bits :
         {std::int64_t{task_.output_storage.bits()}, accelerator_.spec().mac.accumulator_bits}) {
      const Count exact_words = count_of(run) * count_of(bits) / count_of(word.count());
      filled = std::min(filled, exact_words / words(count_of(run), bits, word));
    }
  }
  work.output_reads *= filled * (1.0 - kRounding);
  work.output_writes *= filled * (1.0 - kRounding);
  return work;
}

InnerWork CandidateBounds::exact(const PreparedTask& prepared) {
  InnerWork work;
  for (std::size_t at = 0; at < prepared.tiles.size(); ++at) {
    work.add(prepared.tiles[at], count_of(prepared.schedule.classes()[at].count), Ports::kCounted);
  }
  return work;
}

Ends CandidateBounds::ends(const InChannelCut& in, const OutChannelCut& out, const SpatialCut& rows,
                           const SpatialCut& columns) const {
  const Count input_word = count_of(accelerator_.buffer(TensorRole::kInput).word.count());
  const Count output_word = count_of(accelerator_.buffer(TensorRole::kOutput).word.count());
  const Count pixels = rows.first_load * columns.first_load;
  Ends ends;
  if (is_array_) {
    const Count weight_word = count_of(accelerator_.buffer(TensorRole::kWeight).word.count());
    ends.first = beats(pixels * in.first_input_words * input_word) +
                 beats(count_of(out.runs[0].size) * in.first_weight_words * weight_word);
  } else {
    for (std::size_t slot = 0; slot < task_.reach.size(); ++slot) {
      Count block = pixels;
      if (task_.reach[slot] == InputReach::kOnePixel) block = 1.0;
      if (task_.reach[slot] == InputReach::kTaps) block = count_of(task_.window.positions());
      ends.first += beats(block * out.first_words[slot] * input_word);
    }
  }
  ends.last_bits = rows.last_length * columns.last_length * out.last_words * output_word;
  ends.last = beats(ends.last_bits);
  ends.store_bits = count_of(rows.size) * count_of(columns.size) * out.most_words * output_word;
  ends.chained = always_loads_ && !rows.has_empty && !columns.has_empty;
  return ends;
}

Count CandidateBounds::cycles(const InnerWork& work, const TrafficBits& traffic) const {
  return std::max(work.cycles + (always_loads_ ? latency_ : 0.0), beats(traffic.total()));
}

Count CandidateBounds::cycles(const InnerWork& work, const TrafficBits& traffic, Count tiles,
                              const Ends& ends) const {
  const Count total = traffic.total();
  const Count least = std::max(
      ends.first + (ends.first > 0 ? latency_ : 0.0) + work.cycles + ends.last, beats(total));
  if (!ends.chained) return least;
  // The stores of the last two tiles may come after all loads.
  const Count before = beats(std::max(0.0, total - ends.last_bits - ends.store_bits));
  const Count chains = std::ceil((before + tiles * latency_ + work.cycles) / 2);
  return std::max({least, before + latency_ + ends.last, chains + ends.last});
}

Score CandidateBounds::score(const InnerWork& work, const TrafficBits& traffic,
                             Count cycles) const {
  constexpr Count kExact = 9007199254740992.0;  // 2^53
  const auto least = [](Count count) { return count < kExact ? count : count * (1.0 - kRounding); };
  const Count bits = least(traffic.total());
  const Count time = least(cycles);
  if (objective_ == SearchObjective::kCycles) return {time, whole_number(bits)};
  if (objective_ == SearchObjective::kDramBits) return {bits, whole_number(time)};
  const double energy =
      rates_.fixed + rates_.cycle * cycles + rates_.idle * (work.slots - real_products_) +
      rates_.input_read * work.input_reads + rates_.weight_read * work.weight_reads +
      rates_.output_read * work.output_reads + rates_.output_write * work.output_writes +
      rates_.input_bit * traffic.input + rates_.weight_bit * traffic.weight +
      rates_.reload_bit * traffic.reload + rates_.store_bit * traffic.store;
  const double value = objective_ == SearchObjective::kEnergy ? energy : energy * cycles;
  return {value * (1.0 - kRounding), whole_number(time)};
}

}  // namespace vernier::dataflow
