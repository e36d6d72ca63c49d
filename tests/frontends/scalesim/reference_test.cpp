// Every number that SCALE-Sim itself gave must come out of `vernier scalesim`.
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/base/yaml.hpp"
#include "frontends/topology/source_text.hpp"
#include "validation/scale_sim.hpp"

namespace vernier::validation {
namespace {

namespace fs = std::filesystem;
using frontends::topology::read_text_file;
using frontends::topology::split_fields;
using frontends::topology::split_lines;

const std::string kRoot = VERNIER_SOURCE_DIR;

// The full reference set lies beside the project where it is at all.
fs::path full_set() {
  const char* shared = std::getenv("VERNIER_SHARED");
  const fs::path base = shared != nullptr ? fs::path(shared) : fs::path(kRoot) / ".." / "shared";
  return base / "reference" / "scalesim" / "runs";
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : ",") + word;
  return line;
}

// Values of one CSV line without its first two columns, the number and the name of the layer.
std::vector<std::string> numbers_of(const std::string& line) {
  std::vector<std::string> words;
  for (const auto& field : split_fields(line, 1, ',')) words.push_back(field.text);
  words.erase(words.begin(), words.begin() + 2);
  return words;
}

// A folder of the full set in the form of the shipped file.
std::string as_reference_rows(const fs::path& run) {
  const YamlNode config = load_yaml((run / "config.yaml").string());
  const auto value = [&](const std::string& block, const std::string& key) {
    return config.find(block)->find(key)->scalar;
  };
  const bool is_v3 = value("peer", "name").find("v3") != std::string::npos;
  const bool is_gemm = config.find("input")->scalar == "gemm";
  const bool is_user = value("bandwidth", "mode") == "USER";
  const std::string fixed =
      joined({is_v3 ? "v3" : "v2", run.filename().string(), value("array", "rows"),
              value("array", "cols"), config.find("dataflow")->scalar, value("sram_kb", "ifmap"),
              value("sram_kb", "filter"), value("sram_kb", "ofmap"), value("bandwidth", "mode"),
              is_user ? value("bandwidth", "words_per_cycle") : "0"});
  const std::vector<std::string> layers =
      split_lines(read_text_file((run / "layers.csv").string()));
  const std::vector<std::string> results =
      split_lines(read_text_file((run / "results.csv").string()));
  REQUIRE(layers.size() == results.size());
  std::string text =
      "peer,run,rows,columns,dataflow,ifmap_kb,filter_kb,ofmap_kb,mode,words_per_cycle,layer,"
      "ifmap_h,ifmap_w,filter_h,filter_w,channels,num_filters,stride_h,stride_w," +
      joined(numbers_of(results.front())) + "\n";
  for (std::size_t index = 1; index < layers.size(); ++index) {
    std::vector<std::string> shape = numbers_of(layers[index]);
    if (is_gemm) {
      const std::vector<std::string> mnk = shape;
      shape = {mnk[0], mnk[2], "1", mnk[2], "1", mnk[1], "1", "1"};
    }
    text += fixed + "," + split_fields(layers[index], 1, ',')[1].text + "," + joined(shape) + "," +
            joined(numbers_of(results[index])) + "\n";
  }
  return text;
}

TEST_CASE("The shipped reference layers are equal to SCALE-Sim in every field",
          "[frontends][scalesim]") {
  const std::string path = kRoot + "/validation/scale_sim/reference.csv";
  const std::vector<ScaleSimRow> rows = read_scale_sim_rows(read_text_file(path), path);
  CHECK(rows.size() == 181);
  const ScaleSimComparison comparison = compare_with_scale_sim(rows);
  INFO(to_text(comparison));
  CHECK(comparison.rows == comparison.equal_rows);
  CHECK(comparison.fields.size() == report_field_names().size());
  for (const auto& [name, tally] : comparison.fields) {
    CAPTURE(name);
    CHECK(tally.different == 0);
  }
}

TEST_CASE("All 358 reference layers are equal to SCALE-Sim in every field",
          "[frontends][scalesim]") {
  const fs::path folder = full_set();
  if (!fs::is_directory(folder)) {
    WARN("the full reference set is not here, only the shipped part was compared");
    return;
  }
  std::vector<ScaleSimRow> rows;
  for (const fs::directory_entry& run : fs::directory_iterator(folder)) {
    const std::string name = run.path().string();
    for (ScaleSimRow& row : read_scale_sim_rows(as_reference_rows(run.path()), name)) {
      CHECK(row.expected.size() >= 29);
      rows.push_back(std::move(row));
    }
  }
  CHECK(rows.size() == 358);
  const ScaleSimComparison comparison = compare_with_scale_sim(rows, 2);
  INFO(to_text(comparison));
  CHECK(comparison.equal_rows == 358);
}

TEST_CASE("A difference from the reference is found and named", "[frontends][scalesim]") {
  const std::string path = kRoot + "/validation/scale_sim/reference.csv";
  std::vector<ScaleSimRow> rows = read_scale_sim_rows(read_text_file(path), path);
  rows.resize(3);
  rows[1].expected["stall_cycles"] += 1;
  rows[2].expected["compute_util_pct"] *= 1 + 1e-8;
  const ScaleSimComparison comparison = compare_with_scale_sim(rows);
  CHECK(comparison.equal_rows == 1);
  REQUIRE(comparison.differences.size() == 2);
  CHECK(comparison.differences[0].field == "stall_cycles");
  CHECK(comparison.differences[1].field == "compute_util_pct");
}

}  // namespace
}  // namespace vernier::validation
