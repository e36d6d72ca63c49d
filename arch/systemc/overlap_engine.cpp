#include "arch/systemc/overlap_engine.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "arch/systemc/operand_source.hpp"
#include "arch/systemc/output_port.hpp"
#include "arch/systemc/overlap_grid.hpp"

namespace vernier::arch {
namespace {

OperandSets sets_of(const ArrayTask& task) {
  const bool inputs_stay = task.array.dataflow == Dataflow::kInputStationary;
  const MacMode& mode = task.mode;
  return {mode.reduction, inputs_stay ? mode.out_channels : mode.pixels,
          inputs_stay ? mode.pixels : mode.out_channels};
}

template <typename Word>
class OverlapEngine final : public ArrayEngine {
 public:
  OverlapEngine(const ArrayTask& task, const ArrayFaults& faults)
      : task_(task),
        faults_(faults),
        rows_(task.array.rows),
        columns_(task.array.columns),
        dataflow_(task.array.dataflow),
        sets_(sets_of(task)),
        grid_(task.array, sets_),
        source_(task, sets_, counts_),
        port_(task, !faults.skip_sum_reads, counts_),
        accumulators_(static_cast<std::size_t>(columns_ * sets_.sums())),
        lanes_(static_cast<std::size_t>(std::max(sets_.row_lanes(), sets_.column_lanes()))) {}

  void begin_tile(const ArrayTile& tile) override {
    source_.begin_tile(tile);
    port_.begin_tile(tile);
    if (tile.adds_zero_points) add_zero_points(task_, tile, counts_);
    running_.clear();
    preloads_.clear();
    fold_number_ = -1;
    line_ = 0;
    interval_line_ = 0;
    stream_left_ = 0;
    register_left_ = 0;
    std::fill(accumulators_.begin(), accumulators_.end(), Word{0});
    has_next_ = true;
    set_next(0, 0);
    const Fold first = next_;
    if (task_.array.preloads()) begin_preload(false);
    // The first interval sees the second fold's preload too.
    std::vector<PortDemand> behind;
    advance();
    if (has_next_ && task_.array.preloads()) behind.push_back(demand_of(next_, false));
    const PortDemand demand = demand_of(first, !has_next_);
    line_time_ = serve_interval(task_, {demand}, behind, demand);
    has_next_ = true;
    set_next(0, 0);
  }

  LineOutcome lines(std::int64_t most) override {
    LineOutcome outcome = line();
    for (std::int64_t done = 1; done < most && !outcome.ends_tile && !starts_interval(); ++done) {
      const LineOutcome next = line();
      outcome.cycles += next.cycles;
      outcome.ends_tile = next.ends_tile;
    }
    return outcome;
  }

  [[nodiscard]] const ArrayCounts& counts() const override { return counts_; }
  void watch() override {
    watches_ = true;
    view_.row_operands.resize(static_cast<std::size_t>(rows_));
    view_.column_operands.resize(static_cast<std::size_t>(columns_));
    view_.drained.resize(static_cast<std::size_t>(columns_));
    view_.drain_valid.resize(static_cast<std::size_t>(columns_));
  }
  [[nodiscard]] const ArrayView& view() const override { return view_; }

 private:
  // A fold whose stream has begun and whose last sum has not left.
  struct Running {
    Fold fold;
    std::int64_t start = 0;  // line of the tile
    bool is_last = false;
    std::vector<Word> banks;
  };
  // A fold whose stationary operand is on its way into the shadow registers.
  struct Preload {
    Fold fold;
    std::int64_t start = 0;
    bool skewed = true;
  };

  [[nodiscard]] bool sums_stay() const { return dataflow_ == Dataflow::kOutputStationary; }

  // ---- which folds there are ----

  [[nodiscard]] std::int64_t along_rows() const {
    switch (dataflow_) {
      case Dataflow::kOutputStationary: return source_.pixel_steps();
      case Dataflow::kDotColumns: return source_.dot_rows();
      default: return source_.reduction_steps();
    }
  }
  [[nodiscard]] std::int64_t along_columns() const {
    return dataflow_ == Dataflow::kInputStationary ? source_.pixel_steps()
                                                   : source_.channel_steps();
  }
  [[nodiscard]] std::int64_t along_time() const {
    switch (dataflow_) {
      case Dataflow::kOutputStationary: return source_.reduction_steps();
      case Dataflow::kInputStationary: return source_.channel_steps();
      case Dataflow::kDotColumns: return source_.pixel_steps() * source_.reduction_steps();
      case Dataflow::kWeightStationary: break;
    }
    return source_.pixel_steps();
  }

  void set_next(std::int64_t row, std::int64_t column) {
    const ArrayTile& tile = port_.tile();
    const bool adds_up = task_.array.preloads();  // over the folds of the reduction
    const bool last_rows = row + rows_ >= along_rows();
    next_.first_row = row;
    next_.used_rows = std::min(rows_, along_rows() - row);
    next_.first_column = column;
    next_.used_columns = std::min(columns_, along_columns() - column);
    next_.stream_cycles = along_time() * task_.mode.cycles;
    next_.reads_sums = !tile.first_visit || (adds_up && row > 0);
    next_.finishes = tile.last_visit && (!adds_up || last_rows);
  }

  void advance() {
    std::int64_t row = next_.first_row + rows_;
    std::int64_t column = next_.first_column;
    if (row >= along_rows()) {
      row = 0;
      column += columns_;
    }
    has_next_ = column < along_columns();
    if (has_next_) set_next(row, column);
  }

  // ---- when a fold starts ----

  // Row 0 is free for the next stream; so is what the fold needs beside it: column 0 of the shadow
  // registers is full, or the bus of column 0 will be free when the fold's first sum is done.
  [[nodiscard]] bool starts_interval() const {
    const bool alone = task_.array.fold_overlap == FoldOverlap::kNone;
    if (alone && !running_.empty()) return false;
    const std::int64_t slack = faults_.start_early && fold_number_ >= 0 ? 1 : 0;
    return has_next_ && stream_left_ <= slack && register_left_ <= slack;
  }

  void begin_preload(bool skewed) {
    source_.begin_preload(next_);
    preloads_.push_back({next_, line_, skewed});
    register_left_ = rows_;
  }

  void start_fold() {
    Running fold;
    fold.fold = next_;
    fold.start = line_;
    stream_left_ = next_.stream_cycles;
    if (sums_stay())
      register_left_ = rows_ * task_.mode.accumulators;  // a bus takes one sum per line
    if (dataflow_ == Dataflow::kDotColumns) {
      fold.banks = std::move(spare_banks_);
      source_.fill_banks(next_, grid_.padded_columns(), fold.banks);
    }
    source_.begin_fold(next_);
    advance();
    fold.is_last = !has_next_;
    running_.push_back(std::move(fold));
    if (has_next_ && task_.array.preloads()) begin_preload(true);
    if (++fold_number_ == 0) return;
    interval_line_ = 0;
    std::vector<PortDemand> streams;
    std::vector<PortDemand> preloads;
    streams.reserve(running_.size());
    preloads.reserve(preloads_.size());
    for (const Running& at : running_) streams.push_back(demand_of(at.fold, at.is_last));
    for (const Preload& at : preloads_) preloads.push_back(demand_of(at.fold, false));
    line_time_ = serve_interval(task_, streams, preloads, {});
  }

  [[nodiscard]] PortDemand demand_of(const Fold& fold, bool is_last) const {
    return {.used_rows = fold.used_rows,
            .used_columns = fold.used_columns,
            .output_cycles = join_cycles(),
            .sums_per_line = sums_stay() && !is_last ? 1 : task_.mode.accumulators,
            .reads_sums = fold.reads_sums,
            .finishes = fold.finishes};
  }

  // ---- one line ----

  LineOutcome line() {
    LineOutcome outcome;
    if (starts_interval()) start_fold();
    outcome.begins_fold = interval_line_ == 0;
    outcome.cycles = line_time_.cycles;
    ++counts_.lines;
    counts_.port_cycles += line_time_.cycles - 1;
    counts_.port_waits[line_time_.slowest] += line_time_.cycles - 1;
    grid_.begin_line();
    for (const Running& at : running_) feed(at, line_ - at.start);
    for (const Preload& at : preloads_) shift(at, line_ - at.start);
    flip_if_due();
    if (watches_) look();
    grid_.multiply();
    for (const Running& at : running_) {
      if (sums_stay()) {
        drain_buses(at, line_ - at.start);
      } else {
        drain_bottom(at.fold, line_ - at.start);
      }
    }
    outcome.ends_tile = retire();
    stream_left_ = std::max<std::int64_t>(0, stream_left_ - 1);
    register_left_ = std::max<std::int64_t>(0, register_left_ - 1);
    ++line_;
    ++interval_line_;
    ++executed_;
    return outcome;
  }

  // What enters the array for a fold, and what it meets there.
  void feed(const Running& at, std::int64_t line) {
    const Fold& fold = at.fold;
    const std::int64_t cycles = fold.stream_cycles;
    if (task_.array.preloads()) {
      const std::int64_t diagonal = line - (faults_.take_over_late ? 1 : 0);
      for (std::int64_t row = std::max<std::int64_t>(0, diagonal - columns_ + 1);
           row < rows_ && row <= diagonal; ++row) {
        grid_.take_over(row, diagonal - row);
      }
    }
    const std::int64_t first = std::max<std::int64_t>(0, line - cycles + 1);
    for (std::int64_t row = first; row < fold.used_rows && row <= line; ++row) {
      source_.read_row(fold, row, line - row, lanes_.data());
      for (std::int64_t lane = 0; lane < sets_.row_lanes(); ++lane) {
        grid_.enter_row(lane, row, lanes_[static_cast<std::size_t>(lane)]);
      }
    }
    if (sums_stay()) {
      for (std::int64_t column = first; column < fold.used_columns && column <= line; ++column) {
        source_.read_column(fold, column, line - column, lanes_.data());
        for (std::int64_t lane = 0; lane < sets_.column_lanes(); ++lane) {
          grid_.enter_column(lane, column, lanes_[static_cast<std::size_t>(lane)]);
        }
      }
    }
    if (dataflow_ == Dataflow::kDotColumns) load_from_banks(at, line);
  }

  void load_from_banks(const Running& at, std::int64_t line) {
    const std::int64_t phases = join_cycles();
    const std::int64_t words = sets_.column_lanes() * grid_.padded_columns();
    for (std::int64_t row = 0; row < at.fold.used_rows && row <= line; ++row) {
      const std::int64_t newest = line - row;
      const ColumnRange columns{std::max<std::int64_t>(0, newest - at.fold.stream_cycles + 1),
                                std::min(columns_, newest + 1)};
      if (columns.begin >= columns.end) continue;
      grid_.load(row, columns, at.banks.data() + (row * phases + newest % phases) * words);
    }
  }

  void shift(const Preload& at, std::int64_t line) {
    grid_.shift_shadows(line, at.skewed);
    const ColumnRange columns = grid_.shifting(line, 0, at.skewed);
    for (std::int64_t column = columns.begin; column < columns.end; ++column) {
      const std::int64_t row = rows_ - 1 - (line - (at.skewed ? column : 0));  // bottom row first
      source_.read_stationary(at.fold, row, column, lanes_.data());
      for (std::int64_t lane = 0; lane < sets_.column_lanes(); ++lane) {
        grid_.top_shadows(lane)[column] = lanes_[static_cast<std::size_t>(lane)];
      }
    }
  }

  // PE (x, y) has its sums in the line of its last product. The bus of column y then takes them,
  // rows ascending: one per line while another fold follows, else all of a PE at once.
  void drain_buses(const Running& at, std::int64_t line) {
    const Fold& fold = at.fold;
    const std::int64_t newest = line - (fold.stream_cycles - 1);  // row that is done in column 0
    for (std::int64_t column = 0; column < fold.used_columns && column <= newest; ++column) {
      const std::int64_t done = newest - column;
      if (done < fold.used_rows) grid_.finish_sums(done, column);
      const std::int64_t row = at.is_last ? done : done / task_.mode.accumulators;
      if (row >= fold.used_rows) continue;
      const std::int64_t first = at.is_last ? 0 : done % task_.mode.accumulators;
      const std::int64_t end = std::min(sets_.sums(), at.is_last ? sets_.sums() : first + 1);
      for (std::int64_t sum = first; sum < end; ++sum) {
        deliver(fold, {column, fold.first_row + row, sum}, grid_.take_sum(row, column, sum));
      }
    }
  }

  // Cycles of the stream whose sums the accumulator below a column joins to one output.
  [[nodiscard]] std::int64_t join_cycles() const {
    const bool dot = dataflow_ == Dataflow::kDotColumns;
    return task_.mode.cycles * (dot ? source_.reduction_steps() : 1);
  }

  void drain_bottom(const Fold& fold, std::int64_t line) {
    const std::int64_t cycles = join_cycles();
    const std::int64_t newest = line - (rows_ - 1);  // element that leaves column 0
    const std::int64_t first = std::max<std::int64_t>(0, newest - (fold.stream_cycles - 1));
    const std::int64_t end = std::min(fold.used_columns, newest + 1);
    for (std::int64_t sum = 0; sum < sets_.sums(); ++sum) {
      const Word* bottom = grid_.bottom_sums(sum);
      for (std::int64_t column = first; column < end; ++column) {
        Word& accumulator = accumulators_[static_cast<std::size_t>(sum * columns_ + column)];
        accumulator += bottom[column];
        const std::int64_t element = newest - column;
        if (element % cycles != cycles - 1) continue;
        const Word joined = accumulator;
        if (!faults_.keep_column_sums) accumulator = 0;
        deliver(fold, {column, element / cycles, sum}, joined);
      }
    }
  }

  // Where a sum comes from: `step` is the row's place in os, else what streams by.
  struct SumPlace {
    std::int64_t column = 0;
    std::int64_t step = 0;
    std::int64_t sum = 0;
  };

  void deliver(const Fold& fold, const SumPlace& from, Word sum) {
    const std::int64_t set = from.sum % sets_.column_sets;
    const std::int64_t along = from.step * sets_.row_sets + from.sum / sets_.column_sets;
    const std::int64_t across = (fold.first_column + from.column) * sets_.column_sets + set;
    const bool inputs_stay = dataflow_ == Dataflow::kInputStationary;
    const std::int64_t pixel = inputs_stay ? across : along;
    const std::int64_t channel = inputs_stay ? along : across;
    if (pixel >= port_.tile().pixels() || channel >= port_.tile().out_channels) return;
    if (inputs_stay) {
      if (along == 0) port_.count_pixel(fold, port_.tile().out_channels);
    } else if (from.column == 0 && set == 0) {
      port_.count_pixel(fold, source_.fold_channels(fold));
    }
    const std::int64_t value =
        port_.deliver(fold, pixel, channel, static_cast<std::make_signed_t<Word>>(sum));
    if (!watches_) return;
    view_.drained[static_cast<std::size_t>(from.column)] = value;
    view_.drain_valid[static_cast<std::size_t>(from.column)] = 1;
  }

  // Forgets folds and preloads whose last line this was. The tile ends in the line in which the
  // last fold's last element is in the corner.
  bool retire() {
    std::int64_t corner = rows_ - 1 + columns_ - 1;
    const Running& last = running_.empty() ? idle_ : running_.back();
    const bool partial = last.fold.used_rows < rows_ || last.fold.used_columns < columns_;
    const std::int64_t cut = faults_.shorten_last_fold && partial && corner > 0 ? 1 : 0;
    const bool ends =
        last.is_last && line_ - last.start >= last.fold.stream_cycles - 1 + corner - cut;
    std::erase_if(running_, [&](Running& at) {
      // Buses that take one sum per line are busy for longer.
      const bool paced = sums_stay() && !at.is_last;
      const std::int64_t rest = paced ? rows_ * (task_.mode.accumulators - 1) : 0;
      const bool done = line_ - at.start >= at.fold.stream_cycles - 1 + corner + rest;
      if (done) spare_banks_ = std::move(at.banks);
      return done;
    });
    std::erase_if(preloads_, [&](const Preload& at) {
      return line_ - at.start >= rows_ - 1 + (at.skewed ? columns_ - 1 : 0);
    });
    return ends;
  }

  void flip_if_due() {
    if (!faults_.flip || faults_.flip->line != executed_) return;
    const BitFlip& flip = *faults_.flip;
    VERNIER_ASSERT(flip.row >= 0 && flip.row < rows_ && flip.column >= 0 &&
                       flip.column < columns_ && flip.bit >= 0 &&
                       flip.bit < 8 * static_cast<int>(sizeof(Word)),
                   "the register and its bit exist");
    grid_.flip(flip.which, flip.row, flip.column, flip.bit);
  }

  void look() {
    using Signed = std::make_signed_t<Word>;
    view_.fold = std::max<std::int64_t>(0, fold_number_);
    view_.line = interval_line_;
    view_.preloads = !preloads_.empty();
    for (std::int64_t row = 0; row < rows_; ++row) {
      view_.row_operands[static_cast<std::size_t>(row)] =
          static_cast<Signed>(grid_.row_operand(row, 0));
    }
    for (std::int64_t column = 0; column < columns_; ++column) {
      view_.column_operands[static_cast<std::size_t>(column)] =
          static_cast<Signed>(grid_.column_operand(0, column));
    }
    std::fill(view_.drained.begin(), view_.drained.end(), 0);
    std::fill(view_.drain_valid.begin(), view_.drain_valid.end(), std::uint8_t{0});
  }

  const ArrayTask& task_;
  ArrayFaults faults_;
  std::int64_t rows_;
  std::int64_t columns_;
  Dataflow dataflow_;
  OperandSets sets_;
  ArrayCounts counts_;
  OverlapGrid<Word> grid_;
  OperandSource<Word> source_;
  OutputPort port_;
  std::vector<Word> accumulators_;  // below each column, over the cycles of an output
  std::vector<Word> lanes_;
  std::vector<Running> running_;  // oldest first
  std::vector<Preload> preloads_;
  const Running idle_{};
  std::vector<Word> spare_banks_;
  Fold next_;
  bool has_next_ = false;
  std::int64_t fold_number_ = -1;  // of the youngest running fold
  std::int64_t line_ = 0;          // of the tile
  std::int64_t interval_line_ = 0;
  std::int64_t stream_left_ = 0;    // lines until row 0 is free
  std::int64_t register_left_ = 0;  // lines until shadow registers are full, or a bus is free
  std::int64_t executed_ = 0;
  LineTime line_time_;
  bool watches_ = false;
  ArrayView view_;
};

// Bits that a fold asks for: streamed ones in the cycles of a step, preloaded ones in a line.
struct AskedBits {
  std::int64_t input = 0;
  std::int64_t weight = 0;
  std::int64_t output = 0;

  [[nodiscard]] std::int64_t at(const PortGroup& group) const {
    std::int64_t sum = 0;
    if (group.serves[static_cast<std::size_t>(TensorRole::kInput)]) sum += input;
    if (group.serves[static_cast<std::size_t>(TensorRole::kWeight)]) sum += weight;
    if (group.serves[static_cast<std::size_t>(TensorRole::kOutput)]) sum += output;
    return sum;
  }
  void raise_to(const AskedBits& other) {
    input = std::max(input, other.input);
    weight = std::max(weight, other.weight);
    output = std::max(output, other.output);
  }
};

// Columns are a line apart, so those that bring a sum together are a whole output apart.
std::int64_t columns_at_once(const PortDemand& fold) {
  std::int64_t count = 0;
  for (std::int64_t column = 0; column < fold.used_columns; column += fold.output_cycles) ++count;
  return count;
}

std::int64_t busy_columns(const ArrayTask& task, const PortDemand& fold) {
  return task.array.dataflow == Dataflow::kDotColumns ? columns_at_once(fold) : fold.used_columns;
}

AskedBits streamed(const ArrayTask& task, const PortDemand& fold) {
  AskedBits bits;
  bits.output = busy_columns(task, fold) * fold.sums_per_line * task.accumulator_bits *
                task.mode.cycles * (fold.reads_sums ? 2 : 1);
  switch (task.array.dataflow) {
    case Dataflow::kInputStationary:
      bits.weight = fold.used_rows * task.mode.weight_bits;
      return bits;
    case Dataflow::kWeightStationary: break;
    case Dataflow::kOutputStationary:
      bits.weight = fold.used_columns * task.mode.weight_bits;
      break;
    case Dataflow::kDotColumns:  // every unit from its own bank
      bits.weight = fold.used_rows * fold.used_columns * task.mode.weight_bits;
      break;
  }
  bits.input = fold.used_rows * task.mode.activation_bits;
  return bits;
}

AskedBits preloaded(const ArrayTask& task, const PortDemand& fold) {
  AskedBits bits;
  if (task.array.dataflow == Dataflow::kWeightStationary) {
    bits.weight = fold.used_columns * task.mode.weight_bits;
  } else if (task.array.dataflow == Dataflow::kInputStationary) {
    bits.input = fold.used_columns * task.mode.activation_bits;
  }
  return bits;
}

}  // namespace

LineTime serve_interval(const ArrayTask& task, const std::vector<PortDemand>& streams,
                        const std::vector<PortDemand>& preloads, const PortDemand& first_preload) {
  // Rows, columns and buses work for one fold at a time, so the largest fold counts.
  AskedBits stream;
  std::int64_t requantized = 0;
  for (const PortDemand& fold : streams) {
    stream.raise_to(streamed(task, fold));
    if (!fold.finishes) continue;
    requantized = std::max(requantized, busy_columns(task, fold) * fold.sums_per_line);
  }
  AskedBits preload;
  for (const PortDemand& fold : preloads) preload.raise_to(preloaded(task, fold));
  const AskedBits alone = preloaded(task, first_preload);
  LineTime time;
  const auto serve = [&time](std::size_t port, std::int64_t wanted, std::int64_t per_cycle) {
    std::int64_t cycles = 0;
    for (; wanted > 0; wanted -= per_cycle) ++cycles;
    time.serve(port, cycles);
  };
  const std::int64_t step = task.mode.cycles;
  for (std::size_t port = 0; port < task.ports.size(); ++port) {
    const PortGroup& group = task.ports[port];
    serve(port, stream.at(group) + preload.at(group) * step, group.bits_per_cycle * step);
    serve(port, alone.at(group), group.bits_per_cycle);
  }
  if (task.requant_lanes > 0) serve(kRequantizerPort, requantized, task.requant_lanes);
  return time;
}

std::unique_ptr<ArrayEngine> make_overlap_engine(const ArrayTask& task, const ArrayFaults& faults) {
  constexpr std::int64_t kNarrow = 32;
  if (std::max(task.accumulator_bits, task.sum_bits) <= kNarrow)
    return std::make_unique<OverlapEngine<std::uint32_t>>(task, faults);
  return std::make_unique<OverlapEngine<std::uint64_t>>(task, faults);
}

}  // namespace vernier::arch
