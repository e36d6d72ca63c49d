#include "arch/base/bitwidth.hpp"

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier {
namespace {

TEST_CASE("A width is 1 to 32 bits", "[arch][bitwidth]") {
  CHECK(Bitwidth(1).bits() == 1);
  CHECK(Bitwidth(32).bits() == 32);
  CHECK_THROWS_WITH(Bitwidth(0), Catch::Contains("0 bits is outside the range 1 to 32"));
  CHECK_THROWS_WITH(Bitwidth(33), Catch::Contains("33 bits is outside the range 1 to 32"));
  CHECK_THROWS_AS(Bitwidth(-1), ConfigError);
  CHECK_THROWS_AS(Bitwidth(std::int64_t{256} + 8), ConfigError);  // 8 in the low byte
}

TEST_CASE("Widths are ordered by their bits", "[arch][bitwidth]") {
  CHECK(Bitwidth(2) < Bitwidth(16));
  CHECK(Bitwidth(8) == Bitwidth());
}

TEST_CASE("Every kind of number has its name in the list", "[arch][bitwidth]") {
  REQUIRE(number_kind_names().size() == 4);
  for (std::size_t at = 0; at < number_kind_names().size(); ++at) {
    CHECK(to_text(static_cast<NumberKind>(at)) == number_kind_names()[at]);
  }
}

}  // namespace
}  // namespace vernier
