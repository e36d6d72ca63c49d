// A strict YAML tree: the text of a file as nodes that know their line. Anchors, aliases, tags,
// duplicate keys, several documents, deep nesting, control characters, broken UTF-8, very long
// values and huge files are refused here, so that no reader above has to think of them. Parsing
// itself is yaml-cpp's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arch/base/error.hpp"

namespace vernier {

struct YamlEntry;

/// One node of a YAML file: scalar, sequence or mapping.
struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  SourcePlace place;
  std::string scalar;              ///< text of a scalar
  bool quoted = false;             ///< the scalar stood in quotes
  std::string tag;                 ///< "!Name", where tags are allowed; else empty
  std::vector<YamlNode> items;     ///< of a sequence
  std::vector<YamlEntry> entries;  ///< of a mapping, in file order

  /// The value under `key` of a mapping, or nullptr.
  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  [[nodiscard]] YamlNode* find(std::string_view key);
  /// "a mapping", "a list", "'text'", for messages.
  [[nodiscard]] std::string description() const;
};

/// A key of a mapping and its value.
struct YamlEntry {
  std::string key;
  YamlNode value;
};

/// Limits of what is read at all.
struct YamlLimits {
  std::size_t max_bytes = std::size_t{4} * 1024 * 1024;
  std::size_t max_nodes = 1'000'000;
  std::size_t max_scalar = 4096;  ///< bytes of one key or value
  int max_depth = 64;
  bool keep_tags = false;  ///< local tags (!Name) are kept instead of refused
};

/// Parses one document. `file` is the name for messages. Throws ConfigError with file and line.
[[nodiscard]] YamlNode parse_yaml(std::string_view text, std::string_view file,
                                  const YamlLimits& limits = {});

/// Reads and parses a file. Throws ConfigError when it cannot be read.
[[nodiscard]] YamlNode load_yaml(const std::string& path, const YamlLimits& limits = {});

/// Reads a whole text file. Throws ConfigError when it cannot be read or is larger than the limit.
[[nodiscard]] std::string read_text_file(const std::string& path, std::size_t max_bytes);

/// Applies one `--set key.path=value` to a tree: the value is parsed as YAML and replaces or adds
/// the key; the mappings on the way must exist. `[n]` selects an item of a list. Throws
/// ConfigError.
void apply_override(YamlNode& root, std::string_view assignment);

}  // namespace vernier
