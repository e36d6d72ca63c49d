// The command line of `vernier scalesim`, and what it says about malformed files. The approved
// messages are tests/golden/scalesim/*.txt; with VERNIER_UPDATE_GOLDEN=1 they are written anew.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "frontends/topology/source_text.hpp"
#include "tests/support/command_line.hpp"

namespace vernier::frontends::scalesim {
namespace {

namespace fs = std::filesystem;
using tests::CommandResult;
using tests::run_vernier;
using topology::read_text_file;

const std::string kGolden = std::string(VERNIER_SOURCE_DIR) + "/tests/golden/scalesim/";

class OutputFolder {
 public:
  OutputFolder()
      : path_(fs::temp_directory_path() / ("vernier-scalesim-" + std::to_string(getpid()))) {
    fs::remove_all(path_);
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  ~OutputFolder() { fs::remove_all(path_); }
  [[nodiscard]] std::string text() const { return path_.string(); }
  [[nodiscard]] std::string file(const std::string& name) const {
    return read_text_file((path_ / "golden" / name).string());
  }

 private:
  fs::path path_;
};

// Messages must not depend on where the project lies.
std::string without_root(std::string text) {
  const std::string root = std::string(VERNIER_SOURCE_DIR) + "/";
  for (std::size_t at = text.find(root); at != std::string::npos; at = text.find(root)) {
    text.erase(at, root.size());
  }
  return text;
}

void check_golden(const std::string& name, const std::string& found) {
  if (std::getenv("VERNIER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kGolden + name, std::ios::binary) << found;
  }
  CHECK(read_text_file(kGolden + name) == found);
}

TEST_CASE("The scalesim command writes the three reports of SCALE-Sim", "[frontends][scalesim]") {
  const OutputFolder folder;
  const CommandResult result = run_vernier(
      {"scalesim", "-c", kGolden + "good.cfg", "-t", kGolden + "good.csv", "-p", folder.text()});
  CAPTURE(result.error);
  REQUIRE(result.exit_code == 0);
  CHECK(result.error.empty());
  check_golden("COMPUTE_REPORT.csv", folder.file("COMPUTE_REPORT.csv"));
  check_golden("BANDWIDTH_REPORT.csv", folder.file("BANDWIDTH_REPORT.csv"));
  check_golden("DETAILED_ACCESS_REPORT.csv", folder.file("DETAILED_ACCESS_REPORT.csv"));
}

TEST_CASE("The number of threads does not change the reports of scalesim",
          "[frontends][scalesim]") {
  const OutputFolder folder;
  const CommandResult result =
      run_vernier({"scalesim", "-c", kGolden + "good.cfg", "-t", kGolden + "good.csv", "-p",
                   folder.text(), "--jobs", "4"});
  REQUIRE(result.exit_code == 0);
  check_golden("DETAILED_ACCESS_REPORT.csv", folder.file("DETAILED_ACCESS_REPORT.csv"));
}

TEST_CASE("The v3 form of the compute report has the cycles with prefetch in front",
          "[frontends][scalesim]") {
  const OutputFolder folder;
  const CommandResult refused =
      run_vernier({"scalesim", "-c", kGolden + "good.cfg", "-t", kGolden + "good.csv", "-p",
                   folder.text(), "--compat", "v3"});
  CHECK(refused.exit_code == 2);  // two strides
  check_golden("second_stride_v3.txt", without_root(refused.error));
  const CommandResult result =
      run_vernier({"scalesim", "-c", kGolden + "good.cfg", "-t", kGolden + "good_v3.csv", "-p",
                   folder.text(), "--compat", "v3"});
  CAPTURE(result.error);
  REQUIRE(result.exit_code == 0);
  check_golden("COMPUTE_REPORT_v3.csv", folder.file("COMPUTE_REPORT.csv"));
}

TEST_CASE("Malformed SCALE-Sim files are refused with place, finding and what is allowed",
          "[frontends][scalesim]") {
  const OutputFolder folder;
  const auto [name, input] = GENERATE(table<std::string, std::string>({
      {"misspelt_key.cfg", "conv"},
      {"wrong_values.cfg", "conv"},
      {"missing_keys.cfg", "conv"},
      {"misspelt_section.cfg", "conv"},
      {"stray_lines.cfg", "conv"},
      {"sparse.cfg", "conv"},
      {"ragged_rows.csv", "conv"},
      {"not_numbers.csv", "conv"},
      {"no_header.csv", "conv"},
      {"large_filter.csv", "conv"},
      {"only_header.csv", "gemm"},
  }));
  const bool is_config = name.ends_with(".cfg");
  const CommandResult result =
      run_vernier({"scalesim", "-c", kGolden + (is_config ? name : "good.cfg"), "-t",
                   kGolden + (is_config ? "good.csv" : name), "-i", input, "-p", folder.text()});
  CHECK(result.exit_code == 2);
  CHECK(result.output.empty());
  CHECK_FALSE(fs::exists(folder.text()));
  check_golden(name + ".txt", without_root(result.error));
}

TEST_CASE("A folder that cannot be written is an error of the user", "[frontends][scalesim]") {
  const CommandResult result = run_vernier({"scalesim", "-c", kGolden + "good.cfg", "-t",
                                            kGolden + "good.csv", "-p", kGolden + "good.cfg"});
  CHECK(result.exit_code == 2);
}

TEST_CASE("Validation against SCALE-Sim prints a table and succeeds", "[frontends][scalesim]") {
  const CommandResult result = run_vernier({"validate", "scale-sim", "--jobs", "2"});
  CHECK(result.exit_code == 0);
  CHECK(result.output.find("181 of 181 layers equal in every field") != std::string::npos);
}

}  // namespace
}  // namespace vernier::frontends::scalesim
