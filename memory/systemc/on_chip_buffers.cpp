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
  resident_.resize(std::max(resident_.size(), static_cast<std::size_t>(program.resident_elements)));
}

void OnChipBuffers::read_resident(const ResidentPlaces& places, const RowPattern& pattern,
                                  BlockStream stream, std::int64_t half) {
  std::uint32_t* code = codes(stream, half).data();
  pattern.for_each_run([&](std::int64_t first) {
    for (std::int64_t at = first; at < first + pattern.run; ++at) {
      *code++ = resident_[static_cast<std::size_t>(places[static_cast<std::size_t>(at)])];
    }
  });
}

void OnChipBuffers::write_resident(const ResidentPlaces& places, const RowPattern& pattern,
                                   std::int64_t half) {
  const std::int64_t* code = outputs(half).data();
  pattern.for_each_run([&](std::int64_t first) {
    for (std::int64_t at = first; at < first + pattern.run; ++at) {
      resident_[static_cast<std::size_t>(places[static_cast<std::size_t>(at)])] =
          static_cast<std::uint32_t>(*code++);
    }
  });
}

}  // namespace vernier::memory
