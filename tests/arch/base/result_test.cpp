#include "arch/base/result.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace vernier {
namespace {

TEST_CASE("A result holds a value or the reason why there is none", "[arch][result]") {
  const Result<std::string> good(std::string("tile"));
  CHECK(good.has_value());
  CHECK(*good == "tile");
  CHECK(good->size() == 4);
  const Infeasible reason{"conv1", "weight", Bytes(12), "too small"};
  const Result<std::string> bad(reason);
  CHECK_FALSE(static_cast<bool>(bad));
  CHECK(bad.infeasible() == reason);
}

TEST_CASE("Asking a result for the side that it does not hold is a bug", "[arch][result]") {
  const Result<int> good(5);
  const Result<int> bad(Infeasible{});
  CHECK_THROWS_AS(good.infeasible(), InternalError);
  CHECK_THROWS_AS(bad.value(), InternalError);
  CHECK_THROWS_AS(*bad, InternalError);
}

TEST_CASE("An assertion names its file and what was expected", "[arch][result]") {
  CHECK_THROWS_WITH(
      [] { VERNIER_ASSERT(1 > 2, "order of numbers"); }(),
      Catch::Contains("result_test.cpp:") && Catch::Contains("expected order of numbers (1 > 2)"));
}

}  // namespace
}  // namespace vernier
