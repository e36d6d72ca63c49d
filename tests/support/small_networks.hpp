// Small networks and places in the space of bits, drawn from a seed, and machines whose units know
// several widths: for tests of the surrogate.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/surrogate/cost_model.hpp"

namespace vernier::tests {

/// The example machine with a fused unit for widths 2, 4 and 8.
[[nodiscard]] dataflow::AcceleratorSpec fused_spec(arch::Dataflow dataflow);
/// The same with one buffer for all operands.
[[nodiscard]] dataflow::AcceleratorSpec shared_buffer_spec(arch::Dataflow dataflow);

/// A layer specification.
[[nodiscard]] dataflow::LayerSpec layer_spec(const std::string& name, dataflow::Operator op,
                                             std::vector<std::string> inputs);

/// A chain of dense layers over `pixels` tokens with these features, the first one the input's.
[[nodiscard]] dataflow::LayerGraph dense_chain(const std::vector<std::int64_t>& features,
                                               std::int64_t pixels);

/// One to three layers (convolution, dense, addition, concatenation, pooling, matrix product) with
/// at most 6 tensors.
[[nodiscard]] dataflow::LayerGraph random_network(std::uint64_t seed);

using Random = std::mt19937_64;
/// A number below `bound`; the same on every platform.
[[nodiscard]] std::size_t below(Random& random, std::size_t bound);
/// In [0, 1).
[[nodiscard]] double fraction(Random& random);

/// A random lattice point, or a random point strictly inside cells.
[[nodiscard]] std::vector<double> lattice_bits(const dataflow::CostModel& model, Random& random);
[[nodiscard]] std::vector<double> inner_bits(const dataflow::CostModel& model, Random& random);
/// Like lattice_bits, rounded so that every layer's pair is legal.
[[nodiscard]] std::vector<double> legal_bits(const dataflow::CostModel& model, Random& random);

/// Objectives of one measure as a plain penalty.
[[nodiscard]] std::vector<dataflow::Objective> only(const std::string& measure);

/// Path of a shipped file below configs/.
[[nodiscard]] std::string config_path(const std::string& name);

}  // namespace vernier::tests
