// Strong unit types. A quantity never turns into another one, or into a plain number, by accident;
// conversions are named functions, counts are checked 64-bit integers, energies and areas doubles.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "arch/base/checked.hpp"

namespace vernier {

/// A number with a unit. `Tag` names the unit, `Rep` is std::int64_t (checked) or double.
template <typename Tag, typename Rep>
class Quantity {
 public:
  using rep = Rep;

  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep count) : count_(count) {}

  /// The plain number, in the unit that the type names.
  [[nodiscard]] constexpr Rep count() const { return count_; }

  friend constexpr auto operator<=>(const Quantity&, const Quantity&) = default;

  friend Quantity operator+(Quantity left, Quantity right) {
    if constexpr (std::integral<Rep>) {
      return Quantity(checked_add(left.count_, right.count_));
    } else {
      return Quantity(left.count_ + right.count_);
    }
  }
  friend Quantity operator-(Quantity left, Quantity right) {
    if constexpr (std::integral<Rep>) {
      return Quantity(checked_sub(left.count_, right.count_));
    } else {
      return Quantity(left.count_ - right.count_);
    }
  }
  friend Quantity operator*(Quantity left, Rep factor) {
    if constexpr (std::integral<Rep>) {
      return Quantity(checked_mul(left.count_, factor));
    } else {
      return Quantity(left.count_ * factor);
    }
  }
  friend Quantity operator*(Rep factor, Quantity right) { return right * factor; }
  Quantity& operator+=(Quantity other) { return *this = *this + other; }
  Quantity& operator-=(Quantity other) { return *this = *this - other; }

  /// Quotient of two equal units: a plain ratio.
  [[nodiscard]] friend constexpr double operator/(Quantity left, Quantity right) {
    return static_cast<double>(left.count_) / static_cast<double>(right.count_);
  }

 private:
  Rep count_{};
};

using Bits = Quantity<struct BitsTag, std::int64_t>;
using Bytes = Quantity<struct BytesTag, std::int64_t>;
using Cycles = Quantity<struct CyclesTag, std::int64_t>;
using Macs = Quantity<struct MacsTag, std::int64_t>;
using Hertz = Quantity<struct HertzTag, std::int64_t>;
using Picojoules = Quantity<struct PicojoulesTag, double>;
using Nanoseconds = Quantity<struct NanosecondsTag, double>;
using Milliwatts = Quantity<struct MilliwattsTag, double>;
using SquareMicrons = Quantity<struct SquareMicronsTag, double>;
using Nanometers = Quantity<struct NanometersTag, std::int64_t>;
/// Energy per bit, in pJ/bit.
using PicojoulesPerBit = Quantity<struct PicojoulesPerBitTag, double>;

/// A rate of bits over core cycles, kept as the exact fraction bits / cycles (reduced).
class Bandwidth {
 public:
  constexpr Bandwidth() = default;

  /// `bits` every `cycles` core cycles. Needs both > 0.
  [[nodiscard]] static Bandwidth per_cycles(std::int64_t bits, std::int64_t cycles);
  /// A rate in bits per second, seen from a clock of `clock`. Needs both > 0.
  [[nodiscard]] static Bandwidth per_second(std::int64_t bits_per_second, Hertz clock);

  [[nodiscard]] std::int64_t bits() const { return bits_; }
  [[nodiscard]] std::int64_t cycles() const { return cycles_; }
  /// Core cycles that a transfer of `amount` occupies: ceil(amount * cycles / bits).
  [[nodiscard]] Cycles beats(Bits amount) const;
  [[nodiscard]] double bits_per_cycle() const {
    return static_cast<double>(bits_) / static_cast<double>(cycles_);
  }

  friend constexpr bool operator==(const Bandwidth&, const Bandwidth&) = default;

 private:
  std::int64_t bits_ = 1;
  std::int64_t cycles_ = 1;
};

/// Bytes that hold `bits`, the last one perhaps partly.
[[nodiscard]] constexpr Bytes to_bytes_ceil(Bits bits) { return Bytes(ceil_div(bits.count(), 8)); }
/// Bits of `bytes`, checked.
[[nodiscard]] inline Bits to_bits(Bytes bytes) { return Bits(checked_mul(bytes.count(), 8)); }
/// Length of one clock period.
[[nodiscard]] inline Nanoseconds period_of(Hertz clock) {
  return Nanoseconds(1e9 / static_cast<double>(clock.count()));
}
/// Time of `cycles` at `clock`.
[[nodiscard]] inline Nanoseconds time_of(Cycles cycles, Hertz clock) {
  return Nanoseconds(static_cast<double>(cycles.count()) * 1e9 /
                     static_cast<double>(clock.count()));
}
/// Energy of a power over a time (1 mW * 1 ns = 1 pJ).
[[nodiscard]] inline Picojoules energy_of(Milliwatts power, Nanoseconds time) {
  return Picojoules(power.count() * time.count());
}
/// Average power of an energy over a time; 0 for no time.
[[nodiscard]] inline Milliwatts average_power(Picojoules energy, Nanoseconds time) {
  return Milliwatts(time.count() > 0.0 ? energy.count() / time.count() : 0.0);
}

// Text forms. Each parser takes "<number> <unit>" (the space is optional) and throws ConfigError
// that names what was found, the units that are allowed and the nearest of them.

/// "64 KiB", "1.5 MiB", "512 B", "4096 bit", "2 kB" (1000). The amount must be whole bits.
[[nodiscard]] Bits parse_bits(std::string_view text);
/// As parse_bits; the amount must be whole bytes.
[[nodiscard]] Bytes parse_bytes(std::string_view text);
/// "200 MHz", "1.2 GHz".
[[nodiscard]] Hertz parse_hertz(std::string_view text);
/// "100 cycles", "1 cycle".
[[nodiscard]] Cycles parse_cycles(std::string_view text);
/// "16 B/cycle", "192 bit/cycle", and against `clock`: "1.6 GB/s", "12 Gbit/s".
[[nodiscard]] Bandwidth parse_bandwidth(std::string_view text, Hertz clock);
[[nodiscard]] Picojoules parse_picojoules(std::string_view text);
[[nodiscard]] PicojoulesPerBit parse_picojoules_per_bit(std::string_view text);
[[nodiscard]] Nanoseconds parse_nanoseconds(std::string_view text);
[[nodiscard]] Milliwatts parse_milliwatts(std::string_view text);
[[nodiscard]] SquareMicrons parse_square_microns(std::string_view text);
/// "45nm", "28 nm".
[[nodiscard]] Nanometers parse_nanometers(std::string_view text);

[[nodiscard]] std::string to_text(Bits value);
[[nodiscard]] std::string to_text(Bytes value);
[[nodiscard]] std::string to_text(Hertz value);
[[nodiscard]] std::string to_text(Cycles value);
[[nodiscard]] std::string to_text(Bandwidth value);
[[nodiscard]] std::string to_text(Nanometers value);

}  // namespace vernier
