#include <memory>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "arch/base/yaml.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/accelergy_architecture.hpp"
#include "dataflow/machine/machine.hpp"
#include "energy/accelergy_tables.hpp"
#include "energy/estimator.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/models/network_file.hpp"
#include "frontends/models/precision_file.hpp"
#include "frontends/report/import_text.hpp"

namespace vernier::frontends {
namespace {

std::string check_machine(const std::string& path) {
  const dataflow::Machine machine = dataflow::load_machine(path, {}, energy_table_folders());
  const dataflow::AcceleratorSpec& spec = machine.accelerator.spec();
  return fmt::format("machine '{}': {}x{} {}, {} at {}, {} priced actions", spec.name,
                     spec.array.rows, spec.array.columns, to_text(spec.array.dataflow),
                     spec.mac.style, to_text(spec.clock), machine.prices.actions().size());
}

std::string check_network(const std::string& path) {
  const dataflow::ImportedModel model = load_network_file(path);
  const dataflow::LayerGraph& graph = model.graph;
  const dataflow::NetworkTotals totals = graph.totals();
  std::string text = fmt::format(
      "network '{}': {} layers ({} with MACs), {} MACs, {} weights, {} parameters, batch {}",
      graph.name(), graph.layers().size(), totals.mac_layers, totals.macs.count(), totals.weights,
      totals.parameters, graph.batch());
  for (const std::string& assumption : dataflow::resolve_precision(graph, {}).assumptions) {
    text += "\n  assumed unless --bits or --precision say otherwise: " + assumption;
  }
  std::string report = import_text(model.report);
  report.pop_back();  // the line break at its end
  return text + "\n" + report;
}

std::string check_precision(const YamlNode& root) {
  const PrecisionFile file = read_precision_file(root);
  const dataflow::PrecisionMap& map = file.map;
  std::string text = fmt::format("precision file ({}): {} tensors by name, default {}", file.format,
                                 map.tensors.size(),
                                 map.default_weight || map.default_activation ? "given" : "none");
  for (const std::string& note : file.notes) text += "\n  assumed: " + note;
  return text;
}

std::string check_table(const std::string& path) {
  const auto table = energy::load_estimator(path, energy::builtin_estimators());
  return fmt::format("energy table '{}', stated accuracy {} %", table->name(), table->accuracy());
}

// Finds out from the keys what a file is, and reads it as that.
std::string check_file(const std::string& path) {
  if (is_foreign_network(path)) return check_network(path);
  if (dataflow::is_accelergy_architecture(
          read_text_file(path, precision_file_limits().max_bytes))) {
    return check_machine(path);
  }
  const YamlNode root = load_yaml(path, precision_file_limits());
  if (root.find("array") != nullptr || root.find("mac") != nullptr) return check_machine(path);
  if (root.find("layers") != nullptr) return check_network(path);
  if (root.find("kind") != nullptr || energy::is_accelergy_table(root) ||
      root.find("compound_components") != nullptr) {
    return check_table(path);
  }
  if (is_precision_file(root)) return check_precision(root);
  throw ConfigError(fmt::format(
      "{}: cannot tell what this file is; a machine has 'array', a network 'layers', a precision "
      "file 'tensors' or 'default', an energy table 'kind', 'ERT' or 'compound_components'",
      path));
}

ExitCode check(const std::vector<std::string>& files) {
  ExitCode worst = ExitCode::kGood;
  for (const std::string& file : files) {
    try {
      write_result(fmt::format("{}: {}\n", file, check_file(file)), "");
    } catch (const UserError& error) {
      say(error.what());
      worst = ExitCode::kUserError;
    }
  }
  return worst;
}

}  // namespace

void add_check_command(CLI::App& app, VerbAction& action) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = app.add_subcommand("check", "what input files are and what is wrong with them");
  verb->add_option(
          "FILE", *files,
          "machine, network (YAML, ONNX, TFLite, topology CSV), widths (YAML, AIMET JSON) or "
          "energy table")
      ->required()
      ->check(not_empty());
  verb->callback([&action, files] { action = [files] { return check(*files); }; });
}

}  // namespace vernier::frontends
