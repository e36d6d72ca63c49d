#include "arch/base/checked.hpp"

#include <limits>

#include "arch/base/error.hpp"

namespace vernier {

std::int64_t checked_add(std::int64_t left, std::int64_t right) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(left, right, &sum)) throw ArithmeticOverflow("sum", left, right);
  return sum;
}

std::int64_t checked_sub(std::int64_t left, std::int64_t right) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(left, right, &difference)) {
    throw ArithmeticOverflow("difference", left, right);
  }
  return difference;
}

std::int64_t checked_mul(std::int64_t left, std::int64_t right) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(left, right, &product)) {
    throw ArithmeticOverflow("product", left, right);
  }
  return product;
}

std::int64_t checked_product(std::span<const std::int64_t> factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors) product = checked_mul(product, factor);
  return product;
}

std::int64_t ceil_mul_div(std::int64_t numerator, std::int64_t factor, std::int64_t denominator) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(numerator) * static_cast<Wide>(factor);
  const auto divisor = static_cast<Wide>(denominator);
  const Wide quotient = product / divisor + (product % divisor != 0 ? 1 : 0);
  if (quotient > static_cast<Wide>(std::numeric_limits<std::int64_t>::max())) {
    throw ArithmeticOverflow("scaled product", numerator, factor);
  }
  return static_cast<std::int64_t>(quotient);
}

}  // namespace vernier
