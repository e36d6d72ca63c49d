#include "dataflow/machine/energy_spec.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

const std::vector<std::string>& idle_slot_names() {
  static const std::vector<std::string> names{"table", "active", "gated"};
  return names;
}
const std::vector<std::string>& scaling_names() {
  static const std::vector<std::string> names{"none", "capacitance"};
  return names;
}

std::optional<double> number_of(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar || node.quoted) return std::nullopt;
  double value = 0.0;
  const char* const end = node.scalar.data() + node.scalar.size();
  const auto [stop, status] = std::from_chars(node.scalar.data(), end, value);
  if (status != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

void read_attributes(const YamlNode& node, const std::string& path, energy::Attributes& attributes,
                     ProblemList& problems) {
  for (const auto& [name, value] : node.entries) {
    if (value.kind != YamlNode::Kind::kScalar) {
      problems.add(
          value.place, fmt::format("{}.{}", path, name),
          fmt::format("found {}; an attribute is a number or a word", value.description()));
      continue;
    }
    const std::optional<double> number = number_of(value);
    attributes.emplace(
        name, number ? energy::AttributeValue(*number) : energy::AttributeValue(value.scalar));
  }
}

// `free`, `tables`, the entry's action, or a mapping of action, arguments and scale.
energy::ActionUse read_action(const std::string& ours, const YamlNode& node,
                              const std::string& path, ProblemList& problems) {
  energy::ActionUse use;
  use.action = use.name = ours;
  if (node.kind == YamlNode::Kind::kScalar) {
    use.is_free = node.scalar == "free";
    use.from_tables = node.scalar == "tables";
    use.name = node.scalar;
    return use;
  }
  if (node.kind != YamlNode::Kind::kMapping) {
    problems.add(node.place, path,
                 fmt::format("found {}; allowed are 'free', 'tables', the name of an action of the "
                             "entry, or a mapping of action, arguments, scale",
                             node.description()));
    return use;
  }
  MappingReader reader(node, path, problems);
  reader.text("action", use.name, Need::kRequired, "the entry's action");
  if (const YamlNode* list = reader.mapping("arguments", Need::kOptional)) {
    for (const auto& [name, value] : list->entries) {
      const std::optional<double> number = number_of(value);
      if (!number) {
        problems.add(value.place, fmt::format("{}.arguments.{}", path, name),
                     fmt::format("found {}; an argument is a number", value.description()));
        continue;
      }
      use.arguments.emplace(name, *number);
    }
  }
  if (const YamlNode* scale = reader.node("scale", Need::kOptional)) {
    const std::optional<double> number = number_of(*scale);
    constexpr double kMost = 1e9;
    if (!number || *number < 0.0 || *number > kMost) {
      reader.problem("scale", fmt::format("found {}; allowed is a number from 0 to 1e9",
                                          scale->description()));
    } else {
      use.scale = *number;
    }
  }
  reader.finish();
  return use;
}

energy::ComponentUse read_use(const std::string& component, const YamlNode& node,
                              ProblemList& problems) {
  const std::string path = fmt::format("energy.map.{}", component);
  MappingReader reader(node, path, problems);
  energy::ComponentUse use;
  use.component = component;
  use.place = node.place;
  reader.text("table", use.table, Need::kRequired, "name of the table");
  reader.text("entry", use.entry, Need::kRequired, "component, design or class of the table");
  if (const YamlNode* attributes = reader.mapping("attributes", Need::kOptional)) {
    read_attributes(*attributes, path + ".attributes", use.attributes, problems);
  }
  if (node.find("width") != nullptr) {
    Bits width{1};
    unit_field(reader, "width", "bit", width, &parse_bits, Need::kOptional,
               "bits that one access of the entry moves");
    if (width.count() <= 0) reader.problem("width", "must be more than 0");
    use.width = width;
  }
  if (node.find("instances") != nullptr) {
    std::int64_t instances = 1;
    constexpr std::int64_t kMost = 1'000'000'000;
    reader.integer("instances", instances, {1, kMost}, Need::kOptional,
                   "entries that make up the component, for leakage and area");
    use.instances = instances;
  }
  if (const YamlNode* actions = reader.mapping("actions", Need::kOptional)) {
    for (const auto& [name, value] : actions->entries) {
      use.actions.push_back(
          read_action(name, value, fmt::format("{}.actions.{}", path, name), problems));
    }
  }
  reader.finish();
  return use;
}

template <typename Visitor>
void visit_energy(Visitor& visitor, EnergySpec& spec) {
  visitor.texts("tables", spec.tables, Need::kRequired, "energy tables by name or path");
  visitor.text("dram", spec.dram, Need::kRequired, "DRAM type in the tables");
  visitor.texts("own_tables", spec.own_tables, Need::kOptional,
                "your own tables by name or path; they beat all others, in this order");
  enum_field(visitor, "idle_slots", spec.rules.idle_slots, idle_slot_names(), Need::kOptional,
             "price of a product slot that holds padding: the table's, a real product's, or 0");
  enum_field(visitor, "scaling", spec.rules.scaling, scaling_names(), Need::kOptional,
             "tables of another node: refused, or energies by the ratio of the nodes and areas by "
             "its square");
}

}  // namespace

void read_energy_spec(const YamlNode& node, EnergySpec& spec, ProblemList& problems) {
  MappingReader reader(node, "energy", problems);
  visit_energy(reader, spec);
  if (const YamlNode* map = reader.mapping("map", Need::kOptional)) {
    for (const auto& [component, use] : map->entries) {
      spec.rules.map.push_back(read_use(component, use, problems));
    }
  }
  reader.finish();
}

std::vector<ComponentDescription> describe_energy_format() {
  FieldDescriber fields("energy.");
  EnergySpec spec;
  visit_energy(fields, spec);
  ComponentDescription map{
      "energy_map", "machine part", "which table entry prices a component of the machine", {}};
  const auto add = [&map](std::string key, std::string type, std::string fallback,
                          std::string sentence) {
    map.parameters.push_back({"energy.map.COMPONENT." + std::move(key), std::move(type), "",
                              std::move(fallback), std::move(sentence)});
  };
  add("table", "text", "", "name of a table of the machine");
  add("entry", "text", "", "component of an ERT, measured design or compound class");
  add("attributes", "mapping", "none", "attributes of a compound class");
  add("width", "bits", "one access", "bits that an access of the entry moves; a share is paid");
  add("instances", "integer", "the component's", "entries that make up the component");
  add("actions", "mapping", "equal names",
      "our action: the entry's action, 'free', 'tables', or {action, arguments, scale}");
  return {{"energy", "machine part", "the tables that price the machine", fields.parameters()},
          std::move(map)};
}

}  // namespace vernier::dataflow
