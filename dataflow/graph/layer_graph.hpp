// The network: a directed graph (Boost.Graph) whose vertices are layers and whose edges are
// activation tensors from producer to consumer. Built once from a list of layer specifications,
// checked, ordered and shaped; immutable afterwards.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/graph/adjacency_list.hpp>

#include "arch/base/bitwidth.hpp"
#include "arch/base/error.hpp"
#include "dataflow/graph/layer.hpp"

namespace vernier::dataflow {

using TensorId = std::size_t;
using LayerId = std::size_t;

enum class TensorKind : std::uint8_t { kActivation, kWeight };

/// One tensor. An activation has the name of the layer that makes it (or of the network input), a
/// weight tensor the name "<layer>.weight".
struct Tensor {
  std::string name;
  TensorKind kind = TensorKind::kActivation;
  Shape shape;                        ///< of an activation, one image
  WeightShape weights;                ///< of a weight tensor
  std::optional<LayerId> producer;    ///< none for network inputs and weights
  std::vector<LayerId> consumers;     ///< in topological order
  std::optional<Precision> declared;  ///< width that the model file states, if any
  std::optional<TensorId> shows;      ///< of a view: the tensor whose elements it has
  bool is_network_input = false;
  bool is_learned = false;  ///< a network input that is a parameter, the same for all images
  bool is_network_output = false;
  /// Elements of one image, or of the weight tensor.
  [[nodiscard]] std::int64_t elements() const;
};

/// What an importer says of one layer.
struct LayerSpec {
  std::string name;
  Operator op;
  std::vector<std::string> inputs;                    ///< names of layers or network inputs
  ActivationKind activation = ActivationKind::kNone;  ///< folded into the layer
  std::optional<Precision> weight_precision;
  std::optional<Precision> output_precision;
  SourcePlace place;
};

struct InputSpec {
  std::string name;
  Shape shape;
  std::optional<Precision> precision;
  SourcePlace place;
  bool learned = false;  ///< a parameter of the network, for example a position embedding
};

/// One layer of the built graph; ids count in topological order.
struct Layer {
  std::string name;
  Operator op;
  std::vector<TensorId> inputs;
  std::optional<TensorId> weight;
  TensorId output = 0;
  ActivationKind activation = ActivationKind::kNone;
  Macs macs{0};  ///< one image
  SourcePlace place;
};

/// Positions (layer ids) between which an activation must be kept.
struct Liveness {
  std::optional<LayerId> produced;  ///< none: network input
  std::optional<LayerId> last_use;  ///< none: network output that nobody reads
};

/// Sums over the network for one image, in elements (see reference totals of the model zoo).
struct NetworkTotals {
  Macs macs{0};
  std::int64_t weights = 0;
  std::int64_t parameters = 0;
  std::int64_t mac_layers = 0;
  std::int64_t largest_activation = 0;   ///< largest single MAC-layer output
  std::int64_t largest_in_plus_out = 0;  ///< largest input + output of one MAC layer
};

/// Properties of an edge: which tensor runs along it, into which input slot.
struct TensorEdge {
  TensorId tensor = 0;
  std::size_t slot = 0;
};

class LayerGraph {
 public:
  using Topology =
      boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS, LayerId, TensorEdge>;

  /// Builds and checks the graph: unique names, known inputs, no cycle, shapes that fit. Layers
  /// come out in topological order, ties in the order given. Throws ModelError with all problems.
  LayerGraph(std::string name, const std::vector<InputSpec>& inputs,
             const std::vector<LayerSpec>& layers, std::int64_t batch = 1);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int64_t batch() const { return batch_; }
  /// The same network with another batch; throws ModelError outside [1, kMaxBatch].
  [[nodiscard]] LayerGraph with_batch(std::int64_t batch) const;
  /// Only the named layer, its inputs turned into network inputs; throws ModelError with the
  /// nearest name when there is none.
  [[nodiscard]] LayerGraph only_layer(std::string_view layer) const;

  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }
  [[nodiscard]] const Tensor& tensor(TensorId id) const { return tensors_.at(id); }
  [[nodiscard]] const Topology& topology() const { return topology_; }
  [[nodiscard]] std::optional<TensorId> find_tensor(std::string_view name) const;
  [[nodiscard]] std::optional<LayerId> find_layer(std::string_view name) const;
  [[nodiscard]] std::vector<Shape> input_shapes(const Layer& layer) const;

  /// The tensor whose elements a view shows; the tensor itself when it is none.
  [[nodiscard]] TensorId viewed(TensorId id) const;
  /// Whether the sources of a concatenation can be written into its place, widths apart: nothing is
  /// folded into it, and none of its sources stands in it twice or in the place of an earlier one.
  [[nodiscard]] bool may_join_in_place(LayerId concat) const { return joins_in_place_[concat]; }
  /// Liveness of each tensor, by id; views count as uses of what they show.
  [[nodiscard]] std::vector<Liveness> liveness() const;
  [[nodiscard]] NetworkTotals totals() const;

 private:
  void find_joins();

  std::string name_;
  std::int64_t batch_ = 1;
  std::vector<Layer> layers_;
  std::vector<Tensor> tensors_;
  std::vector<bool> joins_in_place_;  // by layer
  Topology topology_;
};

}  // namespace vernier::dataflow
