// Lines and fields of a small text file with their places, and the list of what is wrong with them.
// The readers of SCALE-Sim's files work on it, so that every message has file, line and column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arch/base/error.hpp"

namespace vernier::frontends::topology {

/// A piece of a line without blanks around it. Line and column count from 1.
struct TextField {
  std::string text;
  int line = 0;
  int column = 0;
};

/// Collects what is wrong with one file; all of it is reported together.
class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  /// "file:line:column: sentence".
  void add(const TextField& where, const std::string& sentence);
  void add(int line, int column, const std::string& sentence);
  /// "file: sentence", for what has no place.
  void add(const std::string& sentence);

  [[nodiscard]] bool empty() const { return problems_.empty(); }
  /// Throws ConfigError with all problems when there are any.
  void throw_if_any() const;

 private:
  std::string file_;
  std::vector<std::string> problems_;
};

/// Splits at line breaks (LF, CRLF or CR); a byte order mark at the start is dropped.
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);

/// Splits one line at a separator and trims every piece; n separators give n + 1 fields.
[[nodiscard]] std::vector<TextField> split_fields(std::string_view line, int number,
                                                  char separator);

/// The part of `text` without blanks at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// `text` in lower case, ASCII letters only.
[[nodiscard]] std::string lower_case(std::string_view text);

/// A decimal integer with nothing else around it; "12.0" is not one.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);

/// The contents of a file; throws ConfigError when it cannot be read or is larger than 16 MiB.
[[nodiscard]] std::string read_text_file(const std::string& path);

}  // namespace vernier::frontends::topology
