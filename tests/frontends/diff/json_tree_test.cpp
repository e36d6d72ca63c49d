#include "frontends/diff/json_tree.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier::frontends {
namespace {

using Catch::Contains;
using Kind = JsonNode::Kind;

TEST_CASE("A JSON tree keeps kinds and values and lines", "[frontends][diff]") {
  const JsonNode root = parse_json(
      "{\n  \"count\": 12,\n  \"part\": -0.5,\n  \"list\": [true, null,\n    \"t\\u00e9xt\"]\n}\n",
      "a.json");
  CHECK(root.kind == Kind::kObject);
  CHECK(root.line == 1);
  REQUIRE(root.entries.size() == 3);
  const JsonNode& count = *root.find("count");
  CHECK(count.kind == Kind::kInteger);
  CHECK(count.integer == 12);
  CHECK(count.line == 2);
  const JsonNode& part = *root.find("part");
  CHECK(part.kind == Kind::kNumber);
  CHECK(part.number == -0.5);
  CHECK(part.line == 3);
  const JsonNode& list = *root.find("list");
  REQUIRE(list.items.size() == 3);
  CHECK(list.items[0].boolean);
  CHECK(list.items[1].kind == Kind::kNull);
  CHECK(list.items[2].text == "t\xc3\xa9xt");
  CHECK(list.items[2].line == 5);
  CHECK(root.find("none") == nullptr);
}

TEST_CASE("A number at the end of a line has the number of that line", "[frontends][diff]") {
  const JsonNode root = parse_json("[1\n,2\n,\n3\n]", "a.json");
  REQUIRE(root.items.size() == 3);
  CHECK(root.items[0].line == 1);
  CHECK(root.items[1].line == 2);
  CHECK(root.items[2].line == 4);
}

TEST_CASE("Text that is no JSON is refused with line and byte", "[frontends][diff]") {
  CHECK_THROWS_WITH(
      parse_json("{\n\"a\": 1,\n", "a.json"),
      Contains("a.json:3") && Contains("byte") && Contains("not JSON") && Contains("end of input"));
  CHECK_THROWS_WITH(parse_json("{\"a\": tru}", "a.json"), Contains("a.json:1: byte 10"));
  for (const char* text : {"", " ", "{\"a\" 1}", "[1,]", "{'a': 1}", "[1] 2", "nan", "[01]",
                           "\"\xff\"", "[1e999]", "// note\n1", "{\"a\": \"\n\"}"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_json(text, "a.json"), ConfigError);
  }
}

TEST_CASE("A key that stands twice in an object is refused", "[frontends][diff]") {
  CHECK_THROWS_WITH(parse_json("{\"a\": 1,\n\"b\": 2, \"a\": 3}", "a.json"),
                    Contains("a.json:2") && Contains("'a' stands twice"));
  CHECK_NOTHROW(parse_json("[{\"a\": 1}, {\"a\": 1}]", "a.json"));
}

TEST_CASE("Limits of depth and values and keys hold to the last one", "[frontends][diff]") {
  const JsonLimits limits{.max_bytes = 100, .max_depth = 3, .max_nodes = 6, .max_key_letters = 4};
  CHECK_NOTHROW(parse_json("[[[1]]]", "a.json", limits));
  CHECK_THROWS_WITH(parse_json("[[[[]]]]", "a.json", limits), Contains("nested more than 3 deep"));
  CHECK_NOTHROW(parse_json("[1, 2, 3, 4, 5]", "a.json", limits));
  CHECK_THROWS_WITH(parse_json("[1, 2, 3, 4, 5, 6]", "a.json", limits),
                    Contains("more than the 6 values"));
  CHECK_NOTHROW(parse_json("{\"abcd\": 1}", "a.json", limits));
  CHECK_THROWS_WITH(parse_json("{\"abcde\": 1}", "a.json", limits), Contains("4 letters"));
  CHECK_THROWS_WITH(parse_json(std::string(101, ' '), "a.json", limits),
                    Contains("larger than the 100 bytes"));
  CHECK_THROWS_AS(parse_json(std::string(1'000'000, '['), "a.json"), ConfigError);
}

TEST_CASE("A number beyond 64 bits is refused and the largest is read", "[frontends][diff]") {
  CHECK(parse_json("9223372036854775807", "a.json").integer == 9223372036854775807);
  CHECK_THROWS_WITH(parse_json("9223372036854775808", "a.json"), Contains("64 bits"));
}

TEST_CASE("Messages name what was found", "[frontends][diff]") {
  const JsonNode root = parse_json("[null, true, 3, 2.5, \"x\", [], {}]", "a.json");
  const char* const expected[] = {"null",         "true",   "the number 3", "the number 2.5",
                                  "the text 'x'", "a list", "an object"};
  for (std::size_t at = 0; at < root.items.size(); ++at) {
    CHECK(root.items[at].description() == expected[at]);
  }
}

}  // namespace
}  // namespace vernier::frontends
