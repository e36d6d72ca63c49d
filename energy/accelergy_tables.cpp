#include "energy/accelergy_tables.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

namespace vernier::energy {
namespace {

constexpr std::int64_t kAccuracy = 95;  // made for the very components that it names

struct ActionRow {
  std::string name;
  Arguments arguments;
  double energy = 0.0;
};

struct ComponentRows {
  std::vector<ActionRow> actions;
  std::optional<double> area;
};

std::optional<double> number_of(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar) return std::nullopt;
  double value = 0.0;
  const char* const end = node.scalar.data() + node.scalar.size();
  const auto [stop, status] = std::from_chars(node.scalar.data(), end, value);
  if (status != std::errc{} || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

class AccelergyTables final : public Estimator {
 public:
  explicit AccelergyTables(const YamlNode& root) {
    ProblemList problems;
    source_ = std::filesystem::path(root.place.file).filename().string();
    const std::string name = table_name_of(root.place.file);
    set_head({name, "accelergy", std::nullopt, kAccuracy, name});
    MappingReader reader(root, "", problems);
    for (const char* key : {"ERT", "ERT_summary", "ART", "ART_summary"}) {
      if (const YamlNode* part = reader.mapping(key, Need::kOptional)) {
        read_part(key, *part, problems);
      }
    }
    reader.finish();
    if (components_.empty() && problems.empty()) {
      problems.add(root.place, "tables", "the file names no component");
    }
    problems.throw_if_any();
    for (const auto& [path, rows] : components_) names_.push_back(path);
    std::map<std::string, int> used;
    for (const auto& [path, rows] : components_) ++used[last_component(path)];
    for (const auto& [path, rows] : components_) {
      const std::string last = last_component(path);
      if (used[last] != 1 || components_.contains(last)) continue;
      short_names_.emplace(last, path);
      names_.push_back(last);
    }
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware&, const ActionQuery&) const override {
    return std::nullopt;  // it prices components by name only
  }
  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware&, Hertz) const override {
    return std::nullopt;
  }
  [[nodiscard]] const std::vector<std::string>& entries() const override { return names_; }

  [[nodiscard]] std::vector<std::string> entry_actions(const EntryUse& use) const override {
    std::vector<std::string> names;
    for (const ActionRow& row : rows_of(use.entry).actions) {
      if (std::find(names.begin(), names.end(), row.name) == names.end()) names.push_back(row.name);
    }
    return names;
  }

  [[nodiscard]] std::optional<Estimate> entry_energy(const EntryUse& use, const EntryAction& action,
                                                     const PrimitivePricer&) const override {
    const ComponentRows& rows = rows_of(use.entry);
    const ActionRow* chosen = nullptr;
    std::string wanted;
    for (const ActionRow& row : rows.actions) {
      if (row.name != action.name) continue;
      if (matches(row, action)) {
        if (chosen == nullptr || row.arguments.size() > chosen->arguments.size()) chosen = &row;
      }
      wanted = arguments_text(row.arguments);
    }
    if (chosen == nullptr) {
      if (wanted.empty()) return std::nullopt;
      throw NotCovered(
          fmt::format("the action '{}' of '{}' has no row with the arguments ({}); it "
                      "has rows with {}",
                      action.name, use.entry, arguments_text(action.arguments), wanted));
    }
    PriceTerm term{
        use.entry + "." + chosen->name, Picojoules(chosen->energy),
        fmt::format("{:.10g} pJ ({})", chosen->energy,
                    chosen->arguments.empty() ? "stated" : arguments_text(chosen->arguments)),
        source_};
    const auto cycle = chosen->arguments.find(kCycle);
    Estimate estimate = Estimate::of({std::move(term)});
    if (cycle != chosen->arguments.end() && cycle->second > 0.0) {
      constexpr double kNanosecondsPerSecond = 1e9;
      const double ratio =
          period_of(action.clock).count() / (cycle->second * kNanosecondsPerSecond);
      if (std::abs(ratio - 1.0) > 1e-12) estimate.scale(ratio, "clock period / stated cycle");
    }
    return estimate;
  }

  [[nodiscard]] std::optional<AreaEstimate> entry_area(const EntryUse& use, Hertz,
                                                       const PrimitivePricer&) const override {
    const ComponentRows& rows = rows_of(use.entry);
    if (!rows.area) return std::nullopt;
    return AreaEstimate{SquareMicrons(*rows.area), source_};
  }

 private:
  static constexpr const char* kCycle = "global_cycle_seconds";

  static std::string arguments_text(const Arguments& arguments) {
    std::string text;
    for (const auto& [name, value] : arguments) {
      text += fmt::format("{}{} = {:g}", text.empty() ? "" : ", ", name, value);
    }
    return text;
  }
  // Every argument of the row must be asked for with its value; a row without any fits all.
  static bool matches(const ActionRow& row, const EntryAction& action) {
    return std::all_of(row.arguments.begin(), row.arguments.end(), [&](const auto& argument) {
      if (argument.first == kCycle) return true;
      const auto found = action.arguments.find(argument.first);
      return found != action.arguments.end() && found->second == argument.second;
    });
  }

  [[nodiscard]] const ComponentRows& rows_of(const std::string& name) const {
    const auto path = short_names_.find(name);
    const auto found = components_.find(path == short_names_.end() ? name : path->second);
    if (found == components_.end()) {
      throw NotCovered(fmt::format("the table '{}' has no component '{}'{}", this->name(),
                                   shown(name), suggestion(name, names_)));
    }
    return found->second;
  }

  void read_part(const std::string& key, const YamlNode& part, ProblemList& problems) {
    MappingReader reader(part, key, problems);
    if (const YamlNode* version = reader.node("version", Need::kOptional)) {
      static const std::vector<std::string> known{"0.2", "0.3", "0.4"};
      if (std::find(known.begin(), known.end(), version->scalar) == known.end()) {
        reader.problem("version", fmt::format("found {}; allowed are {}", version->description(),
                                              name_list(known)));
      }
    }
    const bool is_summary = key.ends_with("_summary");
    const std::string list_key = is_summary ? "table_summary" : "tables";
    const bool areas = key.starts_with("ART");
    if (const YamlNode* list = reader.node(list_key, Need::kRequired)) {
      const std::string path = key + "." + list_key;
      if (list->kind == YamlNode::Kind::kSequence) {
        for (std::size_t at = 0; at < list->items.size(); ++at) {
          read_component(list->items[at], fmt::format("{}[{}]", path, at), areas, problems);
        }
      } else if (list->kind == YamlNode::Kind::kMapping) {
        for (const auto& [name, value] : list->entries) {
          read_map_layout(name, value, fmt::format("{}.{}", path, name), areas, problems);
        }
      } else {
        reader.problem(
            list_key, fmt::format("found {}; allowed is a list or a mapping", list->description()));
      }
    }
    reader.finish();
  }

  void read_component(const YamlNode& node, const std::string& path, bool areas,
                      ProblemList& problems) {
    MappingReader reader(node, path, problems);
    std::string name;
    reader.text("name", name, Need::kRequired, "path of the component");
    ComponentRows& rows = components_[name];
    if (areas) {
      if (const YamlNode* area = reader.node("area", Need::kRequired)) {
        rows.area = quantity(*area, path + ".area", problems);
      }
    } else if (const YamlNode* actions = reader.sequence("actions", Need::kRequired)) {
      for (std::size_t at = 0; at < actions->items.size(); ++at) {
        rows.actions.push_back(
            read_action(actions->items[at], fmt::format("{}.actions[{}]", path, at), problems));
      }
    }
    // Which plug-in answered: for readers. v0.3 and v0.4 spell it differently.
    for (const char* key : {"primitive_estimation", "primitive_estimations"}) {
      static_cast<void>(reader.node(key, Need::kOptional));
    }
    reader.finish();
  }

  static ActionRow read_action(const YamlNode& node, const std::string& path,
                               ProblemList& problems) {
    MappingReader reader(node, path, problems);
    ActionRow row;
    reader.text("name", row.name, Need::kRequired, "name of the action");
    const YamlNode* arguments = reader.node("arguments", Need::kOptional);
    if (arguments != nullptr && arguments->kind == YamlNode::Kind::kMapping) {
      for (const auto& [name, value] : arguments->entries) {
        const std::optional<double> number = number_of(value);
        if (!number) {
          problems.add(value.place, fmt::format("{}.arguments.{}", path, name),
                       fmt::format("found {}; allowed is a number", value.description()));
        } else {
          row.arguments.emplace(name, *number);
        }
      }
    }
    // A summary states one value, or average, maximum and minimum over the arguments.
    const bool summarised = node.find("energy") == nullptr;
    const char* key = summarised ? "average_energy" : "energy";
    if (const YamlNode* energy = reader.node(key, Need::kRequired)) {
      row.energy = quantity(*energy, path + "." + key, problems);
    }
    if (summarised) {
      static_cast<void>(reader.node("max_energy", Need::kOptional));
      static_cast<void>(reader.node("min_energy", Need::kOptional));
    }
    reader.finish();
    return row;
  }

  // {component: {action: energy}} or {component: {action: [{arguments, energy}]}}; areas
  // {component: area}.
  void read_map_layout(const std::string& name, const YamlNode& node, const std::string& path,
                       bool areas, ProblemList& problems) {
    ComponentRows& rows = components_[name];
    if (areas) {
      rows.area = quantity(node, path, problems);
      return;
    }
    if (node.kind != YamlNode::Kind::kMapping) {
      problems.add(node.place, path,
                   fmt::format("found {}; allowed is a mapping of actions", node.description()));
      return;
    }
    for (const auto& [action, value] : node.entries) {
      if (value.kind != YamlNode::Kind::kSequence) {
        rows.actions.push_back(
            {action, {}, quantity(value, fmt::format("{}.{}", path, action), problems)});
        continue;
      }
      for (std::size_t at = 0; at < value.items.size(); ++at) {
        const std::string place = fmt::format("{}.{}[{}]", path, action, at);
        YamlNode named = value.items[at];
        if (named.kind == YamlNode::Kind::kMapping && named.find("name") == nullptr) {
          YamlNode text;
          text.kind = YamlNode::Kind::kScalar;
          text.place = named.place;
          text.scalar = action;
          named.entries.push_back({"name", std::move(text)});
        }
        rows.actions.push_back(read_action(named, place, problems));
      }
    }
  }

  static double quantity(const YamlNode& node, const std::string& path, ProblemList& problems) {
    const std::optional<double> number = number_of(node);
    constexpr double kMost = 1e15;  // a thousand joules per action, a square metre and more
    if (!number || *number < 0.0 || *number > kMost) {
      problems.add(node.place, path,
                   fmt::format("found {}; allowed is a number from 0 to 1e15", node.description()));
      return 0.0;
    }
    return *number;
  }

  std::string source_;
  std::map<std::string, ComponentRows, std::less<>> components_;
  std::map<std::string, std::string, std::less<>> short_names_;
  std::vector<std::string> names_;
};

}  // namespace

bool is_accelergy_table(const YamlNode& root) {
  return root.find("ERT") != nullptr || root.find("ERT_summary") != nullptr ||
         root.find("ART") != nullptr || root.find("ART_summary") != nullptr;
}

std::unique_ptr<Estimator> make_accelergy_tables(const YamlNode& root) {
  return std::make_unique<AccelergyTables>(root);
}

std::string last_component(std::string_view path) {
  // A dot inside an instance range ("[1..4]") is no separator.
  std::size_t begin = 0;
  int brackets = 0;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] == '[') ++brackets;
    if (path[at] == ']') --brackets;
    if (path[at] == '.' && brackets == 0) begin = at + 1;
  }
  const std::string_view last = path.substr(begin);
  return std::string(last.substr(0, last.find('[')));
}

std::string table_name_of(const std::string& file) {
  return std::filesystem::path(file).stem().string();
}

}  // namespace vernier::energy
