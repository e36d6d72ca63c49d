#include <memory>

#include "frontends/cli/commands.hpp"
#include "frontends/diff/result_diff.hpp"

namespace vernier::frontends {
namespace {

struct DiffOptions {
  std::string before;
  std::string after;
  std::string measure = "cycles";
  std::string format = "table";
  std::string output;
};

ExitCode diff(const DiffOptions& options) {
  const ResultFile before = load_result(options.before);
  const ResultFile after = load_result(options.after);
  const ResultDiff found = compare_results(before, after, options.measure);
  const std::string text = options.format == "json"  ? diff_json(found, before, after)
                           : options.format == "csv" ? diff_csv(found)
                                                     : diff_table(found, before, after);
  write_result(text, options.output);
  return ExitCode::kGood;
}

}  // namespace

void add_diff_command(CLI::App& app, VerbAction& action) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* verb = app.add_subcommand("diff", "two results side by side, and which layers changed");
  verb->add_option("A", options->before, "result of vernier run --format json")
      ->required()
      ->check(not_empty());
  verb->add_option("B", options->after, "the result to compare it with")
      ->required()
      ->check(not_empty());
  verb->add_option("--by", options->measure,
                   "figure that sorts the layers: cycles (default), energy_pj, dram_bits, macs")
      ->check(CLI::IsMember(diff_measures()));
  verb->add_option("--format", options->format, "table (default), json, csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  verb->add_option("--output,-o", options->output, "file instead of standard output")
      ->check(not_empty());
  verb->callback([&action, options] { action = [options] { return diff(*options); }; });
}

}  // namespace vernier::frontends
