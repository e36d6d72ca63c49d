// A table that many threads read and extend at once, without locks: chains of nodes that are never
// changed or taken out. When it is full, nothing more is kept.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "dataflow/surrogate/interpolant.hpp"

namespace vernier::dataflow {

/// Values by (term, knots of the term's coordinates).
template <typename Value>
class ConcurrentTable {
 public:
  /// `most_bytes` bounds what is kept, as told by the callers of `insert`.
  ConcurrentTable(std::size_t buckets_log2, std::size_t most_bytes)
      : heads_(std::size_t{1} << buckets_log2), most_bytes_(most_bytes) {}
  ConcurrentTable(ConcurrentTable&&) = delete;
  ConcurrentTable& operator=(ConcurrentTable&&) = delete;
  ~ConcurrentTable() {
    for (const std::atomic<Node*>& head : heads_) {
      for (Node* node = head.load(std::memory_order_relaxed); node != nullptr;) {
        const std::unique_ptr<Node> owned(node);
        node = owned->next;
      }
    }
  }

  [[nodiscard]] const Value* find(std::uint32_t term, std::span<const KnotIndex> knots) const {
    const std::uint64_t hash = hash_of(term, knots);
    return found(heads_[hash & (heads_.size() - 1)].load(std::memory_order_acquire), nullptr, hash,
                 term, knots);
  }

  /// Keeps the value unless the table is full; when two threads race, the first one stays.
  /// Returns the kept value, nullptr when nothing was kept.
  const Value* insert(std::uint32_t term, std::span<const KnotIndex> knots, Value value,
                      std::size_t bytes) {
    const std::size_t all = sizeof(Node) + knots.size_bytes() + bytes;
    if (bytes_.fetch_add(all, std::memory_order_relaxed) + all > most_bytes_) {
      bytes_.fetch_sub(all, std::memory_order_relaxed);
      return nullptr;
    }
    auto node = std::make_unique<Node>();
    node->hash = hash_of(term, knots);
    node->term = term;
    node->knots.assign(knots.begin(), knots.end());
    node->value = std::move(value);
    std::atomic<Node*>& head = heads_[node->hash & (heads_.size() - 1)];
    Node* seen = nullptr;
    Node* first = head.load(std::memory_order_acquire);
    do {
      if (const Value* other = found(first, seen, node->hash, term, knots)) {
        bytes_.fetch_sub(all, std::memory_order_relaxed);
        return other;
      }
      seen = first;
      node->next = first;
    } while (!head.compare_exchange_weak(first, node.get(), std::memory_order_acq_rel));
    count_.fetch_add(1, std::memory_order_relaxed);
    return &node.release()->value;
  }

  [[nodiscard]] std::size_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  struct Node {
    std::uint64_t hash = 0;
    std::uint32_t term = 0;
    std::vector<KnotIndex> knots;
    Value value{};
    Node* next = nullptr;
  };

  static std::uint64_t hash_of(std::uint32_t term, std::span<const KnotIndex> knots) {
    constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15ULL;
    std::uint64_t hash = (term + 1) * kSpread;
    for (const KnotIndex knot : knots) {
      hash = (hash ^ knot) * kSpread;
      hash ^= hash >> 29U;
    }
    return hash;
  }

  // Looks from `first` up to, not including, `end`.
  static const Value* found(const Node* first, const Node* end, std::uint64_t hash,
                            std::uint32_t term, std::span<const KnotIndex> knots) {
    for (const Node* node = first; node != end && node != nullptr; node = node->next) {
      if (node->hash == hash && node->term == term && std::ranges::equal(node->knots, knots)) {
        return &node->value;
      }
    }
    return nullptr;
  }

  std::vector<std::atomic<Node*>> heads_;
  std::size_t most_bytes_;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::size_t> count_{0};
};

}  // namespace vernier::dataflow
