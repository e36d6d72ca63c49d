// The OFMAP buffer: words go into rows, and a batch of rows leaves for the DRAM when the buffer is
// more than half full. The same in both bandwidth modes; only the row width differs. Equal lines
// are taken many at a time.
#pragma once

#include <cstdint>
#include <deque>

#include "frontends/scalesim/fold_plan.hpp"

namespace vernier::frontends::scalesim {

class OutputBuffer {
 public:
  OutputBuffer(const FoldPlan& plan, std::int64_t total_words, std::int64_t row_words);

  /// Serves the lines [begin, end); `stalls` are the stalls so far and grow by those met.
  void advance(std::int64_t begin, std::int64_t end, std::int64_t& stalls);
  /// Serves one line at `stalls` and returns its stall without adding it.
  std::int64_t serve(std::int64_t line, std::int64_t stalls);
  /// Drains what is left, from the service cycle of the last line on.
  void finish(std::int64_t cycle);

  /// Service cycles of the first and last line that wrote something; of the last line at all.
  [[nodiscard]] std::int64_t first_write() const { return first_write_; }
  [[nodiscard]] std::int64_t last_write() const { return last_write_; }
  [[nodiscard]] std::int64_t dram_start() const { return dram_start_; }
  /// End of the drain that came last, and the latest end of any drain (quirk 16).
  [[nodiscard]] std::int64_t last_drain_stop() const { return last_drain_stop_; }
  [[nodiscard]] std::int64_t latest_stop() const { return latest_stop_; }
  [[nodiscard]] std::int64_t dram_writes() const { return dram_writes_; }

 private:
  struct Rows {
    std::int64_t words = 0;
    std::int64_t count = 0;
  };

  /// Lines of a fold that write the same number of words, from `line` (within the fold) on.
  struct Run {
    std::int64_t lines = 0;
    std::int64_t words = 0;
  };
  [[nodiscard]] Run run_at(std::int64_t fold, std::int64_t line) const;

  void write_lines(std::int64_t line, const Run& run, std::int64_t& stalls);
  std::int64_t write(std::int64_t cycle, std::int64_t words);
  void put(std::int64_t words);
  void close_open_row();
  void drain(std::int64_t cycle);
  void note_write(std::int64_t cycle);

  FoldPlan plan_;
  std::int64_t row_words_;
  std::int64_t drain_rows_;
  std::int64_t drain_below_;  ///< a drain begins when fewer words are free
  std::int64_t free_;
  std::int64_t open_words_ = 0;
  std::deque<Rows> closed_;
  std::int64_t drain_end_ = 0;
  bool has_written_ = false;
  bool has_drained_ = false;
  std::int64_t first_write_ = 0;
  std::int64_t last_write_ = 0;
  std::int64_t dram_start_ = 0;
  std::int64_t last_drain_stop_ = 0;
  std::int64_t latest_stop_ = 0;
  std::int64_t dram_writes_ = 0;
};

}  // namespace vernier::frontends::scalesim
