// Random small machines, tasks and mappings for property tests (RapidCheck generators).
#pragma once

#include <ostream>

#include <rapidcheck.h>

#include "dataflow/machine/machine.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::tests {

/// A machine, a task that fits its widths, and a mapping (which need not fit its buffers).
struct RandomCase {
  dataflow::AcceleratorSpec spec;
  dataflow::LayerTask task;
  dataflow::Mapping mapping;
};
std::ostream& operator<<(std::ostream& out, const RandomCase& value);

struct RandomCaseOptions {
  /// Ports that feed every mode at one cycle per line.
  bool wide_ports = false;
  bool array_only = false;
};

[[nodiscard]] rc::Gen<RandomCase> random_case(RandomCaseOptions options = {});

}  // namespace vernier::tests
