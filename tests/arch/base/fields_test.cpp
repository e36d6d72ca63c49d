#include "arch/base/fields.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier {
namespace {

using Catch::Contains;

enum class Colour : std::uint8_t { kRed, kGreen };

// A small configuration struct with a field of each kind.
struct Sample {
  std::int64_t count = 7;
  bool flag = false;
  std::string label = "none";
  std::vector<std::int64_t> widths{8};
  Colour colour = Colour::kRed;
  Hertz clock{1};
};

template <typename Visitor>
void visit_fields(Visitor& visitor, Sample& sample) {
  visitor.integer("count", sample.count, {1, 100}, Need::kRequired, "how many");
  visitor.boolean("flag", sample.flag, Need::kOptional, "whether");
  visitor.text("label", sample.label, Need::kOptional, "name");
  visitor.integers("widths", sample.widths, {1, 32}, Need::kOptional, "bits");
  static const std::vector<std::string> colours{"red", "green"};
  enum_field(visitor, "colour", sample.colour, colours, Need::kOptional, "paint");
  unit_field(visitor, "clock", "MHz", sample.clock, &parse_hertz, Need::kOptional, "speed");
}

struct Reading {
  Sample sample;
  std::vector<std::string> problems;
};

Reading read(const std::string& text) {
  const YamlNode root = parse_yaml(text, "f.yaml");
  ProblemList problems;
  MappingReader reader(root, "part", problems);
  Reading reading;
  visit_fields(reader, reading.sample);
  reader.finish();
  reading.problems = problems.all();
  return reading;
}

TEST_CASE("A complete mapping is read without problems", "[arch][fields]") {
  const Reading reading =
      read("count: 100\nflag: true\nlabel: x\nwidths: [2, 4]\ncolour: green\nclock: 5 MHz\n");
  CHECK(reading.problems.empty());
  CHECK(reading.sample.count == 100);
  CHECK(reading.sample.flag);
  CHECK(reading.sample.label == "x");
  CHECK(reading.sample.widths == std::vector<std::int64_t>{2, 4});
  CHECK(reading.sample.colour == Colour::kGreen);
  CHECK(reading.sample.clock == Hertz(5000000));
}

TEST_CASE("Absent optional keys keep their defaults", "[arch][fields]") {
  const Reading reading = read("count: 1\n");
  CHECK(reading.problems.empty());
  CHECK(reading.sample.label == "none");
  CHECK(reading.sample.widths == std::vector<std::int64_t>{8});
}

TEST_CASE("All problems of a mapping are collected with line and key path", "[arch][fields]") {
  const Reading reading =
      read("count: 101\nflag: yes\nwidths: [2, 33]\ncolour: gren\nclock: 5 mhz\nlable: x\n");
  REQUIRE(reading.problems.size() == 6);
  CHECK(reading.problems[0] == "f.yaml:1: part.count: found 101; allowed is 1 to 100");
  CHECK(reading.problems[1] == "f.yaml:2: part.flag: found 'yes'; allowed are true, false");
  CHECK(reading.problems[2] == "f.yaml:3: part.widths[1]: found 33; allowed is 1 to 32");
  CHECK(reading.problems[3] ==
        "f.yaml:4: part.colour: found 'gren'; allowed are red, green; did you mean 'green'?");
  CHECK_THAT(reading.problems[4], Contains("f.yaml:5: part.clock: '5 mhz' has the unit 'mhz'"));
  CHECK(reading.problems[5] == "f.yaml:6: part.lable: unknown key; did you mean 'label'?");
}

TEST_CASE("A missing required key is a problem of the mapping", "[arch][fields]") {
  const Reading reading = read("flag: true\n");
  REQUIRE(reading.problems.size() == 1);
  CHECK(reading.problems[0] == "f.yaml:1: part.count: the key is missing");
}

TEST_CASE("A value of the wrong form is a problem that says what was found", "[arch][fields]") {
  CHECK_THAT(read("count: [1]\n").problems.at(0), Contains("found a list of 1; one value"));
  CHECK_THAT(read("count:\n").problems.at(0), Contains("found nothing; one value"));
  CHECK_THAT(read("count: 1\nwidths: 8\n").problems.at(0), Contains("a list is needed"));
  CHECK_THAT(read("count: 1\nwidths: []\n").problems.at(0), Contains("the list is empty"));
  CHECK_THAT(read("[1, 2]\n").problems.at(0), Contains("a mapping (key: value) is needed"));
}

TEST_CASE("A far key is answered with the allowed ones", "[arch][fields]") {
  CHECK_THAT(read("count: 1\nzzz: 2\n").problems.at(0),
             Contains("unknown key; allowed are count, flag, label"));
}

TEST_CASE("A whole number has plain decimal digits", "[arch][fields]") {
  const auto number = [](const std::string& text) {
    return integer_of(parse_yaml(text, "f.yaml"));
  };
  CHECK(number("8") == 8);
  CHECK(number("0") == 0);
  CHECK(number("-8") == -8);
  CHECK(number("9223372036854775807") == 9223372036854775807);
  for (const char* text : {"9223372036854775808", "08", "010", "-08", "+8", "0x10", "1_000", "8.0",
                           "1e3", "nan", "'8'", "\"8\"", "true", "~", "[8]", "8 8"}) {
    CAPTURE(text);
    CHECK_FALSE(number(text).has_value());
  }
}

TEST_CASE("Fifty problems are kept and the rest are counted", "[arch][fields]") {
  ProblemList problems;
  for (int at = 0; at < 50; ++at) problems.add("p" + std::to_string(at));
  CHECK(problems.full());
  CHECK_THROWS_WITH(problems.throw_if_any(), Contains("p49") && !Contains("more problems"));
  problems.add("one too many");
  CHECK(problems.count() == 51);
  CHECK_THROWS_WITH(problems.throw_if_any(),
                    Contains("... and 1 more problems") && !Contains("one too many"));
  CHECK_NOTHROW(ProblemList().throw_if_any());
}

TEST_CASE("The same declaration describes the fields", "[arch][fields]") {
  FieldDescriber describer("part.");
  Sample sample;
  visit_fields(describer, sample);
  REQUIRE(describer.parameters().size() == 6);
  const ParameterDescription& count = describer.parameters()[0];
  CHECK(count.key == "part.count");
  CHECK(count.type == "integer, 1 to 100");
  CHECK(count.default_text.empty());
  CHECK(count.sentence == "how many");
  CHECK(describer.parameters()[3].default_text == "[8]");
  CHECK(describer.parameters()[4].type == "red | green");
  CHECK(describer.parameters()[4].default_text == "red");
  CHECK(describer.parameters()[5].unit == "MHz");
}

}  // namespace
}  // namespace vernier
