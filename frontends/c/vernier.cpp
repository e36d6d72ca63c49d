#include "frontends/c/vernier.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/surrogate/cost_model.hpp"
#include "frontends/models/network_file.hpp"

using vernier::dataflow::CostModel;
using vernier::dataflow::Objective;

struct vernier_machine {
  vernier::dataflow::Machine machine;
};
struct vernier_network {
  vernier::dataflow::ImportedModel model;
};
struct vernier_cost_model {
  CostModel model;
};

namespace vernier::frontends {
namespace {

std::string& last_error() {
  thread_local std::string error;
  return error;
}

vernier_status failed(vernier_status status, std::string reason) {
  last_error() = std::move(reason);
  return status;
}

// Runs the work of one function and turns what is thrown into a status.
template <typename Work>
vernier_status guarded(const Work& work) {
  try {
    last_error().clear();
    return work();
  } catch (const UserError& error) {
    return failed(VERNIER_USER_ERROR, error.what());
  } catch (const std::exception& error) {
    return failed(VERNIER_BUG, error.what());
  } catch (...) {
    return failed(VERNIER_BUG, "something that is no exception of the standard library");
  }
}

// Every pointer that a function needs, by name.
void require(const void* pointer, const char* name) {
  if (pointer == nullptr) throw ConfigError(fmt::format("{}: NULL is not allowed", name));
}

int checked_choice(int found, int count, const char* name) {
  if (found >= 0 && found < count) return found;
  throw ConfigError(fmt::format("{}: found {}; allowed are 0 to {}", name, found, count - 1));
}

std::span<const double> bits_of(const double* bits, std::size_t count) {
  if (count > 0) require(bits, "bits");
  return {bits, count};
}

Objective objective_of(const vernier_objective& given) {
  require(given.measure, "objective.measure");
  constexpr int kForms = 5;
  Objective objective;
  objective.measure = dataflow::parse_measure(given.measure);
  objective.form = static_cast<dataflow::Form>(
      checked_choice(static_cast<int>(given.form), kForms, "objective.form"));
  objective.weight = given.weight;
  objective.target = given.target;
  objective.multiplier = given.multiplier;
  return objective;
}

dataflow::RelaxOptions options_of(const vernier_relax_options* given) {
  dataflow::RelaxOptions options;
  if (given == nullptr) return options;
  constexpr int kKinks = 3;
  options.forward = static_cast<dataflow::Forward>(
      checked_choice(given->forward_exact, 2, "options.forward_exact"));
  options.kink = static_cast<dataflow::Kink>(checked_choice(given->kink, kKinks, "options.kink"));
  options.tie = checked_choice(given->tie, 2, "options.tie") != 0;
  options.monotone =
      static_cast<dataflow::Monotone>(checked_choice(given->envelope, 2, "options.envelope"));
  return options;
}

dataflow::SliceSizes slices_of(std::span<const vernier_slices> given,
                               const dataflow::LayerGraph& graph) {
  dataflow::SliceSizes slices;
  for (const vernier_slices& tensor : given) {
    require(tensor.tensor, "slices[].tensor");
    std::vector<std::int64_t> sizes;
    if (tensor.count == 0) sizes = dataflow::per_channel(graph, tensor.tensor);
    if (tensor.count > 0) require(tensor.channels, "slices[].channels");
    for (const std::size_t channels : std::span(tensor.channels, tensor.count)) {
      constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
      if (channels > kMost) {
        throw ConfigError(fmt::format("slices[].channels of '{}': found {}; allowed are 1 to {}",
                                      shown(tensor.tensor), channels, kMost));
      }
      sizes.push_back(static_cast<std::int64_t>(channels));
    }
    if (!slices.emplace(tensor.tensor, std::move(sizes)).second) {
      throw ConfigError(fmt::format("slices[].tensor: '{}' is sliced twice", shown(tensor.tensor)));
    }
  }
  return slices;
}

vernier_status relax(const CostModel& model, std::span<const double> bits,
                     std::span<const vernier_objective> given, const vernier_relax_options* options,
                     double* total, double* measured, double* gradient) {
  std::vector<Objective> objectives;
  for (const vernier_objective& objective : given) objectives.push_back(objective_of(objective));
  const Result<dataflow::Relaxation> cost = model.relax(bits, objectives, options_of(options));
  if (!cost) return failed(VERNIER_INFEASIBLE, cost.infeasible().reason);
  *total = cost->total;
  if (measured != nullptr) {
    for (std::size_t at = 0; at < given.size(); ++at) measured[at] = cost->objectives[at].measured;
  }
  if (gradient != nullptr) std::copy(cost->gradient.begin(), cost->gradient.end(), gradient);
  return VERNIER_OK;
}

}  // namespace
}  // namespace vernier::frontends

namespace frontends = vernier::frontends;

int vernier_api_version(void) { return VERNIER_API_VERSION; }

const char* vernier_last_error(void) { return frontends::last_error().c_str(); }

vernier_status vernier_machine_load(const char* path, const char* const* table_folders,
                                    size_t table_folder_count, vernier_machine** machine) {
  return frontends::guarded([&] {
    frontends::require(path, "path");
    frontends::require(machine, "machine");
    if (table_folder_count > 0) frontends::require(table_folders, "table_folders");
    std::vector<std::string> folders;
    for (size_t at = 0; at < table_folder_count; ++at) {
      frontends::require(table_folders[at], "table_folders[]");
      folders.emplace_back(table_folders[at]);
    }
    *machine = new vernier_machine{vernier::dataflow::load_machine(path, {}, folders)};
    return VERNIER_OK;
  });
}

void vernier_machine_free(vernier_machine* machine) { delete machine; }

vernier_status vernier_network_load(const char* path, vernier_network** network) {
  return frontends::guarded([&] {
    frontends::require(path, "path");
    frontends::require(network, "network");
    *network = new vernier_network{vernier::frontends::load_network_file(path)};
    return VERNIER_OK;
  });
}

void vernier_network_free(vernier_network* network) { delete network; }

vernier_status vernier_cost_model_create(const vernier_machine* machine,
                                         const vernier_network* network,
                                         vernier_cost_model** model) {
  return vernier_cost_model_create_sliced(machine, network, nullptr, 0, model);
}

vernier_status vernier_cost_model_create_sliced(const vernier_machine* machine,
                                                const vernier_network* network,
                                                const vernier_slices* slices, size_t slice_count,
                                                vernier_cost_model** model) {
  return frontends::guarded([&] {
    frontends::require(machine, "machine");
    frontends::require(network, "network");
    frontends::require(model, "model");
    if (slice_count > 0) frontends::require(slices, "slices");
    const vernier::dataflow::LayerGraph& graph = network->model.graph;
    *model = new vernier_cost_model{
        CostModel(machine->machine, graph,
                  {.base = vernier::dataflow::with_assumed_widths({}, network->model),
                   .slices = frontends::slices_of({slices, slice_count}, graph)})};
    return VERNIER_OK;
  });
}

void vernier_cost_model_free(vernier_cost_model* model) { delete model; }

size_t vernier_variable_count(const vernier_cost_model* model) {
  return model == nullptr ? 0 : model->model.variables().size();
}

const char* vernier_variable_name(const vernier_cost_model* model, size_t variable) {
  if (variable >= vernier_variable_count(model)) return nullptr;
  return model->model.variables()[variable].name.c_str();
}

size_t vernier_variable_widths(const vernier_cost_model* model, size_t variable, int* widths,
                               size_t capacity) {
  if (variable >= vernier_variable_count(model)) return 0;
  const vernier::dataflow::WidthLattice& lattice = model->model.lattice(variable);
  for (size_t at = 0; widths != nullptr && at < std::min(capacity, lattice.size()); ++at) {
    widths[at] = static_cast<int>(lattice[at]);
  }
  return lattice.size();
}

size_t vernier_variable_channels(const vernier_cost_model* model, size_t variable) {
  if (variable >= vernier_variable_count(model)) return 0;
  return static_cast<size_t>(model->model.variables()[variable].channels);
}

vernier_status vernier_variable_find(const vernier_cost_model* model, const char* name,
                                     size_t* variable) {
  return frontends::guarded([&] {
    frontends::require(model, "model");
    frontends::require(name, "name");
    frontends::require(variable, "variable");
    *variable = model->model.variable(name);
    return VERNIER_OK;
  });
}

vernier_status vernier_evaluate(const vernier_cost_model* model, const double* bits, size_t count,
                                vernier_figures* figures) {
  return frontends::guarded([&] {
    frontends::require(model, "model");
    frontends::require(figures, "figures");
    const auto cost = model->model.figures(frontends::bits_of(bits, count));
    if (!cost) return frontends::failed(VERNIER_INFEASIBLE, cost.infeasible().reason);
    *figures = {cost->cycles, cost->energy_pj, cost->dram_bits};
    return VERNIER_OK;
  });
}

vernier_status vernier_relax(const vernier_cost_model* model, const double* bits, size_t count,
                             const vernier_objective* objectives, size_t objective_count,
                             const vernier_relax_options* options, double* total, double* measured,
                             double* gradient) {
  return frontends::guarded([&] {
    frontends::require(model, "model");
    frontends::require(total, "total");
    if (objective_count > 0) frontends::require(objectives, "objectives");
    return frontends::relax(model->model, frontends::bits_of(bits, count),
                            {objectives, objective_count}, options, total, measured, gradient);
  });
}

vernier_status vernier_updated_multiplier(const vernier_objective* objective, double measured,
                                          double* multiplier) {
  return frontends::guarded([&] {
    frontends::require(objective, "objective");
    frontends::require(multiplier, "multiplier");
    *multiplier =
        vernier::dataflow::updated_multiplier(frontends::objective_of(*objective), measured);
    return VERNIER_OK;
  });
}

vernier_status vernier_round_to_legal(const vernier_cost_model* model, const double* bits,
                                      size_t count, vernier_round_policy policy, double* legal) {
  return frontends::guarded([&] {
    frontends::require(model, "model");
    frontends::require(legal, "legal");
    constexpr int kPolicies = 3;
    const auto chosen = static_cast<vernier::dataflow::RoundPolicy>(
        frontends::checked_choice(static_cast<int>(policy), kPolicies, "policy"));
    const vernier::dataflow::LegalWidths widths =
        model->model.round_to_legal(frontends::bits_of(bits, count), chosen);
    std::copy(widths.bits.begin(), widths.bits.end(), legal);
    return VERNIER_OK;
  });
}
