// Primitive component classes: the rules of Accelergy's plug-ins, and the single points of
// Horowitz.
#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

using Catch::Contains;

const Hertz kFiveNs(200'000'000);

std::unique_ptr<Estimator> table(const std::string& name) {
  return load_estimator(std::string(VERNIER_SOURCE_DIR) + "/configs/energy/" + name + ".yaml",
                        builtin_estimators());
}

double price(const Estimator& prices, const std::string& name, const Attributes& attributes,
             const std::string& action, const Arguments& arguments = {}) {
  const auto found = prices.primitive_energy({name, attributes}, {action, arguments}, kFiveNs);
  REQUIRE(found.has_value());
  double sum = 0.0;
  for (const PriceTerm& term : found->terms) sum += term.energy.count();
  CHECK(sum == found->energy.count());
  return found->energy.count();
}

TEST_CASE("A single precision MAC costs 32.328 pJ and idles at 0.860 pJ", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  CHECK(price(*aladdin, "fpmac", {{"width", 32.0}}, "mac_random") == Approx(32.328).epsilon(1e-12));
  // 0.6324 + 0.228; the published table prints three digits
  CHECK(price(*aladdin, "fpmac", {{"width", 32.0}}, "idle") == Approx(0.8604).epsilon(1e-12));
  // Above 32 bit the double precision rows: 92.938 + 23.269
  CHECK(price(*aladdin, "fpmac", {{"width", 64.0}}, "compute") == Approx(116.207));
}

TEST_CASE("Integer units at 5 ns are those of the plug-in at every width", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  struct Row {
    double bits, adder, multiplier, mac, idle;
  };
  // Printed to five digits behind the point.
  for (const Row& row :
       {Row{2, 0.00536, 0.03371, 0.03907, 0.00168}, Row{4, 0.01071, 0.13484, 0.14556, 0.00524},
        Row{8, 0.02142, 0.53938, 0.5608, 0.01797}, Row{16, 0.04285, 2.1575, 2.20035, 0.06595},
        Row{32, 0.0857, 8.63, 8.7157, 0.2519}}) {
    const Attributes width{{"width", row.bits}};
    INFO(row.bits);
    CHECK(price(*aladdin, "intadder", width, "add") == Approx(row.adder).margin(5.1e-6));
    CHECK(price(*aladdin, "intmultiplier", width, "mult_random") ==
          Approx(row.multiplier).margin(5.1e-6));
    CHECK(price(*aladdin, "intmac", width, "compute") == Approx(row.mac).margin(5.1e-6));
    CHECK(price(*aladdin, "intmac", width, "idle") == Approx(row.idle).margin(5.1e-6));
  }
}

TEST_CASE("A reused operand saves 15 percent and a gated unit only idles", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  const Attributes width{{"width", 32.0}};
  CHECK(price(*aladdin, "intmultiplier", width, "mult_reused") == Approx(0.85 * 8.63));
  CHECK(price(*aladdin, "intmultiplier", width, "mult_gated") == Approx(0.24));
}

TEST_CASE("Storage, crossbar, wire and multicast follow their rules", "[energy][aladdin]") {
  const auto aladdin = table("aladdin_45nm");
  // 16 bit * 0.009 + 12 comparators of 4 bit: 12 * 0.029015 * 4 / 32
  const Attributes spad{{"width", 16.0}, {"depth", 12.0}};
  CHECK(price(*aladdin, "regfile", spad, "read") == Approx(0.144 + 0.0435225));
  CHECK(price(*aladdin, "regfile", spad, "read", {{"address_delta", 0}}) == Approx(0.144));
  CHECK(price(*aladdin, "regfile", spad, "read", {{"address_delta", 0}, {"data_delta", 0}}) == 0.0);
  // FIFO: 16 * 0.009 + one comparator of 4 bit
  CHECK(price(*aladdin, "FIFO", spad, "access") == Approx(0.144 + 0.029015 / 8));
  CHECK(price(*aladdin, "crossbar", {{"n_inputs", 8.0}, {"n_outputs", 8.0}, {"width", 16.0}},
              "transfer") == Approx(0.68215 * 16 * 0.5));
  CHECK(price(*aladdin, "bitwise", {{"width", 8.0}}, "process") == Approx(0.018 * 8));
  // 32 bit * 0.2 * 1.627 fF/um * 1000 um * 1 V^2
  CHECK(price(*aladdin, "wire", {{"width", 32.0}, {"length_um", 1000.0}}, "transfer") ==
        Approx(32 * 0.2 * 1.627));
  // A bus along 14 places of 50 um is a wire of 700 um.
  CHECK(price(*aladdin, "multicast", {{"width", 16.0}, {"receivers", 14.0}, {"pitch_um", 50.0}},
              "transfer") ==
        Approx(price(*aladdin, "wire", {{"width", 16.0}, {"length_um", 700.0}}, "transfer")));
  CHECK_THROWS_WITH(aladdin->primitive_energy({"SRAM", {{"width", 16.0}, {"depth", 129.0}}},
                                              {"read", {}}, kFiveNs),
                    Contains("at most 128 words of 32 bit"));
  CHECK_THROWS_WITH(aladdin->primitive_energy({"wire", {}}, {"transfer", {}}, kFiveNs),
                    Contains("the component class 'wire' () lacks the attribute 'length_um'"));
  CHECK_FALSE(aladdin->primitive_energy({"laser", {}}, {"read", {}}, kFiveNs).has_value());
}

TEST_CASE("A banked SRAM pays one bank per access and leaks in all", "[energy][cacti]") {
  const auto cacti = table("cacti_45nm");
  // 16 KiB in 4 banks of 4 KiB
  const Attributes memory{{"width", 32.0}, {"depth", 4096.0}, {"n_banks", 4.0}};
  const double idle = 4 * (7.30186 + 0.234555) * 5;
  CHECK(price(*cacti, "SRAM", memory, "read") == Approx(3.4295));
  CHECK(price(*cacti, "SRAM", memory, "leak") == Approx(idle));
  CHECK(price(*cacti, "SRAM", memory, "read", {{"address_delta", 4}, {"data_delta", 1}}) ==
        Approx(3.4295));
  CHECK(price(*cacti, "SRAM", memory, "read", {{"address_delta", 1}, {"data_delta", 0}}) ==
        Approx(idle + (3.4295 - idle) * 0.3 / 4));
  CHECK(price(*cacti, "SRAM", memory, "read", {{"address_delta", 0}, {"data_delta", 0}}) ==
        Approx(idle));
  CHECK(cacti->primitive_area({"SRAM", memory}, kFiveNs)->area.count() == Approx(4 * 30060.7));
}

TEST_CASE("Where the points of two ports end, one port and their ratio go on", "[energy][cacti]") {
  const auto cacti = table("cacti_45nm");
  const ActionQuery read{Action::kRead, nullptr, kFiveNs};
  // 8 KiB: 6.3916 pJ with one port, and 4 KiB has both: 3.9832 / 3.4295
  CHECK(cacti->energy(SramBank{Bytes(8192), Bits(32), 2}, read)->energy.count() ==
        Approx(6.3916 * 3.9832 / 3.4295));
  // Inside the range of the points with two ports nothing changes.
  CHECK(cacti->energy(SramBank{Bytes(512), Bits(32), 2}, read)->energy.count() == Approx(1.061));
}

TEST_CASE("Horowitz's figures and their ratios are exact", "[energy][horowitz]") {
  const auto horowitz = table("horowitz_45nm");
  const auto add = [&](double bits) {
    return price(*horowitz, "intadder", {{"width", bits}}, "add");
  };
  const auto multiply = [&](double bits) {
    return price(*horowitz, "intmultiplier", {{"width", bits}}, "multiply");
  };
  CHECK(add(8) == 0.03);
  CHECK(add(16) == 0.05);
  CHECK(add(32) == 0.1);
  CHECK(multiply(8) == 0.2);
  CHECK(multiply(32) == 3.1);
  CHECK(multiply(32) / multiply(8) == Approx(15.5).epsilon(1e-12));
  CHECK(add(32) / add(8) == Approx(10.0 / 3.0).epsilon(1e-12));
  CHECK(price(*horowitz, "fpmac", {{"width", 32.0}}, "compute") == Approx(4.6));
  CHECK(price(*horowitz, "fpmac", {{"width", 16.0}}, "compute") == Approx(1.5));
  const ActionQuery read{Action::kRead, nullptr, kFiveNs};
  const double sram = horowitz->energy(SramBank{Bytes(8192), Bits(32), 1}, read)->energy.count();
  const double dram = horowitz->energy(DramInterface{"any"}, read)->energy.count();
  CHECK(dram * 32 / sram == Approx(128.0).epsilon(1e-12));
  // Half way from 8 to 16 bit on the line; the power law of 15.5 over a factor of 4 at 16 bit.
  CHECK(add(12) == Approx(0.04));
  CHECK(multiply(16) == Approx(0.2 * std::sqrt(15.5)));
  CHECK_THROWS_WITH(multiply(4), Contains("8 to 32 bit"));
  CHECK_THROWS_AS(add(33), NotCovered);
  CHECK_THROWS_WITH(horowitz->energy(SramBank{Bytes(4096), Bits(32), 1}, read),
                    Contains("one SRAM only: 8 KiB with words of 32 bit"));
}

TEST_CASE("DRAM energies follow from the supply currents", "[energy][dram]") {
  const auto currents = table("dram_currents");
  struct Row {
    const char* type;
    double read, write;        // pJ per bit
    double activate, refresh;  // nJ per device
    double volts, idd3n, devices;
  };
  for (const Row& row : {Row{"DDR3-1600", 7.805, 7.805, 1.331, 91.67, 1.35, 51, 8},
                         Row{"DDR4-2400", 5.748, 4.998, 0.419, 86.91, 1.2, 43, 8},
                         Row{"DDR4-3200", 5.481, 4.63, 0.529, 83.83, 1.2, 52, 8},
                         Row{"LPDDR3-1600", 5.367, 5.25, 1.408, 32.51, 1.2, 21, 2},
                         Row{"HBM2", 1.57, 2.086, 0.828, 60.84, 1.2, 55, 1}}) {
    INFO(row.type);
    const DramInterface dram{row.type};
    for (const Action action : {Action::kRead, Action::kWrite}) {
      const auto found = currents->energy(dram, {action, nullptr, kFiveNs});
      REQUIRE(found->terms.size() == 2);
      const double stated = action == Action::kRead ? row.read : row.write;
      CHECK(found->terms[0].energy.count() == Approx(stated).margin(0.00051));
    }
    const Attributes type{{"type", std::string(row.type)}};
    CHECK(price(*currents, "DRAM", type, "activate") == Approx(row.activate * 1e3).margin(0.51));
    CHECK(price(*currents, "DRAM", type, "refresh") == Approx(row.refresh * 1e3).margin(5.1));
    const auto standing = currents->energy(dram, {Action::kLeak, nullptr, kFiveNs});
    CHECK(standing->terms[0].energy.count() == Approx(row.volts * row.idd3n * 5 * row.devices));
  }
  CHECK_THROWS_WITH(currents->energy(DramInterface{"DDR4-2500"}, {Action::kRead, nullptr, kFiveNs}),
                    Contains("did you mean 'DDR4-2400'"));
}

}  // namespace
}  // namespace vernier::energy
