#include "arch/systemc/operand_feeder.hpp"

#include <algorithm>

namespace vernier::arch {
namespace {

constexpr int kCodeBits = 32;
constexpr std::int64_t kStepsPerBurst = 16;    // of a column of weights (os)
constexpr std::int64_t kWeightsPerBurst = 32;  // output channels (is)

// As decode(), in 32 bits, which the loops over runs do several at a time. Codes have no bits above
// their width.
template <typename Word>
Word value_of(std::uint32_t code, int unused_bits, bool is_signed) {
  if (!is_signed) return code;
  return static_cast<Word>(static_cast<std::int32_t>(code << unused_bits) >> unused_bits);
}

std::int64_t up_div(std::int64_t amount, std::int64_t part) { return (amount + part - 1) / part; }

}  // namespace

template <typename Word>
OperandFeeder<Word>::OperandFeeder(const ArrayTask& task, const PeLanes& lanes, PeGrid<Word>& grid,
                                   ArrayCounts& counts)
    : task_(task),
      mode_(task.mode),
      lanes_(lanes),
      grid_(grid),
      counts_(counts),
      input_unused_(kCodeBits - task.input.bits.bits()),
      weight_unused_(kCodeBits - task.weight.bits.bits()),
      positions_(task.window.positions()),
      pad_value_(static_cast<Word>(task.padding_is_real ? task.input_zero_point : 0)) {
  const bool inputs_in_rows = task.array.dataflow != Dataflow::kInputStationary;
  const OperandFormat& streamed = inputs_in_rows ? task.input : task.weight;
  part_bits_ = up_div(streamed.bits.bits(), mode_.cycles);
  parts_ = up_div(streamed.bits.bits(), part_bits_);
  whole_positions_ =
      mode_.reduction == 1 || task.array.reduction_packing == ReductionPacking::kChannels;
}

template <typename Word>
void OperandFeeder<Word>::begin_tile(const ArrayTile& tile) {
  tile_ = tile;
  fed_column_ = -1;
  steps_per_position_ = up_div(tile.channels, mode_.reduction);
  steps_ = whole_positions_ ? positions_ * steps_per_position_
                            : up_div(positions_ * tile.channels, mode_.reduction);
  if (tile.channels != listed_channels_) list_elements();
  switch (task_.array.dataflow) {
    case Dataflow::kOutputStationary: burst_lines_ = steps_per_position_ * mode_.cycles; break;
    case Dataflow::kWeightStationary:
      burst_lines_ = (mode_.pixels == 1 ? tile.out_columns : kStepsPerBurst) * mode_.cycles;
      break;
    case Dataflow::kInputStationary:
      burst_lines_ = std::min(channel_steps(), kWeightsPerBurst) * mode_.cycles;
      break;
    case Dataflow::kDotColumns: break;  // an engine of its own
  }
}

template <typename Word>
void OperandFeeder<Word>::list_elements() {
  listed_channels_ = tile_.channels;
  elements_.assign(static_cast<std::size_t>(steps_ * mode_.reduction), Element{});
  for (std::int64_t position = 0; position < positions_; ++position) {
    for (std::int64_t channel = 0; channel < tile_.channels; ++channel) {
      const std::int64_t slot = whole_positions_
                                    ? position * steps_per_position_ * mode_.reduction + channel
                                    : position * tile_.channels + channel;
      elements_[static_cast<std::size_t>(slot)] = {static_cast<std::int32_t>(position),
                                                   static_cast<std::int32_t>(channel)};
    }
  }
}

template <typename Word>
typename OperandFeeder<Word>::Origin OperandFeeder<Word>::origin_of(std::int64_t pixel) const {
  const WindowShape& window = task_.window;
  const std::int64_t row = tile_.first_row + pixel / tile_.out_columns;
  const std::int64_t column = tile_.first_column + pixel % tile_.out_columns;
  return {row * window.stride_height - window.pad_top - tile_.in_top,
          column * window.stride_width - window.pad_left - tile_.in_left};
}

template <typename Word>
bool OperandFeeder<Word>::is_real(const Origin& origin, std::int64_t position) const {
  const WindowShape& window = task_.window;
  const std::int64_t row = origin.row + position / window.kernel_width * window.dilation_height;
  const std::int64_t column =
      origin.column + position % window.kernel_width * window.dilation_width;
  return row >= 0 && row < tile_.in_rows && column >= 0 && column < tile_.in_columns;
}

template <typename Word>
const std::uint32_t* OperandFeeder<Word>::input_at(const Origin& origin,
                                                   std::int64_t position) const {
  if (!is_real(origin, position)) return nullptr;
  const WindowShape& window = task_.window;
  const std::int64_t row = origin.row + position / window.kernel_width * window.dilation_height;
  const std::int64_t column =
      origin.column + position % window.kernel_width * window.dilation_width;
  return tile_.input + (row * tile_.in_columns + column) * tile_.groups * tile_.channels;
}

template <typename Word>
Word OperandFeeder<Word>::input_value(const std::uint32_t* code) const {
  return value_of<Word>(*code, input_unused_, task_.input.is_signed);
}

template <typename Word>
Word OperandFeeder<Word>::weight_value(const std::uint32_t* code) const {
  return value_of<Word>(*code, weight_unused_, task_.weight.is_signed);
}

template <typename Word>
Word OperandFeeder<Word>::part(Word value, std::int64_t cycle) const {
  // Lower parts are unsigned digits; the last one takes the rest, sign included. A step with more
  // cycles than the operand has bits (both operands serial) feeds zeros then.
  if (cycle >= parts_) return Word{0};
  const auto low_bits = [&](std::int64_t bits) {
    constexpr std::int64_t kWordBits = 8 * static_cast<std::int64_t>(sizeof(Word));
    if (bits >= kWordBits) return value;
    return static_cast<Word>(value & ((Word{1} << static_cast<unsigned>(bits)) - 1));
  };
  const Word below = low_bits(cycle * part_bits_);
  const Word upto = cycle + 1 == parts_ ? value : low_bits((cycle + 1) * part_bits_);
  return static_cast<Word>(upto - below);
}

template <typename Word>
void OperandFeeder<Word>::put(Word* stream, std::int64_t element, Word value) {
  if (mode_.cycles == 1) {
    stream[-element] = value;
    return;
  }
  for (std::int64_t cycle = 0; cycle < mode_.cycles; ++cycle) {
    stream[-(element * mode_.cycles + cycle)] = part(value, cycle);
  }
}

template <typename Word>
void OperandFeeder<Word>::begin_fold(const Fold& fold) {
  fold_ = fold;
  bursts_ = up_div(fold.stream_cycles, burst_lines_);
  phase_ = -1;
  columns_are_fed_ = fold.first_column == fed_column_ && !grid_.take_flipped();
  fed_column_ = fold.first_column;
  if (task_.array.dataflow != Dataflow::kOutputStationary) list_runs();
  const std::int64_t steps = task_.array.dataflow == Dataflow::kOutputStationary
                                 ? steps_
                                 : fold.stream_cycles / mode_.cycles;
  counts_.product_slots += fold.used_rows * fold.used_columns * steps * mode_.macs_per_step();
}

// Runs of channels that the rows of this fold hold, of one group; lanes without an element belong
// to no run.
template <typename Word>
void OperandFeeder<Word>::list_runs() {
  runs_.clear();
  run_elements_ = 0;
  const std::int64_t rows = diagonal() ? steps_ : fold_.used_rows;
  const std::int64_t last = (fold_.first_row + rows) * mode_.reduction;
  for (std::int64_t slot = fold_.first_row * mode_.reduction; slot < last; ++slot) {
    const Element& at = elements_[static_cast<std::size_t>(slot)];
    if (at.position < 0) continue;
    if (runs_.empty() || runs_.back().position != at.position) runs_.push_back({at.position, 0});
    ++runs_.back().channels;
    ++run_elements_;
  }
}

template <typename Word>
std::int64_t OperandFeeder<Word>::channel_steps() const {
  return up_div(tile_.out_channels, mode_.out_channels);
}

template <typename Word>
std::int64_t OperandFeeder<Word>::fold_channels() const {
  if (diagonal()) return tile_.out_channels;
  return std::min(fold_.used_columns * mode_.out_channels,
                  tile_.out_channels - fold_.first_column * mode_.out_channels);
}

// Words of as many channels of each group in one pixel: one run when they are all there.
template <typename Word>
std::int64_t OperandFeeder<Word>::input_words(std::int64_t channels) const {
  if (channels == tile_.channels) return task_.input_words.words(tile_.groups * channels);
  return tile_.groups * task_.input_words.words(channels);
}

// Input words and real products of one pixel for the rows of the fold.
template <typename Word>
void OperandFeeder<Word>::count_pixel(std::int64_t pixel, std::int64_t output_channels) {
  const Origin origin = origin_of(pixel);
  for (const Run& run : runs_) {
    const bool real = is_real(origin, run.position);
    if (real) counts_.input_reads += input_words(run.channels);
    if (real || task_.padding_is_real) {
      counts_.real_products += tile_.groups * run.channels * output_channels;
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::count_row_of_pixels(std::int64_t row) {
  const std::int64_t words = input_words(tile_.channels);
  const std::int64_t first = (fold_.first_row + row) * mode_.pixels;
  const std::int64_t end = std::min(tile_.pixels(), first + mode_.pixels);
  const std::int64_t outputs = tile_.groups * fold_channels();
  for (std::int64_t pixel = first; pixel < end; ++pixel) {
    const Origin origin = origin_of(pixel);
    for (std::int64_t position = 0; position < positions_; ++position) {
      const bool real = is_real(origin, position);
      if (real) counts_.input_reads += words;
      if (real || task_.padding_is_real) counts_.real_products += tile_.channels * outputs;
    }
  }
}

// The runs of all columns are asked for from the first line of the preload on.
template <typename Word>
void OperandFeeder<Word>::count_preload() {
  if (task_.array.dataflow == Dataflow::kWeightStationary) {
    counts_.weight_reads +=
        tile_.groups * fold_channels() * task_.weight_words.words(run_elements_);
    return;
  }
  const std::int64_t first = fold_.first_column * mode_.pixels;
  const std::int64_t end = std::min(tile_.pixels(), first + fold_.used_columns * mode_.pixels);
  for (std::int64_t pixel = first; pixel < end; ++pixel) count_pixel(pixel, tile_.out_channels);
}

template <typename Word>
void OperandFeeder<Word>::preload(std::int64_t line) {
  Word* registers = grid_.shift_stationary();
  const std::int64_t row = task_.array.rows - 1 - line;
  if (line == 0) count_preload();
  if (row >= fold_.used_rows) return;
  if (diagonal()) {
    fill_stationary(registers, row, 0, row / steps_);
    return;
  }
  for (std::int64_t group = 0; group < tile_.groups; ++group) {
    fill_stationary(registers, row, group, group);
  }
}

// Stationary operands of one array row and one group; on the diagonal the columns of other groups
// keep their zeros.
template <typename Word>
void OperandFeeder<Word>::fill_stationary(Word* registers, std::int64_t row,
                                          std::int64_t lane_group, std::int64_t group) {
  const bool weights_stay = task_.array.dataflow == Dataflow::kWeightStationary;
  const std::int64_t along = weights_stay ? tile_.out_channels : tile_.pixels();
  const std::int64_t step = diagonal() ? row % steps_ : fold_.first_row + row;
  const std::int64_t first_column = diagonal() ? group * channel_steps() : 0;
  const std::int64_t columns = diagonal() ? channel_steps() : fold_.used_columns;
  const std::int64_t first_index = diagonal() ? 0 : fold_.first_column * lanes_.column_sets;
  for (std::int64_t set = 0; set < lanes_.column_sets; ++set) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
      const Element& at = element(step, lane);
      if (at.position < 0) continue;
      Word* of_lane = registers + (lanes_.column_lane(lane_group, set) + lane) * grid_.lane_step();
      for (std::int64_t column = 0; column < columns; ++column) {
        const std::int64_t index = first_index + column * lanes_.column_sets + set;
        if (index >= along) break;
        Word& place = of_lane[first_column + column];
        if (weights_stay) {
          place =
              weight_value(weights_of(group, index) + at.position * tile_.channels + at.channel);
        } else {
          const std::uint32_t* run = input_at(origin_of(index), at.position);
          place =
              run == nullptr ? pad_value_ : input_value(run + group * tile_.channels + at.channel);
        }
      }
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed(std::int64_t line) {
  // Rows in which a burst begins: every burst_lines_-th, from the line's phase on.
  if (++phase_ == burst_lines_) phase_ = 0;
  const std::int64_t first = std::max(phase_, line - (bursts_ - 1) * burst_lines_);
  const Dataflow dataflow = task_.array.dataflow;
  for (std::int64_t row = first; row < fold_.used_rows && row <= line; row += burst_lines_) {
    const std::int64_t burst = (line - row) / burst_lines_;
    switch (dataflow) {
      case Dataflow::kOutputStationary: feed_row_of_pixels(row, burst); break;
      case Dataflow::kWeightStationary: feed_row_of_inputs(row, burst); break;
      case Dataflow::kInputStationary: feed_row_of_weights(row, burst); break;
      case Dataflow::kDotColumns: break;
    }
  }
  if (dataflow == Dataflow::kOutputStationary) {
    feed_columns(line);
    return;
  }
  if (line >= fold_.stream_cycles || line % mode_.cycles != 0) return;
  const std::int64_t step = line / mode_.cycles;
  if (dataflow == Dataflow::kWeightStationary) {
    // The fold's rows ask for their runs of a pixel when row 0 begins it.
    const std::int64_t end = std::min(tile_.pixels(), (step + 1) * mode_.pixels);
    for (std::int64_t pixel = step * mode_.pixels; pixel < end; ++pixel) {
      count_pixel(pixel, fold_channels());
    }
    return;
  }
  const std::int64_t channels =
      std::min(mode_.out_channels, tile_.out_channels - step * mode_.out_channels);
  counts_.weight_reads += tile_.groups * channels * task_.weight_words.words(run_elements_);
}

// A whole window position of one pixel, all lanes, steps side by side.
template <typename Word>
void OperandFeeder<Word>::feed_tap(const RowPlace& to, const std::uint32_t* run,
                                   std::int64_t first_step) {
  if (run != nullptr) run += to.group * tile_.channels;
  for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
    Word* stream = grid_.row_stream(to.lane + lane, to.row);
    const std::int64_t filled = up_div(tile_.channels - lane, mode_.reduction);
    if (mode_.cycles == 1 && mode_.reduction == 1 && run != nullptr) {
      Word* newest = stream - first_step - (filled - 1);
      const int unused = input_unused_;
      const bool is_signed = task_.input.is_signed;
      for (std::int64_t at = 0; at < filled; ++at) {
        newest[at] = value_of<Word>(run[filled - 1 - at], unused, is_signed);
      }
      continue;
    }
    for (std::int64_t at = 0; at < filled; ++at) {
      put(stream, first_step + at,
          run == nullptr ? pad_value_ : input_value(run + at * mode_.reduction + lane));
    }
    for (std::int64_t at = filled; at < steps_per_position_; ++at) {
      put(stream, first_step + at, Word{0});
    }
  }
}

// The pixels of a row, each for all groups; sets without a pixel keep what they hold, since nobody
// looks at their sums.
template <typename Word>
void OperandFeeder<Word>::feed_row_of_pixels(std::int64_t row, std::int64_t burst) {
  if (burst == 0) count_row_of_pixels(row);
  const std::int64_t first = (fold_.first_row + row) * mode_.pixels;
  for (std::int64_t group = 0; group < tile_.groups; ++group) {
    for (std::int64_t set = 0; set < mode_.pixels && first + set < tile_.pixels(); ++set) {
      feed_pixel({row, lanes_.row_lane(group, set), group}, first + set, burst);
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_pixel(const RowPlace& to, std::int64_t pixel, std::int64_t burst) {
  const std::int64_t first_step = burst * steps_per_position_;
  const Origin origin = origin_of(pixel);
  if (whole_positions_) {
    feed_tap(to, input_at(origin, burst), first_step);
    return;
  }
  const std::int64_t end_step = std::min(steps_, first_step + steps_per_position_);
  for (std::int64_t step = first_step; step < end_step; ++step) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
      const Element& at = element(step, lane);
      Word value = 0;
      if (at.position >= 0) {
        const std::uint32_t* run = input_at(origin, at.position);
        value =
            run == nullptr ? pad_value_ : input_value(run + to.group * tile_.channels + at.channel);
      }
      put(grid_.row_stream(to.lane + lane, to.row), step, value);
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_columns(std::int64_t line) {
  if (line < fold_.used_columns) {  // column number `line` asks for its runs
    const std::int64_t first = (fold_.first_column + line) * mode_.out_channels;
    const std::int64_t channels = std::min(mode_.out_channels, tile_.out_channels - first);
    counts_.weight_reads +=
        tile_.groups * channels * task_.weight_words.words(positions_ * tile_.channels);
  }
  if (columns_are_fed_) return;
  const std::int64_t lines = kStepsPerBurst * mode_.cycles;
  const std::int64_t bursts = up_div(fold_.stream_cycles, lines);
  for (std::int64_t column = std::max(line % lines, line - (bursts - 1) * lines);
       column < fold_.used_columns && column <= line; column += lines) {
    feed_column_of_weights(column, (line - column) / lines);
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_column_of_weights(std::int64_t column, std::int64_t burst) {
  const std::int64_t first = (fold_.first_column + column) * mode_.out_channels;
  for (std::int64_t group = 0; group < tile_.groups; ++group) {
    for (std::int64_t set = 0; set < mode_.out_channels; ++set) {
      if (first + set >= tile_.out_channels) break;
      feed_weights(lanes_.column_lane(group, set), column, weights_of(group, first + set), burst);
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_weights(std::int64_t first_lane, std::int64_t column,
                                       const std::uint32_t* weights, std::int64_t burst) {
  const std::int64_t first_step = burst * kStepsPerBurst;
  const std::int64_t end_step = std::min(steps_, first_step + kStepsPerBurst);
  const std::int64_t next = grid_.column_step();
  if (mode_.cycles == 1 && mode_.reduction == 1) {  // one weight per line, side by side
    Word* stream = grid_.column_stream(first_lane, column) + first_step * next;
    const int unused = weight_unused_;
    const bool is_signed = task_.weight.is_signed;
    for (std::int64_t step = first_step; step < end_step; ++step, stream += next) {
      *stream = value_of<Word>(weights[step], unused, is_signed);
    }
    return;
  }
  for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
    Word* stream =
        grid_.column_stream(first_lane + lane, column) + first_step * mode_.cycles * next;
    for (std::int64_t step = first_step; step < end_step; ++step) {
      const Element& at = element(step, lane);
      const Word value = at.position < 0
                             ? Word{0}
                             : weight_value(weights + at.position * tile_.channels + at.channel);
      for (std::int64_t cycle = 0; cycle < mode_.cycles; ++cycle, stream += next) *stream = value;
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_row_of_inputs(std::int64_t row, std::int64_t burst) {
  if (diagonal()) {
    feed_inputs({row, 0, row / steps_}, row % steps_, burst);
    return;
  }
  for (std::int64_t group = 0; group < tile_.groups; ++group) {
    feed_inputs({row, lanes_.row_lane(group, 0), group}, fold_.first_row + row, burst);
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_inputs(const RowPlace& to, std::int64_t reduction_step,
                                      std::int64_t burst) {
  for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
    const Element& at = element(reduction_step, lane);
    if (mode_.pixels == 1) {
      feed_row_of_map(grid_.row_stream(to.lane + lane, to.row), to.group, at, burst);
      continue;
    }
    for (std::int64_t set = 0; set < mode_.pixels; ++set) {
      feed_pixel_steps(grid_.row_stream(to.lane + set * mode_.reduction + lane, to.row), to.group,
                       at, burst, set);
    }
  }
}

// One element of the reduction of every kP-th pixel, kStepsPerBurst of them.
template <typename Word>
void OperandFeeder<Word>::feed_pixel_steps(Word* stream, std::int64_t group, const Element& at,
                                           std::int64_t burst, std::int64_t set) {
  const std::int64_t end =
      std::min(up_div(tile_.pixels(), mode_.pixels), (burst + 1) * kStepsPerBurst);
  for (std::int64_t step = burst * kStepsPerBurst; step < end; ++step) {
    const std::int64_t pixel = step * mode_.pixels + set;
    if (pixel >= tile_.pixels()) return;
    Word value = 0;
    if (at.position >= 0) {
      const std::uint32_t* run = input_at(origin_of(pixel), at.position);
      value = run == nullptr ? pad_value_ : input_value(run + group * tile_.channels + at.channel);
    }
    put(stream, step, value);
  }
}

// One element of the reduction along a row of output pixels.
template <typename Word>
void OperandFeeder<Word>::feed_row_of_map(Word* stream, std::int64_t group, const Element& at,
                                          std::int64_t burst) {
  const WindowShape& window = task_.window;
  const std::int64_t first_pixel = burst * tile_.out_columns;
  const Origin origin = origin_of(first_pixel);
  const std::int64_t position = at.position;
  const std::int64_t in_row = origin.row + position / window.kernel_width * window.dilation_height;
  const std::int64_t in_column =
      origin.column + position % window.kernel_width * window.dilation_width;
  const bool inside = position >= 0 && in_row >= 0 && in_row < tile_.in_rows;
  const std::int64_t pitch = tile_.groups * tile_.channels;
  const std::int64_t first =
      in_row * tile_.in_columns * pitch + group * tile_.channels + at.channel;
  for (std::int64_t pixel = 0; pixel < tile_.out_columns; ++pixel) {
    const std::int64_t column = in_column + pixel * window.stride_width;
    Word value = position < 0 ? Word{0} : pad_value_;
    if (inside && column >= 0 && column < tile_.in_columns) {
      value = input_value(tile_.input + first + column * pitch);
    }
    put(stream, first_pixel + pixel, value);
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_row_of_weights(std::int64_t row, std::int64_t burst) {
  const std::int64_t per_burst = burst_lines_ / mode_.cycles;
  const std::int64_t first = burst * per_burst;
  const std::int64_t end = std::min(channel_steps(), first + per_burst);
  for (std::int64_t group = 0; group < tile_.groups; ++group) {
    for (std::int64_t set = 0; set < mode_.out_channels; ++set) {
      for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
        Word* stream = grid_.row_stream(lanes_.row_lane(group, set) + lane, row);
        const Element& at = element(fold_.first_row + row, lane);
        for (std::int64_t step = first; step < end; ++step) {
          const std::int64_t channel = step * mode_.out_channels + set;
          if (channel >= tile_.out_channels) break;
          put(stream, step,
              at.position < 0 ? Word{0}
                              : weight_value(weights_of(group, channel) +
                                             at.position * tile_.channels + at.channel));
        }
      }
    }
  }
}

template class OperandFeeder<std::uint32_t>;
template class OperandFeeder<std::uint64_t>;

}  // namespace vernier::arch
