#include "arch/systemc/operand_source.hpp"

#include <algorithm>

namespace vernier::arch {

template <typename Word>
OperandSource<Word>::OperandSource(const ArrayTask& task, const OperandSets& sets,
                                   ArrayCounts& counts)
    : task_(task),
      mode_(task.mode),
      sets_(sets),
      counts_(counts),
      dataflow_(task.array.dataflow),
      operands_(task,
                task.mode.reduction * (dataflow_ == Dataflow::kDotColumns ? task.array.rows : 1)),
      bank_elements_(static_cast<std::size_t>(task.array.rows)) {}

template <typename Word>
void OperandSource<Word>::begin_tile(const ArrayTile& tile) {
  tile_ = tile;
  const bool has_new_steps = operands_.begin_tile(tile);
  origins_.clear();
  origins_.reserve(static_cast<std::size_t>(tile.pixels()));
  for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
    origins_.push_back(operands_.origin_of(pixel));
  }
  if (!has_new_steps || dataflow_ != Dataflow::kDotColumns) return;
  const std::int64_t lanes = mode_.reduction * task_.array.rows;
  step_runs_.resize(static_cast<std::size_t>(operands_.steps()));
  for (std::size_t step = 0; step < step_runs_.size(); ++step) {
    operands_.list_runs(static_cast<std::int64_t>(step) * lanes, lanes, step_runs_[step]);
  }
}

template <typename Word>
std::int64_t OperandSource<Word>::fold_channels(const Fold& fold) const {
  return std::min(fold.used_columns * mode_.out_channels,
                  tile_.out_channels - fold.first_column * mode_.out_channels);
}

template <typename Word>
std::int64_t OperandSource<Word>::dot_rows() const {
  std::int64_t rows = 0;
  const std::int64_t lanes = mode_.reduction * task_.array.rows;
  for (std::int64_t lane = 0; lane < lanes; ++lane) {  // step 0 is the fullest one
    if (operands_.element(0, lane).position >= 0) rows = lane / mode_.reduction + 1;
  }
  return rows;
}

template <typename Word>
Word OperandSource<Word>::input_value(std::int64_t pixel, const Element& at) const {
  if (pixel >= tile_.pixels()) return 0;
  return operands_.input_value(origins_[static_cast<std::size_t>(pixel)], 0, at);
}

template <typename Word>
Word OperandSource<Word>::weight_value(std::int64_t channel, const Element& at) const {
  if (channel >= tile_.out_channels) return 0;
  return operands_.weight_value(operands_.weights_of(0, channel), at);
}

template <typename Word>
void OperandSource<Word>::begin_fold(const Fold& fold) {
  counts_.product_slots += fold.used_rows * fold.used_columns *
                           (fold.stream_cycles / mode_.cycles) * mode_.macs_per_step();
  if (task_.array.preloads()) {
    fold_elements_ = operands_.list_runs(fold.first_row * mode_.reduction,
                                         fold.used_rows * mode_.reduction, fold_runs_);
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
          value = input_value((fold.first_row + row) * mode_.pixels + set,
                              operands_.element(step, lane));
          break;
        case Dataflow::kWeightStationary:
          value =
              input_value(step * mode_.pixels + set, operands_.element(fold.first_row + row, lane));
          break;
        case Dataflow::kInputStationary:
          value = weight_value(step * mode_.out_channels + set,
                               operands_.element(fold.first_row + row, lane));
          break;
        case Dataflow::kDotColumns:
          value = input_value(
              step / operands_.steps() * mode_.pixels + set,
              operands_.element(step % operands_.steps(), row * mode_.reduction + lane));
          break;
      }
      *lanes = mode_.cycles == 1 ? value : operands_.part(value, cycle);
    }
  }
}

template <typename Word>
void OperandSource<Word>::read_column(const Fold& fold, std::int64_t column, std::int64_t at,
                                      Word* lanes) {
  const std::int64_t first = (fold.first_column + column) * mode_.out_channels;
  if (at == 0) {
    counts_.weight_reads += std::min(mode_.out_channels, tile_.out_channels - first) *
                            task_.weight_words.words(operands_.positions() * tile_.channels);
  }
  for (std::int64_t set = 0; set < sets_.column_sets; ++set) {
    for (std::int64_t lane = 0; lane < mode_.reduction; ++lane, ++lanes) {
      *lanes = weight_value(first + set, operands_.element(at / mode_.cycles, lane));
    }
  }
}

template <typename Word>
void OperandSource<Word>::count_run(const Run& run, std::int64_t pixel,
                                    std::int64_t output_channels) {
  const bool real = operands_.is_real(origins_[static_cast<std::size_t>(pixel)], run.position);
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
      for (std::int64_t position = 0; step == 0 && position < operands_.positions(); ++position) {
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
          task_.weight_words.words(fold_elements_);
      break;
    case Dataflow::kDotColumns:
      count_bank_words(fold, row, step % operands_.steps());
      if (row > 0) break;
      for (const Run& run : step_runs_[static_cast<std::size_t>(step % operands_.steps())]) {
        count_pixels(run, step / operands_.steps(), fold_channels(fold));
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
    if (operands_.element(step, row * mode_.reduction + lane).position >= 0) ++elements;
  }
  counts_.weight_reads += (task_.weight_words.words(elements) - before) * fold_channels(fold);
}

template <typename Word>
void OperandSource<Word>::begin_preload(const Fold& fold) {
  std::vector<Run> runs;
  const std::int64_t elements =
      operands_.list_runs(fold.first_row * mode_.reduction, fold.used_rows * mode_.reduction, runs);
  if (dataflow_ == Dataflow::kWeightStationary) {
    counts_.weight_reads += fold_channels(fold) * task_.weight_words.words(elements);
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
      const Element& at = operands_.element(fold.first_row + row, lane);
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
  const std::int64_t phases = operands_.steps() * cycles;
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
                                    operands_.element(behind / cycles, slot));
          behind = behind == 0 ? phases - 1 : behind - 1;
        }
      }
    }
  }
}

template class OperandSource<std::uint32_t>;
template class OperandSource<std::uint64_t>;

}  // namespace vernier::arch
