#include "frontends/cli/mapping_options.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/mapping/mapping_file.hpp"
#include "dataflow/search/network_search.hpp"
#include "frontends/cli/commands.hpp"

namespace vernier::frontends {
namespace {

const std::vector<std::string>& mapper_names() {
  static const std::vector<std::string> names{"heuristic", "exhaustive"};
  return names;
}

bool is_mapper(const std::string& name) {
  return std::find(mapper_names().begin(), mapper_names().end(), name) != mapper_names().end();
}

dataflow::MappingPlan read_plan(const std::string& path, const MappedNetwork& network,
                                std::span<const dataflow::LoweredLayer> lowered) {
  YamlNode root = load_yaml(path);
  if (YamlNode* layers = root.find("layers")) {
    std::erase_if(layers->entries, [&](const YamlEntry& entry) {
      return !network.graph.find_layer(entry.key) &&
             std::find(network.other_layers.begin(), network.other_layers.end(), entry.key) !=
                 network.other_layers.end();
    });
  }
  return dataflow::read_mapping_plan(root, network.graph, lowered);
}

// Layers that a mapping file leaves out.
std::vector<std::string> told(const std::string& path, const MappedNetwork& network,
                              const std::vector<dataflow::LayerId>& layers) {
  if (layers.empty()) return {};
  std::vector<std::string> names;
  names.reserve(layers.size());
  for (const dataflow::LayerId id : layers) names.push_back(network.graph.layers()[id].name);
  return {fmt::format("{} has no mapping for {} layer(s), which the heuristic maps: {}",
                      shown(path), names.size(), name_list(names))};
}

}  // namespace

void add_mapping_options(CLI::App& verb, MappingOptions& options) {
  verb.add_option("--mapping", options.mapping,
                  "heuristic (default), exhaustive, or a mapping file (YAML)")
      ->check(not_empty());
  verb.add_option("--objective", options.objective,
                  "of an exhaustive search: cycles (default), energy, energy-delay, dram")
      ->check(not_empty());
  verb.add_option("--mapping-output", options.output,
                  "file for the mapping of every layer, as --mapping reads it")
      ->check(not_empty());
}

void check_mapping_options(const MappingOptions& options) {
  if (!options.objective.empty()) {
    if (options.mapping != "exhaustive") {
      throw ConfigError("--objective is for --mapping exhaustive");
    }
    if (!dataflow::parse_search_objective(options.objective)) {
      throw ConfigError(
          fmt::format("--objective {}: allowed are {}{}", shown(options.objective),
                      name_list(dataflow::search_objective_names()),
                      suggestion(options.objective, dataflow::search_objective_names())));
    }
  }
  std::error_code ignored;
  if (!is_mapper(options.mapping) && !std::filesystem::exists(options.mapping, ignored)) {
    throw ConfigError(
        fmt::format("--mapping {}: neither heuristic nor exhaustive nor a file that is there{}",
                    shown(options.mapping), suggestion(options.mapping, mapper_names())));
  }
}

Result<ChosenMappings> choose_mappings(const MappingOptions& options,
                                       const MappedNetwork& network) {
  if (options.mapping == "heuristic") return ChosenMappings{};
  const std::vector<dataflow::LoweredLayer> lowered = lower_network(
      network.graph, network.precision, network.machine.accelerator, network.strict_bits);
  ChosenMappings chosen;
  if (options.mapping != "exhaustive") {
    chosen.plan = read_plan(options.mapping, network, lowered);
    chosen.assumptions =
        told(options.mapping, network, dataflow::unmapped_layers(*chosen.plan, lowered));
    return chosen;
  }
  const auto objective = dataflow::parse_search_objective(options.objective)
                             .value_or(dataflow::SearchObjective::kCycles);
  Result<dataflow::NetworkSearch> found =
      search_network(network.graph, lowered, network.machine, objective, network.jobs);
  if (!found) return found.infeasible();
  chosen.plan = std::move(found).value().plan;
  chosen.assumptions = {
      fmt::format("mappings are the best of each layer alone for {}, in the space of "
                  "docs/mapping.md; what neighbours share is not searched",
                  dataflow::to_text(objective))};
  return chosen;
}

void write_mapping_file(const std::string& path, const dataflow::LayerGraph& graph,
                        const dataflow::NetworkCost& cost) {
  std::vector<std::vector<dataflow::WrittenMapping>> layers(graph.layers().size());
  for (const dataflow::LayerCost& layer : cost.layers) {
    for (const dataflow::TaskOutline& task : layer.tasks) {
      layers[layer.layer].push_back({task.unit, task.mapping});
    }
  }
  write_result(dataflow::mapping_file_text(graph, layers), path, "--mapping-output");
}

}  // namespace vernier::frontends
