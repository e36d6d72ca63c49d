// Activations that stay on chip, for the clocked engine: where each of their elements lies in the
// resident part of the buffer, and what must lie there by the definition of the layers. Places are
// given out first come, first fit, and taken again when the last consumer is done, so that a tensor
// whose life was thought too short would be overwritten and found out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataflow/clocked/clocked_machine.hpp"
#include "dataflow/clocked/operands.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// Places of the activations of one task, in the order of its operands; empty: not on chip.
struct ChainedTask {
  std::array<std::vector<std::int64_t>, 2> inputs;
  std::vector<std::int64_t> output;
};

class ChainedTensors {
 public:
  /// The arguments must outlive it. Throws ModelError for a tensor whose codes the operands of a
  /// task cannot hold (32 unsigned bits).
  ChainedTensors(const LayerGraph& graph, const NetworkPrecision& precision,
                 const std::vector<LoweredLayer>& layers);

  /// Places of the activations of the task with a number in its layer.
  [[nodiscard]] ChainedTask places_of(LayerId layer, std::size_t number) const;
  /// Those places as the machine is given them; a loan of `task`.
  [[nodiscard]] TaskPlaces loan(const ChainedTask& task) const;

  /// Brings what the layers before have left, by definition, into the operands of a task.
  void fill_inputs(LayerId layer, std::size_t number, TaskOperands& operands) const;
  /// Writes down the codes that a task leaves, by definition.
  void leave(LayerId layer, std::size_t number, const std::vector<std::int64_t>& codes);

 private:
  /// First place of each tensor that a layer writes on chip.
  using Bases = std::vector<std::optional<std::int64_t>>;

  void give_out_places();
  [[nodiscard]] ChainedTask find(const Bases& bases, LayerId layer, std::size_t number) const;

  const LayerGraph& graph_;
  const NetworkPrecision& precision_;
  const std::vector<LoweredLayer>& layers_;
  Bases on_chip_;
  std::int64_t elements_ = 0;
  // By definition every tensor keeps a place of its own.
  Bases by_definition_;
  std::vector<std::int64_t> expected_;  // codes
};

}  // namespace vernier::dataflow
