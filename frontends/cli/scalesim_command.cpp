#include <cstdio>
#include <memory>
#include <unistd.h>

#include <fmt/format.h>

#include "frontends/cli/commands.hpp"
#include "frontends/scalesim/config.hpp"
#include "frontends/scalesim/honest.hpp"
#include "frontends/scalesim/network_run.hpp"
#include "frontends/scalesim/report_files.hpp"
#include "frontends/scalesim/topology.hpp"

namespace vernier::frontends {
namespace {

struct ScaleSimOptions {
  std::string config;
  std::string topology;
  std::string input = "conv";
  std::string output;
  std::string compat = "v2";
  bool honest = false;
  int jobs = 1;
};

// One line that overwrites itself; only a person at a terminal sees it.
void show_progress(std::size_t done, std::size_t all) {
  std::fprintf(stderr, "\rvernier: %zu of %zu different layers%s", done, all,
               done == all ? "\n" : "");
}

ExitCode simulate_honestly(const ScaleSimOptions& options, const scalesim::Config& config,
                           scalesim::TopologyKind kind) {
  const std::vector<scalesim::Layer> layers = scalesim::load_topology(
      options.topology, kind, config.compat, scalesim::DepthwiseRows::kKept);
  const Result<std::vector<scalesim::HonestReport>> reports =
      scalesim::report_honestly(layers, config, options.jobs);
  if (!reports) {
    say("vernier: infeasible: " + reports.infeasible().reason);
    return ExitCode::kInfeasible;
  }
  const std::string folder = scalesim::write_reports(scalesim::format_honest_reports(*reports),
                                                     options.output, config.run_name);
  std::int64_t total = 0;
  for (const scalesim::HonestReport& report : *reports) total += report.columns.total_cycles;
  write_result(fmt::format("{} layers, {} cycles by Vernier's engine; reports in {}\n",
                           reports->size(), total, folder),
               "");
  return ExitCode::kGood;
}

ExitCode simulate(const ScaleSimOptions& options) {
  const auto compat = options.compat == "v3" ? scalesim::Compat::kV3 : scalesim::Compat::kV2;
  const auto kind = options.input == "gemm" ? scalesim::TopologyKind::kGemm
                                            : scalesim::TopologyKind::kConvolution;
  const scalesim::Config config = scalesim::load_config(options.config, compat);
  if (options.honest) return simulate_honestly(options, config, kind);
  const std::vector<scalesim::Layer> layers =
      scalesim::load_topology(options.topology, kind, compat);
  scalesim::ProgressReport progress;
  if (isatty(STDERR_FILENO) == 1) progress = show_progress;
  const std::vector<scalesim::LayerReport> reports =
      scalesim::report_network(layers, config, options.jobs, progress);
  const std::string folder = scalesim::write_reports(scalesim::format_reports(reports, compat),
                                                     options.output, config.run_name);
  std::int64_t total = 0;
  std::int64_t stalls = 0;
  for (const scalesim::LayerReport& report : reports) {
    total += report.total_cycles;
    stalls += report.stall_cycles;
  }
  write_result(fmt::format("{} layers, {} cycles, {} of them stalls; reports in {}\n",
                           reports.size(), total, stalls, folder),
               "");
  return ExitCode::kGood;
}

}  // namespace

void add_scalesim_command(CLI::App& app, VerbAction& action) {
  auto options = std::make_shared<ScaleSimOptions>();
  CLI::App* verb = app.add_subcommand(
      "scalesim", "SCALE-Sim's three reports from SCALE-Sim's own files, equal in every number");
  verb->add_option("--config,-c", options->config, "SCALE-Sim configuration (.cfg)")->required();
  verb->add_option("--topology,-t", options->topology, "SCALE-Sim topology (.csv)")->required();
  verb->add_option("--input,-i", options->input, "rows of the topology: conv (default), gemm")
      ->check(CLI::IsMember({"conv", "gemm"}));
  verb->add_option("--path,-p", options->output, "folder for <run_name>/ with the reports")
      ->required();
  verb->add_option("--compat", options->compat, "release that is imitated: v2 (default), v3")
      ->check(CLI::IsMember({"v2", "v3"}));
  verb->add_flag("--honest", options->honest,
                 "the same files from Vernier's engine: true cycles, one shared DRAM channel");
  constexpr int kMostJobs = 1024;
  verb->add_option("--jobs,-j", options->jobs, "threads; the result is the same for any number")
      ->check(CLI::Range(1, kMostJobs));
  verb->callback([&action, options] { action = [options] { return simulate(*options); }; });
}

}  // namespace vernier::frontends
