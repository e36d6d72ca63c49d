// Remembers prepared tasks and their costs for one machine. Entries are never changed, moved or
// dropped once stored, so that readers keep plain pointers while other threads add more; when the
// cache is full, new ones are handed out without being kept.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "arch/base/result.hpp"
#include "dataflow/evaluate/layer_memo.hpp"
#include "dataflow/evaluate/task_cost.hpp"

namespace vernier::dataflow {

/// A task that can run, with its costs at the borders that were asked for.
class CachedTask {
 public:
  CachedTask(PreparedTask made, const Mapping& mapped)
      : prepared(std::move(made)), mapping(mapped) {}
  CachedTask(CachedTask&&) = delete;
  CachedTask& operator=(CachedTask&&) = delete;
  ~CachedTask();

  const PreparedTask prepared;
  const Mapping mapping;

 private:
  friend class CostCache;
  struct BorderCost {
    TaskBorder border;
    CostSummary cost;
    const BorderCost* next = nullptr;
  };
  /// nullptr when there is none yet.
  [[nodiscard]] const CostSummary* find(const TaskBorder& border) const;
  /// When two threads race, both costs stay; they are equal.
  const CostSummary* keep(const TaskBorder& border, const CostSummary& cost) const;

  mutable std::atomic<const BorderCost*> costs_{nullptr};  // newest first, never taken out
  bool is_kept_ = false;                                   // by a cache, as long as that lives
};

/// A value that the cache keeps, or that it could not keep and the holder owns.
template <typename T>
class Cached {
 public:
  Cached() = default;
  explicit Cached(const T* kept) : value_(kept) {}
  explicit Cached(std::unique_ptr<const T> owned)
      : owned_(std::move(owned)), value_(owned_.get()) {}
  [[nodiscard]] explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] const T& operator*() const { return *value_; }
  [[nodiscard]] const T* operator->() const { return value_; }
  [[nodiscard]] bool is_kept() const { return value_ != nullptr && !owned_; }

 private:
  std::unique_ptr<const T> owned_;
  const T* value_ = nullptr;
};

class CostCache {
 public:
  /// Bounds that keep a full cache below about 200 MB.
  static constexpr std::size_t kMostTasks = 20'000;
  static constexpr std::size_t kMostCosts = 40'000;

  explicit CostCache(const Machine& machine, std::size_t most_tasks = kMostTasks,
                     std::size_t most_costs = kMostCosts)
      : machine_(machine), most_tasks_(most_tasks), most_costs_(most_costs) {}

  /// The prepared task, made on first use; empty with `reason` set when it cannot run.
  [[nodiscard]] Cached<CachedTask> prepared(const LayerTask& task, Infeasible& reason);
  /// The task prepared with a given mapping; the caller owns it.
  [[nodiscard]] Cached<CachedTask> prepared_as(const LayerTask& task, const Mapping& mapping,
                                               Infeasible& reason) const;
  /// Its cost at a border, made on first use. Costs of a task that is not kept are not kept either.
  [[nodiscard]] Cached<CostSummary> cost(const CachedTask& task, const TaskBorder& border);

  [[nodiscard]] std::size_t task_count() const;
  /// Layers whose tasks are all kept.
  [[nodiscard]] LayerMemo& layers() { return layers_; }

 private:
  struct TaskHash {
    std::size_t operator()(const LayerTask& task) const { return hash_of(task); }
  };

  const Machine& machine_;
  std::size_t most_tasks_;
  std::size_t most_costs_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<LayerTask, std::unique_ptr<const CachedTask>, TaskHash> tasks_;
  std::atomic<std::size_t> cost_count_{0};
  LayerMemo layers_;
};

}  // namespace vernier::dataflow
