#include "dataflow/evaluate/cost_cache.hpp"

#include <mutex>
#include <utility>

#include "dataflow/evaluate/heuristic_mapper.hpp"

namespace vernier::dataflow {

std::size_t CostCache::CostKeyHash::operator()(const CostKey& key) const {
  constexpr std::size_t kSpread = 0x9e3779b97f4a7c15ULL;
  std::size_t seed = std::hash<const void*>{}(key.task);
  seed = seed * kSpread + static_cast<std::size_t>(key.border.next_weight.count());
  return seed * kSpread + (key.border.weight_is_loaded ? 1 : 0);
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
  auto entry = std::make_unique<const CachedTask>(CachedTask{std::move(made).value(), mapping});
  const std::unique_lock lock(mutex_);
  if (tasks_.size() >= most_tasks_) return Cached<CachedTask>(std::move(entry));
  return Cached<CachedTask>(tasks_.emplace(task, std::move(entry)).first->second.get());
}

Cached<CachedTask> CostCache::prepared_as(const LayerTask& task, const Mapping& mapping,
                                          Infeasible& reason) const {
  Result<PreparedTask> made = prepare_task(task, mapping, machine_.accelerator);
  if (!made) {
    reason = made.infeasible();
    return {};
  }
  return Cached<CachedTask>(
      std::make_unique<const CachedTask>(CachedTask{std::move(made).value(), mapping}));
}

Cached<CostSummary> CostCache::cost(const CachedTask& task, const TaskBorder& border) {
  const CostKey key{&task, border};
  bool keep = false;
  {
    const std::shared_lock lock(mutex_);
    const auto found = costs_.find(key);
    if (found != costs_.end()) return Cached<CostSummary>(found->second.get());
    // A task that its caller owns may go, and another one come to its address.
    const auto owner = tasks_.find(task.prepared.schedule.task());
    keep = owner != tasks_.end() && owner->second.get() == &task && costs_.size() < most_costs_;
  }
  auto made = std::make_unique<const CostSummary>(cost_of_task(task.prepared, border, machine_));
  if (!keep) return Cached<CostSummary>(std::move(made));
  const std::unique_lock lock(mutex_);
  return Cached<CostSummary>(costs_.emplace(key, std::move(made)).first->second.get());
}

std::size_t CostCache::task_count() const {
  const std::shared_lock lock(mutex_);
  return tasks_.size();
}

}  // namespace vernier::dataflow
