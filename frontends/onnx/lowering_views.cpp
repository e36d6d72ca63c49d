// What handlers ask of a Lowering: inputs and attributes of a node, and activations in the shape
// that a layer wants.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/lowering.hpp"

namespace vernier::frontends::onnx {
namespace {

std::vector<Axis> axes_at(const Value& value, const std::vector<std::size_t>& dims) {
  std::vector<Axis> axes;
  axes.reserve(dims.size());
  for (const std::size_t dim : dims) axes.push_back(value.axes.at(dim));
  return axes;
}

Axis in_memory_order(const Value& value, const Grouping& grouping) {
  std::vector<Axis> axes = axes_at(value, grouping.rows);
  for (const auto* group : {&grouping.columns, &grouping.channels}) {
    const std::vector<Axis> more = axes_at(value, *group);
    axes.insert(axes.end(), more.begin(), more.end());
  }
  return joined(std::span<const Axis>(axes));
}

std::int64_t group_size(const Value& value, const std::vector<std::size_t>& dims) {
  std::int64_t size = 1;
  for (const std::size_t dim : dims) size = checked_mul(size, size_of(value.axes.at(dim)));
  return size;
}

bool has_batch(const Axis& axis) {
  return std::any_of(axis.begin(), axis.end(),
                     [](const Factor& factor) { return factor.is_batch; });
}

bool contains(const std::vector<std::size_t>& dims, std::size_t dim) {
  return std::find(dims.begin(), dims.end(), dim) != dims.end();
}

bool is_grouped(const Grouping& grouping, std::size_t dim) {
  return contains(grouping.channels, dim) || contains(grouping.rows, dim) ||
         contains(grouping.columns, dim);
}

}  // namespace

Grouping channels_first(std::size_t rank) {
  Grouping grouping;
  if (rank == 1) grouping.channels = {0};
  if (rank > 1) grouping.channels = {1};
  if (rank > 2) grouping.rows = {2};
  if (rank > 3) grouping.columns = {3};
  for (std::size_t dim = 4; dim < rank; ++dim) grouping.columns.push_back(dim);
  return grouping;
}

Grouping channels_last(std::size_t rank) {
  Grouping grouping;
  if (rank > 0) grouping.channels = {rank - 1};
  if (rank > 2) grouping.rows = {1};
  for (std::size_t dim = 2; dim + 1 < rank; ++dim) grouping.columns.push_back(dim);
  return grouping;
}

bool Lowering::has(const Node& node, std::size_t slot) const {
  return slot < node.inputs.size() && !node.inputs[slot].empty();
}

const Value& Lowering::input(const Node& node, std::size_t slot) const {
  if (!has(node, slot)) fail(node, fmt::format("input {} is missing", slot));
  return values_.at(node.inputs[slot]);
}

const Value& Lowering::data(const Node& node, std::size_t slot) const {
  const Value& value = input(node, slot);
  if (value.padding.any()) {
    fail(node, fmt::format("'{}' has rows or columns of padding; they are read only in front of a "
                           "convolution or pooling",
                           shown(value.name)));
  }
  return value;
}

const Value& Lowering::activation(const Node& node, std::size_t slot) const {
  const Value& value = data(node, slot);
  if (value.is_constant) {
    fail(node, fmt::format("'{}' is a constant where an activation is needed", shown(value.name)));
  }
  return value;
}

const std::vector<double>& Lowering::numbers(const Node& node, std::size_t slot) const {
  const Value& value = input(node, slot);
  if (!value.is_constant) {
    fail(node, fmt::format("input {} ('{}') must be a constant, but depends on the image", slot,
                           shown(value.name)));
  }
  if (!value.numbers) {
    fail(node, fmt::format("the elements of input {} ('{}', {} {}) are needed, but the file does "
                           "not hold them, or they are too many",
                           slot, shown(value.name), to_text(value.type), dims_text(value.dims)));
  }
  return *value.numbers;
}

std::vector<std::int64_t> Lowering::integers(const Node& node, std::size_t slot) const {
  std::vector<std::int64_t> result;
  constexpr double kMost = 4e18;
  for (const double number : numbers(node, slot)) {
    if (std::isnan(number))
      fail(node, fmt::format("input {} holds a value that is no number", slot));
    result.push_back(static_cast<std::int64_t>(std::clamp(number, -kMost, kMost)));
  }
  return result;
}

void Lowering::set(const Node& node, std::size_t slot, Value value) {
  if (slot >= node.outputs.size() || node.outputs[slot].empty()) return;
  value.name = node.outputs[slot];
  // Chains of arithmetic on constants must not fill the memory: shapes are short.
  constexpr std::size_t kMostStored = 1'000'000;
  constexpr std::size_t kShort = 16;
  if (value.numbers) {
    stored_numbers_ += value.numbers->size();
    if (stored_numbers_ > kMostStored && value.numbers->size() > kShort) value.numbers.reset();
  }
  values_[value.name] = std::move(value);
}

std::int64_t Lowering::integer(const Node& node, std::string_view attribute,
                               std::int64_t otherwise) const {
  const Attribute* found = node.find(attribute);
  if (found == nullptr) return otherwise;
  if (found->kind != Attribute::Kind::kInteger) {
    fail(node, fmt::format("attribute '{}' must be a whole number", attribute));
  }
  return found->integer;
}

double Lowering::number(const Node& node, std::string_view attribute, double otherwise) const {
  const Attribute* found = node.find(attribute);
  if (found == nullptr) return otherwise;
  if (found->kind == Attribute::Kind::kInteger) return static_cast<double>(found->integer);
  if (found->kind != Attribute::Kind::kNumber) {
    fail(node, fmt::format("attribute '{}' must be a number", attribute));
  }
  return found->number;
}

std::string Lowering::text(const Node& node, std::string_view attribute,
                           std::string_view otherwise) const {
  const Attribute* found = node.find(attribute);
  if (found == nullptr) return std::string(otherwise);
  if (found->kind != Attribute::Kind::kText) {
    fail(node, fmt::format("attribute '{}' must be a text", attribute));
  }
  return found->text;
}

std::optional<std::vector<std::int64_t>> Lowering::integer_list(const Node& node,
                                                                std::string_view attribute) const {
  const Attribute* found = node.find(attribute);
  if (found == nullptr) return std::nullopt;
  if (found->kind == Attribute::Kind::kInteger) return std::vector{found->integer};
  if (found->kind != Attribute::Kind::kIntegers) {
    fail(node, fmt::format("attribute '{}' must be a list of whole numbers", attribute));
  }
  return found->integers;
}

std::size_t Lowering::axis(const Node& node, std::int64_t axis, std::size_t rank) const {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    fail(node, fmt::format("axis {} of a tensor with {} dimensions; {} to {} are allowed", axis,
                           rank, -signed_rank, signed_rank - 1));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

Grouping Lowering::natural_grouping(const Value& value) const {
  const std::size_t rank = value.dims.size();
  Grouping usual = rank == 3 ? channels_last(rank) : channels_first(rank);
  if (value.is_constant) return usual;
  const dataflow::Shape& shape = builder_.shape_of(value.source);
  struct Placed {
    std::int64_t stride;
    std::size_t dim;
  };
  std::vector<Placed> channels;
  std::vector<Placed> rows;
  std::vector<Placed> columns;
  Grouping grouping;
  for (std::size_t dim = 0; dim < rank; ++dim) {
    const Axis axis = joined(value.axes[dim]);
    if (axis.empty()) {  // size 1, or images only
      if (contains(usual.channels, dim)) grouping.channels.push_back(dim);
      if (contains(usual.rows, dim)) grouping.rows.push_back(dim);
      if (contains(usual.columns, dim)) grouping.columns.push_back(dim);
      continue;
    }
    const std::int64_t row_stride = shape.channels * shape.width;
    const std::int64_t inner = axis.back().stride;
    const std::int64_t outer = axis.front().stride * axis.front().size;
    if (outer <= shape.channels) {
      channels.push_back({inner, dim});
    } else if (inner >= row_stride) {
      rows.push_back({inner, dim});
    } else if (inner >= shape.channels && outer <= row_stride) {
      columns.push_back({inner, dim});
    } else {
      return usual;
    }
  }
  const auto append = [](std::vector<Placed>& placed, std::vector<std::size_t>& dims) {
    std::sort(placed.begin(), placed.end(),
              [](const Placed& left, const Placed& right) { return left.stride > right.stride; });
    for (const Placed& each : placed) dims.push_back(each.dim);
  };
  append(channels, grouping.channels);
  append(rows, grouping.rows);
  append(columns, grouping.columns);
  return grouping;
}

bool Lowering::fits(const Value& value, const Grouping& grouping) const {
  const Axis order = in_memory_order(value, grouping);
  return order.empty() || (order.size() == 1 && order.front().stride == 1);
}

std::string Lowering::fitted(const Node& node, const Value& value, const Grouping& grouping,
                             Order order) {
  if (value.is_constant || value.axes.size() != value.dims.size()) {
    fail(node, fmt::format("'{}' is a constant where an activation is needed", shown(value.name)));
  }
  for (std::size_t dim = 0; dim < value.axes.size(); ++dim) {
    const bool mixes = is_grouped(grouping, dim)
                           ? contains(grouping.channels, dim) && has_batch(value.axes[dim])
                           : !is_batch_only(value.axes[dim]);
    if (mixes) {
      fail(node, fmt::format("dimension {} of '{}' {} mixes the images of a batch with what lies "
                             "inside an image",
                             dim, shown(value.name), dims_text(value.dims)));
    }
  }
  const dataflow::Shape shape{group_size(value, grouping.channels),
                              group_size(value, grouping.rows),
                              group_size(value, grouping.columns)};
  const bool in_order = order == Order::kAny || fits(value, grouping);
  if (in_order && shape == builder_.shape_of(value.source)) return value.source;
  return builder_.view_of(value.source, shape, in_order, value.name + ".view");
}

std::string Lowering::learned(const Value& constant, const dataflow::Shape& shape) {
  std::string name = builder_.add_input(constant.name, shape, constant.type, true);
  if (constant.width) builder_.claim(name, constant.name, *constant.width);
  return name;
}

Value Lowering::layer(const Node& node, const dataflow::Operator& op,
                      std::vector<std::string> inputs, std::vector<std::int64_t> dims,
                      const Grouping& grouping, const Value& like) {
  Draft draft;
  draft.spec.name = layer_name(node);
  draft.spec.op = op;
  draft.spec.inputs = std::move(inputs);
  draft.tail = node.outputs.front();
  draft.tail_type = like.type;
  Value value;
  value.name = node.outputs.front();
  value.type = like.type;
  value.axes.resize(dims.size());
  std::int64_t stride = 1;
  std::vector<std::int64_t> sizes;
  for (const auto* group : {&grouping.channels, &grouping.columns, &grouping.rows}) {
    std::int64_t whole = 1;
    for (auto dim = group->rbegin(); dim != group->rend(); ++dim) {
      std::int64_t images = 1;
      if (*dim < like.axes.size()) {
        for (const Factor& factor : like.axes[*dim]) {
          if (factor.is_batch) images = checked_mul(images, factor.size);
        }
      }
      const std::int64_t size = dims.at(*dim) / images;
      if (size > 1) value.axes[*dim] = {{size, stride, false}};
      stride = checked_mul(stride, size);
      whole = checked_mul(whole, size);
    }
    sizes.push_back(whole);
  }
  for (std::size_t dim = 0; dim < dims.size() && dim < like.axes.size(); ++dim) {
    Axis images;
    for (const Factor& factor : like.axes[dim]) {
      if (factor.is_batch) images.push_back(factor);
    }
    value.axes[dim].insert(value.axes[dim].begin(), images.begin(), images.end());
  }
  const Draft& added = builder_.add_layer(std::move(draft));
  const dataflow::Shape expected{sizes[0], sizes[2], sizes[1]};
  if (added.shape != expected) {
    fail(node, fmt::format("its output {} does not match the shape {} of the layer",
                           dims_text(dims), dataflow::to_text(added.shape)));
  }
  value.dims = std::move(dims);
  value.source = added.spec.name;
  return value;
}

Draft* Lowering::foldable(const Value& value) {
  if (value.is_constant || readers(value.name) != 1) return nullptr;
  Draft* draft = builder_.draft_of(value.source);
  return draft != nullptr && draft->tail == value.name ? draft : nullptr;
}

void Lowering::pass(const Node& node, Value value) {
  if (Draft* draft = foldable(value); draft != nullptr && !node.outputs.empty()) {
    draft->tail = node.outputs.front();
    draft->tail_type = value.type;
  }
  set(node, 0, std::move(value));
}

std::string Lowering::layer_name(const Node& node) {
  return node.name.empty() ? node.op + "_" + node.outputs.front() : node.name;
}

}  // namespace vernier::frontends::onnx
