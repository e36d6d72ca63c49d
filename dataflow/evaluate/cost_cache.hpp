// Remembers prepared tasks and their costs for one machine. Entries are never changed or moved
// once stored, so that readers keep plain pointers while other threads add more.
#pragma once

#include <memory>
#include <shared_mutex>
#include <unordered_map>

#include "arch/base/result.hpp"
#include "dataflow/evaluate/task_cost.hpp"

namespace vernier::dataflow {

/// A task that can run, with its costs by border.
struct CachedTask {
  PreparedTask prepared;
  Mapping mapping;
};

class CostCache {
 public:
  explicit CostCache(const Machine& machine) : machine_(machine) {}

  /// The prepared task, made on first use; nullptr with `reason` set when it cannot run.
  [[nodiscard]] const CachedTask* prepared(const LayerTask& task, Infeasible& reason);
  /// Its cost at a border, made on first use.
  [[nodiscard]] const CostSummary& cost(const CachedTask& task, const TaskBorder& border);
  void clear();

 private:
  struct TaskHash {
    std::size_t operator()(const LayerTask& task) const { return hash_of(task); }
  };
  struct CostKey {
    const CachedTask* task = nullptr;
    TaskBorder border;
    friend bool operator==(const CostKey&, const CostKey&) = default;
  };
  struct CostKeyHash {
    std::size_t operator()(const CostKey& key) const;
  };

  const Machine& machine_;
  std::shared_mutex mutex_;
  std::unordered_map<LayerTask, std::unique_ptr<const CachedTask>, TaskHash> tasks_;
  std::unordered_map<CostKey, std::unique_ptr<const CostSummary>, CostKeyHash> costs_;
};

}  // namespace vernier::dataflow
