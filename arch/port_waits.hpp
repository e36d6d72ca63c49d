// Who makes the lines of a fold longer than a cycle (design 5.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vernier::arch {

/// Each of the three operands has one buffer.
inline constexpr std::size_t kMostBuffers = 3;
/// Number of the requantizer; buffers have that of their place in the machine file.
inline constexpr std::size_t kRequantizerPort = kMostBuffers;

/// Cycles that lines take beyond one each, by who takes longest.
using PortWaits = std::array<std::int64_t, kMostBuffers + 1>;

/// Cycles that a line takes, at least 1, and who needs them; of several the one with the least
/// number.
struct LineTime {
  std::int64_t cycles = 1;
  std::size_t slowest = 0;

  void serve(std::size_t port, std::int64_t needed) {
    if (needed < cycles || (needed == cycles && (cycles == 1 || port >= slowest))) return;
    cycles = needed;
    slowest = port;
  }
};

}  // namespace vernier::arch
