// The fast way to read YAML. Machine and table files use a small part of the language: mappings and
// lists by indentation or in brackets, words and quoted texts on one line. That part is read here
// directly, some twenty times as fast as by yaml-cpp; everything else, right or wrong, is left to
// yaml-cpp, so that messages come from one place and nothing is read in two ways.
#pragma once

#include <optional>
#include <string_view>

#include "arch/base/yaml.hpp"

namespace vernier {

/// The tree of a text of the plain kind, the same that parse_yaml_fully makes of it; nullopt when
/// there is anything in it that is not plain (tags, escapes, several lines of text, nulls, tabs,
/// letters beyond ASCII outside of comments) or not right. Texts are valid UTF-8 without zeros.
[[nodiscard]] std::optional<YamlNode> parse_plain_yaml(std::string_view text, std::string_view file,
                                                       const YamlLimits& limits);

/// All of the language that parse_yaml allows, by yaml-cpp.
[[nodiscard]] YamlNode parse_yaml_fully(std::string_view text, std::string_view file,
                                        const YamlLimits& limits);

}  // namespace vernier
