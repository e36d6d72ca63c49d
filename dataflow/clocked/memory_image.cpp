#include "dataflow/clocked/memory_image.hpp"

#include <cstring>

#include "arch/base/units.hpp"

namespace vernier::dataflow {

std::int64_t MemoryImage::element_bytes(Bitwidth bits) {
  constexpr int kByte = 8;
  return bits.bits() <= kByte ? 1 : (bits.bits() <= 2 * kByte ? 2 : 4);
}

memory::MemoryRegion MemoryImage::add_room(std::int64_t elements, std::int64_t bytes_each,
                                           std::int64_t packed_bits) {
  constexpr std::int64_t kBitsPerByte = 8;
  constexpr std::int64_t kPage = 4096;  // tensors begin on pages, as an allocator has them
  const memory::MemoryRegion region{bytes_.size(), bytes_each,
                                    static_cast<std::uint64_t>(packed_bytes_)};
  const std::int64_t packed = ceil_div(checked_mul(elements, packed_bits), kBitsPerByte);
  packed_bytes_ = checked_add(packed_bytes_, round_up(packed, kPage));
  bytes_.resize(bytes_.size() + static_cast<std::size_t>(checked_mul(elements, bytes_each)));
  return region;
}

memory::MemoryRegion MemoryImage::add(const std::vector<std::int32_t>& values, Bitwidth bits,
                                      std::int64_t packed_bits) {
  const std::int64_t each = element_bytes(bits);
  const memory::MemoryRegion region =
      add_room(static_cast<std::int64_t>(values.size()), each, packed_bits);
  const std::uint64_t mask = (1ULL << static_cast<unsigned>(bits.bits())) - 1;
  unsigned char* place = bytes_.data() + region.address;
  for (const std::int32_t value : values) {
    const auto code = static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) & mask;
    std::memcpy(place, &code, static_cast<std::size_t>(each));  // little endian, as x86 and ARM
    place += each;
  }
  return region;
}

std::vector<std::int64_t> MemoryImage::read(const memory::MemoryRegion& region,
                                            std::int64_t elements) const {
  std::vector<std::int64_t> codes(static_cast<std::size_t>(elements));
  const unsigned char* place = bytes_.data() + region.address;
  for (std::int64_t& code : codes) {
    std::memcpy(&code, place, static_cast<std::size_t>(region.element_bytes));
    place += region.element_bytes;
  }
  return codes;
}

}  // namespace vernier::dataflow
