#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/topology/source_text.hpp"
#include "validation/amed.hpp"
#include "validation/bitfusion.hpp"
#include "validation/scale_sim.hpp"

namespace vernier::frontends {
namespace {

ExitCode validate_scale_sim(int jobs) {
  const std::string path = data_folder() + "/validation/scale_sim/reference.csv";
  const auto rows = validation::read_scale_sim_rows(topology::read_text_file(path), path);
  const validation::ScaleSimComparison comparison = validation::compare_with_scale_sim(rows, jobs);
  write_result(validation::to_text(comparison), "");
  return comparison.differences.empty() ? ExitCode::kGood : ExitCode::kInfeasible;
}

ExitCode validate_amed() {
  const std::string path = data_folder() + "/validation/amed/table6.csv";
  std::vector<validation::AmedRow> rows =
      validation::amed_table6(topology::read_text_file(path), path);
  validation::add_honest_cycles(rows, data_folder() + "/configs");
  write_result(validation::to_text(rows), "");
  const bool is_equal = std::all_of(rows.begin(), rows.end(),
                                    [](const validation::AmedRow& row) { return row.is_equal(); });
  return is_equal ? ExitCode::kGood : ExitCode::kInfeasible;
}

ExitCode validate_bitfusion(int jobs) {
  const std::string path = data_folder() + "/validation/bitfusion/artifact_cycles.csv";
  std::vector<validation::BitFusionRow> rows =
      validation::bitfusion_rows(topology::read_text_file(path), path);
  validation::add_bitfusion_networks(rows, data_folder(), jobs);
  write_result(validation::bitfusion_engine_text(data_folder()) + validation::to_text(rows), "");
  for (const validation::BitFusionRow& row : rows) {
    for (const validation::BitFusionFigures& figures : row.figures) {
      if (!figures.is_equal()) return ExitCode::kInfeasible;
    }
  }
  return ExitCode::kGood;
}

struct Reference {
  const char* name;
  const char* sentence;
  ExitCode (*validate)(int jobs);
};

constexpr std::array kReferences{
    Reference{"scale-sim", "the reports of `vernier scalesim` with SCALE-Sim's own",
              validate_scale_sim},
    Reference{"amed", "Table 6 of the AMED paper, and what the same network costs in truth",
              [](int) { return validate_amed(); }},
    Reference{"bitfusion",
              "the cycles of Bit Fusion's artifact, its rule, and Vernier's engine beside it",
              validate_bitfusion},
};

ExitCode validate(const std::vector<std::string>& names, int jobs) {
  const auto find = [](const std::string& name) {
    return std::find_if(kReferences.begin(), kReferences.end(),
                        [&name](const Reference& known) { return name == known.name; });
  };
  for (const std::string& name : names) {
    if (find(name) != kReferences.end()) continue;
    std::vector<std::string> known;
    known.reserve(kReferences.size());
    for (const Reference& reference : kReferences) known.emplace_back(reference.name);
    throw ConfigError(
        fmt::format("vernier validate {}: there is no such reference; allowed are {}{}",
                    shown(name), name_list(known), suggestion(name, known)));
  }
  ExitCode worst = ExitCode::kGood;
  for (const Reference& reference : kReferences) {
    const bool chosen =
        names.empty() || std::find(names.begin(), names.end(), reference.name) != names.end();
    if (!chosen) continue;
    if (names.size() != 1) write_result(fmt::format("==== {}\n", reference.name), "");
    if (reference.validate(jobs) != ExitCode::kGood) worst = ExitCode::kInfeasible;
  }
  return worst;
}

}  // namespace

void add_validate_command(CLI::App& app, VerbAction& action) {
  CLI::App* verb =
      app.add_subcommand("validate", "compares with published or measured reference numbers");
  struct Options {
    std::vector<std::string> names;
    int jobs = 1;
  };
  auto options = std::make_shared<Options>();
  std::string help = "references, all when none is named;";
  const char* before = " ";
  for (const Reference& reference : kReferences) {
    help += fmt::format("{}{}: {}", before, reference.name, reference.sentence);
    before = "; ";
  }
  verb->add_option("NAME", options->names, help);
  constexpr int kMostJobs = 1024;
  verb->add_option("--jobs,-j", options->jobs, "threads; the result is the same for any number")
      ->check(CLI::Range(1, kMostJobs));
  verb->callback([&action, options] {
    action = [options] { return validate(options->names, options->jobs); };
  });
}

}  // namespace vernier::frontends
