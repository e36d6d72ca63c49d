// The search with bounds against brute force: every candidate of the space evaluated by the engine.
#include <array>
#include <optional>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/mapping/candidates.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/mapping/tile_fit.hpp"
#include "dataflow/search/network_search.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/oracle_case.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kObjectives = kSearchObjectiveCount;

struct Best {
  std::optional<Score> score;
  Mapping mapping;
};
using Bests = std::array<Best, kObjectives>;

MovingLoops moving_loops(const LayerTask& task, const TileSize& tile) {
  const auto several = [](std::int64_t total, std::int64_t size) { return size < total; };
  return moving_loop(LoopDim::kPixel, task.images > 1 || several(task.out_height, tile.rows) ||
                                          several(task.out_width, tile.columns)) |
         moving_loop(LoopDim::kOutChannel, several(task.out_channels, tile.out_channels)) |
         moving_loop(LoopDim::kInChannel,
                     task.unit == TaskUnit::kArray && several(task.channels, tile.in_channels));
}

// All candidates in enumeration order, the heuristic's first.
std::vector<Mapping> all_candidates(const LayerTask& task, const Accelerator& machine,
                                    const Mapping& heuristic) {
  const CandidateSpace space = candidate_space(task, machine);
  std::vector<Mapping> mappings{heuristic};
  for (const std::int64_t in : space.in_channels) {
    for (const std::int64_t out : space.out_channels) {
      for (const std::int64_t rows : space.rows) {
        for (const std::int64_t columns : space.columns) {
          const TileSize tile{rows, columns, in, out};
          for (std::size_t order = 0; order < kLoopOrders.size(); ++order) {
            if (!is_distinct_order(order, moving_loops(task, tile))) continue;
            mappings.push_back({tile, kLoopOrders[order], MappingOrigin::kProven});
          }
        }
      }
    }
  }
  return mappings;
}

// Every candidate evaluated, none left out.
Bests brute_force(const LayerTask& task, const Machine& machine,
                  const std::vector<Mapping>& candidates) {
  Bests bests;
  for (const Mapping& mapping : candidates) {
    const Result<PreparedTask> prepared = prepare_task(task, mapping, machine.accelerator);
    if (!prepared) continue;
    const CostSummary cost = cost_of_task(*prepared, {}, machine);
    for (std::size_t at = 0; at < kObjectives; ++at) {
      const Score score = score_of(static_cast<SearchObjective>(at), cost);
      if (bests[at].score && !(score < *bests[at].score)) continue;
      bests[at] = {score, mapping};
    }
  }
  return bests;
}

std::string to_text(const Mapping& mapping) {
  return fmt::format("{}x{} C{} N{} {} {} {}", mapping.tile.rows, mapping.tile.columns,
                     mapping.tile.in_channels, mapping.tile.out_channels, to_text(mapping.order[0]),
                     to_text(mapping.order[1]), to_text(mapping.order[2]));
}

// Differences between search and brute force; empty: none.
std::string differences(const LayerTask& task, const Machine& machine, const Bests& bests) {
  std::string text;
  for (std::size_t at = 0; at < kObjectives; ++at) {
    const auto objective = static_cast<SearchObjective>(at);
    const FoundMapping found = map_exhaustively(task, machine, objective).value();
    const Mapping& best = bests[at].mapping;
    if (found.score == *bests[at].score && found.mapping.tile == best.tile &&
        found.mapping.order == best.order && found.mapping.origin == MappingOrigin::kProven) {
      continue;
    }
    text += fmt::format("{}: found {} ({}, {}), brute force {} ({}, {})\n", to_text(objective),
                        to_text(found.mapping), found.score.value, found.score.tie, to_text(best),
                        bests[at].score->value, bests[at].score->tie);
  }
  return text;
}

struct Outcome {
  bool holds = false;
  int layers = 0;
  std::size_t candidates = 0;
  std::string message;
};

// Random layers on random machines until enough of them were small and could run at all.
Outcome compare_with_brute_force(int cases, std::size_t most_candidates) {
  Outcome outcome;
  rc::detail::TestParams parameters = rc::detail::configuration().testParams;
  parameters.maxSuccess = cases;
  const auto result = rc::detail::checkTestable(
      [&] {
        const tests::OracleCase drawn = tests::draw_oracle_case();
        const Machine machine = tests::with_flat_prices(drawn.machine);
        if (!is_searchable(drawn.task, machine.accelerator)) return;
        const Result<Mapping> heuristic = map_heuristically(drawn.task, machine.accelerator);
        if (!heuristic) return;
        const std::vector<Mapping> candidates =
            all_candidates(drawn.task, machine.accelerator, *heuristic);
        if (candidates.size() > most_candidates) return;
        ++outcome.layers;
        outcome.candidates += candidates.size();
        const std::string text =
            differences(drawn.task, machine, brute_force(drawn.task, machine, candidates));
        if (!text.empty()) RC_FAIL(tests::to_text(drawn) + text);
      },
      rc::detail::TestMetadata{}, parameters);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  outcome.holds = result.is<rc::detail::SuccessResult>();
  outcome.message =
      fmt::format("{}\nto repeat: RC_PARAMS=\"seed={}\"", message.str(), parameters.seed);
  return outcome;
}

TEST_CASE("The search finds what brute force finds for every objective", "[search][property]") {
  constexpr int kLayers = 200;
  const Outcome outcome = compare_with_brute_force(500, 3000);
  INFO(outcome.message);
  REQUIRE(outcome.holds);
  CHECK(outcome.layers >= kLayers);
}

TEST_CASE("The search finds what brute force finds on many layers", "[search][property][slow]") {
  const Outcome outcome = compare_with_brute_force(3000, 20'000);
  INFO(outcome.message);
  REQUIRE(outcome.holds);
  WARN(outcome.layers << " layers, " << outcome.candidates << " candidates; " << outcome.message);
}

TEST_CASE("The search finds what brute force finds with the prices of tables", "[search]") {
  using arch::Dataflow;
  for (const Dataflow dataflow :
       {Dataflow::kOutputStationary, Dataflow::kWeightStationary, Dataflow::kInputStationary}) {
    AcceleratorSpec spec = tests::example_spec(dataflow);
    for (memory::BufferSpec& buffer : spec.buffers) buffer.capacity = Bytes(512);
    const Machine machine = tests::with_prices(spec);
    LayerTask task = tests::gemm_task(12, 10, 9);
    task.in_height = 4;
    task.in_width = 3;
    task.out_height = 4;
    task.out_width = 3;
    const Mapping heuristic = map_heuristically(task, machine.accelerator).value();
    const std::vector<Mapping> candidates = all_candidates(task, machine.accelerator, heuristic);
    CHECK(differences(task, machine, brute_force(task, machine, candidates)).empty());
  }
}

TEST_CASE("Equal cuts hold the smallest size of every number of tiles", "[search]") {
  for (const std::int64_t total : {1, 2, 7, 12, 56, 112, 511}) {
    std::set<std::int64_t> wanted;
    for (std::int64_t size = 1; size <= total; ++size) {
      const std::int64_t tiles = ceil_div(total, size);
      if (size == 1 || ceil_div(total, size - 1) > tiles) wanted.insert(size);
    }
    const std::vector<std::int64_t> cuts = equal_cuts(total);
    CHECK(std::vector<std::int64_t>(wanted.rbegin(), wanted.rend()) == cuts);
  }
}

TEST_CASE("Slices that fill the folds of the array are candidates", "[search]") {
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kWeightStationary);
  spec.array.rows = 4;
  spec.array.columns = 4;
  LayerTask task = tests::gemm_task(6, 10, 11);
  const CandidateSpace space = candidate_space(task, Accelerator(spec));
  // 10: cuts 10 5 4 3 2 1; of those 5 takes two folds of 4 rows, which hold 8, and 3 one, 4.
  CHECK(space.in_channels == std::vector<std::int64_t>{10, 8, 5, 4, 3, 2, 1});
  // 11: cuts 11 6 4 3 2 1; filled columns 8 and 4.
  CHECK(space.out_channels == std::vector<std::int64_t>{11, 8, 6, 4, 3, 2, 1});
}

TEST_CASE("Footprints answer as misfit does", "[search][property]") {
  REQUIRE(rc::check("fits = no misfit", [] {
    const tests::OracleCase drawn = tests::draw_oracle_case();
    const Accelerator machine(drawn.machine);
    const TileFit fit(drawn.task, machine);
    const TileSize& tile = drawn.mapping.tile;
    const std::int64_t in_pixels =
        reach_of(row_axis(drawn.task), tile.rows) * reach_of(column_axis(drawn.task), tile.columns);
    const Footprint footprint = fit.footprint(tile.in_channels, tile.out_channels);
    const bool fits = fit.fits(footprint, in_pixels, tile.rows * tile.columns);
    RC_ASSERT(fits == !misfit(drawn.task, tile, machine).has_value());
    const TileFit::Room room = fit.room(footprint);
    if (fits) RC_ASSERT(in_pixels <= room.in_pixels);
    if (fits) RC_ASSERT(tile.rows * tile.columns <= room.out_pixels);
  }));
}

TEST_CASE("The mappings of a network are the same for any number of jobs", "[search]") {
  const std::string configs = std::string(VERNIER_SOURCE_DIR) + "/configs/";
  const Machine machine = load_machine(configs + "accelerators/bitfusion_16x32.yaml");
  const LayerGraph graph = load_model(configs + "models/resnet20.yaml");
  const NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(4), Bitwidth(8))).tensors;
  const std::vector<LoweredLayer> lowered = lower_network(graph, bits, machine.accelerator, false);
  const auto search = [&](int jobs) {
    return search_network(graph, lowered, machine, SearchObjective::kEnergy, jobs).value();
  };
  const NetworkSearch alone = search(1);
  const NetworkSearch shared = search(2);
  CHECK(alone.plan.layers == shared.plan.layers);
  CHECK(alone.effort.mappings_timed == shared.effort.mappings_timed);
  CHECK(alone.searched_tasks < 20);  // of 30 layers; equal ones are searched once
}

TEST_CASE("A layer of which several groups lie on the array is not searched", "[search]") {
  const std::string configs = std::string(VERNIER_SOURCE_DIR) + "/configs/";
  const Machine machine =
      load_machine(configs + "accelerators/edge_64x64_ws.yaml",
                   {"array.fold_overlap=none", "array.depthwise=block_diagonal"});
  const LayerGraph graph = load_model(configs + "models/mobilenetv2.yaml");
  const NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).tensors;
  const std::vector<LoweredLayer> lowered = lower_network(graph, bits, machine.accelerator, false);
  CHECK_THROWS_WITH(search_network(graph, lowered, machine, SearchObjective::kCycles),
                    Catch::Contains("layer 'features.1.depthwise'") &&
                        Catch::Contains("block_diagonal tiles of the machine 'edge_64x64_ws'"));
}

TEST_CASE("A layer that no tile fits is named", "[search]") {
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  for (memory::BufferSpec& buffer : spec.buffers) {
    buffer.banks = 2;
    buffer.capacity = Bytes(256);
  }
  const Machine machine = tests::with_prices(spec);
  LayerTask task = tests::gemm_task(4, 6, 4);
  // One pixel needs 40 input words of 4 bytes; a half has 128 bytes.
  task.window.kernel_height = 40;
  task.in_height = 43;
  const auto found = map_exhaustively(task, machine, SearchObjective::kCycles);
  REQUIRE_FALSE(found.has_value());
  CHECK_THAT(found.infeasible().reason, Catch::Contains("32 bytes are missing"));
}

}  // namespace
}  // namespace vernier::dataflow
