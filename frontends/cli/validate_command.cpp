#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

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

}  // namespace

void add_validate_command(CLI::App& app, VerbAction& action) {
  CLI::App* verb =
      app.add_subcommand("validate", "compares with published or measured reference numbers");
  verb->require_subcommand(1);
  auto jobs = std::make_shared<int>(1);
  CLI::App* scale_sim =
      verb->add_subcommand("scale-sim", "the reports of `vernier scalesim` with SCALE-Sim's own");
  constexpr int kMostJobs = 1024;
  const auto add_jobs = [jobs](CLI::App* reference) {
    reference->add_option("--jobs,-j", *jobs, "threads; the result is the same for any number")
        ->check(CLI::Range(1, kMostJobs));
  };
  add_jobs(scale_sim);
  scale_sim->callback([&action, jobs] { action = [jobs] { return validate_scale_sim(*jobs); }; });
  CLI::App* amed = verb->add_subcommand(
      "amed", "Table 6 of the AMED paper, and what the same network costs in truth");
  amed->callback([&action] { action = validate_amed; });
  CLI::App* bitfusion = verb->add_subcommand(
      "bitfusion", "the cycles of Bit Fusion's artifact, its rule, and Vernier's engine beside it");
  add_jobs(bitfusion);
  bitfusion->callback([&action, jobs] { action = [jobs] { return validate_bitfusion(*jobs); }; });
}

}  // namespace vernier::frontends
