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
  /// What was assumed because the file does not say it (Accelergy architectures).
  std::vector<std::string> assumptions{};
};

/// Reads a machine file, or an Accelergy architecture (v0.4) as far as a machine describes it,
/// applies overrides ("array.rows=32") and loads its energy tables, searched beside the file and
/// then in `table_folders`; `own_tables` beat all of them. Throws ConfigError with all problems.
[[nodiscard]] Machine load_machine(const std::string& path,
                                   const std::vector<std::string>& overrides = {},
                                   const std::vector<std::string>& table_folders = {},
                                   const std::vector<std::string>& own_tables = {});

}  // namespace vernier::dataflow
