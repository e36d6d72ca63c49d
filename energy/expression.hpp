// Values of attributes in Accelergy files: a number, a word, or arithmetic over other attributes
// ("ceil(log2(depth))", "2*width"). Operators + - * / // % ** and parentheses; functions ceil,
// floor, round, sqrt, log2, log, abs, min, max, pow. Nothing else of the Python that Accelergy
// would run.
#pragma once

#include <string_view>

#include "energy/primitive.hpp"

namespace vernier::energy {

/// Evaluates `text` with the names of `scope`. A text that is one name takes that attribute's
/// value; a text that is no arithmetic is a word. Throws ConfigError when arithmetic names an
/// unknown attribute or has no finite value.
[[nodiscard]] AttributeValue evaluate_attribute(std::string_view text, const Attributes& scope);

/// As evaluate_attribute, but the value must be a number.
[[nodiscard]] double evaluate_number(std::string_view text, const Attributes& scope);

}  // namespace vernier::energy
