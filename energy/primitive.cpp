#include "energy/primitive.hpp"

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {

double Primitive::number(std::string_view name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end()) {
    throw NotCovered(fmt::format("{} lacks the attribute '{}'", to_text(*this), name));
  }
  const auto* value = std::get_if<double>(&found->second);
  constexpr double kMost = 1e9;
  if (value == nullptr || !(*value >= 0.0) || *value > kMost) {
    throw NotCovered(
        fmt::format("the attribute '{}' of {} is no number from 0 to 1e9", name, to_text(*this)));
  }
  return *value;
}

double Primitive::number_or(std::string_view name, double fallback) const {
  return attributes.contains(name) ? number(name) : fallback;
}

std::string Primitive::word(std::string_view name) const {
  const auto found = attributes.find(name);
  const auto* value =
      found == attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  if (value == nullptr) {
    throw NotCovered(fmt::format("{} lacks the word '{}'", to_text(*this), name));
  }
  return *value;
}

double PrimitiveAction::argument_or(std::string_view argument, double fallback) const {
  const auto found = arguments.find(argument);
  return found == arguments.end() ? fallback : found->second;
}

std::string to_text(const Primitive& primitive) {
  std::string list;
  for (const auto& [name, value] : primitive.attributes) {
    const auto* number = std::get_if<double>(&value);
    list += fmt::format(
        "{}{} {}", list.empty() ? "" : ", ", name,
        number != nullptr ? fmt::format("{:g}", *number) : shown(std::get<std::string>(value)));
  }
  return fmt::format("the component class '{}' ({})", shown(primitive.class_name), list);
}

}  // namespace vernier::energy
