#include "dataflow/machine/accelergy_architecture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"
#include "energy/expression.hpp"

namespace vernier::dataflow {
namespace {

using energy::Attributes;

constexpr std::array<const char*, 3> kDataSpaces{"Inputs", "Weights", "Outputs"};
constexpr std::array<const char*, 3> kRoles{"input", "weight", "output"};
constexpr std::array<const char*, 3> kDataflows{"input_stationary", "weight_stationary",
                                                "output_stationary"};
constexpr double kLargest = 1e12;

struct Storage {
  std::string name;
  SourcePlace place;
  bool in_pe = false;
  double depth = 0;
  double width = 0;
  double datawidth = 0;
  double banks = 2;
  std::array<bool, 3> keeps{};  // per data space
};

struct Dram {
  std::string type;
  double bits_per_cycle = 0;
};

struct MacUnitWidths {
  double multiplier = 0;
  double adder = 0;
};

class ArchitectureReader {
 public:
  explicit ArchitectureReader(ProblemList& problems) : problems_(problems) {}

  void read_nodes(const YamlNode& list, const std::string& path, const Attributes& inherited) {
    Attributes scope = inherited;
    for (std::size_t at = 0; at < list.items.size(); ++at) {
      const YamlNode& node = list.items[at];
      const std::string place = fmt::format("{}[{}]", path, at);
      if (node.tag == "!Container") {
        read_container(node, place, scope);
      } else if (node.tag == "!Component") {
        read_component(node, place, scope);
      } else if (node.tag == "!Parallel" || node.tag == "!Hierarchical") {
        MappingReader reader(node, place, problems_);
        if (const YamlNode* inner = reader.sequence("nodes", Need::kRequired)) {
          read_nodes(*inner, place + ".nodes", scope);
        }
        reader.finish();
      } else if (node.tag != "!Nothing") {
        problems_.add(node.place, place,
                      fmt::format("found {}; allowed are !Container, !Component, !Parallel, "
                                  "!Hierarchical, !Nothing",
                                  node.tag.empty() ? "a node without a tag" : shown(node.tag)));
      }
    }
  }

  [[nodiscard]] ArchitectureMachine finish(const YamlNode& root, const std::string& file);

 private:
  void read_container(const YamlNode& node, const std::string& path, Attributes& scope) {
    MappingReader reader(node, path, problems_);
    std::string name;
    reader.text("name", name, Need::kRequired, "name of the container");
    if (machine_name_.empty()) machine_name_ = name;
    read_attributes(reader, path, scope);
    if (const YamlNode* spatial = reader.mapping("spatial", Need::kOptional)) {
      MappingReader mesh(*spatial, path + ".spatial", problems_);
      std::int64_t columns = 1;
      std::int64_t rows = 1;
      constexpr std::int64_t kMostSide = 16384;
      mesh.integer("meshX", columns, {1, kMostSide}, Need::kOptional, "copies along X");
      mesh.integer("meshY", rows, {1, kMostSide}, Need::kOptional, "copies along Y");
      mesh.finish();
      columns_ = std::min<std::int64_t>(columns_ * columns, kMostSide * 2);
      rows_ = std::min<std::int64_t>(rows_ * rows, kMostSide * 2);
      inside_pe_ = inside_pe_ || columns * rows > 1;
    }
    static_cast<void>(reader.node("constraints", Need::kOptional));  // of mappings
    reader.finish();
    for (const char* key : {"technology", "global_cycle_seconds"}) {
      if (const auto found = scope.find(key); found != scope.end()) {
        chip_[key] = found->second;
      }
    }
  }

  void read_attributes(MappingReader& reader, const std::string& path, Attributes& scope) {
    const YamlNode* attributes = reader.mapping("attributes", Need::kOptional);
    if (attributes == nullptr) return;
    for (const auto& [name, value] : attributes->entries) {
      const std::string place = fmt::format("{}.attributes.{}", path, name);
      if (value.kind != YamlNode::Kind::kScalar) {
        problems_.add(value.place, place,
                      fmt::format("found {}; wanted is a number, a word or an expression",
                                  value.description()));
        continue;
      }
      try {
        if (value.quoted) {
          scope[name] = value.scalar;
        } else {
          scope[name] = energy::evaluate_attribute(value.scalar, scope);
        }
      } catch (const ConfigError& error) {
        problems_.add(value.place, place, error.what());
      }
    }
  }

  void read_component(const YamlNode& node, const std::string& path, const Attributes& inherited) {
    MappingReader reader(node, path, problems_);
    std::string name;
    std::string class_name;
    std::string subclass;
    reader.text("name", name, Need::kRequired, "name of the component");
    reader.text("class", class_name, Need::kRequired, "class of the component");
    reader.text("subclass", subclass, Need::kOptional, "user's class, for energy only");
    Attributes attributes = inherited;
    read_attributes(reader, path, attributes);
    std::array<bool, 3> keeps{true, true, true};
    if (const YamlNode* constraints = reader.mapping("constraints", Need::kOptional)) {
      keeps = read_keeps(*constraints, path + ".constraints");
    }
    for (const char* key : {"area_scale", "energy_scale", "enabled", "required_actions"}) {
      static_cast<void>(reader.node(key, Need::kOptional));
    }
    if (reader.node("spatial", Need::kOptional) != nullptr) {
      reader.problem("spatial",
                     "copies of single components are not described by a machine; put "
                     "the fan-out on a container");
    }
    reader.finish();
    add_component(name, class_name, attributes, keeps, node, path);
  }

  void add_component(const std::string& name, const std::string& class_name,
                     const Attributes& attributes, const std::array<bool, 3>& keeps,
                     const YamlNode& node, const std::string& path) {
    const auto number = [&](const char* key, double fallback) {
      const auto found = attributes.find(key);
      if (found == attributes.end()) return fallback;
      const auto* value = std::get_if<double>(&found->second);
      if (value == nullptr || !(*value > 0.0) || *value > kLargest) {
        problems_.add(node.place, path + ".attributes." + key,
                      "must be a number more than 0 and at most 1e12");
        return fallback;
      }
      return *value;
    };
    if (class_name == "DRAM") {
      const auto type = attributes.find("type");
      const auto* word =
          type == attributes.end() ? nullptr : std::get_if<std::string>(&type->second);
      const double datawidth = number("datawidth", 1);
      const double words = number("shared_bandwidth", number("read_bandwidth", 0));
      if (words <= 0.0) {
        assumptions_.push_back("DRAM: one access of its width per cycle (no bandwidth is stated)");
      }
      if (word == nullptr) assumptions_.push_back("DRAM: type LPDDR4 (none is stated)");
      dram_ = Dram{word == nullptr ? "LPDDR4" : *word,
                   words > 0.0 ? words * datawidth : number("width", 64)};
      return;
    }
    if (class_name.find("mac") != std::string::npos) {
      if (mac_) {
        problems_.add(node.place, path, "a second compute unit; a machine has one MAC unit per PE");
        return;
      }
      const double width = number("multiplier_width", number("width", number("datawidth", 8)));
      mac_ = MacUnitWidths{width, number("adder_width", 32)};
      return;
    }
    Storage storage;
    storage.name = name;
    storage.place = node.place;
    storage.in_pe = inside_pe_;
    storage.width = number("width", 0);
    storage.datawidth = number("datawidth", storage.width);
    storage.depth = number("depth", 0);
    if (storage.depth == 0 && attributes.contains("entries") && storage.width > 0) {
      storage.depth = number("entries", 0) * storage.datawidth / storage.width;
    }
    storage.banks = number("n_banks", 2);
    storage.keeps = keeps;
    if (storage.depth <= 0 || storage.width <= 0) {
      problems_.add(node.place, path,
                    fmt::format("'{}' (class {}) states no width and depth; a machine has DRAM, "
                                "buffers of stated size and one integer MAC per PE",
                                shown(name), shown(class_name)));
      return;
    }
    storages_.push_back(std::move(storage));
  }

  std::array<bool, 3> read_keeps(const YamlNode& constraints, const std::string& path) {
    std::array<bool, 3> keeps{true, true, true};
    const YamlNode* space = constraints.find("dataspace");
    if (space == nullptr || space->kind != YamlNode::Kind::kMapping) return keeps;
    const auto names = [&](const char* key, std::array<bool, 3>& target) {
      const YamlNode* list = space->find(key);
      if (list == nullptr) return false;
      for (const YamlNode& item : list->items) {
        const auto* found = std::find(kDataSpaces.begin(), kDataSpaces.end(), item.scalar);
        if (found == kDataSpaces.end()) {
          problems_.add(
              item.place, path + ".dataspace." + key,
              fmt::format("found {}; allowed are Inputs, Weights, Outputs", item.description()));
          continue;
        }
        target[static_cast<std::size_t>(found - kDataSpaces.begin())] = true;
      }
      return true;
    };
    std::array<bool, 3> kept{};
    if (names("keep_only", kept)) return kept;
    std::array<bool, 3> bypassed{};
    static_cast<void>(names("bypass", bypassed));
    for (std::size_t at = 0; at < keeps.size(); ++at) keeps[at] = !bypassed[at];
    return keeps;
  }

  void check_parts(const YamlNode& root);
  [[nodiscard]] std::optional<std::size_t> stationary(const YamlNode& root);
  [[nodiscard]] std::string buffers_text() const;

  ProblemList& problems_;
  std::string machine_name_;
  Attributes chip_;
  std::int64_t rows_ = 1;
  std::int64_t columns_ = 1;
  bool inside_pe_ = false;
  std::optional<Dram> dram_;
  std::optional<MacUnitWidths> mac_;
  std::vector<Storage> storages_;
  std::vector<std::string> assumptions_;
};

void ArchitectureReader::check_parts(const YamlNode& root) {
  if (!dram_) problems_.add(root.place, "architecture", "there is no component of class DRAM");
  if (!mac_) problems_.add(root.place, "architecture", "there is no compute unit (class intmac)");
  for (std::size_t space = 0; space < kDataSpaces.size(); ++space) {
    std::vector<std::string> holders;
    for (const Storage& storage : storages_) {
      if (!storage.in_pe && storage.keeps[space]) holders.push_back(storage.name);
    }
    if (holders.size() == 1) continue;
    problems_.add(root.place, "architecture",
                  fmt::format("{} lie in {} buffers between DRAM and the PEs{}; a machine has "
                              "exactly one for each operand",
                              kDataSpaces[space], holders.size(),
                              holders.empty() ? "" : " (" + name_list(holders) + ")"));
  }
  for (const Storage& storage : storages_) {
    if (!storage.in_pe || storage.depth * storage.width <= storage.datawidth) continue;
    problems_.add(storage.place, storage.name,
                  fmt::format("holds {:g} words inside a PE; a PE of a machine keeps one register "
                              "for the stationary operand",
                              storage.depth * storage.width / std::max(1.0, storage.datawidth)));
  }
}

// The operand that a register inside the PE keeps; nullopt when nothing says it.
std::optional<std::size_t> ArchitectureReader::stationary(const YamlNode& root) {
  std::set<std::size_t> kept;
  for (const Storage& storage : storages_) {
    if (!storage.in_pe) continue;
    for (std::size_t space = 0; space < kDataSpaces.size(); ++space) {
      if (storage.keeps[space]) kept.insert(space);
    }
  }
  if (kept.size() == 1) return *kept.begin();
  if (kept.empty()) {
    assumptions_.push_back(
        "output_stationary: no register inside the PEs says which operand stays");
    return std::nullopt;
  }
  problems_.add(
      root.place, "architecture",
      "the registers of a PE keep several operands; a machine has one stationary operand");
  return std::nullopt;
}

std::string ArchitectureReader::buffers_text() const {
  std::string out;
  for (const Storage& storage : storages_) {
    if (storage.in_pe) continue;
    std::string serves;
    for (std::size_t space = 0; space < kRoles.size(); ++space) {
      if (storage.keeps[space]) serves += (serves.empty() ? "" : ", ") + std::string(kRoles[space]);
    }
    out += fmt::format(
        "  '{}': {{serves: [{}], capacity: {:.0f} bit, banks: {:.0f}, ports: 1, "
        "word: {:.0f} bit}}\n",
        storage.name, serves, storage.depth * storage.width, storage.banks, storage.width);
  }
  return out;
}

ArchitectureMachine ArchitectureReader::finish(const YamlNode& root, const std::string& file) {
  check_parts(root);
  const std::optional<std::size_t> stays = stationary(root);
  std::string technology;
  const auto node_size = chip_.find("technology");
  if (node_size != chip_.end()) {
    const auto* number = std::get_if<double>(&node_size->second);
    technology = number != nullptr ? fmt::format("{:g}nm", *number)
                                   : std::get<std::string>(node_size->second);
  } else {
    problems_.add(root.place, "architecture", "no container states the technology");
  }
  const auto cycle = chip_.find("global_cycle_seconds");
  const auto* seconds = cycle == chip_.end() ? nullptr : std::get_if<double>(&cycle->second);
  if (seconds == nullptr || !(*seconds > 1e-12) || *seconds > 1.0) {
    problems_.add(root.place, "architecture",
                  "no container states global_cycle_seconds (more than 1e-12, at most 1)");
  }
  problems_.throw_if_any();

  for (const char* assumed :
       {"DRAM latency of 1 cycle",
        "a vector unit with one lane per column, one cycle per operation",
        "buffers with one port per bank",
        "prices of aladdin_45nm, cacti_45nm and dram_interface, scaled to the node"}) {
    assumptions_.emplace_back(assumed);
  }
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (const char letter : text) {
      if (letter == '"' || letter == '\\') out += '\\';
      out += letter;
    }
    return out + "\"";
  };
  ArchitectureMachine result;
  result.assumptions = assumptions_;
  result.text = fmt::format(
      "name: {}\nsource: {}\ntechnology: {}\nclock: {:.0f} Hz\n"
      "array: {{rows: {}, columns: {}, dataflow: {}}}\n"
      "mac: {{style: fixed, weight_bits: [{:.0f}], activation_bits: [{:.0f}], accumulator_bits: "
      "{:.0f}}}\nbuffers:\n{}"
      "dram: {{model: bandwidth, bandwidth: {:g} bit/cycle, latency: 1 cycle}}\n"
      "vector: {{lanes: {}, ops: {{add: 1, multiply: 1, max: 1, average: 1, activation: 1, copy: "
      "1}}}}\n"
      "energy: {{tables: [aladdin_45nm, cacti_45nm, dram_interface], dram: {}, scaling: "
      "capacitance}}\n",
      quoted(machine_name_), quoted("Accelergy architecture " + file), quoted(technology),
      1.0 / *seconds, rows_, columns_, kDataflows[stays.value_or(2)], mac_->multiplier,
      mac_->multiplier, mac_->adder, buffers_text(), dram_->bits_per_cycle, columns_,
      quoted(dram_->type));
  return result;
}

}  // namespace

bool is_accelergy_architecture(std::string_view text) {
  constexpr std::string_view kKey = "architecture:";
  for (std::size_t at = text.find(kKey); at != std::string_view::npos;
       at = text.find(kKey, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return true;
  }
  return false;
}

ArchitectureMachine read_accelergy_architecture(std::string_view text, const std::string& file) {
  YamlLimits limits;
  limits.keep_tags = true;
  const YamlNode root = parse_yaml(text, file, limits);
  ProblemList problems;
  ArchitectureReader architecture(problems);
  MappingReader top(root, "", problems);
  if (const YamlNode* node = top.mapping("architecture", Need::kRequired)) {
    MappingReader reader(*node, "architecture", problems);
    if (const YamlNode* version = reader.node("version", Need::kRequired)) {
      if (version->scalar != "0.4") {
        reader.problem("version", fmt::format("found {}; allowed is 0.4", version->description()));
      }
    }
    if (const YamlNode* nodes = reader.sequence("nodes", Need::kRequired)) {
      architecture.read_nodes(*nodes, "architecture.nodes", {});
    }
    reader.finish();
  }
  // Problem and mapping of a Timeloop project and compound classes may stand in the same file.
  for (const char* other : {"compound_components", "variables", "problem", "mapper", "mapping"}) {
    static_cast<void>(top.node(other, Need::kOptional));
  }
  top.finish();
  return architecture.finish(root, file);
}

}  // namespace vernier::dataflow
