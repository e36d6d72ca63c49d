// Where the cycles of a layer went (design 5.5). Both engines fill it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "arch/base/units.hpp"

namespace vernier::dataflow {

/// Where the cycles of a layer went; the sum is exact (design 5.5).
enum class CycleCause : std::uint8_t {
  kCompute,
  kPort,
  kFill,
  kInput,
  kWeight,
  kPsum,
  kOutput,
  kDrain
};
inline constexpr int kCycleCauseCount = 8;
[[nodiscard]] std::string_view to_text(CycleCause cause);

/// Cycles by cause.
struct CycleBreakdown {
  std::array<std::int64_t, kCycleCauseCount> by_cause{};

  [[nodiscard]] std::int64_t& operator[](CycleCause cause) {
    return by_cause[static_cast<std::size_t>(cause)];
  }
  [[nodiscard]] std::int64_t operator[](CycleCause cause) const {
    return by_cause[static_cast<std::size_t>(cause)];
  }
  [[nodiscard]] Cycles total() const;
  void add(const CycleBreakdown& other);
  friend bool operator==(const CycleBreakdown&, const CycleBreakdown&) = default;
};

}  // namespace vernier::dataflow
