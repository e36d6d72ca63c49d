#include "tests/support/clocked_run.hpp"

#include <utility>

namespace vernier::tests {

ClockedCase clocked_case(dataflow::Machine machine, const dataflow::LayerTask& task,
                         const dataflow::TileSize& tile) {
  dataflow::Mapping mapping;
  mapping.tile = tile;
  mapping.origin = dataflow::MappingOrigin::kGiven;
  auto prepared = prepare_task(task, mapping, machine.accelerator).value();
  auto operands = draw_operands(task, machine.accelerator, 1);
  return {std::move(machine), std::move(prepared), std::move(operands)};
}

dataflow::ClockedRun run_clocked(const ClockedCase& given, const memory::MachineFaults& faults,
                                 dataflow::Timeline* timeline, const std::string& waveform) {
  dataflow::ClockedMachine clocked(given.machine.accelerator);
  clocked.plant(faults);
  clocked.record(timeline);
  return clocked.run({&given.prepared.schedule, &given.operands, {}, nullptr, nullptr}, {waveform});
}

}  // namespace vernier::tests
