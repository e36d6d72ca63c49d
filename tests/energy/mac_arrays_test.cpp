// Energy per MAC of the measured 28 nm arrays against the figures of their authors.
#include <cmath>
#include <map>
#include <memory>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "energy/estimator.hpp"
#include "tests/support/shared_data.hpp"

namespace vernier::energy {
namespace {

using Catch::Contains;

constexpr double kRounding = 0.05 + 1e-9;  // fJ; the reference prints one digit
const Hertz kSlow(200'000'000);

std::unique_ptr<Estimator> psma() {
  return load_estimator(std::string(VERNIER_SOURCE_DIR) + "/configs/energy/psma_28nm.yaml",
                        builtin_estimators());
}

MacUnitMode mode_of(int activation, int weight) {
  arch::MacSpec spec;
  spec.style = "sum_together";
  spec.weight_bits = spec.activation_bits = {2, 4, 8, 16};
  const auto family = arch::builtin_mac_families().find("sum_together")(spec);
  return {Bitwidth(weight), Bitwidth(activation),
          family->mode(Bitwidth(weight), Bitwidth(activation))};
}

Estimate of_design(const Estimator& table, const std::string& design, int activation, int weight,
                   Hertz clock = kSlow, double accumulator_bits = 20.0) {
  const MacUnitMode mode = mode_of(activation, weight);
  const auto estimate = table.entry_energy({design, {{"accumulator_bits", accumulator_bits}}},
                                           {"mac", {}, &mode, clock}, PrimitivePricer({}));
  REQUIRE(estimate.has_value());
  return *estimate;
}

double femtojoules(const Estimate& estimate) { return estimate.energy.count() * 1e3; }

TEST_CASE("Energy per MAC of the named arrays is the published one in every mode",
          "[energy][psma]") {
  const auto table = psma();
  struct Row {
    const char* design;
    double fj[5];  // 8x8, 8x4, 8x2, 4x4, 2x2; 0: the design has no such mode
  };
  const Row rows[] = {{"BITFUSION", {1157.2, 549.0, 272.2, 266.1, 65.3}},
                      {"BITBLADE", {872.8, 430.5, 210.2, 211.5, 51.6}},
                      {"LOOM", {992.0, 558.6, 331.5, 297.8, 89.5}},
                      {"BG_L2_L4_00_L3_11_L2_11_DVAFS_1", {702.8, 0, 0, 198.8, 63.7}}};
  const int modes[5][2] = {{8, 8}, {8, 4}, {8, 2}, {4, 4}, {2, 2}};
  for (const Row& row : rows) {
    for (int at = 0; at < 5; ++at) {
      INFO(row.design << " " << modes[at][0] << "x" << modes[at][1]);
      if (row.fj[at] == 0) {
        CHECK_THROWS_AS(of_design(*table, row.design, modes[at][0], modes[at][1]), NotCovered);
        continue;
      }
      const double found = femtojoules(of_design(*table, row.design, modes[at][0], modes[at][1]));
      CHECK(std::abs(found - row.fj[at]) <= kRounding);
    }
  }
}

TEST_CASE("All measured designs, clocks and modes come out as their authors print them",
          "[energy][psma]") {
  const auto path = tests::shared_file("data/psma_28nm.csv");
  if (!path) return;
  const auto table = psma();
  const auto rows = tests::read_csv(*path);
  CHECK(rows.size() == 648);
  std::map<std::string, int> designs;
  double worst = 0.0;
  for (const auto& row : rows) {
    const std::string& mode = row.at("mode_a_x_w");
    const Hertz clock(row.at("clock_ns") == "5.00" ? 200'000'000 : 1'000'000'000);
    const Estimate found = of_design(*table, row.at("design"), mode[0] - '0', mode[2] - '0', clock);
    worst = std::max(worst, std::abs(femtojoules(found) - std::stod(row.at("fj_per_mac"))));
    const auto area = table->entry_area({row.at("design"), {}}, clock, PrimitivePricer({}));
    CHECK(area->area.count() * 256 == Approx(std::stod(row.at("area_um2"))));
    ++designs[row.at("design")];
  }
  CHECK(designs.size() == 72);
  CHECK(worst <= kRounding);
}

TEST_CASE("The accumulator is priced apart and scales with its width", "[energy][psma]") {
  const auto table = psma();
  const Estimate narrow = of_design(*table, "BITFUSION", 8, 8);
  REQUIRE(narrow.terms.size() == 2);
  // 2.57886 mW * 5 ns / 256, and the rest of 59.24835 mW
  CHECK(narrow.terms[1].energy.count() == Approx(2.57886 * 5 / 256).epsilon(1e-12));
  CHECK(narrow.terms[0].energy.count() == Approx((59.24835 - 2.57886) * 5 / 256).epsilon(1e-12));
  const Estimate wide = of_design(*table, "BITFUSION", 8, 8, kSlow, 32.0);
  CHECK(wide.terms[1].energy.count() == Approx(2.57886 * 5 / 256 * 1.6).epsilon(1e-12));
  CHECK(wide.terms[0].energy.count() == narrow.terms[0].energy.count());
}

TEST_CASE("A mode that was not measured lies between two that were", "[energy][psma]") {
  const auto table = psma();
  // Operands exchanged: the same price.
  CHECK(femtojoules(of_design(*table, "BITBLADE", 4, 8)) ==
        Approx(femtojoules(of_design(*table, "BITBLADE", 8, 4))));
  // 4x2: 8 products per unit, half way from 4 (8x2 is met first, 4x4 has as many) to 16 in log2.
  const Estimate mixed = of_design(*table, "BITFUSION", 4, 2);
  const double power = (55.74409 + 53.5097) / 2;
  CHECK(femtojoules(mixed) == Approx(power * 5 / 2048 * 1e3).epsilon(1e-9));
  // 16x16: four cycles of the widest mode per product.
  CHECK(femtojoules(of_design(*table, "BITFUSION", 16, 16)) ==
        Approx(4 * 59.24835 * 5 / 256 * 1e3).epsilon(1e-9));
}

TEST_CASE("A subword design prices an asymmetric mode as that of the wider operand",
          "[energy][psma]") {
  const auto table = psma();
  arch::MacSpec spec;
  spec.style = "subword_apart";
  spec.weight_bits = spec.activation_bits = {2, 4, 8};
  const auto family = arch::builtin_mac_families().find("subword_apart")(spec);
  const auto price = [&](int weight, int activation) {
    const MacUnitMode mode{Bitwidth(weight), Bitwidth(activation),
                           family->mode(Bitwidth(weight), Bitwidth(activation))};
    return table
        ->entry_energy({"BG_L2_L4_00_L3_11_L2_11_DVAFS_1", {}}, {"mac", {}, &mode, kSlow},
                       PrimitivePricer({}))
        ->energy.count();
  };
  CHECK(price(2, 8) == price(8, 8));
  CHECK(price(4, 2) == price(4, 4));
  CHECK(std::abs(price(4, 4) * 1e3 - 198.8) <= kRounding);
}

TEST_CASE("A design stands only for units that do as many products per cycle", "[energy][psma]") {
  const auto table = psma();
  arch::MacSpec spec;
  spec.style = "bit_serial";
  spec.serial = arch::SerialOperand::kBoth;
  MacUnit unit;
  unit.style = spec.style;
  unit.accumulator_bits = 20;
  const auto ask = [&] {
    const auto family = arch::builtin_mac_families().find("bit_serial")(spec);
    const MacUnitMode mode{Bitwidth(8), Bitwidth(8), family->mode(Bitwidth(8), Bitwidth(8))};
    return table->energy(unit, {Action::kMac, &mode, kSlow});
  };
  CHECK_THROWS_WITH(ask(), Contains("'LOOM'") && Contains("does 1 products per cycle"));
  spec.lanes = 64;  // 64 lanes in 8 * 8 cycles
  CHECK(std::abs(femtojoules(*ask()) - 992.0) <= kRounding);
}

TEST_CASE("A family without a map is priced by the design that stands for it", "[energy][psma]") {
  const auto table = psma();
  MacUnit unit;
  unit.style = "sum_together";
  unit.accumulator_bits = 20;
  const MacUnitMode mode = mode_of(8, 8);
  const auto mac = table->energy(unit, {Action::kMac, &mode, kSlow});
  REQUIRE(mac.has_value());
  CHECK(std::abs(femtojoules(*mac) - 1157.2) <= kRounding);
  // 300 MHz needs the design for 1 GHz; nothing was measured above that.
  CHECK(table->energy(unit, {Action::kMac, &mode, Hertz(300'000'000)})->energy.count() ==
        Approx(of_design(*table, "BITFUSION", 8, 8, Hertz(1'000'000'000)).energy.count()));
  CHECK_THROWS_WITH(table->energy(unit, {Action::kMac, &mode, Hertz(1'100'000'000)}),
                    Contains("was measured up to 1 GHz"));
  unit.style = "fixed";
  CHECK_FALSE(table->energy(unit, {Action::kMac, &mode, kSlow}).has_value());
}

TEST_CASE("Synthesis rows give Bit Fusion's energies relative to a fixed 8-bit MAC",
          "[energy][bitfusion]") {
  const auto table =
      load_estimator(std::string(VERNIER_SOURCE_DIR) + "/configs/energy/bitfusion_45nm.yaml",
                     builtin_estimators());
  MacUnit fixed;
  fixed.style = "fixed";
  MacUnit fused;
  fused.style = "sum_together";
  const MacUnitMode base{Bitwidth(8), Bitwidth(8), {}};
  const Hertz clock(500'000'000);
  const double reference = table->energy(fixed, {Action::kMac, &base, clock})->energy.count();
  const double density = table->area(fixed, clock)->area.count();
  struct Row {
    int activation, weight;
    double throughput, energy, per_area;
  };
  for (const Row& row :
       {Row{8, 8, 1, 1.881, 0.397}, Row{8, 4, 2, 0.94, 0.793}, Row{8, 2, 4, 0.47, 1.587},
        Row{4, 4, 4, 0.47, 1.587}, Row{2, 2, 16, 0.118, 6.348}}) {
    const MacUnitMode mode = mode_of(row.activation, row.weight);
    INFO(row.activation << "x" << row.weight);
    const double energy = table->energy(fused, {Action::kMac, &mode, clock})->energy.count();
    CHECK(arch::macs_per_cycle(mode.mode) == row.throughput);
    CHECK(std::abs(energy / reference - row.energy) <= 0.0005 + 1e-9);
    const double per_area = row.throughput * density / table->area(fused, clock)->area.count();
    CHECK(std::abs(per_area - row.per_area) <= 0.0005 + 1e-9);
  }
}

}  // namespace
}  // namespace vernier::energy
