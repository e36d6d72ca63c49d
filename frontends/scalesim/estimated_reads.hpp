// CALC mode: what a read port fetches from DRAM when its bandwidth is to be estimated. The active
// part of the SRAM is a store that is flushed when full (quirk 10): a word that is not in it is a
// miss, and each full store (a generation) is fetched as a unit while the one before is used.
#pragma once

#include <cstdint>

#include "frontends/scalesim/read_stream.hpp"

namespace vernier::frontends::scalesim {

struct EstimatedReads {
  std::int64_t misses = 0;
  std::int64_t full_generations = 0;
  std::int64_t last_full_line = 0;  ///< line of the request that completed the last full one
};

/// Capacity of one generation of an SRAM of `sram_words`.
[[nodiscard]] std::int64_t generation_words(std::int64_t sram_words);

/// Counts generations in closed form where all words differ, otherwise word by word.
[[nodiscard]] EstimatedReads estimate_reads(const ReadStream& stream, std::int64_t sram_words);

/// DRAM cycles of the port: `first_cycle` is that of its first request, `last_full_cycle` that of
/// the request that completed the last full generation.
struct DramSpan {
  std::int64_t start = 0;
  std::int64_t stop = 0;
};
[[nodiscard]] DramSpan estimated_span(const EstimatedReads& reads, std::int64_t sram_words,
                                      std::int64_t first_cycle, std::int64_t last_full_cycle);

}  // namespace vernier::frontends::scalesim
