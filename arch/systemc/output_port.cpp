#include "arch/systemc/output_port.hpp"

#include <limits>

namespace vernier::arch {

OutputPort::OutputPort(const ArrayTask& task, bool reads_sums, ArrayCounts& counts)
    : task_(task),
      reads_sums_(reads_sums),
      counts_(counts),
      most_(task.accumulator_bits >= 64 ? std::numeric_limits<std::int64_t>::max()
                                        : (std::int64_t{1} << (task.accumulator_bits - 1)) - 1) {}

void OutputPort::count_pixel(const Fold& fold, std::int64_t channels) {
  const WordLayout& layout = fold.finishes ? task_.output_words : task_.partial_words;
  const bool joined = channels == tile_.out_channels;
  const std::int64_t run = joined ? tile_.groups * channels : channels;
  const std::int64_t runs = joined ? 1 : tile_.groups;
  counts_.output_writes += runs * layout.words(run);
  if (fold.reads_sums && reads_sums_) {
    counts_.output_reads += runs * task_.partial_words.words(run);
  }
}

std::int64_t OutputPort::finish(std::int64_t pixel, std::int64_t output, std::int64_t sum) {
  sum += tile_.bias[output];
  if (task_.weight_is_shifted) {
    const std::int64_t row = tile_.first_row + pixel / tile_.out_columns;
    const std::int64_t column = tile_.first_column + pixel % tile_.out_columns;
    const std::int64_t group = output / tile_.out_channels;
    sum -= task_.weight_zero_point *
           tile_.zero_point_sums[group * tile_.zero_point_pitch + row * tile_.map_columns + column];
  }
  tile_.exact[pixel * tile_.outputs() + output] = sum;
  ++counts_.finished_outputs;
  return requantize(sum, task_.requant_shift, task_.output_words.element_bits);
}

std::int64_t OutputPort::deliver(const Fold& fold, std::int64_t pixel, std::int64_t output,
                                 std::int64_t sum) {
  std::int64_t& place = tile_.output[pixel * tile_.outputs() + output];
  if (fold.reads_sums && reads_sums_) {
    sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) +
                                    static_cast<std::uint64_t>(place));
  }
  if (sum > most_ || sum < -most_ - 1) ++counts_.overflows;
  place = fold.finishes ? finish(pixel, output, sum) : sum;
  return sum;
}

namespace {

void add_zero_points_of(std::int64_t group, const ArrayTask& task, const ArrayTile& tile,
                        ArrayCounts& counts) {
  const WindowShape& window = task.window;
  for (std::int64_t pixel = 0; pixel < tile.pixels(); ++pixel) {
    const std::int64_t row = tile.first_row + pixel / tile.out_columns;
    const std::int64_t column = tile.first_column + pixel % tile.out_columns;
    std::int64_t& sum =
        tile.zero_point_sums[group * tile.zero_point_pitch + row * tile.map_columns + column];
    for (std::int64_t position = 0; position < window.positions(); ++position) {
      const std::int64_t in_row = row * window.stride_height - window.pad_top - tile.in_top +
                                  position / window.kernel_width * window.dilation_height;
      const std::int64_t in_column = column * window.stride_width - window.pad_left - tile.in_left +
                                     position % window.kernel_width * window.dilation_width;
      if (in_row < 0 || in_row >= tile.in_rows) continue;
      if (in_column < 0 || in_column >= tile.in_columns) continue;
      const std::uint32_t* codes =
          tile.input +
          ((in_row * tile.in_columns + in_column) * tile.groups + group) * tile.channels;
      for (std::int64_t channel = 0; channel < tile.channels; ++channel) {
        sum += decode(codes[channel], task.input) - task.input_zero_point;
        ++counts.zero_point_adds;
      }
    }
  }
}

}  // namespace

void add_zero_points(const ArrayTask& task, const ArrayTile& tile, ArrayCounts& counts) {
  for (std::int64_t group = 0; group < tile.groups; ++group) {
    add_zero_points_of(group, task, tile, counts);
  }
}

}  // namespace vernier::arch
