// Writes a cost table for other people's search code.
#pragma once

#include <string>
#include <vector>

#include "dataflow/surrogate/cost_table.hpp"

namespace vernier::frontends {

/// A table with where it comes from; references are loans for the time of writing.
struct CostTableReport {
  const dataflow::Machine& machine;
  const dataflow::LayerGraph& graph;
  const dataflow::CostTable& table;
  std::int64_t output_bits = 8;
  std::string machine_file;
  std::string model_file;
  std::vector<std::string> overrides;  ///< --set options
  std::vector<std::string> assumptions;
};

/// What a table of numbers without names holds.
enum class TableQuantity : std::uint8_t { kLatency, kEnergy, kDram };
[[nodiscard]] const std::vector<std::string>& table_quantity_names();
/// "ms", "pJ", "bit".
[[nodiscard]] std::string unit_of(TableQuantity quantity);

/// One row per layer and pair, units in the column names, provenance in the last columns.
[[nodiscard]] std::string cost_table_csv(const CostTableReport& report);
/// layers[].entries[] with energy by component, and `free_bits`: latencies by the key that Free
/// Bits uses for a layer (kernel, sizes, groups, padding, stride, channels; square convolutions and
/// dense layers), input bits before weight bits.
[[nodiscard]] std::string cost_table_json(const CostTableReport& report);

/// The form of HAQ's lookup table: [MAC layer][weight bits - 1][activation bits - 1], widths
/// rounded up as the machine does; infinity where a pair cannot run.
struct NestedTable {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};
[[nodiscard]] NestedTable nested_table(const CostTableReport& report, TableQuantity quantity);
/// Names of the nested table's layers, its unit and provenance, which .npy has no place for.
[[nodiscard]] std::string nested_table_json(const CostTableReport& report, TableQuantity quantity);

}  // namespace vernier::frontends
