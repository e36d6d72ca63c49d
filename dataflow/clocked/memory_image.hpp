// Tensors of a task as bytes of DRAM.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/base/bitwidth.hpp"
#include "memory/systemc/tile_program.hpp"

namespace vernier::dataflow {

/// Lays tensors out one after the other.
class MemoryImage {
 public:
  explicit MemoryImage(std::vector<unsigned char>& bytes) : bytes_(bytes) { bytes_.clear(); }

  /// Whole bytes that an element of a width takes: 1, 2 or 4.
  [[nodiscard]] static std::int64_t element_bytes(Bitwidth bits);
  /// A tensor of values; only their low bits are kept. Packed, an element of it takes at most
  /// `packed_bits`.
  memory::MemoryRegion add(const std::vector<std::int32_t>& values, Bitwidth bits,
                           std::int64_t packed_bits = 0);
  /// Room for `elements`, all zeros.
  memory::MemoryRegion add_room(std::int64_t elements, std::int64_t bytes_each,
                                std::int64_t packed_bits = 0);
  /// Bytes of DRAM that all packed tensors take.
  [[nodiscard]] std::int64_t packed_bytes() const { return packed_bytes_; }
  /// Unsigned codes of a region.
  [[nodiscard]] std::vector<std::int64_t> read(const memory::MemoryRegion& region,
                                               std::int64_t elements) const;

 private:
  std::vector<unsigned char>& bytes_;
  std::int64_t packed_bytes_ = 0;
};

}  // namespace vernier::dataflow
