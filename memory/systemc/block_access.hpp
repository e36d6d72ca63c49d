// A block on its way between DRAM and a buffer as a TLM-2.0 generic payload: the data array holds
// the block's elements one after the other, and this extension says where they lie in memory and
// how many bits the packed block has on the channel.
//
// In memory every element takes whole bytes (1, 2, 4 or 8), so that any platform can read and write
// tensors; traffic and time are those of the packed form of the contract (design 5.2).
#pragma once

#include <array>
#include <cstdint>

#include <tlm>

namespace vernier::memory {

/// Runs of elements side by side, in a grid of two dimensions; in elements.
struct RowPattern {
  std::int64_t first = 0;
  std::int64_t run = 0;
  std::array<std::int64_t, 2> count{1, 1};
  std::array<std::int64_t, 2> stride{0, 0};

  [[nodiscard]] std::int64_t elements() const { return run * count[0] * count[1]; }
  /// Calls visit(first element of a run) for every run, in the order of the block.
  template <typename Visit>
  void for_each_run(const Visit& visit) const {
    for (std::int64_t outer = 0; outer < count[0]; ++outer) {
      for (std::int64_t inner = 0; inner < count[1]; ++inner) {
        visit(first + outer * stride[0] + inner * stride[1]);
      }
    }
  }
};

/// Rides on every payload of the DMA engine. The payload's address is that of element 0 of the
/// tensor; a memory that does not know the extension would serve the wrong place, so the DMA
/// engine expects memories that do.
struct BlockAccess : tlm::tlm_extension<BlockAccess> {
  RowPattern pattern;
  std::int64_t element_bytes = 1;
  std::int64_t packed_bits = 0;  ///< on the channel
  /// Where the packed tensor begins in DRAM, for memories whose time depends on addresses: element
  /// e of the tensor lies packed_bits / elements of the block * e bits behind it.
  std::uint64_t packed_address = 0;
  std::int64_t moved_bits = 0;  ///< answer of a memory that moves whole bursts; 0: packed_bits

  [[nodiscard]] tlm::tlm_extension_base* clone() const override { return new BlockAccess(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    *this = static_cast<const BlockAccess&>(other);
  }
};

/// Copies a payload's data between its data array and memory bytes; for targets. Sets the response
/// status: an address error outside [base, base + size), a command error without the extension.
void serve_block(tlm::tlm_generic_payload& payload, std::uint64_t base, unsigned char* memory,
                 std::uint64_t size);

}  // namespace vernier::memory
