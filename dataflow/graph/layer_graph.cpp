#include "dataflow/graph/layer_graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>

#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kMostProblems = 50;
constexpr std::size_t kFromNetworkInput = static_cast<std::size_t>(-1);

std::string at_layer(const LayerSpec& spec, std::string_view message) {
  const std::string place = spec.place.file.empty() ? "" : spec.place.text() + ": ";
  return fmt::format("{}layer '{}': {}", place, shown(spec.name), message);
}

// The layer specifications as a graph, before shapes are known.
struct Wiring {
  LayerGraph::Topology graph;
  // Per layer and slot: index of the producing specification, or kFromNetworkInput + input name.
  std::vector<std::vector<std::size_t>> producers;
};

Wiring wire(const std::vector<InputSpec>& inputs, const std::vector<LayerSpec>& layers,
            std::vector<std::string>& problems) {
  std::unordered_map<std::string, std::size_t> producer_of;
  std::vector<std::string> names;
  for (const InputSpec& input : inputs) {
    if (!producer_of.emplace(input.name, kFromNetworkInput).second) {
      problems.push_back(fmt::format("the network input '{}' stands twice", shown(input.name)));
    }
    names.push_back(input.name);
  }
  Wiring wiring;
  wiring.graph = LayerGraph::Topology(layers.size());
  wiring.producers.resize(layers.size());
  for (std::size_t at = 0; at < layers.size(); ++at) {
    const auto [entry, fresh] = producer_of.emplace(layers[at].name, at);
    if (!fresh) {
      problems.push_back(
          at_layer(layers[at], entry->second == kFromNetworkInput
                                   ? std::string("a network input has the same name")
                                   : fmt::format("two layers have this name (the other at {})",
                                                 layers[entry->second].place.text())));
    }
    names.push_back(layers[at].name);
  }
  for (const LayerSpec& layer : layers) {
    const bool has_weight = is_mac(layer.op) && !std::holds_alternative<MatMul>(layer.op);
    if (has_weight && producer_of.contains(layer.name + ".weight")) {
      problems.push_back(at_layer(layer,
                                  "its weight tensor and another layer or input are both "
                                  "called '" +
                                      shown(layer.name) + ".weight'"));
    }
  }
  for (std::size_t at = 0; at < layers.size(); ++at) {
    if (problems.size() > kMostProblems) break;
    for (std::size_t slot = 0; slot < layers[at].inputs.size(); ++slot) {
      const std::string& from = layers[at].inputs[slot];
      const auto entry = producer_of.find(from);
      if (entry == producer_of.end()) {
        problems.push_back(at_layer(
            layers[at], fmt::format("unknown input '{}'{}", shown(from), suggestion(from, names))));
        wiring.producers[at].push_back(kFromNetworkInput);
        continue;
      }
      wiring.producers[at].push_back(entry->second);
      if (entry->second != kFromNetworkInput) {
        boost::add_edge(entry->second, at, TensorEdge{0, slot}, wiring.graph);
      }
    }
  }
  return wiring;
}

// Topological order with ties in the given order; empty when there is a cycle.
std::vector<std::size_t> stable_order(const LayerGraph::Topology& graph) {
  std::vector<std::size_t> open(boost::num_vertices(graph));
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t vertex = 0; vertex < open.size(); ++vertex) {
    open[vertex] = boost::in_degree(vertex, graph);
    if (open[vertex] == 0) ready.push(vertex);
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t vertex = ready.top();
    ready.pop();
    order.push_back(vertex);
    const auto [begin, end] = boost::out_edges(vertex, graph);
    for (auto edge = begin; edge != end; ++edge) {
      const std::size_t next = boost::target(*edge, graph);
      if (--open[next] == 0) ready.push(next);
    }
  }
  if (order.size() != open.size()) order.clear();
  return order;
}

// Names of the layers on a cycle: the first strongly connected component with an inner edge.
std::vector<std::string> cycle_members(const LayerGraph::Topology& graph,
                                       const std::vector<LayerSpec>& layers) {
  std::vector<std::size_t> component(boost::num_vertices(graph));
  boost::strong_components(graph, boost::make_iterator_property_map(
                                      component.begin(), boost::get(boost::vertex_index, graph)));
  std::vector<std::string> members;
  const auto [begin, end] = boost::edges(graph);
  for (auto edge = begin; edge != end && members.empty(); ++edge) {
    const std::size_t wanted = component[boost::source(*edge, graph)];
    if (wanted != component[boost::target(*edge, graph)]) continue;
    for (std::size_t at = 0; at < layers.size(); ++at) {
      if (component[at] == wanted) members.push_back(layers[at].name);
    }
  }
  return members;
}

void check_size(const Shape& shape, std::int64_t batch, std::vector<std::string>& problems,
                const std::function<std::string(std::string_view)>& at) {
  for (const std::int64_t size : {shape.channels, shape.height, shape.width}) {
    if (size < 1 || size > kMaxDimension) {
      problems.push_back(at(fmt::format("the shape {} has a dimension outside 1 to {}",
                                        to_text(shape), kMaxDimension)));
      return;
    }
  }
  const double elements = static_cast<double>(shape.channels) * static_cast<double>(shape.height) *
                          static_cast<double>(shape.width) * static_cast<double>(batch);
  if (elements > static_cast<double>(kMaxElements)) {
    problems.push_back(at(fmt::format("the shape {} with batch {} has more than {} elements",
                                      to_text(shape), batch, kMaxElements)));
  }
}

}  // namespace

std::int64_t Tensor::elements() const {
  return kind == TensorKind::kWeight ? weights.elements() : shape.elements();
}

LayerGraph::LayerGraph(std::string name, const std::vector<InputSpec>& inputs,
                       const std::vector<LayerSpec>& layers, std::int64_t batch)
    : name_(std::move(name)), batch_(batch) {
  if (batch < 1 || batch > kMaxBatch) {
    throw ModelError(fmt::format("the batch {} is outside 1 to {}", batch, kMaxBatch));
  }
  std::vector<std::string> problems;
  if (inputs.empty()) problems.emplace_back("the network has no input");
  if (layers.empty()) problems.emplace_back("the network has no layers");
  const Wiring wiring = wire(inputs, layers, problems);
  if (problems.size() > kMostProblems) {
    problems.resize(kMostProblems);
    problems.emplace_back("... and more");
  }
  if (!problems.empty()) throw ModelError(problems);

  const std::vector<std::size_t> order = stable_order(wiring.graph);
  if (order.empty()) {
    throw ModelError(
        fmt::format("the layers form a cycle: {}", name_list(cycle_members(wiring.graph, layers))));
  }

  std::unordered_map<std::string, TensorId> tensor_of;
  for (const InputSpec& input : inputs) {
    check_size(input.shape, batch, problems, [&](std::string_view message) {
      return fmt::format("{}input '{}': {}",
                         input.place.file.empty() ? "" : input.place.text() + ": ",
                         shown(input.name), message);
    });
    tensor_of.emplace(input.name, tensors_.size());
    Tensor tensor;
    tensor.name = input.name;
    tensor.shape = input.shape;
    tensor.declared = input.precision;
    tensor.is_network_input = true;
    tensor.is_learned = input.learned;
    tensors_.push_back(std::move(tensor));
  }
  if (!problems.empty()) throw ModelError(problems);

  topology_ = Topology(layers.size());
  for (const std::size_t at : order) {
    const LayerSpec& spec = layers[at];
    const LayerId id = layers_.size();
    topology_[id] = id;
    Layer layer;
    layer.name = spec.name;
    layer.op = spec.op;
    layer.activation = spec.activation;
    layer.place = spec.place;
    std::vector<Shape> shapes;
    for (std::size_t slot = 0; slot < spec.inputs.size(); ++slot) {
      const TensorId tensor = tensor_of.at(spec.inputs[slot]);
      layer.inputs.push_back(tensor);
      shapes.push_back(tensors_[tensor].shape);
      std::vector<LayerId>& consumers = tensors_[tensor].consumers;
      if (consumers.empty() || consumers.back() != id) consumers.push_back(id);
      if (const std::optional<LayerId> producer = tensors_[tensor].producer) {
        boost::add_edge(*producer, id, TensorEdge{tensor, slot}, topology_);
      }
    }
    Tensor output;
    output.name = spec.name;
    output.producer = id;
    output.declared = spec.output_precision;
    try {
      output.shape = infer_shape(layer.op, shapes);
      layer.macs = mac_count(layer.op, shapes, output.shape);
    } catch (const UserError& error) {
      problems.push_back(at_layer(spec, error.what()));
      throw ModelError(problems);  // later layers depend on this shape
    }
    check_size(output.shape, batch, problems,
               [&](std::string_view message) { return at_layer(spec, message); });
    const WeightShape weights = weight_shape(layer.op, shapes.empty() ? Shape{} : shapes[0]);
    if (weights.rows > 0) {
      if (static_cast<double>(weights.rows) * static_cast<double>(weights.row_elements) >
          static_cast<double>(kMaxElements)) {
        problems.push_back(at_layer(spec, fmt::format("more than {} weights", kMaxElements)));
      }
      Tensor weight;
      weight.name = spec.name + ".weight";
      weight.kind = TensorKind::kWeight;
      weight.weights = weights;
      weight.declared = spec.weight_precision;
      weight.consumers.push_back(id);
      layer.weight = tensors_.size();
      tensors_.push_back(std::move(weight));
    }
    if (!problems.empty()) throw ModelError(problems);
    layer.output = tensors_.size();
    tensor_of.emplace(spec.name, layer.output);
    if (is_view(layer.op)) output.shows = viewed(layer.inputs.front());
    tensors_.push_back(std::move(output));
    layers_.push_back(std::move(layer));
  }
  for (Tensor& tensor : tensors_) {
    tensor.is_network_output = tensor.producer.has_value() && tensor.consumers.empty();
  }
  find_joins();
}

// A tensor lies in one place only: that of the first concatenation that can take it.
void LayerGraph::find_joins() {
  joins_in_place_.assign(layers_.size(), false);
  std::vector<bool> has_place(tensors_.size(), false);
  for (LayerId id = 0; id < layers_.size(); ++id) {
    const Layer& layer = layers_[id];
    if (!std::holds_alternative<Concat>(layer.op)) continue;
    if (layer.activation != ActivationKind::kNone) continue;
    std::vector<TensorId> sources;
    sources.reserve(layer.inputs.size());
    for (const TensorId input : layer.inputs) sources.push_back(viewed(input));
    std::sort(sources.begin(), sources.end());
    const bool twice = std::adjacent_find(sources.begin(), sources.end()) != sources.end();
    const bool elsewhere = std::any_of(sources.begin(), sources.end(),
                                       [&](TensorId source) { return has_place[source]; });
    if (twice || elsewhere) continue;
    joins_in_place_[id] = true;
    for (const TensorId source : sources) has_place[source] = true;
  }
}

LayerGraph LayerGraph::with_batch(std::int64_t batch) const {
  if (batch < 1 || batch > kMaxBatch) {
    throw ModelError(fmt::format("the batch {} is outside 1 to {}", batch, kMaxBatch));
  }
  std::vector<std::string> problems;
  for (const Tensor& tensor : tensors_) {
    if (tensor.kind != TensorKind::kActivation) continue;
    check_size(tensor.shape, batch, problems, [&](std::string_view message) {
      return fmt::format("tensor '{}': {}", tensor.name, message);
    });
  }
  if (!problems.empty()) throw ModelError(problems);
  LayerGraph copy = *this;
  copy.batch_ = batch;
  return copy;
}

LayerGraph LayerGraph::only_layer(std::string_view layer_name) const {
  const std::optional<LayerId> id = find_layer(layer_name);
  if (!id) {
    std::vector<std::string> names;
    names.reserve(layers_.size());
    for (const Layer& layer : layers_) names.push_back(layer.name);
    throw ModelError(fmt::format("the network '{}' has no layer '{}'{}", name_, shown(layer_name),
                                 suggestion(layer_name, names)));
  }
  const Layer& layer = layers_[*id];
  std::vector<InputSpec> inputs;
  LayerSpec spec;
  for (const TensorId tensor : layer.inputs) {
    spec.inputs.push_back(tensors_[tensor].name);
    const bool known = std::any_of(inputs.begin(), inputs.end(), [&](const InputSpec& input) {
      return input.name == tensors_[tensor].name;
    });
    if (!known) {
      inputs.push_back({tensors_[tensor].name, tensors_[tensor].shape, tensors_[tensor].declared,
                        layer.place, tensors_[tensor].is_learned});
    }
  }
  spec.name = layer.name;
  spec.op = layer.op;
  spec.activation = layer.activation;
  if (layer.weight) spec.weight_precision = tensors_[*layer.weight].declared;
  spec.output_precision = tensors_[layer.output].declared;
  spec.place = layer.place;
  return {name_, inputs, {spec}, batch_};
}

std::optional<TensorId> LayerGraph::find_tensor(std::string_view name) const {
  for (TensorId id = 0; id < tensors_.size(); ++id) {
    if (tensors_[id].name == name) return id;
  }
  return std::nullopt;
}

std::optional<LayerId> LayerGraph::find_layer(std::string_view name) const {
  for (LayerId id = 0; id < layers_.size(); ++id) {
    if (layers_[id].name == name) return id;
  }
  return std::nullopt;
}

std::vector<Shape> LayerGraph::input_shapes(const Layer& layer) const {
  std::vector<Shape> shapes;
  shapes.reserve(layer.inputs.size());
  for (const TensorId tensor : layer.inputs) shapes.push_back(tensors_[tensor].shape);
  return shapes;
}

TensorId LayerGraph::viewed(TensorId id) const { return tensors_[id].shows.value_or(id); }

std::vector<Liveness> LayerGraph::liveness() const {
  std::vector<Liveness> result(tensors_.size());
  for (TensorId id = 0; id < tensors_.size(); ++id) {
    if (tensors_[id].kind != TensorKind::kActivation) continue;
    const TensorId root = viewed(id);
    if (root == id) result[id].produced = tensors_[id].producer;
    for (const LayerId consumer : tensors_[id].consumers) {
      if (is_view(layers_[consumer].op)) continue;
      std::optional<LayerId>& last = result[root].last_use;
      if (!last || *last < consumer) last = consumer;
    }
  }
  for (TensorId id = 0; id < tensors_.size(); ++id) {
    if (tensors_[id].kind == TensorKind::kActivation) result[id] = result[viewed(id)];
  }
  return result;
}

NetworkTotals LayerGraph::totals() const {
  NetworkTotals totals;
  for (const Tensor& tensor : tensors_) {
    if (tensor.is_learned) totals.parameters = checked_add(totals.parameters, tensor.elements());
  }
  for (const Layer& layer : layers_) {
    totals.macs += layer.macs;
    const Shape& input = tensors_[layer.inputs.front()].shape;
    totals.parameters = checked_add(totals.parameters, parameter_count(layer.op, input));
    if (layer.weight) {
      totals.weights = checked_add(totals.weights, tensors_[*layer.weight].elements());
    }
    if (!is_mac(layer.op)) continue;
    ++totals.mac_layers;
    const std::int64_t output = tensors_[layer.output].elements();
    totals.largest_activation = std::max(totals.largest_activation, output);
    totals.largest_in_plus_out =
        std::max(totals.largest_in_plus_out, checked_add(output, input.elements()));
  }
  return totals;
}

}  // namespace vernier::dataflow
