// The machine as the list of components that Activity counts and energy prices. The order is
// fixed: mac, the buffers as in the file, dram, vector, requantizer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arch/base/activity.hpp"
#include "dataflow/machine/accelerator.hpp"
#include "energy/hardware.hpp"
#include "energy/price_list.hpp"

namespace vernier::dataflow {

/// Indices of the components of a machine.
struct ComponentIndices {
  ComponentIndex mac = 0;
  ComponentIndex first_buffer = 1;
  ComponentIndex dram = 0;
  ComponentIndex vector = 0;
  ComponentIndex requantizer = 0;

  [[nodiscard]] ComponentIndex buffer(BufferIndex index) const {
    return static_cast<ComponentIndex>(first_buffer + index);
  }
};

[[nodiscard]] ComponentIndices component_indices(const Accelerator& machine);
[[nodiscard]] std::vector<energy::Component> components_of(const Accelerator& machine);

/// Where energy tables come from besides the machine file.
struct TableSearch {
  std::vector<std::string> folders;     ///< searched by name after the machine file's own folder
  std::vector<std::string> own_tables;  ///< paths of the user's tables; they beat all others
};

/// Loads the machine's energy tables and prices every action. A table is a path (when it contains
/// '/' or ends in ".yaml", relative to the machine file) or a name that is searched as
/// <folder>/<name>.yaml in "<machine file>/../energy" and then in the folders. Throws ConfigError.
[[nodiscard]] energy::PriceList load_prices(const Accelerator& machine, const TableSearch& search);

}  // namespace vernier::dataflow
