#include "memory/spec.hpp"

#include <algorithm>
#include <utility>

namespace vernier::memory {

bool BufferSpec::serves_role(TensorRole role) const {
  return std::find(serves.begin(), serves.end(), role) != serves.end();
}

Bits BufferSpec::half() const {
  const Bits blocks = to_bits(capacity) - to_bits(resident_bytes);
  return word * (blocks.count() / word.count() / blocks_held());
}

Bits BufferSpec::bits_per_cycle() const { return word * checked_mul(banks, ports); }

DramSpec DramSpec::with_timing(DramTimingSpec timing, Hertz core_clock) {
  DramSpec spec;
  spec.bandwidth = effective_bandwidth(timing, core_clock);
  spec.latency = effective_latency(timing, core_clock);
  spec.timing = std::move(timing);
  return spec;
}

const std::vector<std::string>& served_role_names() {
  static const std::vector<std::string> names{"input", "weight", "output"};
  return names;
}

}  // namespace vernier::memory
