// What `vernier run --accelergy-output DIR` writes: the machine's prices and areas and the run's
// counts in Accelergy's formats.
#pragma once

#include <string>

#include "dataflow/machine/machine.hpp"
#include "energy/breakdown.hpp"

namespace vernier::frontends {

/// Writes ERT.yaml, ART.yaml and action_counts.yaml into `folder`, which is made when it is absent.
/// Throws ConfigError when a file cannot be written.
void write_accelergy_files(const std::string& folder, const dataflow::Machine& machine,
                           const energy::EnergyBreakdown& energy);

}  // namespace vernier::frontends
