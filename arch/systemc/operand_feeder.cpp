#include "arch/systemc/operand_feeder.hpp"

#include <algorithm>

namespace vernier::arch {
namespace {

constexpr std::int64_t kStepsPerBurst = 16;    // of a column of weights (os)
constexpr std::int64_t kWeightsPerBurst = 32;  // output channels (is)

}  // namespace

template <typename Word>
OperandFeeder<Word>::OperandFeeder(const ArrayTask& task, const PeLanes& lanes, PeGrid<Word>& grid,
                                   ArrayCounts& counts)
    : task_(task),
      mode_(task.mode),
      lanes_(lanes),
      grid_(grid),
      counts_(counts),
      operands_(task, task.mode.reduction) {}

template <typename Word>
void OperandFeeder<Word>::begin_tile(const ArrayTile& tile) {
  tile_ = tile;
  fed_column_ = -1;
  operands_.begin_tile(tile);
  switch (task_.array.dataflow) {
    case Dataflow::kOutputStationary:
      burst_lines_ = operands_.steps_per_position() * mode_.cycles;
      break;
    case Dataflow::kWeightStationary:
      burst_lines_ = (mode_.pixels == 1 ? tile.out_columns : kStepsPerBurst) * mode_.cycles;
      break;
    case Dataflow::kInputStationary:
      burst_lines_ = std::min(operands_.channel_steps(), kWeightsPerBurst) * mode_.cycles;
      break;
    case Dataflow::kDotColumns: break;  // an engine of its own
  }
}

template <typename Word>
void OperandFeeder<Word>::put(Word* stream, std::int64_t element, Word value) {
  if (mode_.cycles == 1) {
    stream[-element] = value;
    return;
  }
  for (std::int64_t cycle = 0; cycle < mode_.cycles; ++cycle) {
    stream[-(element * mode_.cycles + cycle)] = operands_.part(value, cycle);
  }
}

template <typename Word>
void OperandFeeder<Word>::begin_fold(const Fold& fold) {
  fold_ = fold;
  bursts_ = up_div(fold.stream_cycles, burst_lines_);
  phase_ = -1;
  columns_are_fed_ = fold.first_column == fed_column_ && !grid_.take_flipped();
  fed_column_ = fold.first_column;
  const bool sums_stay = task_.array.dataflow == Dataflow::kOutputStationary;
  if (!sums_stay) {  // all rows of the fold, of one group
    const std::int64_t rows = diagonal() ? operands_.steps() : fold.used_rows;
    run_elements_ =
        operands_.list_runs(fold.first_row * mode_.reduction, rows * mode_.reduction, runs_);
  }
  const std::int64_t steps = sums_stay ? operands_.steps() : fold.stream_cycles / mode_.cycles;
  counts_.product_slots += fold.used_rows * fold.used_columns * steps * mode_.macs_per_step();
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
  const Origin origin = operands_.origin_of(pixel);
  for (const Run& run : runs_) {
    const bool real = operands_.is_real(origin, run.position);
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
    const Origin origin = operands_.origin_of(pixel);
    for (std::int64_t position = 0; position < operands_.positions(); ++position) {
      const bool real = operands_.is_real(origin, position);
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
    fill_stationary(registers, row, 0, row / operands_.steps());
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
  const std::int64_t step = diagonal() ? row % operands_.steps() : fold_.first_row + row;
  const std::int64_t first_column = diagonal() ? group * operands_.channel_steps() : 0;
  const std::int64_t columns = diagonal() ? operands_.channel_steps() : fold_.used_columns;
  const std::int64_t first_index = diagonal() ? 0 : fold_.first_column * lanes_.column_sets;
  for (std::int64_t set = 0; set < lanes_.column_sets; ++set) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
      const Element& at = operands_.element(step, lane);
      if (at.position < 0) continue;
      Word* of_lane = registers + (lanes_.column_lane(lane_group, set) + lane) * grid_.lane_step();
      for (std::int64_t column = 0; column < columns; ++column) {
        const std::int64_t index = first_index + column * lanes_.column_sets + set;
        if (index >= along) break;
        of_lane[first_column + column] =
            weights_stay ? operands_.weight_value(operands_.weights_of(group, index), at)
                         : operands_.input_value(operands_.origin_of(index), group, at);
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
  const auto decode = operands_.input_decoder();
  for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
    Word* stream = grid_.row_stream(to.lane + lane, to.row);
    const std::int64_t filled = up_div(tile_.channels - lane, mode_.reduction);
    if (mode_.cycles == 1 && mode_.reduction == 1 && run != nullptr) {
      Word* newest = stream - first_step - (filled - 1);
      for (std::int64_t at = 0; at < filled; ++at) newest[at] = decode(run[filled - 1 - at]);
      continue;
    }
    for (std::int64_t at = 0; at < filled; ++at) {
      put(stream, first_step + at,
          run == nullptr ? operands_.pad_value() : decode(run[at * mode_.reduction + lane]));
    }
    for (std::int64_t at = filled; at < operands_.steps_per_position(); ++at) {
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
  const std::int64_t first_step = burst * operands_.steps_per_position();
  const Origin origin = operands_.origin_of(pixel);
  if (operands_.whole_positions()) {
    feed_tap(to, operands_.input_at(origin, burst), first_step);
    return;
  }
  const std::int64_t end_step =
      std::min(operands_.steps(), first_step + operands_.steps_per_position());
  for (std::int64_t step = first_step; step < end_step; ++step) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
      put(grid_.row_stream(to.lane + lane, to.row), step,
          operands_.input_value(origin, to.group, operands_.element(step, lane)));
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_columns(std::int64_t line) {
  if (line < fold_.used_columns) {  // column number `line` asks for its runs
    const std::int64_t first = (fold_.first_column + line) * mode_.out_channels;
    const std::int64_t channels = std::min(mode_.out_channels, tile_.out_channels - first);
    counts_.weight_reads +=
        tile_.groups * channels * task_.weight_words.words(operands_.positions() * tile_.channels);
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
      feed_weights(lanes_.column_lane(group, set), column, operands_.weights_of(group, first + set),
                   burst);
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_weights(std::int64_t first_lane, std::int64_t column,
                                       const std::uint32_t* weights, std::int64_t burst) {
  const std::int64_t first_step = burst * kStepsPerBurst;
  const std::int64_t end_step = std::min(operands_.steps(), first_step + kStepsPerBurst);
  const std::int64_t next = grid_.column_step();
  if (mode_.cycles == 1 && mode_.reduction == 1) {  // one weight per line, side by side
    Word* stream = grid_.column_stream(first_lane, column) + first_step * next;
    const auto decode = operands_.weight_decoder();
    for (std::int64_t step = first_step; step < end_step; ++step, stream += next) {
      *stream = decode(weights[step]);
    }
    return;
  }
  for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
    Word* stream =
        grid_.column_stream(first_lane + lane, column) + first_step * mode_.cycles * next;
    for (std::int64_t step = first_step; step < end_step; ++step) {
      const Word value = operands_.weight_value(weights, operands_.element(step, lane));
      for (std::int64_t cycle = 0; cycle < mode_.cycles; ++cycle, stream += next) *stream = value;
    }
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_row_of_inputs(std::int64_t row, std::int64_t burst) {
  if (diagonal()) {
    feed_inputs({row, 0, row / operands_.steps()}, row % operands_.steps(), burst);
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
    const Element& at = operands_.element(reduction_step, lane);
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
  const std::int64_t end = std::min(operands_.pixel_steps(), (burst + 1) * kStepsPerBurst);
  for (std::int64_t step = burst * kStepsPerBurst; step < end; ++step) {
    const std::int64_t pixel = step * mode_.pixels + set;
    if (pixel >= tile_.pixels()) return;
    put(stream, step, operands_.input_value(operands_.origin_of(pixel), group, at));
  }
}

// One element of the reduction along a row of output pixels.
template <typename Word>
void OperandFeeder<Word>::feed_row_of_map(Word* stream, std::int64_t group, const Element& at,
                                          std::int64_t burst) {
  const auto decode = operands_.input_decoder();
  const std::int64_t first_pixel = burst * tile_.out_columns;
  const Origin place = operands_.place_of(operands_.origin_of(first_pixel), at.position);
  const bool inside = at.position >= 0 && place.row >= 0 && place.row < tile_.in_rows;
  const std::int64_t pitch = tile_.groups * tile_.channels;
  const std::int64_t first =
      place.row * tile_.in_columns * pitch + group * tile_.channels + at.channel;
  for (std::int64_t pixel = 0; pixel < tile_.out_columns; ++pixel) {
    const std::int64_t column = place.column + pixel * task_.window.stride_width;
    Word value = at.position < 0 ? Word{0} : operands_.pad_value();
    if (inside && column >= 0 && column < tile_.in_columns) {
      value = decode(tile_.input[first + column * pitch]);
    }
    put(stream, first_pixel + pixel, value);
  }
}

template <typename Word>
void OperandFeeder<Word>::feed_row_of_weights(std::int64_t row, std::int64_t burst) {
  const std::int64_t per_burst = burst_lines_ / mode_.cycles;
  const std::int64_t first = burst * per_burst;
  const std::int64_t end = std::min(operands_.channel_steps(), first + per_burst);
  for (std::int64_t group = 0; group < tile_.groups; ++group) {
    for (std::int64_t set = 0; set < mode_.out_channels; ++set) {
      for (std::int64_t lane = 0; lane < mode_.reduction; ++lane) {
        Word* stream = grid_.row_stream(lanes_.row_lane(group, set) + lane, row);
        const Element& at = operands_.element(fold_.first_row + row, lane);
        for (std::int64_t step = first; step < end; ++step) {
          const std::int64_t channel = step * mode_.out_channels + set;
          if (channel >= tile_.out_channels) break;
          put(stream, step, operands_.weight_value(operands_.weights_of(group, channel), at));
        }
      }
    }
  }
}

template class OperandFeeder<std::uint32_t>;
template class OperandFeeder<std::uint64_t>;

}  // namespace vernier::arch
