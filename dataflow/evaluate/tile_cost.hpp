// Closed form of what one class of tiles costs the array and the buffers: lines, port cycles and
// action counts (design 5.1, 5.6). Part of the analytical engine; the clocked engine counts for
// itself.
#pragma once

#include <array>
#include <cstdint>

#include "arch/port_waits.hpp"
#include "dataflow/schedule/layer_schedule.hpp"

namespace vernier::dataflow {

/// Buffer accesses of the array (or vector unit) for one tile, in words.
struct TileAccesses {
  std::array<std::int64_t, 2> input_reads{};
  std::int64_t weight_reads = 0;
  std::int64_t output_reads = 0;  ///< partial sums
  std::int64_t output_writes = 0;
};

/// One tile of a class.
struct TileCost {
  std::int64_t lines = 0;             ///< compute cycles without port waits
  std::int64_t temporal_cycles = 0;   ///< sum of T over folds: lines without fill and skew
  std::int64_t port_cycles = 0;       ///< additional cycles, sum of (rho - 1) * lines
  arch::PortWaits port_waits{};       ///< the same by who needs them
  std::int64_t macs = 0;              ///< real products
  std::int64_t idle_macs = 0;         ///< product slots of mapped PEs that hold padding
  std::int64_t finished_outputs = 0;  ///< output elements that leave their last visit
  TileAccesses accesses;

  [[nodiscard]] std::int64_t cycles() const { return lines + port_cycles; }
};

[[nodiscard]] TileCost cost_of_tile(const LayerTask& task, const TileClass& tile,
                                    const Accelerator& machine);

}  // namespace vernier::dataflow
