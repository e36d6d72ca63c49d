// What someone who draws a timeline gets to hear. Times are those of the simulation.
#pragma once

#include <cstdint>
#include <vector>

#include <systemc>

#include "memory/systemc/tile_program.hpp"

namespace vernier::memory {

/// One command of the DMA engine, told when its data have arrived.
struct TransferEvent {
  enum class Kind : std::uint8_t { kLoad, kReload, kStore, kPrefetch };
  Kind kind = Kind::kLoad;
  BlockStream stream = BlockStream::kInput;
  std::int64_t bits = 0;
  sc_core::sc_time granted;
  sc_core::sc_time channel_free;
  sc_core::sc_time arrived;
};

/// One tile, told when it has ended.
struct TileEvent {
  std::int64_t number = 0;
  sc_core::sc_time begin;
  sc_core::sc_time end;
  const std::vector<sc_core::sc_time>* fold_begins = nullptr;  ///< empty on the vector unit
};

class MachineObserver {
 public:
  virtual ~MachineObserver() = default;
  virtual void on_transfer(const TransferEvent& event) = 0;
  virtual void on_tile(const TileEvent& event) = 0;
  /// A half of a stream's buffer was filled (bits) or given free (0 bits) now.
  virtual void on_occupancy(BlockStream stream, std::int64_t half, std::int64_t bits) = 0;
};

}  // namespace vernier::memory
