#include "memory/packing.hpp"

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier::memory {
namespace {

TEST_CASE("A run touches one more word from the first bit beyond an edge", "[memory][packing]") {
  const Bits word(32);
  CHECK(words_of_run(0, Bitwidth(8), word) == 0);
  CHECK(words_of_run(1, Bitwidth(8), word) == 1);
  CHECK(words_of_run(4, Bitwidth(8), word) == 1);   // 32 bit
  CHECK(words_of_run(5, Bitwidth(8), word) == 2);   // 40 bit
  CHECK(words_of_run(10, Bitwidth(3), word) == 1);  // 30 bit
  CHECK(words_of_run(11, Bitwidth(3), word) == 2);  // 33 bit: the last element straddles
  CHECK(words_of_run(32, Bitwidth(1), word) == 1);
  CHECK(words_of_run(33, Bitwidth(1), word) == 2);
}

TEST_CASE("An element wider than a word takes several words", "[memory][packing]") {
  CHECK(words_of_run(1, Bitwidth(32), Bits(8)) == 4);
  CHECK(words_of_run(3, Bitwidth(5), Bits(1)) == 15);
}

TEST_CASE("Every row of a block starts on a word", "[memory][packing]") {
  // 5 elements of 8 bit are 40 bit, rounded up to 64: 3 rows are 192 bit, not 120.
  CHECK(packed_bits(3, 5, Bitwidth(8), Bits(32)) == Bits(192));
  CHECK(packed_bits(3, 4, Bitwidth(8), Bits(32)) == Bits(96));
  CHECK(packed_bits(1, 3, Bitwidth(1), Bits(32)) == Bits(32));
  CHECK(packed_bits(0, 5, Bitwidth(8), Bits(32)) == Bits(0));
}

TEST_CASE("Packing never depends on anything but whole words", "[memory][packing]") {
  for (std::int64_t elements = 1; elements <= 64; ++elements) {
    for (const int bits : {1, 2, 3, 4, 8, 16, 32}) {
      const Bits packed = packed_bits(7, elements, Bitwidth(bits), Bits(64));
      CAPTURE(elements, bits);
      CHECK(packed.count() % (7 * 64) == 0);
      CHECK(packed.count() >= 7 * elements * bits);
      CHECK(packed.count() < 7 * (elements * bits + 64));
    }
  }
}

TEST_CASE("A block beyond 64 bits of count is an error", "[memory][packing]") {
  const std::int64_t large = std::int64_t{1} << 40;
  CHECK_THROWS_AS(packed_bits(large, large, Bitwidth(8), Bits(8)), ArithmeticOverflow);
}

}  // namespace
}  // namespace vernier::memory
