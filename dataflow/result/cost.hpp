// What a layer and a network cost on a machine: the one result type of both engines and the only
// input of every report.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/base/activity.hpp"
#include "arch/port_waits.hpp"
#include "dataflow/mapping/layer_task.hpp"
#include "dataflow/mapping/mapping.hpp"
#include "dataflow/result/cycle_breakdown.hpp"
#include "dataflow/schedule/layer_schedule.hpp"
#include "energy/breakdown.hpp"

namespace vernier::dataflow {

/// Bits over the DRAM channel by tensor and direction. Partial sums count as output.
struct DramBits {
  Bits input_read;
  Bits weight_read;
  Bits output_read;
  Bits output_write;

  [[nodiscard]] Bits total() const { return input_read + weight_read + output_read + output_write; }
  void add(const DramBits& other);
  friend bool operator==(const DramBits&, const DramBits&) = default;
};

/// What the cycles of a layer are mostly spent on.
enum class BoundBy : std::uint8_t { kNothing, kCompute, kDram, kPort, kFill };
[[nodiscard]] std::string_view to_text(BoundBy bound);
/// What takes longest: computing, the busy DRAM channel, port cycles, or fill and drain; ties in
/// this order. A channel that is busy all the time binds a layer even where no tile waits for it.
[[nodiscard]] BoundBy bound_by(const CycleBreakdown& cycles, std::int64_t channel_busy_cycles);

/// The part of a cost that layers and the whole network share.
struct CostSummary {
  Macs macs{0};  ///< products of the network's definition, padding positions included
  CycleBreakdown cycles;
  arch::PortWaits port_waits{};  ///< the port cycles by who needs them
  std::int64_t channel_busy_cycles = 0;
  DramBits dram;
  Activity activity;
  energy::EnergyBreakdown energy;
  /// PE-cycles times MACs per cycle at each layer's own precision: what could have been done.
  double peak_macs = 0.0;
  /// Cycles that the MACs would take at each layer's own peak: the compute side of the roofline.
  double ideal_compute_cycles = 0.0;
  Bytes peak_on_chip{0};  ///< bytes of buffer in use at most

  /// MACs done of those possible at the precision in these cycles; 0 when there are none.
  [[nodiscard]] double utilisation() const;
};

/// Adds the counts of one cost to another; on-chip bytes take the larger. Energy is not added but
/// priced anew from the summed activity by the caller, so that both always agree.
void accumulate(CostSummary& sum, const CostSummary& part);

/// Figures that follow from the task, its schedule and the cycles alone: MACs, peak MACs, ideal
/// cycles, bytes of buffer in use. Needs `cycles`.
void set_static_figures(CostSummary& cost, const LayerSchedule& schedule,
                        const Accelerator& machine);

/// How one task of a layer ran.
struct TaskOutline {
  TaskUnit unit = TaskUnit::kArray;
  LayerPrecision precision;  ///< meaningful for array tasks
  Mapping mapping;
  std::int64_t groups = 1;  ///< of the layer; on the vector unit channels of a depthwise one
  std::int64_t groups_at_once = 1;  ///< that a tile holds on the array
  friend bool operator==(const TaskOutline&, const TaskOutline&) = default;
};

/// One layer. A view has no task, a layer with a sliced weight one per width.
struct LayerCost {
  LayerId layer = 0;
  std::vector<TaskOutline> tasks;
  CostSummary cost;
};

/// A network on a machine.
struct NetworkCost {
  CostSummary total;
  std::vector<LayerCost> layers;  ///< in topological order
  std::vector<WidthRounding> roundings;
  /// Of every activation that a layer writes, in that order; empty for machines without residency.
  std::vector<ActivationResidence> residences;
};

}  // namespace vernier::dataflow
