// Speed of the clocked engine: busy array cycles and MACs per second, for whole layers with real
// operands, the comparison of all outputs with the reference included.
#include <cstdint>
#include <stdexcept>
#include <string>

#include <benchmark/benchmark.h>

#include "dataflow/clocked/clocked_machine.hpp"
#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/machine/machine.hpp"

namespace {

using vernier::Bitwidth;
using vernier::dataflow::ClockedMachine;
using vernier::dataflow::ClockedRun;
using vernier::dataflow::LayerTask;
using vernier::dataflow::Machine;

Machine square_array(const std::string& side) {
  return vernier::dataflow::load_machine(
      VERNIER_SOURCE_DIR "/configs/accelerators/scale_sim_default.yaml",
      {"array.rows=" + side, "array.columns=" + side}, {VERNIER_SOURCE_DIR "/configs/energy"});
}

// The 3x3 convolutions of ResNet-18's second stage: 128 channels on 28x28 pixels.
LayerTask resnet_layer(int weight_bits, int activation_bits) {
  LayerTask task;
  task.in_height = task.in_width = task.out_height = task.out_width = 28;
  task.channels = task.out_channels = 128;
  task.window = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1};
  task.weight_storage = task.weight_compute = Bitwidth(weight_bits);
  task.input_storage[0] = task.activation_compute = Bitwidth(activation_bits);
  task.output_storage = Bitwidth(activation_bits);
  task.constant_weight = true;
  return task;
}

void simulate(benchmark::State& state, const Machine& machine, const LayerTask& task) {
  const auto mapping = map_heuristically(task, machine.accelerator);
  const auto prepared = prepare_task(task, *mapping, machine.accelerator);
  const auto operands = draw_operands(task, machine.accelerator, 1);
  std::int64_t busy = 0;
  std::int64_t cycles = 0;
  for (auto _ : state) {
    ClockedMachine clocked(machine.accelerator);
    const ClockedRun run = clocked.run({&prepared->schedule, &operands, {}, nullptr, nullptr});
    if (run.exact != reference_outputs(task, machine.accelerator, operands)) {
      throw std::runtime_error("outputs differ from the reference");
    }
    busy += run.busy_lines;
    cycles += run.cycles.total().count();
  }
  using benchmark::Counter;
  state.counters["busy_cycles_per_s"] = Counter(static_cast<double>(busy), Counter::kIsRate);
  state.counters["cycles_per_s"] = Counter(static_cast<double>(cycles), Counter::kIsRate);
  state.counters["MACs_per_s"] =
      Counter(static_cast<double>(task.macs().count()), Counter::kIsIterationInvariantRate);
}

void systemc_8x8(benchmark::State& state) {
  const Machine machine = square_array("8");
  simulate(state, machine, resnet_layer(8, 8));
}
BENCHMARK(systemc_8x8)->Unit(benchmark::kMillisecond);

void systemc_32x32_int8_layer(benchmark::State& state) {
  const Machine machine = square_array("32");
  simulate(state, machine, resnet_layer(8, 8));
}
BENCHMARK(systemc_32x32_int8_layer)->Unit(benchmark::kMillisecond);

void systemc_128x128(benchmark::State& state) {
  const Machine machine = square_array("128");
  simulate(state, machine, resnet_layer(8, 8));
}
BENCHMARK(systemc_128x128)->Unit(benchmark::kMillisecond);

void systemc_bitfusion_16x32(benchmark::State& state) {
  const Machine machine = vernier::dataflow::load_machine(
      VERNIER_SOURCE_DIR "/configs/accelerators/bitfusion_16x32.yaml", {},
      {VERNIER_SOURCE_DIR "/configs/energy"});
  simulate(state, machine, resnet_layer(4, 8));
}
BENCHMARK(systemc_bitfusion_16x32)->Unit(benchmark::kMillisecond);

void systemc_reference_alone(benchmark::State& state) {
  const Machine machine = square_array("32");
  const LayerTask task = resnet_layer(8, 8);
  const auto operands = draw_operands(task, machine.accelerator, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(reference_outputs(task, machine.accelerator, operands));
  }
}
BENCHMARK(systemc_reference_alone)->Unit(benchmark::kMillisecond);

}  // namespace
