// The clocked engine: a network with widths, on a machine of SystemC modules, with real operands in
// every layer. Same result type as the analytical engine, and the outputs checked against the
// definition of each layer. An activation that stays on chip is what its producer has left there,
// in the simulation and in the definition; all other activations are drawn anew for each layer. It
// shares the program (schedule) with the analytical engine, nothing else. One simulation at a time
// in a process, in one thread; several runs side by side take several processes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/clocked/clocked_machine.hpp"
#include "dataflow/clocked/operands.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/mapping/mapping_plan.hpp"
#include "dataflow/result/cost.hpp"

namespace vernier::dataflow {

/// Values of one tensor of the network. Activations: [channels][height][width] of one image;
/// weights: [output channels][input channels of a group][kernel height][kernel width].
struct TensorValues {
  std::vector<std::int32_t> values;
  std::vector<std::int64_t> shape;  ///< as above; sizes of 1 may be left out or added
  std::string origin;               ///< file, for messages
};

struct ClockedOptions {
  std::uint64_t seed = 1;  ///< of the operands that are drawn
  bool strict_bits = false;
  bool check_data = true;
  /// Mappings to use instead of the mapper's; a loan.
  const MappingPlan* mappings = nullptr;
  std::map<std::string, TensorValues> tensors;  ///< by name; all others are drawn
  std::string waveform_file;                    ///< VCD; empty: none
  Timeline* timeline = nullptr;
  /// Layer that waveform and timeline show; empty: the first one on the array for the waveform,
  /// all for the timeline.
  std::string window_layer;
};

/// What the comparison of a layer's outputs with its definition found.
struct DataCheck {
  std::int64_t outputs = 0;     ///< compared, before and after requantization
  std::int64_t mismatches = 0;  ///< outputs that differ
  std::int64_t overflows = 0;   ///< sums that left the accumulator
  std::string first_mismatch;   ///< empty: none
};

struct ClockedNetwork {
  NetworkCost cost;
  std::vector<DataCheck> checks;  ///< by layer; views and free concatenations compare nothing
  std::int64_t busy_cycles = 0;   ///< cycles in which the array or the vector unit worked

  [[nodiscard]] std::int64_t outputs() const;
  [[nodiscard]] std::int64_t mismatches() const;
};

/// Simulates a network, or says why it cannot run. `mapper` maps the tasks without a given mapping:
/// the engine itself prefers none. Throws ModelError as the analytical engine does,
/// and for tensors that do not fit the network.
[[nodiscard]] Result<ClockedNetwork> simulate(const Machine& machine, const LayerGraph& graph,
                                              const NetworkPrecision& precision,
                                              const Mapper& mapper,
                                              const ClockedOptions& options = {});

/// The cost of one task from what the machine did.
[[nodiscard]] CostSummary cost_of_run(const ClockedRun& run, const LayerSchedule& schedule,
                                      const Machine& machine);

/// Compares a run with the definition of the task; `codes`: the outputs by definition.
[[nodiscard]] DataCheck check_outputs(const LayerTask& task, const Accelerator& machine,
                                      const TaskOperands& operands, const ClockedRun& run,
                                      std::vector<std::int64_t>* codes = nullptr);

}  // namespace vernier::dataflow
