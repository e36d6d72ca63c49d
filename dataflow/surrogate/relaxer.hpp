// From the terms of a cost model to values and gradients of objectives: sides of kinks, ties, forms
// (design 8.2 to 8.7). Made for one call; the sums may come from any subset of fresh terms.
#pragma once

#include <span>
#include <vector>

#include "dataflow/surrogate/cost_model.hpp"

namespace vernier::dataflow {

/// Terms added up.
struct TermSums {
  Figures value{};
  SidedSlopes by_coordinate;
  std::vector<Figures> tied;  ///< slopes of lowering both operands, by tie group
};

class Relaxer {
 public:
  Relaxer(const CostModel& model, const RelaxOptions& options) : model_(model), options_(options) {}

  [[nodiscard]] TermSums empty_sums() const;
  /// Adds one term, in the order of the terms.
  void add(std::size_t term, const Interpolated& part, const Placement& placement,
           TermSums& sums) const;
  /// The objectives. Throws ModelError when tied bits differ, ConfigError for wrong objectives.
  [[nodiscard]] Result<Relaxation> finish(std::span<const double> bits, const Placement& placement,
                                          const TermSums& sums,
                                          std::span<const Objective> objectives) const;

 private:
  // Values and gradients of the sum figures, and what sizes see.
  struct Parts {
    Figures relaxed{};
    Figures exact{};
    std::vector<Figures> slopes;  // by variable
    SeenBits logical;
    SeenBits stored;
    SeenBits exact_logical;
    SeenBits exact_stored;
  };
  struct Measured {
    double relaxed = 0.0;
    double measured = 0.0;
  };

  // Of a layer's weight, per bit: all of it together, and what its slices' own slopes add up to.
  struct WeightSlopes {
    Figures together{};
    Figures apart{};  // 0 for a weight without slices, whose slope is `together`
  };

  [[nodiscard]] double side(double left, double right) const;
  [[nodiscard]] SeenBits logical_bits(const Placement& placement) const;
  [[nodiscard]] SeenBits stored_bits(const Placement& placement) const;
  [[nodiscard]] WeightSlopes weight_slopes(std::size_t term, const Interpolated& part,
                                           const Placement& placement) const;
  void add_tied(std::size_t term, const Interpolated& part, const Placement& placement,
                TermSums& sums) const;
  void check_tied(std::span<const double> bits) const;
  void share_tied(std::vector<double>& gradient) const;
  void set_slopes(const Placement& placement, const TermSums& sums, Parts& parts,
                  Relaxation& result) const;
  [[nodiscard]] Measured measure(const Measure& what, const Parts& parts,
                                 std::vector<double>& gradient) const;
  [[nodiscard]] Measured measure_size(const Measure& what, const Parts& parts,
                                      std::vector<double>& gradient) const;

  const CostModel& model_;
  RelaxOptions options_;
};

}  // namespace vernier::dataflow
