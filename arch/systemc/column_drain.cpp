#include "arch/systemc/column_drain.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace vernier::arch {

template <typename Word>
ColumnDrain<Word>::ColumnDrain(const ArrayTask& task, PeGrid<Word>& grid, ArrayCounts& counts)
    : task_(task),
      grid_(grid),
      counts_(counts),
      most_(task.accumulator_bits >= 64 ? std::numeric_limits<std::int64_t>::max()
                                        : (std::int64_t{1} << (task.accumulator_bits - 1)) - 1),
      accumulators_(static_cast<std::size_t>(task.array.columns)),
      values_(static_cast<std::size_t>(task.array.columns)),
      valid_(static_cast<std::size_t>(task.array.columns)) {}

template <typename Word>
void ColumnDrain<Word>::begin_fold(const Fold& fold) {
  fold_ = fold;
  std::fill(accumulators_.begin(), accumulators_.end(), 0);
}

template <typename Word>
void ColumnDrain<Word>::drain(std::int64_t line) {
  if (keeps_values_) std::fill(valid_.begin(), valid_.end(), std::uint8_t{0});
  if (task_.array.dataflow == Dataflow::kOutputStationary) {
    drain_buses(line);
  } else {
    drain_bottom(line);
  }
}

// One run of outputs of a pixel passes the buffer's ports, back and forth for partial sums.
template <typename Word>
void ColumnDrain<Word>::count_run(std::int64_t elements) {
  const WordLayout& layout = fold_.finishes ? task_.output_words : task_.partial_words;
  counts_.output_writes += layout.words(elements);
  if (fold_.reads_sums) counts_.output_reads += task_.partial_words.words(elements);
}

template <typename Word>
std::int64_t ColumnDrain<Word>::finish(std::int64_t pixel, std::int64_t channel, std::int64_t sum) {
  sum += tile_.bias[channel];
  if (task_.weight_is_shifted) {
    const std::int64_t row = tile_.first_row + pixel / tile_.out_columns;
    const std::int64_t column = tile_.first_column + pixel % tile_.out_columns;
    sum -= task_.weight_zero_point * tile_.zero_point_sums[row * tile_.map_columns + column];
  }
  tile_.exact[pixel * tile_.out_channels + channel] = sum;
  ++counts_.finished_outputs;
  return requantize(sum, task_.requant_shift, task_.output_words.element_bits);
}

template <typename Word>
void ColumnDrain<Word>::deliver(std::int64_t column, std::int64_t pixel, std::int64_t channel,
                                std::int64_t sum) {
  std::int64_t& place = tile_.output[pixel * tile_.out_channels + channel];
  if (fold_.reads_sums) {
    sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                    static_cast<std::uint64_t>(place));
  }
  if (sum > most_ || sum < -most_ - 1) ++counts_.overflows;
  place = fold_.finishes ? finish(pixel, channel, sum) : sum;
  if (keeps_values_) {
    values_[static_cast<std::size_t>(column)] = sum;
    valid_[static_cast<std::size_t>(column)] = 1;
  }
}

// PE (x, y) puts its sum on the bus of column y in the line of its last product: rows ascending.
template <typename Word>
void ColumnDrain<Word>::drain_buses(std::int64_t line) {
  const std::int64_t newest = line - (fold_.stream_cycles - 1);  // row that is done in column 0
  const std::int64_t first = std::max<std::int64_t>(0, newest - (fold_.used_rows - 1));
  const std::int64_t end = std::min(fold_.used_columns, newest + 1);
  if (first == 0 && end > 0) count_run(fold_.used_columns);
  for (std::int64_t column = first; column < end; ++column) {
    const std::int64_t row = newest - column;
    deliver(column, fold_.first_row + row, fold_.first_column + column,
            grid_.take_sum(row, column));
  }
}

template <typename Word>
void ColumnDrain<Word>::drain_bottom(std::int64_t line) {
  const Word* bottom = grid_.bottom_sums(line);
  const bool weights_stay = task_.array.dataflow == Dataflow::kWeightStationary;
  const std::int64_t cycles = task_.mode.cycles;
  const std::int64_t newest = line - (task_.array.rows - 1);  // element that leaves column 0
  const std::int64_t first = std::max<std::int64_t>(0, newest - (fold_.stream_cycles - 1));
  const std::int64_t end = std::min(fold_.used_columns, newest + 1);
  for (std::int64_t column = first; column < end; ++column) {
    std::int64_t step = newest - column;
    auto sum = static_cast<std::int64_t>(static_cast<std::make_signed_t<Word>>(bottom[column]));
    if (cycles > 1) {
      std::int64_t& accumulator = accumulators_[static_cast<std::size_t>(column)];
      accumulator += sum;
      if (step % cycles != cycles - 1) continue;
      step /= cycles;
      sum = accumulator;
      accumulator = 0;
    }
    if (weights_stay) {
      if (column == 0) count_run(fold_.used_columns);
      deliver(column, step, fold_.first_column + column, sum);
    } else {
      if (step == 0) count_run(tile_.out_channels);
      deliver(column, fold_.first_column + column, step, sum);
    }
  }
}

template class ColumnDrain<std::uint32_t>;
template class ColumnDrain<std::uint64_t>;

}  // namespace vernier::arch
