// Holds every #include line of the source rooms against the direction of dependencies: a room
// includes itself and the rooms below it, and a costly third-party library stays where it belongs.
// Root-relative includes make the check exact: the path in the quotes says which room it names.

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;

/// `upper` may include `lower` and all that lies below it.
struct Step {
  std::string_view upper;
  std::string_view lower;
};

constexpr auto kSteps = std::to_array<Step>({
    {"arch", "arch/base"},
    {"memory", "arch"},
    {"energy", "memory"},
    {"dataflow/graph", "arch/base"},
    {"dataflow/machine", "energy"},
    {"dataflow/mapping", "dataflow/graph"},
    {"dataflow/mapping", "dataflow/machine"},
    {"dataflow/schedule", "dataflow/mapping"},
    {"dataflow/result", "dataflow/schedule"},
    {"dataflow/evaluate", "dataflow/result"},
    {"dataflow/clocked", "dataflow/result"},
    {"dataflow/search", "dataflow/evaluate"},
    {"dataflow/surrogate", "dataflow/search"},
    {"dataflow/explore", "dataflow/surrogate"},
    {"dataflow/explore", "dataflow/clocked"},
});
constexpr std::string_view kHighestModelRoom = "dataflow/explore";
constexpr auto kTopFolders =
    std::to_array<std::string_view>({"arch", "memory", "energy", "dataflow", "frontends"});

/// Stands above all rooms; of them only the command line may include it, to offer its checks.
constexpr std::string_view kValidation = "validation";

/// Headers that begin with `header` are allowed in files that begin with `place`. Several lines
/// for one header allow several places; a header that no line names is allowed everywhere.
struct Containment {
  std::string_view header;
  std::string_view place;
};

constexpr auto kContainments = std::to_array<Containment>({
    {"torch/", "frontends/trainer/"},
    {"ATen/", "frontends/trainer/"},
    {"c10/", "frontends/trainer/"},
    {"pybind11/", "frontends/python/"},
    {"onnx/", "frontends/onnx/"},
    {"google/protobuf/", "frontends/onnx/"},
    {"systemc", "arch/systemc/"},
    {"systemc", "memory/systemc/"},
    {"systemc", "dataflow/clocked/clocked_machine."},
    {"sysc/", "arch/systemc/"},
    {"sysc/", "memory/systemc/"},
    {"sysc/", "dataflow/clocked/clocked_machine."},
    {"tlm", "arch/systemc/"},
    {"tlm", "memory/systemc/"},
    {"tlm", "dataflow/clocked/clocked_machine."},
    {"CLI/", "frontends/cli/"},
    {"nlohmann/", "frontends/"},
    {"boost/graph/", "dataflow/graph/"},
    {"flatbuffers/", "frontends/tflite/"},
});

/// Headers that the build writes, the only quoted names without a file in the tree, and where they
/// may be included.
constexpr auto kGeneratedHeaders = std::to_array<Containment>({
    {"vernier_version.hpp", "frontends/"},
    {"tflite_schema_generated.h", "frontends/tflite/"},
});

/// Only these may include frontends/scalesim, SCALE-Sim's model with its quirks.
constexpr std::string_view kScaleSim = "frontends/scalesim";

using FileExists = std::function<bool(std::string_view root_relative)>;

/// The room of a root-relative path: "arch/base", "arch", "memory", "energy", "dataflow/<folder>"
/// or "frontends/<folder>"; empty for any other place.
std::string room_of(std::string_view path) {
  const std::size_t first = path.find('/');
  if (first == std::string_view::npos) return {};
  const std::string_view top = path.substr(0, first);
  const std::size_t second = path.find('/', first + 1);
  const std::string_view top_two =
      second == std::string_view::npos ? std::string_view{} : path.substr(0, second);
  if (top == "arch") return std::string(top_two == "arch/base" ? top_two : top);
  if (top == "memory" || top == "energy" || top == kValidation) return std::string(top);
  if (top == "frontends") return std::string(top_two);
  const bool known_dataflow_room = std::any_of(
      kSteps.begin(), kSteps.end(), [&](const Step& step) { return step.upper == top_two; });
  return known_dataflow_room ? std::string(top_two) : std::string{};
}

/// Whether `room` lies at or above `other` in the order of the rooms below frontends.
bool reaches(std::string_view room, std::string_view other) {
  return room == other || std::any_of(kSteps.begin(), kSteps.end(), [&](const Step& step) {
           return step.upper == room && reaches(step.lower, other);
         });
}

bool may_include(std::string_view room, std::string_view other) {
  if (room == other) return true;
  if (other == kValidation) return room == "frontends/cli";
  if (!room.starts_with("frontends/")) return reaches(room, other);
  if (!other.starts_with("frontends/")) return reaches(kHighestModelRoom, other);
  if (other == "frontends/cli") return false;
  if (other == kScaleSim) return room == "frontends/cli";
  const bool between_peers = (room == "frontends/trainer" && other == "frontends/python") ||
                             (room == "frontends/python" && other == "frontends/trainer");
  return !between_peers;
}

/// Whether `file` may include the third-party header `header`.
bool is_contained(std::string_view file, std::string_view header) {
  bool restricted = false;
  for (const Containment& rule : kContainments) {
    if (!header.starts_with(rule.header)) continue;
    if (file.starts_with(rule.place)) return true;
    restricted = true;
  }
  return !restricted;
}

bool names_project_folder(std::string_view header) {
  constexpr auto kOthers = std::to_array<std::string_view>({"tests", "validation", "configs"});
  const std::string_view top = header.substr(0, header.find('/'));
  if (top.size() == header.size()) return false;
  return std::find(kTopFolders.begin(), kTopFolders.end(), top) != kTopFolders.end() ||
         std::find(kOthers.begin(), kOthers.end(), top) != kOthers.end();
}

/// What is wrong when `file` includes `header`, or an empty string.
std::string problem_with(std::string_view file, std::string_view header, bool quoted,
                         const FileExists& file_exists) {
  const std::string name(header);
  if (!is_contained(file, header)) return "'" + name + "' does not belong into this folder";
  if (!quoted) return names_project_folder(header) ? "'" + name + "' wants quotes" : std::string{};
  const auto* generated =
      std::find_if(kGeneratedHeaders.begin(), kGeneratedHeaders.end(),
                   [&](const Containment& rule) { return rule.header == header; });
  if (generated != kGeneratedHeaders.end()) {
    return file.starts_with(generated->place)
               ? std::string{}
               : "'" + name + "' is for " + std::string(generated->place) + " only";
  }
  const std::string room = room_of(file);
  const std::string other = room_of(header);
  if (room.empty()) return "this file lies in no known room";
  if (other.empty()) return "'" + name + "' names no room that sources may include";
  if (!may_include(room, other)) return room + " must not include " + other + " ('" + name + "')";
  if (header.find("..") != std::string_view::npos || !file_exists(header)) {
    return "'" + name + "' names no file from the project's root";
  }
  return {};
}

/// Checks all include lines of one file's text; one "file:line: problem" each.
std::vector<std::string> include_problems(const std::string& file, const std::string& text,
                                          const FileExists& file_exists) {
  constexpr std::string_view kBlank = " \t\r";
  constexpr std::string_view kDirective = "include";
  const auto skip_blanks = [&](std::string_view rest) {
    return rest.substr(std::min(rest.find_first_not_of(kBlank), rest.size()));
  };
  std::vector<std::string> problems;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::string_view rest = skip_blanks(line);
    if (!rest.starts_with('#')) continue;
    rest = skip_blanks(rest.substr(1));
    if (!rest.starts_with(kDirective)) continue;
    rest = skip_blanks(rest.substr(kDirective.size()));
    const bool quoted = rest.starts_with('"');
    const std::size_t end =
        rest.empty() ? std::string_view::npos : rest.find(quoted ? '"' : '>', 1);
    std::string problem = "an include needs a header in quotes or angle brackets";
    if (end != std::string_view::npos && (quoted || rest.starts_with('<'))) {
      problem = problem_with(file, rest.substr(1, end - 1), quoted, file_exists);
    }
    if (!problem.empty()) {
      problems.push_back(file + ":" + std::to_string(number) + ": " + problem);
    }
  }
  return problems;
}

std::string whole_text(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Root-relative paths of all sources in the rooms, sorted.
std::vector<std::string> source_files(const fs::path& root) {
  std::vector<std::string> files;
  for (const std::string_view folder : kTopFolders) {
    if (!fs::is_directory(root / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (!entry.is_regular_file() || (extension != ".hpp" && extension != ".cpp")) continue;
      files.push_back(fs::relative(entry.path(), root).generic_string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Problems of a file that holds one include line, when every named header exists.
std::vector<std::string> problems_of_line(const std::string& file, const std::string& line) {
  return include_problems(file, line + "\n", [](std::string_view) { return true; });
}

}  // namespace

TEST_CASE("Every include in the source rooms follows the direction of dependencies",
          "[architecture]") {
  const fs::path root = VERNIER_SOURCE_DIR;
  const std::vector<std::string> files = source_files(root);
  REQUIRE_FALSE(files.empty());
  const FileExists file_exists = [&](std::string_view path) {
    return fs::is_regular_file(root / path);
  };
  for (const std::string& file : files) {
    for (const std::string& problem :
         include_problems(file, whole_text(root / file), file_exists)) {
      FAIL_CHECK(problem);
    }
  }
}

TEST_CASE("An include against the direction of dependencies is reported", "[architecture]") {
  const auto [file, line] = GENERATE(table<std::string, std::string>({
      {"arch/base/units.hpp", "#include \"arch/array.hpp\""},
      {"arch/array.hpp", "#include \"memory/packing.hpp\""},
      {"arch/systemc/pe_array_module.cpp", "#include \"memory/packing.hpp\""},
      {"memory/packing.cpp", "#include \"energy/table.hpp\""},
      {"energy/table.cpp", "#include \"dataflow/graph/layer.hpp\""},
      {"dataflow/graph/layer.hpp", "#include \"arch/array.hpp\""},
      {"dataflow/graph/layer.hpp", "#include \"dataflow/machine/accelerator.hpp\""},
      {"dataflow/machine/accelerator.hpp", "#include \"dataflow/graph/layer.hpp\""},
      {"dataflow/mapping/tiling.hpp", "#include \"dataflow/schedule/tile.hpp\""},
      {"dataflow/evaluate/cost.hpp", "  #  include \"dataflow/search/mapper.hpp\""},
      {"dataflow/surrogate/surrogate.cpp", "#include \"dataflow/explore/pareto.hpp\""},
      {"dataflow/clocked/tile_walker.cpp", "#include \"dataflow/evaluate/timing.hpp\""},
      {"dataflow/evaluate/cost.hpp", "#include \"frontends/report/json_report.hpp\""},
      {"frontends/report/json_report.cpp", "#include \"frontends/cli/commands.hpp\""},
      {"frontends/trainer/trainer.cpp", "#include \"frontends/python/module.hpp\""},
      {"frontends/models/network_file.cpp", "#include \"frontends/scalesim/topology.hpp\""},
      {"frontends/python/module.cpp", "#include \"frontends/trainer/trainer.hpp\""},
      {"frontends/cli/main.cpp", "#include \"tests/support/machines.hpp\""},
      {"frontends/report/json_report.cpp", "#include \"validation/scale_sim.hpp\""},
      {"frontends/scalesim/layer_report.cpp", "#include \"validation/scale_sim.hpp\""},
      {"dataflow/evaluate/cost.cpp", "#include \"validation/scale_sim.hpp\""},
  }));
  CAPTURE(file, line);
  CHECK(problems_of_line(file, line).size() == 1);
}

TEST_CASE("A third-party header outside its folder is reported", "[architecture]") {
  const auto [file, line] = GENERATE(table<std::string, std::string>({
      {"frontends/cli/main.cpp", "#include <torch/torch.h>"},
      {"frontends/trainer/trainer.cpp", "#include <pybind11/pybind11.h>"},
      {"frontends/report/json_report.cpp", "#include <onnx/onnx_pb.h>"},
      {"frontends/cli/main.cpp", "#include <google/protobuf/message.h>"},
      {"arch/array.hpp", "#include <systemc>"},
      {"memory/packing.cpp", "#include <tlm_utils/simple_target_socket.h>"},
      {"dataflow/evaluate/evaluator.cpp", "#include <systemc.h>"},
      {"frontends/report/json_report.cpp", "#include <CLI/CLI.hpp>"},
      {"dataflow/evaluate/cost.cpp", "#include <nlohmann/json.hpp>"},
      {"dataflow/mapping/tiling.cpp", "#include <boost/graph/adjacency_list.hpp>"},
      {"frontends/models/network_file.cpp", "#include <flatbuffers/flatbuffers.h>"},
  }));
  CAPTURE(file, line);
  CHECK(problems_of_line(file, line).size() == 1);
}

TEST_CASE("An include that hides what it names is reported", "[architecture]") {
  const auto [file, line] = GENERATE(table<std::string, std::string>({
      {"arch/array.hpp", "#include <arch/base/units.hpp>"},
      {"arch/array.hpp", "#include \"array_shape.hpp\""},
      {"arch/array.hpp", "#include \"arch/../energy/table.hpp\""},
      {"arch/array.hpp", "#include SOME_HEADER"},
      {"arch/array.hpp", "#include \"vernier_version.hpp\""},
      {"frontends/report/json_report.cpp", "#include \"tflite_schema_generated.h\""},
      {"dataflow/loose.cpp", "#include \"arch/base/units.hpp\""},
      {"dataflow/unheard_of/file.cpp", "#include \"arch/base/units.hpp\""},
  }));
  CAPTURE(file, line);
  CHECK(problems_of_line(file, line).size() == 1);
}

TEST_CASE("An include along the direction of dependencies is accepted", "[architecture]") {
  const auto [file, line] = GENERATE(table<std::string, std::string>({
      {"arch/base/units.hpp", "#include <cstdint>"},
      {"arch/array.cpp", "#include \"arch/array.hpp\""},
      {"memory/packing.hpp", "#include <memory>"},
      {"energy/table.hpp", "#include \"arch/base/activity.hpp\""},
      {"dataflow/graph/layer_graph.hpp", "#include <boost/graph/adjacency_list.hpp>"},
      {"dataflow/graph/layer_graph.hpp", "#include \"arch/base/units.hpp\""},
      {"dataflow/evaluate/evaluator.cpp", "#include \"dataflow/graph/layer_graph.hpp\""},
      {"dataflow/clocked/clocked_machine.cpp", "#include <systemc>"},
      {"dataflow/explore/explorer.cpp", "#include \"dataflow/graph/layer_graph.hpp\""},
      {"frontends/report/json_report.cpp", "#include <nlohmann/json.hpp>"},
      {"frontends/cli/main.cpp", "#include \"frontends/trainer/trainer.hpp\""},
      {"frontends/cli/main.cpp", "#include \"vernier_version.hpp\""},
      {"frontends/cli/validate_command.cpp", "#include \"validation/scale_sim.hpp\""},
      {"frontends/cli/scalesim_command.cpp", "#include \"frontends/scalesim/config.hpp\""},
      {"frontends/tflite/tflite_file.cpp", "#include \"tflite_schema_generated.h\""},
      {"frontends/models/network_file.cpp", "#include \"frontends/topology/topology_model.hpp\""},
      {"frontends/scalesim/topology.cpp", "#include \"frontends/topology/topology_rows.hpp\""},
      {"frontends/onnx/onnx_reader.cpp", "#include \"dataflow/graph/layer_graph.hpp\""},
      {"arch/array.cpp", "#define SOME_HEADER \"memory/packing.hpp\""},
  }));
  CAPTURE(file, line);
  CHECK(problems_of_line(file, line).empty());
}

TEST_CASE("A report of a wrong include names the file and the line", "[architecture]") {
  const std::string text =
      "#pragma once\n\n#include \"arch/base/units.hpp\"\n#include \"energy/table.hpp\"\n";
  const std::vector<std::string> problems =
      include_problems("memory/packing.hpp", text, [](std::string_view) { return true; });
  REQUIRE(problems.size() == 1);
  CHECK(problems.front() ==
        "memory/packing.hpp:4: memory must not include energy ('energy/table.hpp')");
}

TEST_CASE("A quoted include of a file that does not exist is reported", "[architecture]") {
  const std::vector<std::string> problems =
      include_problems("memory/packing.hpp", "#include \"arch/base/unit.hpp\"\n",
                       [](std::string_view path) { return path == "arch/base/units.hpp"; });
  CHECK(problems.size() == 1);
}
