// What lies in the on-chip buffers: two halves per stream of blocks, and the part in which
// activations stay from layer to layer. Operands are codes, outputs are sums until their last visit
// and codes after it.
//
// A tile reads a resident operand and finishes resident outputs in their places. The array works on
// dense blocks, so the block of a stream is filled from those places in no time when a tile starts,
// and emptied into them when one has finished its outputs: addresses only, nothing is counted.
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
  /// Fills a half from the places of its elements.
  void read_resident(const ResidentPlaces& places, const RowPattern& pattern, BlockStream stream,
                     std::int64_t half);
  /// Brings finished outputs of a half to the places of their elements.
  void write_resident(const ResidentPlaces& places, const RowPattern& pattern, std::int64_t half);
  /// The part that stays, element by element.
  [[nodiscard]] std::vector<std::uint32_t>& resident() { return resident_; }
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
  std::vector<std::uint32_t> resident_;
};

}  // namespace vernier::memory
