#include "arch/base/text.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace vernier {
namespace {

const std::vector<std::string> kKeys{"rows", "columns", "dataflow", "capacity"};

TEST_CASE("The nearest name is found while at most a third of the letters differ", "[arch][text]") {
  CHECK(nearest_name("capcity", kKeys) == "capacity");  // one letter left out
  CHECK(nearest_name("colunms", kKeys) == "columns");   // two letters swapped: 2 changes of 7
  CHECK(nearest_name("rowz", kKeys) == "rows");
  CHECK(nearest_name("clumnss", kKeys) == "columns");  // 2 changes of 7 letters: allowed
  CHECK(nearest_name("clmnss", kKeys).empty());        // 3 changes of 6 letters: not
  CHECK(nearest_name("banana", kKeys).empty());
  CHECK(nearest_name("", kKeys).empty());
}

TEST_CASE("Names that differ in case alone are the nearest", "[arch][text]") {
  CHECK(nearest_name("ROWS", kKeys) == "rows");
  const std::vector<std::string> units{"Hz", "kHz", "MHz", "GHz"};
  CHECK(nearest_name("mhz", units) == "MHz");
  CHECK(nearest_name("GHZ", units) == "GHz");
}

TEST_CASE("A name of thousands of letters has no suggestion and costs no time", "[arch][text]") {
  CHECK(nearest_name(std::string(100000, 'r'), kKeys).empty());
}

TEST_CASE("A suggestion is a question, or nothing", "[arch][text]") {
  CHECK(suggestion("rowz", kKeys) == "; did you mean 'rows'?");
  CHECK(suggestion("banana", kKeys).empty());
}

TEST_CASE("A list of names is cut after as many as were asked for", "[arch][text]") {
  CHECK(name_list(kKeys, 4) == "rows, columns, dataflow, capacity");
  CHECK(name_list(kKeys, 3) == "rows, columns, dataflow, ... (1 more)");
  CHECK(name_list(std::vector<std::string>{}).empty());
}

TEST_CASE("A user's text is shown cut and without unprintable letters", "[arch][text]") {
  CHECK(shown("conv1") == "conv1");
  CHECK(shown("a\x1b[31m\n\xff") == "a?[31m??");
  CHECK(shown("abcdef", 6) == "abcdef");
  CHECK(shown("abcdefg", 6) == "abcdef...");
}

}  // namespace
}  // namespace vernier
