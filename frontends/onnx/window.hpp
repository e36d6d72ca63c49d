// Sliding windows of convolutions and poolings: kernel, strides, dilations and padding of a node.
#pragma once

#include <span>
#include <vector>

#include "dataflow/graph/layer.hpp"
#include "frontends/onnx/lowering.hpp"

namespace vernier::frontends::onnx {

/// Where the dimensions of a map are.
struct MapLayout {
  std::size_t channel_dim = 1;
  std::vector<std::size_t> spatial_dims;  ///< one (a sequence) or two

  [[nodiscard]] Grouping grouping() const;
};

/// The layout of a map of the given rank (3 or 4). Throws for other ranks.
[[nodiscard]] MapLayout map_layout(const Lowering& lowering, const Node& node, const Value& value,
                                   bool is_channels_last);

/// The window of a node over a map; the padding that pads in front of it left on the value is
/// added. `kernel` has one size per spatial dimension. ceil_mode becomes padding at the far ends.
/// Throws for sizes that are no sizes.
[[nodiscard]] dataflow::Window read_window(const Lowering& lowering, const Node& node,
                                           const Value& value, const MapLayout& layout,
                                           std::span<const std::int64_t> kernel);

/// Dimensions of the output of a layer on a map.
[[nodiscard]] std::vector<std::int64_t> output_dims(const Value& value, const MapLayout& layout,
                                                    const dataflow::Shape& output);

}  // namespace vernier::frontends::onnx
