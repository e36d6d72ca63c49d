#include "arch/base/error.hpp"

#include <fmt/format.h>

namespace vernier {

std::string SourcePlace::text() const {
  if (line <= 0) return file;
  return fmt::format("{}:{}", file, line);
}

std::string join_lines(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, "\n"));
}

ConfigError::ConfigError(const std::vector<std::string>& problems)
    : UserError(join_lines(problems)) {}

ModelError::ModelError(const std::vector<std::string>& problems)
    : UserError(join_lines(problems)) {}

ArithmeticOverflow::ArithmeticOverflow(std::string_view operation, std::int64_t left,
                                       std::int64_t right)
    : UserError(fmt::format("the {} of {} and {} does not fit in 64 bits; the input is too large",
                            operation, left, right)) {}

InternalError::InternalError(std::string_view condition, std::string_view expectation,
                             const std::source_location& where)
    : std::logic_error(fmt::format("{}:{}: expected {} ({})", where.file_name(), where.line(),
                                   expectation, condition)) {}

void fail_assertion(std::string_view condition, std::string_view expectation,
                    const std::source_location& where) {
  throw InternalError(condition, expectation, where);
}

}  // namespace vernier
