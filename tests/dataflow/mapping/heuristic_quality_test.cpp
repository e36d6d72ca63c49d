// How far the heuristic mapper is from the best of a coarse enumeration, on layers of real
// networks. The bound guards against a regression; it is no promise for every layer.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/mapping/heuristic_mapper.hpp"

namespace vernier::dataflow {
namespace {

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

// Equal cuts into 1, 2, 3, 4, 6, 8, 12 ... parts, and multiples of the array's side.
std::vector<std::int64_t> sizes(std::int64_t total, std::int64_t side) {
  std::set<std::int64_t> found;
  for (std::int64_t parts = 1; parts <= total; parts = parts < 4 ? parts + 1 : parts * 3 / 2) {
    found.insert(ceil_div(total, parts));
  }
  for (std::int64_t size = side; size > 0 && size < total; size *= 2) found.insert(size);
  return {found.begin(), found.end()};
}

std::int64_t cycles_of(const LayerTask& task, const Mapping& mapping, const Accelerator& machine) {
  const Result<PreparedTask> prepared = prepare_task(task, mapping, machine);
  if (!prepared) return -1;
  return time_task(prepared->schedule, prepared->tiles, {}, machine).cycles.total().count();
}

std::int64_t best_enumerated(const LayerTask& task, const Accelerator& machine) {
  using enum LoopDim;
  const bool is_array = task.unit == TaskUnit::kArray;
  const arch::ArraySpec& array = machine.spec().array;
  std::int64_t best = -1;
  for (const std::int64_t rows : sizes(task.out_height, 0)) {
    for (const std::int64_t columns : {task.out_width, ceil_div(task.out_width, 2)}) {
      for (const std::int64_t out : sizes(task.out_channels, array.columns)) {
        for (const std::int64_t in :
             is_array ? sizes(task.channels, array.rows) : std::vector<std::int64_t>{1}) {
          Mapping mapping;
          mapping.tile = {rows, columns, in, out};
          if (misfit(task, mapping.tile, machine)) continue;
          for (const auto& order : {std::array{kPixel, kOutChannel, kInChannel},
                                    std::array{kOutChannel, kPixel, kInChannel},
                                    std::array{kOutChannel, kInChannel, kPixel}}) {
            mapping.order = order;
            const std::int64_t cycles = cycles_of(task, mapping, machine);
            if (cycles >= 0 && (best < 0 || cycles < best)) best = cycles;
          }
        }
      }
    }
  }
  return best;
}

TEST_CASE("The heuristic mapping is near the best of a coarse enumeration", "[mapping]") {
  struct Case {
    const char* machine;
    const char* network;
    const char* layer;
    int weight;
    int activation;
  };
  constexpr double kWorst = 1.15;
  for (const Case& drawn :
       {Case{"bitfusion_16x32", "mobilenetv2", "features.15.add", 2, 2},
        Case{"bitfusion_16x32", "mobilenetv2", "features.17.project", 4, 8},
        Case{"bitfusion_16x32", "mobilenetv2", "features.0", 4, 8},
        Case{"bitfusion_16x32", "mobilenetv2", "features.14.depthwise", 4, 8},
        Case{"bitfusion_16x32", "resnet18", "layer4.0.add", 2, 2},
        Case{"bitfusion_16x32", "resnet18", "avgpool", 2, 2},
        Case{"bitfusion_16x32", "resnet18", "layer3.0.conv2", 2, 2},
        Case{"edge_64x64_ws", "mobilenetv2", "features.12.project", 8, 8},
        Case{"edge_64x64_ws", "resnet18", "layer4.0.conv1", 8, 8},
        Case{"scale_sim_default", "resnet18", "layer2.0.conv2", 8, 8},
        Case{"scale_sim_low_memory", "mobilenetv2", "features.7.project", 8, 8}}) {
    const Accelerator machine =
        load_accelerator(kConfigs + "accelerators/" + drawn.machine + ".yaml");
    const LayerGraph graph = load_model(kConfigs + "models/" + drawn.network + ".yaml");
    const NetworkPrecision bits =
        resolve_precision(graph,
                          PrecisionMap::uniform(Bitwidth(drawn.weight), Bitwidth(drawn.activation)))
            .tensors;
    const LoweredLayer lowered =
        lower_layer(graph, graph.find_layer(drawn.layer).value(), bits, machine);
    const LayerTask& task = lowered.tasks.front();
    const std::int64_t heuristic =
        cycles_of(task, map_heuristically(task, machine).value(), machine);
    const std::int64_t best = best_enumerated(task, machine);
    INFO(drawn.machine << " " << drawn.network << " " << drawn.layer << ": " << heuristic
                       << " against " << best);
    CHECK(static_cast<double>(heuristic) <= kWorst * static_cast<double>(best));
  }
}

}  // namespace
}  // namespace vernier::dataflow
