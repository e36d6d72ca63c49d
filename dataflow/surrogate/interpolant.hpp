// Continuation of figures that are known on a lattice (design 8.2, 8.3): multilinear over the cell,
// or linear on the simplices into which sorted fractions cut it. Pure arithmetic: where the figures
// come from is the caller's business. Both are exact on the lattice, continuous, and monotone where
// the figures are.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

namespace vernier::dataflow {

/// Figures of one term that add up over a network; the last place keeps the size a power of two.
enum class Figure : std::uint8_t { kCycles, kEnergy, kDramBits, kUnused };
inline constexpr std::size_t kFigureCount = 4;
using Figures = std::array<double, kFigureCount>;
[[nodiscard]] constexpr std::size_t index_of(Figure figure) {
  return static_cast<std::size_t>(figure);
}

/// Index of a knot of one coordinate.
using KnotIndex = std::uint16_t;

/// A slope that cannot be had: the coordinate ends there, or a lattice point beyond is not legal.
inline constexpr double kNoSlope = std::numeric_limits<double>::quiet_NaN();

/// Where a coordinate stands among its ascending knots.
struct KnotPosition {
  KnotIndex below = 0;      ///< the knot at or below
  double fraction = 0.0;    ///< of the way to the next knot; 0: on the knot
  double cell_above = 0.0;  ///< distance to the next knot; 0: `below` is the last one
  double cell_below = 0.0;  ///< distance from the knot before; 0: `below` is the first one
  [[nodiscard]] bool on_knot() const { return fraction == 0.0; }
};

/// Place of `x` among knots, clamped to their range.
[[nodiscard]] KnotPosition locate(std::span<const std::int64_t> knots, double x);

/// Writes the figures at a lattice point; false: the point is not legal.
using VertexSource = std::function<bool(std::span<const KnotIndex>, Figures&)>;

/// Value and one-sided slopes of each coordinate; kNoSlope where there is none.
struct Interpolated {
  Figures value{};
  std::vector<Figures> left;
  std::vector<Figures> right;
};

/// All lattice points that the multilinear value and its slopes need while the same coordinates
/// stay on the same knots, or within the same cells. `legal` is false when a corner of the cell is
/// not legal; corners beyond a knot may be missing, then that slope is.
struct Patch {
  bool legal = true;
  std::vector<std::uint8_t> inside;  ///< coordinates between knots
  std::vector<Figures> corners;      ///< blocks of 2^inside; the first one is the cell itself
  std::vector<std::int16_t> below;   ///< by coordinate: block one knot down, -1: none
  std::vector<std::int16_t> above;   ///< by coordinate: block one knot up, -1: none
};

[[nodiscard]] Patch make_patch(std::span<const KnotPosition> at, const VertexSource& source);
/// Value and slopes on a patch of the same place.
void interpolate(const Patch& patch, std::span<const KnotPosition> at, Interpolated& out);

/// Simplex interpolation; false when a corner that the value needs is not legal. Equal fractions
/// come in the order of the coordinates.
[[nodiscard]] bool interpolate_on_simplex(std::span<const KnotPosition> at,
                                          const VertexSource& source, Interpolated& out);

}  // namespace vernier::dataflow
