#include "dataflow/schedule/network_schedule.hpp"

namespace vernier::dataflow {

bool prefetch_fits(const LayerSchedule& current, Bits next_weight, const Accelerator& machine) {
  const memory::BufferSpec& buffer = machine.buffer(TensorRole::kWeight);
  BlockBits blocks = current.largest_blocks();
  blocks.weight = next_weight;
  return blocks.in_buffer(buffer) <= buffer.half();
}

std::vector<TaskBorder> task_borders(std::span<const LayerSchedule* const> tasks,
                                     const Accelerator& machine) {
  std::vector<TaskBorder> borders(tasks.size());
  for (std::size_t at = 0; at + 1 < tasks.size(); ++at) {
    const Bits block = tasks[at + 1]->first_weight_block();
    if (block.count() == 0 || !prefetch_fits(*tasks[at], block, machine)) continue;
    borders[at].next_weight = block;
    borders[at + 1].weight_is_loaded = true;
  }
  return borders;
}

}  // namespace vernier::dataflow
