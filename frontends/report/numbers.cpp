#include "frontends/report/numbers.hpp"

#include <fmt/format.h>

namespace vernier::frontends {

std::string grouped(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  constexpr std::size_t kGroup = 3;
  for (std::size_t at = digits.size(); at > kGroup && at - kGroup > (value < 0 ? 1U : 0U);) {
    at -= kGroup;
    digits.insert(at, ",");
  }
  return digits;
}

std::string energy_text(Picojoules energy) {
  const double value = energy.count();
  if (value >= 1e9) return fmt::format("{:.3f} mJ", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.3f} uJ", value / 1e6);
  if (value >= 1e3) return fmt::format("{:.3f} nJ", value / 1e3);
  return fmt::format("{:.3f} pJ", value);
}

std::string bytes_text(Bits bits) {
  const double bytes = static_cast<double>(bits.count()) / 8.0;
  constexpr double kKibi = 1024.0;
  if (bytes >= kKibi * kKibi) return fmt::format("{:.2f} MiB", bytes / kKibi / kKibi);
  if (bytes >= kKibi) return fmt::format("{:.2f} KiB", bytes / kKibi);
  return fmt::format("{:.0f} B", bytes);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

}  // namespace vernier::frontends
