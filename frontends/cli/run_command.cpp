#include <memory>
#include <optional>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/machine.hpp"
#include "frontends/cli/accelergy_output.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/cli/mapping_options.hpp"
#include "frontends/cli/network_bits.hpp"
#include "frontends/cli/systemc_run.hpp"
#include "frontends/models/network_file.hpp"
#include "frontends/report/run_report.hpp"

namespace vernier::frontends {
namespace {

struct RunOptions {
  std::string accelerator;
  std::string model;
  std::string precision;
  std::string bits;
  std::string engine = "analytical";
  std::string layer;
  std::optional<std::int64_t> batch;
  bool strict_bits = false;
  int jobs = 1;
  std::vector<std::string> overrides;
  std::vector<std::string> energy_tables;
  std::string accelergy_output;
  std::string format = "table";
  std::string output;
  SystemcOptions systemc;
  MappingOptions mapping;
};

// The network, or one layer of it; `others` gets the names of the layers left out.
dataflow::ImportedModel load_network(const RunOptions& options, std::vector<std::string>& others) {
  dataflow::ImportedModel model = load_network_file(options.model);
  if (!options.layer.empty()) {
    for (const dataflow::Layer& layer : model.graph.layers()) others.push_back(layer.name);
  }
  if (options.batch) model.graph = model.graph.with_batch(*options.batch);
  if (!options.layer.empty()) model.graph = model.graph.only_layer(options.layer);
  return model;
}

// With --layer the file may name tensors outside the chosen layer.
PrecisionFile bits_of(const RunOptions& options, const dataflow::LayerGraph& graph) {
  PrecisionFile file = load_bits({options.precision, options.bits}, graph);
  if (!options.layer.empty() && !options.precision.empty()) {
    std::erase_if(file.map.tensors,
                  [&](const auto& entry) { return !graph.find_tensor(entry.first); });
  }
  return file;
}

// Options that only one of the engines has.
void check_engine(const RunOptions& options) {
  if (options.engine == "systemc") {
    if (!has_systemc()) {
      throw ConfigError(
          "--engine systemc: SystemC is not built into this vernier; the analytical engine is");
    }
    if (options.jobs == 1) return;
    throw ConfigError(
        "--jobs: the systemc engine simulates in one thread; start several processes, for example "
        "one per --layer");
  }
  if (options.engine != "analytical") {
    const std::vector<std::string> engines{"analytical", "systemc"};
    throw ConfigError(fmt::format("--engine {}: there is no such engine; allowed are {}{}",
                                  shown(options.engine), name_list(engines),
                                  suggestion(options.engine, engines)));
  }
  const std::string given = options.systemc.first_given();
  if (!given.empty()) {
    throw ConfigError(fmt::format("{} is for --engine systemc", given));
  }
}

// What either engine hands to the report.
struct EngineResult {
  dataflow::NetworkCost cost;
  std::optional<DataCheckFigures> check;
};

Result<EngineResult> run_engine(const RunOptions& options, const dataflow::Machine& machine,
                                const dataflow::LayerGraph& graph,
                                const dataflow::NetworkPrecision& precision,
                                const dataflow::MappingPlan* mappings) {
  if (options.engine == "systemc") {
    Result<SystemcRun> run =
        run_systemc(machine, graph, precision, options.strict_bits, mappings, options.systemc);
    if (!run) return run.infeasible();
    SystemcRun done = std::move(run).value();
    return EngineResult{std::move(done.cost), std::move(done.check)};
  }
  const dataflow::Evaluator evaluator(machine);
  Result<dataflow::NetworkCost> cost = evaluator.evaluate(
      graph, precision,
      {.jobs = options.jobs, .strict_bits = options.strict_bits, .mappings = mappings});
  if (!cost) return cost.infeasible();
  return EngineResult{std::move(cost).value(), std::nullopt};
}

// What the comparison of the outputs means for the command.
ExitCode judge(const DataCheckFigures& check) {
  if (check.mismatches == 0 && check.overflows == 0) return ExitCode::kGood;
  say(
      fmt::format("vernier: {} outputs differ from the definition of their layers ({} sums left "
                  "the accumulator); {}",
                  check.mismatches, check.overflows, check.first_mismatch));
  return check.overflows > 0 ? ExitCode::kInfeasible : ExitCode::kBug;
}

ExitCode say_infeasible(const Infeasible& reason) {
  say("vernier: infeasible: " + reason.reason);
  return ExitCode::kInfeasible;
}

ExitCode run(const RunOptions& given) {
  RunOptions options = given;
  options.accelerator = shipped_or_path(given.accelerator, "accelerators");
  options.model = shipped_or_path(given.model, "models");
  check_engine(options);
  check_mapping_options(options.mapping);
  const dataflow::Machine machine = dataflow::load_machine(
      options.accelerator, options.overrides, energy_table_folders(), options.energy_tables);
  for (const std::string& warning : machine.prices.warnings()) say("vernier: warning: " + warning);
  std::vector<std::string> other_layers;
  const dataflow::ImportedModel model = load_network(options, other_layers);
  const dataflow::LayerGraph& graph = model.graph;
  const PrecisionFile widths = bits_of(options, graph);
  const dataflow::ResolvedPrecision bits =
      dataflow::resolve_precision(graph, dataflow::with_assumed_widths(widths.map, model));
  std::vector<std::string> assumptions = machine.assumptions;
  assumptions.insert(assumptions.end(), widths.notes.begin(), widths.notes.end());
  assumptions.insert(assumptions.end(), bits.assumptions.begin(), bits.assumptions.end());
  if (options.engine == "analytical") {
    for (std::string& text : dataflow::dram_assumptions(machine.accelerator)) {
      assumptions.push_back(std::move(text));
    }
  }
  const Result<ChosenMappings> mappings = choose_mappings(
      options.mapping,
      {machine, graph, bits.tensors, std::move(other_layers), options.strict_bits, options.jobs});
  if (!mappings) return say_infeasible(mappings.infeasible());
  assumptions.insert(assumptions.end(), mappings->assumptions.begin(), mappings->assumptions.end());
  for (const std::string& assumption : assumptions) say("vernier: assumed: " + assumption);

  const Result<EngineResult> result = run_engine(options, machine, graph, bits.tensors,
                                                 mappings->plan ? &*mappings->plan : nullptr);
  if (!result) return say_infeasible(result.infeasible());
  RunReport report{.machine = machine,
                   .graph = graph,
                   .precision = bits.tensors,
                   .cost = result->cost,
                   .import = model.report,
                   .engine = options.engine,
                   .machine_file = options.accelerator,
                   .model_file = options.model,
                   .bits_origin = "model",
                   .overrides = options.overrides,
                   .assumptions = assumptions,
                   .data_check = result->check};
  if (!options.bits.empty()) report.bits_origin = "--bits " + options.bits;
  if (!options.precision.empty()) report.bits_origin = options.precision;
  if (!options.mapping.output.empty()) {
    write_mapping_file(options.mapping.output, graph, result->cost);
  }
  if (!options.accelergy_output.empty()) {
    write_accelergy_files(options.accelergy_output, machine, result->cost.total.energy);
  }
  if (options.format == "json") {
    write_result(to_json(report), options.output);
  } else if (options.format == "csv") {
    write_result(to_csv(report), options.output);
  } else {
    write_result(to_table(report), options.output);
  }
  return judge(result->check.value_or(DataCheckFigures{}));
}

}  // namespace

void add_run_command(CLI::App& app, VerbAction& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("run", "cost of a network on a machine");
  verb->add_option("--accelerator,-a", options->accelerator, "machine file (YAML)")
      ->required()
      ->check(not_empty());
  verb->add_option("--model,-m", options->model, "network file (YAML, ONNX, TFLite, topology CSV)")
      ->required()
      ->check(not_empty());
  verb->add_option("--bits,-b", options->bits, "w=BITS,a=BITS for all weights and activations")
      ->check(not_empty());
  verb->add_option("--precision,-p", options->precision,
                   "precision file (YAML, AIMET JSON), bits per tensor")
      ->check(not_empty());
  verb->add_option("--engine", options->engine,
                   "analytical (default) or systemc: clocked, with real operands");
  add_mapping_options(*verb, options->mapping);
  verb->add_option("--layer", options->layer, "only this layer")->check(not_empty());
  verb->add_option("--batch", options->batch, "images per inference, 1 to 65536")
      ->check(CLI::Range(std::int64_t{1}, dataflow::kMaxBatch));
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
  add_systemc_options(*verb, options->systemc);
  verb->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace vernier::frontends
