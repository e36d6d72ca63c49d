// Hand arithmetic on a 4x4 array: where a bit that flips in one PE register is seen, and what a
// waveform shows line by line. The product is P = 4 pixels, K = 3 channels, N = 4 output channels:
//   a[p][k] = p + k + 1, w[0] = (1 0 0), w[1] = (0 1 0), w[2] = (0 0 1), w[3] = (1 1 1)
//   out[p] = (p+1, p+2, p+3, 3p+6)
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "tests/support/clocked_run.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::tests {
namespace {

using arch::BitFlip;
using arch::PeRegister;

ClockedCase small_product(arch::Dataflow dataflow) {
  dataflow::TileSize whole;
  whole.rows = 4;
  whole.in_channels = 3;
  whole.out_channels = 4;
  ClockedCase given = clocked_case(example_machine(dataflow), gemm_task(4, 3, 4), whole);
  given.operands.inputs[0] = {1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6};
  given.operands.weights = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1};
  given.operands.bias = {0, 0, 0, 0};
  given.operands.requant_shift = 0;
  return given;
}

const std::vector<std::int64_t> kProduct{1, 2, 3, 6, 2, 3, 4, 9, 3, 4, 5, 12, 4, 5, 6, 15};

/// Differences to the product, by (pixel, output channel).
std::map<std::pair<int, int>, std::int64_t> changes(arch::Dataflow dataflow, const BitFlip& flip) {
  memory::MachineFaults faults;
  faults.array.flip = flip;
  const dataflow::ClockedRun run = run_clocked(small_product(dataflow), faults);
  std::map<std::pair<int, int>, std::int64_t> result;
  for (int at = 0; at < 16; ++at) {
    const std::int64_t change = run.exact[static_cast<std::size_t>(at)] - kProduct[at];
    if (change != 0) result[{at / 4, at % 4}] = change;
  }
  return result;
}
using Changes = std::map<std::pair<int, int>, std::int64_t>;

}  // namespace

TEST_CASE("The clocked array multiplies the example as by hand", "[clocked]") {
  const auto dataflow =
      GENERATE(arch::Dataflow::kOutputStationary, arch::Dataflow::kWeightStationary,
               arch::Dataflow::kInputStationary);
  const dataflow::ClockedRun run = run_clocked(small_product(dataflow));
  CHECK(run.exact == kProduct);
  CHECK(run.codes == kProduct);
}

// Output stationary: PE (x, y) works for pixel x and channel y. In line 3 PE (1, 1) holds element
// k = 3-1-1 = 1: a[1][1] = 3 and w[1][1] = 1.
TEST_CASE("A flipped bit in an output stationary array changes what hand arithmetic names",
          "[clocked]") {
  constexpr auto kOs = arch::Dataflow::kOutputStationary;
  // a: 3 -> 1 here and in columns 2 and 3, which it reaches in lines 4 and 5; w[.][1] = 1 0 1
  // there.
  CHECK(changes(kOs, {PeRegister::kRowOperand, 1, 1, 3, 1}) == Changes{{{1, 1}, -2}, {{1, 3}, -2}});
  // w: 1 -> 5 here and in rows 2 and 3; a[1..3][1] = 3 4 5.
  CHECK(changes(kOs, {PeRegister::kColumnOperand, 1, 1, 3, 2}) ==
        Changes{{{1, 1}, 12}, {{2, 1}, 16}, {{3, 1}, 20}});
  // Sum after k = 0: a[1][0] w[1][0] = 0 -> 8, only there.
  CHECK(changes(kOs, {PeRegister::kSum, 1, 1, 3, 3}) == Changes{{{1, 1}, 8}});
}

// Weight stationary: row x holds k = x, column y channel y; 4 preload lines, then in stream line t
// PE (x, y) works for pixel t-x-y. Machine line 4+3: stream line 3, PE (1, 1) has pixel 1.
TEST_CASE("A flipped bit in a weight stationary array changes what hand arithmetic names",
          "[clocked]") {
  constexpr auto kWs = arch::Dataflow::kWeightStationary;
  // a[1][1]: 3 -> 1, for channels 1 to 3; w[1..3][1] = 1 0 1.
  CHECK(changes(kWs, {PeRegister::kRowOperand, 1, 1, 7, 1}) == Changes{{{1, 1}, -2}, {{1, 3}, -2}});
  // w[1][1]: 1 -> 5 from pixel 1 on; a[1..3][1] = 3 4 5.
  CHECK(changes(kWs, {PeRegister::kColumnOperand, 1, 1, 7, 2}) ==
        Changes{{{1, 1}, 12}, {{2, 1}, 16}, {{3, 1}, 20}});
  // The sum of pixel 1, channel 1 before k = 1 is added: 0 -> 8.
  CHECK(changes(kWs, {PeRegister::kSum, 1, 1, 7, 3}) == Changes{{{1, 1}, 8}});
}

// Input stationary: row x holds k = x, column y pixel y; PE (1, 1) in stream line 3 has channel 1.
TEST_CASE("A flipped bit in an input stationary array changes what hand arithmetic names",
          "[clocked]") {
  constexpr auto kIs = arch::Dataflow::kInputStationary;
  // w[1][1]: 1 -> 5 for pixels 1 to 3; a[1..3][1] = 3 4 5.
  CHECK(changes(kIs, {PeRegister::kRowOperand, 1, 1, 7, 2}) ==
        Changes{{{1, 1}, 12}, {{2, 1}, 16}, {{3, 1}, 20}});
  // a[1][1]: 3 -> 1 from channel 1 on; w[1..3][1] = 1 0 1.
  CHECK(changes(kIs, {PeRegister::kColumnOperand, 1, 1, 7, 1}) ==
        Changes{{{1, 1}, -2}, {{1, 3}, -2}});
  CHECK(changes(kIs, {PeRegister::kSum, 1, 1, 7, 3}) == Changes{{{1, 1}, 8}});
}

namespace {

/// Values of all signals of a VCD file at the end of each time stamp.
class Vcd {
 public:
  explicit Vcd(const std::string& path) {
    std::ifstream stream(path);
    REQUIRE(stream);
    std::string line;
    std::string scope;
    while (std::getline(stream, line)) {
      std::istringstream words(line);
      std::string first;
      words >> first;
      if (first == "$scope") {
        std::string kind;
        std::string name;
        words >> kind >> name;
        scope += name + ".";
      } else if (first == "$upscope") {
        scope.pop_back();
        const std::size_t dot = scope.rfind('.');
        scope.resize(dot == std::string::npos ? 0 : dot + 1);
      } else if (first == "$var") {
        std::string kind;
        std::string width;
        std::string id;
        std::string name;
        words >> kind >> width >> id >> name;
        names_[id] = scope + name;
      } else if (first.starts_with('#')) {
        time_ = std::stoll(first.substr(1));
      } else if (first.starts_with('b') && first.size() > 1 && first[1] != 'o') {
        std::string id;
        words >> id;
        set(id, std::stoull(first.substr(1), nullptr, 2));
      } else if (first.size() > 1 && (first[0] == '0' || first[0] == '1')) {
        set(first.substr(1), first[0] == '1' ? 1 : 0);
      }
    }
  }

  /// Value of the signal whose full name ends so, at a time.
  [[nodiscard]] std::int64_t at(std::int64_t time, const std::string& ending) const {
    for (const auto& [id, name] : names_) {
      if (!name.ends_with(ending)) continue;
      const auto& history = values_.at(id);
      auto found = history.upper_bound(time);
      REQUIRE(found != history.begin());
      return static_cast<std::int32_t>(std::prev(found)->second);
    }
    FAIL("no signal ends with " << ending);
    return 0;
  }

 private:
  void set(const std::string& id, std::uint64_t value) { values_[id][time_] = value; }

  std::map<std::string, std::string> names_;
  std::map<std::string, std::map<std::int64_t, std::uint64_t>> values_;
  std::int64_t time_ = 0;
};

}  // namespace

TEST_CASE("The waveform of a 4x4 array equals a table made by hand", "[clocked]") {
  const std::string path =
      (std::filesystem::temp_directory_path() / "vernier_registers_test.vcd").string();
  const ClockedCase given = small_product(arch::Dataflow::kOutputStationary);
  const dataflow::ClockedRun run = run_clocked(given, {}, nullptr, path);
  const Vcd vcd(path);
  std::remove(path.c_str());
  CHECK(run.busy_lines == 9);  // T+R+C-2 = 3+4+4-2

  // Row x shows a[x][t-x], column y w[y][t-y], and column y's bus in line t the sum of row
  // t-2-y; -1: nothing leaves.
  struct Line {
    std::vector<int> rows;
    std::vector<int> columns;
    std::vector<int> drained;
  };
  const std::vector<Line> table{
      {{1, 0, 0, 0}, {1, 0, 0, 0}, {-1, -1, -1, -1}},
      {{2, 2, 0, 0}, {0, 0, 0, 0}, {-1, -1, -1, -1}},
      {{3, 3, 3, 0}, {0, 1, 0, 0}, {1, -1, -1, -1}},
      {{0, 4, 4, 4}, {0, 0, 0, 1}, {2, 2, -1, -1}},
      {{0, 0, 5, 5}, {0, 0, 1, 1}, {3, 3, 3, -1}},
      {{0, 0, 0, 6}, {0, 0, 0, 1}, {4, 4, 4, 6}},
      {{0, 0, 0, 0}, {0, 0, 0, 0}, {-1, 5, 5, 9}},
      {{0, 0, 0, 0}, {0, 0, 0, 0}, {-1, -1, 6, 12}},
      {{0, 0, 0, 0}, {0, 0, 0, 0}, {-1, -1, -1, 15}},
  };
  // Four pixels of 3 bytes are 4 words, four weight rows 4 words: W arrives at 4+4+10.
  const std::int64_t start = run.cycles[dataflow::CycleCause::kFill];
  REQUIRE(start == 18);
  constexpr std::int64_t kPeriod = 5000;  // picoseconds at 200 MHz
  CHECK(vcd.at(start * kPeriod - 1, "array.busy") == 0);
  for (std::size_t line = 0; line < table.size(); ++line) {
    CAPTURE(line);
    const std::int64_t time = (start + static_cast<std::int64_t>(line)) * kPeriod;
    CHECK(vcd.at(time, "array.busy") == 1);
    CHECK(vcd.at(time, "line") == static_cast<std::int64_t>(line));
    for (std::size_t at = 0; at < 4; ++at) {
      CAPTURE(at);
      CHECK(vcd.at(time, fmt::format("row_{}", at)) == table[line].rows[at]);
      CHECK(vcd.at(time, fmt::format("column_{}", at)) == table[line].columns[at]);
      const bool valid = table[line].drained[at] >= 0;
      CHECK(vcd.at(time, fmt::format("drain_valid_{}", at)) == (valid ? 1 : 0));
      if (valid) CHECK(vcd.at(time, fmt::format("drain_{}", at)) == table[line].drained[at]);
    }
  }
  CHECK(vcd.at((start + 9) * kPeriod, "array.busy") == 0);
}

}  // namespace vernier::tests
