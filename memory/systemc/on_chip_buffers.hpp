// What lies in the on-chip buffers: two halves per stream of blocks. Operands are codes, outputs
// are sums until their last visit and codes after it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "memory/systemc/tile_program.hpp"

namespace vernier::memory {

class OnChipBuffers {
 public:
  /// Makes room for a task's largest blocks and keeps what is there.
  void reserve(const TaskProgram& program);

  [[nodiscard]] std::vector<std::uint32_t>& codes(BlockStream stream, std::int64_t half) {
    return codes_[static_cast<std::size_t>(stream)][static_cast<std::size_t>(half)];
  }
  [[nodiscard]] std::vector<std::int64_t>& outputs(std::int64_t half) {
    return outputs_[static_cast<std::size_t>(half)];
  }
  /// Full-width results beside the outputs, for the data check.
  [[nodiscard]] std::vector<std::int64_t>& exact(std::int64_t half) {
    return exact_[static_cast<std::size_t>(half)];
  }

 private:
  template <typename Element>
  using Halves = std::array<std::vector<Element>, 2>;
  std::array<Halves<std::uint32_t>, kLoadStreams> codes_;
  Halves<std::int64_t> outputs_;
  Halves<std::int64_t> exact_;
};

}  // namespace vernier::memory
