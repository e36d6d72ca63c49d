// Many threads on one model: everybody gets what one thread gets.
#include <atomic>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/surrogate/cost_model.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/small_networks.hpp"

namespace vernier::dataflow {
namespace {

using namespace tests;

TEST_CASE("Eight threads on one cost model get what one thread gets", "[surrogate][threads]") {
  constexpr int kThreads = 8;
  constexpr int kPoints = 60;
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kOutputStationary));
  const Machine shared = with_prices(shared_buffer_spec(arch::Dataflow::kWeightStationary));
  const LayerGraph graph = dense_chain({16, 12, 8, 8}, 6);
  for (const Machine* given : {&machine, &shared}) {
    const CostModel model(*given, graph);
    const CostModel alone(*given, graph);
    std::atomic<int> wrong{0};
    {
      std::vector<std::jthread> threads;
      for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
          Random random(static_cast<std::uint64_t>(1 + thread % 3));  // some ask for the same
          for (int point = 0; point < kPoints; ++point) {
            const std::vector<double> bits =
                point % 2 == 0 ? inner_bits(model, random) : lattice_bits(model, random);
            const Result<Relaxation> cost = model.relax(bits, only("energy_delay"));
            const Result<Relaxation> expected = alone.relax(bits, only("energy_delay"));
            if (!cost || !expected || cost->total != expected->total ||
                cost->gradient != expected->gradient) {
              ++wrong;
            }
          }
        });
      }
    }
    CHECK(wrong == 0);
    CHECK(model.memo().hits > model.memo().misses);
  }
}

TEST_CASE("Eight threads may ask one cost model everything at once", "[surrogate][threads]") {
  constexpr int kThreads = 8;
  constexpr int kRounds = 25;
  const Machine machine = with_prices(fused_spec(arch::Dataflow::kWeightStationary));
  const LayerGraph graph = dense_chain({16, 12, 8, 8}, 6);
  const CostModelOptions sliced{{}, {{"fc2.weight", {4, 4}}}};
  const CostModel model(machine, graph, sliced);
  const CostModel alone(machine, graph, sliced);
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        Random random(static_cast<std::uint64_t>(1 + thread % 2));
        for (int round = 0; round < kRounds; ++round) {
          const std::vector<double> legal = lattice_bits(model, random);
          const std::vector<double> inner = inner_bits(model, random);
          if (model.evaluate(legal)->total.cycles != alone.evaluate(legal)->total.cycles ||
              model.figures(legal).value() != alone.figures(legal).value() ||
              model.relax(inner, only("latency"), {.monotone = Monotone::kEnvelope})->total !=
                  alone.relax(inner, only("latency"), {.monotone = Monotone::kEnvelope})->total ||
              model.round_to_legal(inner, RoundPolicy::kNearest).bits !=
                  alone.round_to_legal(inner, RoundPolicy::kNearest).bits ||
              model.legal_pairs("fc1").empty()) {
            ++wrong;
          }
        }
      });
    }
  }
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace vernier::dataflow
