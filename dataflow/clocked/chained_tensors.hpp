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
  void fill_inputs(const ChainedTask& places, const LayerTask& task, TaskOperands& operands) const;
  /// Writes down the codes that a task leaves, by definition.
  void leave(const ChainedTask& places, const std::vector<std::int64_t>& codes);

 private:
  void give_out_places();
  [[nodiscard]] std::vector<std::int64_t> places_of_tensor(TensorId tensor) const;
  [[nodiscard]] std::vector<std::int64_t> joined(const Layer& layer) const;
  [[nodiscard]] std::vector<std::int64_t> places_of_input(const Layer& layer, const LayerTask& task,
                                                          std::size_t slot,
                                                          std::size_t number) const;
  [[nodiscard]] std::vector<std::int64_t> places_of_output(const Layer& layer,
                                                           std::size_t number) const;
  [[nodiscard]] std::vector<std::int64_t> image_by_image(TensorId tensor) const;

  const LayerGraph& graph_;
  const NetworkPrecision& precision_;
  const std::vector<LoweredLayer>& layers_;
  std::vector<std::optional<std::int64_t>> base_;  // of tensors that a layer writes on chip
  std::int64_t elements_ = 0;
  std::vector<std::int64_t> expected_;  // codes by place
};

}  // namespace vernier::dataflow
