#include "dataflow/search/network_search.hpp"

#include <unordered_map>

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "dataflow/mapping/lower_network.hpp"

namespace vernier::dataflow {
namespace {

// A task and the first layer that has it.
struct DistinctTask {
  const LayerTask* task = nullptr;
  LayerId layer = 0;
};

struct TaskHash {
  std::size_t operator()(const LayerTask& task) const { return hash_of(task); }
};
using TaskIndex = std::unordered_map<LayerTask, std::size_t, TaskHash>;

std::vector<DistinctTask> distinct_tasks(const std::vector<LoweredLayer>& lowered,
                                         TaskIndex& index) {
  std::vector<DistinctTask> tasks;
  for (const LoweredLayer& layer : lowered) {
    for (const LayerTask& task : layer.tasks) {
      if (index.emplace(task, tasks.size()).second) tasks.push_back({&task, layer.layer});
    }
  }
  return tasks;
}

}  // namespace

Result<NetworkSearch> search_network(const LayerGraph& graph,
                                     const std::vector<LoweredLayer>& lowered,
                                     const Machine& machine, SearchObjective objective, int jobs) {
  TaskIndex index;
  const std::vector<DistinctTask> tasks = distinct_tasks(lowered, index);
  std::vector<std::optional<Result<FoundMapping>>> found(tasks.size());
  for (const DistinctTask& distinct : tasks) {
    if (is_searchable(*distinct.task, machine.accelerator)) continue;
    const Layer& layer = graph.layers()[distinct.layer];
    const std::string place = layer.place.file.empty() ? "" : layer.place.text() + ": ";
    throw ModelError(fmt::format(
        "{}layer '{}': the exhaustive search takes one group at a time; with depthwise {} tiles "
        "of the machine '{}' hold several (use --mapping heuristic, a mapping file, or --set "
        "array.depthwise=per_group)",
        place, layer.name, to_text(machine.accelerator.spec().array.depthwise),
        machine.accelerator.spec().name));
  }
  const auto search = [&](std::size_t at) {
    found[at].emplace(map_exhaustively(*tasks[at].task, machine, objective));
  };
  if (jobs <= 1) {
    for (std::size_t at = 0; at < tasks.size(); ++at) search(at);
  } else {
    tbb::task_arena arena(jobs);
    arena.execute([&] { tbb::parallel_for(std::size_t{0}, tasks.size(), search); });
  }
  NetworkSearch result;
  result.searched_tasks = tasks.size();
  for (std::size_t at = 0; at < tasks.size(); ++at) {
    const Result<FoundMapping>& outcome = *found[at];
    if (!outcome) {
      return infeasible_layer(graph, tasks[at].layer, machine.accelerator, outcome.infeasible());
    }
    result.effort.add(outcome->effort);
  }
  result.plan.layers.resize(lowered.size());
  for (std::size_t at = 0; at < lowered.size(); ++at) {
    for (const LayerTask& task : lowered[at].tasks) {
      result.plan.layers[at].emplace_back((*found[index.at(task)])->mapping);
    }
  }
  return result;
}

}  // namespace vernier::dataflow
