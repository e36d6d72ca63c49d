// Checked 64-bit integer arithmetic. Every count of the model (cycles, bits, products) is computed
// with these, so that an absurd input ends in an error that says so and never in a wrapped number.
#pragma once

#include <cstdint>
#include <span>

namespace vernier {

/// Adds two counts; throws ArithmeticOverflow when the sum does not fit in 64 bits.
[[nodiscard]] std::int64_t checked_add(std::int64_t left, std::int64_t right);

/// Subtracts two counts; throws ArithmeticOverflow when the difference does not fit in 64 bits.
[[nodiscard]] std::int64_t checked_sub(std::int64_t left, std::int64_t right);

/// Multiplies two counts; throws ArithmeticOverflow when the product does not fit in 64 bits.
[[nodiscard]] std::int64_t checked_mul(std::int64_t left, std::int64_t right);

/// Product of all factors, checked.
[[nodiscard]] std::int64_t checked_product(std::span<const std::int64_t> factors);

/// Smallest integer not below numerator / denominator. Needs numerator >= 0, denominator > 0.
[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t numerator, std::int64_t denominator) {
  return numerator / denominator + (numerator % denominator != 0 ? 1 : 0);
}

/// Smallest multiple of `step` not below `value`. Needs value >= 0, step > 0.
[[nodiscard]] constexpr std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return ceil_div(value, step) * step;
}

/// ceil(numerator * factor / denominator) with a 128-bit product; throws ArithmeticOverflow when
/// the result does not fit. Needs all operands >= 0 and denominator > 0.
[[nodiscard]] std::int64_t ceil_mul_div(std::int64_t numerator, std::int64_t factor,
                                        std::int64_t denominator);

/// Smallest n with 2^n >= value. Needs value >= 1.
[[nodiscard]] constexpr int ceil_log2(std::int64_t value) {
  int bits = 0;
  while (bits < 62 && (std::int64_t{1} << bits) < value) ++bits;
  return bits;
}

}  // namespace vernier
