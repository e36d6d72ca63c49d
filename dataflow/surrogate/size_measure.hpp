// Sizes and bit operations in closed form: linear or bilinear in the bits, or the largest of such
// sums.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "dataflow/surrogate/objective.hpp"
#include "dataflow/surrogate/variables.hpp"

namespace vernier::dataflow {

/// What a size counts: `elements` elements of a tensor.
struct SizeEntry {
  TensorId tensor = 0;
  double elements = 0.0;
};
/// The size is the largest sum of one of these lists, in bits; a plain sum has one list.
using SizeLists = std::vector<std::vector<SizeEntry>>;

/// The tensors that a size counts. Throws ConfigError when `also` names no activation.
[[nodiscard]] SizeLists size_lists(const LayerGraph& graph, const Measure& measure);

/// Bits of each variable that a size sees, and their slopes (0 where clamped or where storage does
/// not change).
struct SeenBits {
  std::vector<double> bits;
  std::vector<double> slopes;
};

/// Value of a size in its unit; adds its gradient by variable, times `scale`, to `gradient`. Every
/// list that reaches the largest sum gets it (design 8.2).
[[nodiscard]] double size_value(const SizeLists& lists, const Measure& measure,
                                const Variables& variables, const SeenBits& seen, double scale,
                                std::span<double> gradient);

/// Weight bits times activation bits of every MAC, and its gradient as above.
[[nodiscard]] double bit_operations(const LayerGraph& graph, const Variables& variables,
                                    const SeenBits& seen, double scale, std::span<double> gradient);

}  // namespace vernier::dataflow
