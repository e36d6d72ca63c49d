// A second opinion on what one task costs. It walks every tile and every element by brute force, as
// the timing contract (design 5.1 to 5.7) words it: no classes of equal tiles, no closed form, no
// jumps, and no code shared with dataflow/schedule or dataflow/evaluate. Read it beside the
// contract.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <vector>

#include "arch/base/activity.hpp"
#include "dataflow/machine/accelerator.hpp"
#include "dataflow/mapping/layer_task.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::tests {

/// What the task shares with its neighbours (design 5.7).
struct OracleBorder {
  bool weight_is_loaded = false;
  std::int64_t next_weight_bits = 0;
};

/// Cycles by cause (design 5.5).
struct OracleCycles {
  std::int64_t compute = 0;
  std::int64_t port = 0;
  std::int64_t fill = 0;
  std::int64_t input = 0;
  std::int64_t weight = 0;
  std::int64_t psum = 0;
  std::int64_t output = 0;
  std::int64_t drain = 0;
};

/// Bits over the DRAM channel.
struct OracleTraffic {
  std::array<std::int64_t, 2> input{};
  std::int64_t weight = 0;
  std::int64_t prefetch = 0;
  std::int64_t reload = 0;
  std::int64_t spill = 0;
  std::int64_t store = 0;
  std::int64_t busy_cycles = 0;
};

/// One command of the channel, in program order.
struct OracleCommand {
  enum class Kind : std::uint8_t { kInput, kSecondInput, kWeight, kReload, kStore, kPrefetch };
  Kind kind = Kind::kInput;
  std::int64_t grant = 0;
  std::int64_t channel_free = 0;
  friend bool operator==(const OracleCommand&, const OracleCommand&) = default;
};

/// Start and end of one tile.
struct OracleInterval {
  std::int64_t start = 0;
  std::int64_t end = 0;
  friend bool operator==(const OracleInterval&, const OracleInterval&) = default;
};

/// What an action is, without its count.
struct OracleAction {
  int component = 0;  ///< mac, the buffers as in the file, dram, vector, requantizer
  Action action = Action::kMac;
  TensorRole role = TensorRole::kNone;
  int weight_bits = 0;
  int activation_bits = 0;
  friend auto operator<=>(const OracleAction&, const OracleAction&) = default;
};
using OracleActivity = std::map<OracleAction, std::int64_t>;  ///< no zero counts

/// Everything about one task. Nothing but `fits` is meaningful when it does not fit.
struct OracleResult {
  bool fits = false;           ///< every buffer half holds the largest block of each operand
  bool prefetch_fits = false;  ///< ... with the next task's first weight block instead of its own
  std::int64_t first_weight_block = 0;
  OracleCycles cycles;
  OracleTraffic traffic;
  std::vector<OracleCommand> commands;
  std::vector<OracleInterval> tiles;
  OracleActivity inner_activity;  ///< of array, vector unit, requantizer and their buffer accesses
  OracleActivity activity;        ///< and of DMA, DRAM and leakage
};

/// Counts a task. Sizes of the mapping must lie within the task's.
[[nodiscard]] OracleResult count_task(const dataflow::LayerTask& task,
                                      const dataflow::Mapping& mapping,
                                      const dataflow::AcceleratorSpec& machine,
                                      const OracleBorder& border = {});

/// Only `fits` of the above, which is much faster.
[[nodiscard]] bool fits_buffers(const dataflow::LayerTask& task, const dataflow::Mapping& mapping,
                                const dataflow::AcceleratorSpec& machine);

}  // namespace vernier::tests
