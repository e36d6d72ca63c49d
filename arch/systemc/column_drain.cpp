#include "arch/systemc/column_drain.hpp"

#include <algorithm>
#include <type_traits>

namespace vernier::arch {

template <typename Word>
ColumnDrain<Word>::ColumnDrain(const ArrayTask& task, const PeLanes& lanes, PeGrid<Word>& grid,
                               ArrayCounts& counts)
    : task_(task),
      lanes_(lanes),
      grid_(grid),
      port_(task, true, counts),
      accumulators_(static_cast<std::size_t>(task.array.columns * lanes.sums())),
      sums_(static_cast<std::size_t>(lanes.sums())),
      bottom_(static_cast<std::size_t>(lanes.sums())),
      values_(static_cast<std::size_t>(task.array.columns)),
      valid_(static_cast<std::size_t>(task.array.columns)) {}

template <typename Word>
void ColumnDrain<Word>::drain(std::int64_t line) {
  if (keeps_values_) std::fill(valid_.begin(), valid_.end(), std::uint8_t{0});
  if (task_.array.dataflow == Dataflow::kOutputStationary) {
    drain_buses(line);
  } else {
    drain_bottom(line);
  }
}

// Output channels of each group that the columns of the fold hold.
template <typename Word>
std::int64_t ColumnDrain<Word>::fold_channels() const {
  if (task_.groups_on_diagonal && tile().groups > 1) return tile().out_channels;
  return std::min(fold_.used_columns * task_.mode.out_channels,
                  tile().out_channels - fold_.first_column * task_.mode.out_channels);
}

template <typename Word>
void ColumnDrain<Word>::count_pixels(std::int64_t pixel_step, std::int64_t channels) {
  const std::int64_t first = pixel_step * task_.mode.pixels;
  const std::int64_t end = std::min(tile().pixels(), first + task_.mode.pixels);
  for (std::int64_t pixel = first; pixel < end; ++pixel) port_.count_pixel(fold_, channels);
}

template <typename Word>
void ColumnDrain<Word>::deliver(std::int64_t column, std::int64_t pixel, std::int64_t output,
                                std::int64_t sum) {
  sum = port_.deliver(fold_, pixel, output, sum);
  if (keeps_values_) {
    values_[static_cast<std::size_t>(column)] = sum;
    valid_[static_cast<std::size_t>(column)] = 1;
  }
}

// All sums of one PE: of pixels and output channels side by side. `step` is what streams by in ws
// and is, the row in os.
template <typename Word>
void ColumnDrain<Word>::drain_pe(std::int64_t column, std::int64_t step, const std::int64_t* sums) {
  const bool inputs_stay = task_.array.dataflow == Dataflow::kInputStationary;
  const bool diagonal = task_.groups_on_diagonal && tile().groups > 1;
  const std::int64_t across = fold_.first_column + column;
  if (lanes_.sums() == 1 && !diagonal) {  // the usual unit
    deliver(column, inputs_stay ? across : step, inputs_stay ? step : across, *sums);
    return;
  }
  const std::int64_t steps_of_group =
      (tile().out_channels + task_.mode.out_channels - 1) / task_.mode.out_channels;
  const std::int64_t groups = diagonal ? 1 : tile().groups;
  for (std::int64_t lane = 0; lane < groups; ++lane) {
    const std::int64_t group = diagonal ? across / steps_of_group : lane;
    for (std::int64_t row_set = 0; row_set < lanes_.row_sets; ++row_set) {
      for (std::int64_t set = 0; set < lanes_.column_sets; ++set) {
        const std::int64_t along = step * lanes_.row_sets + row_set;
        const std::int64_t beside =
            (diagonal ? across % steps_of_group : across) * lanes_.column_sets + set;
        const std::int64_t pixel = inputs_stay ? beside : along;
        const std::int64_t channel = inputs_stay ? along : beside;
        if (pixel >= tile().pixels() || channel >= tile().out_channels) continue;
        deliver(column, pixel, group * tile().out_channels + channel,
                sums[lanes_.sum(lane, row_set, set)]);
      }
    }
  }
}

// PE (x, y) puts its sums on the bus of column y in the line of its last product: rows ascending.
template <typename Word>
void ColumnDrain<Word>::drain_buses(std::int64_t line) {
  const std::int64_t newest = line - (fold_.stream_cycles - 1);  // row that is done in column 0
  const std::int64_t first = std::max<std::int64_t>(0, newest - (fold_.used_rows - 1));
  const std::int64_t end = std::min(fold_.used_columns, newest + 1);
  if (first == 0 && end > 0) count_pixels(fold_.first_row + newest, fold_channels());
  for (std::int64_t column = first; column < end; ++column) {
    const std::int64_t row = newest - column;
    for (std::int64_t sum = 0; sum < lanes_.sums(); ++sum) {
      sums_[static_cast<std::size_t>(sum)] = grid_.take_sum(row, column, sum);
    }
    drain_pe(column, fold_.first_row + row, sums_.data());
  }
}

template <typename Word>
void ColumnDrain<Word>::drain_bottom(std::int64_t line) {
  const bool weights_stay = task_.array.dataflow == Dataflow::kWeightStationary;
  const std::int64_t cycles = task_.mode.cycles;
  const std::int64_t newest = line - (task_.array.rows - 1);  // element that leaves column 0
  const std::int64_t first = std::max<std::int64_t>(0, newest - (fold_.stream_cycles - 1));
  const std::int64_t end = std::min(fold_.used_columns, newest + 1);
  if (first >= end) return;
  for (std::int64_t sum = 0; sum < lanes_.sums(); ++sum) {
    bottom_[static_cast<std::size_t>(sum)] = grid_.bottom_sums(line, sum);
  }
  for (std::int64_t column = first; column < end; ++column) {
    std::int64_t step = newest - column;
    std::int64_t* sums = accumulators_.data() + column * lanes_.sums();
    for (std::int64_t sum = 0; sum < lanes_.sums(); ++sum) {
      const auto value = static_cast<std::int64_t>(
          static_cast<std::make_signed_t<Word>>(bottom_[static_cast<std::size_t>(sum)][column]));
      sums[sum] = cycles == 1 || step % cycles == 0 ? value : sums[sum] + value;
    }
    if (cycles > 1) {
      if (step % cycles != cycles - 1) continue;
      step /= cycles;
    }
    if (weights_stay) {
      if (column == 0) count_pixels(step, fold_channels());
    } else if (step == 0) {
      count_pixels(fold_.first_column + column, tile().out_channels);
    }
    drain_pe(column, step, sums);
  }
}

template class ColumnDrain<std::uint32_t>;
template class ColumnDrain<std::uint64_t>;

}  // namespace vernier::arch
