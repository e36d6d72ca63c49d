#include "arch/base/units.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"

namespace vernier {
namespace {

struct UnitScale {
  std::string_view name;
  double factor;
};

constexpr UnitScale kBitUnits[] = {{"bit", 1},
                                   {"bits", 1},
                                   {"B", 8},
                                   {"kbit", 1e3},
                                   {"Mbit", 1e6},
                                   {"Kibit", 1024},
                                   {"Mibit", 1024.0 * 1024.0},
                                   {"kB", 8e3},
                                   {"MB", 8e6},
                                   {"GB", 8e9},
                                   {"KiB", 8.0 * 1024.0},
                                   {"MiB", 8.0 * 1024.0 * 1024.0},
                                   {"GiB", 8.0 * 1024.0 * 1024.0 * 1024.0}};
constexpr UnitScale kHertzUnits[] = {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}};
constexpr UnitScale kCycleUnits[] = {{"cycles", 1}, {"cycle", 1}};
constexpr UnitScale kEnergyUnits[] = {{"pJ", 1}, {"fJ", 1e-3}, {"nJ", 1e3}, {"uJ", 1e6}};
constexpr UnitScale kEnergyPerBitUnits[] = {{"pJ/bit", 1}, {"fJ/bit", 1e-3}, {"nJ/bit", 1e3}};
constexpr UnitScale kTimeUnits[] = {{"ns", 1}, {"ps", 1e-3}, {"us", 1e3}, {"ms", 1e6}};
constexpr UnitScale kPowerUnits[] = {{"mW", 1}, {"uW", 1e-3}, {"nW", 1e-6}, {"W", 1e3}};
constexpr UnitScale kAreaUnits[] = {{"um2", 1}, {"mm2", 1e6}};
constexpr UnitScale kLengthUnits[] = {{"nm", 1}, {"um", 1e3}};
constexpr UnitScale kPerCycleUnits[] = {{"bit/cycle", 1}, {"B/cycle", 8}, {"KiB/cycle", 8192}};
constexpr UnitScale kPerSecondUnits[] = {{"bit/s", 1},
                                         {"kbit/s", 1e3},
                                         {"Mbit/s", 1e6},
                                         {"Gbit/s", 1e9},
                                         {"B/s", 8},
                                         {"kB/s", 8e3},
                                         {"MB/s", 8e6},
                                         {"GB/s", 8e9},
                                         {"TB/s", 8e12},
                                         {"KiB/s", 8.0 * 1024.0},
                                         {"MiB/s", 8.0 * 1024.0 * 1024.0},
                                         {"GiB/s", 8.0 * 1024.0 * 1024.0 * 1024.0}};

constexpr double kLargestWhole = 9007199254740992.0;  // 2^53: doubles are exact up to here

std::vector<std::string> names_of(std::span<const UnitScale> units) {
  std::vector<std::string> names;
  for (const UnitScale& unit : units) names.emplace_back(unit.name);
  return names;
}

[[noreturn]] void fail_unit(std::string_view text, std::string_view unit,
                            std::span<const UnitScale> units) {
  const std::vector<std::string> names = names_of(units);
  if (unit.empty()) {
    throw ConfigError(
        fmt::format("'{}' has no unit; allowed are {}", shown(text), name_list(names, 20)));
  }
  throw ConfigError(fmt::format("'{}' has the unit '{}'; allowed are {}{}", shown(text),
                                shown(unit), name_list(names, 20), suggestion(unit, names)));
}

struct NumberAndUnit {
  double number;
  std::string_view unit;
};

NumberAndUnit split(std::string_view text) {
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || !std::isfinite(number)) {
    throw ConfigError(fmt::format("'{}' is not a number with a unit", shown(text)));
  }
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (number < 0) throw ConfigError(fmt::format("'{}' is negative", shown(text)));
  return {number, unit};
}

double scaled(std::string_view text, std::span<const UnitScale> units) {
  const NumberAndUnit parts = split(text);
  for (const UnitScale& unit : units) {
    if (unit.name != parts.unit) continue;
    const double value = parts.number * unit.factor;
    if (value > kLargestWhole) throw ConfigError(fmt::format("'{}' is too large", shown(text)));
    return value;
  }
  fail_unit(text, parts.unit, units);
}

// A product of two rounded doubles is off by at most 2^-52 of itself: 1.6 GB counts as whole, a
// tiny part of the smallest unit does not.
bool is_whole(double value) {
  constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();
  const double rounded = std::round(value);
  return std::abs(value - rounded) <= kRounding * rounded;
}

std::int64_t whole(std::string_view text, std::span<const UnitScale> units,
                   std::string_view smallest) {
  const double value = scaled(text, units);
  if (!is_whole(value)) {
    throw ConfigError(fmt::format("'{}' is not a whole number of {}", shown(text), smallest));
  }
  return static_cast<std::int64_t>(std::round(value));
}

std::string with_unit(double value, std::string_view unit) {
  return fmt::format("{:g} {}", value, unit);
}

}  // namespace

Bandwidth Bandwidth::per_cycles(std::int64_t bits, std::int64_t cycles) {
  VERNIER_ASSERT(bits > 0 && cycles > 0, "a positive bandwidth");
  const std::int64_t divisor = std::gcd(bits, cycles);
  Bandwidth result;
  result.bits_ = bits / divisor;
  result.cycles_ = cycles / divisor;
  return result;
}

Bandwidth Bandwidth::per_second(std::int64_t bits_per_second, Hertz clock) {
  return per_cycles(bits_per_second, clock.count());
}

Cycles Bandwidth::beats(Bits amount) const {
  return Cycles(ceil_mul_div(amount.count(), cycles_, bits_));
}

Bits parse_bits(std::string_view text) { return Bits(whole(text, kBitUnits, "bits")); }

Bytes parse_bytes(std::string_view text) {
  const Bits bits = parse_bits(text);
  if (bits.count() % 8 != 0) {
    throw ConfigError(fmt::format("'{}' is not a whole number of bytes", shown(text)));
  }
  return Bytes(bits.count() / 8);
}

Hertz parse_hertz(std::string_view text) { return Hertz(whole(text, kHertzUnits, "Hz")); }
Cycles parse_cycles(std::string_view text) { return Cycles(whole(text, kCycleUnits, "cycles")); }

Bandwidth parse_bandwidth(std::string_view text, Hertz clock) {
  const NumberAndUnit parts = split(text);
  if (parts.number <= 0) {
    throw ConfigError(fmt::format("'{}' must be more than 0", shown(text)));
  }
  for (const UnitScale& unit : kPerCycleUnits) {
    if (unit.name != parts.unit) continue;
    constexpr std::int64_t kFraction = 1000;  // "0.125 B/cycle" and the like stay exact
    const double bits = parts.number * unit.factor * kFraction;
    if (bits > kLargestWhole) throw ConfigError(fmt::format("'{}' is too large", shown(text)));
    if (!is_whole(bits)) {
      throw ConfigError(fmt::format("'{}' is finer than 1/1000 bit/cycle", shown(text)));
    }
    return Bandwidth::per_cycles(static_cast<std::int64_t>(std::round(bits)), kFraction);
  }
  for (const UnitScale& unit : kPerSecondUnits) {
    if (unit.name != parts.unit) continue;
    return Bandwidth::per_second(whole(text, kPerSecondUnits, "bit/s"), clock);
  }
  std::vector<UnitScale> units(std::begin(kPerCycleUnits), std::end(kPerCycleUnits));
  units.insert(units.end(), std::begin(kPerSecondUnits), std::end(kPerSecondUnits));
  fail_unit(text, parts.unit, units);
}

Picojoules parse_picojoules(std::string_view text) {
  return Picojoules(scaled(text, kEnergyUnits));
}
PicojoulesPerBit parse_picojoules_per_bit(std::string_view text) {
  return PicojoulesPerBit(scaled(text, kEnergyPerBitUnits));
}
Nanoseconds parse_nanoseconds(std::string_view text) {
  return Nanoseconds(scaled(text, kTimeUnits));
}
Milliwatts parse_milliwatts(std::string_view text) { return Milliwatts(scaled(text, kPowerUnits)); }
SquareMicrons parse_square_microns(std::string_view text) {
  return SquareMicrons(scaled(text, kAreaUnits));
}
Nanometers parse_nanometers(std::string_view text) {
  return Nanometers(whole(text, kLengthUnits, "nm"));
}

std::string to_text(Bits value) {
  if (value.count() != 0 && value.count() % 8 == 0 && value.count() >= 1024) {
    return to_text(Bytes(value.count() / 8));
  }
  return fmt::format("{} bit", value.count());
}

std::string to_text(Bytes value) {
  constexpr std::int64_t kKibi = 1024;
  const std::int64_t count = value.count();
  if (count != 0 && count % (kKibi * kKibi * kKibi) == 0) {
    return fmt::format("{} GiB", count / (kKibi * kKibi * kKibi));
  }
  if (count != 0 && count % (kKibi * kKibi) == 0) {
    return fmt::format("{} MiB", count / (kKibi * kKibi));
  }
  if (count != 0 && count % kKibi == 0) return fmt::format("{} KiB", count / kKibi);
  return fmt::format("{} B", count);
}

std::string to_text(Hertz value) {
  const auto count = static_cast<double>(value.count());
  if (count >= 1e9) return with_unit(count / 1e9, "GHz");
  if (count >= 1e6) return with_unit(count / 1e6, "MHz");
  if (count >= 1e3) return with_unit(count / 1e3, "kHz");
  return fmt::format("{} Hz", value.count());
}

std::string to_text(Cycles value) { return fmt::format("{} cycles", value.count()); }

std::string to_text(Bandwidth value) { return with_unit(value.bits_per_cycle(), "bit/cycle"); }

std::string to_text(Nanometers value) { return fmt::format("{}nm", value.count()); }

}  // namespace vernier
