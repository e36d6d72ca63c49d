#include "dataflow/result/roofline.hpp"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/machine/machine.hpp"

namespace vernier::dataflow {
namespace {

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

// 1000 MACs in 100 cycles, 20 of which the peak would need.
CostSummary cost_with_bits(std::int64_t bits) {
  CostSummary cost;
  cost.macs = Macs(1000);
  cost.cycles[CycleCause::kCompute] = 60;
  cost.cycles[CycleCause::kInput] = 40;
  cost.peak_macs = 5000.0;
  cost.ideal_compute_cycles = 20.0;
  cost.dram.weight_read = Bits(bits);
  return cost;
}

TEST_CASE("The roof is the DRAM below the machine balance and the array from there on",
          "[dataflow][roofline]") {
  // Peak 50 MACs per cycle, 25 bits per cycle: balance 2 MACs per bit.
  const Roofline low = roofline_of(cost_with_bits(1000), 25.0).value();
  CHECK(low.peak_macs_per_cycle == 50.0);
  CHECK(low.machine_balance == 2.0);
  CHECK(low.operational_intensity == 1.0);
  CHECK(low.attainable_macs_per_cycle == 25.0);
  CHECK(low.achieved_macs_per_cycle == 10.0);
  CHECK(low.roof == Roof::kDram);
  const Roofline at_balance = roofline_of(cost_with_bits(500), 25.0).value();
  CHECK(at_balance.attainable_macs_per_cycle == 50.0);
  CHECK(at_balance.roof == Roof::kCompute);
  const Roofline just_below = roofline_of(cost_with_bits(501), 25.0).value();
  CHECK(just_below.roof == Roof::kDram);
  CHECK(to_text(just_below.roof) == "dram");
}

TEST_CASE("A cost without traffic has no intensity and one without MACs no roofline",
          "[dataflow][roofline]") {
  const Roofline resident = roofline_of(cost_with_bits(0), 25.0).value();
  CHECK_FALSE(resident.operational_intensity.has_value());
  CHECK(resident.attainable_macs_per_cycle == 50.0);
  CHECK(resident.roof == Roof::kCompute);
  CHECK_FALSE(roofline_of(CostSummary{}, 25.0).has_value());
}

TEST_CASE("Of two precisions the peak is that of the cycles they need together",
          "[dataflow][roofline]") {
  // 1000 MACs at 50 per cycle and 1000 at 10: 120 cycles.
  CostSummary sum = cost_with_bits(1000);
  CostSummary slow = cost_with_bits(1000);
  slow.ideal_compute_cycles = 100.0;
  accumulate(sum, slow);
  CHECK(roofline_of(sum, 25.0)->peak_macs_per_cycle == 2000.0 / 120.0);
  CHECK(roofline_of(sum, 25.0)->achieved_macs_per_cycle == 10.0);
}

// A layer's first weights may have come with the layer before, so that its own cycles can be fewer
// than its own bits take: the roofline of a layer may be passed by that much, the network's never.
TEST_CASE("No network passes its roofline and utilisation is its share of the peak",
          "[dataflow][roofline]") {
  for (const char* name : {"bitfusion_16x32", "edge_64x64_ws", "scale_sim_default"}) {
    const Machine machine =
        load_machine(kConfigs + "accelerators/" + name + ".yaml", {}, {kConfigs + "energy"});
    const double bandwidth = machine.accelerator.spec().dram.bandwidth.bits_per_cycle();
    for (const char* network : {"mobilenetv2", "resnet18", "alexnet_grouped", "vit_tiny"}) {
      const LayerGraph graph = load_model(kConfigs + "models/" + network + ".yaml");
      const NetworkCost cost =
          evaluate(machine, graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8))).value();
      CAPTURE(name, network);
      const Roofline total = roofline_of(cost.total, bandwidth).value();
      CHECK(total.achieved_macs_per_cycle <= total.attainable_macs_per_cycle * (1.0 + 1e-12));
      std::int64_t most_weights = 0;
      for (const LayerCost& layer : cost.layers) {
        const std::optional<Roofline> line = roofline_of(layer.cost, bandwidth);
        CHECK(line.has_value() == (layer.cost.macs.count() > 0));
        if (!line) continue;
        CAPTURE(graph.layers()[layer.layer].name);
        CHECK(line->achieved_macs_per_cycle <= line->peak_macs_per_cycle * (1.0 + 1e-12));
        CHECK(layer.cost.utilisation() ==
              Approx(line->achieved_macs_per_cycle / line->peak_macs_per_cycle));
        most_weights = std::max(most_weights, layer.cost.dram.weight_read.count());
        const double cycles = static_cast<double>(layer.cost.cycles.total().count());
        const double own_bits =
            static_cast<double>((layer.cost.dram.total() - layer.cost.dram.weight_read).count());
        CHECK(own_bits <= cycles * bandwidth);
      }
      CHECK(most_weights > 0);
    }
  }
}

}  // namespace
}  // namespace vernier::dataflow
