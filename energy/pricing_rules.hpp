// How a machine wants its components priced beyond "the most accurate table that knows this kind
// of hardware": the user's own tables first, a map from components to table entries, what an idle
// product slot costs, and whether figures of another node may be scaled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arch/base/error.hpp"
#include "arch/base/units.hpp"
#include "energy/primitive.hpp"

namespace vernier::energy {

/// One action of a component in the words of a table entry.
struct ActionUse {
  std::string action;        ///< ours, as in to_text(Action)
  bool is_free = false;      ///< stated to cost nothing
  bool from_tables = false;  ///< priced as if the component were not mapped
  std::string name;          ///< the entry's
  Arguments arguments;
  double scale = 1.0;  ///< entry actions per action of ours
};

/// A component priced by an entry of a table.
struct ComponentUse {
  std::string component;
  std::string table;
  std::string entry;
  Attributes attributes;
  /// Bits that one access of the entry moves: memories pay the share that they use (Timeloop's
  /// rule), DRAM actions being single bits. Without it an access is an access.
  std::optional<Bits> width;
  /// Entries that make up the component; default: as many as the component has instances.
  std::optional<std::int64_t> instances;
  std::vector<ActionUse> actions;  ///< actions of equal name need no line
  SourcePlace place;
};

/// What a product slot that holds padding costs.
enum class IdleSlots : std::uint8_t {
  kTable,   ///< as the table states it
  kActive,  ///< as much as a real product
  kGated,   ///< operands held: only leakage, which every cycle pays
};

/// What happens to figures of another technology node than the machine's.
enum class NodeScaling : std::uint8_t {
  kRefuse,
  /// Energies by the ratio of the nodes (capacitance at equal voltage), areas by its square.
  kCapacitance,
};

struct PricingRules {
  /// The first tables of the list are the user's own and beat all others.
  std::size_t own_tables = 0;
  std::vector<ComponentUse> map;
  IdleSlots idle_slots = IdleSlots::kTable;
  NodeScaling scaling = NodeScaling::kRefuse;
};

}  // namespace vernier::energy
