#include "frontends/onnx/lowering.hpp"

#include <algorithm>
#include <functional>
#include <queue>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"

namespace vernier::frontends::onnx {
namespace {

constexpr std::size_t kMostProblems = 50;
constexpr std::int64_t kNewestOpset = 25;
constexpr std::size_t kMostDimensions = 16;

std::string opset_text(const ModelFile& file, const Node& node) {
  const auto entry = file.opsets.find(node.domain);
  return entry == file.opsets.end() ? std::string("no opset import")
                                    : fmt::format("opset {}", entry->second);
}

}  // namespace

Lowering::Lowering(const ModelFile& file) : file_(file), builder_(file) {}

void Lowering::fail(const Node& node, std::string_view message) const {
  throw ModelError(fmt::format("{}: {} of domain '{}', {}: {}", file_.file, node.description(),
                               node.domain.empty() ? "ai.onnx" : shown(node.domain),
                               opset_text(file_, node), message));
}

std::vector<std::string> Lowering::tensor_names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : values_) names.push_back(name);
  for (const Node& node : file_.nodes) {
    names.insert(names.end(), node.outputs.begin(), node.outputs.end());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Nodes that a graph output needs, in topological order, ties as in the file. Notes the others.
std::vector<std::size_t> Lowering::node_order() {
  std::unordered_map<std::string, std::size_t> producer;
  for (std::size_t at = 0; at < file_.nodes.size(); ++at) {
    for (const std::string& output : file_.nodes[at].outputs) {
      if (output.empty()) continue;
      if (!producer.emplace(output, at).second || values_.contains(output)) {
        fail(file_.nodes[at], fmt::format("the tensor '{}' is made twice", shown(output)));
      }
    }
  }
  std::vector<bool> needed(file_.nodes.size());
  std::vector<std::size_t> open;
  const auto need = [&](const std::string& name) {
    const auto entry = producer.find(name);
    if (entry == producer.end() || needed[entry->second]) return;
    needed[entry->second] = true;
    open.push_back(entry->second);
  };
  for (const TensorType& output : file_.outputs) need(output.name);
  while (!open.empty()) {
    const Node& node = file_.nodes[open.back()];
    open.pop_back();
    for (const std::string& input : node.inputs) need(input);
  }
  std::vector<std::size_t> missing(file_.nodes.size());
  std::vector<std::vector<std::size_t>> after(file_.nodes.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t at = 0; at < file_.nodes.size(); ++at) {
    if (!needed[at]) {
      skip(file_.nodes[at], "no output of the network needs it");
      continue;
    }
    for (const std::string& input : file_.nodes[at].inputs) {
      const auto entry = producer.find(input);
      if (entry == producer.end()) continue;
      after[entry->second].push_back(at);
      ++missing[at];
    }
    if (missing[at] == 0) ready.push(at);
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t at = ready.top();
    ready.pop();
    order.push_back(at);
    for (const std::size_t next : after[at]) {
      if (--missing[next] == 0) ready.push(next);
    }
  }
  for (std::size_t at = 0; at < file_.nodes.size(); ++at) {
    if (needed[at] && missing[at] > 0) {
      fail(file_.nodes[at], "lies on a cycle, or behind one: its inputs need its own output");
    }
  }
  return order;
}

void Lowering::index_readers() {
  for (std::size_t at = 0; at < file_.nodes.size(); ++at) {
    for (const std::string& input : file_.nodes[at].inputs) {
      if (input.empty()) continue;
      reading_nodes_[input].push_back(at);
      ++reader_counts_[input];
    }
  }
  for (const TensorType& output : file_.outputs) {
    output_names_.insert(output.name);
    ++reader_counts_[output.name];
  }
}

std::size_t Lowering::readers(const std::string& value) const {
  const auto entry = reader_counts_.find(value);
  return entry == reader_counts_.end() ? 0 : entry->second;
}

bool Lowering::only_quantizers_read(const std::string& value) const {
  const auto entry = reading_nodes_.find(value);
  if (entry == reading_nodes_.end() || output_names_.contains(value)) return false;
  return std::all_of(entry->second.begin(), entry->second.end(), [&](std::size_t at) {
    const OperatorRow* row = find_operator(file_.nodes[at].domain, file_.nodes[at].op);
    return row != nullptr && row->trait == Trait::kQuantizer;
  });
}

bool Lowering::a_quantizer_follows(const std::string& value) const {
  std::string at = value;
  constexpr int kFarthest = 16;
  for (int step = 0; step < kFarthest; ++step) {
    const auto entry = reading_nodes_.find(at);
    if (entry == reading_nodes_.end() || entry->second.size() != 1) return false;
    if (output_names_.contains(at)) return false;
    const Node& node = file_.nodes[entry->second.front()];
    const OperatorRow* row = find_operator(node.domain, node.op);
    if (row == nullptr || node.outputs.empty()) return false;
    if (row->trait == Trait::kQuantizer) return node.inputs.front() == at;
    if (row->trait != Trait::kKeepsLayout) return false;
    for (const std::string& other : node.inputs) {
      const auto known = values_.find(other);
      const bool is_constant = known != values_.end() && known->second.is_constant;
      if (other != at && !is_constant) return false;
    }
    at = node.outputs.front();
  }
  return false;
}

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

void Lowering::read_input(const TensorType& input, bool is_parameter) {
  const auto place = fmt::format("{}: input '{}'", file_.file, shown(input.name));
  if (!input.dims) throw ModelError(place + ": the file states no shape for it");
  if (input.dims->size() > kMostDimensions) {
    throw ModelError(fmt::format("{}: {} dimensions; at most {} are read", place,
                                 input.dims->size(), kMostDimensions));
  }
  Value value;
  value.name = input.name;
  value.type = input.type;
  value.is_integral = is_integer(input.type);
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
    }
    if (at == 0 && input.dims->size() > 1 && size == 0) {
      builder_.note_default(input.name, "batch 1 for a first dimension of 0");
      size = 1;
    }
    if (size < 1 || size > dataflow::kMaxDimension) {
      throw ModelError(fmt::format("{}: dimension {} is {}; 1 to {} are allowed", place, at, size,
                                   dataflow::kMaxDimension));
    }
    value.dims.push_back(size);
  }
  if (values_.contains(input.name)) throw ModelError(place + ": stands twice");
  const std::optional<Precision> stated = stated_precision(input.type);
  if (stated && (is_parameter || value.is_integral)) {
    value.width = StatedWidth{
        *stated, input.name, fmt::format("element type {}", to_text(input.type)), "", {}, 0};
  }
  if (is_parameter) {
    value.is_constant = true;
    skip(Node{input.name, "input", "", {}, {}, {}}, "read as a parameter: weight, scale or bound");
    values_.emplace(input.name, std::move(value));
    return;
  }
  const std::size_t rank = value.dims.size();
  bool has_batch = rank > 1;
  if (has_batch && batch_is_set_ && value.dims[0] != batch_) {
    builder_.note_default(input.name,
                          fmt::format("its first dimension {} is not the batch {}: read "
                                      "as a part of one image",
                                      value.dims[0], batch_));
    has_batch = false;
  }
  if (has_batch && !batch_is_set_) {
    if (value.dims[0] > dataflow::kMaxBatch) {
      throw ModelError(fmt::format("{}: a batch of {}; 1 to {} are allowed", place, value.dims[0],
                                   dataflow::kMaxBatch));
    }
    batch_ = value.dims[0];
    batch_is_set_ = true;
  }
  dataflow::Shape shape;
  const std::size_t first = has_batch ? 1 : 0;
  const bool last = is_channels_last(input.name, rank);
  std::vector<std::int64_t> sizes(value.dims.begin() + static_cast<std::ptrdiff_t>(first),
                                  value.dims.end());
  // More than three dimensions of one image: the outer ones are rows of rows.
  const std::size_t channel_at = last || sizes.empty() ? sizes.size() - 1 : 0;
  if (!sizes.empty()) shape.channels = sizes[channel_at];
  std::int64_t pixels = 1;
  std::size_t spatial = 0;
  for (std::size_t at = 0; at < sizes.size(); ++at) {
    if (at == channel_at) continue;
    pixels = checked_mul(pixels, sizes[at]);
    (spatial == 0 ? shape.height : shape.width) = sizes[at];
    ++spatial;
  }
  if (pixels > dataflow::kMaxElements) throw ModelError(place + ": too many elements");
  if (spatial > 2) {
    if (pixels > dataflow::kMaxDimension) throw ModelError(place + ": too many elements");
    shape.height = pixels;
    shape.width = 1;
  }
  value.source = builder_.add_input(input.name, shape, input.type, false);
  if (value.width) builder_.claim(value.source, input.name, *value.width);
  value.axes.resize(rank);
  if (has_batch && batch_ > 1) value.axes[0] = {{batch_, 0, true}};
  std::int64_t stride = shape.channels;
  for (std::size_t at = sizes.size(); at-- > 0;) {
    if (sizes[at] == 1) continue;
    if (at == channel_at) {
      value.axes[first + at] = {{sizes[at], 1, false}};
      continue;
    }
    value.axes[first + at] = {{sizes[at], stride, false}};
    stride *= sizes[at];
  }
  values_.emplace(input.name, std::move(value));
}

void Lowering::fail_outputs(const Node& node) {
  for (const std::string& output : node.outputs) {
    Value value;
    value.name = output;
    value.is_failed = true;
    values_[output] = std::move(value);
  }
}

void Lowering::lower(const Node& node) {
  bool all_constant = true;
  for (const std::string& name : node.inputs) {
    if (name.empty()) continue;
    const auto entry = values_.find(name);
    if (entry == values_.end()) {
      fail(node, fmt::format("its input '{}' is made by no node{}", shown(name),
                             suggestion(name, tensor_names())));
    }
    if (entry->second.is_failed) {
      fail_outputs(node);
      return;
    }
    all_constant = all_constant && entry->second.is_constant;
  }
  if (node.outputs.empty()) fail(node, "has no output");
  const OperatorRow* row = find_operator(node.domain, node.op);
  if (row == nullptr) {
    const std::string key = node.domain + "::" + node.op;
    if (std::find(file_.functions.begin(), file_.functions.end(), key) != file_.functions.end()) {
      fail(node, "a local function of the model; only operators are read, so inline the functions");
    }
    const std::vector<std::string> names = operator_names(node.domain);
    fail(node, is_known_domain(node.domain)
                   ? "unknown operator" + suggestion(node.op, names)
                   : "unknown domain; read are ai.onnx, com.microsoft, and those of QONNX "
                     "(qonnx.custom_op.general, qonnx.custom_op.channels_last, "
                     "finn.custom_op.general, onnx.brevitas)");
  }
  if (all_constant && row->on_constants == nullptr && row->handler != lower_inexpressible) {
    fail(node, "its inputs all are constants; this operator is read for activations only");
  }
  (all_constant && row->on_constants != nullptr ? row->on_constants : row->handler)(*this, node);
  for (const std::string& output : node.outputs) {
    if (output.empty() || values_.contains(output)) continue;
    if (readers(output) == 0) continue;
    fail(node, fmt::format("its output '{}' is read, but has no counterpart here", shown(output)));
  }
  apply_annotations(node);
}

void Lowering::apply_annotations(const Node& node) {
  for (const std::string& output : node.outputs) {
    const auto annotation = file_.datatypes.find(output);
    const auto entry = values_.find(output);
    if (annotation == file_.datatypes.end() || entry == values_.end()) continue;
    Value& value = entry->second;
    const std::optional<Precision> precision = finn_precision(annotation->second);
    if (value.width || !precision) continue;
    StatedWidth width{*precision, output, "quantization annotation " + shown(annotation->second),
                      "",         {},     0};
    if (!value.is_constant && !builder_.has_claim(value.source)) {
      builder_.claim(value.source, output, width);
    }
    value.width = std::move(width);
  }
}

// A graph output that is still the network's input is a layer that passes it on.
void Lowering::finish_outputs() {
  std::size_t computed = 0;
  for (const TensorType& output : file_.outputs) {
    const auto entry = values_.find(output.name);
    if (entry == values_.end()) {
      throw ModelError(fmt::format("{}: output '{}' is made by no node{}", file_.file,
                                   shown(output.name), suggestion(output.name, tensor_names())));
    }
    const Value& value = entry->second;
    if (value.is_failed) return;
    if (value.is_constant) {
      builder_.note_default(output.name, "constant: this output does not depend on the image");
      continue;
    }
    ++computed;
    if (builder_.draft_of(value.source) != nullptr) continue;
    Draft draft;
    draft.spec.name = output.name;
    draft.spec.op = dataflow::ActivationLayer{dataflow::ActivationKind::kNone};
    draft.spec.inputs = {value.source};
    draft.tail_type = value.type;
    draft.tail = output.name;
    draft.keeps_values = true;
    if (value.width)
      builder_.claim(builder_.add_layer(draft).spec.name, output.name, *value.width);
    else
      builder_.add_layer(draft);
    builder_.note_default(output.name,
                          "no layer computes this output: counted as one pass of the "
                          "vector unit over the network's input");
  }
  if (computed == 0) {
    throw ModelError(fmt::format("{}: no output of the graph depends on an input", file_.file));
  }
}

dataflow::ImportedModel Lowering::run() {
  if (file_.outputs.empty()) throw ModelError(file_.file + ": the graph has no output");
  if (file_.opsets.contains("") && file_.opsets.at("") > kNewestOpset) {
    builder_.note_default("ai.onnx", fmt::format("opset {} read by the rules of opset {}",
                                                 file_.opsets.at(""), kNewestOpset));
  }
  if (!file_.opsets.contains("")) builder_.note_default("ai.onnx", "no opset import: opset 1");
  index_readers();
  read_constants();
  read_inputs();
  for (const TensorData& tensor : file_.constants) {
    const auto annotation = file_.datatypes.find(tensor.name);
    if (annotation == file_.datatypes.end()) continue;
    Value& value = values_.at(tensor.name);
    if (const auto precision = finn_precision(annotation->second); precision && !value.width) {
      value.width = StatedWidth{
          *precision, tensor.name, "quantization annotation " + shown(annotation->second),
          "",         {},          0};
    }
  }
  std::unordered_set<std::string> noted;
  for (const std::size_t at : node_order()) {
    const Node& node = file_.nodes[at];
    if (!file_.opsets.contains(node.domain) && noted.insert(node.domain).second &&
        !node.domain.empty()) {
      builder_.note_default(node.domain, "no opset import for this domain: version 1");
    }
    try {
      lower(node);
    } catch (const UserError& error) {
      const std::string text = error.what();
      const std::string begin = file_.file + ": ";
      if (text.starts_with(begin)) {
        problems_.push_back(text);
      } else {  // a shape that does not fit, or a count beyond 64 bits
        try {
          fail(node, text);
        } catch (const ModelError& placed) {
          problems_.emplace_back(placed.what());
        }
      }
      fail_outputs(node);
    }
    if (problems_.size() >= kMostProblems) {
      problems_.emplace_back(file_.file + ": ... and perhaps more");
      break;
    }
  }
  if (!problems_.empty()) throw ModelError(problems_);
  finish_outputs();
  return builder_.finish(batch_);
}

}  // namespace vernier::frontends::onnx
