// Text matters of messages (nearest valid name, lists of allowed names) and of CSV.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

/// The candidate with the smallest edit distance to `found`, or an empty string when none is near
/// enough (more than a third of the letters differ) to be a likely slip.
[[nodiscard]] std::string nearest_name(std::string_view found,
                                       std::span<const std::string> candidates);

/// "; did you mean 'x'?" for a near candidate, else an empty string.
[[nodiscard]] std::string suggestion(std::string_view found,
                                     std::span<const std::string> candidates);

/// "a, b, c" for messages; long lists are cut after `most` entries with "... (12 more)".
[[nodiscard]] std::string name_list(std::span<const std::string> names, std::size_t most = 12);

/// A piece of the user's text that is safe to show: cut to `most` letters, unprintable ones as '?'.
[[nodiscard]] std::string shown(std::string_view text, std::size_t most = 60);

/// A field of CSV: in quotes where commas, quotes or line ends need them (RFC 4180).
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace vernier
