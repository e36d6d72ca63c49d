#include "arch/base/bitwidth.hpp"

#include <fmt/format.h>

#include "arch/base/error.hpp"

namespace vernier {

Bitwidth::Bitwidth(std::int64_t bits) {
  if (bits < kMin || bits > kMax) {
    throw ConfigError(fmt::format("{} bits is outside the range {} to {}", bits, kMin, kMax));
  }
  bits_ = static_cast<std::int8_t>(bits);
}

std::string_view to_text(NumberKind kind) {
  switch (kind) {
    case NumberKind::kInt: return "int";
    case NumberKind::kUint: return "uint";
    case NumberKind::kBipolar: return "bipolar";
    case NumberKind::kFloat: return "float";
  }
  return "unknown";
}

const std::vector<std::string>& number_kind_names() {
  static const std::vector<std::string> names{"int", "uint", "bipolar", "float"};
  return names;
}

}  // namespace vernier
