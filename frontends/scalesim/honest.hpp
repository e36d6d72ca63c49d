// The same reports from Vernier's engine instead of SCALE-Sim's model: true cycle counts with the
// first fill and the last drain, output sizes without overhanging windows, depthwise rows as one
// layer, one DRAM channel that all operands share, partial sums that are read back.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "arch/base/result.hpp"
#include "frontends/scalesim/config.hpp"
#include "frontends/scalesim/layer.hpp"
#include "frontends/scalesim/layer_report.hpp"
#include "frontends/scalesim/report_files.hpp"

namespace vernier::frontends::scalesim {

/// SCALE-Sim's columns with Vernier's figures, and what SCALE-Sim does not count. Words are bytes;
/// a partial sum has four of them. Start and stop of an SRAM are the first and last cycle in which
/// the array runs, those of a DRAM stream the first and last cycle in which the channel serves it.
struct HonestReport {
  LayerReport columns;
  std::int64_t psum_sram_words = 0;  ///< read and written
  std::int64_t psum_dram_words = 0;  ///< read and written
};

/// All layers, each by itself, with the heuristic mapping; equal for any number of jobs. In CALC
/// mode the channel is as fast as needed, in USER mode it has the file's `Bandwidth`. Infeasible
/// when a layer does not fit the SRAMs. Throws ModelError for a layer that is too large.
[[nodiscard]] Result<std::vector<HonestReport>> report_honestly(std::span<const Layer> layers,
                                                                const Config& config, int jobs);

/// The three files; every header begins with "vernier honest", the access report ends with two more
/// columns.
[[nodiscard]] ReportFiles format_honest_reports(std::span<const HonestReport> layers);

}  // namespace vernier::frontends::scalesim
