// Mistakes to plant into the clocked machine, so that the checks can be seen to find them, and
// single upsets of registers for studies of reliability.
#pragma once

#include "arch/systemc/array_engine.hpp"

namespace vernier::memory {

struct DmaFaults {
  bool swap_loads = false;  ///< weights before inputs
};

struct MachineFaults {
  arch::ArrayFaults array;
  DmaFaults dma;
  bool release_early = false;   ///< halves are given free when the last tile on them starts
  bool double_latency = false;  ///< the latency of DRAM is waited for twice
};

}  // namespace vernier::memory
