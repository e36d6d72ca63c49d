#include "frontends/diff/json_tree.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"

namespace vernier::frontends {
namespace {

// Letters of the file; tells how far the parser has come.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& left, const CountingIterator& right) {
    return left.at_ == right.at_;
  }
  friend bool operator!=(const CountingIterator& left, const CountingIterator& right) {
    return !(left == right);
  }

 private:
  const char* at_;
  const char** reached_;
};

// Builds the tree from the parser's events, whose names are the parser's.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const std::string& file, const JsonLimits& limits)
      : begin_(text.data()), reached_(text.data()), file_(file), limits_(limits) {}

  [[nodiscard]] const char** reached() { return &reached_; }
  [[nodiscard]] JsonNode take() { return std::move(root_); }

  bool null() { return add({.kind = JsonNode::Kind::kNull}); }
  bool boolean(bool value) { return add({.kind = JsonNode::Kind::kBoolean, .boolean = value}); }
  bool number_integer(std::int64_t value) {
    return add(
        {.kind = JsonNode::Kind::kInteger, .integer = value, .number = static_cast<double>(value)});
  }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail(fmt::format("the number {} does not fit into 64 bits", value));
    }
    return number_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string& /*text*/) {
    return add({.kind = JsonNode::Kind::kNumber, .number = value});
  }
  bool string(std::string& value) {
    return add({.kind = JsonNode::Kind::kText, .text = std::move(value)});
  }
  bool binary(const nlohmann::json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return open({.kind = JsonNode::Kind::kObject}); }
  bool start_array(std::size_t /*size*/) { return open({.kind = JsonNode::Kind::kList}); }
  bool key(std::string& value) {
    if (value.size() > limits_.max_key_letters) {
      fail(fmt::format("a key of more than {} letters", limits_.max_key_letters));
    }
    key_ = std::move(value);
    return true;
  }
  bool end_object() {
    check_keys(*open_.back());
    open_.pop_back();
    return true;
  }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& error) {
    std::string_view what = error.what();
    for (const std::string_view mark : {"] ", "syntax error "}) {
      const std::size_t at = what.find(mark);
      if (at != std::string_view::npos) what.remove_prefix(at + mark.size());
    }
    constexpr std::size_t kMostLetters = 200;
    throw ConfigError(fmt::format("{}:{}: byte {}: is not JSON: {}", file_, line_of(reached_),
                                  position, shown(what, kMostLetters)));
  }

 private:
  // Lines are counted on from the last place that was asked for.
  int line_of(const char* at) {
    line_ += static_cast<int>(std::count(counted_, at, '\n'));
    counted_ = at;
    return line_;
  }

  [[noreturn]] void fail(const std::string& message) {
    throw ConfigError(
        fmt::format("{}:{}: byte {}: {}", file_, line_of(reached_), reached_ - begin_, message));
  }

  JsonNode* place(JsonNode&& node) {
    if (++nodes_ > limits_.max_nodes) {
      fail(fmt::format("more than the {} values that are read", limits_.max_nodes));
    }
    // A number ends where the letter behind it has been read, which may be a line break.
    const bool is_number =
        node.kind == JsonNode::Kind::kInteger || node.kind == JsonNode::Kind::kNumber;
    const char* const end = is_number && reached_ > counted_ ? reached_ - 1 : reached_;
    node.line = line_of(end);
    if (open_.empty()) {
      root_ = std::move(node);
      return &root_;
    }
    JsonNode& parent = *open_.back();
    if (parent.kind == JsonNode::Kind::kList) return &parent.items.emplace_back(std::move(node));
    return &parent.entries.emplace_back(std::move(key_), std::move(node)).second;
  }

  bool add(JsonNode&& node) {
    place(std::move(node));
    return true;
  }

  // A parent's vector does not grow while one of its children is open, so the pointers hold.
  bool open(JsonNode&& node) {
    if (open_.size() >= limits_.max_depth) {
      fail(fmt::format("nested more than {} deep", limits_.max_depth));
    }
    open_.push_back(place(std::move(node)));
    return true;
  }

  void check_keys(const JsonNode& object) {
    std::vector<std::string_view> keys;
    keys.reserve(object.entries.size());
    for (const auto& entry : object.entries) keys.emplace_back(entry.first);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) fail(fmt::format("the key '{}' stands twice", shown(*twice)));
  }

  const char* begin_;
  const char* reached_;
  const char* counted_ = begin_;
  int line_ = 1;
  const std::string& file_;
  const JsonLimits& limits_;
  std::size_t nodes_ = 0;
  std::string key_;
  JsonNode root_;
  std::vector<JsonNode*> open_;
};

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [key](const auto& entry) { return entry.first == key; });
  return found == entries.end() ? nullptr : &found->second;
}

std::string JsonNode::description() const {
  switch (kind) {
    case Kind::kNull: return "null";
    case Kind::kBoolean: return boolean ? "true" : "false";
    case Kind::kInteger: return fmt::format("the number {}", integer);
    case Kind::kNumber: return fmt::format("the number {}", number);
    case Kind::kText: return fmt::format("the text '{}'", shown(text));
    case Kind::kList: return "a list";
    case Kind::kObject: return "an object";
  }
  return "nothing";
}

JsonNode parse_json(std::string_view text, const std::string& file, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    throw ConfigError(
        fmt::format("{}: larger than the {} bytes that are read", file, limits.max_bytes));
  }
  TreeBuilder builder(text, file, limits);
  const CountingIterator begin(text.data(), builder.reached());
  const CountingIterator end(text.data() + text.size(), builder.reached());
  nlohmann::json::sax_parse(begin, end, &builder);
  return builder.take();
}

}  // namespace vernier::frontends
