#include "dataflow/surrogate/cost_terms.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "dataflow/evaluate/cost_cache.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/mapping/residency.hpp"
#include "dataflow/result/network_cost.hpp"
#include "dataflow/schedule/network_schedule.hpp"

namespace vernier::dataflow {
namespace {

// Bounds that keep a memo below about 100 MB.
constexpr std::size_t kMostVertexBytes = std::size_t{40} << 20U;
constexpr std::size_t kMostPatchBytes = std::size_t{60} << 20U;
constexpr std::size_t kBucketsLog2 = 14;

// Terms of both kinds of figures share the tables.
std::uint32_t key_of(std::size_t term, Monotone monotone) {
  return static_cast<std::uint32_t>(2 * term + (monotone == Monotone::kEnvelope ? 1 : 0));
}

int place_of(const Term& term, const Variables& variables, TensorId tensor) {
  if (variables.is_sliced(tensor)) return -1;
  const std::size_t coordinate = variables.coordinates_of(tensor).first;
  const auto found = std::find(term.coordinates.begin(), term.coordinates.end(), coordinate);
  return static_cast<int>(found - term.coordinates.begin());
}

Term make_term(const LayerGraph& graph, const Variables& variables, LayerScope scope) {
  Term term;
  term.scope = std::move(scope);
  for (const TensorId tensor : term.scope.tensors) {
    const IndexRange range = variables.coordinates_of(tensor);
    for (std::size_t at = 0; at < range.count; ++at) term.coordinates.push_back(range.first + at);
  }
  term.simplex = term.coordinates.size() > kMostMultilinear;
  const Layer& layer = graph.layers()[term.scope.layer];
  if (is_mac(layer.op)) {
    const TensorId weight = graph.viewed(weight_operand(graph, layer));
    term.own_weight = place_of(term, variables, weight);
    if (variables.is_sliced(weight)) {
      const IndexRange range = variables.coordinates_of(weight);
      const auto first = std::ranges::find(term.coordinates, range.first);
      term.own_slices = {static_cast<std::size_t>(first - term.coordinates.begin()), range.count};
    }
    term.own_input = place_of(term, variables, graph.viewed(layer.inputs[0]));
  }
  return term;
}

// Places of a term's coordinates; no allocation for small terms.
class TermPlace {
 public:
  TermPlace(const Term& term, const Placement& placement) {
    positions_.reserve(term.coordinates.size());
    for (const std::size_t at : term.coordinates) {
      positions_.push_back(placement.coordinates[at]);
    }
  }
  [[nodiscard]] std::span<const KnotPosition> positions() const { return positions_; }
  /// Names the cells and knots that the coordinates stand in or on.
  [[nodiscard]] std::vector<KnotIndex> cell_key() const {
    std::vector<KnotIndex> key;
    key.reserve(positions_.size());
    for (const KnotPosition& position : positions_) {
      key.push_back(static_cast<KnotIndex>(2 * position.below + (position.on_knot() ? 0 : 1)));
    }
    return key;
  }

 private:
  std::vector<KnotPosition> positions_;
};

// The value of a term, without what its slopes would need.
bool value_only(const Term& term, std::vector<KnotPosition> at, const VertexSource& source,
                Interpolated& out) {
  for (KnotPosition& position : at) {
    position.cell_below = 0.0;
    if (position.on_knot()) position.cell_above = 0.0;
  }
  if (term.simplex) return interpolate_on_simplex(at, source, out);
  const Patch patch = make_patch(at, source);
  if (patch.legal) interpolate(patch, at, out);
  return patch.legal;
}

}  // namespace

struct CostTerms::Memo {
  ConcurrentTable<Vertex> vertices{kBucketsLog2, kMostVertexBytes};
  ConcurrentTable<Patch> patches{kBucketsLog2, kMostPatchBytes};
  std::atomic<std::uint64_t> evaluated{0};
  std::atomic<std::uint64_t> misses{0};
};

CostTerms::CostTerms(const Evaluator& evaluator, const LayerGraph& graph,
                     const Variables& variables, const NetworkPrecision& base)
    : evaluator_(evaluator),
      graph_(graph),
      variables_(variables),
      base_(base),
      shown_by_(graph.tensors().size()),
      memo_(std::make_unique<Memo>()) {
  for (TensorId id = 0; id < graph.tensors().size(); ++id) {
    if (graph.viewed(id) != id) shown_by_[graph.viewed(id)].push_back(id);
  }
  for (LayerScope& scope : layer_scopes(graph, evaluator.machine().accelerator)) {
    terms_.push_back(make_term(graph, variables, std::move(scope)));
  }
}

CostTerms::~CostTerms() = default;

void CostTerms::clear() { memo_ = std::make_unique<Memo>(); }

MemoCounts CostTerms::counts() const {
  const std::uint64_t misses = memo_->misses.load(std::memory_order_relaxed);
  const std::uint64_t evaluated = memo_->evaluated.load(std::memory_order_relaxed);
  return {.vertices = memo_->vertices.count(),
          .patches = memo_->patches.count(),
          .bytes = memo_->vertices.bytes() + memo_->patches.bytes(),
          .hits = evaluated - std::min(evaluated, misses),
          .misses = misses};
}

void CostTerms::count_evaluations(std::size_t terms) const {
  memo_->evaluated.fetch_add(terms, std::memory_order_relaxed);
}

std::vector<std::int64_t> CostTerms::amounts_of(std::size_t term,
                                                std::span<const KnotIndex> knots) const {
  std::vector<std::int64_t> amounts;
  amounts.reserve(knots.size());
  for (std::size_t at = 0; at < knots.size(); ++at) {
    const Coordinate& coordinate = variables_.coordinates()[terms_[term].coordinates[at]];
    amounts.push_back(coordinate.knots[knots[at]]);
  }
  return amounts;
}

void CostTerms::set_widths(const Term& term, std::span<const std::int64_t> amounts,
                           NetworkPrecision& precision) const {
  for (std::size_t at = 0; at < term.coordinates.size(); ++at) {
    const Coordinate& coordinate = variables_.coordinates()[term.coordinates[at]];
    if (coordinate.width > 0) continue;
    const Bitwidth bits(amounts[at]);
    precision[coordinate.tensor].bits = bits;
    for (const TensorId view : shown_by_[coordinate.tensor]) precision[view].bits = bits;
  }
}

// One task per width that has channels, as lower_layer makes them (design 5.7), but for numbers of
// channels that need not sum to the layer's.
LoweredLayer CostTerms::lowered(LayerId layer, const Term& term,
                                std::span<const std::int64_t> amounts,
                                const NetworkPrecision& precision) const {
  const Accelerator& machine = evaluator_.machine().accelerator;
  const std::optional<TensorId> weight = graph_.layers()[layer].weight;
  const auto& tensors = term.scope.tensors;
  if (!weight || !variables_.is_sliced(*weight) ||
      !std::binary_search(tensors.begin(), tensors.end(), *weight)) {
    return lower_layer(graph_, layer, precision, machine);
  }
  LoweredLayer result;
  result.layer = layer;
  NetworkPrecision at_width = precision;
  const bool asymmetric = precision[*weight].asymmetric;
  for (std::size_t at = 0; at < term.coordinates.size(); ++at) {
    const Coordinate& coordinate = variables_.coordinates()[term.coordinates[at]];
    if (coordinate.tensor != *weight || amounts[at] == 0) continue;
    at_width[*weight].bits = Bitwidth(coordinate.width);
    at_width[*weight].asymmetric = asymmetric && result.tasks.empty();
    LoweredLayer whole = lower_layer(graph_, layer, at_width, machine);
    LayerTask& task = whole.tasks.front();
    if (task.groups == 1) {
      task.out_channels = amounts[at];
    } else {
      task.groups = amounts[at] / task.out_channels;
    }
    result.tasks.push_back(task);
  }
  return result;
}

// All layers, where activations may stay on chip: what lies outside the scope changes nothing for
// the window. Empty for other machines.
std::vector<LoweredLayer> CostTerms::placed_network(const Term& term,
                                                    std::span<const std::int64_t> amounts,
                                                    const NetworkPrecision& precision) const {
  const Accelerator& machine = evaluator_.machine().accelerator;
  std::vector<LoweredLayer> network;
  if (machine.buffer(TensorRole::kOutput).resident_bytes.count() == 0) return network;
  for (LayerId layer = 0; layer < graph_.layers().size(); ++layer) {
    network.push_back(lowered(layer, term, amounts, precision));
  }
  place_activations(graph_, precision, machine, network);
  return network;
}

Result<Figures> CostTerms::exact(std::size_t index, std::span<const std::int64_t> amounts) const {
  const Term& term = terms_[index];
  const Accelerator& machine = evaluator_.machine().accelerator;
  CostCache& cache = evaluator_.cache();
  NetworkPrecision precision = base_;
  set_widths(term, amounts, precision);

  std::vector<LoweredLayer> layers;
  std::vector<Cached<CachedTask>> tasks;
  std::vector<const LayerSchedule*> schedules;
  std::size_t first = 0;  // of the layer's own tasks
  std::size_t own = 0;    // its place in the window
  std::vector<LoweredLayer> network = placed_network(term, amounts, precision);
  for (const LayerId layer : term.scope.window) {
    layers.push_back(network.empty() ? lowered(layer, term, amounts, precision)
                                     : std::move(network[layer]));
    if (layer == term.scope.layer) {
      first = tasks.size();
      own = layers.size() - 1;
    }
    for (const LayerTask& task : layers.back().tasks) {
      Infeasible reason;
      tasks.push_back(cache.prepared(task, reason));
      if (!tasks.back()) return infeasible_layer(graph_, layer, machine, std::move(reason));
      schedules.push_back(&tasks.back()->prepared.schedule);
    }
  }
  std::vector<TaskBorder> borders = task_borders(schedules, machine);
  if (term.scope.weight_arrives && !borders.empty()) {
    borders.front().weight_is_loaded = schedules.front()->first_weight_block().count() > 0;
  }

  std::vector<Cached<CostSummary>> costs;
  std::vector<TaskResult> results;
  for (std::size_t at = 0; at < layers[own].tasks.size(); ++at) {
    costs.push_back(cache.cost(*tasks[first + at], borders[first + at]));
    results.push_back({&layers[own].tasks[at], &tasks[first + at]->mapping, &*costs.back()});
  }
  if (results.empty()) return Figures{};
  const LayerCost cost = join_tasks(layers[own], results, evaluator_.machine());
  return Figures{static_cast<double>(cost.cost.cycles.total().count()),
                 cost.cost.energy.total().count(),
                 static_cast<double>(cost.cost.dram.total().count()), 0.0};
}

Result<Figures> CostTerms::at_knots(std::size_t term, std::span<const KnotIndex> knots,
                                    Monotone monotone) const {
  Figures figures;
  bool computed = false;
  const bool legal = vertex(term, knots, monotone, figures, computed);
  if (computed) memo_->misses.fetch_add(1, std::memory_order_relaxed);
  if (legal) return figures;
  return exact(term, amounts_of(term, knots));
}

bool CostTerms::vertex(std::size_t term, std::span<const KnotIndex> knots, Monotone monotone,
                       Figures& out, bool& computed) const {
  const std::uint32_t key = key_of(term, monotone);
  const Vertex* kept = memo_->vertices.find(key, knots);
  const Vertex made = kept == nullptr ? computed_vertex(term, knots, monotone) : Vertex{};
  if (kept == nullptr) {
    computed = true;
    memo_->vertices.insert(key, knots, made, 0);
  }
  const Vertex& found = kept == nullptr ? made : *kept;
  out = found.figures;
  return found.legal;
}

CostTerms::Vertex CostTerms::computed_vertex(std::size_t term, std::span<const KnotIndex> knots,
                                             Monotone monotone) const {
  if (monotone == Monotone::kEnvelope) return envelope_vertex(term, knots);
  try {
    const Result<Figures> figures = exact(term, amounts_of(term, knots));
    if (figures) return {*figures, true};
  } catch (const ModelError&) {  // no such mode, accumulators too narrow: said when it is needed
  }
  return {};
}

CostTerms::Vertex CostTerms::envelope_vertex(std::size_t term,
                                             std::span<const KnotIndex> knots) const {
  std::vector<KnotIndex> point(knots.begin(), knots.end());
  const auto last_of = [&](int place) {
    const std::size_t coordinate = terms_[term].coordinates[static_cast<std::size_t>(place)];
    return static_cast<KnotIndex>(variables_.coordinates()[coordinate].knots.size() - 1);
  };
  const int weight = terms_[term].own_weight;
  const int input = terms_[term].own_input;
  Vertex best;
  const auto take = [&] {
    Figures figures;
    bool computed = false;
    if (!vertex(term, point, Monotone::kExact, figures, computed)) return;
    for (std::size_t at = 0; at < kFigureCount; ++at) {
      best.figures[at] = best.legal ? std::min(best.figures[at], figures[at]) : figures[at];
    }
    best.legal = true;
  };
  const auto for_each_from = [&](int place, const auto& work) {
    if (place < 0) return work();
    const auto at = static_cast<std::size_t>(place);
    for (KnotIndex knot = knots[at]; knot <= last_of(place); ++knot) {
      point[at] = knot;
      work();
    }
    point[at] = knots[at];
  };
  for_each_from(weight, [&] { for_each_from(input == weight ? -1 : input, take); });
  return best;
}

// Says why a corner of the place is not legal, as evaluate would at those widths.
Result<bool> CostTerms::illegal_corner(std::size_t term, std::span<const KnotPosition> at) const {
  std::vector<std::size_t> inside;
  std::vector<KnotIndex> floor;
  for (std::size_t place = 0; place < at.size(); ++place) {
    floor.push_back(at[place].below);
    if (!at[place].on_knot()) inside.push_back(place);
  }
  const std::size_t corners = std::size_t{1} << std::min<std::size_t>(inside.size(), 12);
  for (std::size_t corner = corners; corner-- > 0;) {  // the widest is what evaluate rounds to
    std::vector<KnotIndex> knots = floor;
    for (std::size_t bit = 0; bit < inside.size(); ++bit) {
      if ((corner >> bit & 1U) != 0) ++knots[inside[bit]];
    }
    const Result<Figures> figures = exact(term, amounts_of(term, knots));  // may throw ModelError
    if (!figures) return figures.infeasible();
  }
  VERNIER_ASSERT(false, "one corner is not legal");
  return false;
}

Result<bool> CostTerms::interpolated(std::size_t term, const Placement& placement,
                                     Monotone monotone, Interpolated& out) const {
  const TermPlace place(terms_[term], placement);
  bool computed = false;
  const VertexSource source = [&](std::span<const KnotIndex> knots, Figures& figures) {
    return vertex(term, knots, monotone, figures, computed);
  };
  if (terms_[term].simplex) {
    const bool legal = interpolate_on_simplex(place.positions(), source, out);
    if (computed) memo_->misses.fetch_add(1, std::memory_order_relaxed);
    if (legal) return true;
    return illegal_corner(term, place.positions());
  }
  const std::uint32_t key = key_of(term, monotone);
  const std::vector<KnotIndex> cell = place.cell_key();
  const Patch* patch = memo_->patches.find(key, cell);
  if (patch != nullptr) {
    interpolate(*patch, place.positions(), out);
    return true;
  }
  memo_->misses.fetch_add(1, std::memory_order_relaxed);
  Patch made = make_patch(place.positions(), source);
  if (!made.legal) return illegal_corner(term, place.positions());
  interpolate(made, place.positions(), out);
  const std::size_t bytes =
      made.corners.size() * sizeof(Figures) + cell.size() * (2 * sizeof(std::int16_t) + 1);
  memo_->patches.insert(key, cell, std::move(made), bytes);
  return true;
}

double CostTerms::step_weight(const Term& term, const Placement& placement,
                              std::span<KnotPosition> positions, int step) const {
  const auto bits_of_step = [step](const KnotPosition& at) {
    if (!at.on_knot()) return 0.0;
    return step < 0 ? at.cell_below : at.cell_above;
  };
  if (term.own_weight >= 0) {
    KnotPosition& weight = positions[static_cast<std::size_t>(term.own_weight)];
    const double bits = bits_of_step(weight);
    if (bits > 0.0) weight.below = static_cast<KnotIndex>(weight.below + step);
    return bits;
  }
  // All channels leave their count of one width for that of its neighbour.
  const std::size_t first = term.own_slices.first;
  const TensorId tensor = variables_.coordinates()[term.coordinates[first]].tensor;
  const KnotPosition& width = placement.variables[variables_.variables_of(tensor).first];
  const double bits = bits_of_step(width);
  if (bits == 0.0) return 0.0;
  const std::size_t here = first + width.below;
  const std::size_t there = step < 0 ? here - 1 : here + 1;
  // The last knot of a count is all channels; widths have knots of their own.
  const auto all = [&](std::size_t at) {
    const std::vector<std::int64_t>& knots = variables_.coordinates()[term.coordinates[at]].knots;
    return static_cast<KnotIndex>(knots.size() - 1);
  };
  const bool equally_wide = positions[here].below == all(here) && positions[there].below == 0 &&
                            positions[there].on_knot();
  if (!equally_wide) return 0.0;
  positions[here].below = 0;
  positions[there].below = all(there);
  return bits;
}

std::optional<SteppedTerm> CostTerms::stepped(std::size_t index, const Placement& placement,
                                              Monotone monotone, int weight_step,
                                              int input_step) const {
  const Term& term = terms_[index];
  if (!term.can_be_tied()) return std::nullopt;
  const TermPlace place(term, placement);
  std::vector<KnotPosition> there(place.positions().begin(), place.positions().end());
  SteppedTerm result;
  if (input_step != 0) {
    KnotPosition& input = there[static_cast<std::size_t>(term.own_input)];
    result.input_bits = input_step < 0 ? input.cell_below : input.cell_above;
    if (!input.on_knot() || result.input_bits == 0.0) return std::nullopt;
    input.below = static_cast<KnotIndex>(input.below + input_step);
  }
  if (weight_step != 0) {
    result.weight_bits = step_weight(term, placement, there, weight_step);
    if (result.weight_bits == 0.0) return std::nullopt;
  }
  bool computed = false;
  const VertexSource source = [&](std::span<const KnotIndex> knots, Figures& figures) {
    return vertex(index, knots, monotone, figures, computed);
  };
  Interpolated out;
  if (!value_only(term, std::move(there), source, out)) return std::nullopt;
  result.value = out.value;
  return result;
}

}  // namespace vernier::dataflow
