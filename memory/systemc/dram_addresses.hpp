// From a block of a tensor to the bursts of DRAM that it touches, and from a burst to its place.
//
// Layout: a tensor lies packed from BlockAccess::packed_address on. Element e of the tensor begins
// packed_bits / elements * e bits behind it, rounded down, where both are those of the block: rows
// padded to words, as they travel (design 5.2), follow each other in the order of the tensor. Every
// run of the block touches the bursts between its first and its last bit; a burst that the run
// before has just touched is not fetched again.
#pragma once

#include <array>
#include <cstdint>

#include "memory/dram_timing.hpp"
#include "memory/systemc/block_access.hpp"

namespace vernier::memory {

/// Place of a burst.
struct DramPlace {
  std::int64_t channel = 0;
  std::int64_t bank = 0;  ///< of the channel, ranks outer, bank groups next
  std::int64_t row = 0;
  std::int64_t column = 0;  ///< in bursts

  friend bool operator==(const DramPlace&, const DramPlace&) = default;
};

/// Cuts burst numbers into their parts. Sizes need not be powers of two.
class AddressDecoder {
 public:
  explicit AddressDecoder(const DramTimingSpec& spec);
  /// `burst` counts whole bursts from address 0 and lies below the capacity.
  [[nodiscard]] DramPlace place_of(std::int64_t burst) const;

 private:
  AddressMapping mapping_;
  std::array<std::int64_t, kDramFields> sizes_{};  ///< by DramField
};

/// Hands out the bursts of a block in the order of its runs.
class BurstCursor {
 public:
  BurstCursor() = default;
  BurstCursor(const BlockAccess& access, std::int64_t burst_bits);

  [[nodiscard]] bool is_done() const { return burst_ > last_; }
  [[nodiscard]] std::int64_t burst() const { return burst_; }
  void advance();
  /// Bits of DRAM from address 0 to the end of the block.
  [[nodiscard]] std::int64_t end_bits() const;

 private:
  void begin_run();
  [[nodiscard]] std::int64_t bit_of(std::int64_t element, bool up) const;

  RowPattern pattern_;
  std::int64_t packed_bits_ = 0;
  std::int64_t elements_ = 1;
  std::int64_t base_bits_ = 0;
  std::int64_t burst_bits_ = 1;
  std::array<std::int64_t, 2> at_{};  ///< run of the grid
  std::int64_t burst_ = 0;
  std::int64_t last_ = -1;  ///< of the run
};

}  // namespace vernier::memory
