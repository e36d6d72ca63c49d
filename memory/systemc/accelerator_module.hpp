// The accelerator as one SystemC module for anybody's platform: an initiator socket towards memory
// (see block_access for what rides on it) and a target socket for the host, which writes the
// address of a TaskProgram, starts, and reads when it is done.
//
// Inside, the tile sequencer starts tiles when their blocks have arrived and their output half is
// free (design 5.4), and books why it had to wait (design 5.5).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "arch/systemc/compute_module.hpp"
#include "memory/systemc/dma_module.hpp"

namespace vernier::memory {

/// Registers of the host socket, 8 bytes each.
enum class HostRegister : std::uint64_t {
  kProgram = 0x00,  ///< write: address of a TaskProgram in the simulator's memory
  kStart = 0x08,    ///< write: anything; runs the program, once
  kStatus = 0x10,   ///< read: 0 idle, 1 running, 2 done
  kCycles = 0x18,   ///< read: cycles of the program that ran last
};
enum class HostStatus : std::uint64_t { kIdle = 0, kRunning = 1, kDone = 2 };

/// Where the time of a task went, as differences of sc_time_stamp(). `wait` counts the gaps between
/// tiles by the requirement that was met last.
struct SequencerTimes {
  sc_core::sc_time begin;
  sc_core::sc_time end;
  sc_core::sc_time running;  ///< tiles on the array or vector unit, port waits included
  sc_core::sc_time fill;     ///< before the first tile
  std::array<sc_core::sc_time, kRequirements> wait;
  sc_core::sc_time drain;  ///< after the last tile
  std::int64_t tiles = 0;
};

class AcceleratorModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(AcceleratorModule);
  AcceleratorModule(const sc_core::sc_module_name& name, const sc_core::sc_time& clock_period);

  tlm::tlm_initiator_socket<> memory;
  tlm_utils::simple_target_socket<AcceleratorModule> host;

  void plant(const MachineFaults& faults) { faults_ = faults; }
  void observe(MachineObserver* observer) { observer_ = observer; }
  /// Adds the architectural signals to a waveform. The task must be configured: call it after the
  /// program was written and before it starts.
  void trace(sc_core::sc_trace_file* file);

  /// Notified when a program is done.
  [[nodiscard]] const sc_core::sc_event& done() const { return done_; }
  [[nodiscard]] const SequencerTimes& times() const { return times_; }
  [[nodiscard]] const DmaCounts& dma_counts() const { return dma_.counts(); }
  [[nodiscard]] const arch::ComputeModule& compute() const { return compute_; }
  [[nodiscard]] OnChipBuffers& buffers() { return buffers_; }

 private:
  void serve_host(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  /// False when this is not the time for it.
  [[nodiscard]] bool write_register(std::uint64_t address, std::uint64_t value);
  [[nodiscard]] std::uint64_t read_register(std::uint64_t address) const;
  void configure(const TaskProgram& program);
  void start_program();

  void sequence();
  bool start_tile();
  void end_tile();
  void release_blocks();
  [[nodiscard]] bool is_ready(QueuedStep& queued) const;
  void book_wait(const QueuedStep& queued);
  [[nodiscard]] arch::ComputeTile placed(const QueuedStep& queued);
  void read_resident(const QueuedStep& queued);
  void write_resident(const QueuedStep& queued);
  void finish();

  sc_core::sc_time period_;
  OnChipBuffers buffers_;
  StepQueue queue_;
  arch::ComputeModule compute_;
  DmaModule dma_;
  MachineFaults faults_;
  MachineObserver* observer_ = nullptr;

  const TaskProgram* program_ = nullptr;
  HostStatus status_ = HostStatus::kIdle;
  sc_core::sc_event begin_;
  sc_core::sc_event done_;
  SequencerTimes times_;
  std::uint64_t last_cycles_ = 0;
  std::vector<std::int64_t> zero_point_sums_;
  std::int64_t tile_ = 0;  ///< number of the tile that runs or waits
  bool tile_runs_ = false;
  sc_core::sc_time tile_begin_;
  sc_core::sc_time tile_end_;  ///< of the tile before
  std::uint32_t tile_signal_ = 0;
  bool running_signal_ = false;
};

}  // namespace vernier::memory
