#include "arch/systemc/array_program.hpp"

#include <algorithm>

namespace vernier::arch {

std::int64_t requantize(std::int64_t value, int shift, std::int64_t bits) {
  const std::int64_t rounded = shift > 0 ? (value >> shift) + ((value >> (shift - 1)) & 1) : value;
  const std::int64_t most = (std::int64_t{1} << (bits - 1)) - 1;
  const std::int64_t clipped = std::clamp(rounded, -most - 1, most);
  return clipped & ((std::int64_t{1} << bits) - 1);
}

}  // namespace vernier::arch
