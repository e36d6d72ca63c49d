#include "dataflow/surrogate/relaxer.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace vernier::dataflow {
namespace {

constexpr double kRounding = 1e-12;  // relative; below it a change is none

void add_to(Figures& sum, const Figures& part) {
  for (std::size_t at = 0; at < kFigureCount; ++at) sum[at] += part[at];
}

double cell_of(const KnotPosition& place) { return std::max(place.cell_above, place.cell_below); }

}  // namespace

double Relaxer::side(double left, double right) const {
  if (std::isnan(left)) return right;
  if (std::isnan(right)) return left;
  constexpr double kHalf = 0.5;
  switch (options_.kink) {
    case Kink::kLeft: return left;
    case Kink::kRight: return right;
    case Kink::kMean: break;
  }
  return left == right ? left : kHalf * (left + right);
}

TermSums Relaxer::empty_sums() const {
  TermSums sums;
  sums.by_coordinate.left.resize(model_.variables_.coordinates().size());
  sums.by_coordinate.right.resize(model_.variables_.coordinates().size());
  if (options_.tie) sums.tied.resize(model_.tie_groups_.size());
  return sums;
}

void Relaxer::add(std::size_t term, const Interpolated& part, const Placement& placement,
                  TermSums& sums) const {
  add_to(sums.value, part.value);
  const std::vector<std::size_t>& coordinates = model_.terms_.all()[term].coordinates;
  for (std::size_t at = 0; at < coordinates.size(); ++at) {
    add_to(sums.by_coordinate.left[coordinates[at]], part.left[at]);
    add_to(sums.by_coordinate.right[coordinates[at]], part.right[at]);
  }
  if (options_.tie) add_tied(term, part, placement, sums);
}

// Slices of one width that move together leave one block of tasks for another, while their own
// slopes also feel that both blocks exist in between.
Relaxer::WeightSlopes Relaxer::weight_slopes(std::size_t index, const Interpolated& part,
                                             const Placement& placement) const {
  const CostTerms& terms = model_.terms_;
  const Term& term = terms.all()[index];
  WeightSlopes slopes;
  if (term.own_slices.count == 0) {
    const auto at = static_cast<std::size_t>(term.own_weight);
    for (std::size_t figure = 0; figure < kFigureCount; ++figure) {
      slopes.together[figure] = side(part.left[at][figure], part.right[at][figure]);
    }
    return slopes;
  }
  const Coordinate& count =
      model_.variables_.coordinates()[term.coordinates[term.own_slices.first]];
  const KnotPosition& width =
      placement.variables[model_.variables_.variables_of(count.tensor).first];
  const auto channels = static_cast<double>(count.knots.back());
  const std::size_t here = term.own_slices.first + width.below;
  const auto down = terms.stepped(index, placement, options_.monotone, -1, 0);
  const auto up = terms.stepped(index, placement, options_.monotone, 1, 0);
  for (std::size_t figure = 0; figure < kFigureCount; ++figure) {
    double left = kNoSlope;
    double right = kNoSlope;
    double own_left = kNoSlope;
    double own_right = kNoSlope;
    if (down) {
      left = (part.value[figure] - down->value[figure]) / down->weight_bits;
      own_left =
          channels / down->weight_bits * (part.left[here][figure] - part.right[here - 1][figure]);
    }
    if (up) {
      right = (up->value[figure] - part.value[figure]) / up->weight_bits;
      own_right =
          channels / up->weight_bits * (part.right[here + 1][figure] - part.left[here][figure]);
    }
    slopes.together[figure] = side(left, right);
    const double apart = side(own_left, own_right);
    slopes.apart[figure] = std::isnan(apart) ? 0.0 : apart;
  }
  return slopes;
}

void Relaxer::add_tied(std::size_t index, const Interpolated& part, const Placement& placement,
                       TermSums& sums) const {
  const Term& term = model_.terms_.all()[index];
  if (!term.can_be_tied()) return;
  const std::size_t weight =
      term.own_slices.count > 0 ? term.own_slices.first : static_cast<std::size_t>(term.own_weight);
  const auto input = static_cast<std::size_t>(term.own_input);
  const TensorId tensor = model_.variables_.coordinates()[term.coordinates[weight]].tensor;
  const std::size_t variable = model_.variables_.variables_of(tensor).first;
  if (!placement.variables[variable].on_knot()) return;
  const auto vanishes = [&](double slope, const KnotPosition& place, std::size_t figure) {
    return std::isnan(slope) ||
           std::abs(slope) * cell_of(place) <= kRounding * std::abs(part.value[figure]);
  };
  const WeightSlopes slopes = weight_slopes(index, part, placement);
  bool any = false;
  std::array<bool, kFigureCount> both{};
  for (std::size_t figure = 0; figure < kFigureCount; ++figure) {
    both[figure] = vanishes(slopes.together[figure], placement.variables[variable], figure) &&
                   vanishes(side(part.left[input][figure], part.right[input][figure]),
                            placement.coordinates[term.coordinates[input]], figure);
    any = any || (both[figure] && part.value[figure] != 0.0);
  }
  if (!any) return;
  const auto lower = model_.terms_.stepped(index, placement, options_.monotone, -1, -1);
  if (!lower) return;
  constexpr double kHalf = 0.5;
  const double distance = kHalf * (lower->weight_bits + lower->input_bits);
  const auto group = static_cast<std::size_t>(model_.tie_group_of_[variable]);
  for (std::size_t figure = 0; figure < kFigureCount; ++figure) {
    if (!both[figure]) continue;
    sums.tied[group][figure] +=
        (part.value[figure] - lower->value[figure]) / distance - slopes.apart[figure];
  }
}

void Relaxer::check_tied(std::span<const double> bits) const {
  std::vector<std::string> problems;
  for (const std::vector<std::size_t>& group : model_.tie_groups_) {
    for (const std::size_t at : group) {
      if (bits[at] == bits[group.front()]) continue;
      problems.push_back(fmt::format(
          "tie: '{}' has {} bits and '{}' has {}; weights and inputs of a layer are one variable",
          model_.variables()[group.front()].name, bits[group.front()], model_.variables()[at].name,
          bits[at]));
    }
  }
  if (!problems.empty()) throw ModelError(problems);
}

// Every member of a group gets the same part, so that a step keeps them equal and the parts sum to
// the slope of the one variable.
void Relaxer::share_tied(std::vector<double>& gradient) const {
  for (const std::vector<std::size_t>& group : model_.tie_groups_) {
    double sum = 0.0;
    for (const std::size_t at : group) sum += gradient[at];
    for (const std::size_t at : group) gradient[at] = sum / static_cast<double>(group.size());
  }
}

SeenBits Relaxer::logical_bits(const Placement& placement) const {
  SeenBits seen{placement.bits, std::vector<double>(placement.bits.size(), 1.0)};
  for (const std::size_t at : placement.clamped) seen.slopes[at] = 0.0;
  return seen;
}

SeenBits Relaxer::stored_bits(const Placement& placement) const {
  SeenBits seen{placement.bits, std::vector<double>(placement.bits.size(), 0.0)};
  const Accelerator& machine = model_.machine().accelerator;
  for (std::size_t at = 0; at < placement.bits.size(); ++at) {
    const WidthLattice& lattice = model_.lattice(at);
    const KnotPosition& place = placement.variables[at];
    const auto stored = [&](std::size_t knot) {
      return static_cast<double>(machine.storage(Bitwidth(lattice[knot])).value().bits());
    };
    const double here = stored(place.below);
    double left = kNoSlope;
    double right = kNoSlope;
    if (place.cell_above > 0.0) right = (stored(place.below + 1U) - here) / place.cell_above;
    if (place.cell_below > 0.0) left = (here - stored(place.below - 1U)) / place.cell_below;
    if (!place.on_knot()) left = right;
    seen.bits[at] = place.on_knot() ? here : here + place.fraction * place.cell_above * right;
    const double slope = side(left, right);
    seen.slopes[at] = std::isnan(slope) ? 0.0 : slope;
  }
  for (const std::size_t at : placement.clamped) seen.slopes[at] = 0.0;
  return seen;
}

void Relaxer::set_slopes(const Placement& placement, const TermSums& sums, Parts& parts,
                         Relaxation& result) const {
  const SidedSlopes sided = model_.variables_.by_variable(placement, sums.by_coordinate);
  parts.slopes.assign(placement.bits.size(), Figures{});
  std::vector<bool> moves(placement.bits.size(), true);
  for (const std::size_t at : placement.clamped) moves[at] = false;
  for (std::size_t at = 0; at < placement.bits.size(); ++at) {
    if (!moves[at]) continue;
    bool is_stuck = false;
    bool falls = false;
    for (std::size_t figure = 0; figure < index_of(Figure::kUnused); ++figure) {
      const double slope = side(sided.left[at][figure], sided.right[at][figure]);
      is_stuck = is_stuck || std::isnan(slope);
      parts.slopes[at][figure] = std::isnan(slope) ? 0.0 : slope;
      falls = falls ||
              slope * cell_of(placement.variables[at]) < -kRounding * std::abs(sums.value[figure]);
    }
    if (is_stuck) result.stuck.push_back(at);
    if (falls) result.falling.push_back(at);
  }
  for (std::size_t group = 0; group < sums.tied.size(); ++group) {
    const std::vector<std::size_t>& members = model_.tie_groups_[group];
    for (const std::size_t at : members) {
      for (std::size_t figure = 0; figure < kFigureCount && moves[at]; ++figure) {
        parts.slopes[at][figure] += sums.tied[group][figure] / static_cast<double>(members.size());
      }
    }
  }
}

Relaxer::Measured Relaxer::measure_size(const Measure& what, const Parts& parts,
                                        std::vector<double>& gradient) const {
  const bool stored =
      what.basis == SizeBasis::kStorage && what.quantity != Quantity::kBitOperations;
  const SeenBits& seen = stored ? parts.stored : parts.logical;
  const SeenBits& exact_seen = stored ? parts.exact_stored : parts.exact_logical;
  const bool exact = options_.forward == Forward::kExact;
  Measured result;
  if (what.quantity == Quantity::kBitOperations) {
    result.relaxed = bit_operations(model_.graph_, model_.variables_, seen, 1.0, gradient);
    result.measured = exact ? bit_operations(model_.graph_, model_.variables_, exact_seen, 1.0, {})
                            : result.relaxed;
    return result;
  }
  SizeLists own;
  if (!what.also.empty()) own = size_lists(model_.graph_, what);
  const std::size_t kept =
      what.quantity == Quantity::kWeightSize ? 0 : 1 + static_cast<std::size_t>(what.accounting);
  const SizeLists& lists = what.also.empty() ? model_.size_lists_[kept] : own;
  result.relaxed = size_value(lists, what, model_.variables_, seen, 1.0, gradient);
  result.measured =
      exact ? size_value(lists, what, model_.variables_, exact_seen, 1.0, {}) : result.relaxed;
  return result;
}

Relaxer::Measured Relaxer::measure(const Measure& what, const Parts& parts,
                                   std::vector<double>& gradient) const {
  const auto plain = [&](Figure figure) {
    const std::size_t index = index_of(figure);
    for (std::size_t at = 0; at < gradient.size(); ++at) gradient[at] = parts.slopes[at][index];
    return Measured{parts.relaxed[index], parts.exact[index]};
  };
  switch (what.quantity) {
    case Quantity::kLatency: return plain(Figure::kCycles);
    case Quantity::kEnergy: return plain(Figure::kEnergy);
    case Quantity::kDramTraffic: return plain(Figure::kDramBits);
    case Quantity::kEnergyDelay: {
      const std::size_t energy = index_of(Figure::kEnergy);
      const std::size_t cycles = index_of(Figure::kCycles);
      for (std::size_t at = 0; at < gradient.size(); ++at) {
        gradient[at] = parts.exact[energy] * parts.slopes[at][cycles] +
                       parts.exact[cycles] * parts.slopes[at][energy];
      }
      return {parts.relaxed[energy] * parts.relaxed[cycles],
              parts.exact[energy] * parts.exact[cycles]};
    }
    case Quantity::kWeightSize:
    case Quantity::kActivationSize:
    case Quantity::kBitOperations: break;
  }
  return measure_size(what, parts, gradient);
}

Result<Relaxation> Relaxer::finish(std::span<const double> bits, const Placement& placement,
                                   const TermSums& sums,
                                   std::span<const Objective> objectives) const {
  if (options_.tie) check_tied(bits);
  Relaxation result;
  Parts parts;
  parts.relaxed = parts.exact = sums.value;
  result.clamped = placement.clamped;
  set_slopes(placement, sums, parts, result);
  const bool stores = std::any_of(objectives.begin(), objectives.end(), [](const Objective& one) {
    return one.measure.basis == SizeBasis::kStorage;
  });
  parts.logical = logical_bits(placement);
  if (stores) parts.stored = stored_bits(placement);
  if (options_.forward == Forward::kExact) {
    const std::vector<std::int64_t> widths = model_.variables_.snapped(placement);
    const Result<CostFigures> exact =
        model_.figures_at(model_.amounts_of(model_.precision_of(widths)), options_.monotone);
    if (!exact) return exact.infeasible();
    parts.exact = {exact->cycles, exact->energy_pj, exact->dram_bits, 0.0};
    const Placement snapped =
        model_.variables_.place(std::vector<double>(widths.begin(), widths.end()));
    parts.exact_logical = logical_bits(snapped);
    if (stores) parts.exact_stored = stored_bits(snapped);
  }
  result.gradient.assign(bits.size(), 0.0);
  for (const Objective& objective : objectives) {
    ObjectiveResult one;
    one.gradient.assign(bits.size(), 0.0);
    const Measured measured = measure(objective.measure, parts, one.gradient);
    const FormValue form = apply(objective, measured.measured);
    one.measured = measured.measured;
    one.relaxed = measured.relaxed;
    one.value = form.value;
    for (double& slope : one.gradient) slope *= form.slope;
    if (options_.tie) share_tied(one.gradient);
    result.total += one.value;
    for (std::size_t at = 0; at < bits.size(); ++at) result.gradient[at] += one.gradient[at];
    result.objectives.push_back(std::move(one));
  }
  return result;
}

}  // namespace vernier::dataflow
