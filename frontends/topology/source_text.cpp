#include "frontends/topology/source_text.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "arch/base/yaml.hpp"

namespace vernier::frontends::topology {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";
constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kLargestFile = std::size_t{16} << 20U;

}  // namespace

void Problems::add(const TextField& where, const std::string& sentence) {
  add(where.line, where.column, sentence);
}

void Problems::add(int line, int column, const std::string& sentence) {
  problems_.push_back(fmt::format("{}:{}:{}: {}", file_, line, column, sentence));
}

void Problems::add(const std::string& sentence) {
  problems_.push_back(fmt::format("{}: {}", file_, sentence));
}

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  std::vector<std::string> listed(
      problems_.begin(),
      problems_.begin() + static_cast<std::ptrdiff_t>(std::min(problems_.size(), kMostProblems)));
  if (problems_.size() > kMostProblems) {
    listed.push_back(fmt::format("{}: {} more problems", file_, problems_.size() - kMostProblems));
  }
  throw ConfigError(listed);
}

std::vector<std::string> split_lines(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of("\r\n");
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
  }
  return lines;
}

std::vector<TextField> split_fields(std::string_view line, int number, char separator) {
  std::vector<TextField> fields;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(line.find(separator, begin), line.size());
    const std::string_view piece = line.substr(begin, end - begin);
    const std::size_t blanks = std::min(piece.find_first_not_of(kBlanks), piece.size());
    const std::size_t column = begin + (blanks == piece.size() ? 0 : blanks) + 1;
    fields.push_back({std::string(trimmed(piece)), number, static_cast<int>(column)});
    if (end == line.size()) return fields;
    begin = end + 1;
  }
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return result;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string read_text_file(const std::string& path) {
  return vernier::read_text_file(path, kLargestFile);
}

}  // namespace vernier::frontends::topology
