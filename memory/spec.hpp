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

/// How many blocks of each operand a buffer holds: two, so that one is loaded while the other is
/// used, or one (design 5.2).
enum class Buffering : std::uint8_t { kSingle, kDouble };

/// One on-chip buffer: a part for activations that stay on chip, if any, and a part for the blocks
/// of tiles, which is the whole of a single buffer or cut into two halves in different banks.
struct BufferSpec {
  std::string name;
  std::vector<TensorRole> serves;
  Bytes capacity{0};
  std::int64_t banks = 2;
  std::int64_t ports = 1;
  Bits word{32};
  Buffering buffering = Buffering::kDouble;
  Bytes resident_bytes{0};  ///< kept for activations that stay on chip between layers

  [[nodiscard]] bool serves_role(TensorRole role) const;
  /// Blocks of an operand that it holds at a time.
  [[nodiscard]] std::int64_t blocks_held() const { return buffering == Buffering::kSingle ? 1 : 2; }
  /// Bits for one block of every operand: whole words of half of what `resident_bytes` leaves, of
  /// all of it in a single buffer.
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
             "size of everything in it");
  visitor.integer("banks", spec.banks, {1, 1 << 20}, Need::kRequired,
                  "banks; the halves of a double buffer and what stays on chip lie in different "
                  "ones");
  visitor.integer("ports", spec.ports, {1, 64}, Need::kOptional,
                  "accesses that one bank takes per cycle");
  unit_field(visitor, "word", "bit, B", spec.word, &parse_bits, Need::kRequired,
             "width of one access");
  static const std::vector<std::string> bufferings{"single", "double"};
  enum_field(visitor, "buffering", spec.buffering, bufferings, Need::kOptional,
             "whether a block may be loaded while another one of its operand is used");
  unit_field(visitor, "resident_bytes", "B, KiB, MiB", spec.resident_bytes, &parse_bytes,
             Need::kOptional,
             "part of the capacity in which activations stay on chip from layer to layer; for a "
             "buffer that serves input and output");
}

}  // namespace vernier::memory
