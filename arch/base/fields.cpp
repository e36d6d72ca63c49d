#include "arch/base/fields.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier {

void ProblemList::add(const SourcePlace& place, std::string_view key_path,
                      std::string_view message) {
  add(key_path.empty() ? fmt::format("{}: {}", place.text(), message)
                       : fmt::format("{}: {}: {}", place.text(), shown(key_path, 120), message));
}

void ProblemList::add(std::string message) {
  if (full()) {
    ++dropped_;
  } else {
    problems_.push_back(std::move(message));
  }
}

void ProblemList::throw_if_any() const {
  if (problems_.empty()) return;
  if (dropped_ == 0) throw ConfigError(problems_);
  std::vector<std::string> lines = problems_;
  lines.push_back(fmt::format("... and {} more problems", dropped_));
  throw ConfigError(lines);
}

MappingReader::MappingReader(const YamlNode& node, std::string key_path, ProblemList& problems)
    : node_(node), key_path_(std::move(key_path)), problems_(problems) {
  if (node_.kind != YamlNode::Kind::kMapping) {
    problems_.add(node_.place, key_path_,
                  fmt::format("found {}; a mapping (key: value) is needed", node_.description()));
  }
}

std::string MappingReader::path_of(std::string_view key) const {
  return key_path_.empty() ? std::string(key) : fmt::format("{}.{}", key_path_, key);
}

void MappingReader::problem(std::string_view key, std::string_view message) {
  const YamlNode* value = node_.find(key);
  problems_.add(value != nullptr ? value->place : node_.place, path_of(key), message);
}

const YamlNode* MappingReader::node(std::string_view key, Need need) {
  known_.emplace_back(key);
  const YamlNode* value = node_.find(key);
  if (value == nullptr && need == Need::kRequired && node_.kind == YamlNode::Kind::kMapping) {
    problem(key, "the key is missing");
  }
  return value;
}

const YamlNode* MappingReader::sequence(std::string_view key, Need need) {
  const YamlNode* value = node(key, need);
  if (value != nullptr && value->kind != YamlNode::Kind::kSequence) {
    problem(key, fmt::format("found {}; a list is needed", value->description()));
    return nullptr;
  }
  return value;
}

const YamlNode* MappingReader::mapping(std::string_view key, Need need) {
  const YamlNode* value = node(key, need);
  if (value != nullptr && value->kind != YamlNode::Kind::kMapping) {
    problem(key, fmt::format("found {}; a mapping is needed", value->description()));
    return nullptr;
  }
  return value;
}

const YamlNode* MappingReader::scalar(std::string_view key, Need need) {
  const YamlNode* value = node(key, need);
  if (value != nullptr && value->kind != YamlNode::Kind::kScalar) {
    problem(key, fmt::format("found {}; one value is needed", value->description()));
    return nullptr;
  }
  return value;
}

std::optional<std::int64_t> integer_of(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::kScalar || node.quoted) return std::nullopt;
  const std::string& text = node.scalar;
  // "010" is 10 to one YAML reader and 8 to another.
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  if (text.size() > first + 1 && text[first] == '0') return std::nullopt;
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

namespace {

std::string range_text(IntegerRange range) {
  if (range.most == std::numeric_limits<std::int64_t>::max()) {
    return fmt::format("{} or more", range.least);
  }
  return fmt::format("{} to {}", range.least, range.most);
}

std::optional<std::int64_t> checked_integer(const YamlNode& node, const std::string& path,
                                            IntegerRange range, ProblemList& problems) {
  const std::optional<std::int64_t> number = integer_of(node);
  if (!number) {
    problems.add(node.place, path,
                 fmt::format("found {}; a whole number, {}, is needed", node.description(),
                             range_text(range)));
    return std::nullopt;
  }
  if (*number < range.least || *number > range.most) {
    problems.add(node.place, path,
                 fmt::format("found {}; allowed is {}", *number, range_text(range)));
    return std::nullopt;
  }
  return number;
}

}  // namespace

void MappingReader::integer(std::string_view key, std::int64_t& value, IntegerRange range,
                            Need need, std::string_view) {
  const YamlNode* found = scalar(key, need);
  if (found == nullptr) return;
  if (const auto number = checked_integer(*found, path_of(key), range, problems_)) value = *number;
}

void MappingReader::boolean(std::string_view key, bool& value, Need need, std::string_view) {
  const YamlNode* found = scalar(key, need);
  if (found == nullptr) return;
  if (found->scalar == "true") {
    value = true;
  } else if (found->scalar == "false") {
    value = false;
  } else {
    problem(key, fmt::format("found {}; allowed are true, false", found->description()));
  }
}

void MappingReader::text(std::string_view key, std::string& value, Need need, std::string_view) {
  const YamlNode* found = scalar(key, need);
  if (found == nullptr) return;
  if (found->scalar.empty() && need == Need::kRequired) problem(key, "the text is empty");
  value = found->scalar;
}

void MappingReader::integers(std::string_view key, std::vector<std::int64_t>& values,
                             IntegerRange range, Need need, std::string_view) {
  const YamlNode* found = sequence(key, need);
  if (found == nullptr) return;
  values.clear();
  for (std::size_t at = 0; at < found->items.size(); ++at) {
    const auto number = checked_integer(found->items[at], fmt::format("{}[{}]", path_of(key), at),
                                        range, problems_);
    if (number) values.push_back(*number);
  }
  if (found->items.empty()) problem(key, "the list is empty");
}

void MappingReader::texts(std::string_view key, std::vector<std::string>& values, Need need,
                          std::string_view) {
  const YamlNode* found = sequence(key, need);
  if (found == nullptr) return;
  values.clear();
  for (const YamlNode& item : found->items) {
    if (item.kind != YamlNode::Kind::kScalar) {
      problem(key, fmt::format("found {} in the list; names are needed", item.description()));
    } else {
      values.push_back(item.scalar);
    }
  }
}

void MappingReader::choice(std::string_view key, std::size_t& index,
                           const std::vector<std::string>& names, Need need, std::string_view) {
  const YamlNode* found = scalar(key, need);
  if (found == nullptr) return;
  const auto position = std::find(names.begin(), names.end(), found->scalar);
  if (position == names.end()) {
    problem(key, fmt::format("found {}; allowed are {}{}", found->description(), name_list(names),
                             suggestion(found->scalar, names)));
  } else {
    index = static_cast<std::size_t>(position - names.begin());
  }
}

void MappingReader::unit_value(std::string_view key, std::string_view,
                               const std::function<void(std::string_view)>& parse, Need need,
                               std::string_view) {
  const YamlNode* found = scalar(key, need);
  if (found == nullptr) return;
  try {
    parse(found->scalar);
  } catch (const ConfigError& error) {
    problem(key, error.what());
  }
}

void MappingReader::finish() {
  if (node_.kind != YamlNode::Kind::kMapping) return;
  for (const auto& [key, value] : node_.entries) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string near = problems_.full() ? std::string{} : suggestion(key, known_);
    problems_.add(value.place, path_of(key),
                  near.empty() ? fmt::format("unknown key; allowed are {}", name_list(known_, 20))
                               : fmt::format("unknown key{}", near));
  }
}

void FieldDescriber::add(std::string_view key, std::string type, std::string unit,
                         std::string default_text, Need need, std::string_view sentence) {
  parameters_.push_back({prefix_ + std::string(key), std::move(type), std::move(unit),
                         need == Need::kRequired ? std::string{} : std::move(default_text),
                         std::string(sentence)});
}

void FieldDescriber::integer(std::string_view key, const std::int64_t& value, IntegerRange range,
                             Need need, std::string_view sentence) {
  add(key, fmt::format("integer, {}", range_text(range)), "", fmt::format("{}", value), need,
      sentence);
}
void FieldDescriber::boolean(std::string_view key, const bool& value, Need need,
                             std::string_view sentence) {
  add(key, "true | false", "", value ? "true" : "false", need, sentence);
}
void FieldDescriber::text(std::string_view key, const std::string& value, Need need,
                          std::string_view sentence) {
  add(key, "text", "", value.empty() ? "none" : value, need, sentence);
}
void FieldDescriber::integers(std::string_view key, const std::vector<std::int64_t>& values,
                              IntegerRange range, Need need, std::string_view sentence) {
  add(key, fmt::format("list of integers, {}", range_text(range)), "",
      fmt::format("[{}]", fmt::join(values, ", ")), need, sentence);
}
void FieldDescriber::texts(std::string_view key, const std::vector<std::string>& values, Need need,
                           std::string_view sentence) {
  add(key, "list of names", "", fmt::format("[{}]", fmt::join(values, ", ")), need, sentence);
}
void FieldDescriber::choice(std::string_view key, const std::size_t& index,
                            const std::vector<std::string>& names, Need need,
                            std::string_view sentence) {
  add(key, fmt::format("{}", fmt::join(names, " | ")), "", names.at(index), need, sentence);
}
void FieldDescriber::unit_value(std::string_view key, std::string_view unit,
                                const std::function<void(std::string_view)>&, Need need,
                                std::string_view sentence) {
  add(key, "quantity", std::string(unit), "as stated", need, sentence);
}

}  // namespace vernier
