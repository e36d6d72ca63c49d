// The small machine of the worked examples: 4x4 PEs, fixed 8 bit, 32-bit words, 32 bit/cycle,
// latency 10, 200 MHz (so that operator rows are those of 5 ns). Every bank has 2 KiB.
#pragma once

#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/machine/machine.hpp"

namespace vernier::tests {

/// The description; tests change what they need.
[[nodiscard]] dataflow::AcceleratorSpec example_spec(arch::Dataflow dataflow);

/// Description and prices from configs/energy.
[[nodiscard]] dataflow::Machine example_machine(arch::Dataflow dataflow);
[[nodiscard]] dataflow::Machine with_prices(dataflow::AcceleratorSpec spec);

/// A task for the array at 8 bits, pointwise unless changed.
[[nodiscard]] dataflow::LayerTask gemm_task(std::int64_t pixels, std::int64_t reduction,
                                            std::int64_t out_channels);

}  // namespace vernier::tests
