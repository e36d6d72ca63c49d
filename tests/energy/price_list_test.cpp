#include "energy/price_list.hpp"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "energy/breakdown.hpp"

namespace vernier::energy {
namespace {

using Catch::Contains;
using Tables = std::vector<std::unique_ptr<Estimator>>;

constexpr Nanometers kNode{45};

std::unique_ptr<Estimator> dram_table(const std::string& name, int accuracy, double energy,
                                      const std::string& technology = {},
                                      const std::string& type = "A") {
  const std::string text =
      "name: " + name + "\nkind: dram_per_bit\naccuracy: " + std::to_string(accuracy) + technology +
      "\ntypes: {" + type + ": {energy: " + std::to_string(energy) + " pJ/bit, source: s}}\n";
  return make_dram_per_bit(parse_yaml(text, name + ".yaml"));
}

PriceList priced(const Tables& tables, const std::string& type = "A") {
  return {{{"dram", DramInterface{type}, 1}}, tables, Hertz(1'000'000), kNode};
}

double read_price(const PriceList& prices) {
  return prices.price({.component = 0, .action = Action::kRead, .count = 1}).count();
}

TEST_CASE("The table with the highest accuracy wins wherever it stands", "[energy][prices]") {
  Tables tables;
  tables.push_back(dram_table("rough", 50, 5.0));
  tables.push_back(dram_table("exact", 90, 9.0));
  tables.push_back(dram_table("middle", 70, 7.0));
  CHECK(read_price(priced(tables)) == 9.0);
  CHECK(priced(tables).actions()[0].table == "exact");
}

TEST_CASE("Of tables with equal accuracy the first one named wins", "[energy][prices]") {
  Tables tables;
  tables.push_back(dram_table("first", 80, 5.0));
  tables.push_back(dram_table("second", 80, 6.0));
  CHECK(read_price(priced(tables)) == 5.0);
}

TEST_CASE("A table that does not cover the hardware leaves it to the next", "[energy][prices]") {
  Tables tables;
  tables.push_back(dram_table("without", 90, 5.0, {}, "A"));
  tables.push_back(dram_table("with", 50, 6.0, {}, "B"));
  CHECK(read_price(priced(tables, "A")) == 5.0);
  CHECK(read_price(priced(tables, "B")) == 6.0);
}

TEST_CASE("A component or action that no table has is named with the tables", "[energy][prices]") {
  Tables tables;
  tables.push_back(dram_table("one", 80, 5.0));
  tables.push_back(dram_table("two", 90, 6.0));
  CHECK_THROWS_WITH(PriceList({{"buffer", SramBank{Bytes(1024), Bits(32), 1}, 4}}, tables,
                              Hertz(1'000'000), kNode),
                    "no energy table has the action 'read' of the component 'buffer' (SRAM bank of "
                    "1 KiB, word 32 bit, 1 port(s)); tables: two, one");
  CHECK_THROWS_WITH(priced(tables, "B"), Contains("the action 'read' of the component 'dram'") &&
                                             Contains("the table 'two' has no DRAM type 'B'"));
}

TEST_CASE("A table of another node is refused and one without a node is not", "[energy][prices]") {
  Tables other;
  other.push_back(dram_table("old", 80, 5.0, "\ntechnology: 65nm"));
  CHECK_THROWS_WITH(priced(other), Contains("holds figures of 65nm, the machine is 45nm"));
  Tables same;
  same.push_back(dram_table("new", 80, 5.0, "\ntechnology: 45nm"));
  CHECK_NOTHROW(priced(same));
}

TEST_CASE("Leakage and area are those of all instances", "[energy][prices]") {
  Tables tables;
  const auto cacti = std::string(VERNIER_SOURCE_DIR) + "/configs/energy/cacti_45nm.yaml";
  tables.push_back(load_estimator(cacti, builtin_estimators()));
  const PriceList prices({{"buffer", SramBank{Bytes(4096), Bits(32), 1}, 4}}, tables,
                         Hertz(200'000'000), kNode);
  // 4 banks * 7.536415 mW * 5 ns, 4 * 0.0300607 mm2
  CHECK(prices.price({.component = 0, .action = Action::kLeak, .count = 1}).count() ==
        Approx(150.7283));
  CHECK(prices.total_area().count() == Approx(120242.8));
  CHECK(prices.price({.component = 0, .action = Action::kRead, .count = 1}).count() ==
        Approx(3.4295));
}

TEST_CASE("Asking for an action that the machine lacks is a bug", "[energy][prices]") {
  Tables tables;
  tables.push_back(dram_table("one", 80, 5.0));
  const PriceList prices = priced(tables);
  CHECK_THROWS_AS(prices.price({.component = 0, .action = Action::kAdd, .count = 1}),
                  InternalError);
}

TEST_CASE("Energy by component, action and tensor sums to the same total", "[energy][prices]") {
  Tables tables;
  tables.push_back(dram_table("one", 80, 5.0));
  const PriceList prices({{"near", DramInterface{"A"}, 1}, {"far", DramInterface{"A"}, 1}}, tables,
                         Hertz(1'000'000), kNode);
  Activity activity;
  activity.add({0, Action::kRead, TensorRole::kInput, 0, 0, 10});
  activity.add({0, Action::kWrite, TensorRole::kOutput, 0, 0, 4});
  activity.add({1, Action::kRead, TensorRole::kWeight, 0, 0, 6});
  const EnergyBreakdown energy(activity, prices);
  CHECK(energy.total().count() == Approx(100.0));  // (10 + 4 + 6) * 5
  CHECK(energy.of_component(0).count() == Approx(70.0));
  CHECK(energy.of_component(1).count() == Approx(30.0));
  CHECK(energy.of_action(Action::kRead).count() == Approx(80.0));
  CHECK(energy.of_action(Action::kWrite).count() == Approx(20.0));
  CHECK(energy.of_role(TensorRole::kInput).count() == Approx(50.0));
  CHECK(energy.of_role(TensorRole::kNone).count() == 0.0);
}

}  // namespace
}  // namespace vernier::energy
