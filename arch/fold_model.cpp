#include "arch/fold_model.hpp"

namespace vernier::arch {

std::int64_t fold_lines(const ArraySpec& array, std::int64_t temporal) {
  const std::int64_t skew = array.rows + array.columns - 2;
  const bool preloads = array.dataflow != Dataflow::kOutputStationary;
  return checked_add(temporal, skew + (preloads ? array.rows : 0));
}

FoldDemand fold_demand(const ArraySpec& array, const MacMode& mode, std::int64_t accumulator_bits,
                       const FoldShape& fold) {
  FoldDemand demand;
  demand.step_cycles = mode.cycles;
  const bool input_stationary = array.dataflow == Dataflow::kInputStationary;
  // os, ws: pixels or reduction elements enter at the rows, weights at the columns; is: exchanged.
  const std::int64_t input_lanes = input_stationary ? fold.used_columns : fold.used_rows;
  const std::int64_t weight_lanes = input_stationary ? fold.used_rows : fold.used_columns;
  demand.input_bits = input_lanes * mode.activation_bits;
  demand.weight_bits = weight_lanes * mode.weight_bits;
  demand.output_bits =
      fold.used_columns * mode.accumulators * accumulator_bits * (fold.reads_partial_sums ? 2 : 1);
  demand.input_is_preloaded = input_stationary;
  demand.weight_is_preloaded = array.dataflow == Dataflow::kWeightStationary;
  return demand;
}

}  // namespace vernier::arch
