// Who prices what: own tables, the map, idle slots, scaling between nodes, mixed sources.
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "energy/breakdown.hpp"
#include "energy/price_list.hpp"

namespace vernier::energy {
namespace {

using Catch::Contains;
using Tables = std::vector<std::unique_ptr<Estimator>>;

const Hertz kClock(200'000'000);
constexpr Nanometers kNode{45};

void add(Tables& tables, const std::string& name) {
  tables.push_back(load_estimator(
      std::string(VERNIER_SOURCE_DIR) + "/configs/energy/" + name + ".yaml", builtin_estimators()));
}

std::vector<Component> unit_and_buffer(const std::string& style = "fixed") {
  MacUnit unit;
  unit.style = style;
  unit.modes = {{Bitwidth(8), Bitwidth(8), {}}};
  return {{"mac", unit, 4}, {"near", SramBank{Bytes(4096), Bits(32), 1}, 2}};
}

double price(const PriceList& prices, ComponentIndex component, Action action, int bits = 0) {
  return prices
      .price({.component = component,
              .action = action,
              .weight_bits = static_cast<std::uint8_t>(bits),
              .activation_bits = static_cast<std::uint8_t>(bits),
              .count = 1})
      .count();
}

TEST_CASE("A table of the user's own beats every other", "[energy][prices]") {
  Tables tables;
  add(tables, "horowitz_45nm");  // stated accuracy 50
  add(tables, "aladdin_45nm");   // 70
  add(tables, "cacti_45nm");
  PricingRules rules;
  const PriceList without(unit_and_buffer(), tables, kClock, kNode, rules);
  CHECK(price(without, 0, Action::kMac, 8) == Approx(0.625075));
  rules.own_tables = 1;
  const PriceList own(unit_and_buffer(), tables, kClock, kNode, rules);
  CHECK(price(own, 0, Action::kMac, 8) == Approx(0.3));  // 0.2 + 0.1
  CHECK(own.actions()[0].table == "horowitz_45nm");
  // What the own table does not say comes from the others.
  CHECK(price(own, 0, Action::kLeak) == Approx(4 * (0.015 + 0.0119 + 0.01184)));
}

TEST_CASE("A MAC and a memory of two sources give a warning", "[energy][prices]") {
  Tables mixed;
  add(mixed, "aladdin_45nm");
  add(mixed, "cacti_45nm");
  const PriceList prices(unit_and_buffer(), mixed, kClock, kNode);
  REQUIRE(prices.warnings().size() == 1);
  CHECK_THAT(prices.warnings()[0], Contains("'aladdin_45nm'") && Contains("'bitfusion'"));
  add(mixed, "bitfusion_45nm");  // the synthesised MAC is of the same artifact as the SRAM points
  CHECK(PriceList(unit_and_buffer(), mixed, kClock, kNode).warnings().empty());
}

TEST_CASE("An idle slot costs what the machine says", "[energy][prices]") {
  Tables tables;
  add(tables, "bitfusion_45nm");
  add(tables, "aladdin_45nm");
  add(tables, "cacti_45nm");
  PricingRules rules;
  const double real = 0.29769;  // 0.148845 mW at 500 MHz
  CHECK(price(PriceList(unit_and_buffer(), tables, kClock, kNode, rules), 0, Action::kMacIdle, 8) ==
        Approx(real));
  rules.idle_slots = IdleSlots::kGated;
  CHECK(price(PriceList(unit_and_buffer(), tables, kClock, kNode, rules), 0, Action::kMacIdle, 8) ==
        0.0);
  Tables gated_by_table;
  add(gated_by_table, "aladdin_45nm");
  add(gated_by_table, "cacti_45nm");
  rules.idle_slots = IdleSlots::kActive;
  CHECK(price(PriceList(unit_and_buffer(), gated_by_table, kClock, kNode, rules), 0,
              Action::kMacIdle, 8) == Approx(0.625075));
}

TEST_CASE("Figures of another node are scaled on request only", "[energy][prices]") {
  Tables tables;
  add(tables, "aladdin_45nm");
  add(tables, "cacti_45nm");
  PricingRules rules;
  CHECK_THROWS_WITH(PriceList(unit_and_buffer(), tables, kClock, Nanometers(32), rules),
                    Contains("say 'scaling: capacitance' under energy"));
  rules.scaling = NodeScaling::kCapacitance;
  const PriceList at_45(unit_and_buffer(), tables, kClock, kNode, rules);
  const PriceList at_32(unit_and_buffer(), tables, kClock, Nanometers(32), rules);
  for (const Action action : {Action::kRead, Action::kWrite, Action::kLeak}) {
    CHECK(price(at_32, 1, action) == Approx(price(at_45, 1, action) * 32 / 45));
  }
  CHECK(at_32.total_area().count() ==
        Approx(at_45.total_area().count() * 32.0 * 32.0 / (45.0 * 45.0)));
  CHECK_THAT(at_32.actions()[0].terms[0].formula, Contains("(32nm / 45nm)"));
}

TEST_CASE("A map names the entry, and every gap names both sides", "[energy][prices]") {
  Tables tables;
  add(tables, "psma_28nm");
  add(tables, "aladdin_45nm");
  add(tables, "cacti_45nm");
  PricingRules rules;
  rules.scaling = NodeScaling::kCapacitance;
  ComponentUse use;
  use.component = "mac";
  use.table = "psma_28nm";
  use.entry = "BITBLADE";
  const auto build = [&] {
    rules.map = {use};
    return PriceList(unit_and_buffer(), tables, kClock, Nanometers(28), rules);
  };
  CHECK_THROWS_WITH(build(), Contains("the action 'zero_point_add' is not mapped") &&
                                 Contains("'mac' counts mac, mac_idle, zero_point_add, leak") &&
                                 Contains("has mac, mac_idle, leak"));
  ActionUse zero_point;
  zero_point.action = "zero_point_add";
  zero_point.from_tables = true;
  use.actions = {zero_point};
  const PriceList prices = build();
  // 35.7388.. the whole array: 44.68519 mW, accumulators 2.84046 mW of 20 bit, here 32
  CHECK(price(prices, 0, Action::kMac, 8) ==
        Approx((44.68519 - 2.84046 + 2.84046 * 1.6) * 5 / 256).epsilon(1e-12));
  CHECK(price(prices, 0, Action::kZeroPointAdd) == Approx(0.0857 * 28 / 45));
  use.entry = "BITBLAD";
  CHECK_THROWS_WITH(build(),
                    Contains("has no entry 'BITBLAD'") && Contains("did you mean 'BITBLADE'"));
  use.entry = "BITBLADE";
  use.table = "psma";
  CHECK_THROWS_WITH(build(), Contains("there is no table 'psma'"));
  use.table = "psma_28nm";
  use.component = "macs";
  CHECK_THROWS_WITH(build(), Contains("no such component; it has mac, near; did you mean 'mac'"));
  use.component = "mac";
  use.actions.front().action = "zero_add";
  CHECK_THROWS_WITH(build(), Contains("'mac' has no such action"));
}

TEST_CASE("DRAM priced by currents pays for the time as well", "[energy][prices]") {
  Tables tables;
  add(tables, "dram_currents");
  add(tables, "dram_interface");
  const std::vector<Component> parts{{"dram", DramInterface{"DDR4-2400"}, 1}};
  const PriceList prices(parts, tables, kClock, kNode);
  REQUIRE(prices.standing().size() == 1);
  const PriceList constant({{"dram", DramInterface{"LPDDR4"}, 1}}, tables, kClock, kNode);
  CHECK(constant.standing().empty());
  CHECK(price(constant, 0, Action::kRead) == 8.0);

  Activity activity;
  activity.add({.component = 0, .action = Action::kRead, .role = TensorRole::kInput, .count = 100});
  CHECK(EnergyBreakdown(activity, prices).entries().size() == 1);
  // The cycles are those that other components leak.
  Tables more;
  add(more, "dram_currents");
  add(more, "cacti_45nm");
  const PriceList both({{"near", SramBank{Bytes(4096), Bits(32), 1}, 2}, parts[0]}, more, kClock,
                       kNode);
  Activity longer;
  longer.add({.component = 0, .action = Action::kLeak, .count = 7});
  longer.add({.component = 1, .action = Action::kRead, .role = TensorRole::kInput, .count = 100});
  const EnergyBreakdown energy(longer, both);
  const double standing = price(both, 1, Action::kLeak) * 7;
  CHECK(energy.of_component(1).count() == Approx(standing + 100 * price(both, 1, Action::kRead)));
  CHECK(energy.of_state(EnergyState::kActive).count() ==
        Approx(100 * price(both, 1, Action::kRead)));
  CHECK((energy.of_state(EnergyState::kStanding) + energy.of_state(EnergyState::kActive)).count() ==
        Approx(energy.total().count()));
}

TEST_CASE("The terms of every price sum to it", "[energy][prices]") {
  Tables tables;
  for (const char* name : {"aladdin_45nm", "bitfusion_45nm", "cacti_45nm"}) add(tables, name);
  const PriceList prices(unit_and_buffer(), tables, kClock, kNode);
  for (const PricedAction& action : prices.actions()) {
    double sum = 0.0;
    for (const PriceTerm& term : action.terms) {
      sum += term.energy.count();
      CHECK_FALSE(term.formula.empty());
      CHECK_FALSE(term.source.empty());
    }
    CHECK(sum == action.energy.count());
  }
}

}  // namespace
}  // namespace vernier::energy
