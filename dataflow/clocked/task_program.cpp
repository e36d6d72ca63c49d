#include "dataflow/clocked/task_program.hpp"

#include <numeric>

#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {
namespace {

arch::WindowShape shape_of(const Window& window) {
  return {window.kernel_height,   window.kernel_width,   window.stride_height, window.stride_width,
          window.dilation_height, window.dilation_width, window.pad_top,       window.pad_left};
}

arch::WordLayout layout(std::int64_t bits, const memory::BufferSpec& buffer) {
  return {bits, buffer.word.count()};
}

}  // namespace

arch::ArrayTask array_program(const LayerTask& task, const Accelerator& machine,
                              const TaskOperands& operands) {
  const AcceleratorSpec& spec = machine.spec();
  const memory::BufferSpec& output = machine.buffer(TensorRole::kOutput);
  arch::ArrayTask program;
  program.array = spec.array;
  program.array.reduction_packing = packing_of(task, spec.array);
  program.mode = machine.mode(task.weight_compute, task.activation_compute);
  program.window = shape_of(task.window);
  program.input = {task.input_storage[0], operands.input_is_signed[0]};
  program.weight = {task.weight_storage, operands.weight_is_signed};
  program.input_words = layout(task.input_storage[0].bits(), machine.buffer(TensorRole::kInput));
  program.weight_words = layout(task.weight_storage.bits(), machine.buffer(TensorRole::kWeight));
  program.output_words = layout(task.output_storage.bits(), output);
  program.partial_words = layout(spec.mac.accumulator_bits, output);
  program.groups_on_diagonal = spec.array.depthwise == arch::DepthwiseMode::kBlockDiagonal;
  program.accumulator_bits = spec.mac.accumulator_bits;
  program.sum_bits =
      task.input_storage[0].bits() + task.weight_storage.bits() + ceil_log2(task.reduction());
  for (const memory::BufferSpec& buffer : spec.buffers) {
    arch::PortGroup group;
    for (const TensorRole role : buffer.serves) group.serves[static_cast<std::size_t>(role)] = true;
    group.bits_per_cycle = buffer.bits_per_cycle().count();
    program.ports.push_back(group);
  }
  program.requant_lanes = spec.vector.requant_lanes;
  program.padding_is_real = task.asymmetric_input;
  program.weight_is_shifted = task.asymmetric_weight;
  program.input_zero_point = operands.input_zero_point;
  program.weight_zero_point = operands.weight_zero_point;
  program.requant_shift = operands.requant_shift;
  return program;
}

arch::VectorTask vector_program(const LayerTask& task, const Accelerator& machine,
                                const TaskOperands& operands) {
  static_assert(arch::kVectorActions == kMostVectorActions);
  const AcceleratorSpec& spec = machine.spec();
  arch::VectorTask program;
  program.lanes = spec.vector.lanes;
  program.actions = task.actions;
  program.ops_per_output = task.ops_per_output;
  for (std::size_t at = 0; at < task.actions.size(); ++at) {
    program.cycles_per_op[at] = spec.vector.cycles_for(task.actions[at]);
  }
  for (std::size_t slot = 0; slot < task.reach.size(); ++slot) {
    program.reach[slot] = static_cast<arch::VectorReach>(task.reach[slot]);
    program.input[slot] = {task.input_storage[slot], operands.input_is_signed[slot]};
    program.input_words[slot] =
        layout(task.input_storage[slot].bits(), machine.buffer(TensorRole::kInput));
  }
  program.output_words = layout(task.output_storage.bits(), machine.buffer(TensorRole::kOutput));
  program.channel_unit = task.channel_unit;
  program.requant_shift = operands.requant_shift;
  program.window = shape_of(task.window);
  program.in_height = task.in_height;
  program.in_width = task.in_width;
  program.out_height = task.out_height;
  program.out_width = task.out_width;
  return program;
}

std::vector<std::int64_t> drain_bias(const LayerTask& task, const TaskOperands& operands) {
  std::vector<std::int64_t> bias(operands.bias.begin(), operands.bias.end());
  if (operands.input_zero_point == 0) return bias;
  const std::int64_t reduction = task.reduction();
  auto row = operands.weights.begin();
  for (std::int64_t& value : bias) {
    const std::int64_t sum = std::accumulate(row, row + reduction, std::int64_t{0});
    value -= operands.input_zero_point * sum;
    row += reduction;
  }
  return bias;
}

}  // namespace vernier::dataflow
