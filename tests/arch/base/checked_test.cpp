#include "arch/base/checked.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

TEST_CASE("A sum is exact up to the last number of 64 bits and an error beyond it",
          "[arch][checked]") {
  CHECK(checked_add(kMost - 1, 1) == kMost);
  CHECK_THROWS_AS(checked_add(kMost, 1), ArithmeticOverflow);
  CHECK(checked_add(kLeast + 1, -1) == kLeast);
  CHECK_THROWS_AS(checked_add(kLeast, -1), ArithmeticOverflow);
}

TEST_CASE("A difference is exact up to the last number of 64 bits and an error beyond it",
          "[arch][checked]") {
  CHECK(checked_sub(kLeast + 1, 1) == kLeast);
  CHECK_THROWS_AS(checked_sub(kLeast, 1), ArithmeticOverflow);
  CHECK_THROWS_AS(checked_sub(0, kLeast), ArithmeticOverflow);
}

TEST_CASE("A product is exact up to the last number of 64 bits and an error beyond it",
          "[arch][checked]") {
  // 2^31 * (2^32 - 1) = 2^63 - 2^31 fits, 2^31 * 2^32 = 2^63 does not.
  const std::int64_t two_to_31 = std::int64_t{1} << 31;
  const std::int64_t two_to_32 = std::int64_t{1} << 32;
  CHECK(checked_mul(two_to_31, two_to_32 - 1) == kMost - (two_to_31 - 1));
  CHECK_THROWS_AS(checked_mul(two_to_31, two_to_32), ArithmeticOverflow);
  CHECK_THROWS_AS(checked_mul(kLeast, -1), ArithmeticOverflow);
}

TEST_CASE("An overflow names both operands and says that the input is too large",
          "[arch][checked]") {
  CHECK_THROWS_WITH(checked_mul(1099511627776, 16777216),
                    Catch::Contains("1099511627776 and 16777216") && Catch::Contains("too large"));
}

TEST_CASE("A product of many factors is checked at every step", "[arch][checked]") {
  CHECK(checked_product(std::vector<std::int64_t>{}) == 1);
  CHECK(checked_product(std::vector<std::int64_t>{3, 5, 7}) == 105);
  // 2^24 * 2^24 * 2^24 = 2^72, even when a zero would follow.
  const std::int64_t large = std::int64_t{1} << 24;
  CHECK_THROWS_AS(checked_product(std::vector<std::int64_t>{large, large, large, 0}),
                  ArithmeticOverflow);
}

TEST_CASE("A ceiling division steps up right after each multiple", "[arch][checked]") {
  CHECK(ceil_div(0, 8) == 0);
  CHECK(ceil_div(8, 8) == 1);
  CHECK(ceil_div(9, 8) == 2);
  CHECK(ceil_div(kMost, kMost) == 1);
  CHECK(ceil_div(kMost, 2) == (std::int64_t{1} << 62));  // (2^63 - 1) / 2, up
  CHECK(round_up(8, 8) == 8);
  CHECK(round_up(9, 8) == 16);
}

TEST_CASE("A scaled ceiling uses a product wider than 64 bits", "[arch][checked]") {
  // 10 * 3 / 4 = 7.5
  CHECK(ceil_mul_div(10, 3, 4) == 8);
  CHECK(ceil_mul_div(12, 3, 4) == 9);
  // (2^62 * 6) / 4 = 6,917,529,027,641,081,856: the product alone is beyond 2^64.
  CHECK(ceil_mul_div(std::int64_t{1} << 62, 6, 4) == 6917529027641081856);
  CHECK(ceil_mul_div(kMost, 5, 5) == kMost);
  CHECK_THROWS_AS(ceil_mul_div(kMost, 6, 5), ArithmeticOverflow);
}

TEST_CASE("The ceiling of a binary logarithm steps up right after each power of two",
          "[arch][checked]") {
  CHECK(ceil_log2(1) == 0);
  CHECK(ceil_log2(2) == 1);
  CHECK(ceil_log2(3) == 2);
  CHECK(ceil_log2(1024) == 10);
  CHECK(ceil_log2(1025) == 11);
  CHECK(ceil_log2((std::int64_t{1} << 61) + 1) == 62);
}

}  // namespace
}  // namespace vernier
