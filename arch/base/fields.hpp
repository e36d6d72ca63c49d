// One declaration per configuration struct serves three ways: reading it strictly from YAML,
// describing it to a person, and writing the resolved values into a result. A struct T declares
//     template <typename V> void visit_fields(V& visitor, T& value);
// and names each key once, with its unit, its range and one sentence.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/base/units.hpp"
#include "arch/base/yaml.hpp"

namespace vernier {

/// Collects every problem of one file, so that the user sees all of them at once.
class ProblemList {
 public:
  void add(const SourcePlace& place, std::string_view key_path, std::string_view message);
  void add(std::string message);
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  /// How many there are, those beyond the ones that are kept included.
  [[nodiscard]] std::size_t count() const { return problems_.size() + dropped_; }
  /// Enough problems for one reading: more are counted, not kept.
  [[nodiscard]] bool full() const { return problems_.size() >= kMostKept; }
  [[nodiscard]] const std::vector<std::string>& all() const { return problems_; }
  /// Throws ConfigError with all problems when there are any.
  void throw_if_any() const;

 private:
  static constexpr std::size_t kMostKept = 50;
  std::vector<std::string> problems_;
  std::size_t dropped_ = 0;
};

/// Allowed range of an integer, both ends included.
struct IntegerRange {
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

/// Whether a key must be present.
enum class Need : std::uint8_t { kRequired, kOptional };

/// Reads the keys of one mapping strictly. Every getter marks its key as known; `finish` reports
/// the keys nobody asked for. Problems go to the list and the default value stays.
class MappingReader {
 public:
  MappingReader(const YamlNode& node, std::string key_path, ProblemList& problems);

  void integer(std::string_view key, std::int64_t& value, IntegerRange range, Need need,
               std::string_view sentence);
  void boolean(std::string_view key, bool& value, Need need, std::string_view sentence);
  void text(std::string_view key, std::string& value, Need need, std::string_view sentence);
  void integers(std::string_view key, std::vector<std::int64_t>& values, IntegerRange range,
                Need need, std::string_view sentence);
  void texts(std::string_view key, std::vector<std::string>& values, Need need,
             std::string_view sentence);
  /// One of `names`; `index` is its position.
  void choice(std::string_view key, std::size_t& index, const std::vector<std::string>& names,
              Need need, std::string_view sentence);
  /// A value with a unit, read by `parse` (which throws ConfigError) and kept by it.
  void unit_value(std::string_view key, std::string_view unit,
                  const std::function<void(std::string_view)>& parse, Need need,
                  std::string_view sentence);

  /// The raw node under `key` (marked as known), or nullptr; a missing required key is a problem.
  [[nodiscard]] const YamlNode* node(std::string_view key, Need need);
  /// As `node`, and a problem unless the value is of the given kind.
  [[nodiscard]] const YamlNode* sequence(std::string_view key, Need need);
  [[nodiscard]] const YamlNode* mapping(std::string_view key, Need need);
  /// Key path of a key of this mapping.
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] const YamlNode& raw() const { return node_; }
  [[nodiscard]] ProblemList& problems() { return problems_; }
  /// Adds a problem at `key` (or at the mapping itself when the key is absent).
  void problem(std::string_view key, std::string_view message);

  /// Reports unknown keys with the nearest valid name.
  void finish();

 private:
  [[nodiscard]] const YamlNode* scalar(std::string_view key, Need need);

  const YamlNode& node_;
  std::string key_path_;
  ProblemList& problems_;
  std::vector<std::string> known_;
};

/// Reads an integer scalar (decimal digits without leading zeros, perhaps a minus); nullopt when it
/// is none.
[[nodiscard]] std::optional<std::int64_t> integer_of(const YamlNode& node);

/// One line of a description.
struct ParameterDescription {
  std::string key;
  std::string type;
  std::string unit;
  std::string default_text;  ///< empty: required
  std::string sentence;
};

/// What `describe()` of a component returns.
struct ComponentDescription {
  std::string name;
  std::string kind;
  std::string sentence;
  std::vector<ParameterDescription> parameters;
};

/// Visitor that turns field declarations into parameter descriptions.
class FieldDescriber {
 public:
  explicit FieldDescriber(std::string prefix = {}) : prefix_(std::move(prefix)) {}

  void integer(std::string_view key, const std::int64_t& value, IntegerRange range, Need need,
               std::string_view sentence);
  void boolean(std::string_view key, const bool& value, Need need, std::string_view sentence);
  void text(std::string_view key, const std::string& value, Need need, std::string_view sentence);
  void integers(std::string_view key, const std::vector<std::int64_t>& values, IntegerRange range,
                Need need, std::string_view sentence);
  void texts(std::string_view key, const std::vector<std::string>& values, Need need,
             std::string_view sentence);
  void choice(std::string_view key, const std::size_t& index, const std::vector<std::string>& names,
              Need need, std::string_view sentence);
  void unit_value(std::string_view key, std::string_view unit,
                  const std::function<void(std::string_view)>& parse, Need need,
                  std::string_view sentence);

  [[nodiscard]] const std::vector<ParameterDescription>& parameters() const { return parameters_; }

 private:
  void add(std::string_view key, std::string type, std::string unit, std::string default_text,
           Need need, std::string_view sentence);

  std::string prefix_;
  std::vector<ParameterDescription> parameters_;
};

/// A quantity of a strong type as a field of either visitor.
template <typename Visitor, typename Unit>
void unit_field(Visitor& visitor, std::string_view key, std::string_view unit, Unit& value,
                Unit (*parse)(std::string_view), Need need, std::string_view sentence) {
  visitor.unit_value(
      key, unit, [&value, parse](std::string_view text) { value = parse(text); }, need, sentence);
}

/// An enumeration whose names are in order of its values, as a field of either visitor.
template <typename Visitor, typename Enum>
void enum_field(Visitor& visitor, std::string_view key, Enum& value,
                const std::vector<std::string>& names, Need need, std::string_view sentence) {
  auto index = static_cast<std::size_t>(value);
  visitor.choice(key, index, names, need, sentence);
  value = static_cast<Enum>(index);
}

}  // namespace vernier
