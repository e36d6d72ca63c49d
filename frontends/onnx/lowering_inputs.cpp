// Constants and inputs of a graph: what is there before the first node.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/lowering.hpp"
#include "frontends/onnx/operators.hpp"

namespace vernier::frontends::onnx {
namespace {

constexpr std::size_t kMostDimensions = 16;

}  // namespace

void Lowering::read_constants() {
  for (const TensorData& tensor : file_.constants) {
    Value value;
    value.name = tensor.name;
    value.type = tensor.type;
    value.dims = tensor.dims;
    value.is_constant = true;
    value.numbers = tensor.numbers;
    if (const std::optional<Precision> stated = stated_precision(tensor.type)) {
      value.width = StatedWidth{
          *stated, tensor.name, fmt::format("element type {}", to_text(tensor.type)), "", {}, 0};
      value.is_integral = is_integer(tensor.type);
    }
    if (!values_.emplace(tensor.name, std::move(value)).second) {
      throw ModelError(
          fmt::format("{}: the constant '{}' stands twice", file_.file, shown(tensor.name)));
    }
  }
}

// Graph inputs that nodes read as parameters only: weights, scales and zero points that the user of
// the file gives at run time.
std::unordered_set<std::string> Lowering::parameter_inputs() const {
  std::unordered_set<std::string> parameters;
  std::unordered_set<std::string> activations;
  for (const Node& node : file_.nodes) {
    const OperatorRow* row = find_operator(node.domain, node.op);
    for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
      const bool is_parameter =
          row != nullptr && slot < 32 && ((row->parameters >> slot) & 1U) != 0;
      (is_parameter ? parameters : activations).insert(node.inputs[slot]);
    }
  }
  for (const std::string& name : activations) parameters.erase(name);
  for (const TensorType& output : file_.outputs) parameters.erase(output.name);
  return parameters;
}

void Lowering::read_inputs() {
  const std::unordered_set<std::string> parameters = parameter_inputs();
  for (const TensorType& input : file_.inputs) {
    read_input(input, parameters.contains(input.name));
  }
}

// Whether the first operator that has an opinion takes the channels of an input to be last.
bool Lowering::is_channels_last(const std::string& input, std::size_t rank) const {
  constexpr int kFarthest = 32;
  std::string at = input;
  for (int step = 0; step < kFarthest; ++step) {
    const auto entry = reading_nodes_.find(at);
    if (entry == reading_nodes_.end()) break;
    const Node& node = file_.nodes[entry->second.front()];
    const OperatorRow* row = find_operator(node.domain, node.op);
    if (row == nullptr || node.outputs.empty()) break;
    if (row->trait == Trait::kChannelsFirst) return false;
    if (row->trait == Trait::kChannelsLast) return true;
    if (node.op == "Transpose") {
      const Attribute* perm = node.find("perm");
      return perm != nullptr && perm->integers.size() == rank && rank > 1 &&
             perm->integers[1] == static_cast<std::int64_t>(rank) - 1;
    }
    if (row->trait != Trait::kQuantizer && row->trait != Trait::kKeepsLayout) break;
    at = node.outputs.front();
  }
  return rank == 3;  // tokens x features
}

// The sizes of an input; a symbolic or absent batch is 1.
std::vector<std::int64_t> Lowering::input_dims(const TensorType& input, const std::string& place) {
  if (!input.dims) throw ModelError(place + ": the file states no shape for it");
  if (input.dims->size() > kMostDimensions) {
    throw ModelError(fmt::format("{}: {} dimensions; at most {} are read", place,
                                 input.dims->size(), kMostDimensions));
  }
  std::vector<std::int64_t> dims;
  for (std::size_t at = 0; at < input.dims->size(); ++at) {
    const Dimension& dimension = (*input.dims)[at];
    std::int64_t size = dimension.size.value_or(1);
    if (!dimension.size) {
      if (at > 0) {
        throw ModelError(
            fmt::format("{}: dimension {} is '{}'; a number is needed, because shapes "
                        "depend on it",
                        place, at, shown(dimension.symbol)));
      }
      builder_.note_default(input.name, fmt::format("batch 1 for the symbolic dimension '{}'",
                                                    shown(dimension.symbol)));
    } else if (at == 0 && input.dims->size() > 1 && size == 0) {
      builder_.note_default(input.name, "batch 1 for a first dimension of 0");
      size = 1;
    }
    if (size < 1 || size > dataflow::kMaxDimension) {
      throw ModelError(fmt::format("{}: dimension {} is {}; 1 to {} are allowed", place, at, size,
                                   dataflow::kMaxDimension));
    }
    dims.push_back(size);
  }
  return dims;
}

// Whether the first dimension of an input is the batch: that of the first input with more than one
// dimension, and of those that agree with it.
bool Lowering::begins_with_batch(const Value& value, const std::string& place) {
  if (value.dims.size() < 2) return false;
  if (batch_is_set_) {
    if (value.dims[0] == batch_) return true;
    builder_.note_default(value.name, fmt::format("its first dimension {} is not the batch {}: "
                                                  "read as a part of one image",
                                                  value.dims[0], batch_));
    return false;
  }
  if (value.dims[0] > dataflow::kMaxBatch) {
    throw ModelError(fmt::format("{}: a batch of {}; 1 to {} are allowed", place, value.dims[0],
                                 dataflow::kMaxBatch));
  }
  batch_ = value.dims[0];
  batch_is_set_ = true;
  return true;
}

// Makes a network input of a value, with its channels where the graph takes them to be.
void Lowering::place_input(Value& value, bool has_batch, const std::string& place) {
  const std::size_t first = has_batch ? 1 : 0;
  const std::span<const std::int64_t> sizes = std::span(value.dims).subspan(first);
  const bool last = is_channels_last(value.name, value.dims.size());
  const std::size_t channel_at = last && !sizes.empty() ? sizes.size() - 1 : 0;
  dataflow::Shape shape;
  if (!sizes.empty()) shape.channels = sizes[channel_at];
  std::int64_t pixels = 1;
  std::size_t spatial = 0;
  for (std::size_t at = 0; at < sizes.size(); ++at) {
    if (at == channel_at) continue;
    pixels = checked_mul(pixels, sizes[at]);
    (spatial == 0 ? shape.height : shape.width) = sizes[at];
    ++spatial;
  }
  if (spatial > 2) {  // the outer ones are rows of rows
    if (pixels > dataflow::kMaxDimension) throw ModelError(place + ": too many elements");
    shape.height = pixels;
    shape.width = 1;
  }
  value.source = builder_.add_input(value.name, shape, value.type, false);
  value.axes.resize(value.dims.size());
  if (has_batch && batch_ > 1) value.axes[0] = {{batch_, 0, true}};
  std::int64_t stride = shape.channels;
  for (std::size_t at = sizes.size(); at-- > 0;) {
    if (sizes[at] == 1) continue;
    const bool is_channel = at == channel_at;
    value.axes[first + at] = {{sizes[at], is_channel ? 1 : stride, false}};
    if (!is_channel) stride = checked_mul(stride, sizes[at]);
  }
}

void Lowering::read_input(const TensorType& input, bool is_parameter) {
  const auto place = fmt::format("{}: input '{}'", file_.file, shown(input.name));
  if (values_.contains(input.name)) throw ModelError(place + ": stands twice");
  Value value;
  value.name = input.name;
  value.type = input.type;
  value.is_integral = is_integer(input.type);
  value.dims = input_dims(input, place);
  const std::optional<Precision> stated = stated_precision(input.type);
  if (stated && (is_parameter || value.is_integral)) {
    value.width = StatedWidth{
        *stated, input.name, fmt::format("element type {}", to_text(input.type)), "", {}, 0};
  }
  if (is_parameter) {
    value.is_constant = true;
    skip(Node{input.name, "input", "", {}, {}, {}}, "read as a parameter: weight, scale or bound");
  } else {
    place_input(value, begins_with_batch(value, place), place);
    if (value.width) builder_.claim(value.source, input.name, *value.width);
  }
  values_.emplace(input.name, std::move(value));
}

}  // namespace vernier::frontends::onnx
