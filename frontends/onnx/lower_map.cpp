// Operators on maps without weights: pooling, padding, change of size.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"
#include "frontends/onnx/window.hpp"

namespace vernier::frontends::onnx {
namespace {

using dataflow::Pool;
using dataflow::PoolKind;

// Adds a pooling layer; a maximum keeps the values of its input, an average makes new ones.
Value pool_layer(Lowering& lowering, const Node& node, const Value& x, const MapLayout& layout,
                 const Pool& pool) {
  Value unpadded = x;
  unpadded.padding = {};
  const std::string source = lowering.fitted(node, unpadded, layout.grouping());
  const dataflow::Shape output = dataflow::infer_shape(pool, {lowering.builder().shape_of(source)});
  Value y =
      lowering.layer(node, pool, {source}, output_dims(x, layout, output), layout.grouping(), x);
  if (pool.kind == PoolKind::kMax) {
    lowering.builder().draft_of(y.source)->keeps_values = true;
    y.width = x.width;
    y.is_integral = x.is_integral;
  }
  return y;
}

void window_pool(Lowering& lowering, const Node& node, PoolKind kind, bool channels_last) {
  const Value x = lowering.input(node, 0);
  if (x.is_constant) lowering.fail(node, "pooling of a constant is not read");
  const MapLayout layout = map_layout(lowering, node, x, channels_last);
  const auto kernel = lowering.integer_list(node, "kernel_shape");
  if (!kernel || kernel->size() != layout.spatial_dims.size()) {
    lowering.fail(node, fmt::format("attribute 'kernel_shape' with {} numbers is needed",
                                    layout.spatial_dims.size()));
  }
  Pool pool;
  pool.kind = kind;
  pool.window = read_window(lowering, node, x, layout, *kernel);
  lowering.set(node, 0, pool_layer(lowering, node, x, layout, pool));
}

Value whole_map_pool(Lowering& lowering, const Node& node, PoolKind kind, bool channels_last) {
  const Value x = lowering.input(node, 0);
  if (x.is_constant) lowering.fail(node, "pooling of a constant is not read");
  const MapLayout layout = map_layout(lowering, node, x, channels_last);
  Pool pool;
  pool.kind = kind;
  pool.window.kernel_height = x.dims[layout.spatial_dims[0]];
  if (layout.spatial_dims.size() > 1) pool.window.kernel_width = x.dims[layout.spatial_dims[1]];
  return pool_layer(lowering, node, x, layout, pool);
}

// The axes of a Reduce node: an attribute, since opset 18 (ReduceSum: 13) an input.
std::vector<std::size_t> reduced_axes(Lowering& lowering, const Node& node, std::size_t rank) {
  std::vector<std::int64_t> axes;
  if (lowering.has(node, 1)) {
    axes = lowering.integers(node, 1);
  } else if (const auto attribute = lowering.integer_list(node, "axes")) {
    axes = *attribute;
  }
  std::vector<std::size_t> result;
  result.reserve(axes.size());
  for (const std::int64_t axis : axes) result.push_back(lowering.axis(node, axis, rank));
  if (axes.empty()) {
    for (std::size_t dim = 1; dim < rank; ++dim) result.push_back(dim);
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

// Output size of each dimension of a Resize or Upsample node.
std::vector<std::int64_t> resized_dims(Lowering& lowering, const Node& node, const Value& x) {
  // Upsample: scales at 1; Resize: roi at 1, scales at 2, sizes at 3; opset 10: scales at 1.
  const bool is_old = node.op == "Upsample" || lowering.opset(node) < 11;
  const std::size_t scales_slot = is_old ? 1 : 2;
  const bool has_scales = lowering.has(node, scales_slot) &&
                          !(lowering.input(node, scales_slot).dims == std::vector<std::int64_t>{0});
  std::vector<std::int64_t> dims;
  if (has_scales || (is_old && node.find("scales") != nullptr)) {
    const Attribute* attribute = node.find("scales");
    const std::vector<double> scales =
        has_scales ? lowering.numbers(node, scales_slot) : attribute->numbers;
    if (scales.size() != x.dims.size()) {
      lowering.fail(node, fmt::format("{} scales for {} dimensions", scales.size(), x.dims.size()));
    }
    for (std::size_t dim = 0; dim < scales.size(); ++dim) {
      const double size = std::floor(static_cast<double>(x.dims[dim]) * scales[dim]);
      if (!(size >= 1.0) || size > static_cast<double>(dataflow::kMaxDimension)) {
        lowering.fail(node, fmt::format("scale {} of dimension {} gives no size from 1 to {}",
                                        scales[dim], dim, dataflow::kMaxDimension));
      }
      dims.push_back(static_cast<std::int64_t>(size));
    }
    return dims;
  }
  if (!is_old && lowering.has(node, 3)) dims = lowering.integers(node, 3);
  if (dims.size() != x.dims.size()) {
    lowering.fail(node, "scales or sizes for each dimension are needed");
  }
  return dims;
}

}  // namespace

void lower_max_pool(Lowering& lowering, const Node& node) {
  window_pool(lowering, node, PoolKind::kMax, false);
}
void lower_max_pool_channels_last(Lowering& lowering, const Node& node) {
  window_pool(lowering, node, PoolKind::kMax, true);
}
void lower_average_pool(Lowering& lowering, const Node& node) {
  window_pool(lowering, node, PoolKind::kAverage, false);
}

void lower_global_pool(Lowering& lowering, const Node& node) {
  const PoolKind kind = node.op == "GlobalMaxPool" ? PoolKind::kMax : PoolKind::kAverage;
  lowering.set(node, 0, whole_map_pool(lowering, node, kind, false));
}

// com.microsoft: x, scale, zero point, y scale, y zero point.
void lower_qlinear_global_pool(Lowering& lowering, const Node& node) {
  Value y = whole_map_pool(lowering, node, PoolKind::kAverage,
                           lowering.integer(node, "channels_last", 0) != 0);
  if (const auto stated = stated_precision(y.type)) {
    y.width = StatedWidth{*stated,
                          Lowering::layer_name(node),
                          fmt::format("{} element type {}", node.op, to_text(y.type)),
                          "",
                          {},
                          0};
    lowering.builder().claim(y.source, y.name, *y.width);
  }
  lowering.set(node, 0, std::move(y));
}

// Over all pixels a mean or maximum is a pooling of the whole map.
void lower_reduce(Lowering& lowering, const Node& node) {
  const Value x = lowering.activation(node, 0);
  const std::size_t rank = x.dims.size();
  if (rank != 3 && rank != 4) {
    lowering.fail(node, fmt::format("'{}' has the shape {}; 3 or 4 dimensions are read",
                                    shown(x.name), dims_text(x.dims)));
  }
  const std::vector<std::size_t> reduced = reduced_axes(lowering, node, rank);
  MapLayout layout;
  layout.spatial_dims = reduced;
  std::vector<std::size_t> kept;
  for (std::size_t dim = 1; dim < rank; ++dim) {
    if (std::find(reduced.begin(), reduced.end(), dim) == reduced.end()) kept.push_back(dim);
  }
  if (kept.size() != 1 || reduced.empty() || reduced.front() == 0) {
    lowering.fail(node,
                  fmt::format("reduces the dimensions {} of {}; all dimensions but batch and "
                              "channels are read",
                              dims_text(std::vector<std::int64_t>(reduced.begin(), reduced.end())),
                              dims_text(x.dims)));
  }
  layout.channel_dim = kept.front();
  Pool pool;
  pool.kind = node.op == "ReduceMax" ? PoolKind::kMax : PoolKind::kAverage;
  pool.window.kernel_height = x.dims[reduced[0]];
  if (reduced.size() > 1) pool.window.kernel_width = x.dims[reduced[1]];
  Value y = pool_layer(lowering, node, x, layout, pool);
  if (lowering.integer(node, "keepdims", 1) == 0) {
    for (auto dim = reduced.rbegin(); dim != reduced.rend(); ++dim) {
      y.dims.erase(y.dims.begin() + static_cast<std::ptrdiff_t>(*dim));
      y.axes.erase(y.axes.begin() + static_cast<std::ptrdiff_t>(*dim));
    }
  }
  lowering.set(node, 0, std::move(y));
}

void lower_pad(Lowering& lowering, const Node& node) {
  Value x = lowering.input(node, 0);
  std::vector<std::int64_t> pads;
  if (lowering.has(node, 1)) {
    pads = lowering.integers(node, 1);
  } else {
    const auto attribute = lowering.integer_list(node, "pads");
    pads = attribute ? *attribute : lowering.integer_list(node, "paddings").value_or(pads);
  }
  const std::size_t rank = x.dims.size();
  if (pads.size() != 2 * rank) {
    lowering.fail(
        node, fmt::format("{} pads for {} dimensions; {} are needed", pads.size(), rank, 2 * rank));
  }
  for (const std::int64_t pad : pads) {
    if (pad < 0 || pad > dataflow::kMaxDimension) {
      lowering.fail(node, fmt::format("pads of {}; 0 to {} are allowed", dims_text(pads),
                                      dataflow::kMaxDimension));
    }
  }
  if (std::all_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad == 0; })) {
    lowering.skip(node, "pads by nothing");
    lowering.pass(node, std::move(x));
    return;
  }
  if (x.is_constant) lowering.fail(node, "padding of a constant is not read");
  const std::string mode = lowering.text(node, "mode", "constant");
  if (mode != "constant") {
    lowering.builder().note_default(Lowering::layer_name(node),
                                    fmt::format("padding by '{}' counted as zeros", shown(mode)));
  }
  std::vector<std::int64_t> padded;
  for (std::size_t dim = 0; dim < rank; ++dim) {
    padded.push_back(checked_add(x.dims[dim], pads[dim] + pads[dim + rank]));
  }
  const bool pads_channels = rank > 1 && pads[1] + pads[1 + rank] > 0;
  const bool pads_map = rank > 2 && padded != x.dims && !pads_channels && pads[0] + pads[rank] == 0;
  if (pads_map && rank <= 4) {
    x.padding.top += pads[2];
    x.padding.bottom += pads[2 + rank];
    if (rank == 4) {
      x.padding.left += pads[3];
      x.padding.right += pads[3 + rank];
    }
    x.dims = std::move(padded);
    lowering.skip(node, "its zeros are padding of the window that follows");
    lowering.set(node, 0, std::move(x));
    return;
  }
  std::vector<std::int64_t> other = pads;
  if (rank > 1) other[1] = other[1 + rank] = 0;
  if (!pads_channels ||
      std::any_of(other.begin(), other.end(), [](std::int64_t pad) { return pad != 0; })) {
    lowering.fail(node, fmt::format("pads {} of a tensor {}; rows and columns of a map, or its "
                                    "channels alone, are read",
                                    dims_text(pads), dims_text(x.dims)));
  }
  const Grouping grouping = channels_first(rank);
  const std::string source = lowering.fitted(node, x, grouping);
  const dataflow::PadChannels op{pads[1], pads[1 + rank]};
  Value y = lowering.layer(node, op, {source}, std::move(padded), grouping, x);
  lowering.builder().draft_of(y.source)->keeps_values = true;
  y.width = x.width;
  lowering.set(node, 0, std::move(y));
}

void lower_resize(Lowering& lowering, const Node& node) {
  const Value x = lowering.activation(node, 0);
  std::vector<std::int64_t> dims = resized_dims(lowering, node, x);
  if (dims == x.dims) {
    lowering.skip(node, "keeps the size");
    lowering.pass(node, x);
    return;
  }
  const Grouping grouping = lowering.natural_grouping(x);
  std::vector<std::int64_t> others = dims;
  for (const auto* group : {&grouping.rows, &grouping.columns}) {
    for (const std::size_t dim : *group) others[dim] = x.dims[dim];
  }
  if (others != x.dims || grouping.rows.size() != 1 || grouping.columns.size() > 1) {
    lowering.fail(node, fmt::format("changes {} to {}; only height and width can change",
                                    dims_text(x.dims), dims_text(dims)));
  }
  const std::string mode = lowering.text(node, "mode", "nearest");
  if (mode != "nearest") {
    lowering.builder().note_default(
        Lowering::layer_name(node),
        fmt::format("interpolation '{}' counted as nearest neighbour", shown(mode)));
  }
  const dataflow::Resize op{dims[grouping.rows[0]],
                            grouping.columns.empty() ? 1 : dims[grouping.columns[0]]};
  const std::string source = lowering.fitted(node, x, grouping);
  Value y = lowering.layer(node, op, {source}, std::move(dims), grouping, x);
  if (mode == "nearest") {
    lowering.builder().draft_of(y.source)->keeps_values = true;
    y.width = x.width;
    y.is_integral = x.is_integral;
  }
  lowering.set(node, 0, std::move(y));
}

}  // namespace vernier::frontends::onnx
