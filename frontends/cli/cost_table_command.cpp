#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "dataflow/machine/machine.hpp"
#include "dataflow/surrogate/cost_table.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/models/network_file.hpp"
#include "frontends/npy/npy_file.hpp"
#include "frontends/report/cost_table_report.hpp"

namespace vernier::frontends {
namespace {

struct TableOptions {
  std::string accelerator;
  std::string model;
  std::string layer;
  std::optional<std::int64_t> batch;
  std::optional<std::int64_t> output_bits;
  int jobs = 1;
  std::vector<std::string> overrides;
  std::vector<std::string> energy_tables;
  std::string quantity;
  std::string format = "csv";
  std::string output;
};

// The widest storage width up to 8 bits, as most tables assume for outputs; else the narrowest.
Bitwidth usual_output(const dataflow::Accelerator& machine) {
  constexpr std::int64_t kUsual = 8;
  std::int64_t found = machine.spec().storage_bits.front();
  for (const std::int64_t bits : machine.spec().storage_bits) {
    if (bits <= kUsual) found = bits;
  }
  return Bitwidth(found);
}

void write_table(const TableOptions& options, const CostTableReport& report) {
  if (options.format == "csv") return write_result(cost_table_csv(report), options.output);
  if (options.format == "json") return write_result(cost_table_json(report), options.output);
  const std::vector<std::string>& names = table_quantity_names();
  const auto place = options.quantity.empty()
                         ? names.begin()
                         : std::find(names.begin(), names.end(), options.quantity);
  const auto quantity = static_cast<TableQuantity>(place - names.begin());
  const NestedTable table = nested_table(report, quantity);
  write_result(npy_of_doubles(table.shape, table.values), options.output);
  write_result(nested_table_json(report, quantity), options.output + ".json");
  say(fmt::format("vernier: {} x {} x {} numbers of {} in {}; layer names and origin in {}.json",
                  table.shape[0], table.shape[1], table.shape[2], unit_of(quantity), options.output,
                  options.output));
}

ExitCode run(const TableOptions& options) {
  if (options.format == "npy" && options.output.empty()) {
    throw ConfigError("--format npy needs --output: the table is binary and has a second file");
  }
  if (options.format != "npy" && !options.quantity.empty()) {
    throw ConfigError(
        fmt::format("--quantity is for --format npy; {} holds all quantities", options.format));
  }
  const std::string machine_file = shipped_or_path(options.accelerator, "accelerators");
  const std::string model_file = shipped_or_path(options.model, "models");
  const dataflow::Machine machine = dataflow::load_machine(
      machine_file, options.overrides, energy_table_folders(), options.energy_tables);
  for (const std::string& warning : machine.prices.warnings()) say("vernier: warning: " + warning);
  for (const std::string& assumed : machine.assumptions) say("vernier: assumed: " + assumed);
  dataflow::ImportedModel model = load_network_file(model_file);
  if (options.batch) model.graph = model.graph.with_batch(*options.batch);
  if (!options.layer.empty()) model.graph = model.graph.only_layer(options.layer);

  const Bitwidth output =
      options.output_bits ? Bitwidth(*options.output_bits) : usual_output(machine.accelerator);
  const dataflow::CostTable table = dataflow::make_cost_table(
      machine, model.graph, {.output_bits = output, .jobs = options.jobs});
  std::size_t left_out = 0;
  std::string example;
  for (const dataflow::CostTableLayer& layer : table.layers) {
    left_out += layer.left_out.size();
    if (example.empty() && !layer.left_out.empty()) example = layer.left_out.front();
  }
  if (left_out > 0) {
    say(fmt::format("vernier: {} pairs cannot run and are left out, for example {}", left_out,
                    example));
  }
  write_table(options, {.machine = machine,
                        .graph = model.graph,
                        .table = table,
                        .output_bits = output.bits(),
                        .machine_file = machine_file,
                        .model_file = model_file,
                        .overrides = options.overrides,
                        .assumptions = machine.assumptions});
  return ExitCode::kGood;
}

}  // namespace

void add_cost_table_command(CLI::App& app, VerbAction& action) {
  auto options = std::make_shared<TableOptions>();
  CLI::App* verb = app.add_subcommand(
      "cost-table", "cost of every layer alone at every legal width, for your own search code");
  verb->add_option("--accelerator,-a", options->accelerator, "machine file (YAML)")
      ->required()
      ->check(not_empty());
  verb->add_option("--model,-m", options->model, "network file (YAML, ONNX, TFLite, topology CSV)")
      ->required()
      ->check(not_empty());
  verb->add_option("--layer", options->layer, "only this layer")->check(not_empty());
  verb->add_option("--batch", options->batch, "images per inference, 1 to 65536")
      ->check(CLI::Range(std::int64_t{1}, dataflow::kMaxBatch));
  verb->add_option("--output-bits", options->output_bits,
                   "bits of every layer's output (default: 8, or what the machine stores below)");
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
  verb->add_option("--quantity", options->quantity,
                   "of the npy table: latency (default, ms), energy (pJ), dram (bit)")
      ->check(CLI::IsMember(table_quantity_names()));
  verb->add_option("--format", options->format,
                   "csv (default), json, npy: [layer][weight bits - 1][activation bits - 1]")
      ->check(CLI::IsMember({"csv", "json", "npy"}));
  verb->add_option("--output,-o", options->output, "file instead of standard output")
      ->check(not_empty());
  verb->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace vernier::frontends
