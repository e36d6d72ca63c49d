#include "tests/support/oracle_tiles.hpp"

#include <algorithm>

namespace vernier::tests {
namespace {

using dataflow::AcceleratorSpec;
using dataflow::InputReach;
using dataflow::LayerTask;
using dataflow::LoopDim;
using dataflow::Mapping;
using dataflow::TaskUnit;
using Count = std::int64_t;

/// One product's place in the reduction of a tile: window tap and channel.
struct Lane {
  Count tap_row = 0;
  Count tap_column = 0;
  Count channel = 0;  ///< counted from the tile's first channel
};

/// What the lanes of a MAC unit take in one step; the rest of its kK lanes is padding.
using Step = std::vector<Lane>;

template <typename Element>
std::vector<std::vector<Element>> cut(const std::vector<Element>& all, Count size) {
  std::vector<std::vector<Element>> parts;
  for (const Element& element : all) {
    if (parts.empty() || static_cast<Count>(parts.back().size()) == size) parts.emplace_back();
    parts.back().push_back(element);
  }
  return parts;
}

class TileOracle {
 public:
  TileOracle(const LayerTask& task, const AcceleratorSpec& machine)
      : task_(task), machine_(machine), is_array_(task.unit == TaskUnit::kArray) {
    if (machine.mac.style == "sum_together") {  // design 4: sixteen bricks of 2 x 2 bits
      const Count bricks =
          divide_up(task.activation_compute.bits(), 2) * divide_up(task.weight_compute.bits(), 2);
      step_cycles_ = std::max<Count>(1, divide_up(bricks, 16));
      lanes_ = std::max<Count>(1, 16 / bricks);
    }
  }

  // ---- design 5.2: tiles ----

  [[nodiscard]] std::vector<OracleTile> walk(const Mapping& mapping) const {
    std::vector<OracleTile> tiles;
    std::vector<OracleTile> pixel_tiles;
    for (Count image = 0; image < task_.images; ++image) {
      for (Count row = 0; row < task_.out_height; row += mapping.tile.rows) {
        for (Count column = 0; column < task_.out_width; column += mapping.tile.columns) {
          OracleTile tile;
          tile.image = image;
          tile.row_at = row;
          tile.column_at = column;
          for (Count y = row; y < std::min(row + mapping.tile.rows, task_.out_height); ++y) {
            for (Count x = column; x < std::min(column + mapping.tile.columns, task_.out_width);
                 ++x) {
              tile.pixels.push_back({y, x});
            }
          }
          pixel_tiles.push_back(tile);
        }
      }
    }
    const Count out_slices = divide_up(task_.out_channels, mapping.tile.out_channels);
    const Count in_slices = is_array_ ? divide_up(task_.channels, mapping.tile.in_channels) : 1;
    const auto steps_of = [&](LoopDim dim) {
      if (dim == LoopDim::kPixel) return static_cast<Count>(pixel_tiles.size());
      return dim == LoopDim::kOutChannel ? out_slices : in_slices;
    };
    std::array<Count, 3> at{};  // by LoopDim
    const auto index = [&](std::size_t loop) -> Count& {
      return at[static_cast<std::size_t>(mapping.order[loop])];
    };
    for (Count group = 0; group < task_.groups; ++group) {
      for (index(0) = 0; index(0) < steps_of(mapping.order[0]); ++index(0)) {
        for (index(1) = 0; index(1) < steps_of(mapping.order[1]); ++index(1)) {
          for (index(2) = 0; index(2) < steps_of(mapping.order[2]); ++index(2)) {
            OracleTile tile = pixel_tiles[static_cast<std::size_t>(at[0])];
            tile.group = group;
            tile.out_at = at[1];
            tile.in_at = at[2];
            tile.out_channels =
                std::min(mapping.tile.out_channels,
                         task_.out_channels - tile.out_at * mapping.tile.out_channels);
            tile.in_channels =
                is_array_ ? std::min(mapping.tile.in_channels,
                                     task_.channels - tile.in_at * mapping.tile.in_channels)
                          : 0;
            tile.first_visit = tile.in_at == 0;
            tile.last_visit = tile.in_at == in_slices - 1;
            tile.blocks = blocks_of(tile);
            tiles.push_back(tile);
          }
        }
      }
    }
    return tiles;
  }

  void count(OracleTile& tile) const {
    tile.counts = is_array_ ? count_array_tile(tile) : count_vector_tile(tile);
    if (is_array_) count_zero_point_adds(tile);
  }

 private:
  // ---- which input pixel an output pixel meets ----

  // May lie outside the real map: that is padding.
  [[nodiscard]] OraclePixel source_of(OraclePixel out, Count tap_row, Count tap_column) const {
    if (!is_array_ && task_.reach[0] == InputReach::kScaled) {
      return {out.row * task_.in_height / task_.out_height,
              out.column * task_.in_width / task_.out_width};
    }
    const dataflow::Window& w = task_.window;
    return {out.row * w.stride_height - w.pad_top + tap_row * w.dilation_height,
            out.column * w.stride_width - w.pad_left + tap_column * w.dilation_width};
  }
  [[nodiscard]] bool is_real(OraclePixel in) const {
    return in.row >= 0 && in.row < task_.in_height && in.column >= 0 && in.column < task_.in_width;
  }
  [[nodiscard]] bool meets_input(OraclePixel out, const Lane& lane) const {
    return is_real(source_of(out, lane.tap_row, lane.tap_column));
  }

  template <typename Visit>
  void for_each_tap(Visit visit) const {
    for (Count row = 0; row < task_.window.kernel_height; ++row) {
      for (Count column = 0; column < task_.window.kernel_width; ++column) visit(row, column);
    }
  }

  // Real pixels in the smallest rectangle around everything that the tile's outputs look at.
  [[nodiscard]] Count input_rows(const OracleTile& tile) const {
    OraclePixel low = source_of(tile.pixels.front(), 0, 0);
    OraclePixel high = low;
    for (const OraclePixel& out : tile.pixels) {
      for_each_tap([&](Count tap_row, Count tap_column) {
        const OraclePixel in = source_of(out, tap_row, tap_column);
        low = {std::min(low.row, in.row), std::min(low.column, in.column)};
        high = {std::max(high.row, in.row), std::max(high.column, in.column)};
      });
    }
    Count rows = 0;
    for (Count row = low.row; row <= high.row; ++row) {
      for (Count column = low.column; column <= high.column; ++column) {
        if (is_real({row, column})) ++rows;
      }
    }
    return rows;
  }

  // ---- design 5.2: blocks ----

  // Words of a contiguous run.
  [[nodiscard]] Count words(Count elements, Count bits, TensorRole role) const {
    return divide_up(elements * bits, word_serving(machine_, role));
  }
  [[nodiscard]] Count block(Count rows, Count row_elements, Count bits, TensorRole role) const {
    Count sum = 0;
    for (Count row = 0; row < rows; ++row)
      sum += words(row_elements, bits, role) * word_serving(machine_, role);
    return sum;
  }

  [[nodiscard]] OracleBlocks blocks_of(const OracleTile& tile) const {
    OracleBlocks blocks;
    if (is_array_) {
      blocks.input[0] = block(input_rows(tile), tile.in_channels, task_.input_storage[0].bits(),
                              TensorRole::kInput);
      Count weights_of_output = 0;
      for_each_tap([&](Count, Count) { weights_of_output += tile.in_channels; });
      blocks.weight = block(tile.out_channels, weights_of_output, task_.weight_storage.bits(),
                            TensorRole::kWeight);
    } else {
      for (std::size_t slot = 0; slot < 2; ++slot) {
        if (task_.reach[slot] == InputReach::kNone) continue;
        const Count rows = task_.reach[slot] == InputReach::kOnePixel ? 1 : input_rows(tile);
        blocks.input[slot] =
            block(rows, tile.out_channels, task_.input_storage[slot].bits(), TensorRole::kInput);
      }
    }
    const auto pixels = static_cast<Count>(tile.pixels.size());
    blocks.finish =
        block(pixels, tile.out_channels, task_.output_storage.bits(), TensorRole::kOutput);
    blocks.spill =
        block(pixels, tile.out_channels, machine_.mac.accumulator_bits, TensorRole::kOutput);
    const bool split_over_tiles = !tile.first_visit || !tile.last_visit;
    const bool rows_hold_reduction = machine_.array.dataflow == arch::Dataflow::kWeightStationary ||
                                     machine_.array.dataflow == arch::Dataflow::kInputStationary;
    const bool split_over_folds = is_array_ && rows_hold_reduction &&
                                  static_cast<Count>(steps_of(tile).size()) > machine_.array.rows;
    blocks.held = split_over_tiles || split_over_folds ? blocks.spill : blocks.finish;
    return blocks;
  }

  // ---- design 5.1: folds ----

  [[nodiscard]] bool is_dot() const {
    return machine_.array.dataflow == arch::Dataflow::kDotColumns;
  }

  // The reduction of a tile in steps of kK lanes, in the order (fr, fc, c), c fastest. A step of
  // dot_columns takes the lanes of all rows.
  [[nodiscard]] std::vector<Step> steps_of(const OracleTile& tile) const {
    const Count step_lanes = is_dot() ? lanes_ * machine_.array.rows : lanes_;
    std::vector<Step> steps;
    std::vector<Lane> window;
    for_each_tap([&](Count tap_row, Count tap_column) {
      std::vector<Lane> channels;
      for (Count channel = 0; channel < tile.in_channels; ++channel) {
        channels.push_back({tap_row, tap_column, channel});
      }
      for (const Step& step : cut(channels, step_lanes)) steps.push_back(step);
      window.insert(window.end(), channels.begin(), channels.end());
    });
    const bool first_layer =
        machine_.array.reduction_packing == arch::ReductionPacking::kFirstLayerWindow &&
        task_.reads_network_input;
    if (first_layer || machine_.array.reduction_packing == arch::ReductionPacking::kWindow) {
      return cut(window, step_lanes);
    }
    return steps;
  }

  OracleTileCounts count_array_tile(const OracleTile& tile) const {
    OracleTileCounts counts;
    const Count rows = machine_.array.rows;
    const Count columns = machine_.array.columns;
    const std::vector<Step> steps = steps_of(tile);
    std::vector<Count> outs;
    for (Count out = 0; out < tile.out_channels; ++out) outs.push_back(out);
    switch (machine_.array.dataflow) {
      case arch::Dataflow::kOutputStationary:
        for (const auto& fold_outs : cut(outs, columns)) {
          for (const auto& fold_pixels : cut(tile.pixels, rows)) {
            count_fold(counts, fold_pixels, fold_outs, steps, tile.first_visit, tile.last_visit);
          }
        }
        break;
      case arch::Dataflow::kWeightStationary:
        for (const auto& fold_outs : cut(outs, columns)) {
          const auto row_folds = cut(steps, rows);
          for (std::size_t at = 0; at < row_folds.size(); ++at) {
            count_fold(counts, tile.pixels, fold_outs, row_folds[at], tile.first_visit && at == 0,
                       tile.last_visit && at + 1 == row_folds.size());
          }
        }
        break;
      case arch::Dataflow::kInputStationary:
        for (const auto& fold_pixels : cut(tile.pixels, columns)) {
          const auto row_folds = cut(steps, rows);
          for (std::size_t at = 0; at < row_folds.size(); ++at) {
            count_fold(counts, fold_pixels, outs, row_folds[at], tile.first_visit && at == 0,
                       tile.last_visit && at + 1 == row_folds.size());
          }
        }
        break;
      case arch::Dataflow::kDotColumns:
        for (const auto& fold_outs : cut(outs, columns)) {
          count_fold(counts, tile.pixels, fold_outs, steps, tile.first_visit, tile.last_visit);
        }
        break;
    }
    count_time(counts);
    return counts;
  }

  // One fold: every output of pixels x outs takes every product of the steps.
  void count_fold(OracleTileCounts& counts, const std::vector<OraclePixel>& pixels,
                  const std::vector<Count>& outs, const std::vector<Step>& steps, bool first_visit,
                  bool last_visit) const {
    counts.folds.push_back(fold_of(static_cast<Count>(pixels.size()),
                                   static_cast<Count>(outs.size()), steps, first_visit,
                                   last_visit));
    const Count slots = is_dot() ? counts.folds.back().rows * lanes_ : lanes_;
    // Product slots: one per output, step and lane.
    for (const OraclePixel& pixel : pixels) {
      for (std::size_t out = 0; out < outs.size(); ++out) {
        for (const Step& step : steps) {
          Count real = 0;
          for (const Lane& lane : step) {
            // A zero point of the activations makes padding a value like any other.
            real += task_.asymmetric_input || meets_input(pixel, lane) ? 1 : 0;
          }
          counts.real_products += real;
          counts.idle_products += slots - real;
        }
      }
    }
    count_operand_reads(counts, pixels, outs, steps);
    // Outputs: the channels of a pixel are one run; the last visit writes at storage width.
    const Count accumulator = machine_.mac.accumulator_bits;
    const auto run = static_cast<Count>(outs.size());
    for (std::size_t pixel = 0; pixel < pixels.size(); ++pixel) {
      counts.output_writes +=
          words(run, last_visit ? task_.output_storage.bits() : accumulator, TensorRole::kOutput);
      if (!first_visit) counts.output_reads += words(run, accumulator, TensorRole::kOutput);
    }
  }

  // Words of the runs that the fold asks of I and W.
  void count_operand_reads(OracleTileCounts& counts, const std::vector<OraclePixel>& pixels,
                           const std::vector<Count>& outs, const std::vector<Step>& steps) const {
    std::vector<Lane> taken;
    for (const Step& step : steps) taken.insert(taken.end(), step.begin(), step.end());
    if (is_dot()) {
      count_bank_reads(counts, pixels, outs, steps);
      for (const Step& step : steps) count_input_runs(counts, pixels, step);
      return;
    }
    count_input_runs(counts, pixels, taken);
    // A row of W is one output channel in the order of the reduction: a fold takes one run of it.
    for (std::size_t out = 0; out < outs.size(); ++out) {
      counts.weight_reads +=
          words(static_cast<Count>(taken.size()), task_.weight_storage.bits(), TensorRole::kWeight);
    }
  }

  // The units of a row and column run through their own weights once for each pixel.
  void count_bank_reads(OracleTileCounts& counts, const std::vector<OraclePixel>& pixels,
                        const std::vector<Count>& outs, const std::vector<Step>& steps) const {
    for (Count row = 0; row < machine_.array.rows; ++row) {
      Count elements = 0;
      for (const Step& step : steps) {
        for (std::size_t at = 0; at < step.size(); ++at) {
          if (static_cast<Count>(at) / lanes_ == row) ++elements;
        }
      }
      counts.weight_reads += static_cast<Count>(pixels.size() * outs.size()) *
                             words(elements, task_.weight_storage.bits(), TensorRole::kWeight);
    }
  }

  void count_input_runs(OracleTileCounts& counts, const std::vector<OraclePixel>& pixels,
                        const std::vector<Lane>& taken) const {
    // A row of I is one input pixel: a run ends where the tap changes. Padding is not read.
    for (const OraclePixel& pixel : pixels) {
      Count run = 0;
      for (std::size_t at = 0; at < taken.size(); ++at) {
        if (meets_input(pixel, taken[at])) ++run;
        const bool ends = at + 1 == taken.size() || taken[at + 1].channel != taken[at].channel + 1;
        if (!ends) continue;
        counts.input_reads += words(run, task_.input_storage[0].bits(), TensorRole::kInput);
        run = 0;
      }
    }
  }

  // What a fold asks of the ports: streams in bits per s cycles, preloads in bits per line.
  [[nodiscard]] OracleFold fold_of(Count pixels, Count outs, const std::vector<Step>& step_list,
                                   bool first_visit, bool last_visit) const {
    const auto steps = static_cast<Count>(step_list.size());
    const Count input_step_bits = lanes_ * task_.activation_compute.bits();
    const Count weight_step_bits = lanes_ * task_.weight_compute.bits();
    OracleFold fold;
    Count drained = outs;  // columns that bring a sum in one line
    switch (machine_.array.dataflow) {
      case arch::Dataflow::kOutputStationary:
        fold.temporal = step_cycles_ * steps;
        fold.input_stream = pixels * input_step_bits;
        fold.weight_stream = outs * weight_step_bits;
        break;
      case arch::Dataflow::kWeightStationary:
        fold.temporal = step_cycles_ * pixels;
        fold.input_stream = steps * input_step_bits;
        fold.weight_preload = outs * weight_step_bits;
        break;
      case arch::Dataflow::kInputStationary:
        fold.temporal = step_cycles_ * outs;
        drained = pixels;
        fold.weight_stream = steps * weight_step_bits;
        fold.input_preload = pixels * input_step_bits;
        break;
      case arch::Dataflow::kDotColumns:
        fold.temporal = step_cycles_ * steps * pixels;
        fold.rows = divide_up(static_cast<Count>(step_list.front().size()), lanes_);
        drained = divide_up(outs, step_cycles_ * steps);
        fold.input_stream = fold.rows * input_step_bits;
        fold.weight_stream = fold.rows * outs * weight_step_bits;
        break;
    }
    fold.drain = drained * machine_.mac.accumulator_bits * (first_visit ? 1 : 2);
    fold.requantized = last_visit ? drained : 0;
    return fold;
  }

  /// A stretch of lines.
  struct Lines {
    Count begin = 0;
    Count end = 0;
    [[nodiscard]] bool meets(const Lines& other) const {
      return begin < other.end && other.begin < end;
    }
  };

  // Lines and port cycles of the folds of a tile, by looking at each interval between two starts
  // and at all folds that have a line in it.
  void count_time(OracleTileCounts& counts) const {
    const Count rows = machine_.array.rows;
    const Count columns = machine_.array.columns;
    const bool overlaps = machine_.array.fold_overlap != arch::FoldOverlap::kNone;
    const Count preload = machine_.array.dataflow == arch::Dataflow::kWeightStationary ||
                                  machine_.array.dataflow == arch::Dataflow::kInputStationary
                              ? rows
                              : 0;
    const std::vector<OracleFold>& folds = counts.folds;
    std::vector<Lines> streams;
    std::vector<Lines> preloads;
    Count start = 0;
    for (const OracleFold& fold : folds) {
      const Count stream = overlaps && !streams.empty() ? start : start + preload;
      const Count length = fold.temporal + rows + columns - 2;
      if (overlaps && !streams.empty()) {
        preloads.push_back({streams.back().begin, streams.back().begin + rows + columns - 1});
      } else {
        preloads.push_back({start, start + preload});
      }
      streams.push_back({stream, stream + length});
      const Count apart = is_dot() ? fold.temporal : std::max(fold.temporal, rows);
      start = overlaps ? stream + apart : stream + length;
    }
    for (std::size_t at = 0; at < folds.size(); ++at) {
      const bool last = at + 1 == folds.size();
      const bool first = at == 0 || !overlaps;
      Lines interval{first ? preloads[at].begin : streams[at].begin, streams[at].end};
      if (overlaps && !last) interval.end = streams[at + 1].begin;
      OracleFold stream;
      OracleFold behind;  // preloads while a stream runs
      for (std::size_t other = 0; other < folds.size(); ++other) {
        if (streams[other].meets(interval)) stream.raise_to(folds[other]);
        if (overlaps && other > 0 && preloads[other].meets(interval)) {
          behind.raise_to(folds[other]);
        }
      }
      OracleFold alone;
      if (first) alone = folds[at];
      const Count lines = interval.end - interval.begin;
      counts.lines += lines;
      counts.port += lines * (rho(stream, behind, alone) - 1);
    }
  }

  [[nodiscard]] Count rho(const OracleFold& stream, const OracleFold& behind,
                          const OracleFold& alone) const {
    Count slowest = 1;
    for (const memory::BufferSpec& buffer : machine_.buffers) {
      Count streamed = 0;
      Count preloaded = 0;
      for (const TensorRole role : buffer.serves) {
        if (role == TensorRole::kInput) {
          streamed += stream.input_stream + step_cycles_ * behind.input_preload;
          preloaded += alone.input_preload;
        } else if (role == TensorRole::kWeight) {
          streamed += stream.weight_stream + step_cycles_ * behind.weight_preload;
          preloaded += alone.weight_preload;
        } else {
          streamed += step_cycles_ * stream.drain;
        }
      }
      const Count width = buffer.banks * buffer.ports * buffer.word.count();
      slowest = std::max(slowest, divide_up(streamed, step_cycles_ * width));
      slowest = std::max(slowest, divide_up(preloaded, width));
    }
    if (machine_.vector.requant_lanes == 0) return slowest;
    return std::max(slowest, divide_up(stream.requantized, machine_.vector.requant_lanes));
  }

  // The activations under a pixel's window are added up once, whatever the slices of N.
  void count_zero_point_adds(OracleTile& tile) const {
    if (!task_.asymmetric_weight || tile.out_at != 0) return;
    for (const OraclePixel& pixel : tile.pixels) {
      for_each_tap([&](Count tap_row, Count tap_column) {
        if (meets_input(pixel, {tap_row, tap_column, 0})) {
          tile.counts.zero_point_adds += tile.in_channels;
        }
      });
    }
  }

  // ---- design 5.7: vector tasks ----

  OracleTileCounts count_vector_tile(const OracleTile& tile) const {
    OracleTileCounts counts;
    Count lane_cycles = 0;
    for (std::size_t pixel = 0; pixel < tile.pixels.size(); ++pixel) {
      for (Count out = 0; out < tile.out_channels; ++out) {
        for (std::size_t at = 0; at < task_.actions.size(); ++at) {
          lane_cycles += task_.ops_per_output[at] *
                         machine_.vector.cycles_per_op[static_cast<std::size_t>(task_.actions[at])];
        }
      }
      counts.output_writes +=
          words(tile.out_channels, task_.output_storage.bits(), TensorRole::kOutput);
    }
    counts.lines = divide_up(lane_cycles, machine_.vector.lanes);
    for (std::size_t slot = 0; slot < 2; ++slot) {
      if (task_.reach[slot] == InputReach::kNone) continue;
      const Count run =
          words(tile.out_channels, task_.input_storage[slot].bits(), TensorRole::kInput);
      if (task_.reach[slot] == InputReach::kOnePixel) {
        counts.input_reads += run;  // once per tile: all its pixels share it
        continue;
      }
      for (const OraclePixel& pixel : tile.pixels) {
        for_each_tap([&](Count tap_row, Count tap_column) {
          if (meets_input(pixel, {tap_row, tap_column, 0})) counts.input_reads += run;
        });
      }
    }
    return counts;
  }

  const LayerTask& task_;
  const AcceleratorSpec& machine_;
  bool is_array_;
  Count step_cycles_ = 1;  ///< s
  Count lanes_ = 1;        ///< kK
};

}  // namespace

void OracleFold::raise_to(const OracleFold& other) {
  const auto raise = [&other, this](Count OracleFold::*part) {
    this->*part = std::max(this->*part, other.*part);
  };
  raise(&OracleFold::input_stream);
  raise(&OracleFold::weight_stream);
  raise(&OracleFold::input_preload);
  raise(&OracleFold::weight_preload);
  raise(&OracleFold::drain);
  raise(&OracleFold::requantized);
}

std::vector<OracleTile> walk_tiles(const LayerTask& task, const Mapping& mapping,
                                   const AcceleratorSpec& machine) {
  return TileOracle(task, machine).walk(mapping);
}

void count_tiles(std::vector<OracleTile>& tiles, const LayerTask& task,
                 const AcceleratorSpec& machine) {
  const TileOracle oracle(task, machine);
  for (OracleTile& tile : tiles) oracle.count(tile);
}

std::size_t buffer_serving(const AcceleratorSpec& machine, TensorRole role) {
  for (std::size_t index = 0; index < machine.buffers.size(); ++index) {
    for (const TensorRole served : machine.buffers[index].serves) {
      if (served == role) return index;
    }
  }
  return machine.buffers.size();
}

Count word_serving(const AcceleratorSpec& machine, TensorRole role) {
  return machine.buffers[buffer_serving(machine, role)].word.count();
}

}  // namespace vernier::tests
