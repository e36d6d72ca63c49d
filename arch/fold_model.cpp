#include "arch/fold_model.hpp"

#include <algorithm>

namespace vernier::arch {

std::int64_t fold_lines(const ArraySpec& array, std::int64_t temporal) {
  const std::int64_t skew = array.rows + array.columns - 2;
  return checked_add(temporal, skew + (array.preloads() ? array.rows : 0));
}

std::int64_t fold_interval(const ArraySpec& array, const MacMode& mode, std::int64_t temporal) {
  switch (array.fold_overlap) {
    case FoldOverlap::kNone: return fold_lines(array, temporal);
    case FoldOverlap::kPreload: return std::max(temporal, array.rows);
    case FoldOverlap::kFull: break;
  }
  // Where sums stay in the PEs, a column's bus takes one of them per line.
  const bool sums_stay = array.dataflow == Dataflow::kOutputStationary;
  return std::max(temporal, sums_stay ? checked_mul(array.rows, mode.accumulators) : 1);
}

std::int64_t stream_lines(const ArraySpec& array, const MacMode& mode, std::int64_t temporal) {
  const bool paced =
      array.fold_overlap == FoldOverlap::kFull && array.dataflow == Dataflow::kOutputStationary;
  const std::int64_t drained = paced ? checked_mul(array.rows, mode.accumulators) : array.rows;
  return checked_add(temporal, drained + array.columns - 2);
}

std::int64_t drained_columns(const ArraySpec& array, const FoldShape& fold) {
  if (array.dataflow != Dataflow::kDotColumns) return fold.used_columns;
  return ceil_div(fold.used_columns, fold.output_cycles);
}

FoldDemand fold_demand(const ArraySpec& array, const MacMode& mode, std::int64_t accumulator_bits,
                       const FoldShape& fold) {
  FoldDemand demand;
  demand.step_cycles = mode.cycles;
  const bool input_stationary = array.dataflow == Dataflow::kInputStationary;
  const bool own_banks = array.dataflow == Dataflow::kDotColumns;
  // os, ws: pixels or reduction elements enter at the rows, weights at the columns; is: exchanged.
  const std::int64_t input_lanes = input_stationary ? fold.used_columns : fold.used_rows;
  const std::int64_t weight_lanes = input_stationary ? fold.used_rows : fold.used_columns;
  demand.input_bits = input_lanes * mode.activation_bits;
  demand.weight_bits = weight_lanes * (own_banks ? fold.used_rows : 1) * mode.weight_bits;
  demand.output_bits = drained_columns(array, fold) * mode.accumulators * accumulator_bits *
                       (fold.reads_partial_sums ? 2 : 1);
  demand.input_is_preloaded = input_stationary;
  demand.weight_is_preloaded = array.dataflow == Dataflow::kWeightStationary;
  return demand;
}

}  // namespace vernier::arch
