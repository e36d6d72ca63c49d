// What the memory part of a machine is: on-chip buffers and the DRAM channel, as stated in the
// description file. Plain data; the laws are in packing and dram_channel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arch/base/activity.hpp"
#include "arch/base/fields.hpp"
#include "arch/base/units.hpp"
#include "memory/dram_timing.hpp"

namespace vernier::memory {

/// One on-chip buffer. Every operand it serves is double buffered: two halves in different banks.
struct BufferSpec {
  std::string name;
  std::vector<TensorRole> serves;
  Bytes capacity{0};
  std::int64_t banks = 2;
  std::int64_t ports = 1;
  Bits word{32};

  [[nodiscard]] bool serves_role(TensorRole role) const;
  /// Bits of one half: whole words of half the capacity.
  [[nodiscard]] Bits half() const;
  /// Bits that all banks and ports deliver in one cycle.
  [[nodiscard]] Bits bits_per_cycle() const;
};

/// DRAM of the `bandwidth` model: one channel, one command at a time, in program order. With
/// `timing` it is a memory of banks, rows and refresh, which only the SystemC engine simulates;
/// rate and latency are then what effective_bandwidth and effective_latency say.
struct DramSpec {
  Bandwidth bandwidth;
  Cycles latency{0};
  std::optional<DramTimingSpec> timing{};

  /// A memory of the `timing` model at a core clock.
  [[nodiscard]] static DramSpec with_timing(DramTimingSpec timing, Hertz core_clock);
};

[[nodiscard]] const std::vector<std::string>& served_role_names();

template <typename Visitor>
void visit_fields(Visitor& visitor, BufferSpec& spec) {
  unit_field(visitor, "capacity", "B, KiB, MiB", spec.capacity, &parse_bytes, Need::kRequired,
             "size of both halves together");
  visitor.integer("banks", spec.banks, {2, 1 << 20}, Need::kRequired,
                  "banks; an even number, since the halves of a double buffer lie in different "
                  "banks");
  visitor.integer("ports", spec.ports, {1, 64}, Need::kOptional,
                  "accesses that one bank takes per cycle");
  unit_field(visitor, "word", "bit, B", spec.word, &parse_bits, Need::kRequired,
             "width of one access");
}

}  // namespace vernier::memory
