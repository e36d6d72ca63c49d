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
    set_mode();
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
    const Count at_once = groups_at_once(mapping);
    for (Count group = 0; group < task_.groups; group += at_once) {
      for (index(0) = 0; index(0) < steps_of(mapping.order[0]); ++index(0)) {
        for (index(1) = 0; index(1) < steps_of(mapping.order[1]); ++index(1)) {
          for (index(2) = 0; index(2) < steps_of(mapping.order[2]); ++index(2)) {
            OracleTile tile = pixel_tiles[static_cast<std::size_t>(at[0])];
            tile.group = group;
            tile.groups = std::min(at_once, task_.groups - group);
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
  // ---- design 4: the table of the families ----

  void set_mode() {
    const arch::MacSpec& mac = machine_.mac;
    const Count w = task_.weight_compute.bits();
    const Count a = task_.activation_compute.bits();
    const Count core = mac.core_bits;
    const Count subwords = core / std::max(w, a);
    if (mac.style == "sum_together") {  // sixteen bricks of 2 x 2 bits
      const Count bricks = divide_up(a, 2) * divide_up(w, 2);
      step_cycles_ = std::max<Count>(1, divide_up(bricks, 16));
      lanes_ = std::max<Count>(1, 16 / bricks);
    } else if (mac.style == "sum_together_1d") {
      lanes_ = core / w;
    } else if (mac.style == "sum_apart") {
      outs_ = core / w;
      pixels_ = core / a;
    } else if (mac.style == "sum_apart_1d") {
      outs_ = core / w;
    } else if (mac.style == "subword_together") {
      lanes_ = subwords;
    } else if (mac.style == "subword_apart") {
      if (mac.subwords == arch::Subwords::kGroups) groups_ = subwords;
      if (mac.subwords == arch::Subwords::kOutChannels) outs_ = subwords;
      if (mac.subwords == arch::Subwords::kPixels) pixels_ = subwords;
    } else if (mac.style == "bit_serial") {
      lanes_ = mac.lanes;
      if (mac.serial != arch::SerialOperand::kActivation) {
        step_cycles_ *= divide_up(w, mac.bits_per_cycle);
      }
      if (mac.serial != arch::SerialOperand::kWeight) {
        step_cycles_ *= divide_up(a, mac.bits_per_cycle);
      }
    }
    for (const arch::ModeOverride& mode : mac.modes) {
      if (mode.weight != w || mode.activation != a) continue;
      step_cycles_ = mode.cycles;
      lanes_ = mode.reduction;
      outs_ = mode.out_channels;
      pixels_ = mode.pixels;
      groups_ = mode.groups;
    }
  }

  // Groups that lie on the machine together when a tile holds them whole.
  [[nodiscard]] Count groups_at_once(const Mapping& mapping) const {
    if (!is_array_ || mapping.tile.in_channels < task_.channels ||
        mapping.tile.out_channels < task_.out_channels) {
      return 1;
    }
    if (machine_.array.depthwise == arch::DepthwiseMode::kGroupedLanes) return groups_;
    if (machine_.array.depthwise != arch::DepthwiseMode::kBlockDiagonal) return 1;
    OracleTile whole;
    whole.in_channels = task_.channels;
    const Count rows = machine_.array.rows / static_cast<Count>(steps_of(whole).size());
    const Count columns = machine_.array.columns / divide_up(task_.out_channels, outs_);
    return std::max<Count>(1, std::min(rows, columns));
  }
  [[nodiscard]] bool on_diagonal(const OracleTile& tile) const {
    return machine_.array.depthwise == arch::DepthwiseMode::kBlockDiagonal && tile.groups > 1;
  }

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
      blocks.input[0] = block(input_rows(tile), tile.groups * tile.in_channels,
                              task_.input_storage[0].bits(), TensorRole::kInput);
      Count weights_of_output = 0;
      for_each_tap([&](Count, Count) { weights_of_output += tile.in_channels; });
      blocks.weight = block(tile.groups * tile.out_channels, weights_of_output,
                            task_.weight_storage.bits(), TensorRole::kWeight);
    } else {
      for (std::size_t slot = 0; slot < 2; ++slot) {
        if (task_.reach[slot] == InputReach::kNone) continue;
        Count rows = task_.reach[slot] == InputReach::kOnePixel ? 1 : input_rows(tile);
        if (task_.reach[slot] == InputReach::kTaps) {
          rows = 0;
          for_each_tap([&](Count, Count) { ++rows; });
        }
        blocks.input[slot] =
            block(rows, tile.out_channels, task_.input_storage[slot].bits(), TensorRole::kInput);
      }
    }
    const auto pixels = static_cast<Count>(tile.pixels.size());
    const Count outputs = tile.groups * tile.out_channels;
    blocks.finish = block(pixels, outputs, task_.output_storage.bits(), TensorRole::kOutput);
    blocks.spill = block(pixels, outputs, machine_.mac.accumulator_bits, TensorRole::kOutput);
    const bool split_over_tiles = !tile.first_visit || !tile.last_visit;
    const bool rows_hold_reduction = machine_.array.dataflow == arch::Dataflow::kWeightStationary ||
                                     machine_.array.dataflow == arch::Dataflow::kInputStationary;
    const bool split_over_folds = is_array_ && rows_hold_reduction &&
                                  static_cast<Count>(steps_of(tile).size()) > machine_.array.rows;
    // What stays on chip needs no block, except for partial sums.
    if (task_.output_resident) blocks.finish = 0;
    blocks.held = split_over_tiles || split_over_folds ? blocks.spill : blocks.finish;
    for (std::size_t slot = 0; slot < 2; ++slot) {
      if (task_.input_resident[slot]) blocks.input[slot] = 0;
    }
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
        for (const auto& fold_outs : cut(outs, columns * outs_)) {
          for (const auto& fold_pixels : cut(tile.pixels, rows * pixels_)) {
            count_fold(counts, tile, {fold_pixels, fold_outs, steps}, tile.first_visit,
                       tile.last_visit);
          }
        }
        break;
      case arch::Dataflow::kWeightStationary:
        for (const auto& fold_outs : cut(outs, columns * outs_)) {
          const auto row_folds = cut(steps, rows);
          for (std::size_t at = 0; at < row_folds.size(); ++at) {
            count_fold(counts, tile, {tile.pixels, fold_outs, row_folds[at]},
                       tile.first_visit && at == 0, tile.last_visit && at + 1 == row_folds.size());
          }
        }
        break;
      case arch::Dataflow::kInputStationary:
        for (const auto& fold_pixels : cut(tile.pixels, columns * pixels_)) {
          const auto row_folds = cut(steps, rows);
          for (std::size_t at = 0; at < row_folds.size(); ++at) {
            count_fold(counts, tile, {fold_pixels, outs, row_folds[at]},
                       tile.first_visit && at == 0, tile.last_visit && at + 1 == row_folds.size());
          }
        }
        break;
      case arch::Dataflow::kDotColumns:
        for (const auto& fold_outs : cut(outs, columns)) {
          count_fold(counts, tile, {tile.pixels, fold_outs, steps}, tile.first_visit,
                     tile.last_visit);
        }
        break;
    }
    count_time(counts, step_cycles_, machine_);
    return counts;
  }

  /// What a fold holds of each group.
  struct FoldWork {
    std::vector<OraclePixel> pixels;
    std::vector<Count> outs;
    std::vector<Step> steps;
  };

  // One fold: every output of pixels x outs takes every product of the steps, in every group.
  void count_fold(OracleTileCounts& counts, const OracleTile& tile, const FoldWork& work,
                  bool first_visit, bool last_visit) const {
    const auto [pixels, outs, steps] = work;
    const auto run = static_cast<Count>(outs.size());
    const Count pixel_steps = divide_up(static_cast<Count>(pixels.size()), pixels_);
    const Count out_steps = divide_up(run, outs_);
    const Count side = on_diagonal(tile) ? tile.groups : 1;
    OracleFold fold =
        fold_of({pixel_steps, side * out_steps, side * static_cast<Count>(steps.size()),
                 static_cast<Count>(steps.front().size())},
                first_visit, last_visit);
    const Count lanes = is_dot() ? fold.rows * lanes_ : lanes_;
    counts.folds.push_back(fold);
    Count real = 0;
    for (const OraclePixel& pixel : pixels) {
      for (const Step& step : steps) {
        for (const Lane& lane : step) {
          // A zero point of the activations makes padding a value like any other.
          if (task_.asymmetric_input || meets_input(pixel, lane)) real += tile.groups * run;
        }
      }
    }
    // Slots: what the mapped PEs could do; on the diagonal every row meets every column.
    const Count slots = pixel_steps * pixels_ * side * out_steps * outs_ * side *
                        static_cast<Count>(steps.size()) * lanes * groups_;
    counts.real_products += real;
    counts.idle_products += slots - real;
    count_operand_reads(counts, tile, work);
    // Outputs: the channels of a pixel are one run, those of several groups too when they are
    // whole; the last visit writes at storage width.
    const Count accumulator = machine_.mac.accumulator_bits;
    const bool whole = run == tile.out_channels;
    const auto output_words = [&](Count bits) {
      return whole ? words(tile.groups * run, bits, TensorRole::kOutput)
                   : tile.groups * words(run, bits, TensorRole::kOutput);
    };
    for (std::size_t pixel = 0; pixel < pixels.size(); ++pixel) {
      counts.output_writes += output_words(last_visit ? task_.output_storage.bits() : accumulator);
      if (!first_visit) counts.output_reads += output_words(accumulator);
    }
  }

  // Words of the runs that the fold asks of I and W.
  void count_operand_reads(OracleTileCounts& counts, const OracleTile& tile,
                           const FoldWork& work) const {
    std::vector<Lane> taken;
    for (const Step& step : work.steps) taken.insert(taken.end(), step.begin(), step.end());
    if (is_dot()) {
      count_bank_reads(counts, work);
      for (const Step& step : work.steps) count_input_runs(counts, tile, work.pixels, step);
      return;
    }
    count_input_runs(counts, tile, work.pixels, taken);
    // A row of W is one output channel in the order of the reduction: a fold takes one run of it.
    for (std::size_t out = 0; out < work.outs.size(); ++out) {
      counts.weight_reads += tile.groups * words(static_cast<Count>(taken.size()),
                                                 task_.weight_storage.bits(), TensorRole::kWeight);
    }
  }

  // The units of a row and column run through their own weights once for each pixel.
  void count_bank_reads(OracleTileCounts& counts, const FoldWork& work) const {
    for (Count row = 0; row < machine_.array.rows; ++row) {
      Count elements = 0;
      for (const Step& step : work.steps) {
        for (std::size_t at = 0; at < step.size(); ++at) {
          if (static_cast<Count>(at) / lanes_ == row) ++elements;
        }
      }
      counts.weight_reads += static_cast<Count>(work.pixels.size() * work.outs.size()) *
                             words(elements, task_.weight_storage.bits(), TensorRole::kWeight);
    }
  }

  void count_input_runs(OracleTileCounts& counts, const OracleTile& tile,
                        const std::vector<OraclePixel>& pixels,
                        const std::vector<Lane>& taken) const {
    const int bits = task_.input_storage[0].bits();
    // A row of I is one input pixel: a run ends where the tap changes. Padding is not read.
    for (const OraclePixel& pixel : pixels) {
      Count run = 0;
      for (std::size_t at = 0; at < taken.size(); ++at) {
        if (meets_input(pixel, taken[at])) ++run;
        const bool ends = at + 1 == taken.size() || taken[at + 1].channel != taken[at].channel + 1;
        if (!ends) continue;
        counts.input_reads += run == tile.in_channels
                                  ? words(tile.groups * run, bits, TensorRole::kInput)
                                  : tile.groups * words(run, bits, TensorRole::kInput);
        run = 0;
      }
    }
  }

  /// How much of the array a fold uses, in steps of the unit.
  struct FoldSize {
    Count pixels = 0;
    Count outs = 0;
    Count steps = 0;
    Count step_lanes = 0;  ///< of the fullest step
  };

  // What a fold asks of the ports: streams in bits per s cycles, preloads in bits per line.
  [[nodiscard]] OracleFold fold_of(const FoldSize& size, bool first_visit, bool last_visit) const {
    const auto [pixels, outs, steps, step_lanes] = size;
    const Count input_step_bits = lanes_ * pixels_ * groups_ * task_.activation_compute.bits();
    const Count weight_step_bits = lanes_ * outs_ * groups_ * task_.weight_compute.bits();
    const Count sums = outs_ * pixels_ * groups_;  // of a PE
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
        fold.rows = divide_up(step_lanes, lanes_);
        drained = divide_up(outs, step_cycles_ * steps);
        fold.input_stream = fold.rows * input_step_bits;
        fold.weight_stream = fold.rows * outs * weight_step_bits;
        break;
    }
    fold.drain = drained * sums * machine_.mac.accumulator_bits * (first_visit ? 1 : 2);
    fold.requantized = last_visit ? drained * sums : 0;
    return fold;
  }

  // The activations under a pixel's window are added up once, whatever the slices of N.
  void count_zero_point_adds(OracleTile& tile) const {
    if (!task_.asymmetric_weight || tile.out_at != 0) return;
    for (const OraclePixel& pixel : tile.pixels) {
      for_each_tap([&](Count tap_row, Count tap_column) {
        if (meets_input(pixel, {tap_row, tap_column, 0})) {
          tile.counts.zero_point_adds += tile.groups * tile.in_channels;
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
      if (task_.reach[slot] == InputReach::kTaps) {
        for_each_tap([&](Count, Count) { counts.input_reads += run; });
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
  Count outs_ = 1;         ///< kN
  Count pixels_ = 1;       ///< kP
  Count groups_ = 1;       ///< kG
};

}  // namespace

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
