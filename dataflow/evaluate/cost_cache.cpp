#include "dataflow/evaluate/cost_cache.hpp"

#include <mutex>
#include <utility>

#include "dataflow/evaluate/heuristic_mapper.hpp"

namespace vernier::dataflow {

CachedTask::~CachedTask() {
  for (const BorderCost* at = costs_.load(std::memory_order_relaxed); at != nullptr;) {
    const std::unique_ptr<const BorderCost> owned(at);
    at = owned->next;
  }
}

const CostSummary* CachedTask::find(const TaskBorder& border) const {
  const BorderCost* at = costs_.load(std::memory_order_acquire);
  while (at != nullptr && at->border != border) at = at->next;
  return at == nullptr ? nullptr : &at->cost;
}

const CostSummary* CachedTask::keep(const TaskBorder& border, const CostSummary& cost) const {
  auto entry = std::make_unique<BorderCost>(BorderCost{border, cost, nullptr});
  entry->next = costs_.load(std::memory_order_relaxed);
  while (!costs_.compare_exchange_weak(entry->next, entry.get(), std::memory_order_acq_rel)) {
  }
  return &entry.release()->cost;
}

Cached<CachedTask> CostCache::prepared(const LayerTask& task, Infeasible& reason) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = tasks_.find(task);
    if (found != tasks_.end()) return Cached<CachedTask>(found->second.get());
  }
  // Computed outside the lock; when two threads race, the first one stored stays.
  Result<PreparedTask> made = prepare_heuristically(task, machine_.accelerator);
  if (!made) {
    reason = made.infeasible();
    return {};
  }
  const Mapping mapping = made->schedule.mapping();
  auto entry = std::make_unique<CachedTask>(std::move(made).value(), mapping);
  const std::unique_lock lock(mutex_);
  if (tasks_.size() >= most_tasks_) {
    return Cached<CachedTask>(std::unique_ptr<const CachedTask>(std::move(entry)));
  }
  entry->is_kept_ = true;
  return Cached<CachedTask>(tasks_.emplace(task, std::move(entry)).first->second.get());
}

Cached<CachedTask> CostCache::prepared_as(const LayerTask& task, const Mapping& mapping,
                                          Infeasible& reason) const {
  Result<PreparedTask> made = prepare_task(task, mapping, machine_.accelerator);
  if (!made) {
    reason = made.infeasible();
    return {};
  }
  return Cached<CachedTask>(std::make_unique<const CachedTask>(std::move(made).value(), mapping));
}

Cached<CostSummary> CostCache::cost(const CachedTask& task, const TaskBorder& border) {
  if (const CostSummary* kept = task.find(border)) return Cached<CostSummary>(kept);
  CostSummary made = cost_of_task(task.prepared, border, machine_);
  // A task that its caller owns may go before its cost does.
  if (!task.is_kept_ || cost_count_.fetch_add(1, std::memory_order_relaxed) >= most_costs_) {
    return Cached<CostSummary>(std::make_unique<const CostSummary>(std::move(made)));
  }
  return Cached<CostSummary>(task.keep(border, made));
}

std::size_t CostCache::task_count() const {
  const std::shared_lock lock(mutex_);
  return tasks_.size();
}

}  // namespace vernier::dataflow
