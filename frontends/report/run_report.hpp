// Everything a report of `vernier run` shows, and the derived figures that a person asks for. All
// writers (table, JSON, CSV) format this and compute nothing of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/graph/import_report.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/result/cost.hpp"
#include "dataflow/result/roofline.hpp"

namespace vernier::frontends {

/// What the clocked engine's comparison of all outputs with the definition of the layers found.
struct DataCheckFigures {
  std::uint64_t seed = 0;        ///< of the operands that were drawn
  std::int64_t outputs = 0;      ///< compared
  std::int64_t mismatches = 0;   ///< outputs that differ
  std::int64_t overflows = 0;    ///< sums that left the accumulator
  std::int64_t busy_cycles = 0;  ///< cycles in which the array or the vector unit worked
  std::string first_mismatch;    ///< empty: none
};

/// A finished evaluation with its inputs; references are loans for the time of writing.
struct RunReport {
  const dataflow::Machine& machine;
  const dataflow::LayerGraph& graph;
  const dataflow::NetworkPrecision& precision;
  const dataflow::NetworkCost& cost;
  const dataflow::ImportReport& import;
  std::string engine = "analytical";
  std::string machine_file;
  std::string model_file;
  std::string bits_origin;             ///< "--bits w=4,a=8", a file name, or "model"
  std::vector<std::string> overrides;  ///< --set options
  std::vector<std::string> assumptions;
  std::optional<DataCheckFigures> data_check;  ///< of the clocked engine
};

/// Figures that follow from a cost at the machine's clock.
struct DerivedFigures {
  double time_ms = 0.0;
  std::optional<double> inferences_per_s;  ///< images per second; none without cycles
  double average_power_mw = 0.0;
  double tops = 0.0;                 ///< 2 operations per MAC
  std::optional<double> tops_per_w;  ///< none without energy
};
[[nodiscard]] DerivedFigures derive(const dataflow::CostSummary& cost, Hertz clock,
                                    std::int64_t batch);

/// Whose ports the port cycles wait for: "  (input 80.0%, requantizer 20.0%)"; empty without any.
[[nodiscard]] std::string port_waits_text(const dataflow::CostSummary& cost,
                                          const dataflow::AcceleratorSpec& spec);

/// Where a cost of the report stands under the machine's roofline; nothing without MACs.
[[nodiscard]] std::optional<dataflow::Roofline> roofline_in(const RunReport& report,
                                                            const dataflow::CostSummary& cost);

/// One layer on the time axis of a run: layers follow each other without a gap (design 5.7).
struct PowerSample {
  dataflow::LayerId layer = 0;
  double begin_ms = 0.0;
  double end_ms = 0.0;
  double average_power_mw = 0.0;
};
/// Average power of each layer over its cycles, in the order of the run; layers without cycles have
/// no sample. The samples' energies sum to the total.
[[nodiscard]] std::vector<PowerSample> power_over_time(const dataflow::NetworkCost& cost,
                                                       Hertz clock);

/// One file with schema_version, total and layers[] (docs/result.schema.json).
[[nodiscard]] std::string to_json(const RunReport& report);
/// A table for a terminal, with totals, layers, energy and notes.
[[nodiscard]] std::string to_table(const RunReport& report);
/// One row per layer and one for the total, same columns as the JSON keys.
[[nodiscard]] std::string to_csv(const RunReport& report);

/// A line that says what was rounded: "tensor 'x': 3 bits stored as 4, computed as 4".
[[nodiscard]] std::string rounding_text(const dataflow::LayerGraph& graph,
                                        const dataflow::WidthRounding& rounding);

}  // namespace vernier::frontends
