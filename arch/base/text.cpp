#include "arch/base/text.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace vernier {
namespace {

bool same_letter(char left, char right) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  };
  return lower(left) == lower(right);
}

// Letters that differ in case alone count as equal: the usual slip in units and keys.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t at_left = 0; at_left < left.size(); ++at_left) {
    std::size_t diagonal = row[0];
    row[0] = at_left + 1;
    for (std::size_t at_right = 0; at_right < right.size(); ++at_right) {
      const std::size_t replace = diagonal + (same_letter(left[at_left], right[at_right]) ? 0 : 1);
      diagonal = row[at_right + 1];
      row[at_right + 1] = std::min({row[at_right] + 1, diagonal + 1, replace});
    }
  }
  return row.back();
}

constexpr std::size_t kLongestName = 80;

}  // namespace

std::string nearest_name(std::string_view found, std::span<const std::string> candidates) {
  if (found.empty() || found.size() > kLongestName) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, (found.size() + 1) / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const std::size_t distance = edit_distance(found, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view found, std::span<const std::string> candidates) {
  const std::string near = nearest_name(found, candidates);
  return near.empty() ? std::string{} : fmt::format("; did you mean '{}'?", near);
}

std::string name_list(std::span<const std::string> names, std::size_t most) {
  if (names.size() <= most) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{}, ... ({} more)", fmt::join(names.first(most), ", "), names.size() - most);
}

std::string shown(std::string_view text, std::size_t most) {
  std::string result;
  for (const char letter : text.substr(0, most)) {
    const auto code = static_cast<unsigned char>(letter);
    result += (code >= 0x20 && code < 0x7f) ? letter : '?';
  }
  if (text.size() > most) result += "...";
  return result;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + "\"";
}

}  // namespace vernier
