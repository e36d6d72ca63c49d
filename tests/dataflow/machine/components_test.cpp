#include "dataflow/machine/components.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/machine/machine.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

using Catch::Contains;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";
const std::string kDefault = kRoot + "configs/accelerators/scale_sim_default.yaml";

Machine with(const std::vector<std::string>& overrides) {
  return load_machine(kDefault, overrides);
}

TEST_CASE("The parts of a machine are the array, its buffers, DRAM and the vector unit",
          "[dataflow][machine]") {
  const Accelerator machine = load_accelerator(kDefault);
  const std::vector<energy::Component> parts = components_of(machine);
  std::vector<std::string> names;
  for (const energy::Component& part : parts) names.push_back(part.name);
  CHECK(names == std::vector<std::string>{"mac", "input", "weight", "output", "dram", "vector",
                                          "requantizer"});
  const ComponentIndices at = component_indices(machine);
  CHECK(at.mac == 0);
  CHECK(at.buffer(2) == 3);
  CHECK(at.dram == 4);
  CHECK(at.vector == 5);
  CHECK(at.requantizer == 6);
  CHECK(parts[0].instances == 1024);
  CHECK(parts[1].instances == 32);  // banks
  // 64 KiB in 32 banks
  CHECK(std::get<energy::SramBank>(parts[1].hardware).capacity == Bytes(2048));
  CHECK(std::get<energy::SramBank>(parts[3].hardware).ports == 2);
  CHECK(parts[6].instances == 32);  // one per column
}

TEST_CASE("A limit on requantized results is the number of requantizers", "[dataflow][machine]") {
  const Machine machine = with({"vector.requant_lanes=8"});
  CHECK(components_of(machine.accelerator)[6].instances == 8);
}

TEST_CASE("Actions that the vector unit lacks have no price", "[dataflow][machine]") {
  const Machine machine = with({"vector.ops={add: 1}"});
  int priced = 0;
  for (const energy::PricedAction& action : machine.prices.actions()) {
    if (action.component == 5) ++priced;
  }
  CHECK(priced == 2);  // add and leak
}

TEST_CASE("Tables of another node than the machine's are refused", "[dataflow][machine]") {
  CHECK_THROWS_WITH(
      with({"technology=28nm"}),
      Contains("scale_sim_default.yaml: energy: the energy table 'aladdin_45nm' holds "
               "figures of 45nm, the machine is 28nm"));
}

TEST_CASE("An unknown table is answered with the known ones and the nearest",
          "[dataflow][machine]") {
  CHECK_THROWS_WITH(with({"energy.tables[0]=aladin_45nm"}),
                    Contains("energy.tables: there is no energy table 'aladin_45nm'; known are "
                             "aladdin_45nm, bitfusion_45nm, cacti_45nm, ") &&
                        Contains("; did you mean 'aladdin_45nm'?"));
}

TEST_CASE("A table given as a path is looked for beside the machine file", "[dataflow][machine]") {
  CHECK_NOTHROW(with({"energy.tables[0]=../energy/aladdin_45nm.yaml"}));
  CHECK_THROWS_WITH(with({"energy.tables[0]=aladdin_45nm.yaml"}),
                    Contains("accelerators/aladdin_45nm.yaml: cannot be opened"));
}

TEST_CASE("A DRAM type that the table lacks is answered with those it has", "[dataflow][machine]") {
  CHECK_THROWS_WITH(with({"energy.dram=LPDDR5"}), Contains("component 'dram'") &&
                                                      Contains("'dram_interface' has no DRAM type "
                                                               "'LPDDR5'; allowed are LPDDR4") &&
                                                      Contains("did you mean 'LPDDR4'?"));
}

TEST_CASE("A part that no table prices is named with action and tables", "[dataflow][machine]") {
  CHECK_THROWS_WITH(with({"energy.tables=[aladdin_45nm, cacti_45nm]"}),
                    Contains("no energy table has the action 'read' of the component 'dram' (DRAM "
                             "of type LPDDR4); tables: cacti_45nm, aladdin_45nm"));
}

TEST_CASE("A bank outside the points of the table is named with the range", "[dataflow][machine]") {
  CHECK_THROWS_WITH(with({"buffers.input.capacity=1 MiB"}),
                    Contains("component 'input'") &&
                        Contains("a bank of 32 KiB is outside the range of the table 'cacti_45nm' "
                                 "for 1 port(s): 128 B to 16 KiB per bank"));
  CHECK_NOTHROW(with({"buffers.input.capacity=512 KiB"}));  // 16 KiB per bank
}

}  // namespace
}  // namespace vernier::dataflow
