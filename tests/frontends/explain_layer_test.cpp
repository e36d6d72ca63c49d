// `vernier explain --layer`: figures that a person can check by hand, and wrong use.
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "frontends/report/layer_explanation.hpp"
#include "frontends/report/numbers.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/input_file.hpp"
#include "tests/support/small_networks.hpp"

namespace vernier::frontends {
namespace {

using namespace dataflow;
using Catch::Contains;
using tests::run_vernier;

TEST_CASE("explain shows where the cycles of a layer come from", "[frontends][cli]") {
  const auto run = run_vernier({"explain", "-a", "bitfusion_16x32", "-m", "resnet20", "--layer",
                                "layer1.0.conv1", "--bits", "w=4,a=8"});
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  // 3x3 on 16 channels and 32x32 pixels: 1024 * 144 * 16 products. 8 x 4 bits take 4 * 2 bricks of
  // 16, so 2 products per step; 9 positions * ceil(16 / 2) = 72 rows are 5 folds of 16 rows.
  CHECK_THAT(run.output,
             Contains("layer1.0.conv1: conv2d of resnet20 on bitfusion_16x32, batch 1") &&
                 Contains("layer1.0.conv1.weight, 16 x 144: 4 bits, stored as 4, computed as 4") &&
                 Contains("P = 1 * 32 * 32 = 1,024 pixels, K = 3 * 3 * 16 = 144, N = 16") &&
                 Contains("P * K * N = 2,359,296") &&
                 Contains("does kK 2 * kN 1 * kP 1 * kG 1 = 2 products on 8 + 16 operand bits") &&
                 Contains("peak: 16 rows * 32 columns * 2 / 1 = 1024 MACs/cycle") &&
                 Contains("lines of a fold T + 2R + C - 2 with R = 16 and C = 32") &&
                 Contains("192 bit/cycle, latency 100 cycles") && Contains("bound by compute") &&
                 Contains("came with the last loads of 'conv1'") &&
                 Contains("loads the first weight block of 'layer1.0.conv2'") &&
                 Contains("[bitfusion_45nm]") &&
                 Contains("none: no buffer of the machine has resident_bytes"));
}

// The number behind a text, without commas.
std::int64_t number_behind(const std::string& text, const std::string& words) {
  const std::size_t at = text.find(words);
  if (at == std::string::npos) return -1;
  std::string digits;
  for (std::size_t next = at + words.size(); next < text.size(); ++next) {
    if (text[next] == ',') continue;
    if (text[next] < '0' || text[next] > '9') break;
    digits += text[next];
  }
  return digits.empty() ? -1 : std::stoll(digits);
}

std::int64_t sum_behind(std::string text, const std::string& words) {
  std::int64_t sum = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words)) {
    sum += number_behind(text, words);
    text.erase(0, at + words.size());
  }
  return sum;
}

void check_network(const std::string& machine_name, const std::string& model, int weight,
                   int activation) {
  CAPTURE(machine_name, model);
  const Machine machine =
      load_machine(tests::config_path("accelerators/" + machine_name + ".yaml"));
  const LayerGraph graph = load_model(tests::config_path("models/" + model + ".yaml"));
  const NetworkPrecision bits =
      resolve_precision(graph, PrecisionMap::uniform(Bitwidth(weight), Bitwidth(activation)))
          .tensors;
  const Evaluator evaluator(machine);
  const NetworkCost cost = evaluator.evaluate(graph, bits).value();
  for (const LayerCost& layer : cost.layers) {
    const std::string& name = graph.layers()[layer.layer].name;
    CAPTURE(name);
    const std::string text = explain_layer(evaluator, graph, bits, name).value();
    const CostSummary& found = layer.cost;
    if (layer.tasks.empty()) {
      CHECK_THAT(text, Contains("no task"));
      continue;
    }
    // Lines of all folds are the compute cycles, waits the port cycles, blocks the DRAM bits.
    if (layer.tasks.front().unit == TaskUnit::kArray) {
      CHECK(sum_behind(text, "sum of tiles * lines = ") == found.cycles[CycleCause::kCompute]);
      CHECK(sum_behind(text, "cycles of computing, ") == found.cycles[CycleCause::kPort]);
    } else {
      CHECK(sum_behind(text, "  lines: ") == found.cycles[CycleCause::kCompute]);
    }
    CHECK_THAT(text, Contains(fmt::format("{:>15} bits in {} busy cycles",
                                          grouped(found.dram.total().count()),
                                          grouped(found.channel_busy_cycles))) ||
                         Contains("task 1 of"));
    CHECK_THAT(text,
               Contains(fmt::format("total    {:>15}\n", grouped(found.cycles.total().count()))));
    CHECK_THAT(text, Contains(fmt::format(" {:>12}\n", energy_text(found.energy.total()))));
  }
}

TEST_CASE("The figures of an explanation sum to what evaluate says", "[frontends]") {
  check_network("bitfusion_16x32", "resnet20", 4, 8);
  check_network("bitfusion_16x32_dot", "resnet20", 2, 2);
  check_network("edge_64x64_ws", "mobilenetv2", 8, 8);
  check_network("subword_dvafs", "mobilenetv2", 4, 4);
  check_network("scale_sim_default", "bert_base_layer", 8, 8);
}

TEST_CASE("explain tells what stays on chip and what does not", "[frontends][cli]") {
  const auto run = run_vernier({"explain", "-a", "edge_64x64_ws", "-m", "mobilenetv2", "--layer",
                                "features.18", "--bits", "w=8,a=8"});
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.output, Contains("activations on chip [5.7]") && Contains(": on chip") &&
                             Contains("bytes are taken while the layer runs"));
}

TEST_CASE("explain shows each task of a sliced weight", "[frontends][cli]") {
  const tests::InputFile bits("bits.yaml",
                              "default: {weight: 8, activation: 8}\ntensors:\n  "
                              "layer1.0.conv1.weight: {slices: [{channels: "
                              "10, bits: 4}, {channels: 6, bits: 2}]}\n");
  const auto run = run_vernier({"explain", "-a", "bitfusion_16x32", "-m", "resnet20", "--layer",
                                "layer1.0.conv1", "--precision", bits.path()});
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  CHECK_THAT(run.output, Contains("(channels: 10 of 4 bits + 6 of 2 bits)") &&
                             Contains("task 1 of 2") && Contains("task 2 of 2") &&
                             Contains("mode at w2 a8") && Contains("mode at w4 a8") &&
                             Contains("all tasks together"));
}

TEST_CASE("Wrong questions to explain are refused by name", "[frontends][cli]") {
  const auto refused = [](const std::vector<std::string>& extra) {
    std::vector<std::string> arguments{"explain", "-a", "bitfusion_16x32"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    const auto run = run_vernier(arguments);
    CHECK(run.exit_code == 2);
    CHECK(run.output.empty());
    return run.error;
  };
  CHECK_THAT(refused({"-m", "resnet20", "--layer", "layer1.0.conf1"}),
             Contains("no layer 'layer1.0.conf1'") && Contains("did you mean 'layer1.0.conv1'?"));
  CHECK_THAT(refused({"-m", "resnet20"}), Contains("--model needs --layer"));
  CHECK_THAT(refused({"--layer", "fc"}), Contains("--layer needs --model"));
  CHECK_THAT(refused({"--bits", "w=4,a=4"}), Contains("need --model and --layer"));
  CHECK_THAT(refused({"mac", "-m", "resnet20", "--layer", "fc"}),
             Contains("'mac': a component's prices are explained without"));
  CHECK_THAT(refused({"-m", "resnet20", "--layer", "fc", "--bits", "w=40,a=4"}), Contains("40"));
  CHECK_THAT(refused({"-m", "resnet20", "--layer", "fc", "--bits", "w=32,a=4"}),
             Contains("has 32 bits"));
  CHECK_THAT(refused({"-m", "resnet20", "--layer", "fc", "--bits", "w=4,a=4", "--precision", "x"}),
             Contains("exclude each other"));
  CHECK_THAT(refused({"-m", "resnet20", "--layer", ""}), Contains("--layer"));
}

}  // namespace
}  // namespace vernier::frontends
