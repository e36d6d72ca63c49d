#include "arch/systemc/operand_source.hpp"

#include <algorithm>

namespace vernier::arch {
namespace {

std::int64_t up_div(std::int64_t amount, std::int64_t part) { return (amount + part - 1) / part; }

}  // namespace

template <typename Word>
OperandSource<Word>::OperandSource(const ArrayTask& task, const OperandSets& sets,
                                   ArrayCounts& counts)
    : task_(task),
      mode_(task.mode),
      sets_(sets),
      counts_(counts),
      dataflow_(task.array.dataflow),
      positions_(task.window.positions()),
      step_lanes_(task.mode.reduction * (dataflow_ == Dataflow::kDotColumns ? task.array.rows : 1)),
      pad_value_(static_cast<Word>(task.padding_is_real ? task.input_zero_point : 0)),
      bank_elements_(static_cast<std::size_t>(task.array.rows)) {
  const OperandFormat& streamed =
      dataflow_ == Dataflow::kInputStationary ? task.weight : task.input;
  part_bits_ = up_div(streamed.bits.bits(), mode_.cycles);
}

template <typename Word>
void OperandSource<Word>::begin_tile(const ArrayTile& tile) {
  tile_ = tile;
  if (tile.channels != listed_channels_) list_elements();
  const WindowShape& window = task_.window;
  origins_.clear();
  origins_.reserve(static_cast<std::size_t>(tile.pixels()));
  for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
    const std::int64_t row = tile.first_row + pixel / tile.out_columns;
    const std::int64_t column = tile.first_column + pixel % tile.out_columns;
    origins_.push_back({row * window.stride_height - window.pad_top - tile.in_top,
                        column * window.stride_width - window.pad_left - tile.in_left});
  }
}

template <typename Word>
void OperandSource<Word>::list_elements() {
  listed_channels_ = tile_.channels;
  const bool by_window = task_.array.reduction_packing == ReductionPacking::kWindow;
  const std::int64_t steps_per_position = up_div(tile_.channels, step_lanes_);
  steps_ = by_window ? up_div(positions_ * tile_.channels, step_lanes_)
                     : positions_ * steps_per_position;
  elements_.assign(static_cast<std::size_t>(steps_ * step_lanes_), Element{});
  for (std::int64_t position = 0; position < positions_; ++position) {
    for (std::int64_t channel = 0; channel < tile_.channels; ++channel) {
      const std::int64_t slot = by_window ? position * tile_.channels + channel
                                          : position * steps_per_position * step_lanes_ + channel;
      elements_[static_cast<std::size_t>(slot)] = {static_cast<std::int32_t>(position),
                                                   static_cast<std::int32_t>(channel)};
    }
  }
  step_runs_.clear();
  if (dataflow_ != Dataflow::kDotColumns) return;
  step_runs_.reserve(static_cast<std::size_t>(steps_));
  for (std::int64_t step = 0; step < steps_; ++step) {
    step_runs_.push_back(runs_of(step * step_lanes_, step_lanes_));
  }
}

template <typename Word>
std::int64_t OperandSource<Word>::pixel_steps() const {
  return up_div(tile_.pixels(), mode_.pixels);
}

template <typename Word>
std::int64_t OperandSource<Word>::channel_steps() const {
  return up_div(tile_.out_channels, mode_.out_channels);
}

template <typename Word>
std::int64_t OperandSource<Word>::fold_channels(const Fold& fold) const {
  return std::min(fold.used_columns * mode_.out_channels,
                  tile_.out_channels - fold.first_column * mode_.out_channels);
}

template <typename Word>
std::int64_t OperandSource<Word>::dot_rows() const {
  std::int64_t rows = 0;
  for (std::int64_t lane = 0; lane < step_lanes_; ++lane) {  // step 0 is the fullest one
    if (element(0, lane).position >= 0) rows = lane / mode_.reduction + 1;
  }
  return rows;
}

template <typename Word>
bool OperandSource<Word>::is_real(std::int64_t pixel, std::int64_t position) const {
  const WindowShape& window = task_.window;
  const Origin& origin = origins_[static_cast<std::size_t>(pixel)];
  const std::int64_t row = origin.row + position / window.kernel_width * window.dilation_height;
  const std::int64_t column =
      origin.column + position % window.kernel_width * window.dilation_width;
  return row >= 0 && row < tile_.in_rows && column >= 0 && column < tile_.in_columns;
}

template <typename Word>
Word OperandSource<Word>::input_value(std::int64_t pixel, const Element& at) const {
  if (at.position < 0 || pixel >= tile_.pixels()) return 0;
  const WindowShape& window = task_.window;
  const Origin& origin = origins_[static_cast<std::size_t>(pixel)];
  const std::int64_t row = origin.row + at.position / window.kernel_width * window.dilation_height;
  const std::int64_t column =
      origin.column + at.position % window.kernel_width * window.dilation_width;
  if (row < 0 || row >= tile_.in_rows || column < 0 || column >= tile_.in_columns) {
    return pad_value_;
  }
  const std::uint32_t* run = tile_.input + (row * tile_.in_columns + column) * tile_.channels;
  return static_cast<Word>(decode(run[at.channel], task_.input));
}

template <typename Word>
Word OperandSource<Word>::weight_value(std::int64_t channel, const Element& at) const {
  if (at.position < 0 || channel >= tile_.out_channels) return 0;
  const std::uint32_t* run = tile_.weight + (channel * positions_ + at.position) * tile_.channels;
  return static_cast<Word>(decode(run[at.channel], task_.weight));
}

// The part of a row operand that goes in at one cycle of a step of several cycles: lower parts are
// unsigned digits; the last one takes the rest, sign included.
template <typename Word>
Word OperandSource<Word>::part(Word value, std::int64_t cycle) const {
  const auto low_bits = [&](std::int64_t bits) {
    constexpr std::int64_t kWordBits = 8 * static_cast<std::int64_t>(sizeof(Word));
    if (bits >= kWordBits) return value;
    return static_cast<Word>(value & ((Word{1} << static_cast<unsigned>(bits)) - 1));
  };
  const Word upto = cycle + 1 == mode_.cycles ? value : low_bits((cycle + 1) * part_bits_);
  return static_cast<Word>(upto - low_bits(cycle * part_bits_));
}

template <typename Word>
void OperandSource<Word>::begin_fold(const Fold& fold) {
  counts_.product_slots += fold.used_rows * fold.used_columns *
                           (fold.stream_cycles / mode_.cycles) * mode_.macs_per_step();
  if (task_.array.preloads()) {
    fold_runs_ = runs_of(fold.first_row * mode_.reduction, fold.used_rows * mode_.reduction);
  }
}

template <typename Word>
void OperandSource<Word>::read_row(const Fold& fold, std::int64_t row, std::int64_t at,
                                   Word* lanes) {
  const std::int64_t step = at / mode_.cycles;
  const std::int64_t cycle = at % mode_.cycles;
  if (cycle == 0) count_row(fold, row, step);
  for (std::int64_t set = 0; set < sets_.row_sets; ++set) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane, ++lanes) {
      Word value = 0;
      switch (dataflow_) {
        case Dataflow::kOutputStationary:
          value = input_value((fold.first_row + row) * mode_.pixels + set, element(step, lane));
          break;
        case Dataflow::kWeightStationary:
          value = input_value(step * mode_.pixels + set, element(fold.first_row + row, lane));
          break;
        case Dataflow::kInputStationary:
          value =
              weight_value(step * mode_.out_channels + set, element(fold.first_row + row, lane));
          break;
        case Dataflow::kDotColumns:
          value = input_value(step / steps_ * mode_.pixels + set,
                              element(step % steps_, row * mode_.reduction + lane));
          break;
      }
      *lanes = mode_.cycles == 1 ? value : part(value, cycle);
    }
  }
}

template <typename Word>
void OperandSource<Word>::read_column(const Fold& fold, std::int64_t column, std::int64_t at,
                                      Word* lanes) {
  const std::int64_t first = (fold.first_column + column) * mode_.out_channels;
  if (at == 0) {
    counts_.weight_reads += std::min(mode_.out_channels, tile_.out_channels - first) *
                            task_.weight_words.words(positions_ * tile_.channels);
  }
  for (std::int64_t set = 0; set < sets_.column_sets; ++set) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane, ++lanes) {
      *lanes = weight_value(first + set, element(at / mode_.cycles, lane));
    }
  }
}

template <typename Word>
std::vector<typename OperandSource<Word>::Run> OperandSource<Word>::runs_of(
    std::int64_t first_slot, std::int64_t slots) const {
  std::vector<Run> runs;
  for (std::int64_t slot = first_slot; slot < first_slot + slots; ++slot) {
    const Element& at = elements_[static_cast<std::size_t>(slot)];
    if (at.position < 0) continue;
    if (runs.empty() || runs.back().position != at.position) runs.push_back({at.position, 0});
    ++runs.back().channels;
  }
  return runs;
}

template <typename Word>
void OperandSource<Word>::count_run(const Run& run, std::int64_t pixel,
                                    std::int64_t output_channels) {
  const bool real = is_real(pixel, run.position);
  if (real) counts_.input_reads += task_.input_words.words(run.channels);
  if (real || task_.padding_is_real) counts_.real_products += run.channels * output_channels;
}

// The same run of the kP pixels of a step.
template <typename Word>
void OperandSource<Word>::count_pixels(const Run& run, std::int64_t pixel_step,
                                       std::int64_t output_channels) {
  const std::int64_t first = pixel_step * mode_.pixels;
  const std::int64_t end = std::min(tile_.pixels(), first + mode_.pixels);
  for (std::int64_t pixel = first; pixel < end; ++pixel) count_run(run, pixel, output_channels);
}

// Words and products that are due when a row begins a step of its stream.
template <typename Word>
void OperandSource<Word>::count_row(const Fold& fold, std::int64_t row, std::int64_t step) {
  switch (dataflow_) {
    case Dataflow::kOutputStationary:
      for (std::int64_t position = 0; step == 0 && position < positions_; ++position) {
        count_pixels({position, tile_.channels}, fold.first_row + row, fold_channels(fold));
      }
      break;
    // All rows ask for their runs when row 0 begins the step.
    case Dataflow::kWeightStationary:
      if (row > 0) break;
      for (const Run& run : fold_runs_) count_pixels(run, step, fold_channels(fold));
      break;
    case Dataflow::kInputStationary:
      if (row > 0) break;
      counts_.weight_reads +=
          std::min(mode_.out_channels, tile_.out_channels - step * mode_.out_channels) *
          task_.weight_words.words(elements_of(fold_runs_));
      break;
    case Dataflow::kDotColumns:
      count_bank_words(fold, row, step % steps_);
      if (row > 0) break;
      for (const Run& run : step_runs_[static_cast<std::size_t>(step % steps_)]) {
        count_pixels(run, step / steps_, fold_channels(fold));
      }
      break;
  }
}

// A unit runs through the weights of its lanes once for each pixel; a word stays in its register
// until the next one is due.
template <typename Word>
void OperandSource<Word>::count_bank_words(const Fold& fold, std::int64_t row, std::int64_t step) {
  std::int64_t& elements = bank_elements_[static_cast<std::size_t>(row)];
  if (step == 0) elements = 0;
  const std::int64_t before = task_.weight_words.words(elements);
  for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
    if (element(step, row * mode_.reduction + lane).position >= 0) ++elements;
  }
  counts_.weight_reads += (task_.weight_words.words(elements) - before) * fold_channels(fold);
}

template <typename Word>
std::int64_t OperandSource<Word>::elements_of(const std::vector<Run>& runs) {
  std::int64_t sum = 0;
  for (const Run& run : runs) sum += run.channels;
  return sum;
}

template <typename Word>
void OperandSource<Word>::begin_preload(const Fold& fold) {
  const std::vector<Run> runs =
      runs_of(fold.first_row * mode_.reduction, fold.used_rows * mode_.reduction);
  if (dataflow_ == Dataflow::kWeightStationary) {
    counts_.weight_reads += fold_channels(fold) * task_.weight_words.words(elements_of(runs));
    return;
  }
  for (std::int64_t column = 0; column < fold.used_columns; ++column) {
    for (const Run& run : runs) count_pixels(run, fold.first_column + column, tile_.out_channels);
  }
}

template <typename Word>
void OperandSource<Word>::read_stationary(const Fold& fold, std::int64_t row, std::int64_t column,
                                          Word* lanes) const {
  const bool used = row < fold.used_rows && column < fold.used_columns;
  for (std::int64_t set = 0; set < sets_.column_sets; ++set) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane, ++lanes) {
      *lanes = 0;
      if (!used) continue;
      const Element& at = element(fold.first_row + row, lane);
      const std::int64_t index = (fold.first_column + column) * sets_.column_sets + set;
      *lanes = dataflow_ == Dataflow::kWeightStationary ? weight_value(index, at)
                                                        : input_value(index, at);
    }
  }
}

template <typename Word>
void OperandSource<Word>::fill_banks(const Fold& fold, std::int64_t pitch,
                                     std::vector<Word>& banks) const {
  const std::int64_t cycles = mode_.cycles;
  const std::int64_t phases = steps_ * cycles;
  banks.assign(static_cast<std::size_t>(fold.used_rows * phases * sets_.column_lanes() * pitch), 0);
  Word* to = banks.data();
  for (std::int64_t row = 0; row < fold.used_rows; ++row) {
    for (std::int64_t phase = 0; phase < phases; ++phase) {
      for (std::int64_t lane = 0; lane < sets_.column_lanes(); ++lane, to += pitch) {
        const std::int64_t set = lane / mode_.reduction;
        const std::int64_t slot = row * mode_.reduction + lane % mode_.reduction;
        std::int64_t behind = phase;  // cycle of the pixel at which the column is
        for (std::int64_t column = 0; column < fold.used_columns; ++column) {
          to[column] = weight_value((fold.first_column + column) * mode_.out_channels + set,
                                    element(behind / cycles, slot));
          behind = behind == 0 ? phases - 1 : behind - 1;
        }
      }
    }
  }
}

template class OperandSource<std::uint32_t>;
template class OperandSource<std::uint64_t>;

}  // namespace vernier::arch
