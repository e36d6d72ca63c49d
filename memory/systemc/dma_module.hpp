// The DMA engine (design 5.3): one command per block, strictly in program order: the loads of a
// tile, its partial sums, then the store of the output block that the tile before it left; in the
// end the first weight block of the next task and the last store. A TLM-2.0 initiator.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>

#include "memory/systemc/machine_faults.hpp"
#include "memory/systemc/machine_observer.hpp"
#include "memory/systemc/on_chip_buffers.hpp"
#include "memory/systemc/step_queue.hpp"

namespace vernier::memory {

/// Bits over the channel by purpose, and words that the DMA moved in and out of the buffers.
struct DmaCounts {
  std::array<std::int64_t, kLoadStreams> load_bits{};
  std::int64_t prefetch_bits = 0;
  std::int64_t reload_bits = 0;
  std::int64_t spill_bits = 0;
  std::int64_t store_bits = 0;
  /// Bits that the memory says it moved (whole bursts, where it knows bursts), by role.
  std::array<std::int64_t, kTensorRoleCount> bits_read{};
  std::array<std::int64_t, kTensorRoleCount> bits_written{};
  std::array<std::int64_t, kTensorRoleCount> words_written{};
  std::array<std::int64_t, kTensorRoleCount> words_read{};
  sc_core::sc_time busy;  ///< between granting a command and the end of its beats
};

class DmaModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(DmaModule);
  DmaModule(const sc_core::sc_module_name& name, OnChipBuffers& buffers, StepQueue& queue);

  tlm_utils::simple_initiator_socket<DmaModule> socket;

  /// Begins a task in this very cycle.
  void begin(const TaskProgram& program, const DmaFaults& faults, MachineObserver* observer);
  /// The last tile that used block `block` of a stream has ended: its half may be filled again
  /// (loads), or it may be stored (outputs).
  void release(BlockStream stream, std::int64_t block);
  /// Output block `block` is finished where it stays, so that no store follows.
  void finish_in_place(std::int64_t block);
  /// Half of the buffer that a block of a stream lies in.
  [[nodiscard]] std::int64_t half_of(BlockStream stream, std::int64_t block) const;

  /// Step that the commands have come to.
  [[nodiscard]] std::int64_t step() const { return step_; }
  /// Output blocks that have left their half, all before them included.
  [[nodiscard]] std::int64_t stores_done() const { return stores_done_; }
  [[nodiscard]] sc_core::sc_time store_done_at(std::int64_t block) const {
    return store_times_[static_cast<std::size_t>(block % kStoreTimes)];
  }
  /// Notified when data have arrived, a store is done or all commands are.
  [[nodiscard]] const sc_core::sc_event& progress() const { return progress_; }
  /// All commands are done and all data have arrived.
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] const DmaCounts& counts() const { return counts_; }

 private:
  enum class Kind : std::uint8_t { kLoad, kReload, kStore, kPrefetch };
  struct Command {
    Kind kind = Kind::kLoad;
    BlockStream stream = BlockStream::kInput;
    std::int64_t step = 0;
    std::int64_t block = 0;
    BlockMove move;
    MemoryRegion region;
    bool holds_sums = false;
  };
  struct Transfer {
    tlm::tlm_generic_payload payload;
    std::vector<unsigned char> data;
    Command command;
    sc_core::sc_time granted;
    sc_core::sc_time channel_free;
    bool in_use = false;
  };

  void advance();
  bool find_command();
  bool load_command(std::size_t slot, const QueuedStep& step);
  void store_command(std::int64_t step);
  [[nodiscard]] bool may_go() const;
  void grant();
  tlm::tlm_sync_enum answer(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                            sc_core::sc_time& delay);
  /// What a phase of the memory's answer means, at the time that it is for.
  void follow(tlm::tlm_generic_payload& payload, const tlm::tlm_phase& phase);
  [[nodiscard]] std::int64_t blocks_held(BlockStream stream) const;
  void output_left(std::int64_t block);
  void free_channel();
  void arrive(Transfer& transfer);
  void fill(Transfer& transfer);
  void unload(const Command& command, std::vector<unsigned char>& data);
  void count(const Command& command);
  Transfer& free_transfer();

  static constexpr std::int64_t kStoreTimes = 4;
  tlm_utils::peq_with_cb_and_phase<DmaModule> answers_;
  OnChipBuffers& buffers_;
  StepQueue& queue_;
  const TaskProgram* program_ = nullptr;
  MachineObserver* observer_ = nullptr;
  DmaFaults faults_;
  sc_core::sc_event poke_;
  sc_core::sc_event progress_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  Transfer* on_channel_ = nullptr;
  std::int64_t outstanding_ = 0;

  // Place in the program: step, then position in the step's list of commands.
  std::int64_t step_ = 0;
  std::size_t place_ = 0;
  bool has_command_ = false;
  bool finished_ = true;
  Command command_;

  std::array<std::int64_t, kBlockStreams> released_{};  ///< blocks below this are released
  std::int64_t stores_done_ = 0;
  std::array<bool, kStoreTimes> has_left_{};  ///< blocks from stores_done_ on, by block
  std::array<sc_core::sc_time, kStoreTimes> store_times_;
  std::int64_t weight_base_ = 0;      ///< half of weight block 0
  std::int64_t prefetched_half_ = 0;  ///< where the next task's first weight block lies
  DmaCounts counts_;
};

}  // namespace vernier::memory
