// Timeloop's charge for one tensor in one level, as its results follow it: a level moves blocks of
// words, an access that ends inside a block pays for the whole of it, and all instances that are in
// use do the same.
#pragma once

#include <cstdint>

#include "arch/base/units.hpp"

namespace vernier::energy {

/// Words that one instance of a level moves for one tensor.
struct LevelAccesses {
  std::int64_t instances = 1;
  std::int64_t reads = 0;
  std::int64_t fills = 0;
  std::int64_t updates = 0;
};

/// Energy of one block access, as an ERT states it.
struct LevelEnergies {
  Picojoules read{0.0};
  Picojoules write{0.0};
  Picojoules update{0.0};
};

/// instances * (ceil(reads / block) * read + ceil(fills / block) * write + ceil(updates / block) *
/// update), `block` words being one access (width / datawidth). Throws ConfigError for a block
/// below 1 or negative counts.
[[nodiscard]] Picojoules timeloop_charge(const LevelAccesses& accesses,
                                         const LevelEnergies& energies, std::int64_t block);

/// Leakage of the instances in use over the cycles of the run, stalls included.
[[nodiscard]] Picojoules timeloop_leakage(Picojoules per_cycle, std::int64_t cycles,
                                          std::int64_t instances);

}  // namespace vernier::energy
