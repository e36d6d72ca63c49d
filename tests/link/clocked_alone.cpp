// The clocked engine linked without the analytical one: runs the worked example of the contract
// (docs/design.md 5.8). CMake checks that the analytical engine's symbols are not in this program.
#include <cstdio>
#include <tuple>

#include "dataflow/clocked/clocked_machine.hpp"

int main() {
  using namespace vernier;
  dataflow::AcceleratorSpec spec;
  spec.name = "example_4x4";
  spec.clock = Hertz(200'000'000);
  spec.array.rows = 4;
  spec.array.columns = 4;
  for (const auto& [name, role, banks] :
       {std::tuple{"input", TensorRole::kInput, 2}, std::tuple{"weight", TensorRole::kWeight, 2},
        std::tuple{"output", TensorRole::kOutput, 4}}) {
    memory::BufferSpec buffer;
    buffer.name = name;
    buffer.serves = {role};
    buffer.banks = banks;
    buffer.capacity = Bytes(2048 * banks);
    spec.buffers.push_back(buffer);
  }
  spec.dram.bandwidth = Bandwidth::per_cycles(32, 1);
  spec.dram.latency = Cycles(10);
  spec.energy.tables = {"none"};  // nothing is priced here
  const dataflow::Accelerator machine(spec);

  dataflow::LayerTask task;
  task.in_height = task.out_height = 8;
  task.channels = 6;
  task.out_channels = 8;
  dataflow::Mapping mapping;
  mapping.tile = {4, 1, 6, 4};
  const auto schedule = dataflow::LayerSchedule::compile(task, mapping, machine);
  const auto operands = draw_operands(task, machine, 1);
  dataflow::ClockedMachine clocked(machine);
  const dataflow::ClockedRun run = clocked.run({&*schedule, &operands, {}, nullptr, nullptr});
  const bool exact = run.exact == reference_outputs(task, machine, operands);
  std::printf("%lld cycles, outputs %s\n", static_cast<long long>(run.cycles.total().count()),
              exact ? "exact" : "wrong");
  return run.cycles.total().count() == 96 && exact ? 0 : 1;
}
