// A primitive component in Accelergy's words: a class ("intadder", "SRAM"), its attributes and
// the arguments of an action. Compound components (energy/compound) are composed of these, and the
// energy tables answer for the classes they know.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vernier::energy {

/// Value of an attribute: a number or a word ("LPDDR4").
using AttributeValue = std::variant<double, std::string>;
using Attributes = std::map<std::string, AttributeValue, std::less<>>;
/// Arguments of an action, for example address_delta.
using Arguments = std::map<std::string, double, std::less<>>;

/// A component class with its attributes.
struct Primitive {
  std::string class_name;
  Attributes attributes;

  /// A number from 0 to 1e9 that must be there; throws NotCovered that names the class.
  [[nodiscard]] double number(std::string_view name) const;
  /// The same with a value for its absence.
  [[nodiscard]] double number_or(std::string_view name, double fallback) const;
  /// A word that must be there; throws NotCovered.
  [[nodiscard]] std::string word(std::string_view name) const;
};

/// An action of a primitive.
struct PrimitiveAction {
  std::string name;
  Arguments arguments;

  /// The argument, or `fallback` when it is not given.
  [[nodiscard]] double argument_or(std::string_view argument, double fallback) const;
};

/// "intmac (multiplier_width 8, adder_width 16)", for messages.
[[nodiscard]] std::string to_text(const Primitive& primitive);

}  // namespace vernier::energy
