// The pieces of hardware that energy tables price, with the attributes that matter for the price.
// The machine (dataflow/machine) is cut into these; energy knows neither layers nor mappings.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "arch/base/activity.hpp"
#include "arch/mac_family.hpp"

namespace vernier::energy {

/// One legal mode of a MAC unit.
struct MacUnitMode {
  Bitwidth weight;
  Bitwidth activation;
  arch::MacMode mode;
};

/// The MAC unit of one PE, with its accumulator.
struct MacUnit {
  std::string style;
  Bitwidth widest_weight;
  Bitwidth widest_activation;
  std::int64_t accumulator_bits = 32;
  std::vector<MacUnitMode> modes;
  bool data_gating = false;  ///< counts mac_gated beside mac
};

/// One bank of an on-chip buffer.
struct SramBank {
  Bytes capacity{0};
  Bits word{32};
  std::int64_t ports = 1;
};

/// DRAM device and its interface, by type name (LPDDR4, DDR3 ...).
struct DramInterface {
  std::string type;
  /// Row activations and refreshes are actions of their own (`timing` model); otherwise a moved bit
  /// pays its share of an activation, and refresh runs with the time.
  bool counts_rows = false;
  std::int64_t ranks = 1;  ///< of all channels, for background power
};

/// One lane of the vector unit: 32-bit adder, comparator, 16-bit multiplier, one register.
struct VectorLane {
  std::vector<Action> actions;
};

/// Requantization in the drain: 32-bit bias add, 32 x 16 bit scale, shift (hardware_notes 1.9).
struct Requantizer {};

using Hardware = std::variant<MacUnit, SramBank, DramInterface, VectorLane, Requantizer>;

/// Actions of DRAM that a figure per bit, being an average, contains already.
[[nodiscard]] inline bool is_row_action(Action action) {
  return action == Action::kActivateRow || action == Action::kRefresh;
}

/// A named part of a machine: `instances` equal pieces of hardware.
struct Component {
  std::string name;
  Hardware hardware;
  std::int64_t instances = 1;
};

/// "MAC unit (sum_together)", for messages.
[[nodiscard]] std::string to_text(const Hardware& hardware);

}  // namespace vernier::energy
