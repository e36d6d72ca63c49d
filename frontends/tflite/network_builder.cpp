#include "frontends/tflite/network_builder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::frontends::tflite {
namespace {

using dataflow::ActivationKind;
using dataflow::DecidedWidth;
using dataflow::InputSpec;
using dataflow::LayerSpec;
using dataflow::Shape;

// The first of the names that the converter joined with ';' when it fused their operators.
std::string first_part(const std::string& name) {
  const std::string part = name.substr(0, name.find(';'));
  return part.empty() ? name : part;
}

}  // namespace

bool Value::is_padded() const {
  return pad.pad_top != 0 || pad.pad_left != 0 || pad.pad_bottom != 0 || pad.pad_right != 0;
}

NetworkBuilder::NetworkBuilder(const TfliteFile& file) : file_(file) {
  report_.format = fmt::format("TFLite (version {})", file.version());
  count_uses();
  add_inputs();
  if (file.subgraph_count() > 1) {
    report_.defaults.push_back(
        {"subgraphs", fmt::format("only subgraph 0 of {} is read; no operator that could call "
                                  "another one is supported",
                                  file.subgraph_count())});
  }
}

void NetworkBuilder::fail(const FileOperator& op, std::string_view message) const {
  throw ModelError(fmt::format("{}: {}", file_.place(op), message));
}

void NetworkBuilder::count_uses() {
  is_made_.resize(file_.tensors().size());
  uses_.resize(file_.tensors().size());
  for (const FileOperator& op : file_.operators()) {
    for (const std::int64_t tensor : op.inputs) {
      if (tensor >= 0) ++uses_[static_cast<std::size_t>(tensor)];
    }
    for (const std::size_t tensor : op.outputs) is_made_[tensor] = true;
  }
  for (const std::size_t tensor : file_.outputs()) ++uses_[tensor];
}

void NetworkBuilder::add_inputs() {
  std::optional<std::int64_t> batch;
  for (const std::size_t id : file_.inputs()) {
    const FileTensor& tensor = file_.tensors()[id];
    if (is_made_[id]) {
      throw ModelError(
          fmt::format("{}: tensor '{}' is an input of the network twice, or made by "
                      "an operator too",
                      file_.file(), tensor.name));
    }
    is_made_[id] = true;
    const std::int64_t first = tensor.dims.size() > 1 ? tensor.dims.front() : 1;
    if (batch && *batch != first) {
      throw ModelError(fmt::format("{}: input '{}' has batch {}, the one before {}", file_.file(),
                                   tensor.name, first, *batch));
    }
    batch = first;
    for (const std::size_t dim : tensor.unknown_dims) {
      report_.defaults.push_back(
          {fmt::format("input '{}'", tensor.name),
           dim == 0 && tensor.dims.size() > 1
               ? fmt::format("batch {} for the open first dimension", first)
               : fmt::format("{} for the open dimension {}", tensor.dims[dim], dim)});
    }
  }
  batch_ = batch.value_or(1);
  for (const std::size_t id : file_.inputs()) {
    const FileTensor& tensor = file_.tensors()[id];
    const std::optional<Shape> shape = shape_of(tensor);
    if (!shape) {
      throw ModelError(fmt::format("{}: input '{}' has no shape of 1 to 4 sizes from 1 to {}",
                                   file_.file(), tensor.name, dataflow::kMaxDimension));
    }
    InputSpec input;
    input.name = claim_name(tensor.name);
    input.shape = *shape;
    decide(input.name, id);
    values_[id] = {input.name, *shape, {}};
    inputs_.push_back(std::move(input));
  }
}

std::string NetworkBuilder::claim_name(const std::string& wanted) {
  std::string name = first_part(wanted);
  if (names_.insert(name).second) return name;
  if (name != wanted && names_.insert(wanted).second) return wanted;
  for (int& number = last_number_.try_emplace(name, 1).first->second;;) {
    std::string candidate = fmt::format("{}.{}", name, ++number);
    if (names_.insert(candidate).second) return candidate;
  }
}

std::size_t NetworkBuilder::input(const FileOperator& op, std::size_t slot) const {
  if (!has_input(op, slot)) fail(op, fmt::format("has no input {}", slot));
  return static_cast<std::size_t>(op.inputs[slot]);
}

bool NetworkBuilder::has_input(const FileOperator& op, std::size_t slot) const {
  return slot < op.inputs.size() && op.inputs[slot] >= 0;
}

std::size_t NetworkBuilder::output(const FileOperator& op) const {
  if (op.outputs.size() != 1) fail(op, fmt::format("has {} outputs, not 1", op.outputs.size()));
  return op.outputs.front();
}

bool NetworkBuilder::is_constant(std::size_t tensor) const {
  return !is_made_[tensor] || constants_.contains(tensor);
}

std::size_t NetworkBuilder::constant_behind(std::size_t tensor) const {
  const auto found = constants_.find(tensor);
  return found == constants_.end() ? tensor : found->second;
}

void NetworkBuilder::pass_constant(const FileOperator& op, std::string reason) {
  const std::size_t made = output(op);
  if (values_.contains(made)) fail(op, "makes a tensor that an operator before it makes");
  constants_[made] = constant_behind(input(op, 0));
  report_.skipped.push_back({fmt::format("operator {} '{}'", op.index, file_.tensors()[made].name),
                             op.op, std::move(reason)});
}

std::vector<std::int64_t> NetworkBuilder::integers(const FileOperator& op, std::size_t slot) const {
  const std::size_t tensor = input(op, slot);
  std::optional<std::vector<std::int64_t>> values;
  if (is_constant(tensor)) values = file_.integers(constant_behind(tensor));
  if (!values) {
    fail(op, fmt::format("its input {} ('{}') must be a constant of at most 64 integers that the "
                         "file holds",
                         slot, shown(file_.tensors()[tensor].name)));
  }
  return *values;
}

std::optional<Shape> NetworkBuilder::shape_of(const FileTensor& tensor) const {
  if (!tensor.has_dims) return std::nullopt;
  for (const std::int64_t size : tensor.dims) {
    if (size < 1 || size > dataflow::kMaxDimension) return std::nullopt;
  }
  std::vector<std::int64_t> rest = tensor.dims;
  if (rest.front() == batch_ && (rest.size() > 1 || batch_ > 1)) {
    rest.erase(rest.begin());
  } else if (batch_ > 1) {
    if (rest.front() % batch_ != 0) return std::nullopt;
    rest.front() /= batch_;
  }
  while (rest.size() > 3 && rest.front() == 1) rest.erase(rest.begin());
  switch (rest.size()) {
    case 0: return Shape{};
    case 1: return Shape{rest[0], 1, 1};
    case 2: return Shape{rest[1], rest[0], 1};
    case 3: return Shape{rest[2], rest[0], rest[1]};
    default: return std::nullopt;
  }
}

std::optional<Shape> NetworkBuilder::stated_shape(const FileOperator& op,
                                                  std::size_t tensor) const {
  const FileTensor& found = file_.tensors()[tensor];
  if (!found.has_dims) return std::nullopt;
  const std::optional<Shape> shape = shape_of(found);
  if (!shape) {
    fail(op, fmt::format("tensor '{}' has the shape [{}]; batch {}, height, width, channels (or "
                         "fewer), each from 1 to {}, is what can be expressed",
                         shown(found.name), fmt::join(found.dims, ", "), batch_,
                         dataflow::kMaxDimension));
  }
  return shape;
}

std::optional<std::int64_t Shape::*> NetworkBuilder::dimension(const FileOperator& op,
                                                               std::size_t tensor,
                                                               std::int64_t axis) const {
  const std::vector<std::int64_t>& dims = file_.tensors()[tensor].dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) {
    fail(op, fmt::format("the axis lies outside the {} dimensions of '{}'", rank,
                         shown(file_.tensors()[tensor].name)));
  }
  const bool has_batch = rank > 1 && dims.front() == batch_;
  if (axis == rank - 1) return &Shape::channels;
  if (axis == 0 && has_batch) return std::nullopt;
  const std::int64_t from_end = rank - 1 - axis;
  const std::int64_t inner = rank - (has_batch ? 1 : 0);
  constexpr std::int64_t kMapRank = 3;
  if (inner >= kMapRank && from_end == 1) return &Shape::width;
  return &Shape::height;
}

Value NetworkBuilder::operand(const FileOperator& op, std::size_t slot, bool padded) {
  const std::size_t tensor = input(op, slot);
  if (is_constant(tensor)) {
    const std::optional<Shape> shape = stated_shape(op, tensor);
    return learned_input(op, tensor, shape.value_or(Shape{}));
  }
  const auto found = values_.find(tensor);
  if (found == values_.end()) {
    fail(op, fmt::format("reads '{}' before an operator makes it",
                         shown(file_.tensors()[tensor].name)));
  }
  if (!padded && found->second.is_padded()) {
    fail(op,
         "reads a map with padded rows or columns; padding is only expressible in front of a "
         "convolution or pooling");
  }
  return found->second;
}

Value NetworkBuilder::operand_beside(const FileOperator& op, std::size_t slot, const Value& other) {
  const std::size_t tensor = input(op, slot);
  if (!is_constant(tensor)) return operand(op, slot);
  const FileTensor& constant = file_.tensors()[constant_behind(tensor)];
  const auto all = [&constant] {
    std::int64_t elements = 1;
    for (const std::int64_t size : constant.dims) elements = checked_mul(elements, size);
    return elements;
  };
  const std::int64_t elements = all();
  const std::int64_t last = constant.dims.empty() ? 1 : constant.dims.back();
  if (elements == 1 && other.shape.channels != 1) {
    note(op, fmt::format("the scalar constant '{}' is read as one value per channel",
                         shown(constant.name)));
    return learned_input(op, tensor, {other.shape.channels, 1, 1});
  }
  if (elements == last) return learned_input(op, tensor, {last, 1, 1});
  return operand(op, slot);
}

Value NetworkBuilder::learned_input(const FileOperator& op, std::size_t tensor,
                                    const Shape& shape) {
  const FileTensor& constant = file_.tensors()[constant_behind(tensor)];
  if (constant.is_variable) {
    fail(op, fmt::format("'{}' keeps its value between inferences, which is not supported",
                         shown(constant.name)));
  }
  InputSpec input;
  input.name = claim_name(constant.name);
  input.shape = shape;
  input.learned = true;
  decide(input.name, constant_behind(tensor));
  inputs_.push_back(input);
  return {input.name, shape, {}};
}

void NetworkBuilder::decide(const std::string& name, std::size_t tensor) {
  const FileTensor& found = file_.tensors()[tensor];
  DecidedWidth width{name, found.precision, fmt::format("tensor '{}'", found.name), found.rule,
                     found.is_float};
  if (found.is_float) width.rule += ", 32 bits assumed";
  widths_[name] = std::move(width);
}

void NetworkBuilder::decide_weight(LayerSpec& layer, std::size_t tensor) {
  const std::size_t constant = constant_behind(tensor);
  decide(layer.name + ".weight", constant);
  layer.weight_precision = file_.tensors()[constant].precision;
}

void NetworkBuilder::add(const FileOperator& op, const dataflow::Operator& layer,
                         const std::vector<Value>& inputs, ActivationKind activation,
                         std::optional<std::size_t> weight) {
  const std::size_t made = output(op);
  if (values_.contains(made)) fail(op, "makes a tensor that an operator before it makes");
  LayerSpec spec;
  spec.name = claim_name(file_.tensors()[made].name);
  spec.op = layer;
  spec.activation = activation;
  spec.place = {file_.place(op), 0, 0};
  std::vector<Shape> shapes;
  for (const Value& value : inputs) {
    spec.inputs.push_back(value.source);
    shapes.push_back(value.shape);
  }
  Value value{spec.name, {}, {}};
  try {
    value.shape = infer_shape(spec.op, shapes);
  } catch (const UserError& error) {
    fail(op, error.what());
  }
  if (weight) decide_weight(spec, *weight);
  decide(spec.name, made);
  if (is_view(spec.op)) {
    const auto viewed = views_.find(inputs.front().source);
    views_[spec.name] = viewed == views_.end() ? inputs.front().source : viewed->second;
  }
  layer_at_[spec.name] = layers_.size();
  layers_.push_back(std::move(spec));
  const std::optional<Shape> stated = stated_shape(op, made);
  if (stated && *stated != value.shape) {
    if (stated->elements() != value.shape.elements()) {
      fail(op, fmt::format("makes {} by its inputs and options, but the file states {}",
                           to_text(value.shape), to_text(*stated)));
    }
    value = view(op, value, *stated, ".view");
  }
  values_[made] = std::move(value);
}

Value NetworkBuilder::view(const FileOperator& op, const Value& value, const Shape& shape,
                           std::string_view suffix) {
  LayerSpec spec;
  spec.name = claim_name(first_part(file_.tensors()[output(op)].name) + std::string(suffix));
  spec.op = dataflow::Reshape{shape};
  spec.inputs = {value.source};
  spec.place = {file_.place(op), 0, 0};
  DecidedWidth width = widths_.at(value.source);
  width.tensor = spec.name;
  width.rule = fmt::format("view of '{}'", value.source);
  widths_[spec.name] = std::move(width);
  const auto viewed = views_.find(value.source);
  views_[spec.name] = viewed == views_.end() ? value.source : viewed->second;
  layers_.push_back(spec);
  return {spec.name, shape, {}};
}

void NetworkBuilder::alias(const FileOperator& op, const Value& value, std::string reason) {
  const std::size_t made = output(op);
  if (values_.contains(made)) fail(op, "makes a tensor that an operator before it makes");
  values_[made] = value;
  report_.skipped.push_back({fmt::format("operator {} '{}'", op.index, file_.tensors()[made].name),
                             op.op, std::move(reason)});
}

void NetworkBuilder::requantize(const FileOperator& op, const Value& value, std::string reason) {
  const std::size_t made = output(op);
  const FileTensor& after = file_.tensors()[made];
  const auto viewed = views_.find(value.source);
  DecidedWidth& before = widths_.at(viewed == views_.end() ? value.source : viewed->second);
  const bool only_reader = uses_[input(op, 0)] == 1;
  const bool is_wider = after.precision.bits > before.precision.bits;
  const bool is_integer = after.precision.kind != NumberKind::kFloat;
  if (is_integer && (before.assumed || only_reader || is_wider)) {
    if (!before.assumed && !only_reader) {
      note(op, fmt::format("'{}' is stored once, at the wider {} bits", value.source,
                           after.precision.bits.bits()));
    }
    before.precision = after.precision;
    before.decided_by = fmt::format("operator {} {} ('{}')", op.index, op.op, after.name);
    before.rule = after.rule;
    before.assumed = false;
  }
  alias(op, value, std::move(reason));
}

bool NetworkBuilder::fold_activation(const FileOperator& op, ActivationKind kind) {
  const std::size_t read = input(op, 0);
  const auto value = values_.find(read);
  if (value == values_.end() || value->second.is_padded() || uses_[read] != 1) return false;
  const auto at = layer_at_.find(value->second.source);
  if (at == layer_at_.end()) return false;
  LayerSpec& layer = layers_[at->second];
  if (!is_mac(layer.op) || layer.activation != ActivationKind::kNone) return false;
  layer.activation = kind;
  const Value folded = value->second;
  decide(layer.name, output(op));
  alias(op, folded, fmt::format("folded into '{}'", layer.name));
  return true;
}

void NetworkBuilder::note(const FileOperator& op, std::string what) {
  report_.defaults.push_back({fmt::format("operator {} {}", op.index, op.op), std::move(what)});
}

dataflow::ImportedModel NetworkBuilder::finish(const std::string& name) {
  for (const std::size_t tensor : file_.outputs()) {
    const auto value = values_.find(tensor);
    if (value != values_.end() && value->second.is_padded()) {
      throw ModelError(
          fmt::format("{}: the output '{}' has padded rows or columns; padding is "
                      "only expressible in front of a convolution or pooling",
                      file_.file(), shown(file_.tensors()[tensor].name)));
    }
  }
  for (InputSpec& input : inputs_) input.precision = widths_.at(input.name).precision;
  for (LayerSpec& layer : layers_) {
    layer.output_precision = widths_.at(layer.name).precision;
    if (std::holds_alternative<dataflow::Reshape>(layer.op)) {  // of what it shows, decided later
      layer.output_precision = widths_.at(layer.inputs.front()).precision;
      widths_.at(layer.name).precision = *layer.output_precision;
    }
  }
  std::unordered_set<std::string> read;
  for (const LayerSpec& layer : layers_) read.insert(layer.inputs.begin(), layer.inputs.end());
  std::erase_if(inputs_, [&](const InputSpec& input) {
    if (read.contains(input.name)) return false;
    report_.skipped.push_back({fmt::format("input '{}'", input.name), "input", "nobody reads it"});
    return true;
  });
  dataflow::LayerGraph graph(name, inputs_, layers_, batch_);
  for (const dataflow::Tensor& tensor : graph.tensors()) {
    const auto width = widths_.find(tensor.name);
    if (width != widths_.end()) report_.widths.push_back(width->second);
  }
  return {std::move(graph), std::move(report_)};
}

}  // namespace vernier::frontends::tflite
