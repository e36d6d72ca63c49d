#include "arch/systemc/array_program.hpp"

#include <algorithm>

namespace vernier::arch {

std::int64_t requantize(std::int64_t value, int shift, std::int64_t bits) {
  const std::int64_t half = shift > 0 ? std::int64_t{1} << (shift - 1) : 0;
  const std::int64_t most = (std::int64_t{1} << (bits - 1)) - 1;
  const std::int64_t clipped = std::clamp((value + half) >> shift, -most - 1, most);
  return clipped & ((std::int64_t{1} << bits) - 1);
}

}  // namespace vernier::arch
