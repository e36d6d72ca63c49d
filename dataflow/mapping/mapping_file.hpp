// The mapping file (design 9): how each layer lies on the machine, written by `--mapping-output`
// and read by `--mapping`. A layer with one task has one mapping; a layer with several (a sliced
// weight: one per width, ascending; a copied concatenation: one per input) has a list of them, in
// the order in which they run.
//
//     layers:
//       conv1: {tile: {pixels: [14, 28], input_channels: 64, output_channels: 32},
//               order: [pixel, n, k]}
//       pool1: {tile: {pixels: [56, 56], output_channels: 64}, order: [pixel, n]}
//
// `pixels` are rows and columns of the output; in a pointwise layer the images of a batch count as
// more rows. Channels are those of one group. Tasks of the vector unit have no input channels and
// no loop k.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "arch/base/yaml.hpp"
#include "dataflow/mapping/layer_task.hpp"
#include "dataflow/mapping/mapping_plan.hpp"

namespace vernier::dataflow {

/// Reads a mapping file for a lowered network; the mappings have origin kGiven. Throws ConfigError
/// with all problems: unknown layers and keys (with the nearest name), views (which have no task),
/// sizes outside the layer, orders that do not name each loop once, and lists whose length is not
/// the number of the layer's tasks. Whether a tile fits the buffers is the engine's answer.
[[nodiscard]] MappingPlan read_mapping_plan(const YamlNode& root, const LayerGraph& graph,
                                            std::span<const LoweredLayer> lowered);

/// Layers with at least one task and without any mapping in the plan.
[[nodiscard]] std::vector<LayerId> unmapped_layers(const MappingPlan& plan,
                                                   std::span<const LoweredLayer> lowered);

/// How one task lies on the machine, for writing.
struct WrittenMapping {
  TaskUnit unit = TaskUnit::kArray;
  Mapping mapping;
};

/// Text of a mapping file; `layers` are by layer, those without a task are left out.
[[nodiscard]] std::string mapping_file_text(const LayerGraph& graph,
                                            std::span<const std::vector<WrittenMapping>> layers);

}  // namespace vernier::dataflow
