#include "arch/base/registry.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace vernier {
namespace {

Registry<int(int)> sample() {
  Registry<int(int)> registry("sum");
  registry.add({"twice", "sum", "doubles", {}}, [](int value) { return 2 * value; });
  registry.add({"next", "sum", "adds one", {}}, [](int value) { return value + 1; });
  return registry;
}

TEST_CASE("A registered name leads to its factory", "[arch][registry]") {
  CHECK(sample().find("twice")(21) == 42);
  CHECK(sample().find("next")(41) == 42);
  CHECK(sample().contains("next"));
  CHECK_FALSE(sample().contains("nxt"));
}

TEST_CASE("An unknown name is answered with all names and the nearest", "[arch][registry]") {
  CHECK_THROWS_WITH(sample().find("twic"),
                    "unknown sum 'twic'; allowed are next, twice; did you mean 'twice'?");
}

TEST_CASE("Names and descriptions come in alphabetic order", "[arch][registry]") {
  CHECK(sample().names() == std::vector<std::string>{"next", "twice"});
  CHECK(sample().describe().at(1).sentence == "doubles");
}

TEST_CASE("Registering a name twice is a bug", "[arch][registry]") {
  Registry<int(int)> registry = sample();
  CHECK_THROWS_AS(registry.add({"next", "sum", "adds one", {}}, [](int value) { return value; }),
                  InternalError);
}

}  // namespace
}  // namespace vernier
