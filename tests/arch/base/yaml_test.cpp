#include "arch/base/yaml.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace vernier {
namespace {

using Catch::Contains;

YamlNode parsed(const std::string& text) { return parse_yaml(text, "f.yaml"); }

TEST_CASE("A file becomes a tree whose nodes know their lines", "[arch][yaml]") {
  const YamlNode root = parsed("name: x\nlist: [1, '2']\nmap:\n  inner: {a: b}\n");
  REQUIRE(root.kind == YamlNode::Kind::kMapping);
  REQUIRE(root.entries.size() == 3);
  CHECK(root.find("name")->scalar == "x");
  const YamlNode& list = *root.find("list");
  REQUIRE(list.items.size() == 2);
  CHECK_FALSE(list.items[0].quoted);
  CHECK(list.items[1].quoted);
  CHECK(root.find("map")->find("inner")->place.text() == "f.yaml:4");
  CHECK(root.find("nmae") == nullptr);
}

TEST_CASE("A key without a value points to its own line", "[arch][yaml]") {
  const YamlNode root = parsed("first:\n\n\nsecond: 1\n");
  CHECK(root.find("first")->kind == YamlNode::Kind::kNull);
  CHECK(root.find("first")->place.line == 1);
  CHECK(root.find("second")->place.line == 4);
}

TEST_CASE("A key that stands twice is refused with both lines", "[arch][yaml]") {
  CHECK_THROWS_WITH(parsed("a:\nb: 2\na: 3\n"),
                    Contains("f.yaml:3") && Contains("'a' stands twice (first in line 1)"));
  CHECK_NOTHROW(parsed("a: {c: 1}\nb: {c: 1}\n"));
}

TEST_CASE("Anchors, aliases, tags and keys that are no words are refused", "[arch][yaml]") {
  CHECK_THROWS_WITH(parsed("x: 1\na: &a [1]\n"), Contains("f.yaml:2: anchors"));
  CHECK_THROWS_WITH(parsed("a: *b\n"), Contains("f.yaml:1"));
  CHECK_THROWS_WITH(parsed("a: !!int 5\n"), Contains("f.yaml:1: the tag"));
  CHECK_THROWS_WITH(parsed("[a, b]: 1\n"), Contains("a key must be a plain word"));
}

TEST_CASE("One document is read, none and a second are refused", "[arch][yaml]") {
  CHECK_THROWS_WITH(parsed(""), Contains("the file is empty"));
  CHECK_THROWS_WITH(parsed("# only a remark\n"), Contains("the file is empty"));
  CHECK_THROWS_WITH(parsed("a: 1\n---\nb: 2\n"), Contains("more than one YAML document"));
}

TEST_CASE("Broken YAML is refused with its line", "[arch][yaml]") {
  CHECK_THROWS_WITH(parsed("a: 1\nb: [1, 2\n"), Contains("f.yaml:3: not valid YAML"));
  CHECK_THROWS_WITH(parsed("a: 1\n\tb: 2\n"), Contains("f.yaml:2: not valid YAML"));
}

TEST_CASE("Nesting is read to the limit and refused one level deeper", "[arch][yaml]") {
  constexpr int kDeepest = 64;
  const auto nested = [](int depth) {
    const auto levels = static_cast<std::size_t>(depth);
    return std::string(levels, '[') + std::string(levels, ']');
  };
  CHECK_NOTHROW(parsed(nested(kDeepest)));
  CHECK_THROWS_WITH(parsed(nested(kDeepest + 1)), Contains("f.yaml:1: nested deeper than 64"));
}

TEST_CASE("Values are counted to the limit and refused one further", "[arch][yaml]") {
  const YamlLimits limits{.max_nodes = 4};  // a list of three: the list and its items
  CHECK_NOTHROW(parse_yaml("[1, 2, 3]", "f.yaml", limits));
  CHECK_THROWS_WITH(parse_yaml("[1, 2, 3, 4]", "f.yaml", limits), Contains("more than 4 values"));
}

TEST_CASE("Bytes of a file and of one value are counted to their limits", "[arch][yaml]") {
  const YamlLimits small{.max_bytes = 4};
  CHECK_NOTHROW(parse_yaml("a: 1", "f.yaml", small));
  CHECK_THROWS_WITH(parse_yaml("a: 12", "f.yaml", small), Contains("5 bytes; at most 4"));
  const std::size_t longest = YamlLimits{}.max_scalar;
  CHECK_NOTHROW(parsed("a: " + std::string(longest, 'x')));
  CHECK_THROWS_WITH(parsed("a: " + std::string(longest + 1, 'x')), Contains("f.yaml:1: a value"));
}

TEST_CASE("A heap of open brackets is refused before the parser reads ahead", "[arch][yaml]") {
  CHECK_THROWS_WITH(parsed("a: 1\nb: " + std::string(1001, '{')),
                    Contains("f.yaml:2: more than 1000 open brackets"));
}

TEST_CASE("Zero bytes, control characters and text that is not UTF-8 are refused", "[arch][yaml]") {
  CHECK_THROWS_WITH(parsed(std::string("a: \0b", 5)), Contains("not a text file"));
  CHECK_THROWS_WITH(parsed("x: 1\na: \"\\e[31m\"\n"), Contains("f.yaml:2: a control character"));
  CHECK_THROWS_WITH(parsed("a: \"q\\0\"\n"), Contains("a control character"));
  CHECK_THROWS_WITH(parsed("x: 1\na: \xff\n"), Contains("f.yaml:2: not a text file (not UTF-8)"));
  CHECK_THROWS_WITH(parsed("a: \xc3\n"), Contains("not UTF-8"));          // cut short
  CHECK_THROWS_WITH(parsed("a: \xc0\xaf\n"), Contains("not UTF-8"));      // '/' in two bytes
  CHECK_THROWS_WITH(parsed("a: \xed\xa0\x80\n"), Contains("not UTF-8"));  // half a surrogate pair
  CHECK_THROWS_WITH(parsed("a: \xf4\x90\x80\x80\n"), Contains("not UTF-8"));  // beyond U+10FFFF
  CHECK(parsed("a: \xc3\xa4\xe2\x98\x83\xf0\x9f\x98\x80\n").find("a")->scalar.size() == 9);
}

TEST_CASE("A byte order mark and line ends of other systems are read", "[arch][yaml]") {
  const YamlNode root = parsed(
      "\xef\xbb\xbf"
      "a: 1\r\nb: 2\r\n");
  CHECK(root.find("a")->scalar == "1");
  CHECK(root.find("b")->scalar == "2");
  CHECK(root.find("b")->place.line == 2);
}

TEST_CASE("An override replaces a value, adds a key and selects list items", "[arch][yaml]") {
  YamlNode root = parsed("array: {rows: 4}\ntables: [a, b]\n");
  apply_override(root, "array.rows=8");
  apply_override(root, "array.columns=16");
  apply_override(root, "tables[1]=c");
  apply_override(root, "extra={deep: [1, 2]}");
  CHECK(root.find("array")->find("rows")->scalar == "8");
  CHECK(root.find("array")->find("rows")->place.text() == "--set array.rows=8");
  CHECK(root.find("array")->find("columns")->scalar == "16");
  CHECK(root.find("tables")->items[0].scalar == "a");
  CHECK(root.find("tables")->items[1].scalar == "c");
  CHECK(root.find("extra")->find("deep")->items.size() == 2);
}

TEST_CASE("An override with a bad path or value says what is wrong with it", "[arch][yaml]") {
  YamlNode root = parsed("array: {rows: 4}\ntables: [a, b]\n");
  const auto fails_with = [&root](const char* assignment, const char* message) {
    CAPTURE(assignment);
    CHECK_THROWS_WITH(apply_override(root, assignment), Contains(message));
  };
  fails_with("", "expected key.path=value");
  fails_with("array.rows", "expected key.path=value");
  fails_with("=5", "empty part");
  fails_with(".array.rows=5", "empty part");
  fails_with("array..rows=5", "empty part");
  fails_with("array.=5", "empty part");
  fails_with("arrya.rows=5", "there is no key 'arrya'; did you mean 'array'?");
  fails_with("array.rows.x=5", "'x' stands below '4', not below a mapping");
  fails_with("tables[2]=x", "there is no item [2] in a list of 2");
  fails_with("tables[-1]=x", "'[' needs a number and ']'");
  fails_with("tables[0=x", "'[' needs a number and ']'");
  fails_with("tables[99999999999999999999]=x", "'[' needs a number and ']'");
  fails_with("tables[0]x=x", "'.' or '[' is needed after ']'");
  fails_with("array[0]=x", "there is no item [0] in a mapping");
  fails_with("array.rows=", "there is no value after '='");
  fails_with("array.rows=[1", "not valid YAML");
  CHECK(root.find("array")->find("rows")->scalar == "4");
  CHECK(root.find("tables")->items.size() == 2);
}

TEST_CASE("A folder, a missing file and an endless file are refused", "[arch][yaml]") {
  CHECK_THROWS_WITH(load_yaml("/tmp"), Contains("/tmp: is a folder"));
  CHECK_THROWS_WITH(load_yaml("/no/such/file.yaml"), Contains("cannot be opened"));
  CHECK_THROWS_WITH(load_yaml("/dev/zero"), Contains("larger than"));
}

}  // namespace
}  // namespace vernier
