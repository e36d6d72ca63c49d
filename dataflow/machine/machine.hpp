// A machine ready for evaluation: what it is, and what each of its actions costs.
#pragma once

#include <string>
#include <vector>

#include "dataflow/machine/accelerator.hpp"
#include "dataflow/machine/components.hpp"
#include "energy/price_list.hpp"

namespace vernier::dataflow {

/// Checked description and prices; immutable and safe from many threads.
struct Machine {
  Accelerator accelerator;
  energy::PriceList prices;
};

/// Reads a machine file, applies overrides ("array.rows=32") and loads its energy tables, searched
/// beside the file and then in `table_folders`; `own_tables` beat all of them. Throws ConfigError
/// with all problems.
[[nodiscard]] Machine load_machine(const std::string& path,
                                   const std::vector<std::string>& overrides = {},
                                   const std::vector<std::string>& table_folders = {},
                                   const std::vector<std::string>& own_tables = {});

}  // namespace vernier::dataflow
