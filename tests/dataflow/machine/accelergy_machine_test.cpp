// Machines and Accelergy: an ERT that drives one of ours, our tables read back, architectures.
#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/machine/accelergy_architecture.hpp"
#include "dataflow/machine/machine.hpp"
#include "energy/accelergy_counts.hpp"
#include "energy/accelergy_tables.hpp"
#include "energy/accelergy_writer.hpp"

namespace vernier::dataflow {
namespace {

using Catch::Contains;

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

NetworkCost cost_of(const Machine& machine, const std::string& network) {
  const LayerGraph graph = load_model(kConfigs + "models/" + network + ".yaml");
  const auto cost = evaluate(machine, graph, PrecisionMap::uniform(Bitwidth(8), Bitwidth(8)));
  REQUIRE(bool(cost));
  return *cost;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
}

TEST_CASE("The Eyeriss-like ERT prices a machine of ours through its map",
          "[dataflow][machine][accelergy]") {
  const Machine machine = load_machine(kConfigs + "accelerators/eyeriss_sized_ws.yaml");
  const NetworkCost cost = cost_of(machine, "resnet20");
  const ComponentIndices at = component_indices(machine.accelerator);
  // Figures of the published table, written down again; 64 bit per DRAM access; 32 bit requantizers
  // and vector lanes of the operator table at 5 ns, times 32 / 45.
  const double node = 32.0 / 45.0;
  const double lane_leak = (0.0119 + 0.0001211 + 32 * 0.00037 + 0.24 / 4) * node;
  const double requantize = (0.0857 + 8.63 / 2 + 0.41652) * node;
  const double requantizer_leak = (0.0119 + 0.24 / 2 + 0.008) * node;
  const std::map<std::pair<int, Action>, double> table{
      {{at.mac, Action::kMac}, 0.207692},
      {{at.mac, Action::kMacIdle}, 0.0},
      {{at.mac, Action::kLeak}, 0.002374 * 168},
      {{at.buffer(0), Action::kRead}, 18.183829},
      {{at.buffer(0), Action::kWrite}, 14.137929},
      {{at.buffer(0), Action::kLeak}, 0.005652},
      {{at.buffer(1), Action::kRead}, 1.976602},
      {{at.buffer(1), Action::kWrite}, 1.881657},
      {{at.buffer(1), Action::kLeak}, 0.001592 * 168},
      {{at.dram, Action::kRead}, 512.0 / 64},
      {{at.dram, Action::kWrite}, 512.0 / 64},
      {{at.vector, Action::kAdd}, 0.0857 * node},
      {{at.vector, Action::kAverage}, 0.0857 * node},
      {{at.vector, Action::kCopy}, 32 * 0.009 * node},
      {{at.vector, Action::kMax}, 0.029015 * node},
      {{at.vector, Action::kActivation}, 0.029015 * node},
      {{at.vector, Action::kLeak}, lane_leak * 14},
      {{at.requantizer, Action::kRequantize}, requantize},
      {{at.requantizer, Action::kLeak}, requantizer_leak * 14}};
  double sum = 0.0;
  for (const ActivityEntry& entry : cost.total.activity.entries()) {
    INFO(to_text(entry.action) << " of " << int(entry.component));
    REQUIRE(table.contains({entry.component, entry.action}));
    sum += table.at({entry.component, entry.action}) * static_cast<double>(entry.count);
  }
  CHECK(std::abs(cost.total.energy.total().count() / sum - 1.0) <= 1e-12);
  // 168 MACs, one 32-bank buffer, 168 scratchpads
  CHECK(machine.prices.areas()[0].area.count() == Approx(191.82 * 168));
  CHECK(machine.prices.areas()[1].area.count() == Approx(217363.36892));
  CHECK(machine.prices.areas()[2].area.count() == Approx(11632.88556 * 168));
}

TEST_CASE("A component or action that the map leaves out names both sides",
          "[dataflow][machine][accelergy]") {
  const auto with = [](const std::string& assignment) {
    return load_machine(kConfigs + "accelerators/eyeriss_sized_ws.yaml", {assignment});
  };
  CHECK_THROWS_WITH(with("energy.map.mac.actions={mac: compute, mac_idle: free}"),
                    Contains("the action 'zero_point_add' is not mapped") &&
                        Contains("'mac' counts mac, mac_idle, zero_point_add, leak") &&
                        Contains("has compute, leak"));
  CHECK_THROWS_WITH(with("energy.tables=[eyeriss_like_32nm]"),
                    Contains("is not mapped") || Contains("component 'vector' counts"));
  CHECK_THROWS_WITH(with("energy.map={}"), Contains("component 'glb' counts read, write, leak") &&
                                               Contains("system_top_level.shared_glb[1..1]"));
  CHECK_THROWS_WITH(with("energy.map.glb.entry=shared_gbl"), Contains("did you mean 'shared_glb'"));
  CHECK_THROWS_WITH(with("energy.map.glb.witdh=64 bit"), Contains("did you mean 'width'"));
}

TEST_CASE("Our ERT, ART and counts are read back to the same energy",
          "[dataflow][machine][accelergy]") {
  for (const char* name : {"bitfusion_16x32", "eyeriss_sized_ws"}) {
    INFO(name);
    const Machine machine = load_machine(kConfigs + "accelerators/" + name + ".yaml");
    const NetworkCost cost = cost_of(machine, "resnet20");
    const Hertz clock = machine.accelerator.spec().clock;
    const std::string ert = energy::accelergy_ert(machine.prices, name, clock);
    const std::string art = energy::accelergy_art(machine.prices, name);
    const std::string counts =
        energy::accelergy_action_counts(cost.total.energy, machine.prices, name);
    // Counts times table.
    const auto table = energy::make_accelergy_tables(parse_yaml(ert, "ERT.yaml"));
    const double priced =
        energy::price_of_counts(energy::read_action_counts(parse_yaml(counts, "counts.yaml")),
                                *table, clock)
            .count();
    CHECK(std::abs(priced / cost.total.energy.total().count() - 1.0) <= 1e-12);
    // As own tables they beat every other and change nothing.
    const std::string stem = std::string(name) + "_read_back";
    write(stem + ".ERT.yaml", ert);
    write(stem + ".ART.yaml", art);
    const Machine again = load_machine(kConfigs + "accelerators/" + name + ".yaml", {}, {},
                                       {stem + ".ERT.yaml", stem + ".ART.yaml"});
    REQUIRE(again.prices.actions().size() == machine.prices.actions().size());
    for (std::size_t at = 0; at < again.prices.actions().size(); ++at) {
      const auto& ours = machine.prices.actions()[at];
      const auto& theirs = again.prices.actions()[at];
      CHECK(theirs.table == stem + ".ERT");
      CHECK(theirs.energy.count() == Approx(ours.energy.count()).epsilon(1e-12));
    }
    for (std::size_t at = 0; at < again.prices.areas().size(); ++at) {
      CHECK(again.prices.areas()[at].area.count() ==
            Approx(machine.prices.areas()[at].area.count()).epsilon(1e-12));
    }
    std::remove((stem + ".ERT.yaml").c_str());
    std::remove((stem + ".ART.yaml").c_str());
  }
}

TEST_CASE("Shipped compound components price a machine through its map",
          "[dataflow][machine][accelergy]") {
  const Machine machine = load_machine(
      kConfigs + "accelerators/bitfusion_16x32.yaml",
      {"energy.tables=[aladdin_45nm, cacti_45nm, dram_interface, smart_buffer_45nm]",
       "energy.map={input: {table: smart_buffer_45nm, entry: smart_buffer, attributes: {width: 32, "
       "depth: 512, receivers: 16}}, mac: {table: smart_buffer_45nm, entry: mac_by_mode}}"});
  const auto price = [&](const std::string& component, Action action, int weight = 0) {
    for (const energy::PricedAction& priced : machine.prices.actions()) {
      if (machine.prices.components()[priced.component].name == component &&
          priced.action == action &&
          (weight == 0 || (priced.weight_bits == weight && priced.activation_bits == 8))) {
        return priced.energy.count();
      }
    }
    FAIL("no such price");
    return 0.0;
  };
  // 2 KiB bank, an adder of 9 bit at 2 ns, a bus of 16 * 50 um.
  const double adder = 0.0858 * 9 / 32;
  const double bus = 32 * 0.2 * 1.627e-3 * 800;
  CHECK(price("input", Action::kRead) == Approx(1.9032 + adder + bus).epsilon(1e-12));
  CHECK(price("input", Action::kWrite) == Approx(3.6385 + adder).epsilon(1e-12));
  CHECK(price("input", Action::kLeak) ==
        Approx(16 * ((3.22997 + 0.108463) * 2 + 2 * 0.0048 * 9 / 32)).epsilon(1e-12));
  // 9.55 * (4 * 8) / 1024 + 0.0858: the widths of the mode.
  CHECK(price("mac", Action::kMac, 4) == Approx(9.55 * 32 / 1024 + 0.0858).epsilon(1e-12));
  CHECK(price("mac", Action::kMac, 8) == Approx(9.55 * 64 / 1024 + 0.0858).epsilon(1e-12));
  CHECK(machine.prices.areas()[1].area.count() ==
        Approx(16 * (15132.0 + 2 * 179.0 * 9 / 32)).epsilon(1e-12));
}

const char* const kArchitecture = R"(architecture:
  version: 0.4
  nodes:
  - !Container {name: tiny, attributes: {technology: "45nm", global_cycle_seconds: 5e-9, bits: 8}}
  - !Component
    name: dram
    class: DRAM
    attributes: {type: LPDDR4, width: 64, datawidth: bits, read_bandwidth: 8}
  - !Parallel
    nodes:
    - !Component
      name: glb
      class: SRAM
      attributes: {depth: 4096*2, width: 4*bits, datawidth: bits, n_banks: 16}
      constraints: {dataspace: {keep: [Inputs, Outputs], bypass: [Weights]}}
    - !Component
      name: wbuf
      class: SRAM
      attributes: {depth: 8192, width: 32, datawidth: 8, n_banks: 16}
      constraints: {dataspace: {keep_only: [Weights]}}
  - !Container {name: pe, spatial: {meshX: 8, meshY: 4}}
  - !Component
    name: wreg
    class: reg
    attributes: {depth: 1, width: 8, datawidth: 8}
    constraints: {dataspace: {keep_only: [Weights]}}
  - !Component {name: mac, class: intmac, attributes: {multiplier_width: 8, adder_width: 32}}
)";

TEST_CASE("An architecture file is a machine as far as ours describe it",
          "[dataflow][machine][accelergy]") {
  REQUIRE(is_accelergy_architecture(kArchitecture));
  CHECK_FALSE(is_accelergy_architecture("name: x\nnot_architecture: 1\n"));
  const ArchitectureMachine translated = read_accelergy_architecture(kArchitecture, "tiny.yaml");
  const Accelerator machine =
      read_accelerator(parse_yaml(translated.text, kConfigs + "accelerators/tiny.yaml"));
  const AcceleratorSpec& spec = machine.spec();
  CHECK(spec.name == "tiny");
  CHECK(spec.array.rows == 4);
  CHECK(spec.array.columns == 8);
  CHECK(spec.array.dataflow == arch::Dataflow::kWeightStationary);
  CHECK(spec.clock == Hertz(200'000'000));
  CHECK(spec.dram.bandwidth.bits_per_cycle() == 64.0);  // 8 words of 8 bit
  REQUIRE(spec.buffers.size() == 2);
  CHECK(spec.buffers[0].capacity == Bytes(32768));
  CHECK(spec.buffers[0].serves_role(TensorRole::kOutput));
  CHECK_FALSE(spec.buffers[0].serves_role(TensorRole::kWeight));
  CHECK(spec.mac.accumulator_bits == 32);
  CHECK(translated.assumptions.size() == 4);
}

TEST_CASE("What a machine cannot describe is refused with its reason",
          "[dataflow][machine][accelergy]") {
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = kArchitecture;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    return read_accelergy_architecture(text, "tiny.yaml");
  };
  CHECK_THROWS_WITH(changed("depth: 1, width: 8", "depth: 12, width: 8"),
                    Contains("wreg: holds 12 words inside a PE"));
  CHECK_THROWS_WITH(changed("keep_only: [Weights]", "keep_only: [Inputs, Weights]"),
                    Contains("Inputs lie in 2 buffers between DRAM and the PEs (glb, wbuf)"));
  CHECK_THROWS_WITH(changed("!Component {name: mac", "!Pipelined {name: mac"),
                    Contains("tiny.yaml:27: architecture.nodes[5]: found !Pipelined;") &&
                        Contains("allowed are !Container"));
  CHECK_THROWS_WITH(changed("class: DRAM", "class: SRAM"),
                    Contains("there is no component of class DRAM"));
  CHECK_THROWS_WITH(changed("depth: 4096*2", "depth: 4096*banks"),
                    Contains("there is no attribute 'banks'"));
  CHECK_THROWS_WITH(changed("version: 0.4", "version: 0.3"), Contains("allowed is 0.4"));
  CHECK_THROWS_WITH(changed("meshX: 8", "meshZ: 8"), Contains("did you mean 'meshX'"));
}

}  // namespace
}  // namespace vernier::dataflow
