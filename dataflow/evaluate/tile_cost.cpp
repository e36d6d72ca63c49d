#include "dataflow/evaluate/tile_cost.hpp"

#include <algorithm>

#include "arch/fold_model.hpp"
#include "dataflow/evaluate/overlapped_folds.hpp"
#include "dataflow/mapping/axis.hpp"
#include "memory/packing.hpp"
#include "memory/port_model.hpp"

namespace vernier::dataflow {
namespace {

using arch::Dataflow;

class ArrayTile {
 public:
  ArrayTile(const LayerTask& task, const TileClass& tile, const Accelerator& machine)
      : task_(task),
        tile_(tile),
        machine_(machine),
        array_(machine.spec().array),
        mode_(machine.mode(task.weight_compute, task.activation_compute)),
        channels_(tile.reduction.channels),
        groups_(tile.groups),
        diagonal_(array_.depthwise == arch::DepthwiseMode::kBlockDiagonal ? groups_ : 1),
        steps_k_(reduction_steps(task, channels_, mode_, array_)),
        steps_p_(ceil_div(tile.pixels(), mode_.pixels)),
        steps_n_(ceil_div(tile.out_channels, mode_.out_channels)) {}

  TileCost cost() {
    count_products();
    switch (array_.dataflow) {
      case Dataflow::kOutputStationary: run_output_stationary(); break;
      case Dataflow::kWeightStationary:
      case Dataflow::kInputStationary: run_operand_stationary(); break;
      case Dataflow::kDotColumns: run_dot_columns(); break;
    }
    return cost_;
  }

 private:
  void count_products() {
    // Taps are separable: sum over (fr, fc) of rows(fr) * columns(fc).
    // With an activation zero point the padded value is not 0, so its products are real ones.
    const std::int64_t valid = task_.asymmetric_input
                                   ? checked_mul(tile_.pixels(), task_.window.positions())
                                   : checked_mul(tile_.row->tap_sum, tile_.column->tap_sum);
    cost_.macs =
        checked_mul(checked_mul(valid, channels_), checked_mul(groups_, tile_.out_channels));
    // On the diagonal rows and columns of all groups are mapped: their product is.
    const std::int64_t mapped = checked_mul(diagonal_ * diagonal_, mode_.groups);
    const std::int64_t lanes = mode_.reduction * dot_rows();
    const std::int64_t slots = checked_mul(
        mapped, checked_mul(checked_mul(steps_p_ * mode_.pixels, steps_n_ * mode_.out_channels),
                            checked_mul(steps_k_, lanes)));
    cost_.idle_macs = checked_sub(slots, cost_.macs);
    if (tile_.reduction.is_last) {
      cost_.finished_outputs = checked_mul(tile_.pixels(), groups_ * tile_.out_channels);
    }
  }

  // dot_columns: rows with at least one channel in some step; 1 where rows do not share a step.
  [[nodiscard]] std::int64_t dot_rows() const {
    const bool by_window = packing_of(task_, array_) == arch::ReductionPacking::kWindow;
    const std::int64_t lanes = by_window ? task_.window.positions() * channels_ : channels_;
    return std::min(array_.rows_per_step(), ceil_div(lanes, mode_.reduction));
  }

  [[nodiscard]] Bits word(TensorRole role) const { return machine_.buffer(role).word; }
  // Words of `elements` channels of each group in one pixel: one run when they are all channels.
  [[nodiscard]] std::int64_t input_words(std::int64_t elements) const {
    const bool joined = elements == channels_;
    return (joined ? 1 : groups_) * memory::words_of_run(joined ? groups_ * elements : elements,
                                                         task_.input_storage[0],
                                                         word(TensorRole::kInput));
  }
  [[nodiscard]] std::int64_t weight_words(std::int64_t elements) const {
    return memory::words_of_run(elements, task_.weight_storage, word(TensorRole::kWeight));
  }
  // Words of `elements` outputs of each group in one pixel; the last visit leaves at storage width.
  [[nodiscard]] std::int64_t output_words(std::int64_t elements, bool finished) const {
    const std::int64_t bits =
        finished ? task_.output_storage.bits() : machine_.spec().mac.accumulator_bits;
    const bool joined = elements == tile_.out_channels;
    return (joined ? 1 : groups_) * ceil_div((joined ? groups_ * elements : elements) * bits,
                                             word(TensorRole::kOutput).count());
  }

  // Cycles per line: the slowest buffer, or the requantizer while results leave.
  [[nodiscard]] arch::LineTime rho(const arch::FoldShape& fold) const {
    const arch::FoldDemand demand =
        fold_demand(array_, mode_, machine_.spec().mac.accumulator_bits, fold);
    arch::LineTime time = memory::line_time(demand, machine_.spec().buffers);
    const std::int64_t requantized = machine_.spec().vector.requant_lanes;
    if (fold.finishes_outputs && requantized > 0) {
      time.serve(arch::kRequantizerPort,
                 ceil_div(drained_columns(array_, fold) * mode_.accumulators, requantized));
    }
    return time;
  }

  // Sets the cycles of all folds where they overlap.
  [[nodiscard]] bool add_overlapped(const TileFolds& folds) {
    if (array_.fold_overlap == arch::FoldOverlap::kNone) return false;
    const FoldCycles cycles = overlapped_folds(folds, mode_, machine_);
    cost_.lines = cycles.lines;
    cost_.port_cycles = cycles.port_cycles;
    cost_.port_waits = cycles.port_waits;
    const std::int64_t row_folds =
        folds.rows_are_folded ? ceil_div(folds.row_steps, array_.rows) : 1;
    cost_.temporal_cycles = checked_mul(
        folds.temporal, checked_mul(row_folds, ceil_div(folds.column_steps, array_.columns)));
    return true;
  }

  void add_folds(const arch::FoldShape& fold, std::int64_t count) {
    const std::int64_t lines = arch::fold_lines(array_, fold.temporal);
    cost_.lines = checked_add(cost_.lines, checked_mul(lines, count));
    cost_.temporal_cycles = checked_add(cost_.temporal_cycles, checked_mul(fold.temporal, count));
    const arch::LineTime time = rho(fold);
    const std::int64_t waits = checked_mul(checked_mul(lines, time.cycles - 1), count);
    cost_.port_cycles = checked_add(cost_.port_cycles, waits);
    cost_.port_waits[time.slowest] += waits;
  }

  void run_output_stationary() {
    const SizeRuns rows = cut_size(steps_p_, array_.rows);
    const SizeRuns columns = cut_size(steps_n_, array_.columns);
    const std::int64_t temporal = checked_mul(mode_.cycles, steps_k_);
    const bool reads = !tile_.reduction.is_first;
    const bool overlap = add_overlapped({.row_steps = steps_p_,
                                         .column_steps = steps_n_,
                                         .temporal = temporal,
                                         .first_reads = reads,
                                         .finishes = tile_.reduction.is_last});
    std::int64_t row_folds = 0;
    for (const SizeRun& row : rows) {
      row_folds += row.count;
      for (const SizeRun& column : columns) {
        if (overlap) continue;
        add_folds({row.size, column.size, temporal, reads, tile_.reduction.is_last},
                  row.count * column.count);
      }
    }
    std::int64_t column_folds = 0;
    for (const SizeRun& column : columns) column_folds += column.count;
    const std::int64_t valid = tile_.row->tap_sum * tile_.column->tap_sum;
    TileAccesses& accesses = cost_.accesses;
    accesses.input_reads[0] = checked_mul(checked_mul(column_folds, valid), input_words(channels_));
    accesses.weight_reads = checked_mul(checked_mul(row_folds, groups_ * tile_.out_channels),
                                        weight_words(task_.window.positions() * channels_));
    accesses.output_writes = output_run_words(tile_.reduction.is_last);
    if (reads) accesses.output_reads = output_run_words(false);
  }

  // Words of all output runs of the tile, one run per pixel and column fold.
  [[nodiscard]] std::int64_t output_run_words(bool finished) const {
    std::int64_t per_pixel = 0;
    if (array_.dataflow == Dataflow::kInputStationary) {
      per_pixel = output_words(tile_.out_channels, finished);  // channels stream over time
    } else {
      for (const SizeRun& run : cut_size(tile_.out_channels, array_.columns * mode_.out_channels)) {
        per_pixel += run.count * output_words(run.size, finished);
      }
    }
    return checked_mul(tile_.pixels(), per_pixel);
  }

  // ws and is: array rows hold the reduction, folds over it pass partial sums through the buffer.
  void run_operand_stationary() {
    const bool weights_stay = array_.dataflow == Dataflow::kWeightStationary;
    const SizeRuns columns =
        cut_size(weights_stay ? diagonal_ * steps_n_ : steps_p_, array_.columns);
    const std::int64_t temporal = checked_mul(mode_.cycles, weights_stay ? steps_p_ : steps_n_);
    const std::int64_t steps_k = diagonal_ * steps_k_;
    const std::int64_t row_folds = ceil_div(steps_k, array_.rows);
    const std::int64_t last_rows = steps_k - (row_folds - 1) * array_.rows;
    // Where folds overlap a tile holds one group.
    const bool overlap = add_overlapped({.row_steps = steps_k,
                                         .column_steps = weights_stay ? steps_n_ : steps_p_,
                                         .temporal = temporal,
                                         .first_reads = !tile_.reduction.is_first,
                                         .finishes = tile_.reduction.is_last,
                                         .row_folds_add_sums = true});
    std::int64_t column_folds = 0;
    for (const SizeRun& column : columns) {
      column_folds += column.count;
      if (!overlap) add_row_folds(column, temporal, row_folds, last_rows);
    }
    count_operand_words(weights_stay, column_folds);
    // Every row fold writes all outputs; all but the first visit read them back.
    TileAccesses& accesses = cost_.accesses;
    const std::int64_t finished = tile_.reduction.is_last ? 1 : 0;
    accesses.output_writes = checked_add(checked_mul(row_folds - finished, output_run_words(false)),
                                         finished * output_run_words(true));
    const std::int64_t first = tile_.reduction.is_first ? 1 : 0;
    accesses.output_reads = checked_mul(row_folds - first, output_run_words(false));
  }

  void add_row_folds(const SizeRun& column, std::int64_t temporal, std::int64_t row_folds,
                     std::int64_t last_rows) {
    const bool first_reads = !tile_.reduction.is_first;
    const bool finishes = tile_.reduction.is_last;
    const std::int64_t full = array_.rows;
    if (row_folds == 1) {
      add_folds({last_rows, column.size, temporal, first_reads, finishes}, column.count);
      return;
    }
    add_folds({full, column.size, temporal, first_reads, false}, column.count);
    if (row_folds > 2) {
      add_folds({full, column.size, temporal, true, false},
                checked_mul(column.count, row_folds - 2));
    }
    add_folds({last_rows, column.size, temporal, true, finishes}, column.count);
  }

  // dot_columns: a step takes one run of channels in all rows, a pixel takes ceilK steps, and the
  // column adds them up before its sum leaves.
  void run_dot_columns() {
    const std::int64_t rows = dot_rows();
    const std::int64_t output_cycles = checked_mul(mode_.cycles, steps_k_);
    const std::int64_t temporal = checked_mul(output_cycles, steps_p_);
    const bool reads = !tile_.reduction.is_first;
    const bool overlap = add_overlapped({.row_steps = rows,
                                         .column_steps = steps_n_,
                                         .temporal = temporal,
                                         .output_cycles = output_cycles,
                                         .rows_are_folded = false,
                                         .first_reads = reads,
                                         .finishes = tile_.reduction.is_last});
    std::int64_t column_folds = 0;
    for (const SizeRun& column : cut_size(steps_n_, array_.columns)) {
      column_folds += column.count;
      if (overlap) continue;
      add_folds({rows, column.size, temporal, reads, tile_.reduction.is_last, output_cycles},
                column.count);
    }
    count_operand_words(true, column_folds);  // the runs of the steps, as row folds have them
    TileAccesses& accesses = cost_.accesses;
    accesses.weight_reads =
        checked_mul(checked_mul(tile_.out_channels, steps_p_), words_of_private_banks());
    accesses.output_writes = output_run_words(tile_.reduction.is_last);
    if (reads) accesses.output_reads = output_run_words(false);
  }

  // Words that the banks of one column read for a pixel: each unit runs once through the weights of
  // its lanes, and its word register keeps a word until the next one is due.
  [[nodiscard]] std::int64_t words_of_private_banks() const {
    const bool by_window = packing_of(task_, array_) == arch::ReductionPacking::kWindow;
    const std::int64_t positions = task_.window.positions();
    const std::int64_t run = by_window ? positions * channels_ : channels_;
    const std::int64_t lanes = mode_.reduction * array_.rows;
    std::int64_t sum = 0;
    for (std::int64_t row = 0; row < array_.rows; ++row) {
      const std::int64_t rest =
          std::clamp<std::int64_t>(run % lanes - row * mode_.reduction, 0, mode_.reduction);
      const std::int64_t elements = run / lanes * mode_.reduction + rest;
      sum = checked_add(sum, weight_words(by_window ? elements : positions * elements));
    }
    return sum;
  }

  // Walks the reduction in fold order: each fold covers a range of slots of the (padded) flattened
  // window, and in it one run of channels per window position.
  void count_operand_words(bool weights_stay, std::int64_t column_folds) {
    const bool by_window = packing_of(task_, array_) == arch::ReductionPacking::kWindow;
    const std::int64_t lanes = mode_.reduction * array_.rows_per_step();
    const std::int64_t slots_per_position =
        by_window ? channels_ : ceil_div(channels_, lanes) * lanes;
    const std::int64_t slots_per_fold = array_.rows * mode_.reduction;
    std::int64_t input_sum = 0;   // words over all folds and valid pixels
    std::int64_t weight_sum = 0;  // words over all folds, of one output channel
    const auto& rows = tile_.row->taps;
    const auto& columns = tile_.column->taps;
    std::int64_t fold_end = slots_per_fold;
    std::int64_t run_in_fold = 0;
    for (std::size_t tap_row = 0; tap_row < rows.size(); ++tap_row) {
      for (std::size_t tap_column = 0; tap_column < columns.size(); ++tap_column) {
        const auto position = static_cast<std::int64_t>(tap_row * columns.size() + tap_column);
        const std::int64_t begin = position * slots_per_position;
        const std::int64_t end = begin + channels_;
        std::int64_t position_words = 0;
        for (std::int64_t at = begin; at < end;) {
          if (at >= fold_end) {
            weight_sum += weight_words(run_in_fold);
            run_in_fold = 0;
            fold_end += slots_per_fold * ((at - fold_end) / slots_per_fold + 1);
          }
          const std::int64_t stop = std::min(end, fold_end);
          position_words += input_words(stop - at);
          run_in_fold += stop - at;
          at = stop;
        }
        input_sum = checked_add(
            input_sum,
            checked_mul(checked_mul(rows[tap_row], columns[tap_column]), position_words));
      }
    }
    weight_sum += weight_words(run_in_fold);
    TileAccesses& accesses = cost_.accesses;
    accesses.input_reads[0] = weights_stay ? checked_mul(column_folds, input_sum) : input_sum;
    const std::int64_t weights = checked_mul(groups_ * tile_.out_channels, weight_sum);
    accesses.weight_reads = weights_stay ? weights : checked_mul(column_folds, weights);
  }

  const LayerTask& task_;
  const TileClass& tile_;
  const Accelerator& machine_;
  const arch::ArraySpec& array_;
  const arch::MacMode& mode_;
  std::int64_t channels_;
  std::int64_t groups_;    ///< that the tile holds at once
  std::int64_t diagonal_;  ///< of them on the diagonal of the array
  std::int64_t steps_k_;   ///< of one group
  std::int64_t steps_p_;
  std::int64_t steps_n_;
  TileCost cost_;
};

TileCost vector_tile(const LayerTask& task, const TileClass& tile, const Accelerator& machine) {
  TileCost cost;
  const std::int64_t outputs = checked_mul(tile.pixels(), tile.out_channels);
  std::int64_t lane_cycles = 0;
  for (std::size_t at = 0; at < task.actions.size(); ++at) {
    lane_cycles = checked_add(
        lane_cycles,
        checked_mul(outputs, checked_mul(task.ops_per_output[at],
                                         machine.spec().vector.cycles_for(task.actions[at]))));
  }
  cost.lines = ceil_div(lane_cycles, machine.spec().vector.lanes);
  cost.finished_outputs = outputs;
  const std::int64_t touched = checked_mul(tile.row->tap_sum, tile.column->tap_sum);
  for (std::size_t slot = 0; slot < task.reach.size(); ++slot) {
    if (task.reach[slot] == InputReach::kNone) continue;
    const std::int64_t words = memory::words_of_run(tile.out_channels, task.input_storage[slot],
                                                    machine.buffer(TensorRole::kInput).word);
    // A second input that does not depend on the pixel is read once.
    cost.accesses.input_reads[slot] = checked_mul(rows_of_input(task, slot, touched), words);
  }
  cost.accesses.output_writes =
      checked_mul(tile.pixels(), memory::words_of_run(tile.out_channels, task.output_storage,
                                                      machine.buffer(TensorRole::kOutput).word));
  return cost;
}

}  // namespace

TileCost cost_of_tile(const LayerTask& task, const TileClass& tile, const Accelerator& machine) {
  return task.unit == TaskUnit::kArray ? ArrayTile(task, tile, machine).cost()
                                       : vector_tile(task, tile, machine);
}

}  // namespace vernier::dataflow
