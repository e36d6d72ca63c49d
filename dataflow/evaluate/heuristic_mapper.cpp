#include "dataflow/evaluate/heuristic_mapper.hpp"

#include <optional>
#include <utility>

#include "dataflow/mapping/shortlist.hpp"

namespace vernier::dataflow {
namespace {

// Estimates of the best candidates differ from the recurrences by a few percent, seldom by more:
// candidates are timed until the best time is as close as this to the next estimate.
constexpr double kClose = 1.02;
constexpr std::size_t kShortlisted = 24;

// Smaller is better.
using Speed = std::pair<std::int64_t, std::int64_t>;

Speed speed_of(const PreparedTask& compiled, const Accelerator& machine) {
  const TaskTiming timing = time_task(compiled.schedule, compiled.tiles, {}, machine);
  const ChannelTraffic& traffic = timing.traffic;
  return {timing.cycles.total().count(), traffic.input_bits[0] + traffic.input_bits[1] +
                                             traffic.weight_bits + traffic.reload_bits +
                                             traffic.spill_bits + traffic.store_bits};
}

// Compiled only.
Result<PreparedTask> fastest(const LayerTask& task, const Accelerator& machine) {
  const Result<std::vector<RankedMapping>> ranked = shortlist(task, machine, kShortlisted);
  if (!ranked) return ranked.infeasible();
  std::optional<PreparedTask> best;
  Speed best_speed;
  for (const RankedMapping& candidate : *ranked) {
    if (best && static_cast<double>(best_speed.first) <= kClose * candidate.estimate.cycles) break;
    Result<PreparedTask> compiled = compile_task(task, candidate.mapping, machine);
    VERNIER_ASSERT(compiled.has_value(), "a tile that fits, as its footprint says");
    const Speed speed = speed_of(*compiled, machine);
    if (best && speed >= best_speed) continue;
    best_speed = speed;
    best = std::move(compiled).value();
  }
  return std::move(*best);
}

}  // namespace

Result<Mapping> map_heuristically(const LayerTask& task, const Accelerator& machine) {
  const Result<PreparedTask> compiled = fastest(task, machine);
  if (!compiled) return compiled.infeasible();
  return compiled->schedule.mapping();
}

Result<PreparedTask> prepare_heuristically(const LayerTask& task, const Accelerator& machine) {
  Result<PreparedTask> compiled = fastest(task, machine);
  if (!compiled) return compiled.infeasible();
  PreparedTask prepared = std::move(compiled).value();
  count_actions(prepared, machine);
  return prepared;
}

}  // namespace vernier::dataflow
