#include "dataflow/mapping/mapping_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

const std::vector<std::string>& loop_names() {
  static const std::vector<std::string> names{"pixel", "n", "k"};
  return names;
}

// Rows and columns of a tile.
void read_pixels(MappingReader& reader, const LayerTask& task, TileSize& tile) {
  const YamlNode* list = reader.sequence("pixels", Need::kRequired);
  if (list == nullptr) return;
  if (list->items.size() != 2) {
    reader.problem(
        "pixels", fmt::format("found {} numbers; rows and columns are needed", list->items.size()));
    return;
  }
  const auto read = [&](std::size_t at, std::string_view name, std::int64_t most,
                        std::int64_t& value) {
    const YamlNode& item = list->items[at];
    const std::optional<std::int64_t> number = integer_of(item);
    if (number && *number >= 1 && *number <= most) {
      value = *number;
      return;
    }
    reader.problems().add(
        item.place, fmt::format("{}[{}]", reader.path_of("pixels"), at),
        fmt::format("found {}; the {} of a tile are 1 to {} here", item.description(), name, most));
  };
  read(0, "rows", task.out_height, tile.rows);
  read(1, "columns", task.out_width, tile.columns);
}

TileSize read_tile(const YamlNode& node, const std::string& path, const LayerTask& task,
                   ProblemList& problems) {
  TileSize tile;
  MappingReader reader(node, path, problems);
  read_pixels(reader, task, tile);
  if (task.unit == TaskUnit::kArray) {
    reader.integer("input_channels", tile.in_channels, {1, task.channels}, Need::kRequired,
                   "input channels of a tile");
  }
  reader.integer("output_channels", tile.out_channels, {1, task.out_channels}, Need::kRequired,
                 "output channels of a tile");
  if (tile.out_channels % task.channel_unit != 0) {
    reader.problem("output_channels",
                   fmt::format("found {}; whole multiples of {} are needed, since the operation "
                               "joins that many channels",
                               tile.out_channels, task.channel_unit));
  }
  reader.finish();
  return tile;
}

// Loops, outer to inner; a vector task's loop k does not move and goes to the end.
void read_order(MappingReader& reader, const LayerTask& task, Mapping& mapping) {
  std::vector<std::string> found;
  reader.texts("order", found, Need::kRequired, "loops over tiles, outer to inner");
  if (found.empty()) return;
  const bool is_array = task.unit == TaskUnit::kArray;
  const std::size_t loops = is_array ? 3 : 2;
  const std::span<const std::string> allowed = std::span(loop_names()).first(loops);
  std::vector<std::string> sorted = found;
  std::vector<std::string> wanted(allowed.begin(), allowed.end());
  std::sort(sorted.begin(), sorted.end());
  std::sort(wanted.begin(), wanted.end());
  if (sorted != wanted) {
    reader.problem(
        "order", fmt::format("found [{}]; {} stand once each{}", fmt::join(found, ", "),
                             name_list(allowed), is_array ? "" : " in a layer of the vector unit"));
    return;
  }
  if (!is_array) found.emplace_back("k");
  for (std::size_t at = 0; at < mapping.order.size(); ++at) {
    const auto name = std::find(loop_names().begin(), loop_names().end(), found[at]);
    mapping.order[at] = static_cast<LoopDim>(name - loop_names().begin());
  }
}

Mapping read_mapping(const YamlNode& node, const std::string& path, const LayerTask& task,
                     ProblemList& problems) {
  Mapping mapping;
  mapping.origin = MappingOrigin::kGiven;
  MappingReader reader(node, path, problems);
  if (const YamlNode* tile = reader.mapping("tile", Need::kRequired)) {
    mapping.tile = read_tile(*tile, reader.path_of("tile"), task, problems);
  }
  read_order(reader, task, mapping);
  reader.finish();
  return mapping;
}

void read_layer(const YamlNode& node, const std::string& path, const LoweredLayer& layer,
                std::vector<std::optional<Mapping>>& mappings, ProblemList& problems) {
  const std::size_t tasks = layer.tasks.size();
  if (tasks == 0) {
    problems.add(node.place, path, "the layer moves and computes nothing; it has no mapping");
    return;
  }
  if (node.kind != YamlNode::Kind::kSequence) {
    if (tasks == 1) {
      mappings.emplace_back(read_mapping(node, path, layer.tasks.front(), problems));
    } else {
      problems.add(node.place, path,
                   fmt::format("found {}; the layer runs as {} tasks, so a list of {} mappings is "
                               "needed",
                               node.description(), tasks, tasks));
    }
    return;
  }
  if (node.items.size() != tasks) {
    problems.add(node.place, path,
                 fmt::format("found {} mappings; the layer runs as {} task{}", node.items.size(),
                             tasks, tasks == 1 ? "" : "s"));
    return;
  }
  for (std::size_t at = 0; at < tasks; ++at) {
    mappings.emplace_back(
        read_mapping(node.items[at], fmt::format("{}[{}]", path, at), layer.tasks[at], problems));
  }
}

std::string mapping_text(const WrittenMapping& written) {
  const TileSize& tile = written.mapping.tile;
  const bool is_array = written.unit == TaskUnit::kArray;
  std::vector<std::string_view> order;
  for (const LoopDim dim : written.mapping.order) {
    if (is_array || dim != LoopDim::kInChannel) order.push_back(to_text(dim));
  }
  return fmt::format("{{tile: {{pixels: [{}, {}], {}output_channels: {}}}, order: [{}]}}",
                     tile.rows, tile.columns,
                     is_array ? fmt::format("input_channels: {}, ", tile.in_channels) : "",
                     tile.out_channels, fmt::join(order, ", "));
}

// A name as a YAML key that reads back as itself.
std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char letter : name) {
    if (letter == '"' || letter == '\\') text += '\\';
    text += letter;
  }
  return text + "\"";
}

}  // namespace

MappingPlan read_mapping_plan(const YamlNode& root, const LayerGraph& graph,
                              std::span<const LoweredLayer> lowered) {
  ProblemList problems;
  MappingReader reader(root, "", problems);
  MappingPlan plan;
  plan.layers.resize(lowered.size());
  if (const YamlNode* layers = reader.mapping("layers", Need::kRequired)) {
    std::vector<std::string> names;
    for (const Layer& layer : graph.layers()) names.push_back(layer.name);
    for (const auto& [name, node] : layers->entries) {
      const std::string path = fmt::format("layers.{}", shown(name));
      const std::optional<LayerId> id = graph.find_layer(name);
      if (id) {
        read_layer(node, path, lowered[*id], plan.layers[*id], problems);
      } else if (!problems.full()) {
        problems.add(node.place, path,
                     fmt::format("the network '{}' has no layer of this name{}", graph.name(),
                                 suggestion(name, names)));
      }
    }
  }
  reader.finish();
  problems.throw_if_any();
  return plan;
}

std::vector<LayerId> unmapped_layers(const MappingPlan& plan,
                                     std::span<const LoweredLayer> lowered) {
  std::vector<LayerId> layers;
  for (LayerId id = 0; id < lowered.size(); ++id) {
    if (!lowered[id].tasks.empty() && plan.find(id, 0) == nullptr) layers.push_back(id);
  }
  return layers;
}

std::string mapping_file_text(const LayerGraph& graph,
                              std::span<const std::vector<WrittenMapping>> layers) {
  std::string text = "layers:\n";
  for (LayerId id = 0; id < layers.size(); ++id) {
    if (layers[id].empty()) continue;
    text += fmt::format("  {}:", quoted(graph.layers()[id].name));
    if (layers[id].size() == 1) {
      text += fmt::format(" {}\n", mapping_text(layers[id].front()));
      continue;
    }
    text += "\n";
    for (const WrittenMapping& mapping : layers[id]) {
      text += fmt::format("    - {}\n", mapping_text(mapping));
    }
  }
  return text;
}

}  // namespace vernier::dataflow
