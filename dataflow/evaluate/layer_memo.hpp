// Layers that were lowered and prepared before, so that a warm evaluation asks for pointers only.
// A layer is known by all that its tasks follow from, never by the address of its graph.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

class CachedTask;

/// Everything that lower_layer reads of a layer, as numbers.
struct LayerKey {
  static constexpr std::size_t kNumbers = 28;
  std::array<std::int64_t, kNumbers> numbers{};
  friend bool operator==(const LayerKey&, const LayerKey&) = default;
};

/// The key of a layer at given widths. Nothing for layers that are not kept: views and joins, rare
/// operators, and layers of sliced tensors, of which a training loop seldom meets the same twice.
[[nodiscard]] std::optional<LayerKey> layer_key(const LayerGraph& graph, LayerId layer,
                                                const NetworkPrecision& precision);

/// A layer between neighbours that it shares no buffer with: no activation stays on chip.
struct KnownLayer {
  LoweredLayer lowered;
  std::vector<const CachedTask*> tasks;  ///< of the cache that owns the memo
};

/// Entries are never changed or dropped once kept; when it is full, nothing more is kept.
class LayerMemo {
 public:
  static constexpr std::size_t kMostLayers = 20'000;

  /// What is known of each key, in their order; nullptr where it is nothing.
  [[nodiscard]] std::vector<const KnownLayer*> find(
      const std::vector<std::optional<LayerKey>>& keys) const;
  void keep(const LayerKey& key, KnownLayer layer);

 private:
  struct KeyHash {
    std::size_t operator()(const LayerKey& key) const;
  };
  mutable std::shared_mutex mutex_;
  std::unordered_map<LayerKey, std::unique_ptr<const KnownLayer>, KeyHash> layers_;
};

}  // namespace vernier::dataflow
