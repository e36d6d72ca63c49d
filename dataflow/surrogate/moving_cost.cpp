#include "dataflow/surrogate/moving_cost.hpp"

#include "dataflow/surrogate/relaxer.hpp"

namespace vernier::dataflow {

MovingCost::MovingCost(const CostModel& model, std::span<const double> bits,
                       const RelaxOptions& options)
    : model_(model),
      options_(options),
      bits_(bits.begin(), bits.end()),
      placement_(model.variables_.place(bits)),
      terms_of_tensor_(model.graph().tensors().size()),
      parts_(model.terms().all().size()),
      stale_(parts_.size(), true) {
  for (std::size_t term = 0; term < parts_.size(); ++term) {
    for (const TensorId tensor : model.terms().all()[term].scope.tensors) {
      terms_of_tensor_[tensor].push_back(term);
    }
  }
}

const std::vector<std::size_t>& MovingCost::terms_of(std::size_t variable) const {
  return terms_of_tensor_[model_.variables().at(variable).tensor];
}

void MovingCost::set(std::size_t variable, double bits) {
  model_.variables_.move(placement_, variable, bits);
  bits_[variable] = bits;
  for (const std::size_t term : terms_of(variable)) stale_[term] = true;
}

Result<Relaxation> MovingCost::cost(std::span<const Objective> objectives) {
  const Relaxer relaxer(model_, options_);
  TermSums sums = relaxer.empty_sums();
  std::size_t fresh = 0;
  for (std::size_t term = 0; term < parts_.size(); ++term) {
    if (stale_[term]) {
      const Result<bool> found =
          model_.terms_.interpolated(term, placement_, options_.monotone, parts_[term]);
      if (!found) return found.infeasible();
      stale_[term] = false;
      ++fresh;
    }
    relaxer.add(term, parts_[term], placement_, sums);
  }
  evaluated_ += fresh;
  model_.terms_.count_evaluations(fresh);
  return relaxer.finish(bits_, placement_, sums, objectives);
}

}  // namespace vernier::dataflow
