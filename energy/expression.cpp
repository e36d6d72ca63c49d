#include "energy/expression.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"

namespace vernier::energy {
namespace {

bool is_letter(char letter) {
  return std::isalpha(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}
bool is_digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

// Recursive descent over one text; the depth is bounded because the text comes from a file.
class Parser {
 public:
  Parser(std::string_view text, const Attributes& scope) : text_(text), scope_(scope) {}

  double run() {
    const double value = sum();
    skip_blanks();
    if (at_ != text_.size()) fail(fmt::format("'{}' is left over", shown(text_.substr(at_))));
    if (!std::isfinite(value)) fail("the value is not finite");
    return value;
  }

 private:
  static constexpr int kDeepest = 50;

  [[noreturn]] void fail(const std::string& reason) const {
    throw ConfigError(fmt::format("the expression '{}': {}", shown(text_), reason));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  bool take(std::string_view symbol) {
    skip_blanks();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    at_ += symbol.size();
    return true;
  }
  double sum() {
    if (++depth_ > kDeepest) fail("nested too deeply");
    double value = product();
    for (;;) {
      if (take("+")) {
        value += product();
      } else if (take("-")) {
        value -= product();
      } else {
        --depth_;
        return value;
      }
    }
  }
  double product() {
    double value = signed_power();
    for (;;) {
      skip_blanks();
      if (text_.substr(at_, 2) == "**") return value;
      if (take("//")) {
        value = std::floor(value / divisor());
      } else if (take("*")) {
        value *= signed_power();
      } else if (take("/")) {
        value /= divisor();
      } else if (take("%")) {
        const double by = divisor();
        value -= std::floor(value / by) * by;
      } else {
        return value;
      }
    }
  }
  double divisor() {
    const double value = signed_power();
    if (value == 0.0) fail("a division by 0");
    return value;
  }
  double signed_power() {
    if (++depth_ > kDeepest) fail("nested too deeply");
    double value = 0.0;
    if (take("-")) {
      value = -signed_power();
    } else {
      value = atom();
      if (take("**")) value = std::pow(value, signed_power());
    }
    --depth_;
    return value;
  }
  double atom() {
    skip_blanks();
    if (at_ == text_.size()) fail("it ends too early");
    if (take("(")) {
      const double value = sum();
      if (!take(")")) fail("a ')' is missing");
      return value;
    }
    if (is_letter(text_[at_])) return name();
    double value = 0.0;
    const auto [end, status] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (status != std::errc{}) fail(fmt::format("'{}' is no number", shown(text_.substr(at_))));
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  double name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const std::string word(text_.substr(begin, at_ - begin));
    if (take("(")) return call(word);
    const auto found = scope_.find(word);
    if (found == scope_.end()) {
      std::vector<std::string> names;
      names.reserve(scope_.size());
      for (const auto& [key, value] : scope_) names.push_back(key);
      fail(fmt::format("there is no attribute '{}'; there are {}{}", shown(word), name_list(names),
                       suggestion(word, names)));
    }
    const auto* number = std::get_if<double>(&found->second);
    if (number == nullptr) fail(fmt::format("the attribute '{}' is no number", shown(word)));
    return *number;
  }
  double call(const std::string& function) {
    std::vector<double> values;
    do {
      values.push_back(sum());
    } while (take(","));
    if (!take(")")) fail("a ')' is missing");
    if (values.size() == 1) {
      const double x = values[0];
      if (function == "ceil") return std::ceil(x);
      if (function == "floor" || function == "int") return std::floor(x);
      if (function == "round") return std::round(x);
      if (function == "sqrt") return std::sqrt(x);
      if (function == "log2") return std::log2(x);
      if (function == "log") return std::log(x);
      if (function == "abs") return std::abs(x);
    }
    if (function == "min") return *std::min_element(values.begin(), values.end());
    if (function == "max") return *std::max_element(values.begin(), values.end());
    if (function == "pow" && values.size() == 2) return std::pow(values[0], values[1]);
    fail(
        fmt::format("there is no function '{}' of {} value(s); allowed are ceil, floor, round, "
                    "int, sqrt, log2, log, abs, min, max, pow",
                    shown(function), values.size()));
  }

  std::string_view text_;
  const Attributes& scope_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

// A word such as "45nm", "LPDDR4" or "itrs-hp" is no arithmetic; "2*width" and "f(x)" are.
bool is_arithmetic(std::string_view text) {
  if (text.empty()) return false;
  double number = 0.0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status == std::errc{}) {
    std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    return rest.empty() || std::string_view("+-*/%").find(rest.front()) != std::string_view::npos;
  }
  return text.find_first_of("()*/+%") != std::string_view::npos || text.front() == '-';
}

}  // namespace

AttributeValue evaluate_attribute(std::string_view text, const Attributes& scope) {
  const auto found = scope.find(text);
  if (found != scope.end()) return found->second;
  if (!is_arithmetic(text)) return std::string(text);
  return Parser(text, scope).run();
}

double evaluate_number(std::string_view text, const Attributes& scope) {
  const AttributeValue value = evaluate_attribute(text, scope);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return Parser(text, scope).run();  // a word: the parser says which attribute is missing
}

}  // namespace vernier::energy
