// The best mapping of one task in its whole candidate space (docs/mapping.md), found without
// evaluating most of it: lower bounds of pairs of channel slices, then of rectangles and loop
// orders; what is left is evaluated by the engine, most promising first.
#pragma once

#include "arch/base/result.hpp"
#include "dataflow/machine/machine.hpp"
#include "dataflow/mapping/mapping.hpp"
#include "dataflow/search/objective.hpp"

namespace vernier::dataflow {

/// How much of the space was looked at, and how closely.
struct SearchEffort {
  std::int64_t channel_pairs = 0;   ///< in the space
  std::int64_t pairs_opened = 0;    ///< whose rectangles were looked at
  std::int64_t rectangles = 0;      ///< of those, that fit the buffers
  std::int64_t tiles_counted = 0;   ///< tile sizes whose tiles were counted exactly
  std::int64_t mappings_timed = 0;  ///< candidates whose cycles were computed exactly
  void add(const SearchEffort& other);
};

struct FoundMapping {
  Mapping mapping;  ///< origin kProven
  Score score;
  SearchEffort effort;
};

/// Whether the search covers a task: its bounds take one group at a time, so tasks of which several
/// groups may lie on the array at once (design 5.1) are left to the heuristic and to mapping files.
[[nodiscard]] bool is_searchable(const LayerTask& task, const Accelerator& machine);

/// The mapping with the lowest score of the task alone (no weights loaded before, none prefetched);
/// ties go to the heuristic's mapping, then to the first in enumeration order. Infeasible when not
/// even the smallest tile fits; the reason names buffer and missing bytes. Throws ModelError
/// when the task is not searchable.
[[nodiscard]] Result<FoundMapping> map_exhaustively(const LayerTask& task, const Machine& machine,
                                                    SearchObjective objective);

}  // namespace vernier::dataflow
