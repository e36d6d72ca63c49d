// The clocked array where folds of a tile overlap (`fold_overlap: preload | full`), and that of
// dot_columns, whose PEs have weight banks of their own. Its sequencer starts a fold when the
// registers that it needs are free; no closed form is used (design 5.1).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "arch/systemc/array_engine.hpp"

namespace vernier::arch {

/// What one fold asks of the ports in its busiest line.
struct PortDemand {
  std::int64_t used_rows = 0;
  std::int64_t used_columns = 0;
  std::int64_t output_cycles = 1;  ///< dot_columns: from one sum of a column to the next
  std::int64_t sums_per_line = 1;  ///< of a column
  bool reads_sums = false;
  bool finishes = false;
};

/// Cycles that the ports need for the busiest line of an interval in which the streams of some
/// folds and the preloads of others are at work, served cycle by cycle. The first preload of a tile
/// is over before any stream begins.
[[nodiscard]] LineTime serve_interval(const ArrayTask& task, const std::vector<PortDemand>& streams,
                                      const std::vector<PortDemand>& preloads,
                                      const PortDemand& first_preload);

/// See make_array_engine.
[[nodiscard]] std::unique_ptr<ArrayEngine> make_overlap_engine(const ArrayTask& task,
                                                               const ArrayFaults& faults);

}  // namespace vernier::arch
