#include "frontends/onnx/window.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "arch/base/checked.hpp"

namespace vernier::frontends::onnx {
namespace {

// The sizes along one spatial dimension.
struct AxisWindow {
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;

  [[nodiscard]] std::int64_t reach() const { return dilation * (kernel - 1) + 1; }
};

std::vector<std::int64_t> sizes_of(const Lowering& lowering, const Node& node,
                                   std::string_view attribute, std::size_t count,
                                   std::int64_t otherwise, std::int64_t least) {
  const auto found = lowering.integer_list(node, attribute);
  if (!found || found->empty()) return std::vector<std::int64_t>(count, otherwise);
  if (found->size() != count) {
    lowering.fail(node, fmt::format("attribute '{}' has {} numbers; {} are needed", attribute,
                                    found->size(), count));
  }
  for (const std::int64_t size : *found) {
    if (size < least || size > dataflow::kMaxDimension) {
      lowering.fail(node, fmt::format("attribute '{}' is {}; {} to {} are allowed", attribute,
                                      dims_text(*found), least, dataflow::kMaxDimension));
    }
  }
  return *found;
}

// auto_pad: as many outputs as inputs divided by the stride, rounded up.
void pad_to_same(AxisWindow& axis, std::int64_t size, bool upper) {
  const std::int64_t outputs = ceil_div(size, axis.stride);
  const std::int64_t total =
      std::max<std::int64_t>((outputs - 1) * axis.stride + axis.reach() - size, 0);
  axis.pad_begin = upper ? total / 2 : ceil_div(total, 2);
  axis.pad_end = total - axis.pad_begin;
}

// ceil_mode: the last window may begin inside the padded map and end outside.
void pad_to_ceil(AxisWindow& axis, std::int64_t size) {
  const std::int64_t room = size + axis.pad_begin + axis.pad_end - axis.reach();
  if (room < 0 || room % axis.stride == 0) return;
  const std::int64_t outputs = ceil_div(room, axis.stride) + 1;
  // A window that would begin in the padding at the end does not exist.
  if ((outputs - 1) * axis.stride >= size + axis.pad_begin) return;
  axis.pad_end += axis.stride - room % axis.stride;
}

}  // namespace

Grouping MapLayout::grouping() const {
  Grouping grouping;
  grouping.channels = {channel_dim};
  grouping.rows = {spatial_dims[0]};
  if (spatial_dims.size() > 1) grouping.columns = {spatial_dims[1]};
  return grouping;
}

MapLayout map_layout(const Lowering& lowering, const Node& node, const Value& value,
                     bool is_channels_last) {
  const std::size_t rank = value.dims.size();
  if (rank != 3 && rank != 4) {
    lowering.fail(node, fmt::format("'{}' has the shape {}; maps of 3 or 4 dimensions (batch, "
                                    "channels, height, width) are read",
                                    value.name, dims_text(value.dims)));
  }
  MapLayout layout;
  layout.channel_dim = is_channels_last ? rank - 1 : 1;
  const std::size_t first = is_channels_last ? 1 : 2;
  for (std::size_t dim = first; dim < first + rank - 2; ++dim) layout.spatial_dims.push_back(dim);
  return layout;
}

dataflow::Window read_window(const Lowering& lowering, const Node& node, const Value& value,
                             const MapLayout& layout, std::span<const std::int64_t> kernel) {
  const std::size_t count = layout.spatial_dims.size();
  const auto strides = sizes_of(lowering, node, "strides", count, 1, 1);
  const auto dilations = sizes_of(lowering, node, "dilations", count, 1, 1);
  const auto pads = sizes_of(lowering, node, "pads", 2 * count, 0, 0);
  const std::string auto_pad = lowering.text(node, "auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (!same && auto_pad != "NOTSET" && auto_pad != "VALID" && !auto_pad.empty()) {
    lowering.fail(node, fmt::format("attribute 'auto_pad' is '{}'; NOTSET, SAME_UPPER, SAME_LOWER "
                                    "and VALID are allowed",
                                    auto_pad));
  }
  std::vector<AxisWindow> axes(2);
  for (std::size_t at = 0; at < count; ++at) {
    AxisWindow& axis = axes[at];
    const std::int64_t size = value.dims[layout.spatial_dims[at]];
    if (kernel[at] < 1 || kernel[at] > dataflow::kMaxDimension) {
      lowering.fail(node, fmt::format("the kernel is {}; 1 to {} are allowed", dims_text(kernel),
                                      dataflow::kMaxDimension));
    }
    axis.kernel = kernel[at];
    axis.stride = strides[at];
    axis.dilation = dilations[at];
    if (same) {
      pad_to_same(axis, size, auto_pad == "SAME_UPPER");
    } else if (auto_pad != "VALID") {
      axis.pad_begin = pads[at];
      axis.pad_end = pads[at + count];
    }
    if (lowering.integer(node, "ceil_mode", 0) != 0) pad_to_ceil(axis, size);
  }
  const Padding& earlier = value.padding;
  return {axes[0].kernel,
          axes[1].kernel,
          axes[0].stride,
          axes[1].stride,
          axes[0].dilation,
          axes[1].dilation,
          axes[0].pad_begin + earlier.top,
          axes[1].pad_begin + earlier.left,
          axes[0].pad_end + earlier.bottom,
          axes[1].pad_end + earlier.right};
}

std::vector<std::int64_t> output_dims(const Value& value, const MapLayout& layout,
                                      const dataflow::Shape& output) {
  std::vector<std::int64_t> dims = value.dims;
  dims[layout.channel_dim] = output.channels;
  dims[layout.spatial_dims[0]] = output.height;
  if (layout.spatial_dims.size() > 1) dims[layout.spatial_dims[1]] = output.width;
  return dims;
}

}  // namespace vernier::frontends::onnx
