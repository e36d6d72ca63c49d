#include "validation/reference_csv.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"

namespace vernier::validation {

namespace topology = frontends::topology;

ReferenceCsv::ReferenceCsv(std::string_view text, std::string file) : file_(std::move(file)) {
  int number = 0;
  for (const std::string& line : topology::split_lines(text)) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    std::vector<topology::TextField> fields = topology::split_fields(line, number, ',');
    if (header_.empty()) {
      for (const topology::TextField& field : fields) header_.push_back(field.text);
      continue;
    }
    if (fields.size() != header_.size()) {
      throw ConfigError(fmt::format("{}:{}: found {} fields, the header has {}", file_, number,
                                    fields.size(), header_.size()));
    }
    records_.emplace_back(*this, std::move(fields));
  }
}

bool ReferenceRecord::has(std::string_view column) const {
  const std::vector<std::string>& header = table_->header();
  return std::find(header.begin(), header.end(), column) != header.end() && !text(column).empty();
}

const std::string& ReferenceRecord::text(std::string_view column) const {
  const std::vector<std::string>& header = table_->header();
  const auto found = std::find(header.begin(), header.end(), column);
  if (found == header.end()) {
    throw ConfigError(fmt::format("{}: has no column '{}'", table_->file(), column));
  }
  return fields_[static_cast<std::size_t>(found - header.begin())].text;
}

std::int64_t ReferenceRecord::integer(std::string_view column) const {
  const std::optional<std::int64_t> value = topology::parse_integer(text(column));
  if (!value) fail(column);
  return *value;
}

double ReferenceRecord::number(std::string_view column) const {
  const std::string& found = text(column);
  double value = 0;
  const auto [end, error] = std::from_chars(found.data(), found.data() + found.size(), value);
  if (error != std::errc{} || end != found.data() + found.size()) fail(column);
  return value;
}

void ReferenceRecord::fail(std::string_view column) const {
  throw ConfigError(fmt::format("{}:{}: column '{}': found '{}', a number is needed",
                                table_->file(), fields_.front().line, column, shown(text(column))));
}

}  // namespace vernier::validation
