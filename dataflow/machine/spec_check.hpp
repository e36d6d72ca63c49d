// Checks of a machine description that concern several of its keys.
#pragma once

#include <string>
#include <vector>

#include "dataflow/machine/accelerator.hpp"

namespace vernier::dataflow {

/// A problem of the description at the key that a person would change.
struct SpecProblem {
  std::string key_path;
  std::string message;
};

/// Everything that is wrong with a description whose keys are sound one by one.
[[nodiscard]] std::vector<SpecProblem> problems_of(const AcceleratorSpec& spec);

/// Whether the array is one of those on which a tile holds one group and every product of a PE's
/// step goes to one sum: overlapping folds and dot_columns (design 12).
[[nodiscard]] bool tiles_hold_one_group(const arch::ArraySpec& array);
/// The key and value that make it so.
[[nodiscard]] std::string one_group_key(const arch::ArraySpec& array);

}  // namespace vernier::dataflow
