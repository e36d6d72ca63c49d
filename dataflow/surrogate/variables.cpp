#include "dataflow/surrogate/variables.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

// Output channels of one group of the layer that reads a weight tensor.
std::int64_t group_channels(const LayerGraph& graph, const Tensor& weight) {
  const Layer& layer = graph.layers()[weight.consumers.front()];
  const auto* conv = std::get_if<Conv2d>(&layer.op);
  return conv == nullptr ? 1 : conv->out_channels / conv->groups;
}

bool is_grouped(const LayerGraph& graph, const Tensor& weight) {
  const Layer& layer = graph.layers()[weight.consumers.front()];
  const auto* conv = std::get_if<Conv2d>(&layer.op);
  return conv != nullptr && conv->groups > 1;
}

// Channels of a whole column block at a width (C * o), in whole groups.
std::int64_t channel_step(const LayerGraph& graph, const Accelerator& machine, const Tensor& weight,
                          std::int64_t width) {
  const Bitwidth compute = machine.compute_weight(Bitwidth(width)).value();
  std::int64_t per_column = 1;
  for (const Accelerator::LegalMode& mode : machine.modes()) {
    if (mode.weight == compute) per_column = std::max(per_column, mode.mode.out_channels);
  }
  const std::int64_t block = machine.spec().array.columns * per_column;
  return is_grouped(graph, weight) ? round_up(block, group_channels(graph, weight)) : block;
}

std::vector<std::int64_t> channel_knots(std::int64_t channels, std::int64_t step) {
  std::vector<std::int64_t> knots;
  for (std::int64_t count = 0; count < channels; count += step) knots.push_back(count);
  knots.push_back(channels);
  return knots;
}

// Channels of width k that a slice at this place counts.
double share(const KnotPosition& slice, std::size_t k) {
  if (slice.below == k) return 1.0 - slice.fraction;
  return slice.below + 1U == k ? slice.fraction : 0.0;
}

std::vector<std::string> weight_names(const LayerGraph& graph) {
  std::vector<std::string> names;
  for (const Tensor& tensor : graph.tensors()) {
    if (tensor.kind == TensorKind::kWeight) names.push_back(tensor.name);
  }
  return names;
}

void check_slices(const LayerGraph& graph, const SliceSizes& slices) {
  const std::vector<std::string> weights = weight_names(graph);
  std::vector<std::string> problems;
  for (const auto& [name, sizes] : slices) {
    if (std::find(weights.begin(), weights.end(), name) == weights.end()) {
      problems.push_back(fmt::format("slices of '{}': there is no such weight tensor{}",
                                     shown(name), suggestion(name, weights)));
      continue;
    }
    const Tensor& tensor = graph.tensor(*graph.find_tensor(name));
    std::int64_t sum = 0;
    for (const std::int64_t size : sizes) {
      if (size < 1 || size > tensor.weights.rows) {
        problems.push_back(fmt::format("slices of '{}': found {} channels; allowed is 1 to {}",
                                       name, size, tensor.weights.rows));
        sum = tensor.weights.rows;
        break;
      }
      if (size % group_channels(graph, tensor) != 0 && is_grouped(graph, tensor)) {
        problems.push_back(fmt::format("slices of '{}': {} channels are not whole groups of {}",
                                       name, size, group_channels(graph, tensor)));
      }
      sum += size;
    }
    if (sum != tensor.weights.rows) {
      problems.push_back(fmt::format("slices of '{}': they have {} channels, the tensor has {}",
                                     name, sum, tensor.weights.rows));
    }
  }
  if (!problems.empty()) throw ConfigError(problems);
}

}  // namespace

std::vector<std::int64_t> per_channel(const LayerGraph& graph, const std::string& weight) {
  const auto tensor = graph.find_tensor(weight);
  if (!tensor || graph.tensor(*tensor).kind != TensorKind::kWeight) {
    throw ConfigError(fmt::format("slices of '{}': there is no such weight tensor{}", shown(weight),
                                  suggestion(weight, weight_names(graph))));
  }
  return std::vector<std::int64_t>(static_cast<std::size_t>(graph.tensor(*tensor).weights.rows), 1);
}

Variables::Variables(const LayerGraph& graph, const Accelerator& machine, const SliceSizes& slices)
    : lattices_(width_lattices(graph, machine)),
      of_tensor_(graph.tensors().size()),
      places_(graph.tensors().size()) {
  check_slices(graph, slices);
  for (TensorId id = 0; id < graph.tensors().size(); ++id) {
    if (graph.viewed(id) != id) continue;
    const auto found = slices.find(graph.tensor(id).name);
    add_tensor(graph, machine, id, found == slices.end() ? nullptr : &found->second);
  }
  for (TensorId id = 0; id < graph.tensors().size(); ++id) {
    of_tensor_[id] = of_tensor_[graph.viewed(id)];
    places_[id] = places_[graph.viewed(id)];
  }
}

void Variables::add_tensor(const LayerGraph& graph, const Accelerator& machine, TensorId tensor,
                           const std::vector<std::int64_t>* sizes) {
  const Tensor& described = graph.tensor(tensor);
  of_tensor_[tensor].first = variables_.size();
  places_[tensor].first = coordinates_.size();
  if (sizes == nullptr) {
    variables_.push_back({described.name, tensor, 0, described.elements()});
    coordinates_.push_back({tensor, 0, lattices_[tensor]});
  } else {
    for (std::size_t at = 0; at < sizes->size(); ++at) {
      variables_.push_back({fmt::format("{}[{}]", described.name, at), tensor, (*sizes)[at],
                            (*sizes)[at] * described.weights.row_elements});
    }
    for (const std::int64_t width : lattices_[tensor]) {
      const std::int64_t step = channel_step(graph, machine, described, width);
      coordinates_.push_back({tensor, width, channel_knots(described.weights.rows, step)});
    }
  }
  of_tensor_[tensor].count = variables_.size() - of_tensor_[tensor].first;
  places_[tensor].count = coordinates_.size() - places_[tensor].first;
}

std::size_t Variables::find(std::string_view name) const {
  const auto found = std::find_if(variables_.begin(), variables_.end(),
                                  [&](const Variable& v) { return v.name == name; });
  if (found != variables_.end()) return static_cast<std::size_t>(found - variables_.begin());
  std::vector<std::string> names;
  names.reserve(variables_.size());
  for (const Variable& variable : variables_) names.push_back(variable.name);
  throw ModelError(
      fmt::format("there is no variable '{}'{}", shown(name), suggestion(name, names)));
}

void Variables::check(std::span<const double> bits) const {
  if (bits.size() != variables_.size()) {
    throw ModelError(fmt::format("bits: found {} numbers; the network has {} variables",
                                 bits.size(), variables_.size()));
  }
  std::vector<std::string> problems;
  for (std::size_t at = 0; at < bits.size(); ++at) {
    if (std::isfinite(bits[at])) continue;
    problems.push_back(
        fmt::format("bits of '{}' (variable {}): found {}; a finite number is wanted",
                    variables_[at].name, at, bits[at]));
  }
  if (!problems.empty()) throw ModelError(problems);
}

Placement Variables::place(std::span<const double> bits) const {
  check(bits);
  Placement placement;
  placement.bits.assign(bits.begin(), bits.end());
  placement.variables.reserve(bits.size());
  for (std::size_t at = 0; at < bits.size(); ++at) {
    const WidthLattice& widths = lattice(at);
    const double clamped = std::clamp(bits[at], static_cast<double>(widths.front()),
                                      static_cast<double>(widths.back()));
    if (clamped != bits[at]) placement.clamped.push_back(at);
    placement.bits[at] = clamped;
    placement.variables.push_back(locate(widths, clamped));
  }
  placement.coordinates.resize(coordinates_.size());
  for (std::size_t at = 0; at < coordinates_.size();) {
    const TensorId tensor = coordinates_[at].tensor;
    place_coordinates(placement, tensor);
    at += places_[tensor].count;
  }
  return placement;
}

void Variables::move(Placement& placement, std::size_t variable, double bits) const {
  if (variable >= variables_.size() || !std::isfinite(bits)) {
    throw ModelError(
        fmt::format("variable {}: found {} bits; variables are 0 to {} and bits finite", variable,
                    bits, variables_.size() - 1));
  }
  const WidthLattice& widths = lattice(variable);
  const double clamped =
      std::clamp(bits, static_cast<double>(widths.front()), static_cast<double>(widths.back()));
  std::erase(placement.clamped, variable);
  if (clamped != bits) {
    placement.clamped.insert(
        std::lower_bound(placement.clamped.begin(), placement.clamped.end(), variable), variable);
  }
  placement.bits[variable] = clamped;
  placement.variables[variable] = locate(widths, clamped);
  place_coordinates(placement, variables_[variable].tensor);
}

void Variables::place_coordinates(Placement& placement, TensorId tensor) const {
  const IndexRange places = places_[tensor];
  const IndexRange slices = of_tensor_[tensor];
  if (!is_sliced(tensor)) {
    placement.coordinates[places.first] = placement.variables[slices.first];
    return;
  }
  for (std::size_t k = 0; k < places.count; ++k) {
    double channels = 0.0;
    for (std::size_t at = slices.first; at < slices.first + slices.count; ++at) {
      channels += static_cast<double>(variables_[at].channels) * share(placement.variables[at], k);
    }
    placement.coordinates[places.first + k] =
        locate(coordinates_[places.first + k].knots, channels);
  }
}

std::vector<std::int64_t> Variables::snapped(const Placement& placement) const {
  std::vector<std::int64_t> widths;
  widths.reserve(variables_.size());
  for (std::size_t at = 0; at < variables_.size(); ++at) {
    const KnotPosition& position = placement.variables[at];
    widths.push_back(lattice(at)[position.below + (position.on_knot() ? 0U : 1U)]);
  }
  return widths;
}

std::vector<std::int64_t> Variables::rounded(std::span<const double> bits,
                                             RoundPolicy policy) const {
  const Placement placement = place(bits);
  std::vector<std::int64_t> widths;
  for (std::size_t at = 0; at < variables_.size(); ++at) {
    const KnotPosition& position = placement.variables[at];
    constexpr double kHalf = 0.5;
    const bool up =
        !position.on_knot() && (policy == RoundPolicy::kUp ||
                                (policy == RoundPolicy::kNearest && position.fraction >= kHalf));
    widths.push_back(lattice(at)[position.below + (up ? 1U : 0U)]);
  }
  return widths;
}

std::vector<std::int64_t> Variables::whole(std::span<const double> bits) const {
  check(bits);
  std::vector<std::string> problems;
  std::vector<std::int64_t> widths;
  for (std::size_t at = 0; at < bits.size(); ++at) {
    const WidthLattice& allowed = lattice(at);
    const bool is_whole = std::floor(bits[at]) == bits[at];
    if (is_whole && bits[at] >= Bitwidth::kMin && bits[at] <= static_cast<double>(allowed.back())) {
      widths.push_back(static_cast<std::int64_t>(bits[at]));
      continue;
    }
    const KnotPosition place = locate(allowed, bits[at]);
    const bool between = place.cell_above > 0.0 && place.fraction > 0.0;
    problems.push_back(fmt::format(
        "bits of '{}': found {}; whole numbers from {} to {} are allowed, legal widths are {}; the "
        "nearest {}",
        variables_[at].name, bits[at], Bitwidth::kMin, allowed.back(), fmt::join(allowed, ", "),
        between ? fmt::format("are {} and {}", allowed[place.below], allowed[place.below + 1U])
                : fmt::format("is {}", allowed[place.below])));
  }
  if (!problems.empty()) throw ModelError(problems);
  return widths;
}

SidedSlopes Variables::by_variable(const Placement& placement,
                                   const SidedSlopes& by_coordinate) const {
  constexpr Figures kNone{kNoSlope, kNoSlope, kNoSlope, kNoSlope};
  SidedSlopes slopes;
  slopes.left.assign(variables_.size(), kNone);
  slopes.right.assign(variables_.size(), kNone);
  for (std::size_t at = 0; at < variables_.size(); ++at) {
    const Variable& variable = variables_[at];
    const std::size_t first = places_[variable.tensor].first;
    if (variable.channels == 0) {
      slopes.left[at] = by_coordinate.left[first];
      slopes.right[at] = by_coordinate.right[first];
      continue;
    }
    // Channels leave the count of one width and join that of its neighbour.
    const KnotPosition& place = placement.variables[at];
    const auto channels = static_cast<double>(variable.channels);
    const auto moved = [&](std::size_t joined, std::size_t left_behind, double scale) {
      Figures result;
      for (std::size_t figure = 0; figure < kFigureCount; ++figure) {
        result[figure] = scale * (by_coordinate.right[first + joined][figure] -
                                  by_coordinate.left[first + left_behind][figure]);
      }
      return result;
    };
    if (!place.on_knot()) {
      const Figures up = moved(place.below + 1U, place.below, channels / place.cell_above);
      const Figures down = moved(place.below, place.below + 1U, -channels / place.cell_above);
      slopes.right[at] = up;
      slopes.left[at] = down;
      continue;
    }
    if (place.cell_above > 0.0) {
      slopes.right[at] = moved(place.below + 1U, place.below, channels / place.cell_above);
    }
    if (place.cell_below > 0.0) {
      slopes.left[at] = moved(place.below - 1U, place.below, -channels / place.cell_below);
    }
  }
  return slopes;
}

}  // namespace vernier::dataflow
