// The errors of Vernier. Wrong input of the user is a ConfigError or ModelError and is shown
// without a stack trace; a legal but impossible request is a value (result.hpp); a broken
// expectation of our own is VERNIER_ASSERT. Library code throws, only the command line exits.
#pragma once

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

/// Where in the user's input something stands. Line and column count from 1; 0 means unknown.
struct SourcePlace {
  std::string file;
  int line = 0;
  int column = 0;

  /// "file:line" or "file" when the line is unknown.
  [[nodiscard]] std::string text() const;
};

/// The user's input is wrong. `what()` holds all problems of the file, one per line.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A configuration file, option or unit text is wrong.
class ConfigError final : public UserError {
 public:
  using UserError::UserError;
  /// Joins several messages, one per line.
  explicit ConfigError(const std::vector<std::string>& problems);
};

/// A network, its shapes or its bits are wrong, or do not fit the machine's legal widths.
class ModelError final : public UserError {
 public:
  using UserError::UserError;
  /// Joins several messages, one per line.
  explicit ModelError(const std::vector<std::string>& problems);
};

/// A count does not fit in 64 bits: the input is absurdly large.
class ArithmeticOverflow final : public UserError {
 public:
  ArithmeticOverflow(std::string_view operation, std::int64_t left, std::int64_t right);
};

/// A broken expectation of Vernier itself; `what()` names file and line of the check.
class InternalError final : public std::logic_error {
 public:
  InternalError(std::string_view condition, std::string_view expectation,
                const std::source_location& where);
};

/// Joins messages with line breaks.
[[nodiscard]] std::string join_lines(const std::vector<std::string>& lines);

[[noreturn]] void fail_assertion(
    std::string_view condition, std::string_view expectation,
    const std::source_location& where = std::source_location::current());

}  // namespace vernier

/// Checks an expectation of our own code, in every build type; throws InternalError.
#define VERNIER_ASSERT(condition, expectation)                              \
  do {                                                                      \
    if (!(condition)) ::vernier::fail_assertion(#condition, (expectation)); \
  } while (false)
