// The README must show what the tool really does.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/command_line.hpp"

namespace vernier::frontends {
namespace {

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string file_text(const std::string& path) {
  std::ifstream stream(kRoot + path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Lines between the first line that is `begin` and the next one that is `end`.
std::vector<std::string> between(const std::vector<std::string>& lines, const std::string& begin,
                                 const std::string& end) {
  const auto first = std::find(lines.begin(), lines.end(), begin);
  REQUIRE(first != lines.end());
  const auto last = std::find(first + 1, lines.end(), end);
  REQUIRE(last != lines.end());
  return {first + 1, last};
}

TEST_CASE("The output in the README is what the command prints", "[frontends][readme]") {
  const auto run = tests::run_vernier(
      {"run", "--accelerator", kRoot + "configs/accelerators/bitfusion_16x32.yaml", "--model",
       kRoot + "configs/models/mobilenetv2.yaml", "--bits", "w=4,a=8"});
  REQUIRE(run.exit_code == 0);
  const std::vector<std::string> printed = lines_of(run.output);
  const std::vector<std::string> shown = between(lines_of(file_text("README.md")), "```", "```");
  REQUIRE(shown.size() > 30);
  for (const std::string& line : shown) {
    if (line == "...") continue;
    INFO(line);
    CHECK(std::find(printed.begin(), printed.end(), line) != printed.end());
  }
}

TEST_CASE("The C++ lines in the README are those that a test compiles and runs",
          "[frontends][readme]") {
  const std::string marker = "  // [README]";
  const std::vector<std::string> tested =
      between(lines_of(file_text("tests/dataflow/evaluate/evaluator_test.cpp")), marker, marker);
  const std::vector<std::string> shown = between(lines_of(file_text("README.md")), "```cpp", "```");
  CHECK(shown == tested);
}

}  // namespace
}  // namespace vernier::frontends
