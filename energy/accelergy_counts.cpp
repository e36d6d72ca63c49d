#include "energy/accelergy_counts.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "energy/accelergy_tables.hpp"

namespace vernier::energy {
namespace {

class CountsReader {
 public:
  explicit CountsReader(ProblemList& problems) : problems_(problems) {}

  // `subtree` and `local` below a node; `prefix` is the path so far, with its final dot.
  void read_level(MappingReader& reader, const std::string& path, const std::string& prefix) {
    if (const YamlNode* list = reader.sequence("subtree", Need::kOptional)) {
      for (std::size_t at = 0; at < list->items.size(); ++at) {
        const std::string place = fmt::format("{}.subtree[{}]", path, at);
        MappingReader entry(list->items[at], place, problems_);
        std::string name;
        entry.text("name", name, Need::kRequired, "name of the container");
        read_level(entry, place, prefix + name + ".");
        entry.finish();
      }
    }
    if (const YamlNode* list = reader.sequence("local", Need::kOptional)) {
      for (std::size_t at = 0; at < list->items.size(); ++at) {
        read_component(list->items[at], fmt::format("{}.local[{}]", path, at), prefix);
      }
    }
  }
  [[nodiscard]] std::vector<CountedAction> take() { return std::move(counts_); }

 private:
  void read_component(const YamlNode& node, const std::string& path, const std::string& prefix) {
    MappingReader reader(node, path, problems_);
    std::string name;
    reader.text("name", name, Need::kRequired, "name of the component");
    if (const YamlNode* list = reader.sequence("action_counts", Need::kRequired)) {
      for (std::size_t at = 0; at < list->items.size(); ++at) {
        read_action(list->items[at], fmt::format("{}.action_counts[{}]", path, at), prefix + name);
      }
    }
    reader.finish();
  }

  void read_action(const YamlNode& node, const std::string& path, const std::string& component) {
    MappingReader reader(node, path, problems_);
    CountedAction counted;
    counted.component = component;
    reader.text("name", counted.action, Need::kRequired, "name of the action");
    reader.integer("counts", counted.count, {}, Need::kRequired, "how often it happened");
    if (const YamlNode* arguments = reader.mapping("arguments", Need::kOptional)) {
      for (const auto& [name, value] : arguments->entries) {
        double number = 0.0;
        const char* const end = value.scalar.data() + value.scalar.size();
        const auto [stop, status] = std::from_chars(value.scalar.data(), end, number);
        if (value.kind != YamlNode::Kind::kScalar || status != std::errc{} || stop != end) {
          problems_.add(value.place, fmt::format("{}.arguments.{}", path, name),
                        fmt::format("found {}; allowed is a number", value.description()));
          continue;
        }
        counted.arguments.emplace(name, number);
      }
    }
    reader.finish();
    counts_.push_back(std::move(counted));
  }

  ProblemList& problems_;
  std::vector<CountedAction> counts_;
};

}  // namespace

std::vector<CountedAction> read_action_counts(const YamlNode& root) {
  ProblemList problems;
  CountsReader counts(problems);
  MappingReader top(root, "", problems);
  if (const YamlNode* node = top.mapping("action_counts", Need::kRequired)) {
    MappingReader reader(*node, "action_counts", problems);
    if (const YamlNode* version = reader.node("version", Need::kOptional)) {
      static const std::vector<std::string> known{"0.2", "0.3", "0.4"};
      if (std::find(known.begin(), known.end(), version->scalar) == known.end()) {
        reader.problem("version", fmt::format("found {}; allowed are {}", version->description(),
                                              name_list(known)));
      }
    }
    counts.read_level(reader, "action_counts", "");
    reader.finish();
  }
  top.finish();
  problems.throw_if_any();
  return counts.take();
}

Picojoules price_of_counts(const std::vector<CountedAction>& counts, const Estimator& table,
                           Hertz clock) {
  const PrimitivePricer none({});
  const std::vector<std::string>& entries = table.entries();
  Picojoules sum{0.0};
  for (const CountedAction& line : counts) {
    const bool full = std::find(entries.begin(), entries.end(), line.component) != entries.end();
    const std::string entry = full ? line.component : last_component(line.component);
    std::optional<Estimate> estimate;
    try {
      estimate =
          table.entry_energy({entry, {}}, {line.action, line.arguments, nullptr, clock}, none);
    } catch (const NotCovered& reason) {
      throw ConfigError(fmt::format("action counts of '{}': {}", line.component, reason.what()));
    }
    if (!estimate) {
      throw ConfigError(
          fmt::format("action counts of '{}': the table '{}' has no action '{}'; it "
                      "has {}",
                      line.component, table.name(), shown(line.action),
                      name_list(table.entry_actions({entry, {}}))));
    }
    sum += estimate->energy * static_cast<double>(line.count);
  }
  return sum;
}

}  // namespace vernier::energy
