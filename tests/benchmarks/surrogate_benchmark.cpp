// The cost API by user task: a training step asks for value and gradient, a search for many maps.
// Cold: nothing is known yet. Warm: a training loop asks again near where it has been.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/surrogate/cost_model.hpp"
#include "dataflow/surrogate/moving_cost.hpp"

namespace {

using namespace vernier;
using namespace vernier::dataflow;

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

// MobileNetV2 on bitfusion_16x32, loaded once.
struct MobileNet {
  Machine machine = load_machine(kConfigs + "accelerators/bitfusion_16x32.yaml");
  LayerGraph graph = load_model(kConfigs + "models/mobilenetv2.yaml");
};

const MobileNet& mobilenet() {
  static const MobileNet kLoaded;
  return kLoaded;
}

// Bits strictly between legal widths, different for each tensor.
std::vector<double> inner_bits(const CostModel& model, double shift) {
  std::vector<double> bits;
  for (std::size_t at = 0; at < model.variables().size(); ++at) {
    bits.push_back(4.5 + 0.02 * static_cast<double>(at % 50) + shift);
  }
  return bits;
}

std::vector<Objective> objectives_of(const std::vector<std::string>& names) {
  std::vector<Objective> objectives;
  for (const std::string& name : names) objectives.push_back({.measure = parse_measure(name)});
  return objectives;
}

void print_memo(benchmark::State& state, const CostModel& model) {
  const MemoCounts memo = model.memo();
  state.counters["memo_hits"] = static_cast<double>(memo.hits);
  state.counters["memo_misses"] = static_cast<double>(memo.misses);
  state.counters["memo_MB"] = static_cast<double>(memo.bytes) / 1e6;
}

void value_and_gradient(benchmark::State& state, bool cold, bool on_lattice) {
  CostModel model(mobilenet().machine, mobilenet().graph);
  const std::vector<Objective> objectives =
      objectives_of({"latency", "energy", "dram_traffic", "weight_size_kB"});
  std::vector<double> bits = inner_bits(model, 0.0);
  if (on_lattice) bits.assign(bits.size(), 4.0);
  for (auto _ : state) {
    if (cold) model.clear();
    const Result<Relaxation> cost = model.relax(bits, objectives);
    if (!cost || cost->gradient.front() <= 0.0) state.SkipWithError("wrong result");
    benchmark::DoNotOptimize(cost);
  }
  if (!cold) print_memo(state, model);
}

void surrogate_value_and_gradient_mobilenetv2(benchmark::State& state) {
  value_and_gradient(state, false, false);
}
void surrogate_value_and_gradient_mobilenetv2_at_legal_widths(benchmark::State& state) {
  value_and_gradient(state, false, true);
}
void surrogate_value_and_gradient_mobilenetv2_cold(benchmark::State& state) {
  value_and_gradient(state, true, false);
}
BENCHMARK(surrogate_value_and_gradient_mobilenetv2)->Unit(benchmark::kMicrosecond);
BENCHMARK(surrogate_value_and_gradient_mobilenetv2_at_legal_widths)->Unit(benchmark::kMicrosecond);
BENCHMARK(surrogate_value_and_gradient_mobilenetv2_cold)->Unit(benchmark::kMillisecond);

// One tensor moves, as in a coordinate search.
void surrogate_move_one_tensor_mobilenetv2(benchmark::State& state) {
  const CostModel model(mobilenet().machine, mobilenet().graph);
  const std::vector<Objective> objectives = objectives_of({"latency"});
  MovingCost moving(model, inner_bits(model, 0.0));
  std::size_t at = 0;
  for (auto _ : state) {
    moving.set(at, moving.bits()[at] > 5.0 ? 4.5 : 5.5);
    at = (at + 1) % model.variables().size();
    const Result<Relaxation> cost = moving.cost(objectives);
    benchmark::DoNotOptimize(cost);
  }
}
BENCHMARK(surrogate_move_one_tensor_mobilenetv2)->Unit(benchmark::kMicrosecond);

void cost_model_evaluate_mobilenetv2_warm(benchmark::State& state) {
  const CostModel model(mobilenet().machine, mobilenet().graph);
  const std::vector<double> bits(model.variables().size(), 4.0);
  for (auto _ : state) {
    const Result<NetworkCost> cost = model.evaluate(bits);
    if (!cost) state.SkipWithError("wrong result");
    benchmark::DoNotOptimize(cost);
  }
}
BENCHMARK(cost_model_evaluate_mobilenetv2_warm)->Unit(benchmark::kMicrosecond);

void cost_model_figures_mobilenetv2_warm(benchmark::State& state) {
  const CostModel model(mobilenet().machine, mobilenet().graph);
  const std::vector<double> bits(model.variables().size(), 4.0);
  for (auto _ : state) {
    const Result<CostFigures> cost = model.figures(bits);
    if (!cost) state.SkipWithError("wrong result");
    benchmark::DoNotOptimize(cost);
  }
}
BENCHMARK(cost_model_figures_mobilenetv2_warm)->Unit(benchmark::kMicrosecond);

// 1000 maps with random widths, on 1 and on 2 threads; the first round fills the memo.
void surrogate_batch_1000_maps(benchmark::State& state) {
  const CostModel model(mobilenet().machine, mobilenet().graph);
  std::vector<PrecisionMap> maps;
  std::uint32_t seed = 1;
  const auto width = [&] {
    constexpr std::uint32_t kFactor = 1664525;
    constexpr std::uint32_t kSummand = 1013904223;
    seed = kFactor * seed + kSummand;
    Precision precision;
    precision.bits = Bitwidth(std::int64_t{2} << (seed >> 24U) % 3);
    return precision;
  };
  for (int map = 0; map < 1000; ++map) {
    maps.emplace_back();
    for (const Variable& variable : model.variables()) {
      maps.back().tensors[variable.name] = width();
    }
  }
  const std::vector<Result<CostFigures>> expected = model.figures_of_all(maps, 1);
  for (auto _ : state) {
    const std::vector<Result<CostFigures>> costs =
        model.figures_of_all(maps, static_cast<int>(state.range(0)));
    if (costs.back().value() != expected.back().value()) state.SkipWithError("wrong result");
    benchmark::DoNotOptimize(costs);
  }
  print_memo(state, model);
}
BENCHMARK(surrogate_batch_1000_maps)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

// All threads share one model.
void surrogate_value_and_gradient_by_threads(benchmark::State& state) {
  static const CostModel kModel(mobilenet().machine, mobilenet().graph);
  const std::vector<Objective> objectives = objectives_of({"latency", "energy"});
  const std::vector<double> bits = inner_bits(kModel, 0.001 * state.thread_index());
  for (auto _ : state) {
    const Result<Relaxation> cost = kModel.relax(bits, objectives);
    benchmark::DoNotOptimize(cost);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(surrogate_value_and_gradient_by_threads)
    ->ThreadRange(1, 2)
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
