#include "dataflow/evaluate/layer_memo.hpp"

#include <mutex>
#include <utility>

namespace vernier::dataflow {
namespace {

// Writes numbers one after the other.
class KeyWriter {
 public:
  explicit KeyWriter(LayerKey& key) : next_(key.numbers.begin()) {}

  void add(std::int64_t number) { *next_++ = number; }
  void add(const Shape& shape) {
    add(shape.channels);
    add(shape.height);
    add(shape.width);
  }
  void add(const Window& window) {
    for (const std::int64_t number :
         {window.kernel_height, window.kernel_width, window.stride_height, window.stride_width,
          window.dilation_height, window.dilation_width, window.pad_top, window.pad_left,
          window.pad_bottom, window.pad_right}) {
      add(number);
    }
  }

 private:
  std::array<std::int64_t, LayerKey::kNumbers>::iterator next_;
};

// Window and one more number of the operators that are kept; false for the others.
bool add_operator(const Operator& op, KeyWriter& writer) {
  if (const auto* conv = std::get_if<Conv2d>(&op)) {
    writer.add(conv->window);
    writer.add(conv->groups);
  } else if (const auto* pool = std::get_if<Pool>(&op)) {
    writer.add(pool->window);
    writer.add(static_cast<std::int64_t>(pool->kind));
  } else if (const auto* matmul = std::get_if<MatMul>(&op)) {
    writer.add(Window{});
    writer.add(matmul->heads);
  } else if (const auto* elementwise = std::get_if<Elementwise>(&op)) {
    writer.add(Window{});
    writer.add(static_cast<std::int64_t>(elementwise->kind));
  } else if (std::holds_alternative<Dense>(op)) {
    writer.add(Window{});
    writer.add(std::int64_t{0});
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::optional<LayerKey> layer_key(const LayerGraph& graph, LayerId id,
                                  const NetworkPrecision& precision) {
  const Layer& layer = graph.layers()[id];
  constexpr std::size_t kMostInputs = 2;
  if (layer.inputs.empty() || layer.inputs.size() > kMostInputs) return std::nullopt;
  LayerKey key;
  KeyWriter writer(key);
  if (!add_operator(layer.op, writer)) return std::nullopt;

  std::int64_t widths = 0;
  bool sliced = false;
  const auto add_tensor = [&](TensorId tensor) {
    constexpr int kKindShift = 8;
    constexpr int kAsymmetricShift = 12;
    constexpr int kTensorShift = 16;
    const Precision& given = precision[tensor];
    sliced = sliced || !given.slices.empty();
    const auto kind = static_cast<std::int64_t>(given.kind);
    const std::int64_t code = given.bits.bits() | (kind << kKindShift) |
                              (std::int64_t{given.asymmetric} << kAsymmetricShift);
    widths = (widths << kTensorShift) | code;
    writer.add(static_cast<std::int64_t>(tensor));
    return tensor;
  };
  const TensorId first = add_tensor(layer.inputs.front());
  const TensorId second = add_tensor(layer.inputs.back());
  constexpr int kHasWeight = 1;
  constexpr int kReadsNetworkInput = 2;
  writer.add((layer.weight ? kHasWeight : 0) |
             (graph.tensors()[first].producer ? 0 : kReadsNetworkInput));
  add_tensor(layer.weight.value_or(first));
  add_tensor(layer.output);
  if (sliced) return std::nullopt;
  writer.add(graph.tensors()[first].shape);
  writer.add(graph.tensors()[second].shape);
  writer.add(graph.tensors()[layer.output].shape);
  constexpr int kByte = 8;
  writer.add((static_cast<std::int64_t>(layer.op.index()) << kByte) |
             static_cast<std::int64_t>(layer.activation));
  writer.add(graph.batch());
  key.numbers.back() = widths;
  return key;
}

std::size_t LayerMemo::KeyHash::operator()(const LayerKey& key) const {
  // The place in the network and the widths tell nearly all entries apart.
  constexpr std::size_t kSpread = 0x9e3779b97f4a7c15ULL;
  constexpr std::size_t kOutput = 15;
  std::size_t seed = static_cast<std::size_t>(key.numbers.back()) * kSpread;
  seed ^= seed >> 32U;
  return (seed ^ static_cast<std::size_t>(key.numbers[kOutput])) * kSpread;
}

std::vector<const KnownLayer*> LayerMemo::find(
    const std::vector<std::optional<LayerKey>>& keys) const {
  std::vector<const KnownLayer*> found(keys.size(), nullptr);
  const std::shared_lock lock(mutex_);
  for (std::size_t at = 0; at < keys.size(); ++at) {
    if (!keys[at]) continue;
    const auto place = layers_.find(*keys[at]);
    if (place != layers_.end()) found[at] = place->second.get();
  }
  return found;
}

void LayerMemo::keep(const LayerKey& key, KnownLayer layer) {
  auto entry = std::make_unique<const KnownLayer>(std::move(layer));
  const std::unique_lock lock(mutex_);
  if (layers_.size() < kMostLayers) layers_.emplace(key, std::move(entry));
}

}  // namespace vernier::dataflow
