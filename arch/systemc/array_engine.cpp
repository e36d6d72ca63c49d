#include "arch/systemc/array_engine.hpp"

#include <algorithm>

#include "arch/systemc/column_drain.hpp"
#include "arch/systemc/operand_feeder.hpp"
#include "arch/systemc/output_port.hpp"
#include "arch/systemc/overlap_engine.hpp"

namespace vernier::arch {
namespace {

PeLanes lanes_of(const ArrayTask& task, const ArrayFaults& faults) {
  const MacMode& mode = task.mode;
  const bool inputs_stay = task.array.dataflow == Dataflow::kInputStationary;
  PeLanes lanes;
  lanes.reduction = mode.reduction;
  lanes.row_sets = inputs_stay ? mode.out_channels : mode.pixels;
  lanes.column_sets = inputs_stay ? mode.pixels : mode.out_channels;
  lanes.groups = mode.groups;
  lanes.lose_last_product = faults.lose_last_product;
  return lanes;
}

template <typename Word>
class Engine final : public ArrayEngine {
 public:
  Engine(const ArrayTask& task, const ArrayFaults& faults)
      : task_(task),
        faults_(faults),
        sums_stay_(task.array.dataflow == Dataflow::kOutputStationary),
        lanes_(lanes_of(task, faults)),
        grid_(task.array, lanes_),
        feeder_(task, lanes_, grid_, counts_),
        drain_(task, lanes_, grid_, counts_) {}

  void begin_tile(const ArrayTile& tile) override {
    tile_ = tile;
    feeder_.begin_tile(tile);
    drain_.begin_tile(tile);
    diagonal_ = task_.groups_on_diagonal ? tile.groups : 1;
    if (tile.adds_zero_points) add_zero_points(task_, tile, counts_);
    column_at_ = 0;
    row_at_ = 0;
    fold_number_ = -1;
    tile_is_done_ = false;
    begin_fold();
  }

  LineOutcome lines(std::int64_t most) override {
    LineOutcome outcome = line();
    for (std::int64_t done = 1; done < most && line_ > 0 && !outcome.ends_tile; ++done) {
      const LineOutcome next = line();
      outcome.cycles += next.cycles;
      outcome.ends_tile = next.ends_tile;
    }
    return outcome;
  }

  [[nodiscard]] const ArrayCounts& counts() const override { return counts_; }
  void watch() override {
    watches_ = true;
    drain_.keep_values(true);
    view_.row_operands.resize(static_cast<std::size_t>(task_.array.rows));
    view_.column_operands.resize(static_cast<std::size_t>(task_.array.columns));
    view_.drained.resize(static_cast<std::size_t>(task_.array.columns));
    view_.drain_valid.resize(static_cast<std::size_t>(task_.array.columns));
  }
  [[nodiscard]] const ArrayView& view() const override { return view_; }

 private:
  LineOutcome line() {
    LineOutcome outcome;
    outcome.cycles = line_time_.cycles;
    outcome.begins_fold = line_ == 0;
    ++counts_.lines;
    counts_.port_cycles += line_time_.cycles - 1;
    counts_.port_waits[line_time_.slowest] += line_time_.cycles - 1;
    if (line_ < preload_lines_) {
      feeder_.preload(line_);
      if (watches_) look(-1);
      flip_if_due(-1);
    } else {
      stream_line(line_ - preload_lines_);
    }
    ++line_;
    ++executed_;
    outcome.ends_tile = tile_is_done_;
    return outcome;
  }

  static std::int64_t up_div(std::int64_t amount, std::int64_t part) {
    return (amount + part - 1) / part;
  }
  [[nodiscard]] std::int64_t pixel_steps() const {
    return up_div(tile_.pixels(), task_.mode.pixels);
  }
  [[nodiscard]] std::int64_t channel_steps() const {
    return up_div(tile_.out_channels, task_.mode.out_channels);
  }
  // What lies along the rows and columns of the array, all folds together.
  [[nodiscard]] std::int64_t along_rows() const {
    return sums_stay_ ? pixel_steps() : diagonal_ * feeder_.reduction_steps();
  }
  [[nodiscard]] std::int64_t along_columns() const {
    return task_.array.dataflow == Dataflow::kInputStationary ? pixel_steps()
                                                              : diagonal_ * channel_steps();
  }
  [[nodiscard]] std::int64_t along_time() const {
    switch (task_.array.dataflow) {
      case Dataflow::kOutputStationary: return feeder_.reduction_steps();
      case Dataflow::kWeightStationary: return pixel_steps();
      case Dataflow::kInputStationary: return channel_steps();
      case Dataflow::kDotColumns: break;  // an engine of its own
    }
    return 0;
  }

  void begin_fold() {
    const ArraySpec& array = task_.array;
    const bool first_rows = row_at_ == 0;
    const bool last_rows = row_at_ + array.rows >= along_rows();
    fold_.first_row = row_at_;
    fold_.used_rows = std::min(array.rows, along_rows() - row_at_);
    fold_.first_column = column_at_;
    fold_.used_columns = std::min(array.columns, along_columns() - column_at_);
    fold_.stream_cycles = along_time() * task_.mode.cycles;
    // Rows that hold the reduction pass their sums through the buffer from fold to fold.
    fold_.reads_sums = !tile_.first_visit || (!sums_stay_ && !first_rows);
    fold_.finishes = tile_.last_visit && (sums_stay_ || last_rows);
    line_time_ =
        serve_line(task_, fold_.used_rows, fold_.used_columns, fold_.reads_sums, fold_.finishes);
    if (faults_.skip_sum_reads) fold_.reads_sums = false;
    last_fold_ = last_rows && column_at_ + array.columns >= along_columns();
    grid_.reserve(fold_.stream_cycles);
    grid_.begin_fold(fold_.used_rows, fold_.used_columns, fold_.stream_cycles,
                     task_.groups_on_diagonal ? 1 : tile_.groups);
    feeder_.begin_fold(fold_);
    drain_.begin_fold(fold_);
    preload_lines_ = sums_stay_ ? 0 : array.rows;
    line_ = 0;
    token_ = -1;
    ++fold_number_;
  }

  void stream_line(std::int64_t line) {
    feeder_.feed(line);
    if (!sums_stay_) grid_.enter_sums(line);
    flip_if_due(line);
    if (watches_) look(line);
    grid_.multiply(line);
    drain_.drain(line);
    if (watches_) look_at_drain();
    // The last element carries a token; the fold ends in the line in which it is in the corner.
    if (line == fold_.stream_cycles - 1) {
      token_ = 0;
    } else if (token_ >= 0) {
      ++token_;
    }
    std::int64_t corner = task_.array.rows - 1 + task_.array.columns - 1;
    const bool partial =
        fold_.used_rows < task_.array.rows || fold_.used_columns < task_.array.columns;
    if (faults_.shorten_last_fold && last_fold_ && partial && corner > 0) --corner;
    if (token_ >= corner) end_fold();
  }

  void end_fold() {
    row_at_ += task_.array.rows;
    if (row_at_ >= along_rows()) {
      row_at_ = 0;
      column_at_ += task_.array.columns;
      if (column_at_ >= along_columns()) {
        tile_is_done_ = true;
        return;
      }
    }
    begin_fold();
    line_ = -1;  // line() counts on to 0
  }

  void flip_if_due(std::int64_t line) {
    if (!faults_.flip || faults_.flip->line != executed_) return;
    const BitFlip& flip = *faults_.flip;
    VERNIER_ASSERT(flip.row >= 0 && flip.row < task_.array.rows && flip.column >= 0 &&
                       flip.column < task_.array.columns && flip.bit >= 0 &&
                       flip.bit < 8 * static_cast<int>(sizeof(Word)),
                   "the register and its bit exist");
    grid_.flip(flip.which, flip.row, flip.column, line, flip.bit);
  }

  void look(std::int64_t line) {
    view_.fold = fold_number_;
    view_.line = line_;
    view_.preloads = line < 0;
    for (std::int64_t row = 0; row < task_.array.rows; ++row) {
      view_.row_operands[static_cast<std::size_t>(row)] =
          line < 0 ? 0 : grid_.row_operand(row, 0, line);
    }
    for (std::int64_t column = 0; column < task_.array.columns; ++column) {
      view_.column_operands[static_cast<std::size_t>(column)] =
          sums_stay_ && line < 0 ? 0 : grid_.column_operand(0, column, line);
    }
    std::fill(view_.drained.begin(), view_.drained.end(), 0);
    std::fill(view_.drain_valid.begin(), view_.drain_valid.end(), std::uint8_t{0});
  }

  void look_at_drain() {
    view_.drain_valid = drain_.valid();
    for (std::size_t column = 0; column < view_.drained.size(); ++column) {
      view_.drained[column] = view_.drain_valid[column] != 0 ? drain_.values()[column] : 0;
    }
  }

  const ArrayTask& task_;
  ArrayFaults faults_;
  bool sums_stay_;
  ArrayCounts counts_;
  PeLanes lanes_;
  PeGrid<Word> grid_;
  OperandFeeder<Word> feeder_;
  ColumnDrain<Word> drain_;
  ArrayTile tile_;
  Fold fold_;
  std::int64_t diagonal_ = 1;  ///< groups on the diagonal of the array
  std::int64_t row_at_ = 0;
  std::int64_t column_at_ = 0;
  std::int64_t fold_number_ = 0;
  std::int64_t preload_lines_ = 0;
  std::int64_t line_ = 0;
  std::int64_t token_ = -1;
  std::int64_t executed_ = 0;
  LineTime line_time_;
  bool last_fold_ = false;
  bool tile_is_done_ = false;
  bool watches_ = false;
  ArrayView view_;
};

}  // namespace

std::unique_ptr<ArrayEngine> make_array_engine(const ArrayTask& task, const ArrayFaults& faults) {
  if (task.array.fold_overlap != FoldOverlap::kNone ||
      task.array.dataflow == Dataflow::kDotColumns) {
    return make_overlap_engine(task, faults);
  }
  constexpr std::int64_t kNarrow = 32;
  if (std::max(task.accumulator_bits, task.sum_bits) <= kNarrow)
    return std::make_unique<Engine<std::uint32_t>>(task, faults);
  return std::make_unique<Engine<std::uint64_t>>(task, faults);
}

LineTime serve_line(const ArrayTask& task, std::int64_t used_rows, std::int64_t used_columns,
                    bool reads_sums, bool finishes) {
  const bool inputs_stay = task.array.dataflow == Dataflow::kInputStationary;
  const bool weights_stay = task.array.dataflow == Dataflow::kWeightStationary;
  const std::int64_t step = task.mode.cycles;
  // Bits that are asked for in `step` lines, so that an operand that lasts several is whole.
  const std::int64_t input = (inputs_stay ? used_columns : used_rows) * task.mode.activation_bits;
  const std::int64_t weight = (inputs_stay ? used_rows : used_columns) * task.mode.weight_bits;
  const std::int64_t output =
      used_columns * task.mode.accumulators * task.accumulator_bits * (reads_sums ? 2 : 1);
  LineTime time;
  const auto serve = [&time](std::size_t port, std::int64_t wanted, std::int64_t per_cycle) {
    std::int64_t cycles = 0;
    for (; wanted > 0; wanted -= per_cycle) ++cycles;
    time.serve(port, cycles);
  };
  for (std::size_t port = 0; port < task.ports.size(); ++port) {
    const PortGroup& group = task.ports[port];
    std::int64_t streamed = 0;
    std::int64_t preloaded = 0;
    if (group.serves[static_cast<std::size_t>(TensorRole::kInput)]) {
      (inputs_stay ? preloaded : streamed) += input;
    }
    if (group.serves[static_cast<std::size_t>(TensorRole::kWeight)]) {
      (weights_stay ? preloaded : streamed) += weight;
    }
    if (group.serves[static_cast<std::size_t>(TensorRole::kOutput)]) streamed += output * step;
    serve(port, streamed, group.bits_per_cycle * step);
    serve(port, preloaded, group.bits_per_cycle);
  }
  if (finishes && task.requant_lanes > 0) {
    serve(kRequantizerPort, used_columns * task.mode.accumulators, task.requant_lanes);
  }
  return time;
}

}  // namespace vernier::arch
