// Speed by user task. Cold: every task is mapped, scheduled and timed anew. Warm: a training loop
// asks again for widths it has asked for before.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/machine/machine.hpp"

namespace {

using namespace vernier;
using namespace vernier::dataflow;

constexpr std::int64_t kMobileNetMacs = 300774272;
const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

NetworkPrecision uniform(const LayerGraph& graph, int weight, int activation) {
  return resolve_precision(graph, PrecisionMap::uniform(Bitwidth(weight), Bitwidth(activation)))
      .tensors;
}

void evaluate_mobilenetv2(benchmark::State& state, bool cold) {
  const Machine machine = load_machine(kConfigs + "accelerators/bitfusion_16x32.yaml");
  const LayerGraph graph = load_model(kConfigs + "models/mobilenetv2.yaml");
  const NetworkPrecision bits = uniform(graph, 4, 8);
  Evaluator evaluator(machine);
  for (auto _ : state) {
    if (cold) evaluator.clear_cache();
    const Result<NetworkCost> cost = evaluator.evaluate(graph, bits);
    if (!cost || cost->total.macs.count() != kMobileNetMacs) {
      state.SkipWithError("wrong result");
    }
    benchmark::DoNotOptimize(cost);
  }
}

void evaluate_mobilenetv2_cold(benchmark::State& state) { evaluate_mobilenetv2(state, true); }
void evaluate_mobilenetv2_warm(benchmark::State& state) { evaluate_mobilenetv2(state, false); }
BENCHMARK(evaluate_mobilenetv2_cold)->Unit(benchmark::kMicrosecond);
BENCHMARK(evaluate_mobilenetv2_warm)->Unit(benchmark::kMicrosecond);

// Every price and area of a machine from tables that are in memory, as a sweep over machines asks.
void energy_tables_of_a_machine(benchmark::State& state) {
  const Accelerator machine = load_accelerator(kConfigs + "accelerators/bitfusion_16x32.yaml");
  std::vector<std::unique_ptr<energy::Estimator>> tables;
  for (const std::string& name : machine.spec().energy.tables) {
    tables.push_back(energy::load_estimator(kConfigs + "energy/" + name + ".yaml",
                                            energy::builtin_estimators()));
  }
  for (auto _ : state) {
    const energy::PriceList prices(components_of(machine), tables, machine.spec().clock,
                                   machine.spec().technology);
    if (prices.areas().size() != prices.components().size()) state.SkipWithError("wrong result");
    benchmark::DoNotOptimize(prices.total_area());
  }
}
BENCHMARK(energy_tables_of_a_machine)->Unit(benchmark::kMicrosecond);

// The same with all files read and checked anew.
void load_machine_with_prices(benchmark::State& state) {
  for (auto _ : state) {
    const Machine machine = load_machine(kConfigs + "accelerators/bitfusion_16x32.yaml");
    benchmark::DoNotOptimize(machine.prices.total_area());
  }
}
BENCHMARK(load_machine_with_prices)->Unit(benchmark::kMicrosecond);

}  // namespace
