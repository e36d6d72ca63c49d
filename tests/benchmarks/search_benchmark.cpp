// The best mapping of every layer of a network, by user task. Equal layers are searched once, as a
// user of one network sees it; nothing is kept from one round to the next.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/search/network_search.hpp"

namespace {

using namespace vernier;
using namespace vernier::dataflow;

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

void map_exhaustive(benchmark::State& state, const std::string& network,
                    SearchObjective objective) {
  const Machine machine = load_machine(kConfigs + "accelerators/bitfusion_16x32.yaml");
  const LayerGraph graph = load_model(kConfigs + "models/" + network + ".yaml");
  const NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).tensors;
  const std::vector<LoweredLayer> lowered = lower_network(graph, bits, machine.accelerator, false);
  SearchEffort effort;
  for (auto _ : state) {
    const Result<NetworkSearch> found = search_network(graph, lowered, machine, objective, 1);
    if (!found || found->plan.layers.size() != graph.layers().size()) {
      state.SkipWithError("wrong result");
      break;
    }
    effort = found->effort;
    benchmark::DoNotOptimize(found);
  }
  state.counters["pairs"] = static_cast<double>(effort.channel_pairs);
  state.counters["counted"] = static_cast<double>(effort.tiles_counted);
  state.counters["timed"] = static_cast<double>(effort.mappings_timed);
}

void map_resnet18_exhaustive(benchmark::State& state) {
  map_exhaustive(state, "resnet18", SearchObjective::kEnergy);
}
void map_resnet18_exhaustive_cycles(benchmark::State& state) {
  map_exhaustive(state, "resnet18", SearchObjective::kCycles);
}
BENCHMARK(map_resnet18_exhaustive)->Unit(benchmark::kMillisecond)->MinWarmUpTime(0.2);
BENCHMARK(map_resnet18_exhaustive_cycles)->Unit(benchmark::kMillisecond)->MinWarmUpTime(0.2);

}  // namespace
