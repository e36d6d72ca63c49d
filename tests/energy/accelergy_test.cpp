// Accelergy's files as energy tables, compound components, expressions, counts.
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "energy/accelergy_counts.hpp"
#include "energy/accelergy_tables.hpp"
#include "energy/compound.hpp"
#include "energy/expression.hpp"

namespace vernier::energy {
namespace {

using Catch::Contains;

const Hertz kClock(200'000'000);
const PrimitivePricer kNone({});

std::unique_ptr<Estimator> ert(const std::string& text) {
  return make_accelergy_tables(parse_yaml(text, "folder/my.ERT.yaml"));
}

double energy(const Estimator& table, const std::string& entry, const std::string& action,
              const Arguments& arguments = {}) {
  const auto found = table.entry_energy({entry, {}}, {action, arguments, nullptr, kClock}, kNone);
  REQUIRE(found.has_value());
  return found->energy.count();
}

TEST_CASE("An ERT of version 0.4 names components by path or last element", "[energy][accelergy]") {
  const auto table = ert(R"(
ERT: {version: '0.4', tables: [
  {name: 'chip.glb[1..32]', actions: [{name: read, arguments: {}, energy: 12.5}]},
  {name: 'chip.pe.mac[1..168]', actions: [{name: compute, arguments: {}, energy: 0.25},
     {name: leak, arguments: {global_cycle_seconds: 2.5e-09}, energy: 0.5}]}]}
ART: {version: '0.4', tables: [{name: 'chip.glb[1..32]', area: 15000.0}]}
)");
  CHECK(table->name() == "my.ERT");
  CHECK(energy(*table, "glb", "read") == 12.5);
  CHECK(energy(*table, "chip.glb[1..32]", "read") == 12.5);
  // Leakage of a cycle of 2.5 ns; ours is 5 ns.
  CHECK(energy(*table, "mac", "leak") == Approx(1.0).epsilon(1e-12));
  CHECK(table->entry_area({"glb", {}}, kClock, kNone)->area.count() == 15000.0);
  CHECK_FALSE(table->entry_area({"mac", {}}, kClock, kNone).has_value());
  CHECK_FALSE(table->entry_energy({"glb", {}}, {"write", {}, nullptr, kClock}, kNone).has_value());
  CHECK_THROWS_WITH(table->entry_actions({"glp", {}}), Contains("did you mean 'glb'"));
}

TEST_CASE("Rows with arguments are chosen by their values", "[energy][accelergy]") {
  const auto table = ert(R"(
ERT:
  version: 0.3
  tables:
    - name: system.spad
      actions:
        - {name: read, arguments: {address_delta: 0, data_delta: 0}, energy: 0.061}
        - {name: read, arguments: {address_delta: 0, data_delta: 1}, energy: 0.337}
        - {name: read, arguments: {address_delta: 1, data_delta: 1}, energy: 0.381}
        - {name: idle, energy: 0.024}
)");
  CHECK(energy(*table, "spad", "read", {{"address_delta", 1}, {"data_delta", 1}}) == 0.381);
  CHECK(energy(*table, "spad", "read", {{"address_delta", 0}, {"data_delta", 1}}) == 0.337);
  CHECK(energy(*table, "spad", "idle") == 0.024);
  CHECK_THROWS_WITH(table->entry_energy({"spad", {}}, {"read", {}, nullptr, kClock}, kNone),
                    Contains("has no row with the arguments ()") &&
                        Contains("address_delta = 1, data_delta = 1"));
}

TEST_CASE("Summaries and the map layout are read too", "[energy][accelergy]") {
  const auto newer = ert(R"(
ERT_summary: {version: "0.4", table_summary: [{name: "chip.glb[1..1]",
  actions: [{name: read, energy: 12.5}], primitive_estimations: [{name: mem, estimator: Cacti}]}]}
)");
  CHECK(energy(*newer, "glb", "read") == 12.5);
  const auto older = ert(R"(
ERT_summary: {version: 0.3, table_summary: [{name: chip.glb,
  actions: [{name: read, average_energy: 3.5, max_energy: 4.0, min_energy: 3.0}],
  primitive_estimation: [{name: mem, estimator: Cacti}]}]}
)");
  CHECK(energy(*older, "glb", "read") == 3.5);
  const auto mapped = ert(R"(
ERT: {version: 0.2, tables: {chip.glb: {read: 2.5,
  write: [{arguments: {data_delta: 0}, energy: 0.5}, {arguments: {data_delta: 1}, energy: 1.5}]}}}
)");
  CHECK(energy(*mapped, "glb", "read") == 2.5);
  CHECK(energy(*mapped, "glb", "write", {{"data_delta", 1}}) == 1.5);
}

TEST_CASE("A wrong ERT is refused with file, line and all problems", "[energy][accelergy]") {
  CHECK_THROWS_WITH(ert("ERT: {version: 0.7, tables: []}"),
                    Contains("ERT.version: found '0.7'; allowed are 0.2, 0.3, 0.4"));
  CHECK_THROWS_WITH(
      ert("ERT: {version: 0.4, tables: [{name: a, actions: [{name: r, energy: x}]}]}"),
      Contains("my.ERT.yaml:1: ERT.tables[0].actions[0].energy: found 'x'"));
  CHECK_THROWS_WITH(
      ert("ERT: {version: 0.4, tables: [{name: a, actions: [{name: r, energy: -1}]}]}"),
      Contains("allowed is a number from 0 to 1e15"));
  CHECK_THROWS_WITH(ert("ERT: {version: 0.4, tables: [{name: a, action: []}]}"),
                    Contains("did you mean 'actions'"));
  CHECK_THROWS_WITH(ert("ERT: {version: 0.4, tables: []}"), Contains("names no component"));
}

TEST_CASE("Attributes are numbers, words or arithmetic", "[energy][accelergy]") {
  const Attributes scope{{"width", 64.0}, {"depth", 1000.0}, {"type", std::string("LPDDR4")}};
  CHECK(evaluate_number("ceil(log2(depth))", scope) == 10.0);
  CHECK(evaluate_number("2*width + -3", scope) == 125.0);
  CHECK(evaluate_number("2 ** 3 ** 2", scope) == 512.0);
  CHECK(evaluate_number("-2 ** 2", scope) == -4.0);
  CHECK(evaluate_number("max(width, depth, 5) // 3 % 100", scope) == 33.0);
  CHECK(evaluate_number("(1e3 - 4) / 4", scope) == 249.0);
  CHECK(std::get<std::string>(evaluate_attribute("45nm", scope)) == "45nm");
  CHECK(std::get<std::string>(evaluate_attribute("itrs-hp", scope)) == "itrs-hp");
  CHECK(std::get<std::string>(evaluate_attribute("type", scope)) == "LPDDR4");
  CHECK_THROWS_WITH(evaluate_number("widht*2", scope), Contains("did you mean 'width'"));
  CHECK_THROWS_WITH(evaluate_number("1/0", scope), Contains("a division by 0"));
  CHECK_THROWS_WITH(evaluate_number("type*2", scope), Contains("is no number"));
  CHECK_THROWS_WITH(evaluate_number("system(1)", scope), Contains("there is no function 'system'"));
  CHECK_THROWS_WITH(evaluate_number("2*(3", scope), Contains("a ')' is missing"));
  CHECK_THROWS_WITH(evaluate_number(std::string(5000, '('), scope), Contains("too deeply"));
  CHECK_THROWS_WITH(evaluate_number(std::string(5000, '-') + "1", scope), Contains("too deeply"));
}

const char* const kCompound = R"(
compound_components:
  version: 0.4
  classes:
    - name: lane
      attributes: {width: must_specify}
      subcomponents:
        - {name: mul, class: intmultiplier, attributes: {width: width}}
        - {name: add, class: intadder, attributes: {width: 2*width}, area_scale: 2}
      actions:
        - name: compute
          subcomponents:
            - {name: mul, actions: [{name: mult_random, energy_scale: 0.5}]}
            - {name: add, actions: [{name: add}]}
    - name: unit
      attributes: {width: must_specify, lanes: 2}
      subcomponents:
        - {name: 'lane[0..lanes-1]', class: lane, attributes: {width: width}}
      actions:
        - {name: compute, subcomponents: [{name: 'lane[0..lanes-1]', actions: [{name: compute}]}]}
        - {name: leak, subcomponents: []}
)";

TEST_CASE("A compound component costs what its parts do", "[energy][accelergy]") {
  const auto table = make_compound_classes(parse_yaml(kCompound, "mine.yaml"));
  const auto aladdin = load_estimator(
      std::string(VERNIER_SOURCE_DIR) + "/configs/energy/aladdin_45nm.yaml", builtin_estimators());
  const PrimitivePricer primitives({aladdin.get()});
  const auto price = [&](const char* entry, const Attributes& attributes) {
    return table->entry_energy({entry, attributes}, {"compute", {}, nullptr, kClock}, primitives)
        ->energy.count();
  };
  // 8.63 / 16 * 0.5 + 0.0857 * 16 / 32
  const double lane = 8.63 / 16 * 0.5 + 0.0857 / 2;
  CHECK(price("lane", {{"width", 8.0}}) == Approx(lane).epsilon(1e-12));
  CHECK(price("unit", {{"width", 8.0}}) == Approx(2 * lane).epsilon(1e-12));
  CHECK(price("unit", {{"width", 8.0}, {"lanes", 5.0}}) == Approx(5 * lane).epsilon(1e-12));
  CHECK(table->entry_area({"unit", {{"width", 8.0}}}, kClock, primitives)->area.count() ==
        Approx(2 * (4600.0 / 16 + 2 * 179.0 / 2)));
  CHECK(table->entry_energy({"unit", {{"width", 8.0}}}, {"leak", {}, nullptr, kClock}, primitives)
            ->energy.count() == 0.0);
  CHECK_THROWS_WITH(price("unit", {}), Contains("must be given the attribute 'width'"));
  CHECK_THROWS_WITH(price("unit", {{"width", 8.0}, {"lane", 5.0}}),
                    Contains("did you mean 'lanes'"));
  CHECK_THROWS_WITH(price("unit", {{"width", 8.0}, {"lanes", 1e9}}), Contains("copies"));
}

TEST_CASE("A class that contains itself or an unknown part is refused", "[energy][accelergy]") {
  const auto loop = make_compound_classes(parse_yaml(R"(
compound_components: {version: 0.4, classes: [{name: a, subcomponents: [{name: b, class: a}],
  actions: [{name: read, subcomponents: [{name: b, actions: [{name: read}]}]}]}]})",
                                                     "loop.yaml"));
  CHECK_THROWS_WITH(loop->entry_energy({"a", {}}, {"read", {}, nullptr, kClock}, kNone),
                    Contains("contains itself"));
  CHECK_THROWS_WITH(make_compound_classes(parse_yaml(R"(
compound_components: {version: 0.4, classes: [{name: a, subcomponents: [{name: mem, class: SRAM}],
  actions: [{name: read, subcomponents: [{name: men, actions: [{name: read}]}]}]}]})",
                                                     "typo.yaml")),
                    Contains("there is no sub-component 'men'") && Contains("did you mean 'mem'"));
}

TEST_CASE("Absurd numbers in a composition are refused", "[energy][accelergy]") {
  const auto with_scale = [](const std::string& scale) {
    return make_compound_classes(parse_yaml(
        "compound_components: {version: 0.4, classes: [{name: a, subcomponents: [{name: b, class: "
        "wire, attributes: {width: 8, length_um: 10}}], actions: [{name: read, subcomponents: "
        "[{name: b, actions: [{name: transfer, energy_scale: '" +
            scale + "'}]}]}]}]}",
        "scale.yaml"));
  };
  const auto aladdin = load_estimator(
      std::string(VERNIER_SOURCE_DIR) + "/configs/energy/aladdin_45nm.yaml", builtin_estimators());
  const PrimitivePricer primitives({aladdin.get()});
  const auto price = [&](const std::string& scale) {
    return with_scale(scale)
        ->entry_energy({"a", {}}, {"read", {}, nullptr, kClock}, primitives)
        ->energy.count();
  };
  CHECK(price("2**3") == Approx(8 * 8 * 0.2 * 1.627e-3 * 10));
  CHECK_THROWS_WITH(price("1e300"), Contains("allowed is 0 to 1e12"));
  CHECK_THROWS_WITH(price("-1"), Contains("allowed is 0 to 1e12"));
  CHECK_THROWS_AS(aladdin->primitive_energy({"wire", {{"width", 1e10}, {"length_um", 1.0}}},
                                            {"transfer", {}}, kClock),
                  NotCovered);
}

TEST_CASE("Action counts are read from lists and trees and priced", "[energy][accelergy]") {
  const auto counts = read_action_counts(parse_yaml(R"(
action_counts:
  version: 0.2
  subtree:
    - name: chip
      local:
        - name: glb
          action_counts: [{name: read, arguments: {data_delta: 1}, counts: 4096}]
        - name: PE[3].mac
          action_counts: [{name: compute, counts: 900}]
)",
                                                    "counts.yaml"));
  REQUIRE(counts.size() == 2);
  CHECK(counts[0].component == "chip.glb");
  CHECK(counts[0].count == 4096);
  CHECK(counts[1].component == "chip.PE[3].mac");
  const auto table = ert(R"(
ERT: {version: 0.3, tables: [
  {name: chip.glb, actions: [{name: read, arguments: {data_delta: 1}, energy: 2.0}]},
  {name: 'chip.PE[0..15].mac', actions: [{name: compute, energy: 0.5}]}]}
)");
  CHECK(price_of_counts(counts, *table, kClock).count() == 4096 * 2.0 + 900 * 0.5);
  const auto unknown = read_action_counts(parse_yaml(
      "action_counts: {local: [{name: chip.glb, action_counts: [{name: wait, counts: 1}]}]}", "x"));
  CHECK_THROWS_WITH(price_of_counts(unknown, *table, kClock),
                    Contains("has no action 'wait'; it has read"));
  CHECK_THROWS_WITH(read_action_counts(parse_yaml(
                        "action_counts: {local: [{name: a, action_counts: [{name: r}]}]}", "x")),
                    Contains("counts"));
}

}  // namespace
}  // namespace vernier::energy
