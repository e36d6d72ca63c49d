#include "frontends/cli/accelergy_output.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "energy/accelergy_writer.hpp"
#include "frontends/cli/commands.hpp"

namespace vernier::frontends {

void write_accelergy_files(const std::string& folder, const dataflow::Machine& machine,
                           const energy::EnergyBreakdown& energy) {
  std::error_code status;
  std::filesystem::create_directories(folder, status);
  if (status) {
    throw ConfigError(
        fmt::format("--accelergy-output {}: cannot be made: {}", folder, status.message()));
  }
  const dataflow::AcceleratorSpec& spec = machine.accelerator.spec();
  const auto path = [&folder](const char* name) {
    return (std::filesystem::path(folder) / name).string();
  };
  write_result(energy::accelergy_ert(machine.prices, spec.name, spec.clock), path("ERT.yaml"),
               "--accelergy-output");
  write_result(energy::accelergy_art(machine.prices, spec.name), path("ART.yaml"),
               "--accelergy-output");
  write_result(energy::accelergy_action_counts(energy, machine.prices, spec.name),
               path("action_counts.yaml"));
}

}  // namespace vernier::frontends
