#include <memory>
#include <optional>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/machine.hpp"
#include "frontends/cli/accelergy_output.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/report/run_report.hpp"

namespace vernier::frontends {
namespace {

struct RunOptions {
  std::string accelerator;
  std::string model;
  std::string precision;
  std::string bits;
  std::string engine = "analytical";
  std::string mapping = "heuristic";
  std::string layer;
  std::optional<std::int64_t> batch;
  bool strict_bits = false;
  int jobs = 1;
  std::vector<std::string> overrides;
  std::vector<std::string> energy_tables;
  std::string accelergy_output;
  std::string format = "table";
  std::string output;
};

void require_built_in(const std::string& option, const std::string& found,
                      const std::string& built_in, const std::string& missing) {
  if (found == built_in) return;
  throw ConfigError(fmt::format("{} {}: {} is not built into this vernier; '{}' is", option,
                                shown(found), missing, built_in));
}

dataflow::LayerGraph load_network(const RunOptions& options) {
  for (const char* extension : {".onnx", ".tflite", ".csv"}) {
    if (options.model.ends_with(extension)) {
      throw ConfigError(
          fmt::format("--model {}: the reader for {} files is not built into this "
                      "vernier; .yaml models are read",
                      options.model, extension));
    }
  }
  dataflow::LayerGraph graph = dataflow::load_model(options.model);
  if (options.batch) graph = graph.with_batch(*options.batch);
  if (!options.layer.empty()) graph = graph.only_layer(options.layer);
  return graph;
}

// --bits speaks for every tensor; a precision file for those it names, the model for the rest.
dataflow::PrecisionMap load_bits(const RunOptions& options, const dataflow::LayerGraph& graph) {
  if (!options.precision.empty()) {
    dataflow::PrecisionMap map = dataflow::load_precision_map(options.precision);
    if (!options.layer.empty()) {  // the file may name tensors outside the chosen layer
      std::erase_if(map.tensors,
                    [&](const auto& entry) { return !graph.find_tensor(entry.first); });
    }
    return map;
  }
  if (options.bits.empty()) return {};
  dataflow::PrecisionMap map = dataflow::parse_bits_option(options.bits);
  for (const dataflow::Tensor& tensor : graph.tensors()) {
    if (!tensor.declared) continue;
    const bool is_weight = tensor.kind == dataflow::TensorKind::kWeight;
    const std::optional<Precision>& width = is_weight ? map.default_weight : map.default_activation;
    if (width) map.tensors.emplace(tensor.name, *width);
  }
  return map;
}

ExitCode run(const RunOptions& given) {
  RunOptions options = given;
  options.accelerator = shipped_or_path(given.accelerator, "accelerators");
  options.model = shipped_or_path(given.model, "models");
  require_built_in("--engine", options.engine, "analytical", "the engine");
  require_built_in("--mapping", options.mapping, "heuristic", "the mapper or mapping file reader");
  if (!options.bits.empty() && !options.precision.empty()) {
    throw ConfigError("--bits and --precision exclude each other");
  }
  const dataflow::Machine machine = dataflow::load_machine(
      options.accelerator, options.overrides, energy_table_folders(), options.energy_tables);
  for (const std::string& warning : machine.prices.warnings()) say("vernier: warning: " + warning);
  const dataflow::LayerGraph graph = load_network(options);
  const dataflow::ResolvedPrecision bits =
      dataflow::resolve_precision(graph, load_bits(options, graph));
  std::vector<std::string> assumptions = machine.assumptions;
  assumptions.insert(assumptions.end(), bits.assumptions.begin(), bits.assumptions.end());
  for (const std::string& assumption : assumptions) say("vernier: assumed: " + assumption);

  const dataflow::Evaluator evaluator(machine);
  const Result<dataflow::NetworkCost> cost = evaluator.evaluate(
      graph, bits.tensors, {.jobs = options.jobs, .strict_bits = options.strict_bits});
  if (!cost) {
    say("vernier: infeasible: " + cost.infeasible().reason);
    return ExitCode::kInfeasible;
  }
  RunReport report{.machine = machine,
                   .graph = graph,
                   .precision = bits.tensors,
                   .cost = *cost,
                   .engine = options.engine,
                   .machine_file = options.accelerator,
                   .model_file = options.model,
                   .bits_origin = "model",
                   .overrides = options.overrides,
                   .assumptions = assumptions};
  if (!options.bits.empty()) report.bits_origin = "--bits " + options.bits;
  if (!options.precision.empty()) report.bits_origin = options.precision;
  if (!options.accelergy_output.empty()) {
    write_accelergy_files(options.accelergy_output, machine, cost->total.energy);
  }
  if (options.format == "json") {
    write_result(to_json(report), options.output);
  } else if (options.format == "csv") {
    write_result(to_csv(report), options.output);
  } else {
    write_result(to_table(report), options.output);
  }
  return ExitCode::kGood;
}

}  // namespace

void add_run_command(CLI::App& app, VerbAction& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("run", "cost of a network on a machine");
  verb->add_option("--accelerator,-a", options->accelerator, "machine file (YAML)")
      ->required()
      ->check(not_empty());
  verb->add_option("--model,-m", options->model, "network file (YAML)")
      ->required()
      ->check(not_empty());
  verb->add_option("--bits,-b", options->bits, "w=BITS,a=BITS for all weights and activations")
      ->check(not_empty());
  verb->add_option("--precision,-p", options->precision, "precision file (YAML), bits per tensor")
      ->check(not_empty());
  verb->add_option("--engine", options->engine, "analytical (default)");
  verb->add_option("--mapping", options->mapping, "heuristic (default)");
  verb->add_option("--layer", options->layer, "only this layer")->check(not_empty());
  verb->add_option("--batch", options->batch, "images per inference");
  verb->add_flag("--strict-bits", options->strict_bits,
                 "a width that the machine must round is an error");
  constexpr int kMostJobs = 1024;
  verb->add_option("--jobs,-j", options->jobs, "threads; the result is the same for any number")
      ->check(CLI::Range(1, kMostJobs));
  verb->add_option("--set", options->overrides, "key.path=value, changes the machine file")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  verb->add_option("--energy-table", options->energy_tables,
                   "your own energy table or ERT; it beats all others")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  verb->add_option("--accelergy-output", options->accelergy_output,
                   "folder for ERT.yaml, ART.yaml and action_counts.yaml")
      ->check(not_empty());
  verb->add_option("--format", options->format, "table (default), json, csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  verb->add_option("--output,-o", options->output, "file instead of standard output")
      ->check(not_empty());
  verb->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace vernier::frontends
