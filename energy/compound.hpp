// Compound components (Accelergy's compound_components, v0.3 and v0.4): a class with attributes,
// the sub-components that it is built of, and actions composed of actions of those. The classes of
// a file become entries of an energy table; primitives are priced by the machine's other tables.
//
// Taken from v0.4: must_specify, attributes as expressions, ranges in names ("mul[0..lanes-1]")
// that replicate, energy_scale, area_scale. From v0.3: repeat and action_share (both multiply). A
// sub-component may itself be a compound of the file. Inside a MAC unit the names weight_bits and
// activation_bits hold the widths of the mode, so that an expression may depend on them.
#pragma once

#include <memory>

#include "energy/estimator.hpp"

namespace vernier::energy {

/// Reads a file with the key compound_components; the table's name is that of the file. Throws
/// ConfigError with all problems.
[[nodiscard]] std::unique_ptr<Estimator> make_compound_classes(const YamlNode& root);

}  // namespace vernier::energy
