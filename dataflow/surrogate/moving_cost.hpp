// A place in the space of bits that moves one variable at a time, as coordinate searches do: only
// the terms that contain the variable's tensor are evaluated again. Same numbers as
// CostModel::relax at the same bits, to the last bit.
#pragma once

#include <span>
#include <vector>

#include "dataflow/surrogate/cost_model.hpp"

namespace vernier::dataflow {

/// For one thread; the model may be shared.
class MovingCost {
 public:
  /// The model must outlive this. Throws as CostModel::relax does for wrong bits.
  MovingCost(const CostModel& model, std::span<const double> bits,
             const RelaxOptions& options = {});

  /// Moves one variable. Throws ModelError for an unknown variable and for bits that are no finite
  /// number.
  void set(std::size_t variable, double bits);
  /// Objectives at the present bits; throws and returns as CostModel::relax does.
  [[nodiscard]] Result<Relaxation> cost(std::span<const Objective> objectives);

  [[nodiscard]] const std::vector<double>& bits() const { return bits_; }
  /// Terms that were evaluated since the beginning.
  [[nodiscard]] std::size_t evaluated_terms() const { return evaluated_; }
  /// Terms that contain a variable's tensor.
  [[nodiscard]] const std::vector<std::size_t>& terms_of(std::size_t variable) const;

 private:
  const CostModel& model_;
  RelaxOptions options_;
  std::vector<double> bits_;
  Placement placement_;
  std::vector<std::vector<std::size_t>> terms_of_tensor_;
  std::vector<Interpolated> parts_;  // by term
  std::vector<bool> stale_;
  std::size_t evaluated_ = 0;
};

}  // namespace vernier::dataflow
