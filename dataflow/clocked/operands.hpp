// Tensors for one task: what the clocked engine computes on, and what must come out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// Values of one task's tensors, in the layout of the tile walker. Every value fits the storage
/// width of its tensor.
struct TaskOperands {
  std::array<std::vector<std::int32_t>, 2> inputs;
  std::vector<std::int32_t> weights;
  std::vector<std::int32_t> bias;  ///< per output channel, groups one after the other
  std::array<bool, 2> input_is_signed{true, true};
  bool weight_is_signed = true;
  std::int32_t input_zero_point = 0;
  std::int32_t weight_zero_point = 0;
  int requant_shift = 0;  ///< finished sums are shifted right by this before they are clipped
};

/// Elements of the tensors of a task, in the order inputs, weights, outputs.
struct OperandSizes {
  std::array<std::int64_t, 2> inputs{};
  std::int64_t weights = 0;
  std::int64_t outputs = 0;
};
[[nodiscard]] OperandSizes operand_sizes(const LayerTask& task);

/// Seed of the operands of the task that has a number in its network.
[[nodiscard]] std::uint64_t operand_seed(std::uint64_t seed, std::size_t number);

/// How the codes of a task's operands are read.
struct OperandSigns {
  std::array<bool, 2> inputs{true, true};
  bool weight = true;
};

/// Draws uniform values, the same for the same seed. Where the accumulator might overflow (machines
/// that saturate), the values are drawn from a narrower range so that no sum leaves it. An input
/// that stays on chip may have any code of its storage width, so then only the weights are
/// narrowed.
[[nodiscard]] TaskOperands draw_operands(const LayerTask& task, const Accelerator& machine,
                                         std::uint64_t seed, const OperandSigns& signs = {});

/// Shift that brings a typical sum into the output's range: the bits of a product plus half of
/// those of its count, less the bits of the output.
[[nodiscard]] int typical_requant_shift(const LayerTask& task);

/// Full-width results (before requantization, or before clipping for vector tasks) in the layout of
/// the outputs, in 64-bit integers, straight from the definition of the layer.
[[nodiscard]] std::vector<std::int64_t> reference_outputs(const LayerTask& task,
                                                          const Accelerator& machine,
                                                          const TaskOperands& operands);

}  // namespace vernier::dataflow
