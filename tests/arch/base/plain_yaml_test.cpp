// The fast reading of YAML against yaml-cpp's: whatever it takes, it reads the same, places
// included.
#include "arch/base/plain_yaml.hpp"

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace vernier {
namespace {

// Empty: equal.
std::string difference(const YamlNode& left, const YamlNode& right) {
  if (left.kind != right.kind || left.scalar != right.scalar || left.quoted != right.quoted ||
      left.tag != right.tag || left.place.file != right.place.file ||
      left.place.line != right.place.line || left.place.column != right.place.column ||
      left.items.size() != right.items.size() || left.entries.size() != right.entries.size()) {
    return left.place.text() + ":" + std::to_string(left.place.column) + " " + left.description() +
           " | " + right.place.text() + ":" + std::to_string(right.place.column) + " " +
           right.description();
  }
  for (std::size_t at = 0; at < left.items.size(); ++at) {
    if (auto text = difference(left.items[at], right.items[at]); !text.empty()) return text;
  }
  for (std::size_t at = 0; at < left.entries.size(); ++at) {
    if (left.entries[at].key != right.entries[at].key) return left.entries[at].key;
    auto text = difference(left.entries[at].value, right.entries[at].value);
    if (!text.empty()) return text;
  }
  return {};
}

// Whether the text was taken; if so, it must be what yaml-cpp reads.
bool same_if_taken(const std::string& text) {
  const auto plain = parse_plain_yaml(text, "f.yaml", {});
  if (!plain) return false;
  INFO(text);
  try {
    const YamlNode full = parse_yaml_fully(text, "f.yaml", {});
    CHECK(difference(*plain, full).empty());
    if (const std::string found = difference(*plain, full); !found.empty()) WARN(found);
  } catch (const ConfigError& error) {
    FAIL_CHECK("taken, but refused by yaml-cpp: " << error.what());
  }
  return true;
}

std::vector<std::string> shipped_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           std::string(VERNIER_SOURCE_DIR) + "/configs")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("Every shipped file is plain and read the same", "[arch][yaml]") {
  const std::vector<std::string> files = shipped_files();
  CHECK(files.size() > 30);
  for (const std::string& file : files) {
    CAPTURE(file);
    CHECK(same_if_taken(read_text_file(file, 1 << 22)));
  }
}

TEST_CASE("What is plain is taken", "[arch][yaml]") {
  for (const char* text : {
           "a: 1",
           "a: b c  # rest\nd: e",
           "a: {b: 1, c: [2, -3]}",
           "- 1\n- {a: 2}\n- b: 1\n  c: 2",
           "a:\n- 1\n- 2\nb: 3",
           "a:\n  - 1\nb:\n  c:\n    d: e",
           "a: \"b: c # d\"",
           "a: 'b'",
           "a: {b: \"c, d\",\n    e: [1,\n      2]}",
           "a: b:c",
           "a: b#c",
           "a: {b: c#d}",
           "a: -b",
           "# only\n\n  # comments\na: {}\nb: []",
           "a: b - c",
           "a: 1.5e-3",
           "'a b': 1",
           "a.b: 1",
           "a:   # below\n  b: 1",
           "- - 1",
           "a: x\n\n\n# end",
           "a: {b: 1,c: 2}",
           "[1, 2]",
           "{a: 1}",
       }) {
    CAPTURE(text);
    CHECK(same_if_taken(text));
  }
}

TEST_CASE("What is not plain is left to yaml-cpp", "[arch][yaml]") {
  for (const char* text : {
           "",
           "a",
           "a:",
           "a: ~",
           "a: null",
           "a: &x 1",
           "a: *x",
           "a: !t 1",
           "a: |\n  b",
           "a: >\n  b",
           "a: b\n  c",
           "a: \"b\n  c\"",
           "a: \"b\\n\"",
           "a: 'it''s'",
           "a:\tb",
           "a: 1\na: 2",
           "a: b: c",
           "a : b",
           "---\na: 1",
           "a: 1\n...",
           "%YAML 1.2\n---\na: 1",
           "? a\n: b",
           "a: {b}",
           "a: [b: c]",
           "a: [1, ]",
           "a: {b: 1, }",
           "a: [1",
           "a: 1]\nb: 2 3\n c: 4",
           "a:\n  b: 1\n c: 2",
           "a: 1\n  b: 2",
           "a: {b:1}",
           "a: \"x\"y",
           "a: @b",
           "a: %b",
           "a: `b`",
           "a: \xc3\xa4",
           "a: [b\nc]",
           "a:\n  b",
           "a: - 1",
           "- a: 1\n b: 2",
           "a: {b: c: d}",
           "a: [1]#x",
           "a: 1\r\nb: 2",
           "a: [\n1]",
           "a:b",
           "a: ,b",
           "-",
           "- ",
           "a: {b: }",
       }) {
    CAPTURE(text);
    // "1]\n..." is plain in block context, as is ",b" no scalar at all; either way nothing differs.
    same_if_taken(text);
  }
  for (const char* text :
       {"", "a", "a:", "a: ~", "a: &x 1", "a: b\n  c", "a: \"b\\n\"", "a: 1\na: 2", "a: b: c",
        "---\na: 1", "a: {b}", "a: [1, ]", "a:\tb", "a: \xc3\xa4"}) {
    CAPTURE(text);
    CHECK_FALSE(same_if_taken(text));
  }
}

TEST_CASE("Whatever becomes of a file, nothing is read in two ways", "[arch][yaml]") {
  std::mt19937 random(5);
  const std::string pieces[] = {" ",  "  ", "\n", "\n  ", ":",   ": ",  "- ",  "-",  "#",
                                " #", ",",  "{",  "}",    "[",   "]",   "\"",  "'",  "&",
                                "*",  "!",  "|",  ">",    "?",   "~",   "\t",  "\\", "a",
                                "0",  "%",  "@",  "`",    "---", "...", "\n\n"};
  int taken = 0;
  for (const std::string& file : shipped_files()) {
    const std::string text = read_text_file(file, 1 << 22).substr(0, 3000);
    const std::string whole = text.substr(0, text.rfind('\n') + 1);
    for (int round = 0; round < 60; ++round) {
      std::string mutated = whole;
      const std::size_t edits = 1 + random() % 3;
      for (std::size_t edit = 0; edit < edits; ++edit) {
        const std::size_t at = random() % mutated.size();
        const std::string& piece = pieces[random() % std::size(pieces)];
        mutated.replace(at, random() % 3, piece);
      }
      if (same_if_taken(mutated)) ++taken;
    }
  }
  CHECK(taken > 100);
}

}  // namespace vernier
