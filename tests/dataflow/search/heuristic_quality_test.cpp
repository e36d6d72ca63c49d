// How far the heuristic mapper is from the best mapping of each layer of the networks in configs:
// that of the exhaustive search, and that of a coarse enumeration of its own.
#include <algorithm>
#include <iostream>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/search/exhaustive_mapper.hpp"

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

constexpr double kWithin = 1.05;

struct Setting {
  std::string machine;
  int weight = 8;
  int activation = 8;
  [[nodiscard]] std::string name() const {
    return fmt::format("{} w{}a{}", machine, weight, activation);
  }
};

struct TaskHash {
  std::size_t operator()(const LayerTask& task) const { return hash_of(task); }
};

// Cycles with the heuristic's mapping and the fewest of the candidate space.
struct Compared {
  std::int64_t heuristic = 0;
  std::int64_t best = 0;
};

// The tasks of networks on one machine; equal tasks are compared once.
class Comparison {
 public:
  explicit Comparison(const Setting& setting)
      : setting_(setting),
        machine_(load_machine(kConfigs + "accelerators/" + setting.machine + ".yaml")) {}

  // A cell of the table in docs/mapping.md.
  std::string network(const std::string& name) {
    const LayerGraph graph = load_model(kConfigs + "models/" + name + ".yaml");
    const PrecisionMap widths =
        PrecisionMap::uniform(Bitwidth(setting_.weight), Bitwidth(setting_.activation));
    Compared sum;
    double worst = 1.0;
    for (const LoweredLayer& layer : lower_network(graph, resolve_precision(graph, widths).tensors,
                                                   machine_.accelerator, false)) {
      for (const LayerTask& task : layer.tasks) {
        // Tasks that do not fit have nothing to compare, those of several groups no proven best.
        if (!is_searchable(task, machine_.accelerator)) continue;
        if (misfit(task, {1, 1, 1, task.channel_unit}, machine_.accelerator)) continue;
        const Compared& compared = compare(task);
        ++tasks_;
        sum.heuristic += compared.heuristic;
        sum.best += compared.best;
        const double ratio =
            static_cast<double>(compared.heuristic) / static_cast<double>(compared.best);
        worst = std::max(worst, ratio);
        INFO(setting_.name() << ", " << name << ", " << graph.layers()[layer.layer].name << ": "
                             << compared.heuristic << " cycles, best " << compared.best);
        CHECK(ratio <= kWithin);
      }
    }
    return fmt::format(
        "+{:.2f} %, {:.3f}",
        100.0 * (static_cast<double>(sum.heuristic) / static_cast<double>(sum.best) - 1.0), worst);
  }

  [[nodiscard]] int tasks() const { return tasks_; }

 private:
  const Compared& compare(const LayerTask& task) {
    const auto [place, is_new] = compared_.try_emplace(task);
    if (is_new) {
      const Mapping mapping = map_heuristically(task, machine_.accelerator).value();
      const auto found = map_exhaustively(task, machine_, SearchObjective::kCycles).value();
      place->second = {cycles_of(task, mapping, machine_.accelerator),
                       static_cast<std::int64_t>(found.score.value)};
    }
    return place->second;
  }

  Setting setting_;
  Machine machine_;
  std::unordered_map<LayerTask, Compared, TaskHash> compared_;
  int tasks_ = 0;
};

const std::vector<std::string> kNetworks{"alexnet_grouped",
                                         "alexnet_torchvision",
                                         "bert_base_layer",
                                         "efficientnet_lite0",
                                         "mobilenetv1",
                                         "mobilenetv2",
                                         "mobilenetv3_small",
                                         "resnet18",
                                         "resnet20",
                                         "resnet20_option_b",
                                         "resnet50",
                                         "resnet50_v1",
                                         "vgg16",
                                         "vit_tiny"};

TEST_CASE("The heuristic is within 5 % of the best cycles on layers of small networks",
          "[mapping][search]") {
  for (const Setting& setting :
       {Setting{"bitfusion_16x32"}, Setting{"bitfusion_16x32", 2, 2}, Setting{"edge_64x64_ws"},
        Setting{"scale_sim_low_memory"}, Setting{"weight_serial"}}) {
    Comparison comparison(setting);
    static_cast<void>(comparison.network("mobilenetv2"));
    static_cast<void>(comparison.network("resnet20"));
    CHECK(comparison.tasks() > 90);
  }
}

TEST_CASE("The heuristic is within 5 % of the best cycles on every layer of every network",
          "[mapping][search][slow]") {
  std::vector<Setting> settings{
      {"bitfusion_16x32"}, {"bitfusion_16x32", 4, 8}, {"edge_64x64_ws"}, {"eyeriss_sized_ws"}};
  for (const char* machine :
       {"bitfusion_16x32_dot", "activation_serial", "weight_serial", "subword_dvafs",
        "amed_32x32_packed", "eyeriss_v1_amed", "scale_sim_default", "scale_sim_low_memory"}) {
    settings.push_back({machine});
  }
  std::string table = "| network |";
  for (const Setting& setting : settings) table += " " + setting.name() + " |";
  table += "\n|---|";
  for (std::size_t at = 0; at < settings.size(); ++at) table += "---|";
  std::vector<Comparison> comparisons(settings.begin(), settings.end());
  for (const std::string& network : kNetworks) {
    table += "\n| " + network + " |";
    for (Comparison& comparison : comparisons) table += " " + comparison.network(network) + " |";
  }
  int tasks = 0;
  for (const Comparison& comparison : comparisons) tasks += comparison.tasks();
  std::cout << table << "\n\n" << tasks << " tasks\n";
}

}  // namespace
}  // namespace vernier::dataflow
