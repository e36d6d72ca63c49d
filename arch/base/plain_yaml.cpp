#include "arch/base/plain_yaml.hpp"

#include <algorithm>
#include <utility>

namespace vernier {
namespace {

// Longer keys are read differently by yaml-cpp.
constexpr std::size_t kMostKey = 500;
// Keys of one mapping are compared one by one; larger mappings are left to yaml-cpp.
constexpr std::size_t kMostEntries = 256;
// Of a mapping or list; spares the first moves of a growing one.
constexpr std::size_t kUsualSize = 4;

bool is_plain_letter(char letter) { return letter >= 0x20 && letter < 0x7f; }

// What a plain scalar must not begin with; '-' is looked at by itself.
bool begins_plain(char letter) {
  constexpr std::string_view kIndicators = "?:,[]{}#&*!|>'\"%@`- ";
  return is_plain_letter(letter) && kIndicators.find(letter) == std::string_view::npos;
}

bool is_null(std::string_view word) {
  return word == "~" || word == "null" || word == "Null" || word == "NULL";
}

// Reads by recursive descent. Every function returns false where the text is not plain; the whole
// reading is then given up.
class PlainReader {
 public:
  PlainReader(std::string_view text, std::string_view file, const YamlLimits& limits)
      : text_(text), file_(file), limits_(limits) {
    content_begin_ = std::min(text.find_first_not_of(' '), text.size());
  }

  bool read(YamlNode& root) {
    if (!skip_to_content() || !at_line_begin()) return false;
    if (!block_node(root, 0)) return false;
    const bool is_tree = root.kind != YamlNode::Kind::kScalar;
    return is_tree && at_end();
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char letter(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
  }
  [[nodiscard]] std::size_t column() const { return at_ - line_begin_; }
  // Nothing but spaces stand before the place in its line.
  [[nodiscard]] bool at_line_begin() const { return at_ == content_begin_; }
  [[nodiscard]] bool is_break(std::size_t ahead) const {
    return letter(ahead) == ' ' || letter(ahead) == '\n';
  }
  [[nodiscard]] bool begins_item() const { return letter() == '-' && is_break(1); }

  bool start(YamlNode& node, YamlNode::Kind kind) {
    node.kind = kind;
    node.place.file = file_;
    node.place.line = line_;
    node.place.column = static_cast<int>(column()) + 1;
    if (kind == YamlNode::Kind::kMapping) node.entries.reserve(kUsualSize);
    if (kind == YamlNode::Kind::kSequence) node.items.reserve(kUsualSize);
    return ++nodes_ <= limits_.max_nodes;
  }

  // Over spaces, comments and ends of lines to the next content. False where something stands in
  // the way that is not plain; at the end of the text it is true.
  bool skip_to_content() {
    for (;;) {
      while (letter() == ' ') ++at_;
      if (at_end()) return true;
      if (letter() == '#') {
        if (at_ != line_begin_ && text_[at_ - 1] != ' ') return false;
        while (!at_end() && letter() != '\n') ++at_;
      }
      if (at_end()) return true;
      if (letter() != '\n') {
        const std::string_view rest = text_.substr(at_, 3);
        return column() > 0 || (rest != "---" && rest != "..." && letter() != '%');
      }
      begin_line();
    }
  }
  void begin_line() {
    ++at_;
    ++line_;
    line_begin_ = at_;
    content_begin_ = std::min(text_.find_first_not_of(' ', at_), text_.size());
  }

  // A value in block context; the place is at its first letter.
  bool block_node(YamlNode& node, int depth) {
    if (depth >= limits_.max_depth || at_end()) return false;
    if (letter() == '{' || letter() == '[') return flow_value(node, depth) && skip_to_line();
    if (begins_item()) return block_sequence(node, depth);
    const std::size_t begin = at_;
    if (!scalar(node, false)) return false;
    if (letter() != ':') return skip_to_line();
    // It was the first key of a mapping.
    --nodes_;
    at_ = begin;
    node = {};
    return block_mapping(node, depth);
  }

  // To the next line of content after a value; a line that goes on with it is not plain.
  bool skip_to_line() { return skip_to_content() && (at_end() || at_line_begin()); }

  bool block_sequence(YamlNode& node, int depth) {
    const std::size_t indent = column();
    if (!start(node, YamlNode::Kind::kSequence)) return false;
    while (!at_end() && column() == indent && begins_item()) {
      ++at_;
      while (letter() == ' ') ++at_;
      if (letter() == '\n' || letter() == '#') return false;
      if (!block_node(node.items.emplace_back(), depth + 1)) return false;
      if (!at_end() && column() > indent) return false;
    }
    return true;
  }

  bool block_mapping(YamlNode& node, int depth) {
    const std::size_t indent = column();
    if (!start(node, YamlNode::Kind::kMapping)) return false;
    while (!at_end() && column() == indent && !begins_item()) {
      YamlNode key;
      if (!scalar(key, false) || letter() != ':' || !is_break(1)) return false;
      if (!add_key(node, key)) return false;
      ++at_;
      if (!block_value(node.entries.back().value, indent, depth + 1)) return false;
      if (!at_end() && column() > indent) return false;
    }
    return true;
  }

  // What stands behind "key:", in the same line or below.
  bool block_value(YamlNode& node, std::size_t indent, int depth) {
    const int line = line_;
    if (!skip_to_content() || at_end()) return false;
    if (line_ == line) {
      if (begins_item()) return false;
      if (letter() == '{' || letter() == '[') return block_node(node, depth);
      return scalar(node, false) && letter() != ':' && skip_to_line();
    }
    const bool is_list_of_key = column() == indent && begins_item();
    if (column() <= indent && !is_list_of_key) return false;
    return block_node(node, depth) && node.kind != YamlNode::Kind::kScalar;
  }

  bool add_key(YamlNode& node, YamlNode& key) {
    if (key.scalar.size() > kMostKey || node.entries.size() >= kMostEntries) return false;
    if (node.find(key.scalar) != nullptr) return false;
    node.entries.push_back({std::move(key.scalar), {}});
    return true;
  }

  bool flow_value(YamlNode& node, int depth) {
    if (depth >= limits_.max_depth) return false;
    if (letter() == '{') return flow_mapping(node, depth);
    if (letter() == '[') return flow_sequence(node, depth);
    return scalar(node, true);
  }

  // Over spaces and lines within brackets.
  bool skip_in_flow() { return skip_to_content() && !at_end() && column() > 0; }

  bool flow_mapping(YamlNode& node, int depth) {
    if (!start(node, YamlNode::Kind::kMapping)) return false;
    for (;;) {
      ++at_;
      if (!skip_in_flow()) return false;
      if (letter() == '}' && node.entries.empty()) break;
      YamlNode key;
      const int line = line_;
      if (!scalar(key, true)) return false;
      if (line_ != line || letter() != ':' || !is_break(1) || !add_key(node, key)) return false;
      ++at_;
      if (!skip_in_flow() || !flow_value(node.entries.back().value, depth + 1)) return false;
      if (!skip_in_flow()) return false;
      if (letter() == '}') break;
      if (letter() != ',') return false;
    }
    ++at_;
    return true;
  }

  bool flow_sequence(YamlNode& node, int depth) {
    if (!start(node, YamlNode::Kind::kSequence)) return false;
    for (;;) {
      ++at_;
      if (!skip_in_flow()) return false;
      if (letter() == ']' && node.items.empty()) break;
      if (!flow_value(node.items.emplace_back(), depth + 1) || !skip_in_flow()) return false;
      if (letter() == ']') break;
      if (letter() != ',') return false;
    }
    ++at_;
    return true;
  }

  bool scalar(YamlNode& node, bool in_flow) {
    if (!start(node, YamlNode::Kind::kScalar)) return false;
    if (letter() == '"' || letter() == '\'') return quoted(node);
    const std::size_t begin = at_;
    if (!begins_plain(letter()) && (letter() != '-' || is_break(1))) return false;
    constexpr std::string_view kBrackets = ",[]{}";
    for (;; ++at_) {
      const char next = letter();
      if (next == '\n' || (next == ':' && is_break(1))) break;
      if (next == '#' && text_[at_ - 1] == ' ') break;
      if (!is_plain_letter(next) || next == '?') return false;  // yaml-cpp: no '?' in brackets
      if (!in_flow) continue;
      if (kBrackets.find(next) != std::string_view::npos) break;
      if (next == ':' && kBrackets.find(letter(1)) != std::string_view::npos) return false;
    }
    std::size_t end = at_;
    while (end > begin && text_[end - 1] == ' ') --end;
    if (letter() == ':' && end != at_) return false;  // "key : value"
    node.scalar = text_.substr(begin, end - begin);
    return !is_null(node.scalar) && node.scalar.size() <= limits_.max_scalar;
  }

  // In one line, without escapes.
  bool quoted(YamlNode& node) {
    const char quote = letter();
    const std::size_t begin = ++at_;
    for (; letter() != quote; ++at_) {
      if (!is_plain_letter(letter()) || letter() == '\\') return false;
    }
    node.scalar = text_.substr(begin, at_ - begin);
    node.quoted = true;
    ++at_;
    const bool is_over =
        is_break(0) || letter() == ',' || letter() == '}' || letter() == ']' || letter() == ':';
    return is_over && node.scalar.size() <= limits_.max_scalar;
  }

  std::string_view text_;
  std::string file_;
  const YamlLimits& limits_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t content_begin_ = 0;
  int line_ = 1;
  std::size_t nodes_ = 0;
};

}  // namespace

std::optional<YamlNode> parse_plain_yaml(std::string_view text, std::string_view file,
                                         const YamlLimits& limits) {
  YamlNode root;
  if (!PlainReader(text, file, limits).read(root)) return std::nullopt;
  return root;
}

}  // namespace vernier
