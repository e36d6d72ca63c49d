// One machine of clocked SystemC modules with its DRAM and host, that runs tasks one after the
// other. SystemC stays behind this header. Only one may live in a process at a time, and it must
// stay in one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataflow/clocked/operands.hpp"
#include "dataflow/clocked/timeline.hpp"
#include "dataflow/result/cost.hpp"
#include "dataflow/schedule/network_schedule.hpp"
#include "memory/systemc/machine_faults.hpp"

namespace vernier::dataflow {

/// Where the activations of a task lie in the part of the buffers in which they stay; null for
/// those that move in blocks.
struct TaskPlaces {
  std::array<const std::vector<std::int64_t>*, 2> inputs{};
  const std::vector<std::int64_t>* output = nullptr;
  std::int64_t elements = 0;  ///< size of that part, other activations included
};

/// A task as the clocked machine is given it; pointers are loans for the time of the run.
struct ClockedTask {
  const LayerSchedule* schedule = nullptr;
  const TaskOperands* operands = nullptr;
  TaskBorder border;
  /// The task whose first weight block border.next_weight loads; null: a block of zeros.
  const LayerSchedule* next_schedule = nullptr;
  const TaskOperands* next_operands = nullptr;
  /// Of the activations that the task's flags say are resident; their operands are not used.
  TaskPlaces places{};
};

/// What the machine did, as its modules counted it.
struct ClockedRun {
  CycleBreakdown cycles;
  arch::PortWaits port_waits{};          ///< the port cycles by who needs them
  std::int64_t busy_lines = 0;           ///< cycles in which the array or the vector unit worked
  std::int64_t channel_busy_cycles = 0;  ///< `timing`: a request was on its way
  std::int64_t tiles = 0;
  DramBits dram;
  Activity activity;
  std::int64_t accumulator_overflows = 0;
  std::vector<std::int64_t> exact;  ///< outputs before requantization, as reference_outputs
  std::vector<std::int64_t> codes;  ///< outputs as they lie in DRAM, or on chip
};

/// Waveform of one task.
struct WaveformRequest {
  std::string file;  ///< "....vcd"; empty: none
};

class ClockedMachine {
 public:
  /// The accelerator must outlive the machine.
  explicit ClockedMachine(const Accelerator& accelerator);
  ~ClockedMachine();
  ClockedMachine(const ClockedMachine&) = delete;
  ClockedMachine& operator=(const ClockedMachine&) = delete;

  /// Runs one task to its end. Weights that a task prefetches stay on chip for the next run.
  /// Throws InternalError when the machine comes to rest without finishing.
  [[nodiscard]] ClockedRun run(const ClockedTask& task, const WaveformRequest& waveform = {});

  /// Leaves values on chip as codes of a width, as if a task had written them.
  void leave_on_chip(const std::vector<std::int64_t>& places,
                     const std::vector<std::int32_t>& values, Bitwidth bits);

  void plant(const memory::MachineFaults& faults);
  /// Writes down from now on what happens when; null: no more.
  void record(Timeline* timeline);
  /// Cycles since the machine was built.
  [[nodiscard]] std::int64_t now() const;

 private:
  class Platform;
  std::unique_ptr<Platform> platform_;
};

}  // namespace vernier::dataflow
