#include "frontends/onnx/network_builder.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"

namespace vernier::frontends::onnx {
namespace {

using dataflow::DecidedWidth;
using dataflow::Shape;

constexpr std::size_t kLongestName = 200;
constexpr std::size_t kMostLayers = 100'000;

// Wider first; among equal widths the one stated first.
bool is_wider(const Precision& left, const Precision& right) { return left.bits > right.bits; }

}  // namespace

std::string NetworkBuilder::free_name(const std::string& wanted) {
  const std::string base = wanted.size() > kLongestName ? wanted.substr(0, kLongestName) : wanted;
  const auto is_free = [&](const std::string& name) {
    // A layer's weight tensor is called NAME.weight; no other tensor may have that name.
    const bool takes_weight_name =
        name.ends_with(".weight") && names_.contains(name.substr(0, name.size() - 7));
    return !name.empty() && !names_.contains(name) && !names_.contains(name + ".weight") &&
           !takes_weight_name;
  };
  std::string name = base;
  int& suffix = next_suffix_[base];
  while (!is_free(name)) name = fmt::format("{}_{}", base, ++suffix);
  return name;
}

std::string NetworkBuilder::add_input(const std::string& name, const Shape& shape, ElementType type,
                                      bool learned) {
  std::string used = free_name(name.empty() ? "input" : name);
  names_.insert(used);
  input_index_.emplace(used, inputs_.size());
  Input input;
  input.spec.name = used;
  input.spec.shape = shape;
  input.spec.learned = learned;
  input.spec.place.file = file_.file;
  input.type = type;
  inputs_.push_back(std::move(input));
  return used;
}

Draft& NetworkBuilder::add_layer(Draft draft) {
  if (drafts_.size() >= kMostLayers) {
    throw ModelError(fmt::format("more than {} layers", kMostLayers));
  }
  std::vector<Shape> shapes;
  shapes.reserve(draft.spec.inputs.size());
  for (const std::string& input : draft.spec.inputs) shapes.push_back(shape_of(input));
  draft.shape = dataflow::infer_shape(draft.spec.op, shapes);
  if (static_cast<double>(draft.shape.channels) * static_cast<double>(draft.shape.height) *
          static_cast<double>(draft.shape.width) >
      static_cast<double>(dataflow::kMaxElements)) {
    throw ModelError(fmt::format("the output {} has more than {} elements",
                                 dataflow::to_text(draft.shape), dataflow::kMaxElements));
  }
  draft.spec.name = free_name(draft.spec.name);
  draft.spec.place.file = file_.file;
  names_.insert(draft.spec.name);
  draft_index_.emplace(draft.spec.name, drafts_.size());
  drafts_.push_back(std::move(draft));
  return drafts_.back();
}

Draft* NetworkBuilder::draft_of(const std::string& source) {
  const auto entry = draft_index_.find(source);
  return entry == draft_index_.end() ? nullptr : &drafts_[entry->second];
}

const Shape& NetworkBuilder::shape_of(const std::string& source) const {
  const auto input = input_index_.find(source);
  return input != input_index_.end() ? inputs_[input->second].spec.shape
                                     : drafts_[draft_index_.at(source)].shape;
}

std::string NetworkBuilder::view_of(const std::string& source, const Shape& shape, bool in_order,
                                    const std::string& wanted_name) {
  const std::string key =
      fmt::format("{} {} {}", dataflow::to_text(shape), in_order ? "view" : "order", source);
  const auto known = views_.find(key);
  if (known != views_.end()) return known->second;
  Draft draft;
  draft.spec.name = wanted_name;
  draft.spec.op = dataflow::Reshape{shape};
  draft.spec.inputs = {source};
  draft.stage = Stage::kQuantized;
  draft.keeps_values = true;
  std::string name = add_layer(std::move(draft)).spec.name;
  views_.emplace(key, name);
  if (!in_order) {
    note_default(name, fmt::format("the elements of '{}' change their order: counted as another "
                                   "way to address them, free of cost",
                                   source));
  }
  return name;
}

void NetworkBuilder::claim(const std::string& source, const std::string& of_value,
                           StatedWidth width) {
  claims_[source].push_back({of_value, std::move(width)});
}

void NetworkBuilder::refine_claim(const std::string& source, const StatedWidth& width) {
  const auto entry = claims_.find(source);
  if (entry != claims_.end()) entry->second.back().width = width;
}

bool NetworkBuilder::has_claim(const std::string& source) const { return claims_.contains(source); }

bool NetworkBuilder::only_claims_of(const std::string& source, const std::string& of_value) const {
  const auto entry = claims_.find(source);
  return entry == claims_.end() ||
         std::all_of(entry->second.begin(), entry->second.end(),
                     [&](const Claim& claim) { return claim.of_value == of_value; });
}

void NetworkBuilder::note_default(const std::string& where, const std::string& what) {
  report_.defaults.push_back({where, what});
}

void NetworkBuilder::note_skipped(const Node& node, const std::string& reason) {
  const std::string op = node.domain.empty() ? node.op : node.domain + "::" + node.op;
  const std::string name =
      node.name.empty() && !node.outputs.empty() ? node.op + "_" + node.outputs[0] : node.name;
  report_.skipped.push_back({name, op, reason});
}

void NetworkBuilder::decide_claimed(Widths& decided) {
  std::vector<std::string> names;
  names.reserve(inputs_.size() + drafts_.size());
  for (const Input& input : inputs_) names.push_back(input.spec.name);
  for (const Draft& draft : drafts_) names.push_back(draft.spec.name);
  for (const std::string& name : names) {
    const auto entry = claims_.find(name);
    if (entry == claims_.end()) continue;
    const Claim* widest = &entry->second.front();
    for (const Claim& claim : entry->second) {
      if (is_wider(claim.width.precision, widest->width.precision)) widest = &claim;
    }
    for (const Claim& claim : entry->second) {
      if (claim.width.precision.bits == widest->width.precision.bits) continue;
      note_default(name, fmt::format("stored once at {} bits ('{}'), although '{}' asks for {}",
                                     widest->width.precision.bits.bits(), widest->width.decided_by,
                                     claim.width.decided_by, claim.width.precision.bits.bits()));
    }
    decided[name] = {name, widest->width.precision, widest->width.decided_by, widest->width.rule,
                     false};
  }
}

// A layer that keeps the values of its inputs has their width.
void NetworkBuilder::inherit_forward(Widths& decided) const {
  for (const Draft& draft : drafts_) {
    if (!draft.keeps_values || decided.contains(draft.spec.name)) continue;
    const DecidedWidth* widest = nullptr;
    bool all_known = true;
    for (const std::string& input : draft.spec.inputs) {
      const auto entry = decided.find(input);
      all_known = all_known && entry != decided.end();
      if (entry != decided.end() &&
          (widest == nullptr || is_wider(entry->second.precision, widest->precision))) {
        widest = &entry->second;
      }
    }
    if (widest == nullptr || !all_known) continue;
    DecidedWidth width = *widest;
    width.tensor = draft.spec.name;
    decided[draft.spec.name] = width;
  }
}

// What is only read by layers that keep its values, and is quantized behind them, may be quantized
// before them just as well: the first quantizer on the way down decides.
void NetworkBuilder::inherit_backward(Widths& decided) const {
  std::unordered_map<std::string, std::vector<const Draft*>> readers;
  for (const Draft& draft : drafts_) {
    for (const std::string& input : draft.spec.inputs) readers[input].push_back(&draft);
  }
  for (auto draft = drafts_.rbegin(); draft != drafts_.rend(); ++draft) {
    const std::string& name = draft->spec.name;
    if (decided.contains(name) || !readers.contains(name)) continue;
    const DecidedWidth* widest = nullptr;
    bool all_known = true;
    for (const Draft* reader : readers.at(name)) {
      const auto entry = decided.find(reader->spec.name);
      all_known = all_known && reader->keeps_values && entry != decided.end();
      if (!all_known) break;
      if (widest == nullptr || is_wider(entry->second.precision, widest->precision)) {
        widest = &entry->second;
      }
    }
    if (widest == nullptr || !all_known) continue;
    DecidedWidth width = *widest;
    width.tensor = name;
    decided[name] = width;
  }
}

DecidedWidth NetworkBuilder::undecided(const std::string& source) const {
  const auto input = input_index_.find(source);
  const Draft* draft = input == input_index_.end() ? &drafts_[draft_index_.at(source)] : nullptr;
  const ElementType type = draft == nullptr ? inputs_[input->second].type : draft->tail_type;
  if (const std::optional<Precision> stated = stated_precision(type)) {
    const std::string by = draft == nullptr || draft->tail.empty() ? source : draft->tail;
    return {source, *stated, by, fmt::format("element type {}", to_text(type)), false};
  }
  constexpr int kFloatBits = 32;
  if (draft != nullptr && draft->has_stated_operands) {
    return {source,
            {Bitwidth(kFloatBits), NumberKind::kInt, false, {}},
            draft->spec.name,
            "no quantizer behind the layer: 32-bit accumulator, assumed",
            true};
  }
  return {source,
          {Bitwidth(kFloatBits), NumberKind::kFloat, false, {}},
          source,
          "float, assumed 32",
          true};
}

// Widths of channels as slices of equal neighbours, if they lie along the output channels.
Precision NetworkBuilder::sliced(const Draft& draft, const StatedWidth& width) {
  Precision precision = width.precision;
  if (width.channel_bits.empty()) return precision;
  const std::vector<Shape> inputs{shape_of(draft.spec.inputs.front())};
  const std::int64_t rows = dataflow::weight_shape(draft.spec.op, inputs[0]).rows;
  if (static_cast<std::int64_t>(width.channel_bits.size()) != rows) {
    note_default(
        draft.spec.name + ".weight",
        fmt::format("{} bits for all channels: '{}' states {} widths, the layer has {} "
                    "output channels",
                    precision.bits.bits(), width.decided_by, width.channel_bits.size(), rows));
    return precision;
  }
  for (const std::int64_t bits : width.channel_bits) {
    const Bitwidth channel(bits);
    if (!precision.slices.empty() && precision.slices.back().bits == channel) {
      ++precision.slices.back().channels;
    } else {
      precision.slices.push_back({1, channel});
    }
  }
  if (precision.slices.size() == 1) precision.slices.clear();
  return precision;
}

DecidedWidth NetworkBuilder::weight_width(const Draft& draft) {
  const std::string name = draft.spec.name + ".weight";
  if (draft.weight) {
    return {name, sliced(draft, *draft.weight), draft.weight->decided_by, draft.weight->rule,
            false};
  }
  return {name,
          {Bitwidth(Bitwidth::kMax), NumberKind::kFloat, false, {}},
          name,
          "float, assumed 32",
          true};
}

void NetworkBuilder::report_widths(const dataflow::LayerGraph& graph, const Widths& decided) {
  for (const dataflow::Tensor& tensor : graph.tensors()) {
    const std::string& root = tensor.shows ? graph.tensor(*tensor.shows).name : tensor.name;
    DecidedWidth width =
        tensor.kind == dataflow::TensorKind::kWeight ? weights_.at(tensor.name) : decided.at(root);
    width.tensor = tensor.name;
    report_.widths.push_back(std::move(width));
  }
}

dataflow::ImportedModel NetworkBuilder::finish(std::int64_t batch) {
  Widths decided;
  decide_claimed(decided);
  inherit_forward(decided);
  inherit_backward(decided);
  inherit_forward(decided);
  std::vector<dataflow::InputSpec> inputs;
  for (const Input& input : inputs_) {
    const std::string& name = input.spec.name;
    if (!decided.contains(name)) decided[name] = undecided(name);
    inputs.push_back(input.spec);
    if (!decided[name].assumed) inputs.back().precision = decided[name].precision;
  }
  for (const Draft& draft : drafts_) {
    const std::string& name = draft.spec.name;
    if (decided.contains(name)) continue;
    decided[name] = draft.keeps_values && draft.tail_type == ElementType::kUndefined
                        ? decided.at(draft.spec.inputs.front())
                        : undecided(name);
    decided[name].tensor = name;
  }
  std::vector<dataflow::LayerSpec> layers;
  for (const Draft& draft : drafts_) {
    dataflow::LayerSpec spec = draft.spec;
    const DecidedWidth& output = decided.at(spec.name);
    if (!output.assumed) spec.output_precision = output.precision;
    const bool has_weight =
        dataflow::is_mac(spec.op) && !std::holds_alternative<dataflow::MatMul>(spec.op);
    if (has_weight) {
      const DecidedWidth weight = weight_width(draft);
      if (!weight.assumed) spec.weight_precision = weight.precision;
      weights_.emplace(weight.tensor, weight);
    }
    layers.push_back(std::move(spec));
  }
  const std::string name = file_.graph_name.empty() ? "network" : file_.graph_name;
  dataflow::LayerGraph graph(name, inputs, layers, batch);
  report_widths(graph, decided);
  report_.format = fmt::format("ONNX (IR version {}, opset {})", file_.ir_version,
                               file_.opsets.contains("") ? file_.opsets.at("") : 1);
  return {std::move(graph), std::move(report_)};
}

}  // namespace vernier::frontends::onnx
