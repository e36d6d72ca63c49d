// Numbers as a person reads them in the tables of all text reports.
#pragma once

#include <cstdint>
#include <string>

#include "arch/base/units.hpp"

namespace vernier::frontends {

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t value);
/// With three decimals in pJ, nJ, uJ or mJ.
[[nodiscard]] std::string energy_text(Picojoules energy);
/// Bytes, in B, KiB or MiB.
[[nodiscard]] std::string bytes_text(Bits bits);
/// Percent of the whole; 0 of nothing.
[[nodiscard]] double share(std::int64_t part, std::int64_t whole);

}  // namespace vernier::frontends
