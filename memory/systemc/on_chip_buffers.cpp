#include "memory/systemc/on_chip_buffers.hpp"

#include <algorithm>

namespace vernier::memory {

void OnChipBuffers::reserve(const TaskProgram& program) {
  const auto grow = [](auto& halves, std::int64_t elements) {
    for (auto& half : halves) {
      half.resize(std::max(half.size(), static_cast<std::size_t>(elements)));
    }
  };
  for (std::size_t stream = 0; stream < kLoadStreams; ++stream) {
    grow(codes_[stream], program.largest_block[stream]);
  }
  constexpr auto kWeight = static_cast<std::size_t>(BlockStream::kWeight);
  grow(codes_[kWeight], program.next_weight.pattern.elements());
  const std::int64_t outputs =
      program.largest_block[static_cast<std::size_t>(BlockStream::kOutput)];
  grow(outputs_, outputs);
  grow(exact_, outputs);
}

}  // namespace vernier::memory
