#include "arch/base/yaml.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "arch/base/plain_yaml.hpp"
#include "arch/base/text.hpp"

namespace vernier {
namespace {

// Builds the tree from yaml-cpp's parser events and refuses what the strict form does not allow.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view file, const YamlLimits& limits) : file_(file), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add(make(YamlNode::Kind::kNull, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "aliases (*name) are not allowed; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    std::string kept = checked_tag(mark, tag);
    refuse_letters(mark, value);
    YamlNode node = make(YamlNode::Kind::kScalar, mark);
    node.tag = std::move(kept);
    node.scalar = value;
    node.quoted = tag == "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kSequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] YamlNode take() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    bool has_key = false;
    std::string key;
    SourcePlace key_place;
    std::unordered_map<std::string, int> line_of;  // of each key so far
  };

  [[nodiscard]] SourcePlace place_of(const YAML::Mark& mark) const {
    return {file_, mark.line + 1, mark.column + 1};
  }
  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view message) const {
    throw ConfigError(fmt::format("{}: {}", place_of(mark).text(), message));
  }
  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != YAML::NullAnchor) fail(mark, "anchors (&name) are not allowed");
  }
  // A plain value has no tag, "?" or "!"; a local tag is kept where the limits allow it.
  std::string checked_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return {};
    if (!limits_.keep_tags || tag.front() != '!' || tag.size() > limits_.max_scalar) {
      fail(mark, fmt::format("the tag '{}' is not allowed", shown(tag)));
    }
    return tag;
  }
  // A scalar may hold escapes ("\x07"), so this is no question of the file's own letters.
  void refuse_letters(const YAML::Mark& mark, const std::string& value) const {
    if (value.size() > limits_.max_scalar) {
      fail(mark, fmt::format("a value of {} bytes; at most {} are allowed", value.size(),
                             limits_.max_scalar));
    }
    const bool control = std::any_of(value.begin(), value.end(), [](char letter) {
      const auto code = static_cast<unsigned char>(letter);
      return (code < 0x20 && letter != '\n' && letter != '\t') || code == 0x7f;
    });
    if (control) fail(mark, fmt::format("a control character in '{}'", shown(value)));
  }
  [[nodiscard]] YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > limits_.max_nodes) {
      fail(mark, fmt::format("more than {} values in one file", limits_.max_nodes));
    }
    YamlNode node;
    node.kind = kind;
    node.place = place_of(mark);
    return node;
  }
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    std::string kept = checked_tag(mark, tag);
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      fail(mark, fmt::format("nested deeper than {} levels", limits_.max_depth));
    }
    open_.push_back({make(kind, mark), false, {}, {}, {}});
    open_.back().node.tag = std::move(kept);
  }
  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  void add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::kSequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      if (node.kind != YamlNode::Kind::kScalar) {
        throw ConfigError(fmt::format("{}: a key must be a plain word", node.place.text()));
      }
      const auto [first, fresh] = parent.line_of.emplace(node.scalar, node.place.line);
      if (!fresh) {
        throw ConfigError(fmt::format("{}: the key '{}' stands twice (first in line {})",
                                      node.place.text(), shown(node.scalar), first->second));
      }
      parent.key = std::move(node.scalar);
      parent.key_place = std::move(node.place);
      parent.has_key = true;
    } else {
      // The parser sees an absent value only at the next token, lines further down.
      if (node.kind == YamlNode::Kind::kNull) node.place = std::move(parent.key_place);
      parent.node.entries.push_back({std::move(parent.key), std::move(node)});
      parent.has_key = false;
    }
  }

  std::string file_;
  YamlLimits limits_;
  YamlNode root_;
  std::vector<Open> open_;
  std::size_t nodes_ = 0;
};

// Line in which the UTF-8 of a text breaks off, or 0 (RFC 3629, without overlong forms).
int broken_utf8_line(std::string_view text) {
  int line = 1;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t offset) {
      return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0U;
    };
    const unsigned first = byte(0);
    if (first == '\n') ++line;
    std::size_t length = 1;
    unsigned least = 0x80;  // of the second byte, where a smaller one would be an overlong form
    unsigned most = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
      length = 2;
    } else if (first >= 0xe0 && first <= 0xef) {
      length = 3;
      if (first == 0xe0) least = 0xa0;
      if (first == 0xed) most = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      length = 4;
      if (first == 0xf0) least = 0x90;
      if (first == 0xf4) most = 0x8f;
    } else if (first >= 0x80) {
      return line;
    }
    if (length > 1 && (byte(1) < least || byte(1) > most)) return line;
    for (std::size_t offset = 2; offset < length; ++offset) {
      if ((byte(offset) & 0xc0U) != 0x80) return line;
    }
    at += length;
  }
  return 0;
}

constexpr int kMostOpen = 1000;

// Line in which brackets are open by the hundred, or 0. yaml-cpp reads ahead to the end of the
// outermost bracket and keeps about 250 bytes per token, so this stands before it. Quotes and
// comments count too: the exact depth is checked while parsing.
int bracket_heap_line(std::string_view text) {
  int open = 0;
  int line = 1;
  for (const char letter : text) {
    if (letter == '\n') ++line;
    if (letter == '[' || letter == '{') ++open;
    if ((letter == ']' || letter == '}') && open > 0) --open;
    if (open > kMostOpen) return line;
  }
  return 0;
}

// One step of a --set path: a key, or an index into a list.
struct PathStep {
  std::string key;
  std::size_t index = 0;
  bool is_index = false;
};

std::vector<PathStep> parse_path(std::string_view path, std::string_view assignment) {
  std::vector<PathStep> steps;
  std::string key;
  bool after_index = false;
  const auto flush = [&] {
    if (key.empty() && !after_index) {
      throw ConfigError(
          fmt::format("--set {}: the key path '{}' has an empty part; expected key.path=value",
                      shown(assignment), shown(path)));
    }
    if (!key.empty()) steps.push_back({key, 0, false});
    key.clear();
    after_index = false;
  };
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] == '.') {
      flush();
    } else if (path[at] == '[') {
      flush();
      after_index = true;
      const std::size_t close = path.find(']', at);
      PathStep step{.key = {}, .index = 0, .is_index = true};
      const std::string_view digits =
          close == std::string_view::npos ? "" : path.substr(at + 1, close - at - 1);
      const auto [end, status] =
          std::from_chars(digits.data(), digits.data() + digits.size(), step.index);
      if (digits.empty() || status != std::errc{} || end != digits.data() + digits.size()) {
        throw ConfigError(fmt::format("--set {}: '[' needs a number and ']'", shown(assignment)));
      }
      steps.push_back(step);
      at = close;
    } else if (after_index) {
      throw ConfigError(fmt::format("--set {}: '.' or '[' is needed after ']'", shown(assignment)));
    } else {
      key += path[at];
    }
  }
  flush();
  return steps;
}

void relabel(YamlNode& node, const SourcePlace& place) {
  node.place = place;
  for (YamlNode& item : node.items) relabel(item, place);
  for (auto& [key, value] : node.entries) relabel(value, place);
}

YamlNode* descend(YamlNode& node, const PathStep& step, std::string_view assignment) {
  if (step.is_index) {
    if (node.kind != YamlNode::Kind::kSequence || step.index >= node.items.size()) {
      throw ConfigError(fmt::format("--set {}: there is no item [{}] in {}", shown(assignment),
                                    step.index, node.description()));
    }
    return &node.items[step.index];
  }
  if (node.kind != YamlNode::Kind::kMapping) {
    throw ConfigError(fmt::format("--set {}: '{}' stands below {}, not below a mapping",
                                  shown(assignment), step.key, node.description()));
  }
  return node.find(step.key);
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

YamlNode* YamlNode::find(std::string_view key) {
  return const_cast<YamlNode*>(std::as_const(*this).find(key));
}

std::string YamlNode::description() const {
  switch (kind) {
    case Kind::kNull: return "nothing";
    case Kind::kScalar: return fmt::format("'{}'", shown(scalar));
    case Kind::kSequence: return fmt::format("a list of {}", items.size());
    case Kind::kMapping: return "a mapping";
  }
  return "nothing";
}

YamlNode parse_yaml(std::string_view text, std::string_view file, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw ConfigError(
        fmt::format("{}: {} bytes; at most {} are read", file, text.size(), limits.max_bytes));
  }
  if (text.find('\0') != std::string_view::npos) {
    throw ConfigError(
        fmt::format("{}: not a text file (a zero byte at offset {})", file, text.find('\0')));
  }
  if (const int line = broken_utf8_line(text); line > 0) {
    throw ConfigError(fmt::format("{}:{}: not a text file (not UTF-8)", file, line));
  }
  if (const int line = bracket_heap_line(text); line > 0) {
    throw ConfigError(fmt::format("{}:{}: more than {} open brackets", file, line, kMostOpen));
  }
  if (std::optional<YamlNode> plain = parse_plain_yaml(text, file, limits)) {
    return *std::move(plain);
  }
  return parse_yaml_fully(text, file, limits);
}

YamlNode parse_yaml_fully(std::string_view text, std::string_view file, const YamlLimits& limits) {
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    TreeBuilder builder(file, limits);
    if (!parser.HandleNextDocument(builder)) {
      throw ConfigError(fmt::format("{}: the file is empty", file));
    }
    YamlNode root = builder.take();
    TreeBuilder second(file, limits);
    if (parser.HandleNextDocument(second)) {
      throw ConfigError(fmt::format("{}: more than one YAML document", file));
    }
    return root;
  } catch (const YAML::Exception& error) {
    throw ConfigError(
        fmt::format("{}:{}: not valid YAML: {}", file, error.mark.line + 1, shown(error.msg, 160)));
  }
}

std::string read_text_file(const std::string& path, std::size_t max_bytes) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) {
    throw ConfigError(fmt::format("{}: is a folder, not a file", path));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw ConfigError(fmt::format("{}: cannot be opened", path));
  std::string text;
  char chunk[1 << 16];
  while (stream.read(chunk, sizeof chunk) || stream.gcount() > 0) {
    text.append(chunk, static_cast<std::size_t>(stream.gcount()));
    if (text.size() > max_bytes) {
      throw ConfigError(fmt::format("{}: larger than the {} bytes that are read", path, max_bytes));
    }
  }
  return text;
}

YamlNode load_yaml(const std::string& path, const YamlLimits& limits) {
  return parse_yaml(read_text_file(path, limits.max_bytes), path, limits);
}

void apply_override(YamlNode& root, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) {
    throw ConfigError(fmt::format("--set {}: expected key.path=value", shown(assignment)));
  }
  const std::vector<PathStep> steps = parse_path(assignment.substr(0, equals), assignment);
  const std::string label = fmt::format("--set {}", shown(assignment, 120));
  if (assignment.find_first_not_of(' ', equals + 1) == std::string_view::npos) {
    throw ConfigError(fmt::format("{}: there is no value after '='", label));
  }
  YamlNode value = parse_yaml(assignment.substr(equals + 1), label);
  relabel(value, {label, 0, 0});

  YamlNode* node = &root;
  for (std::size_t depth = 0; depth + 1 < steps.size(); ++depth) {
    YamlNode* next = descend(*node, steps[depth], assignment);
    if (next == nullptr) {
      std::vector<std::string> keys;
      keys.reserve(node->entries.size());
      for (const auto& [key, entry] : node->entries) keys.push_back(key);
      throw ConfigError(fmt::format("--set {}: there is no key '{}'{}", shown(assignment),
                                    steps[depth].key, suggestion(steps[depth].key, keys)));
    }
    node = next;
  }
  YamlNode* target = descend(*node, steps.back(), assignment);
  if (target == nullptr) {
    node->entries.push_back({steps.back().key, std::move(value)});
  } else {
    *target = std::move(value);
  }
}

}  // namespace vernier
