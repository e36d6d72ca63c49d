#include "dataflow/surrogate/cost_model.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "arch/base/text.hpp"
#include "dataflow/surrogate/relaxer.hpp"

namespace vernier::dataflow {
namespace {

CostFigures sums_of(const NetworkCost& cost) {
  CostFigures sums;
  for (const LayerCost& layer : cost.layers) {
    sums.cycles += static_cast<double>(layer.cost.cycles.total().count());
    sums.energy_pj += layer.cost.energy.total().count();
    sums.dram_bits += static_cast<double>(layer.cost.dram.total().count());
  }
  return sums;
}

Bitwidth widest(const Precision& precision) {
  Bitwidth bits = precision.bits;
  for (const PrecisionSlice& slice : precision.slices) bits = std::max(bits, slice.bits);
  return bits;
}

std::vector<SizeLists> all_size_lists(const LayerGraph& graph) {
  std::vector<SizeLists> lists{size_lists(graph, {.quantity = Quantity::kWeightSize})};
  for (int at = 0; at <= static_cast<int>(SizeAccounting::kPeakInOut); ++at) {
    lists.push_back(size_lists(graph, {.quantity = Quantity::kActivationSize,
                                       .accounting = static_cast<SizeAccounting>(at)}));
  }
  return lists;
}

}  // namespace

CostModel::CostModel(const Machine& machine, const LayerGraph& graph, CostModelOptions options)
    : graph_(graph),
      evaluator_(machine),
      base_(resolve_precision(graph, options.base).tensors),
      variables_(graph, machine.accelerator, options.slices),
      terms_(evaluator_, graph, variables_, base_),
      size_lists_(all_size_lists(graph)) {
  for (TensorId id = 0; id < base_.size(); ++id) {  // narrowest, so that every layer can be lowered
    base_[id].slices.clear();
    base_[id].bits = Bitwidth(variables_.lattice(variables_.variables_of(id).first).front());
  }
  make_tie_groups();
}

void CostModel::clear() {
  terms_.clear();
  evaluator_.clear_cache();
}

// Tensors that are weight and input of one layer, and all that hang on them.
void CostModel::make_tie_groups() {
  std::vector<std::size_t> root(variables_.all().size());
  std::iota(root.begin(), root.end(), std::size_t{0});
  const auto find = [&](std::size_t at) {
    while (root[at] != at) at = root[at];
    return at;
  };
  for (const Layer& layer : graph_.layers()) {
    if (!is_mac(layer.op)) continue;
    const IndexRange weight = variables_.variables_of(weight_operand(graph_, layer));
    const std::size_t input = variables_.variables_of(layer.inputs[0]).first;
    for (std::size_t at = weight.first; at < weight.first + weight.count; ++at) {
      const std::size_t one = find(at);
      const std::size_t other = find(input);
      root[std::max(one, other)] = std::min(one, other);
    }
  }
  tie_group_of_.assign(root.size(), -1);
  std::vector<std::vector<std::size_t>> members(root.size());
  for (std::size_t at = 0; at < root.size(); ++at) members[find(at)].push_back(at);
  for (std::vector<std::size_t>& group : members) {
    if (group.size() < 2) continue;
    for (const std::size_t at : group) tie_group_of_[at] = static_cast<int>(tie_groups_.size());
    tie_groups_.push_back(std::move(group));
  }
}

std::vector<WidthPair> CostModel::legal_pairs(std::string_view layer) const {
  const auto found = graph_.find_layer(layer);
  if (!found) {
    std::vector<std::string> names;
    for (const Layer& known : graph_.layers()) names.push_back(known.name);
    throw ModelError(fmt::format("the network '{}' has no layer '{}'{}", graph_.name(),
                                 shown(layer), suggestion(layer, names)));
  }
  return dataflow::legal_pairs(graph_, *found, base_, machine().accelerator);
}

NetworkPrecision CostModel::precision_of(std::span<const std::int64_t> widths) const {
  NetworkPrecision precision = base_;
  for (TensorId id = 0; id < precision.size(); ++id) {
    const IndexRange range = variables_.variables_of(id);
    std::int64_t largest = 0;
    for (std::size_t at = range.first; at < range.first + range.count; ++at) {
      largest = std::max(largest, widths[at]);
      const std::int64_t channels = variables_.all()[at].channels;
      if (channels > 0) precision[id].slices.push_back({channels, Bitwidth(widths[at])});
    }
    precision[id].bits = Bitwidth(largest);
  }
  return precision;
}

LegalWidths CostModel::round_to_legal(std::span<const double> bits, RoundPolicy policy) const {
  LegalWidths legal{variables_.rounded(bits, policy), {}};
  const auto narrow = [&](TensorId tensor) {
    const IndexRange range = variables_.variables_of(tensor);
    const WidthLattice& lattice = variables_.lattice(range.first);
    std::int64_t most = 0;
    for (std::size_t at = range.first; at < range.first + range.count; ++at) {
      most = std::max(most, legal.bits[at]);
    }
    const auto above = std::lower_bound(lattice.begin(), lattice.end(), most);
    if (above == lattice.begin()) return false;
    for (std::size_t at = range.first; at < range.first + range.count; ++at) {
      legal.bits[at] = std::min(legal.bits[at], *std::prev(above));
    }
    legal.notes.push_back(fmt::format("'{}' narrowed from {} to {} bits",
                                      graph_.tensor(tensor).name, most, *std::prev(above)));
    return true;
  };
  for (LayerId id = 0; id < graph_.layers().size(); ++id) {
    const Layer& layer = graph_.layers()[id];
    if (!is_mac(layer.op)) continue;
    const TensorId weight = graph_.viewed(weight_operand(graph_, layer));
    const TensorId input = graph_.viewed(layer.inputs[0]);
    while (true) {
      const NetworkPrecision precision = precision_of(legal.bits);
      const auto reason = refusal(graph_, id, precision, machine().accelerator);
      if (!reason) break;
      const bool weight_first = widest(precision[weight]) >= widest(precision[input]);
      if (narrow(weight_first ? weight : input) || narrow(weight_first ? input : weight)) continue;
      throw ModelError(*reason);
    }
  }
  return legal;
}

std::string CostModel::advice(const NetworkPrecision& precision) const {
  std::string text;
  for (LayerId id = 0; id < graph_.layers().size(); ++id) {
    if (!refusal(graph_, id, precision, machine().accelerator)) continue;
    const std::string pairs = pair_advice(graph_, id, precision, machine().accelerator);
    if (!pairs.empty()) text += "\n" + pairs;
  }
  return text;
}

Result<NetworkCost> CostModel::evaluate(const NetworkPrecision& precision) const {
  try {
    return evaluator_.evaluate(graph_, precision);
  } catch (const ModelError& error) {
    throw ModelError(error.what() + advice(precision));
  }
}

Result<NetworkCost> CostModel::evaluate(const PrecisionMap& map) const {
  return evaluate(resolve_precision(graph_, map).tensors);
}

Result<NetworkCost> CostModel::evaluate(std::span<const double> bits) const {
  return evaluate(precision_of(variables_.whole(bits)));
}

bool CostModel::varies_only_widths(const NetworkPrecision& precision) const {
  for (TensorId id = 0; id < precision.size(); ++id) {
    const Precision& given = precision[id];
    if (given.kind != base_[id].kind || given.asymmetric != base_[id].asymmetric) return false;
    if (given.slices.size() > 1 && !variables_.is_sliced(id)) return false;
  }
  return true;
}

std::vector<std::int64_t> CostModel::amounts_of(const NetworkPrecision& precision) const {
  const std::vector<Coordinate>& coordinates = variables_.coordinates();
  std::vector<std::int64_t> amounts(coordinates.size(), 0);
  for (std::size_t at = 0; at < coordinates.size();) {
    const TensorId tensor = coordinates[at].tensor;
    const IndexRange range = variables_.coordinates_of(tensor);
    const WidthLattice& lattice = variables_.lattice(variables_.variables_of(tensor).first);
    const auto index_of_width = [&](Bitwidth bits) {
      const auto found = std::lower_bound(lattice.begin(), lattice.end(), bits.bits());
      return found == lattice.end() ? lattice.size()
                                    : static_cast<std::size_t>(found - lattice.begin());
    };
    const Precision& given = precision[tensor];
    if (index_of_width(widest(given)) == lattice.size()) return {};
    if (!variables_.is_sliced(tensor)) {
      amounts[range.first] = lattice[index_of_width(given.bits)];
    } else if (given.slices.empty()) {
      amounts[range.first + index_of_width(given.bits)] = graph_.tensor(tensor).weights.rows;
    } else {
      for (const PrecisionSlice& slice : given.slices) {
        amounts[range.first + index_of_width(slice.bits)] += slice.channels;
      }
    }
    at += range.count;
  }
  return amounts;
}

Result<CostFigures> CostModel::figures_at(std::span<const std::int64_t> amounts,
                                          Monotone monotone) const {
  const std::vector<Coordinate>& coordinates = variables_.coordinates();
  std::vector<KnotIndex> knot_of(coordinates.size());
  std::vector<bool> is_knot(coordinates.size());
  for (std::size_t at = 0; at < coordinates.size(); ++at) {
    const std::vector<std::int64_t>& knots = coordinates[at].knots;
    const auto found = std::lower_bound(knots.begin(), knots.end(), amounts[at]);
    is_knot[at] = found != knots.end() && *found == amounts[at];
    knot_of[at] = static_cast<KnotIndex>(found - knots.begin());
  }
  Figures sum{};
  std::vector<KnotIndex> knots;
  std::vector<std::int64_t> own_amounts;
  for (std::size_t at = 0; at < terms_.all().size(); ++at) {
    knots.clear();
    own_amounts.clear();
    bool kept = true;
    for (const std::size_t coordinate : terms_.all()[at].coordinates) {
      kept = kept && is_knot[coordinate];
      knots.push_back(knot_of[coordinate]);
      own_amounts.push_back(amounts[coordinate]);
    }
    const Result<Figures> term =
        kept ? terms_.at_knots(at, knots, monotone) : terms_.exact(at, own_amounts);
    if (!term) return term.infeasible();
    for (std::size_t figure = 0; figure < kFigureCount; ++figure) sum[figure] += (*term)[figure];
  }
  terms_.count_evaluations(terms_.all().size());
  return CostFigures{sum[0], sum[1], sum[2]};
}

Result<CostFigures> CostModel::figures(const PrecisionMap& map) const {
  const NetworkPrecision precision = resolve_precision(graph_, map).tensors;
  const std::vector<std::int64_t> amounts =
      varies_only_widths(precision) ? amounts_of(precision) : std::vector<std::int64_t>{};
  if (amounts.empty()) {  // other kinds or slices, or widths that the evaluator refuses by name
    const Result<NetworkCost> cost = evaluate(precision);
    if (!cost) return cost.infeasible();
    return sums_of(*cost);
  }
  try {
    return figures_at(amounts, Monotone::kExact);
  } catch (const ModelError& error) {
    throw ModelError(error.what() + advice(precision));
  }
}

Result<CostFigures> CostModel::figures(std::span<const double> bits) const {
  const NetworkPrecision precision = precision_of(variables_.whole(bits));
  try {
    return figures_at(amounts_of(precision), Monotone::kExact);
  } catch (const ModelError& error) {
    throw ModelError(error.what() + advice(precision));
  }
}

std::vector<Result<CostFigures>> CostModel::figures_of_all(std::span<const PrecisionMap> maps,
                                                           int jobs) const {
  std::vector<Result<CostFigures>> results(maps.size(), Result<CostFigures>(CostFigures{}));
  const auto work = [&](std::size_t at) { results[at] = figures(maps[at]); };
  if (jobs <= 1) {
    for (std::size_t at = 0; at < maps.size(); ++at) work(at);
    return results;
  }
  tbb::task_arena arena(jobs);
  arena.execute([&] { tbb::parallel_for(std::size_t{0}, maps.size(), work); });
  return results;
}

Result<Relaxation> CostModel::relax(std::span<const double> bits,
                                    std::span<const Objective> objectives,
                                    const RelaxOptions& options) const {
  const Relaxer relaxer(*this, options);
  const Placement placement = variables_.place(bits);
  try {
    TermSums sums = relaxer.empty_sums();
    Interpolated term;
    for (std::size_t at = 0; at < terms_.all().size(); ++at) {
      const Result<bool> found = terms_.interpolated(at, placement, options.monotone, term);
      if (!found) return found.infeasible();
      relaxer.add(at, term, placement, sums);
    }
    terms_.count_evaluations(terms_.all().size());
    return relaxer.finish(bits, placement, sums, objectives);
  } catch (const ModelError& error) {
    throw ModelError(error.what() + advice(precision_of(variables_.snapped(placement))));
  }
}

}  // namespace vernier::dataflow
