// Operators that move nothing: other views of an activation, other dimensions of a constant.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"

namespace vernier::frontends::onnx {
namespace {

using Dims = std::vector<std::int64_t>;

// Gives a value new dimensions with the same elements in row-major order.
Value reshaped(Lowering& lowering, const Node& node, Value x, Dims dims) {
  if (element_count(dims) != element_count(x.dims)) {
    lowering.fail(node, fmt::format("'{}' {} has {} elements, its new shape {} has {}",
                                    shown(x.name), dims_text(x.dims), element_count(x.dims),
                                    dims_text(dims), element_count(dims)));
  }
  if (x.is_constant) {
    if (x.width) x.width->channel_bits.clear();
    x.dims = std::move(dims);
    return x;
  }
  std::optional<std::vector<Axis>> axes = reshaped_axes(x.axes, dims);
  if (!axes) {  // a factor would be cut: one run of all elements of an image can be cut anywhere
    Grouping whole;
    for (std::size_t dim = 0; dim < x.dims.size(); ++dim) {
      if (!is_batch_only(x.axes[dim]) || x.dims[dim] == 1) whole.channels.push_back(dim);
    }
    const std::string source = lowering.fitted(node, x, whole);
    const std::int64_t elements = lowering.builder().shape_of(source).elements();
    x.source = source;
    x.axes = {Axis{}, Axis{Factor{elements, 1, false}}};
    if (lowering.batch() > 1) x.axes[0] = {Factor{lowering.batch(), 0, true}};
    axes = reshaped_axes(x.axes, dims);
  }
  if (!axes) {
    lowering.fail(node, fmt::format("'{}' {} cannot be seen as {}: the images of a batch would mix",
                                    shown(x.name), dims_text(x.dims), dims_text(dims)));
  }
  x.axes = std::move(*axes);
  x.dims = std::move(dims);
  return x;
}

void set_view(Lowering& lowering, const Node& node, const Value& x, Dims dims) {
  Value y = reshaped(lowering, node, x, std::move(dims));
  if (!x.is_constant) lowering.skip(node, "another view of the same elements");
  lowering.pass(node, std::move(y));
}

Dims wanted_shape(Lowering& lowering, const Node& node, const Value& x) {
  Dims shape = lowering.has(node, 1) ? lowering.integers(node, 1)
                                     : lowering.integer_list(node, "shape").value_or(Dims{});
  const bool zero_is_zero = lowering.integer(node, "allowzero", 0) != 0;
  std::int64_t known = 1;
  std::optional<std::size_t> open;
  for (std::size_t dim = 0; dim < shape.size(); ++dim) {
    if (shape[dim] == 0 && !zero_is_zero) {
      if (dim >= x.dims.size()) {
        lowering.fail(node, fmt::format("the new shape {} copies dimension {} of {}",
                                        dims_text(shape), dim, dims_text(x.dims)));
      }
      shape[dim] = x.dims[dim];
    }
    if (shape[dim] == -1 && !open) {
      open = dim;
    } else if (shape[dim] < 0 || shape[dim] > dataflow::kMaxElements) {
      lowering.fail(node,
                    fmt::format("the new shape {} is none: sizes from 0 and one -1 are allowed",
                                dims_text(shape)));
    } else {
      known = checked_mul(known, shape[dim]);
    }
  }
  if (open) {
    const std::int64_t all = element_count(x.dims);
    if (known == 0 || all % known != 0) {
      lowering.fail(node, fmt::format("{} elements of '{}' {} do not fill the new shape {}", all,
                                      shown(x.name), dims_text(x.dims), dims_text(shape)));
    }
    shape[*open] = all / known;
  }
  return shape;
}

// Axes of Squeeze and Unsqueeze: an attribute, since opset 13 an input.
std::optional<Dims> axes_of(Lowering& lowering, const Node& node) {
  if (lowering.has(node, 1)) return lowering.integers(node, 1);
  return lowering.integer_list(node, "axes");
}

// Moves the elements of a small constant along with its dimensions.
std::vector<double> permuted(const std::vector<double>& numbers, const Dims& dims,
                             const std::vector<std::size_t>& perm) {
  std::vector<std::int64_t> strides(dims.size(), 1);
  for (std::size_t dim = dims.size(); dim-- > 1;) strides[dim - 1] = strides[dim] * dims[dim];
  std::vector<double> result;
  std::vector<std::int64_t> index(dims.size(), 0);
  for (std::size_t count = 0; count < numbers.size(); ++count) {
    std::int64_t from = 0;
    for (std::size_t dim = 0; dim < perm.size(); ++dim) from += index[dim] * strides[perm[dim]];
    result.push_back(numbers[static_cast<std::size_t>(from)]);
    for (std::size_t dim = perm.size(); dim-- > 0;) {
      if (++index[dim] < dims[perm[dim]]) break;
      index[dim] = 0;
    }
  }
  return result;
}

// -- concatenation

Grouping concat_grouping(Lowering& lowering, const std::vector<Value>& parts) {
  const Value* largest = nullptr;
  for (const Value& part : parts) {
    if (part.is_constant) continue;
    if (largest == nullptr || element_count(part.dims) > element_count(largest->dims)) {
      largest = &part;
    }
  }
  return lowering.natural_grouping(*largest);
}

std::string part_source(Lowering& lowering, const Node& node, const Value& part,
                        const Grouping& grouping) {
  if (!part.is_constant) return lowering.fitted(node, part, grouping);
  const auto size = [&](const std::vector<std::size_t>& dims) {
    std::int64_t product = 1;
    for (const std::size_t dim : dims) product = checked_mul(product, part.dims.at(dim));
    return product;
  };
  return lowering.learned(part,
                          {size(grouping.channels), size(grouping.rows), size(grouping.columns)});
}

// Width of a concatenation: the widest part, if all are stated.
std::optional<StatedWidth> common_width(Lowering& lowering, const Node& node,
                                        const std::vector<Value>& parts) {
  std::optional<StatedWidth> widest;
  for (const Value& part : parts) {
    if (!part.width) return std::nullopt;
    if (!widest || part.width->precision.bits > widest->precision.bits) widest = part.width;
  }
  for (const Value& part : parts) {
    if (part.width->precision.bits == widest->precision.bits) continue;
    lowering.builder().note_default(
        Lowering::layer_name(node),
        fmt::format("joined at {} bits, although '{}' has {} ('{}')", widest->precision.bits.bits(),
                    shown(part.name), part.width->precision.bits.bits(), part.width->decided_by));
  }
  return widest;
}

}  // namespace

void lower_identity(Lowering& lowering, const Node& node) {
  const Value& x = lowering.input(node, 0);
  if (!x.is_constant) lowering.skip(node, "passes its input on at inference");
  lowering.pass(node, x);
}

void lower_lrn(Lowering& lowering, const Node& node) {
  lowering.skip(node,
                "there is no layer for local response normalization: its cost is not counted");
  lowering.pass(node, lowering.activation(node, 0));
}

void lower_cast(Lowering& lowering, const Node& node) {
  Value x = lowering.input(node, 0);
  const auto type = static_cast<ElementType>(
      static_cast<std::int32_t>(lowering.integer(node, "to", 0) & 0x7fffffff));
  if (to_text(type) == "an unknown type" || type == ElementType::kUndefined) {
    lowering.fail(node, fmt::format("attribute 'to' is {}, which is no element type",
                                    lowering.integer(node, "to", 0)));
  }
  x.type = type;
  if (is_integer(type)) {
    x.is_integral = true;
    if (x.numbers) {
      for (double& number : *x.numbers) number = std::trunc(number);
    }
  }
  lowering.skip(node, "another type for the same numbers");
  lowering.pass(node, std::move(x));
}

void lower_reshape(Lowering& lowering, const Node& node) {
  const Value x = lowering.data(node, 0);
  set_view(lowering, node, x, wanted_shape(lowering, node, x));
}

void lower_flatten(Lowering& lowering, const Node& node) {
  const Value x = lowering.data(node, 0);
  const std::int64_t given = lowering.integer(node, "axis", 1);
  const std::size_t axis = given == static_cast<std::int64_t>(x.dims.size())
                               ? x.dims.size()
                               : lowering.axis(node, given, x.dims.size());
  Dims dims{1, 1};
  for (std::size_t dim = 0; dim < x.dims.size(); ++dim) {
    std::int64_t& size = dims[dim < axis ? 0 : 1];
    size = checked_mul(size, x.dims[dim]);
  }
  set_view(lowering, node, x, std::move(dims));
}

void lower_squeeze(Lowering& lowering, const Node& node) {
  const Value x = lowering.data(node, 0);
  std::vector<bool> goes(x.dims.size());
  if (const std::optional<Dims> axes = axes_of(lowering, node)) {
    for (const std::int64_t axis : *axes) goes[lowering.axis(node, axis, x.dims.size())] = true;
  } else {
    for (std::size_t dim = 0; dim < x.dims.size(); ++dim) goes[dim] = x.dims[dim] == 1;
  }
  Dims dims;
  for (std::size_t dim = 0; dim < x.dims.size(); ++dim) {
    if (!goes[dim]) {
      dims.push_back(x.dims[dim]);
    } else if (x.dims[dim] != 1) {
      lowering.fail(node, fmt::format("dimension {} of '{}' {} is not 1", dim, shown(x.name),
                                      dims_text(x.dims)));
    }
  }
  set_view(lowering, node, x, std::move(dims));
}

void lower_unsqueeze(Lowering& lowering, const Node& node) {
  const Value x = lowering.data(node, 0);
  const Dims axes = axes_of(lowering, node).value_or(Dims{});
  constexpr std::size_t kMostDimensions = 16;
  const std::size_t rank = x.dims.size() + axes.size();
  if (rank > kMostDimensions) {
    lowering.fail(node,
                  fmt::format("makes {} dimensions; at most {} are read", rank, kMostDimensions));
  }
  std::vector<bool> fresh(rank);
  for (const std::int64_t axis : axes) {
    const std::size_t dim = lowering.axis(node, axis, rank);
    if (fresh[dim]) lowering.fail(node, fmt::format("axis {} stands twice", axis));
    fresh[dim] = true;
  }
  Dims dims;
  std::size_t next = 0;
  for (std::size_t dim = 0; dim < rank; ++dim) dims.push_back(fresh[dim] ? 1 : x.dims[next++]);
  set_view(lowering, node, x, std::move(dims));
}

void lower_transpose(Lowering& lowering, const Node& node) {
  Value x = lowering.data(node, 0);
  const std::size_t rank = x.dims.size();
  std::vector<std::size_t> perm(rank);
  std::iota(perm.rbegin(), perm.rend(), std::size_t{0});
  if (const auto given = lowering.integer_list(node, "perm")) {
    std::vector<bool> seen(rank);
    bool is_permutation = given->size() == rank;
    for (std::size_t at = 0; is_permutation && at < rank; ++at) {
      perm[at] = lowering.axis(node, (*given)[at], rank);
      is_permutation = !seen[perm[at]];
      seen[perm[at]] = true;
    }
    if (!is_permutation) {
      lowering.fail(node, fmt::format("attribute 'perm' is {}, no permutation of {} dimensions",
                                      dims_text(*given), rank));
    }
  }
  Value y = x;
  for (std::size_t at = 0; at < rank; ++at) {
    y.dims[at] = x.dims[perm[at]];
    if (!x.is_constant) y.axes[at] = x.axes[perm[at]];
    if (x.width && perm[at] == x.width->channel_axis) y.width->channel_axis = at;
  }
  if (x.numbers) y.numbers = permuted(*x.numbers, x.dims, perm);
  lowering.skip(
      node, x.is_constant ? "a constant in another order" : "another view of the same elements");
  lowering.pass(node, std::move(y));
}

void lower_concat(Lowering& lowering, const Node& node) {
  std::vector<Value> parts;
  for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
    parts.push_back(lowering.data(node, slot));
  }
  if (parts.size() == 1) {
    lower_identity(lowering, node);
    return;
  }
  const std::size_t rank = parts.front().dims.size();
  const std::size_t axis = lowering.axis(node, lowering.integer(node, "axis", 1), rank);
  Dims dims = parts.front().dims;
  dims[axis] = 0;
  for (const Value& part : parts) {
    bool fits = part.dims.size() == rank;
    for (std::size_t dim = 0; fits && dim < rank; ++dim) {
      fits = dim == axis || part.dims[dim] == dims[dim];
    }
    if (!fits) {
      lowering.fail(node, fmt::format("'{}' {} and '{}' {} do not go together along dimension {}",
                                      shown(parts.front().name), dims_text(parts.front().dims),
                                      shown(part.name), dims_text(part.dims), axis));
    }
    dims[axis] = checked_add(dims[axis], part.dims[axis]);
  }
  const Grouping grouping = concat_grouping(lowering, parts);
  dataflow::Concat op;
  const bool outer_row = !grouping.rows.empty() && grouping.rows.front() == axis;
  if (outer_row) {
    op.axis = dataflow::ConcatAxis::kHeight;
  } else if (grouping.channels.empty() || grouping.channels.front() != axis) {
    lowering.fail(node, fmt::format("joins along dimension {} of {}; channels or rows are read",
                                    axis, dims_text(dims)));
  }
  std::vector<std::string> sources;
  sources.reserve(parts.size());
  for (const Value& part : parts) {
    sources.push_back(part_source(lowering, node, part, grouping));
  }
  const auto model =
      std::find_if(parts.begin(), parts.end(), [](const Value& part) { return !part.is_constant; });
  Value y = lowering.layer(node, op, std::move(sources), std::move(dims), grouping, *model);
  lowering.builder().draft_of(y.source)->keeps_values = true;
  y.width = common_width(lowering, node, parts);
  lowering.set(node, 0, std::move(y));
}

// The first row of a map or the first token (a class token), as a pooling that strides over the
// rest; anything else that is cut out of an activation has no layer here.
void lower_take_first(Lowering& lowering, const Node& node) {
  const Value x = lowering.activation(node, 0);
  const std::size_t rank = x.dims.size();
  std::size_t axis = 0;
  bool takes_first = false;
  if (node.op == "Gather") {
    axis = lowering.axis(node, lowering.integer(node, "axis", 0), rank);
    const Dims indices = lowering.integers(node, 1);
    takes_first = indices.size() == 1 && (indices[0] == 0 || indices[0] == -x.dims[axis]);
  } else {
    const auto list = [&](std::size_t slot, std::string_view attribute) {
      return lowering.has(node, slot) ? lowering.integers(node, slot)
                                      : lowering.integer_list(node, attribute).value_or(Dims{});
    };
    const Dims starts = list(1, "starts");
    const Dims ends = list(2, "ends");
    Dims axes = list(3, "axes");
    if (axes.empty()) axes.push_back(0);
    if (starts.size() == 1 && ends.size() == 1 && axes.size() == 1) {
      axis = lowering.axis(node, axes[0], rank);
      if (starts[0] == 0 && ends[0] >= x.dims[axis]) {
        lower_identity(lowering, node);
        return;
      }
      takes_first = starts[0] == 0 && ends[0] == 1;
    }
  }
  const Grouping grouping = lowering.natural_grouping(x);
  if (!takes_first || grouping.rows != std::vector<std::size_t>{axis}) {
    lowering.fail(node,
                  fmt::format("cuts a part out of '{}' {}; only the first row (token) is read",
                              shown(x.name), dims_text(x.dims)));
  }
  const std::string source = lowering.fitted(node, x, grouping);
  dataflow::Pool pool;
  pool.window.stride_height = x.dims[axis];
  Dims dims = x.dims;
  dims[axis] = 1;
  Value y = lowering.layer(node, pool, {source}, std::move(dims), grouping, x);
  lowering.builder().draft_of(y.source)->keeps_values = true;
  y.width = x.width;
  const bool drops_dim = node.op == "Gather" && lowering.input(node, 1).dims.empty();
  if (drops_dim) {
    y.dims.erase(y.dims.begin() + static_cast<std::ptrdiff_t>(axis));
    y.axes.erase(y.axes.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  lowering.set(node, 0, std::move(y));
}

void lower_depth_to_space(Lowering& lowering, const Node& node) {
  const Value x = lowering.activation(node, 0);
  const std::int64_t block = lowering.integer(node, "blocksize", 0);
  const bool to_space = node.op == "DepthToSpace";
  constexpr std::int64_t kMostBlock = 4096;
  if (x.dims.size() != 4 || block < 1 || block > kMostBlock ||
      (to_space ? x.dims[1] % (block * block) != 0
                : x.dims[2] % block != 0 || x.dims[3] % block != 0)) {
    lowering.fail(node, fmt::format("'{}' {} does not go with a block of {}", shown(x.name),
                                    dims_text(x.dims), block));
  }
  const Grouping grouping = channels_first(4);
  const std::string source = lowering.fitted(node, x, grouping);
  dataflow::Shape shape = lowering.builder().shape_of(source);
  Dims dims = x.dims;
  if (to_space) {
    dims = {dims[0], dims[1] / (block * block), dims[2] * block, dims[3] * block};
  } else {
    dims = {dims[0], dims[1] * block * block, dims[2] / block, dims[3] / block};
  }
  shape = {dims[1], dims[2], dims[3]};
  lowering.builder().note_default(Lowering::layer_name(node),
                                  "moves channels to pixels: counted as another way to address "
                                  "them, free of cost");
  Value y = lowering.layer(node, dataflow::Reshape{shape}, {source}, std::move(dims), grouping, x);
  lowering.builder().draft_of(y.source)->keeps_values = true;
  y.width = x.width;
  lowering.set(node, 0, std::move(y));
}

void lower_shape(Lowering& lowering, const Node& node) {
  const Value& x = lowering.input(node, 0);
  const auto rank = static_cast<std::int64_t>(x.dims.size());
  const auto clamped = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = clamped(lowering.integer(node, "start", 0));
  const std::int64_t end = std::max(begin, clamped(lowering.integer(node, "end", rank)));
  Value shape;
  shape.type = ElementType::kInt64;
  shape.is_constant = true;
  shape.dims = {end - begin};
  shape.numbers.emplace(x.dims.begin() + begin, x.dims.begin() + end);
  lowering.skip(node, "shape arithmetic");
  lowering.set(node, 0, std::move(shape));
}

void lower_size(Lowering& lowering, const Node& node) {
  Value size;
  size.type = ElementType::kInt64;
  size.is_constant = true;
  size.numbers = {static_cast<double>(element_count(lowering.input(node, 0).dims))};
  lowering.skip(node, "shape arithmetic");
  lowering.set(node, 0, std::move(size));
}

}  // namespace vernier::frontends::onnx
