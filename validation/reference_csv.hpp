// Reference numbers as CSV: notes that begin with '#', a header line, records by column name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/topology/source_text.hpp"

namespace vernier::validation {

class ReferenceCsv;

/// One line, by column names. Belongs to the table that it was read from.
class ReferenceRecord {
 public:
  ReferenceRecord(const ReferenceCsv& table, std::vector<frontends::topology::TextField> fields)
      : table_(&table), fields_(std::move(fields)) {}

  /// The text, whole number or number of a column; throws ConfigError when it is none.
  [[nodiscard]] const std::string& text(std::string_view column) const;
  [[nodiscard]] std::int64_t integer(std::string_view column) const;
  [[nodiscard]] double number(std::string_view column) const;
  [[nodiscard]] bool has(std::string_view column) const;

 private:
  [[noreturn]] void fail(std::string_view column) const;

  const ReferenceCsv* table_;
  std::vector<frontends::topology::TextField> fields_;
};

/// A whole file. Immovable, because its records know it.
class ReferenceCsv {
 public:
  /// Throws ConfigError for lines whose number of fields is not that of the header.
  ReferenceCsv(std::string_view text, std::string file);
  ReferenceCsv(ReferenceCsv&&) = delete;
  ReferenceCsv& operator=(ReferenceCsv&&) = delete;
  ~ReferenceCsv() = default;

  [[nodiscard]] const std::vector<ReferenceRecord>& records() const { return records_; }
  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::vector<std::string> header_;
  std::vector<ReferenceRecord> records_;
};

}  // namespace vernier::validation
