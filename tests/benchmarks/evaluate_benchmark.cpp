// Speed by user task. Cold: every task is mapped, scheduled and timed anew. Warm: a training loop
// asks again for widths it has asked for before.
#include <string>

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

// Energy and area tables of a machine, files included.
void load_machine_with_prices(benchmark::State& state) {
  for (auto _ : state) {
    const Machine machine = load_machine(kConfigs + "accelerators/bitfusion_16x32.yaml");
    benchmark::DoNotOptimize(machine.prices.total_area());
  }
}
BENCHMARK(load_machine_with_prices)->Unit(benchmark::kMicrosecond);

}  // namespace
