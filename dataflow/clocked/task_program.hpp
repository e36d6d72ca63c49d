// From a task and its tensors to the program that the clocked machine runs.
#pragma once

#include "arch/systemc/array_program.hpp"
#include "arch/systemc/vector_engine.hpp"
#include "dataflow/clocked/operands.hpp"

namespace vernier::dataflow {

[[nodiscard]] arch::ArrayTask array_program(const LayerTask& task, const Accelerator& machine,
                                            const TaskOperands& operands);
[[nodiscard]] arch::VectorTask vector_program(const LayerTask& task, const Accelerator& machine,
                                              const TaskOperands& operands);

/// What the drain adds to each output channel: the bias, and what a zero point of the activations
/// contributes (it does not depend on the pixel, so it is worked out beforehand):
/// sum (a - za)(w - zw) = sum a w - za sum w - zw sum (a - za), padded a being za.
[[nodiscard]] std::vector<std::int64_t> drain_bias(const LayerTask& task,
                                                   const TaskOperands& operands);

}  // namespace vernier::dataflow
