// The real-valued bits that a trainer moves: one variable per tensor, or one per slice of a weight
// tensor, and the coordinates in which costs are interpolated. A tensor's coordinate is its width;
// a sliced tensor has one coordinate per legal width, the number of its channels at that width
// (design 8.4).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "dataflow/surrogate/interpolant.hpp"
#include "dataflow/surrogate/width_lattice.hpp"

namespace vernier::dataflow {

/// One real-valued width.
struct Variable {
  std::string name;  ///< of the tensor, with "[slice]" behind it when it is one of several
  TensorId tensor = 0;
  std::int64_t channels = 0;  ///< output channels of a slice; 0: the whole tensor
  std::int64_t elements = 0;  ///< of one image, or of the weights
};

/// One coordinate of the terms.
struct Coordinate {
  TensorId tensor = 0;
  std::int64_t width = 0;  ///< 0: the tensor's width; else it counts channels of this width
  std::vector<std::int64_t> knots;  ///< legal widths, or numbers of channels, ascending
};

/// Variables or coordinates of one tensor lie side by side.
struct IndexRange {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Sizes of the slices (output channels) of some weight tensors, by tensor name.
using SliceSizes = std::map<std::string, std::vector<std::int64_t>>;
/// One slice per output channel.
[[nodiscard]] std::vector<std::int64_t> per_channel(const LayerGraph& graph,
                                                    const std::string& weight);

/// What to do with a width between two legal ones.
enum class RoundPolicy : std::uint8_t { kUp, kNearest, kDown };

/// Where all variables and coordinates stand.
struct Placement {
  std::vector<KnotPosition> variables;  ///< on the lattice of their tensors
  std::vector<KnotPosition> coordinates;
  std::vector<double> bits;          ///< clamped to the range
  std::vector<std::size_t> clamped;  ///< variables outside their range
};

/// One-sided slopes by coordinate, or by variable.
struct SidedSlopes {
  std::vector<Figures> left;
  std::vector<Figures> right;
};

class Variables {
 public:
  /// Throws ConfigError when slices name no weight tensor, do not sum up, or split a group.
  Variables(const LayerGraph& graph, const Accelerator& machine, const SliceSizes& slices);

  [[nodiscard]] const std::vector<Variable>& all() const { return variables_; }
  [[nodiscard]] const std::vector<Coordinate>& coordinates() const { return coordinates_; }
  [[nodiscard]] IndexRange variables_of(TensorId tensor) const { return of_tensor_[tensor]; }
  [[nodiscard]] IndexRange coordinates_of(TensorId tensor) const { return places_[tensor]; }
  [[nodiscard]] const WidthLattice& lattice(std::size_t variable) const {
    return lattices_[variables_[variable].tensor];
  }
  [[nodiscard]] bool is_sliced(TensorId tensor) const {
    return places_[tensor].count > 0 && coordinates_[places_[tensor].first].width > 0;
  }
  [[nodiscard]] std::size_t find(std::string_view name) const;

  /// Throws ModelError for a wrong number of bits, and for bits that are no finite numbers.
  [[nodiscard]] Placement place(std::span<const double> bits) const;
  /// Moves one variable of a placement; `coordinates` of its tensor are placed anew.
  void move(Placement& placement, std::size_t variable, double bits) const;
  /// Widths that the machine takes for a placement: every variable rounded up.
  [[nodiscard]] std::vector<std::int64_t> snapped(const Placement& placement) const;
  /// Rounds to the lattice.
  [[nodiscard]] std::vector<std::int64_t> rounded(std::span<const double> bits,
                                                  RoundPolicy policy) const;
  /// Whole numbers of bits from a span. Throws ModelError that names a variable whose bits are
  /// fractional, illegal or no number, with its nearest legal widths.
  [[nodiscard]] std::vector<std::int64_t> whole(std::span<const double> bits) const;
  /// Slopes by variable from slopes by coordinate; 0 with both sides missing where clamped.
  [[nodiscard]] SidedSlopes by_variable(const Placement& placement,
                                        const SidedSlopes& by_coordinate) const;

 private:
  void add_tensor(const LayerGraph& graph, const Accelerator& machine, TensorId tensor,
                  const std::vector<std::int64_t>* sizes);
  void check(std::span<const double> bits) const;
  void place_coordinates(Placement& placement, TensorId tensor) const;

  std::vector<WidthLattice> lattices_;  // by tensor
  std::vector<Variable> variables_;
  std::vector<Coordinate> coordinates_;
  std::vector<IndexRange> of_tensor_;
  std::vector<IndexRange> places_;
};

}  // namespace vernier::dataflow
