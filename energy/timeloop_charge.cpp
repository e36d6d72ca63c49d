#include "energy/timeloop_charge.hpp"

#include "arch/base/checked.hpp"
#include "arch/base/error.hpp"

namespace vernier::energy {

Picojoules timeloop_charge(const LevelAccesses& accesses, const LevelEnergies& energies,
                           std::int64_t block) {
  if (block < 1 || accesses.instances < 0 || accesses.reads < 0 || accesses.fills < 0 ||
      accesses.updates < 0) {
    throw ConfigError("accesses of a level: counts must be 0 or more, a block 1 word or more");
  }
  const auto blocks = [block](std::int64_t words) {
    return static_cast<double>(ceil_div(words, block));
  };
  const Picojoules one = energies.read * blocks(accesses.reads) +
                         energies.write * blocks(accesses.fills) +
                         energies.update * blocks(accesses.updates);
  return one * static_cast<double>(accesses.instances);
}

Picojoules timeloop_leakage(Picojoules per_cycle, std::int64_t cycles, std::int64_t instances) {
  return per_cycle * (static_cast<double>(cycles) * static_cast<double>(instances));
}

}  // namespace vernier::energy
