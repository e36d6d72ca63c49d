// Prices of the shipped tables, recomputed by hand from the figures in configs/energy.
#include "energy/estimator.hpp"

#include <memory>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

namespace vernier::energy {
namespace {

using Catch::Contains;

constexpr std::int64_t kMega = 1'000'000;

std::unique_ptr<Estimator> table(const std::string& name) {
  return load_estimator(std::string(VERNIER_SOURCE_DIR) + "/configs/energy/" + name + ".yaml",
                        builtin_estimators());
}

MacUnitMode mode_of(const std::string& style, int weight, int activation) {
  arch::MacSpec spec;
  spec.style = style;
  spec.weight_bits = spec.activation_bits = {2, 4, 8, 16};
  const auto family = arch::builtin_mac_families().find(style)(spec);
  return {Bitwidth(weight), Bitwidth(activation),
          family->mode(Bitwidth(weight), Bitwidth(activation))};
}

MacUnit unit_of(const std::string& style, int widest) {
  MacUnit unit;
  unit.style = style;
  unit.widest_weight = unit.widest_activation = Bitwidth(widest);
  return unit;
}

double mac_price(const Estimator& prices, const std::string& style, int weight, int activation,
                 std::int64_t megahertz, Action action = Action::kMac) {
  const MacUnitMode mode = mode_of(style, weight, activation);
  const auto estimate = prices.energy(unit_of(style, 8), {action, &mode, Hertz(megahertz * kMega)});
  REQUIRE(estimate.has_value());
  return estimate->energy.count();
}

double price(const Estimator& prices, const Hardware& hardware, Action action,
             std::int64_t megahertz = 200) {
  const auto estimate = prices.energy(hardware, {action, nullptr, Hertz(megahertz * kMega)});
  REQUIRE(estimate.has_value());
  return estimate->energy.count();
}

TEST_CASE("A MAC of the operator table is a multiplier and an adder", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  // 5 ns: 8.63 pJ * (8 * 8) / (32 * 32) + 0.0857 pJ * 32 / 32
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 200) == Approx(0.625075).epsilon(1e-12));
  // 8.63 * (4 * 8) / 1024 + 0.0857
  CHECK(mac_price(*aladdin, "fixed", 4, 8, 200) == Approx(0.3553875).epsilon(1e-12));
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 200, Action::kMacIdle) == 0.0);
  CHECK(price(*aladdin, unit_of("fixed", 8), Action::kZeroPointAdd) == Approx(0.0857));
}

TEST_CASE("The clock period chooses the row, rounded up", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  // 2 ns: 9.55 / 16 + 0.0858
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 500) == Approx(0.682675).epsilon(1e-12));
  // 499 MHz are 2.004 ns, hence the row of 3 ns: 8.8 / 16 + 0.0859
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 499) == Approx(0.6359).epsilon(1e-12));
  // 150 MHz are 6.67 ns, hence 10 ns: 8.8 / 16 + 0.0853; 10 MHz too, the last row
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 150) == Approx(0.6353).epsilon(1e-12));
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 10) == Approx(0.6353).epsilon(1e-12));
  // 2 GHz are 0.5 ns: 18.94 / 16 + 0.142. From 0.75 ns on it is the row of 1 ns.
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 2000) == Approx(1.32575).epsilon(1e-12));
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 1334) == Approx(1.32575).epsilon(1e-12));
  CHECK(mac_price(*aladdin, "fixed", 8, 8, 1333) == Approx(1.0025).epsilon(1e-12));  // 12.68/16+.21
}

TEST_CASE("Idle energy is a power: it grows with the period", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  // 5 ns: multiplier 0.24 / 16, adder 0.0119, register 32 * 0.00037
  CHECK(price(*aladdin, unit_of("fixed", 8), Action::kLeak, 200) ==
        Approx(0.015 + 0.0119 + 0.01184).epsilon(1e-12));
  // 20 ns in the rows of 10 ns: twice (0.48 / 16 + 0.0238 + 32 * 0.00074)
  CHECK(price(*aladdin, unit_of("fixed", 8), Action::kLeak, 50) ==
        Approx(2 * (0.03 + 0.0238 + 0.02368)).epsilon(1e-12));
}

TEST_CASE("Vector and requantization actions are those of their operators", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  CHECK(price(*aladdin, VectorLane{}, Action::kAdd) == Approx(0.0857));
  CHECK(price(*aladdin, VectorLane{}, Action::kMax) == Approx(0.029015));
  CHECK(price(*aladdin, VectorLane{}, Action::kMultiply) == Approx(2.1575));  // 8.63 / 4
  CHECK(price(*aladdin, VectorLane{}, Action::kCopy) == Approx(0.288));       // 32 * 0.009
  // 32-bit bias add, 32 x 16 bit scale 8.63 / 2, 32-bit shift
  CHECK(price(*aladdin, Requantizer{}, Action::kRequantize) ==
        Approx(0.0857 + 4.315 + 0.41652).epsilon(1e-12));
}

TEST_CASE("A table has no figure for hardware of another kind", "[energy]") {
  const auto aladdin = table("aladdin_45nm");
  const auto cacti = table("cacti_45nm");
  const SramBank bank{Bytes(4096), Bits(32), 1};
  CHECK_FALSE(aladdin->energy(bank, {Action::kRead, nullptr, Hertz(1)}).has_value());
  CHECK_FALSE(cacti->energy(Requantizer{}, {Action::kRequantize, nullptr, Hertz(1)}).has_value());
  CHECK_FALSE(cacti->energy(bank, {Action::kAdd, nullptr, Hertz(1)}).has_value());
  CHECK_FALSE(cacti->area(Requantizer{}, Hertz(1)).has_value());
}

TEST_CASE("An SRAM bank at a point has the point's figures", "[energy][cacti]") {
  const auto cacti = table("cacti_45nm");
  const SramBank bank{Bytes(4096), Bits(32), 1};
  CHECK(price(*cacti, bank, Action::kRead) == Approx(3.4295));
  CHECK(price(*cacti, bank, Action::kWrite) == Approx(4.3101));
  // (7.30186 + 0.234555) mW * 5 ns
  CHECK(price(*cacti, bank, Action::kLeak) == Approx(37.682075).epsilon(1e-12));
  CHECK(cacti->area(bank, Hertz(1))->area.count() == Approx(30060.7));
  CHECK(price(*cacti, SramBank{Bytes(4096), Bits(32), 2}, Action::kRead) == Approx(3.9832));
}

TEST_CASE("Between two points an SRAM bank lies on the line", "[energy][cacti]") {
  const auto cacti = table("cacti_45nm");
  // 6 KiB is half way from 4 to 8 KiB, 5 KiB a quarter.
  CHECK(price(*cacti, SramBank{Bytes(6144), Bits(32), 1}, Action::kRead) ==
        Approx((3.4295 + 6.3916) / 2));
  CHECK(price(*cacti, SramBank{Bytes(5120), Bits(32), 1}, Action::kWrite) ==
        Approx(4.3101 * 0.75 + 5.5627 * 0.25));
}

TEST_CASE("Other words than 32 bit cost 0.3 + 0.7 times their share", "[energy][cacti]") {
  const auto cacti = table("cacti_45nm");
  CHECK(price(*cacti, SramBank{Bytes(4096), Bits(8), 1}, Action::kRead) ==
        Approx(3.4295 * 0.475));  // 0.3 + 0.7 / 4
  CHECK(price(*cacti, SramBank{Bytes(4096), Bits(64), 1}, Action::kRead) ==
        Approx(3.4295 * 1.7));  // 0.3 + 0.7 * 2
}

TEST_CASE("The range of SRAM points includes its ends and nothing beyond", "[energy][cacti]") {
  const auto cacti = table("cacti_45nm");
  CHECK(price(*cacti, SramBank{Bytes(128), Bits(32), 1}, Action::kRead) == Approx(0.6837));
  CHECK(price(*cacti, SramBank{Bytes(16384), Bits(32), 1}, Action::kRead) == Approx(9.9817));
  const ActionQuery read{Action::kRead, nullptr, Hertz(1)};
  CHECK_THROWS_WITH(
      cacti->energy(SramBank{Bytes(127), Bits(32), 1}, read),
      Contains("a bank of 127 B is outside the range") && Contains("128 B to 16 KiB"));
  CHECK_THROWS_AS(cacti->energy(SramBank{Bytes(16385), Bits(32), 1}, read), NotCovered);
  CHECK_THROWS_WITH(cacti->energy(SramBank{Bytes(127), Bits(32), 2}, read),
                    Contains("512 B to 4 KiB"));
  CHECK_THROWS_WITH(cacti->energy(SramBank{Bytes(4096), Bits(32), 3}, read),
                    Contains("no SRAM points with 3 port(s)"));
}

TEST_CASE("A fusion unit shares the energy of a cycle among its products", "[energy][bitfusion]") {
  const auto synthesis = table("bitfusion_45nm");
  // 0.27996 mW / 500 MHz = 0.55992 pJ, over 1, 4 and 16 products; 16 x 16 takes 4 cycles.
  CHECK(mac_price(*synthesis, "sum_together", 8, 8, 500) == Approx(0.55992).epsilon(1e-12));
  CHECK(mac_price(*synthesis, "sum_together", 4, 4, 500) == Approx(0.13998).epsilon(1e-12));
  CHECK(mac_price(*synthesis, "sum_together", 2, 2, 500) == Approx(0.034995).epsilon(1e-12));
  CHECK(mac_price(*synthesis, "sum_together", 16, 16, 500) == Approx(2.23968).epsilon(1e-12));
  // Padding in a mapped slot costs the same, and the clock of the machine does not matter.
  CHECK(mac_price(*synthesis, "sum_together", 2, 2, 200, Action::kMacIdle) ==
        Approx(0.034995).epsilon(1e-12));
  // Leakage does: 0.064314 mW * 5 ns
  CHECK(price(*synthesis, unit_of("sum_together", 8), Action::kLeak, 200) == Approx(0.32157));
}

TEST_CASE("A fixed unit is the synthesised one of its width, or none", "[energy][bitfusion]") {
  const auto synthesis = table("bitfusion_45nm");
  CHECK(mac_price(*synthesis, "fixed", 8, 8, 500) == Approx(0.29769));  // 0.148845 mW * 2 ns
  CHECK(synthesis->area(unit_of("fixed", 8), Hertz(1))->area.count() == Approx(687.6072));
  CHECK_FALSE(synthesis->area(unit_of("fixed", 12), Hertz(1)).has_value());
}

TEST_CASE("DRAM costs its type's energy per bit for reading and writing", "[energy][dram]") {
  const auto dram = table("dram_interface");
  CHECK(price(*dram, DramInterface{"LPDDR4"}, Action::kRead) == 8.0);
  CHECK(price(*dram, DramInterface{"LPDDR4"}, Action::kWrite) == 8.0);
  CHECK(price(*dram, DramInterface{"HBM2"}, Action::kRead) == 3.9);
  CHECK_FALSE(dram->technology().has_value());
  CHECK_THROWS_WITH(dram->energy(DramInterface{"DDR4"}, {Action::kRead, nullptr, Hertz(1)}),
                    Contains("no DRAM type 'DDR4'") && Contains("did you mean 'DDR3'?"));
}

TEST_CASE("A table file is read strictly", "[energy]") {
  const EstimatorRegistry kinds = builtin_estimators();
  const auto dram_of = [&](const std::string& text) {
    return kinds.find("dram_per_bit")(parse_yaml(text, "t.yaml"));
  };
  CHECK_NOTHROW(
      dram_of("name: t\nkind: dram_per_bit\naccuracy: 100\n"
              "types: {A: {energy: 1 pJ/bit, source: s}}\n"));
  CHECK_THROWS_WITH(dram_of("name: t\nkind: dram_per_bit\naccuracy: 101\n"
                            "types: {A: {energy: 1 pJ, sourc: s}}\n"),
                    Contains("t.yaml:3: accuracy: found 101; allowed is 0 to 100") &&
                        Contains("t.yaml:4: types.A.energy: '1 pJ' has the unit 'pJ'") &&
                        Contains("t.yaml:4: types.A.source: the key is missing") &&
                        Contains("types.A.sourc: unknown key; did you mean 'source'?"));
  CHECK_THROWS_WITH(
      load_estimator(std::string(VERNIER_SOURCE_DIR) + "/configs/models/resnet20.yaml", kinds),
      Contains("kind: the key is missing; allowed are dram_currents, dram_per_bit"));
}

TEST_CASE("An operator without rows, or with a latency of nothing, is refused", "[energy]") {
  const auto rows_of = [](const std::string& row) {
    std::string text = "name: t\nkind: operator_rows\naccuracy: 50\noperators:\n";
    for (const char* name : {"adder", "multiplier", "shifter", "comparator", "register"}) {
      text += std::string("  ") + name + ": {reference_width: 32 bit, scaling: linear, rows: [" +
              row + "]}\n";
    }
    return builtin_estimators().find("operator_rows")(parse_yaml(text, "t.yaml"));
  };
  CHECK_NOTHROW(rows_of("{latency: 1 ns, dynamic: 1 pJ, idle: 1 pJ, area: 1 um2, source: s}"));
  CHECK_THROWS_WITH(rows_of(""), Contains("operators.adder.rows: the list is empty"));
  CHECK_THROWS_WITH(rows_of("{latency: 0 ns, dynamic: 1 pJ, idle: 1 pJ, area: 1 um2, source: s}"),
                    Contains("t.yaml:5: operators.adder.rows[0].latency: must be more than 0"));
}

}  // namespace
}  // namespace vernier::energy
