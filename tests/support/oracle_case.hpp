// Random small tasks on random small machines, for properties that hold for all of them. Drawn with
// RapidCheck, so call it inside a property only.
#pragma once

#include <cstdint>
#include <string>

#include "dataflow/machine/machine.hpp"
#include "dataflow/mapping/layer_task.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::tests {

struct OracleCase {
  dataflow::AcceleratorSpec machine;
  dataflow::LayerTask task;
  dataflow::Mapping mapping;
  bool weight_is_loaded = false;      ///< the task before has fetched the first weight block
  std::int64_t next_weight_bits = 0;  ///< first weight block of the next task
};

/// Draws a case: array or vector unit, padding up to the kernel size, ragged tiles, every loop
/// order, buffers that are shared or not, single or double, and some that are too small for the
/// mapping; activations that stay on chip; every family of MAC units and every depthwise mode.
/// With a `style` the unit is of that family and the task is one of the array.
[[nodiscard]] OracleCase draw_oracle_case(const std::string& style = {});

/// Draws a machine alone. `keeps_activations`: one buffer serves input and output, with a part in
/// which activations stay, and is never too small for a few channels.
[[nodiscard]] dataflow::AcceleratorSpec draw_oracle_machine(bool keeps_activations);

/// The machine in words.
[[nodiscard]] std::string to_text(const dataflow::AcceleratorSpec& machine);

/// Everything that is needed to write the case down as a test of its own.
[[nodiscard]] std::string to_text(const OracleCase& drawn);

/// The machine with every action at 1 pJ: energy then counts actions.
[[nodiscard]] dataflow::Machine with_flat_prices(dataflow::AcceleratorSpec spec);

}  // namespace vernier::tests
