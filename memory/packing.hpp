// How b-bit elements lie in words and rows (design 5.2, 5.6). A row is a contiguous run of
// elements (the channels of one pixel, the weights of one output channel) and starts on a word.
#pragma once

#include "arch/base/bitwidth.hpp"
#include "arch/base/units.hpp"

namespace vernier::memory {

/// Words that a contiguous run of elements touches: ceil(run * bits / word).
[[nodiscard]] inline std::int64_t words_of_run(std::int64_t elements, Bitwidth bits, Bits word) {
  return ceil_div(elements * bits.bits(), word.count());
}

/// Bits of a block of rows: rows * round_up(row elements * bits, word).
[[nodiscard]] inline Bits packed_bits(std::int64_t rows, std::int64_t row_elements, Bitwidth bits,
                                      Bits word) {
  return word * checked_mul(rows, words_of_run(row_elements, bits, word));
}

}  // namespace vernier::memory
