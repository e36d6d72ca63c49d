// USER mode: a read port in front of an SRAM that is filled in one fixed circular order (quirk 12).
// The order is cut into sets; a circular window of sets is on chip, and a word outside it makes the
// window move on until it is there. Which line moves the window how often depends on the demands
// alone, never on time, so it is found first (find_refills) and priced afterwards (RefillClock).
#pragma once

#include <cstdint>
#include <vector>

#include "frontends/scalesim/quirks.hpp"
#include "frontends/scalesim/read_stream.hpp"

namespace vernier::frontends::scalesim {

/// The window moves `moves` times while `line` is served.
struct Refill {
  std::int64_t line = 0;
  std::int64_t moves = 0;
};

struct PrefetchedReads {
  std::vector<Refill> refills;  ///< in the order of lines
  std::int64_t moves = 0;
  std::int64_t initial_rows = 0;  ///< DRAM rows of the first fill
  std::int64_t refill_rows = 0;   ///< DRAM rows of one move
};

/// `bandwidth` is the words of a DRAM row and those fetched per cycle.
[[nodiscard]] PrefetchedReads find_refills(const ReadStream& stream, std::int64_t sram_words,
                                           std::int64_t bandwidth);

/// The DRAM side of one port in time: refills queue on a serial timeline.
class RefillClock {
 public:
  RefillClock(std::int64_t refill_rows, Compat compat)
      : cycles_per_move_(refill_rows + 1), compat_(compat) {}

  /// Stall of the port when the line at `cycle` moves the window; below zero only for v3.
  std::int64_t serve(std::int64_t cycle, std::int64_t moves);
  /// Cycle at which the last refill ends.
  [[nodiscard]] std::int64_t last() const { return last_; }

 private:
  std::int64_t cycles_per_move_;
  Compat compat_;
  std::int64_t last_ = -1;
};

}  // namespace vernier::frontends::scalesim
