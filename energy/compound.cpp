#include "energy/compound.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "energy/accelergy_tables.hpp"
#include "energy/expression.hpp"

namespace vernier::energy {
namespace {

using TextMap = std::vector<std::pair<std::string, std::string>>;

struct SubAction {
  std::string name;
  TextMap arguments;
  std::string scale = "1";
};

struct SubUse {
  std::string component;  // may carry a range
  std::vector<SubAction> actions;
};

struct CompoundAction {
  std::string name;
  std::vector<SubUse> uses;
};

struct SubComponent {
  std::string name;  // may carry a range
  std::string class_name;
  TextMap attributes;
  std::string area_scale = "1";
  std::string energy_scale = "1";
};

struct CompoundClass {
  std::string name;
  TextMap attributes;  // in file order; later ones may use earlier ones
  std::vector<SubComponent> parts;
  std::vector<CompoundAction> actions;
};

constexpr std::string_view kMustSpecify = "must_specify";
constexpr std::int64_t kAccuracy = 95;  // composed for the very component
constexpr int kDeepest = 16;
constexpr double kMostCopies = 1e6;

std::string base_name(const std::string& name) { return name.substr(0, name.find('[')); }

class CompoundReader {
 public:
  explicit CompoundReader(ProblemList& problems) : problems_(problems) {}

  CompoundClass read(const YamlNode& node, const std::string& path) {
    MappingReader reader(node, path, problems_);
    CompoundClass result;
    reader.text("name", result.name, Need::kRequired, "name of the class");
    texts(reader, "attributes", path, result.attributes);
    if (const YamlNode* parts = reader.sequence("subcomponents", Need::kRequired)) {
      for (std::size_t at = 0; at < parts->items.size(); ++at) {
        result.parts.push_back(
            read_part(parts->items[at], fmt::format("{}.subcomponents[{}]", path, at)));
      }
    }
    if (const YamlNode* actions = reader.sequence("actions", Need::kRequired)) {
      for (std::size_t at = 0; at < actions->items.size(); ++at) {
        result.actions.push_back(
            read_action(actions->items[at], fmt::format("{}.actions[{}]", path, at), result.parts));
      }
    }
    reader.finish();
    return result;
  }

 private:
  void texts(MappingReader& reader, const char* key, const std::string& path, TextMap& target) {
    const YamlNode* node = reader.node(key, Need::kOptional);
    if (node == nullptr || node->kind == YamlNode::Kind::kNull) return;
    if (node->kind != YamlNode::Kind::kMapping) {
      reader.problem(key, fmt::format("found {}; wanted is a mapping", node->description()));
      return;
    }
    for (const auto& [name, value] : node->entries) {
      if (value.kind != YamlNode::Kind::kScalar) {
        problems_.add(value.place, fmt::format("{}.{}.{}", path, key, name),
                      fmt::format("found {}; wanted is a number, a word or an expression",
                                  value.description()));
        continue;
      }
      target.emplace_back(name, value.scalar);
    }
  }
  // A factor is a number or an expression, hence read as text.
  void factor(MappingReader& reader, const char* key, std::string& value) {
    const YamlNode* node = reader.node(key, Need::kOptional);
    if (node == nullptr) return;
    if (node->kind != YamlNode::Kind::kScalar) {
      reader.problem(key, fmt::format("found {}; wanted is a number", node->description()));
      return;
    }
    value = node->scalar;
  }

  SubComponent read_part(const YamlNode& node, const std::string& path) {
    MappingReader reader(node, path, problems_);
    SubComponent part;
    reader.text("name", part.name, Need::kRequired, "name, perhaps with a range [a..b]");
    reader.text("class", part.class_name, Need::kRequired, "primitive or compound class");
    texts(reader, "attributes", path, part.attributes);
    factor(reader, "area_scale", part.area_scale);
    factor(reader, "energy_scale", part.energy_scale);
    reader.finish();
    return part;
  }

  CompoundAction read_action(const YamlNode& node, const std::string& path,
                             const std::vector<SubComponent>& parts) {
    MappingReader reader(node, path, problems_);
    CompoundAction action;
    reader.text("name", action.name, Need::kRequired, "name of the action");
    static_cast<void>(reader.node("arguments", Need::kOptional));  // ranges of v0.3
    if (const YamlNode* uses = reader.sequence("subcomponents", Need::kRequired)) {
      for (std::size_t at = 0; at < uses->items.size(); ++at) {
        action.uses.push_back(
            read_use(uses->items[at], fmt::format("{}.subcomponents[{}]", path, at), parts));
      }
    }
    reader.finish();
    return action;
  }

  SubUse read_use(const YamlNode& node, const std::string& path,
                  const std::vector<SubComponent>& parts) {
    MappingReader reader(node, path, problems_);
    SubUse use;
    reader.text("name", use.component, Need::kRequired, "sub-component that acts");
    std::vector<std::string> names;
    names.reserve(parts.size());
    for (const SubComponent& part : parts) names.push_back(base_name(part.name));
    if (std::find(names.begin(), names.end(), base_name(use.component)) == names.end()) {
      reader.problem("name", fmt::format("there is no sub-component '{}'; there are {}{}",
                                         shown(use.component), name_list(names),
                                         suggestion(base_name(use.component), names)));
    }
    if (const YamlNode* actions = reader.sequence("actions", Need::kRequired)) {
      for (std::size_t at = 0; at < actions->items.size(); ++at) {
        const std::string place = fmt::format("{}.actions[{}]", path, at);
        MappingReader entry(actions->items[at], place, problems_);
        SubAction action;
        entry.text("name", action.name, Need::kRequired, "action of the sub-component");
        texts(entry, "arguments", place, action.arguments);
        std::string repeat = "1";
        std::string share = "1";
        factor(entry, "energy_scale", action.scale);
        factor(entry, "repeat", repeat);
        factor(entry, "action_share", share);
        action.scale = fmt::format("({}) * ({}) * ({})", action.scale, repeat, share);
        entry.finish();
        use.actions.push_back(std::move(action));
      }
    }
    reader.finish();
    return use;
  }

  ProblemList& problems_;
};

class CompoundClasses final : public Estimator {
 public:
  explicit CompoundClasses(const YamlNode& root) {
    ProblemList problems;
    const std::string name = table_name_of(root.place.file);
    set_head({name, "compound", std::nullopt, kAccuracy, name});
    MappingReader reader(root, "", problems);
    if (const YamlNode* top = reader.mapping("compound_components", Need::kRequired)) {
      MappingReader entries(*top, "compound_components", problems);
      if (const YamlNode* version = entries.node("version", Need::kOptional)) {
        if (version->scalar != "0.3" && version->scalar != "0.4") {
          entries.problem("version",
                          fmt::format("found {}; allowed are 0.3, 0.4", version->description()));
        }
      }
      if (const YamlNode* classes = entries.sequence("classes", Need::kRequired)) {
        read_classes(*classes, problems);
      }
      entries.finish();
    }
    reader.finish();
    problems.throw_if_any();
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware&, const ActionQuery&) const override {
    return std::nullopt;  // classes are named by the machine's map
  }
  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware&, Hertz) const override {
    return std::nullopt;
  }
  [[nodiscard]] const std::vector<std::string>& entries() const override { return names_; }
  [[nodiscard]] std::vector<std::string> entry_actions(const EntryUse& use) const override {
    std::vector<std::string> names;
    for (const CompoundAction& action : class_of(use.entry).actions) names.push_back(action.name);
    return names;
  }

  [[nodiscard]] std::optional<Estimate> entry_energy(
      const EntryUse& use, const EntryAction& action,
      const PrimitivePricer& primitives) const override {
    const CompoundClass& compound = class_of(use.entry);
    const CompoundAction* found = find_action(compound, action.name);
    if (found == nullptr) return std::nullopt;
    std::vector<PriceTerm> terms;
    const Attributes scope = scope_of(compound, use.attributes, action.arguments);
    add_terms(compound, *found, scope, {1.0, "", 0}, action.clock, primitives, terms);
    if (terms.empty()) {
      terms.push_back({compound.name + "." + action.name, Picojoules(0.0),
                       "0: the composition has no part", name()});
    }
    return Estimate::of(std::move(terms));
  }

  [[nodiscard]] std::optional<AreaEstimate> entry_area(
      const EntryUse& use, Hertz clock, const PrimitivePricer& primitives) const override {
    const CompoundClass& compound = class_of(use.entry);
    const double sum =
        area_sum(compound, scope_of(compound, use.attributes, {}), clock, primitives, 0);
    return AreaEstimate{SquareMicrons(sum), name()};
  }

 private:
  // Where a part stands in the composition: what it is multiplied by, and its path.
  struct Position {
    double factor;
    std::string path;
    int depth;
  };

  void read_classes(const YamlNode& list, ProblemList& problems) {
    CompoundReader reader(problems);
    for (std::size_t at = 0; at < list.items.size(); ++at) {
      CompoundClass compound =
          reader.read(list.items[at], fmt::format("compound_components.classes[{}]", at));
      if (classes_.contains(compound.name)) {
        problems.add(list.items[at].place, "name",
                     fmt::format("the class '{}' stands twice", shown(compound.name)));
        continue;
      }
      names_.push_back(compound.name);
      classes_.emplace(compound.name, std::move(compound));
    }
  }

  [[nodiscard]] const CompoundClass& class_of(const std::string& name) const {
    const auto found = classes_.find(name);
    if (found == classes_.end()) {
      throw NotCovered(fmt::format("there is no compound class '{}'; there are {}{}", shown(name),
                                   name_list(names_), suggestion(name, names_)));
    }
    return found->second;
  }
  static const CompoundAction* find_action(const CompoundClass& compound, std::string_view name) {
    const auto found =
        std::find_if(compound.actions.begin(), compound.actions.end(),
                     [&](const CompoundAction& action) { return action.name == name; });
    return found == compound.actions.end() ? nullptr : &*found;
  }

  // Attributes of an instance: what is given, else the class's default. Words that the machine
  // adds by itself (arguments of the action) are visible too.
  static Attributes scope_of(const CompoundClass& compound, const Attributes& given,
                             const Arguments& arguments) {
    constexpr std::array kImplicit{"accumulator_bits", "weight_bits", "activation_bits"};
    Attributes scope;
    for (const char* name : kImplicit) {
      if (const auto found = given.find(name); found != given.end()) scope[name] = found->second;
    }
    for (const auto& [name, value] : arguments) scope[name] = value;
    std::vector<std::string> known(kImplicit.begin(), kImplicit.end());
    for (const auto& [name, text] : compound.attributes) {
      known.push_back(name);
      const auto found = given.find(name);
      if (found != given.end()) {
        scope[name] = found->second;
      } else if (text == kMustSpecify) {
        throw NotCovered(
            fmt::format("the class '{}' must be given the attribute '{}'", compound.name, name));
      } else {
        scope[name] = value_of(text, scope);
      }
    }
    for (const auto& [name, value] : given) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      throw NotCovered(fmt::format("the class '{}' has no attribute '{}'; it has {}{}",
                                   compound.name, shown(name), name_list(known),
                                   suggestion(name, known)));
    }
    return scope;
  }
  static AttributeValue value_of(const std::string& text, const Attributes& scope) {
    try {
      return evaluate_attribute(text, scope);
    } catch (const ConfigError& error) {
      throw NotCovered(error.what());
    }
  }
  static double factor_of(const std::string& text, const Attributes& scope) {
    try {
      return evaluate_number(text, scope);
    } catch (const ConfigError& error) {
      throw NotCovered(error.what());
    }
  }

  // A factor of an energy or area.
  static double scale_of(const std::string& text, const Attributes& scope) {
    constexpr double kMost = 1e12;
    const double value = factor_of(text, scope);
    if (!(value >= 0.0) || value > kMost) {
      throw NotCovered(
          fmt::format("the scale '{}' is {:g}; allowed is 0 to 1e12", shown(text), value));
    }
    return value;
  }

  // Copies that a range stands for: 1 without one.
  static double copies_of(const std::string& name, const Attributes& scope) {
    const std::size_t open = name.find('[');
    if (open == std::string::npos) return 1.0;
    const std::size_t dots = name.find("..", open);
    const std::size_t close = name.rfind(']');
    if (dots == std::string::npos || close == std::string::npos || close < dots) {
      throw NotCovered(fmt::format("'{}' has no range of the form [a..b]", shown(name)));
    }
    const double first = factor_of(name.substr(open + 1, dots - open - 1), scope);
    const double last = factor_of(name.substr(dots + 2, close - dots - 2), scope);
    const double copies = last - first + 1.0;
    if (copies < 1.0 || copies > kMostCopies || copies != std::floor(copies)) {
      throw NotCovered(fmt::format("'{}' stands for {:g} copies; allowed are 1 to {:g}",
                                   shown(name), copies, kMostCopies));
    }
    return copies;
  }

  static Attributes part_attributes(const SubComponent& part, const Attributes& scope) {
    Attributes attributes;
    for (const auto& [name, text] : part.attributes) attributes[name] = value_of(text, scope);
    return attributes;
  }
  static const SubComponent& part_of(const CompoundClass& compound, const std::string& name) {
    const auto found = std::find_if(
        compound.parts.begin(), compound.parts.end(),
        [&](const SubComponent& part) { return base_name(part.name) == base_name(name); });
    VERNIER_ASSERT(found != compound.parts.end(), "a sub-component that reading has checked");
    return *found;
  }
  void check_depth(const CompoundClass& compound, int depth) const {
    if (depth <= kDeepest) return;
    throw NotCovered(
        fmt::format("the class '{}' of the table '{}' contains itself", compound.name, name()));
  }

  void add_terms(const CompoundClass& compound, const CompoundAction& action,
                 const Attributes& scope, const Position& at, Hertz clock,
                 const PrimitivePricer& primitives, std::vector<PriceTerm>& terms) const {
    check_depth(compound, at.depth);
    for (const SubUse& use : action.uses) {
      const SubComponent& part = part_of(compound, use.component);
      const double copies = copies_of(use.component, scope);
      const Attributes attributes = part_attributes(part, scope);
      for (const SubAction& sub : use.actions) {
        const double factor =
            at.factor * copies * scale_of(sub.scale, scope) * scale_of(part.energy_scale, scope);
        PrimitiveAction wanted{sub.name, {}};
        for (const auto& [name, text] : sub.arguments) {
          wanted.arguments[name] = factor_of(text, scope);
        }
        const std::string path = at.path + base_name(part.name) + ".";
        const auto inner = classes_.find(part.class_name);
        if (inner != classes_.end()) {
          const CompoundAction* inner_action = find_action(inner->second, sub.name);
          if (inner_action == nullptr) {
            throw NotCovered(
                fmt::format("the class '{}' has no action '{}'", part.class_name, shown(sub.name)));
          }
          add_terms(inner->second, *inner_action,
                    scope_of(inner->second, attributes, wanted.arguments),
                    {factor, path, at.depth + 1}, clock, primitives, terms);
          continue;
        }
        Estimate estimate = primitives.energy({part.class_name, attributes}, wanted, clock);
        if (factor != 1.0) estimate.scale(factor, "composition");
        for (PriceTerm& term : estimate.terms) {
          term.name = path + term.name;
          terms.push_back(std::move(term));
        }
      }
    }
  }

  [[nodiscard]] double area_sum(const CompoundClass& compound, const Attributes& scope, Hertz clock,
                                const PrimitivePricer& primitives, int depth) const {
    check_depth(compound, depth);
    double sum = 0.0;
    for (const SubComponent& part : compound.parts) {
      const double factor = copies_of(part.name, scope) * scale_of(part.area_scale, scope);
      const Attributes attributes = part_attributes(part, scope);
      const auto inner = classes_.find(part.class_name);
      sum += factor * (inner != classes_.end()
                           ? area_sum(inner->second, scope_of(inner->second, attributes, {}), clock,
                                      primitives, depth + 1)
                           : primitives.area({part.class_name, attributes}, clock).area.count());
    }
    return sum;
  }

  std::map<std::string, CompoundClass, std::less<>> classes_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Estimator> make_compound_classes(const YamlNode& root) {
  return std::make_unique<CompoundClasses>(root);
}

}  // namespace vernier::energy
