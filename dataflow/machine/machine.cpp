#include "dataflow/machine/machine.hpp"

#include <fmt/format.h>

#include "dataflow/machine/accelergy_architecture.hpp"

namespace vernier::dataflow {

Machine load_machine(const std::string& path, const std::vector<std::string>& overrides,
                     const std::vector<std::string>& table_folders,
                     const std::vector<std::string>& own_tables) {
  std::vector<std::string> assumptions;
  YamlNode root;
  const std::string text = read_text_file(path, YamlLimits{}.max_bytes);
  if (is_accelergy_architecture(text)) {
    ArchitectureMachine machine = read_accelergy_architecture(text, path);
    root = parse_yaml(machine.text, path + " (translated)");
    assumptions = std::move(machine.assumptions);
  } else {
    root = parse_yaml(text, path);
  }
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  Accelerator accelerator = read_accelerator(root, table_folders);
  const AcceleratorSpec& spec = accelerator.spec();
  if (const auto& timing = spec.dram.timing) {
    const std::string& type = timing->preset.energy_type;
    if (!type.empty() && type != spec.energy.dram) {
      assumptions.push_back(fmt::format(
          "the DRAM is {}, whose energy figures are those of the type {}; energy.dram is {}",
          timing->preset.name, type, spec.energy.dram));
    }
  }
  energy::PriceList prices = load_prices(accelerator, {table_folders, own_tables});
  return {std::move(accelerator), std::move(prices), std::move(assumptions)};
}

}  // namespace vernier::dataflow
