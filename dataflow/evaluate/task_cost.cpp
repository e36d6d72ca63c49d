#include "dataflow/evaluate/task_cost.hpp"

#include "dataflow/result/activity_counter.hpp"

namespace vernier::dataflow {
namespace {

// Real activations that a weight zero point adds up: once per pixel and reduction element.
std::int64_t zero_point_adds(const LayerTask& task) {
  const AxisTiles rows = cut_axis(row_axis(task), task.out_height);
  const AxisTiles columns = cut_axis(column_axis(task), task.out_width);
  return checked_mul(checked_mul(rows.classes.front().tap_sum, columns.classes.front().tap_sum),
                     checked_mul(checked_mul(task.images, task.groups), task.channels));
}

Activity count_inner(const LayerSchedule& schedule, const TileCosts& costs,
                     const Accelerator& machine) {
  const LayerTask& task = schedule.task();
  TileCost sum;
  const auto add = [](std::int64_t& target, std::int64_t value, std::int64_t count) {
    target = checked_add(target, checked_mul(value, count));
  };
  for (std::size_t at = 0; at < costs.size(); ++at) {
    const TileCost& tile = costs[at];
    const std::int64_t count = schedule.classes()[at].count;
    add(sum.macs, tile.macs, count);
    add(sum.idle_macs, tile.idle_macs, count);
    add(sum.finished_outputs, tile.finished_outputs, count);
    add(sum.accesses.input_reads[0], tile.accesses.input_reads[0], count);
    add(sum.accesses.input_reads[1], tile.accesses.input_reads[1], count);
    add(sum.accesses.weight_reads, tile.accesses.weight_reads, count);
    add(sum.accesses.output_reads, tile.accesses.output_reads, count);
    add(sum.accesses.output_writes, tile.accesses.output_writes, count);
  }
  ActivityCounter counter(machine);
  counter.buffer(TensorRole::kInput, Action::kRead,
                 checked_add(sum.accesses.input_reads[0], sum.accesses.input_reads[1]));
  counter.buffer(TensorRole::kWeight, Action::kRead, sum.accesses.weight_reads);
  counter.buffer(TensorRole::kOutput, Action::kRead, sum.accesses.output_reads);
  counter.buffer(TensorRole::kOutput, Action::kWrite, sum.accesses.output_writes);
  if (task.unit == TaskUnit::kArray) {
    counter.mac(Action::kMac, task, sum.macs);
    counter.mac(Action::kMacIdle, task, sum.idle_macs);
    if (task.asymmetric_weight) {
      counter.mac(Action::kZeroPointAdd, task, zero_point_adds(task));
    }
    counter.requantize(sum.finished_outputs);
    if (task.activation_in_drain) counter.vector(Action::kActivation, sum.finished_outputs);
  } else {
    for (std::size_t at = 0; at < task.actions.size(); ++at) {
      counter.vector(task.actions[at], checked_mul(sum.finished_outputs, task.ops_per_output[at]));
    }
    if (task.requantizes) counter.requantize(sum.finished_outputs);
  }
  return counter.take();
}

}  // namespace

Result<PreparedTask> compile_task(const LayerTask& task, const Mapping& mapping,
                                  const Accelerator& machine) {
  Result<LayerSchedule> compiled = LayerSchedule::compile(task, mapping, machine);
  if (!compiled) return compiled.infeasible();
  PreparedTask prepared{std::move(compiled).value(), {}, {}, {}};
  prepared.tiles.reserve(prepared.schedule.classes().size());
  for (const TileClass& tile : prepared.schedule.classes()) {
    prepared.tiles.push_back(cost_of_tile(task, tile, machine));
    for (std::size_t port = 0; port < prepared.port_waits.size(); ++port) {
      std::int64_t& waits = prepared.port_waits[port];
      waits = checked_add(waits, checked_mul(prepared.tiles.back().port_waits[port], tile.count));
    }
  }
  return prepared;
}

void count_actions(PreparedTask& task, const Accelerator& machine) {
  task.inner_activity = count_inner(task.schedule, task.tiles, machine);
}

Result<PreparedTask> prepare_task(const LayerTask& task, const Mapping& mapping,
                                  const Accelerator& machine) {
  Result<PreparedTask> compiled = compile_task(task, mapping, machine);
  if (!compiled) return compiled.infeasible();
  PreparedTask prepared = std::move(compiled).value();
  count_actions(prepared, machine);
  return prepared;
}

CostSummary cost_of_task(const PreparedTask& prepared, const TaskBorder& border,
                         const Machine& machine, const TimingOptions& options) {
  const Accelerator& accelerator = machine.accelerator;
  const TaskTiming timing =
      time_task(prepared.schedule, prepared.tiles, border, accelerator, options);
  const ChannelTraffic& traffic = timing.traffic;

  CostSummary cost;
  cost.cycles = timing.cycles;
  cost.port_waits = prepared.port_waits;
  cost.channel_busy_cycles = traffic.busy_cycles;
  cost.dram.input_read = Bits(checked_add(traffic.input_bits[0], traffic.input_bits[1]));
  cost.dram.weight_read = Bits(checked_add(traffic.weight_bits, traffic.prefetch_bits));
  cost.dram.output_read = Bits(traffic.reload_bits);
  cost.dram.output_write = Bits(checked_add(traffic.spill_bits, traffic.store_bits));

  ActivityCounter moved(accelerator);
  moved.transfer(TensorRole::kInput, true, cost.dram.input_read.count());
  moved.transfer(TensorRole::kWeight, true, cost.dram.weight_read.count());
  moved.transfer(TensorRole::kOutput, true, cost.dram.output_read.count());
  moved.transfer(TensorRole::kOutput, false, cost.dram.output_write.count());
  const Cycles cycles = timing.cycles.total();
  moved.leak(cycles.count());
  if (const auto& dram = accelerator.spec().dram.timing) {
    // Not simulated here: rows are streamed whole, refreshes follow the time (design 5.9).
    moved.dram(TensorRole::kNone, Action::kActivateRow,
               memory::streamed_activations(*dram, cost.dram.total().count()));
    moved.dram(TensorRole::kNone, Action::kRefresh,
               memory::elapsed_refreshes(*dram, cycles.count(), accelerator.spec().clock));
  }
  cost.activity = prepared.inner_activity;
  cost.activity.merge(moved.take());
  cost.energy = energy::EnergyBreakdown(cost.activity, machine.prices);

  set_static_figures(cost, prepared.schedule, accelerator);
  return cost;
}

}  // namespace vernier::dataflow
