#include "dataflow/machine/machine.hpp"

namespace vernier::dataflow {

Machine load_machine(const std::string& path, const std::vector<std::string>& overrides,
                     const std::vector<std::string>& table_folders,
                     const std::vector<std::string>& own_tables) {
  YamlNode root = load_yaml(path);
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  Accelerator accelerator = read_accelerator(root);
  energy::PriceList prices = load_prices(accelerator, {table_folders, own_tables});
  return {std::move(accelerator), std::move(prices)};
}

}  // namespace vernier::dataflow
