#include "frontends/topology/topology_rows.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::frontends::topology {
namespace {

constexpr std::int64_t kLargestDimension = 1 << 24;
constexpr std::size_t kLongestName = 256;

constexpr auto kConvolutionColumns =
    std::to_array<std::string_view>({"IFMAP height", "IFMAP width", "filter height", "filter width",
                                     "channels", "filters", "stride", "stride width"});
constexpr auto kGemmColumns = std::to_array<std::string_view>({"M", "N", "K"});
constexpr std::size_t kStrideWidthColumn = 7;

using Numbers = std::array<std::int64_t, kConvolutionColumns.size()>;

class RowReader {
 public:
  RowReader(TopologyKind kind, TrailingColumn trailing, Problems& problems)
      : problems_(problems), kind_(kind), trailing_(trailing) {}

  std::vector<TopologyRow> read(std::string_view text) {
    const std::vector<std::string> lines = split_lines(text);
    bool has_header = false;
    for (std::size_t index = 0; index < lines.size(); ++index) {
      const std::string_view content = trimmed(lines[index]);
      if (content.find_first_not_of(", \t") == std::string_view::npos) continue;
      std::vector<TextField> fields = split_fields(lines[index], static_cast<int>(index) + 1, ',');
      if (has_header) {
        if (!read_row(fields)) break;
      } else {
        check_header(fields);
        has_header = true;
      }
    }
    if (!has_header) problems_.add("is empty; a header line and one line per layer are needed");
    if (has_header && rows_.empty() && problems_.empty()) {
      problems_.add("has a header line and no layer below it");
    }
    return std::move(rows_);
  }

 private:
  [[nodiscard]] std::size_t required_columns() const {
    return kind_ == TopologyKind::kGemm ? kGemmColumns.size() : kStrideWidthColumn;
  }

  [[nodiscard]] std::string_view column_name(std::size_t index) const {
    return kind_ == TopologyKind::kGemm ? kGemmColumns.at(index) : kConvolutionColumns.at(index);
  }

  // SCALE-Sim drops the first line unread; a layer that stands there would vanish silently.
  void check_header(const std::vector<TextField>& fields) {
    const auto is_number = [](const TextField& field) { return parse_integer(field.text); };
    const bool looks_like_layer =
        fields.size() > required_columns() &&
        std::all_of(fields.begin() + 1,
                    fields.begin() + 1 + static_cast<std::ptrdiff_t>(required_columns()),
                    is_number);
    if (looks_like_layer) {
      problems_.add(fields.front(),
                    fmt::format("the first line is a header, found the layer '{}'; put a header "
                                "line above it",
                                shown(fields.front().text)));
    }
  }

  // False when there are too many rows to go on.
  bool read_row(std::vector<TextField>& fields) {
    const TextField name = fields.front();
    while (fields.size() > 1 && fields.back().text.empty()) fields.pop_back();
    if (name.text.empty()) problems_.add(name, "a layer needs a name in the first column");
    if (name.text.size() > kLongestName) {
      problems_.add(name, fmt::format("found a name of {} letters, allowed are {}",
                                      name.text.size(), kLongestName));
    }
    const std::size_t found = fields.size() - 1;
    if (found < required_columns()) {
      problems_.add(fields.back(),
                    fmt::format("layer '{}': found {} numbers, {} are needed; '{}' is missing",
                                shown(name.text), found, required_columns(), column_name(found)));
      return true;
    }
    Numbers numbers{};
    bool good = true;
    for (std::size_t index = 0; index < required_columns(); ++index) {
      const std::optional<std::int64_t> number =
          dimension(fields[index + 1], name, column_name(index));
      good = good && number.has_value();
      numbers.at(index) = number.value_or(1);
    }
    if (kind_ == TopologyKind::kConvolution) {
      const std::optional<std::int64_t> stride = stride_width(fields, numbers.at(6));
      good = good && stride.has_value();
      numbers.at(kStrideWidthColumn) = stride.value_or(1);
    } else if (found > required_columns()) {
      good = accepts_ratio(fields, required_columns() + 1) && good;
    }
    if (!good || name.text.size() > kLongestName) return true;
    if (rows_.size() == kMostRows) {
      problems_.add(name, fmt::format("more than {} layers", kMostRows));
      return false;
    }
    keep(name, numbers);
    return true;
  }

  std::optional<std::int64_t> dimension(const TextField& field, const TextField& layer,
                                        std::string_view column) {
    const std::optional<std::int64_t> number = parse_integer(field.text);
    if (number && *number >= 1 && *number <= kLargestDimension) return number;
    problems_.add(field,
                  fmt::format("layer '{}', {}: found '{}', allowed is a whole number from "
                              "1 to {}",
                              shown(layer.text), column, shown(field.text), kLargestDimension));
    return std::nullopt;
  }

  // Columns behind the stride: v2 has a second stride, v3 a sparsity ratio N:M.
  std::optional<std::int64_t> stride_width(const std::vector<TextField>& fields,
                                           std::int64_t stride_height) {
    constexpr std::size_t kField = kStrideWidthColumn + 1;
    if (fields.size() <= kField) return stride_height;
    const TextField& field = fields[kField];
    const bool is_ratio = field.text.find(':') != std::string::npos;
    if (is_ratio) {
      return accepts_ratio(fields, kField) ? std::optional(stride_height) : std::nullopt;
    }
    if (trailing_ == TrailingColumn::kDenseRatio) {
      problems_.add(field, fmt::format("layer '{}': found '{}' behind the stride, where v3 wants "
                                       "nothing or a sparsity ratio N:M; --compat v2 reads a "
                                       "stride of its own for the width",
                                       shown(fields.front().text), shown(field.text)));
      return std::nullopt;
    }
    const std::optional<std::int64_t> stride = dimension(field, fields.front(), "stride width");
    if (!stride || !has_end(fields, kField + 1)) return std::nullopt;
    return stride;
  }

  // A ratio is dense when both sides are equal; anything else would need the sparse model.
  bool accepts_ratio(const std::vector<TextField>& fields, std::size_t index) {
    const TextField& field = fields[index];
    const std::size_t colon = std::min(field.text.find(':'), field.text.size());
    const std::string_view text = field.text;
    const std::optional<std::int64_t> kept = parse_integer(trimmed(text.substr(0, colon)));
    const std::optional<std::int64_t> all =
        parse_integer(colon == text.size() ? text : trimmed(text.substr(colon + 1)));
    const bool ratio_allowed = trailing_ != TrailingColumn::kStrideWidth;
    if (ratio_allowed && colon < text.size() && kept && all && *kept == *all) {
      return has_end(fields, index + 1);
    }
    problems_.add(field, fmt::format("layer '{}': found '{}' behind the last column, allowed is "
                                     "nothing{}",
                                     shown(fields.front().text), shown(field.text),
                                     ratio_allowed ? " or a dense ratio such as 1:1" : ""));
    return false;
  }

  bool has_end(const std::vector<TextField>& fields, std::size_t end) {
    if (fields.size() <= end) return true;
    problems_.add(fields[end], fmt::format("layer '{}': found '{}' behind the last column, "
                                           "allowed is nothing",
                                           shown(fields.front().text), shown(fields[end].text)));
    return false;
  }

  void keep(const TextField& name, const Numbers& numbers) {
    TopologyRow row;
    row.name = name;
    if (kind_ == TopologyKind::kGemm) {
      row.m = numbers[0];
      row.n = numbers[1];
      row.k = numbers[2];
    } else {
      row.input_height = numbers[0];
      row.input_width = numbers[1];
      row.filter_height = numbers[2];
      row.filter_width = numbers[3];
      row.channels = numbers[4];
      row.filters = numbers[5];
      row.stride_height = numbers[6];
      row.stride_width = numbers[7];
    }
    rows_.push_back(std::move(row));
  }

  Problems& problems_;
  TopologyKind kind_;
  TrailingColumn trailing_;
  std::vector<TopologyRow> rows_;
};

}  // namespace

std::vector<TopologyRow> read_rows(std::string_view text, TopologyKind kind,
                                   TrailingColumn trailing, Problems& problems) {
  return RowReader(kind, trailing, problems).read(text);
}

}  // namespace vernier::frontends::topology
