// What the lowering knows of one tensor of an ONNX graph: a constant, or a view of the elements of
// a LayerGraph tensor. ONNX tensors have any number of dimensions and are transposed and reshaped
// freely; a LayerGraph tensor has channels, height and width and one order of its elements
// (channels fastest). A view keeps, for each ONNX dimension, the steps through that order, so that
// a chain of reshapes and transpositions around an attention head comes out as what it is: nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dataflow/graph/layer.hpp"
#include "frontends/onnx/element_type.hpp"

namespace vernier::frontends::onnx {

/// `size` steps of `stride` elements through one image of a tensor; batch factors step from image
/// to image and have no stride.
struct Factor {
  std::int64_t size = 1;
  std::int64_t stride = 1;
  bool is_batch = false;
  friend bool operator==(const Factor&, const Factor&) = default;
};

/// One dimension of a view: its factors, outermost first. Empty for size 1.
using Axis = std::vector<Factor>;

/// The width of a tensor and who stated it.
struct StatedWidth {
  Precision precision;
  std::string decided_by;
  std::string rule;
  /// Identity of scale and zero point, to tell a requantization from a repetition; may be empty.
  std::string grid;
  /// Width of each channel along `channel_axis` of the tensor, where they differ.
  std::vector<std::int64_t> channel_bits;
  std::size_t channel_axis = 0;
};

/// Rows and columns of zeros around a map that the next window takes over.
struct Padding {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t bottom = 0;
  std::int64_t right = 0;
  [[nodiscard]] bool any() const { return top + left + bottom + right != 0; }
};

struct Value {
  std::string name;
  ElementType type = ElementType::kUndefined;
  std::vector<std::int64_t> dims;
  bool is_constant = false;
  bool is_failed = false;  ///< a node on the way has an error, which is reported already
  /// Elements of a small constant.
  std::optional<std::vector<double>> numbers;
  /// Of a view: the LayerGraph tensor, and one axis per dimension.
  std::string source;
  std::vector<Axis> axes;
  Padding padding;  ///< is included in `dims`, not in `axes`
  std::optional<StatedWidth> width;
  bool is_integral = false;  ///< the elements are whole numbers whatever the type says

  [[nodiscard]] bool is_scalar() const;
};

/// Product of sizes, 1 for none. Throws ArithmeticOverflow.
[[nodiscard]] std::int64_t element_count(std::span<const std::int64_t> dims);
/// "[1, 3, 224, 224]".
[[nodiscard]] std::string dims_text(std::span<const std::int64_t> dims);

/// The axes under new dimensions of the same row-major order; none when a factor would have to be
/// cut where it cannot be.
[[nodiscard]] std::optional<std::vector<Axis>> reshaped_axes(const std::vector<Axis>& axes,
                                                             std::span<const std::int64_t> dims);

/// An axis without its batch factors, neighbours joined where they are one run of steps.
[[nodiscard]] Axis joined(const Axis& axis);
/// Several axes as one, outermost first, without batch factors.
[[nodiscard]] Axis joined(std::span<const Axis> axes);
/// Product of the sizes of all factors but those of the batch.
[[nodiscard]] std::int64_t size_of(const Axis& axis);
/// Whether an axis steps from image to image only.
[[nodiscard]] bool is_batch_only(const Axis& axis);

}  // namespace vernier::frontends::onnx
