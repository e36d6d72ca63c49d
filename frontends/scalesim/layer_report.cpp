#include "frontends/scalesim/layer_report.hpp"

#include <algorithm>
#include <vector>

#include "arch/base/error.hpp"
#include "frontends/scalesim/estimated_reads.hpp"
#include "frontends/scalesim/fold_plan.hpp"
#include "frontends/scalesim/output_buffer.hpp"
#include "frontends/scalesim/prefetched_reads.hpp"
#include "frontends/scalesim/read_stream.hpp"

namespace vernier::frontends::scalesim {
namespace {

bool has_request(const ReadStream& stream, const DemandLine& demand) {
  for (std::int64_t lane = demand.first_lane; lane <= demand.last_lane; ++lane) {
    if (!stream.is_null(stream.element(demand, lane))) return true;
  }
  return false;
}

// First line with a request, from the front or from the back.
std::int64_t edge_line(const ReadStream& stream, bool from_back) {
  const FoldPlan& plan = stream.plan();
  for (std::int64_t fold = 0; fold < plan.folds(); ++fold) {
    const std::int64_t at = from_back ? plan.folds() - 1 - fold : fold;
    const std::int64_t column_fold = at / plan.row_folds;
    const std::int64_t row_fold = at % plan.row_folds;
    const std::int64_t lines = stream.demand_lines(column_fold, row_fold);
    for (std::int64_t index = 0; index < lines; ++index) {
      const DemandLine demand =
          stream.demand(column_fold, row_fold, from_back ? lines - 1 - index : index);
      if (has_request(stream, demand)) return demand.line;
    }
  }
  return 0;
}

// One read port: what it will ask for, then its place in time.
class ReadPort {
 public:
  ReadPort(const LayerShape& shape, const FoldPlan& plan, Operand operand, const Config& config)
      : config_(config),
        sram_words_(operand == Operand::kInput ? config.input_words : config.filter_words),
        bandwidth_(operand == Operand::kInput ? config.input_bandwidth : config.filter_bandwidth) {
    const ReadStream stream(shape, plan, operand);
    first_line_ = edge_line(stream, false);
    last_line_ = edge_line(stream, true);
    if (config.mode == BandwidthMode::kEstimated) {
      estimated_ = estimate_reads(stream, sram_words_);
    } else {
      prefetched_ = find_refills(stream, sram_words_, bandwidth_);
    }
    clock_ = RefillClock(prefetched_.refill_rows, config.compat);
  }

  /// The next line not before `line` at which something has to be done or noted.
  [[nodiscard]] std::int64_t next_line(std::int64_t line, std::int64_t none) const {
    std::int64_t next = none;
    const auto consider = [&](std::int64_t candidate) {
      if (candidate >= line) next = std::min(next, candidate);
    };
    consider(first_line_);
    consider(last_line_);
    if (estimated_.full_generations > 0) consider(estimated_.last_full_line);
    if (next_refill_ < prefetched_.refills.size()) {
      consider(prefetched_.refills[next_refill_].line);
    }
    return next;
  }

  /// Serves a line when `stalls` have been met before it; returns the port's stall.
  std::int64_t serve(std::int64_t line, std::int64_t stalls) {
    const std::int64_t cycle = line + stalls;
    std::int64_t stall = 0;
    if (next_refill_ < prefetched_.refills.size() &&
        prefetched_.refills[next_refill_].line == line) {
      stall = clock_.serve(cycle, prefetched_.refills[next_refill_].moves);
      ++next_refill_;
    }
    if (line == first_line_) {
      first_cycle_ = cycle;
      first_service_ = cycle + kReadHitLatency + stall;
    }
    if (line == last_line_) last_service_ = cycle + kReadHitLatency + stall;
    if (line == estimated_.last_full_line) last_full_cycle_ = cycle;
    return stall;
  }

  [[nodiscard]] PortReport report(std::int64_t sram_words) const {
    PortReport port;
    port.sram_start = first_service_;
    port.sram_stop = last_service_;
    port.sram_words = sram_words;
    if (config_.mode == BandwidthMode::kEstimated) {
      const DramSpan span = estimated_span(estimated_, sram_words_, first_cycle_, last_full_cycle_);
      port.dram_start = span.start;
      port.dram_stop = span.stop;
      port.dram_words = estimated_.misses;
      return port;
    }
    port.dram_start = -prefetched_.initial_rows;  // Quirk 8
    port.dram_stop = clock_.last();
    const std::int64_t rows = checked_add(prefetched_.initial_rows,
                                          checked_mul(prefetched_.refill_rows, prefetched_.moves));
    port.dram_words = checked_mul(bandwidth_, rows);  // Quirk 13
    return port;
  }

 private:
  Config config_;
  std::int64_t sram_words_;
  std::int64_t bandwidth_;
  EstimatedReads estimated_;
  PrefetchedReads prefetched_;
  RefillClock clock_{0, Compat::kV2};
  std::size_t next_refill_ = 0;
  std::int64_t first_line_ = 0;
  std::int64_t last_line_ = 0;
  std::int64_t first_cycle_ = 0;
  std::int64_t last_full_cycle_ = 0;
  std::int64_t first_service_ = 0;
  std::int64_t last_service_ = 0;
};

void fill_bandwidths(PortReport& port, std::int64_t total_cycles) {
  const auto words = static_cast<double>(port.sram_words);
  port.sram_bandwidth = words / static_cast<double>(total_cycles);
  port.dram_bandwidth = static_cast<double>(port.dram_words) /
                        static_cast<double>(port.dram_stop - port.dram_start + 1);
}

// Serves all lines in order; all ports see the same cycle, and the longest stall of a line delays
// the next ones. Returns the cycle at which the last line's output is accepted (quirk 4).
std::int64_t serve_lines(std::int64_t lines, ReadPort& input, ReadPort& filter,
                         OutputBuffer& output, std::int64_t& stalls) {
  std::int64_t line = 0;
  while (true) {
    const std::int64_t next =
        std::min(input.next_line(line, lines - 1), filter.next_line(line, lines - 1));
    output.advance(line, next, stalls);
    const std::int64_t output_stall = output.serve(next, stalls);
    const std::int64_t accepted = next + stalls + output_stall;
    const std::int64_t input_stall = input.serve(next, stalls);
    const std::int64_t filter_stall = filter.serve(next, stalls);
    stalls += std::max({input_stall, filter_stall, output_stall});
    if (next == lines - 1) return accepted;
    line = next + 1;
  }
}

}  // namespace

LayerReport report_layer(const LayerShape& shape, const Config& config) {
  const FoldPlan plan = plan_folds(shape, config);
  if (plan.lines() < 2) {
    throw ModelError("takes one line, which SCALE-Sim counts as zero cycles and divides by");
  }
  ReadPort input(shape, plan, Operand::kInput, config);
  ReadPort filter(shape, plan, Operand::kFilter, config);
  const bool is_given = config.mode == BandwidthMode::kGiven;
  OutputBuffer output(plan, config.output_words,
                      is_given ? config.output_bandwidth : config.columns);
  LayerReport report;
  report.total_cycles = serve_lines(plan.lines(), input, filter, output, report.stall_cycles);
  output.finish(report.total_cycles);
  report.overall_utilisation = overall_utilisation(plan, report.total_cycles);
  report.mapping_efficiency = mapping_efficiency(plan);
  report.compute_utilisation = compute_utilisation(plan);
  const SramWords words = sram_words(plan);
  report.input = input.report(words.input_reads);
  report.filter = filter.report(words.filter_reads);
  report.output = {
      .sram_start = output.first_write(),
      .sram_stop = output.last_write(),
      .sram_words = words.output_writes,
      .dram_start = output.dram_start(),
      .dram_stop = config.compat == Compat::kV2 ? output.last_drain_stop() : output.latest_stop(),
      .dram_words = output.dram_writes()};
  for (PortReport* port : {&report.input, &report.filter, &report.output}) {
    fill_bandwidths(*port, report.total_cycles);
  }
  report.total_cycles_with_prefetch =
      report.output.dram_stop - std::min(report.input.dram_start, report.filter.dram_start);
  return report;
}

}  // namespace vernier::frontends::scalesim
