// JSON of a stranger as a tree whose nodes know their line. Stricter than JSON itself: no key twice
// in one object, no number beyond 64 bits or a double, and limits on bytes, depth, nodes and the
// length of keys, so that a hostile file costs little.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vernier::frontends {

/// One value. Only the member of its kind has a meaning.
struct JsonNode {
  enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kNumber, kText, kList, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  int line = 0;  ///< of its last letter; of the opening bracket for lists and objects
  std::int64_t integer = 0;
  double number = 0.0;  ///< of integers, too
  std::string text{};
  std::vector<JsonNode> items{};
  std::vector<std::pair<std::string, JsonNode>> entries{};  ///< in the order of the file

  /// The value of a key, or nullptr.
  [[nodiscard]] const JsonNode* find(std::string_view key) const;
  /// "the number 3", "the text 'x'", "a list" for messages.
  [[nodiscard]] std::string description() const;
};

struct JsonLimits {
  std::size_t max_bytes = std::size_t{64} * 1024 * 1024;
  std::size_t max_depth = 32;
  std::size_t max_nodes = std::size_t{1} << 19;
  std::size_t max_key_letters = 128;
};

/// Throws ConfigError with file, line and byte.
[[nodiscard]] JsonNode parse_json(std::string_view text, const std::string& file,
                                  const JsonLimits& limits = {});

}  // namespace vernier::frontends
