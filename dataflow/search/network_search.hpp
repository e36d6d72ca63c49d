// The best mapping of every layer of a network. Equal tasks are searched once; threads share the
// tasks, and the result is the same for any number of them.
#pragma once

#include <vector>

#include "dataflow/mapping/mapping_plan.hpp"
#include "dataflow/search/exhaustive_mapper.hpp"

namespace vernier::dataflow {

struct NetworkSearch {
  MappingPlan plan;  ///< a mapping for every task, origin kProven
  SearchEffort effort;
  std::size_t searched_tasks = 0;  ///< different ones
};

/// Searches all tasks of a lowered network, each alone on the machine; or says which layer cannot
/// run and why. Throws ModelError that names layer and machine when a task is not searchable.
[[nodiscard]] Result<NetworkSearch> search_network(const LayerGraph& graph,
                                                   const std::vector<LoweredLayer>& lowered,
                                                   const Machine& machine,
                                                   SearchObjective objective, int jobs = 1);

}  // namespace vernier::dataflow
