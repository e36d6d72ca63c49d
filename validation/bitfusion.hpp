// Bit Fusion three times, side by side: the cycles that its artifact publishes, the artifact's own
// rule (bitfusion_rule.hpp), and Vernier's engine on the same layers. Bound: the rule equals every
// published figure exactly. Vernier's engine has no bound against them; what separates it from them
// is listed by mechanism.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "validation/bitfusion_rule.hpp"

namespace vernier::validation {

/// The machines of the published sweep.
struct BitFusionSetup {
  std::string_view name;  ///< "16x32_192b", as the columns of the reference end
  std::int64_t columns;
  std::int64_t bits_per_cycle;

  [[nodiscard]] BitFusionMachine machine() const {
    return BitFusionMachine::sized(columns, bits_per_cycle);
  }
};
inline constexpr std::size_t kBitFusionSetupCount = 4;
[[nodiscard]] const std::array<BitFusionSetup, kBitFusionSetupCount>& bitfusion_setups();

/// Cycles of Vernier's engine, summed over the copies of a layer. `array` has the lines of all
/// folds and port cycles, `waiting` everything else.
struct EngineCycles {
  std::int64_t array = 0;
  std::int64_t waiting = 0;
  std::int64_t dram_bits = 0;
  double ideal = 0.0;  ///< MACs at the peak of their precision

  [[nodiscard]] std::int64_t total() const { return array + waiting; }
};

/// A layer on one of the machines.
struct BitFusionFigures {
  std::int64_t published_cycles = 0;
  std::int64_t published_wait = 0;
  BitFusionCycles rule;   ///< all quirks
  BitFusionCycles plain;  ///< no quirk
  EngineCycles engine;

  [[nodiscard]] bool is_equal() const {
    return rule.total() == published_cycles && rule.memory_wait == published_wait;
  }
};

/// A layer of the artifact; one that a network has several times stands once.
struct BitFusionRow {
  std::string network;
  BitFusionLayer layer;
  std::int64_t copies = 0;  ///< in the network
  std::array<BitFusionFigures, kBitFusionSetupCount> figures{};
};

/// Reads the reference (validation/bitfusion/artifact_cycles.csv) and applies the rule. Throws
/// ConfigError.
[[nodiscard]] std::vector<BitFusionRow> bitfusion_rows(std::string_view text,
                                                       const std::string& file);

/// Networks in the order of the rows, without repetition.
[[nodiscard]] std::vector<std::string> bitfusion_networks(std::span<const BitFusionRow> rows);

/// Completes the rows from the networks (copies, real input sizes, output widths), applies the rule
/// without quirks and Vernier's engine. `data` is the folder that holds configs/ and validation/.
/// Throws ConfigError when a network and the reference do not fit together.
void add_bitfusion_networks(std::vector<BitFusionRow>& rows, const std::string& data, int jobs = 1);

/// The machine and dataflow that the engine's column is of, as the machine file decides.
[[nodiscard]] std::string bitfusion_engine_text(const std::string& data);

/// Cycles of all layers of a network, copies counted, under the rule with these quirks.
[[nodiscard]] BitFusionCycles bitfusion_network_cycles(std::span<const BitFusionRow> rows,
                                                       std::string_view network,
                                                       const BitFusionMachine& machine,
                                                       const BitFusionQuirks& quirks);

/// Layers, networks, mechanisms, and how many figures agree.
[[nodiscard]] std::string to_text(std::span<const BitFusionRow> rows);

}  // namespace vernier::validation
