#include "dataflow/evaluate/overlapped_folds.hpp"

#include <algorithm>

#include "memory/port_model.hpp"

namespace vernier::dataflow {
namespace {

using arch::FoldDemand;
using arch::FoldShape;

class FoldSequence {
 public:
  FoldSequence(const TileFolds& folds, const arch::MacMode& mode, const Accelerator& machine)
      : folds_(folds),
        mode_(mode),
        machine_(machine),
        array_(machine.spec().array),
        row_folds_(folds.rows_are_folded ? ceil_div(folds.row_steps, array_.rows) : 1),
        column_folds_(ceil_div(folds.column_steps, array_.columns)),
        count_(checked_mul(row_folds_, column_folds_)),
        interval_(fold_interval(array_, mode, folds.temporal)),
        earlier_((stream_lines(array_, mode, folds.temporal) - 1) / interval_),
        // A preload begins with the interval before its fold's, and column y runs y lines late.
        preloading_((array_.rows + array_.columns - 2) / interval_ - 1) {}

  FoldCycles cycles() const {
    FoldCycles result;
    const std::int64_t reach = std::max(earlier_, preloading_);
    // Column folds in the middle are alike when all folds that their lines see are.
    const std::int64_t first_alike = ceil_div(reach + 1, row_folds_);
    const std::int64_t alike = std::max<std::int64_t>(0, column_folds_ - 2 - first_alike);
    std::int64_t column = 0;
    while (column < column_folds_) {
      const std::int64_t times = column == first_alike && alike > 0 ? alike : 1;
      add_column_fold(column, reach, times, result);
      column += times;
    }
    return result;
  }

 private:
  void add_column_fold(std::int64_t column, std::int64_t reach, std::int64_t times,
                       FoldCycles& result) const {
    // The same holds for row folds in the middle of a column fold.
    const std::int64_t first_alike = reach + 1;
    const std::int64_t alike = std::max<std::int64_t>(0, row_folds_ - 2 - first_alike);
    std::int64_t row = 0;
    while (row < row_folds_) {
      const std::int64_t count = row == first_alike && alike > 0 ? alike : 1;
      const std::int64_t fold = column * row_folds_ + row;
      const std::int64_t lines = checked_mul(checked_mul(count, times), lines_of_interval(fold));
      result.lines = checked_add(result.lines, lines);
      const arch::LineTime time = rho(fold);
      const std::int64_t waits = checked_mul(lines, time.cycles - 1);
      result.port_cycles = checked_add(result.port_cycles, waits);
      result.port_waits[time.slowest] += waits;
      row += count;
    }
  }

  [[nodiscard]] std::int64_t lines_of_interval(std::int64_t fold) const {
    const bool last = fold + 1 == count_;
    const std::int64_t stream =
        last ? checked_add(folds_.temporal, array_.rows + array_.columns - 2) : interval_;
    return checked_add(stream, fold == 0 && array_.preloads() ? array_.rows : 0);
  }

  [[nodiscard]] FoldShape shape(std::int64_t fold) const {
    const std::int64_t row = fold % row_folds_;
    const std::int64_t column = fold / row_folds_;
    const bool last_rows = row + 1 == row_folds_;
    FoldShape result;
    result.used_rows = std::min(array_.rows, folds_.row_steps - row * array_.rows);
    result.used_columns = std::min(array_.columns, folds_.column_steps - column * array_.columns);
    result.temporal = folds_.temporal;
    result.reads_partial_sums = folds_.first_reads || (folds_.row_folds_add_sums && row > 0);
    result.finishes_outputs = folds_.finishes && (!folds_.row_folds_add_sums || last_rows);
    result.output_cycles = folds_.output_cycles;
    return result;
  }

  // Sums of a column that leave in one line: a fold that another one follows hands them over one by
  // one, the last fold all sums of a PE together.
  [[nodiscard]] std::int64_t sums_per_line(std::int64_t fold) const {
    const bool sums_stay = array_.dataflow == arch::Dataflow::kOutputStationary;
    return sums_stay && fold + 1 < count_ ? 1 : mode_.accumulators;
  }

  // Cycles per line in an interval: the slowest buffer, or the requantizer.
  [[nodiscard]] arch::LineTime rho(std::int64_t interval) const {
    FoldDemand peak;
    peak.step_cycles = mode_.cycles;
    std::int64_t requantized = 0;
    for (std::int64_t fold = std::max<std::int64_t>(0, interval - earlier_); fold <= interval;
         ++fold) {
      const FoldShape at = shape(fold);
      const FoldDemand demand = demand_of(at);
      if (!demand.input_is_preloaded)
        peak.input_bits = std::max(peak.input_bits, demand.input_bits);
      if (!demand.weight_is_preloaded) {
        peak.weight_bits = std::max(peak.weight_bits, demand.weight_bits);
      }
      const std::int64_t sums = sums_per_line(fold);
      peak.output_bits = std::max(peak.output_bits, demand.output_bits / mode_.accumulators * sums);
      if (at.finishes_outputs) {
        requantized = std::max(requantized, drained_columns(array_, at) * sums);
      }
    }
    const auto& buffers = machine_.spec().buffers;
    if (array_.preloads()) add_preloads(interval, peak);
    arch::LineTime time = memory::line_time(peak, buffers);
    if (array_.preloads() && interval == 0) {
      const arch::LineTime alone = memory::line_time(only_preload(demand_of(shape(0))), buffers);
      time.serve(alone.slowest, alone.cycles);
    }
    const std::int64_t lanes = machine_.spec().vector.requant_lanes;
    if (lanes > 0) time.serve(arch::kRequantizerPort, ceil_div(requantized, lanes));
    return time;
  }

  [[nodiscard]] FoldDemand demand_of(const FoldShape& fold) const {
    return fold_demand(array_, mode_, machine_.spec().mac.accumulator_bits, fold);
  }

  // Preloads behind running streams; that of the first fold is over before the first stream.
  void add_preloads(std::int64_t interval, FoldDemand& peak) const {
    std::int64_t input = 0;
    std::int64_t weight = 0;
    for (std::int64_t fold = std::max<std::int64_t>(1, interval - preloading_);
         fold <= std::min(interval + 1, count_ - 1); ++fold) {
      const FoldDemand demand = demand_of(shape(fold));
      if (demand.input_is_preloaded) input = std::max(input, demand.input_bits);
      if (demand.weight_is_preloaded) weight = std::max(weight, demand.weight_bits);
    }
    peak.input_bits += input * peak.step_cycles;
    peak.weight_bits += weight * peak.step_cycles;
  }

  [[nodiscard]] static FoldDemand only_preload(FoldDemand demand) {
    if (!demand.input_is_preloaded) demand.input_bits = 0;
    if (!demand.weight_is_preloaded) demand.weight_bits = 0;
    demand.output_bits = 0;
    return demand;
  }

  const TileFolds& folds_;
  const arch::MacMode& mode_;
  const Accelerator& machine_;
  const arch::ArraySpec& array_;
  std::int64_t row_folds_;
  std::int64_t column_folds_;
  std::int64_t count_;
  std::int64_t interval_;
  std::int64_t earlier_;     ///< folds before that still have lines in an interval
  std::int64_t preloading_;  ///< the same for preloads; -1: only that of the next fold
};

}  // namespace

FoldCycles overlapped_folds(const TileFolds& folds, const arch::MacMode& mode,
                            const Accelerator& machine) {
  return FoldSequence(folds, mode, machine).cycles();
}

}  // namespace vernier::dataflow
