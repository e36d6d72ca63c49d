#include "memory/systemc/block_access.hpp"

#include <cstring>

namespace vernier::memory {

void serve_block(tlm::tlm_generic_payload& payload, std::uint64_t base, unsigned char* memory,
                 std::uint64_t size) {
  const BlockAccess* access = payload.get_extension<BlockAccess>();
  const bool reads = payload.is_read();
  if (access == nullptr || (!reads && !payload.is_write())) {
    payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    return;
  }
  const auto bytes = static_cast<std::uint64_t>(access->pattern.run * access->element_bytes);
  unsigned char* data = payload.get_data_ptr();
  bool inside = payload.get_address() >= base;
  access->pattern.for_each_run([&](std::int64_t first) {
    const std::uint64_t at =
        payload.get_address() - base + static_cast<std::uint64_t>(first * access->element_bytes);
    inside = inside && at <= size && bytes <= size - at;
    if (!inside) return;
    if (reads) {
      std::memcpy(data, memory + at, bytes);
    } else {
      std::memcpy(memory + at, data, bytes);
    }
    data += bytes;
  });
  payload.set_response_status(inside ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

}  // namespace vernier::memory
