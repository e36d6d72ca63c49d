#include "frontends/onnx/lowering.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"

namespace vernier::frontends::onnx {
namespace {

constexpr std::size_t kMostProblems = 50;
constexpr std::int64_t kNewestOpset = 25;

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

// "; did you mean 'x'?" for a tensor that is not there; nothing in files with very many tensors.
std::string Lowering::nearest_tensor(const std::string& name) {
  constexpr std::size_t kMostNames = 10'000;
  if (tensor_names_.empty() && file_.nodes.size() + values_.size() < kMostNames) {
    for (const auto& [tensor, value] : values_) tensor_names_.push_back(tensor);
    for (const Node& node : file_.nodes) {
      tensor_names_.insert(tensor_names_.end(), node.outputs.begin(), node.outputs.end());
    }
    std::sort(tensor_names_.begin(), tensor_names_.end());
  }
  return tensor_names_.size() > kMostNames ? "" : suggestion(name, tensor_names_);
}

// The node that makes each tensor.
std::unordered_map<std::string, std::size_t> Lowering::producers() const {
  std::unordered_map<std::string, std::size_t> producer;
  for (std::size_t at = 0; at < file_.nodes.size(); ++at) {
    for (const std::string& output : file_.nodes[at].outputs) {
      if (output.empty()) continue;
      if (!producer.emplace(output, at).second || values_.contains(output)) {
        fail(file_.nodes[at], fmt::format("the tensor '{}' is made twice", shown(output)));
      }
    }
  }
  return producer;
}

// Nodes that a graph output needs; notes the others.
std::vector<bool> Lowering::needed_nodes(
    const std::unordered_map<std::string, std::size_t>& producer) {
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
  for (std::size_t at = 0; at < file_.nodes.size(); ++at) {
    if (!needed[at]) skip(file_.nodes[at], "no output of the network needs it");
  }
  return needed;
}

// The needed nodes in topological order, ties as in the file.
std::vector<std::size_t> Lowering::node_order() {
  const std::unordered_map<std::string, std::size_t> producer = producers();
  const std::vector<bool> needed = needed_nodes(producer);
  std::vector<std::size_t> missing(file_.nodes.size());
  std::vector<std::vector<std::size_t>> after(file_.nodes.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t at = 0; at < file_.nodes.size(); ++at) {
    if (!needed[at]) continue;
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
      fail(node,
           fmt::format("its input '{}' is made by no node{}", shown(name), nearest_tensor(name)));
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
                                   shown(output.name), nearest_tensor(output.name)));
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

// Annotations of constants; quantizers and element types come first.
void Lowering::annotate_constants() {
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
}

void Lowering::note_opsets() {
  if (!file_.opsets.contains("")) {
    builder_.note_default("ai.onnx", "no opset import: opset 1");
  } else if (file_.opsets.at("") > kNewestOpset) {
    builder_.note_default("ai.onnx", fmt::format("opset {} read by the rules of opset {}",
                                                 file_.opsets.at(""), kNewestOpset));
  }
  std::set<std::string> domains;
  for (const Node& node : file_.nodes) domains.insert(node.domain);
  for (const std::string& domain : domains) {
    if (domain.empty() || file_.opsets.contains(domain)) continue;
    builder_.note_default(domain, "no opset import for this domain: version 1");
  }
}

// Lowers a node; its error is kept, with the node's place, and its outputs count as failed.
void Lowering::try_to_lower(const Node& node) {
  try {
    lower(node);
    return;
  } catch (const UserError& error) {
    const std::string text = error.what();
    if (text.starts_with(file_.file + ": ")) {
      problems_.push_back(text);
    } else {  // a shape that does not fit, or a count beyond 64 bits
      try {
        fail(node, text);
      } catch (const ModelError& placed) {
        problems_.emplace_back(placed.what());
      }
    }
  }
  fail_outputs(node);
}

dataflow::ImportedModel Lowering::run() {
  if (file_.outputs.empty()) throw ModelError(file_.file + ": the graph has no output");
  note_opsets();
  index_readers();
  read_constants();
  read_inputs();
  annotate_constants();
  for (const std::size_t at : node_order()) {
    try_to_lower(file_.nodes[at]);
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
