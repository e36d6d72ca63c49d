#include "memory/port_model.hpp"

namespace vernier::memory {

std::int64_t cycles_per_line(const arch::FoldDemand& demand, std::span<const BufferSpec> buffers) {
  return line_time(demand, buffers).cycles;
}

arch::LineTime line_time(const arch::FoldDemand& demand, std::span<const BufferSpec> buffers) {
  arch::LineTime time;
  for (std::size_t at = 0; at < buffers.size(); ++at) {
    const BufferSpec& buffer = buffers[at];
    std::int64_t streamed = 0;
    std::int64_t preloaded = 0;
    if (buffer.serves_role(TensorRole::kInput)) {
      (demand.input_is_preloaded ? preloaded : streamed) += demand.input_bits;
    }
    if (buffer.serves_role(TensorRole::kWeight)) {
      (demand.weight_is_preloaded ? preloaded : streamed) += demand.weight_bits;
    }
    if (buffer.serves_role(TensorRole::kOutput)) {
      streamed += demand.output_bits * demand.step_cycles;
    }
    const std::int64_t width = buffer.bits_per_cycle().count();
    time.serve(at, ceil_div(streamed, checked_mul(width, demand.step_cycles)));
    time.serve(at, ceil_div(preloaded, width));
  }
  return time;
}

}  // namespace vernier::memory
