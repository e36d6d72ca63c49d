#include "dataflow/machine/components.hpp"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kMostBuffers = 64;

std::string find_table(const std::string& table, const Accelerator& machine,
                       const std::vector<std::string>& folders) {
  namespace fs = std::filesystem;
  const fs::path machine_folder = fs::path(machine.spec().file).parent_path();
  if (table.find('/') != std::string::npos || table.ends_with(".yaml")) {
    return (machine_folder / table).string();
  }
  std::vector<fs::path> places{machine_folder / ".." / "energy"};
  for (const std::string& folder : folders) places.emplace_back(folder);
  std::vector<std::string> known;
  for (const fs::path& place : places) {
    const fs::path candidate = place / (table + ".yaml");
    std::error_code status;
    if (fs::exists(candidate, status)) return candidate.lexically_normal().string();
    for (fs::directory_iterator entry(place, status), end; !status && entry != end;
         entry.increment(status)) {
      if (entry->path().extension() == ".yaml") known.push_back(entry->path().stem().string());
    }
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  throw ConfigError(fmt::format("{}: energy.tables: there is no energy table '{}'; known are {}{}",
                                machine.spec().file, shown(table), name_list(known),
                                suggestion(table, known)));
}

}  // namespace

ComponentIndices component_indices(const Accelerator& machine) {
  const std::size_t buffers = machine.spec().buffers.size();
  VERNIER_ASSERT(buffers <= kMostBuffers, "at most three buffers after checking");
  ComponentIndices indices;
  indices.dram = static_cast<ComponentIndex>(1 + buffers);
  indices.vector = static_cast<ComponentIndex>(2 + buffers);
  indices.requantizer = static_cast<ComponentIndex>(3 + buffers);
  return indices;
}

std::vector<energy::Component> components_of(const Accelerator& machine) {
  const AcceleratorSpec& spec = machine.spec();
  std::vector<energy::Component> components;
  energy::MacUnit unit;
  unit.style = spec.mac.style;
  unit.widest_weight = Bitwidth(spec.mac.weight_bits.back());
  unit.widest_activation = Bitwidth(spec.mac.activation_bits.back());
  unit.accumulator_bits = spec.mac.accumulator_bits;
  unit.data_gating = spec.mac.data_gating;
  for (const Accelerator::LegalMode& mode : machine.modes()) {
    unit.modes.push_back({mode.weight, mode.activation, mode.mode});
  }
  components.push_back({"mac", unit, spec.array.pes()});
  for (const memory::BufferSpec& buffer : spec.buffers) {
    components.push_back(
        {buffer.name,
         energy::SramBank{Bytes(buffer.capacity.count() / buffer.banks), buffer.word, buffer.ports},
         buffer.banks});
  }
  energy::DramInterface dram;
  dram.type = spec.energy.dram;
  if (const auto& timing = spec.dram.timing) {
    dram.counts_rows = true;
    dram.ranks = timing->channels * timing->ranks;
  }
  components.push_back({"dram", std::move(dram), 1});
  energy::VectorLane lane;
  for (const Action action : arch::vector_actions()) {
    if (spec.vector.cycles_for(action) > 0) lane.actions.push_back(action);
  }
  components.push_back({"vector", lane, spec.vector.lanes});
  const std::int64_t requantizers =
      spec.vector.requant_lanes > 0 ? spec.vector.requant_lanes : spec.array.columns;
  components.push_back({"requantizer", energy::Requantizer{}, requantizers});
  return components;
}

energy::PriceList load_prices(const Accelerator& machine, const TableSearch& search) {
  const EnergySpec& spec = machine.spec().energy;
  const energy::EstimatorRegistry registry = energy::builtin_estimators();
  std::vector<std::unique_ptr<energy::Estimator>> tables;
  tables.reserve(search.own_tables.size() + spec.own_tables.size() + spec.tables.size());
  for (const std::string& path : search.own_tables) {
    tables.push_back(energy::load_estimator(path, registry));
  }
  for (const std::string& table : spec.own_tables) {
    tables.push_back(energy::load_estimator(find_table(table, machine, search.folders), registry));
  }
  energy::PricingRules rules = spec.rules;
  rules.own_tables = tables.size();
  for (const std::string& table : spec.tables) {
    tables.push_back(energy::load_estimator(find_table(table, machine, search.folders), registry));
  }
  try {
    return {components_of(machine), tables, machine.spec().clock, machine.spec().technology, rules};
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("{}: energy: {}", machine.spec().file, error.what()));
  }
}

}  // namespace vernier::dataflow
