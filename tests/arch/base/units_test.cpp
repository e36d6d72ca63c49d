#include "arch/base/units.hpp"

#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier {
namespace {

using Catch::Contains;

TEST_CASE("Amounts of memory are read in binary and decimal units", "[arch][units]") {
  CHECK(parse_bits("64 KiB") == Bits(524288));  // 64 * 1024 * 8
  CHECK(parse_bits("64KiB") == Bits(524288));
  CHECK(parse_bits("1.5 MiB") == Bits(12582912));  // 1.5 * 2^20 * 8
  CHECK(parse_bits("2 kB") == Bits(16000));        // 2 * 1000 * 8
  CHECK(parse_bits("1 bit") == Bits(1));
  CHECK(parse_bits("0.125 B") == Bits(1));
  CHECK(parse_bits("1.6 GB") == Bits(12800000000));  // 1.6 is no binary fraction
  CHECK(parse_bytes("512 B") == Bytes(512));
  CHECK(parse_bytes("4096 bit") == Bytes(512));
}

TEST_CASE("An amount that is no whole number of bits or bytes is refused", "[arch][units]") {
  CHECK_THROWS_WITH(parse_bits("0.1 B"), Contains("'0.1 B' is not a whole number of bits"));
  CHECK_THROWS_WITH(parse_bytes("4095 bit"), Contains("not a whole number of bytes"));
  CHECK_THROWS_WITH(parse_bits("1000000000000.5 bit"), Contains("not a whole number"));
  CHECK_THROWS_WITH(parse_bits("1e-10 bit"), Contains("not a whole number"));
}

TEST_CASE("An amount is read up to 2^53 and refused beyond it", "[arch][units]") {
  CHECK(parse_bits("9007199254740992 bit") == Bits(9007199254740992));
  CHECK_THROWS_WITH(parse_bits("9007199254740994 bit"), Contains("too large"));
  CHECK_THROWS_WITH(parse_bytes("1152921504606846976 B"), Contains("too large"));  // 2^60
  CHECK_THROWS_WITH(parse_bits("1e400 bit"), Contains("not a number"));
  CHECK_THROWS_WITH(parse_square_microns("1e300 mm2"), Contains("too large"));
}

TEST_CASE("A wrong unit is named with the allowed ones and the nearest", "[arch][units]") {
  CHECK_THROWS_WITH(parse_bits("64 KIB"), Contains("has the unit 'KIB'") && Contains("GiB") &&
                                              Contains("did you mean 'KiB'?"));
  CHECK_THROWS_WITH(parse_hertz("200 mhz"), Contains("did you mean 'MHz'?"));
  CHECK_THROWS_WITH(parse_hertz("200 ms"), Contains("has the unit 'ms'; allowed are Hz"));
  CHECK_THROWS_WITH(parse_cycles("5 ns"), Contains("allowed are cycles, cycle"));
  CHECK_THROWS_WITH(parse_hertz("0x10 MHz"), Contains("has the unit 'x10 MHz'"));
}

TEST_CASE("A number without unit, a unit without number and a negative amount are refused",
          "[arch][units]") {
  CHECK_THROWS_WITH(parse_hertz("200"), Contains("'200' has no unit; allowed are Hz"));
  CHECK_THROWS_WITH(parse_hertz("MHz"), Contains("not a number with a unit"));
  CHECK_THROWS_WITH(parse_hertz(""), Contains("not a number with a unit"));
  CHECK_THROWS_WITH(parse_hertz("-5 MHz"), Contains("negative"));
  CHECK_THROWS_WITH(parse_hertz("nan MHz"), Contains("not a number with a unit"));
  CHECK_THROWS_WITH(parse_hertz("inf MHz"), Contains("not a number with a unit"));
  CHECK_THROWS_WITH(parse_hertz("+8 MHz"), Contains("not a number with a unit"));
}

TEST_CASE("Frequencies, times, energies, powers and areas are scaled to their unit",
          "[arch][units]") {
  CHECK(parse_hertz("200 MHz") == Hertz(200000000));
  CHECK(parse_hertz("1.2 GHz") == Hertz(1200000000));
  CHECK(parse_cycles("1 cycle") == Cycles(1));
  CHECK(parse_nanometers("45nm") == Nanometers(45));
  CHECK(parse_nanometers("0.18 um") == Nanometers(180));
  CHECK(parse_picojoules("2 nJ") == Picojoules(2000.0));
  CHECK(parse_picojoules_per_bit("8 pJ/bit") == PicojoulesPerBit(8.0));
  CHECK(parse_nanoseconds("500 ps") == Nanoseconds(0.5));
  CHECK(parse_milliwatts("1 W") == Milliwatts(1000.0));
  CHECK(parse_square_microns("1 mm2") == SquareMicrons(1000000.0));
}

TEST_CASE("A bandwidth per cycle is the same at every clock", "[arch][units]") {
  CHECK(parse_bandwidth("16 B/cycle", Hertz(1)) == Bandwidth::per_cycles(128, 1));
  CHECK(parse_bandwidth("192 bit/cycle", Hertz(500000000)) == Bandwidth::per_cycles(192, 1));
  CHECK(parse_bandwidth("0.125 B/cycle", Hertz(7)) == Bandwidth::per_cycles(1, 1));
  CHECK(parse_bandwidth("1e-3 bit/cycle", Hertz(7)) == Bandwidth::per_cycles(1, 1000));
}

TEST_CASE("A bandwidth per second becomes an exact fraction against the clock", "[arch][units]") {
  // 1.6 GB/s = 12.8e9 bit/s at 200 MHz = 64 bit/cycle; at 300 MHz = 128/3.
  CHECK(parse_bandwidth("1.6 GB/s", Hertz(200000000)) == Bandwidth::per_cycles(64, 1));
  const Bandwidth uneven = parse_bandwidth("1.6 GB/s", Hertz(300000000));
  CHECK(uneven.bits() == 128);
  CHECK(uneven.cycles() == 3);
}

TEST_CASE("A bandwidth of nothing, or too fine to be kept exactly, is refused", "[arch][units]") {
  CHECK_THROWS_WITH(parse_bandwidth("0 bit/cycle", Hertz(1)), Contains("more than 0"));
  CHECK_THROWS_WITH(parse_bandwidth("1e-4 bit/cycle", Hertz(1)), Contains("finer than 1/1000"));
  CHECK_THROWS_WITH(parse_bandwidth("1e-10 bit/cycle", Hertz(1)), Contains("finer than 1/1000"));
  CHECK_THROWS_WITH(parse_bandwidth("1e-10 bit/s", Hertz(1)), Contains("not a whole number"));
  CHECK_THROWS_WITH(parse_bandwidth("16 b/cycle", Hertz(1)), Contains("'B/cycle'"));
}

TEST_CASE("A transfer takes one more beat from the first bit beyond an edge", "[arch][units]") {
  const Bandwidth bandwidth = Bandwidth::per_cycles(8, 1);
  CHECK(bandwidth.beats(Bits(0)) == Cycles(0));
  CHECK(bandwidth.beats(Bits(1)) == Cycles(1));
  CHECK(bandwidth.beats(Bits(8)) == Cycles(1));
  CHECK(bandwidth.beats(Bits(9)) == Cycles(2));
}

TEST_CASE("Beats of an uneven bandwidth are exact fractions, however long the transfer",
          "[arch][units]") {
  // 128/3 bit per cycle: 128 bit take 3 cycles, 129 take 4; 128e15 bit take 3e15, one bit more
  // takes a cycle more.
  const Bandwidth bandwidth = Bandwidth::per_cycles(128, 3);
  CHECK(bandwidth.beats(Bits(128)) == Cycles(3));
  CHECK(bandwidth.beats(Bits(129)) == Cycles(4));
  CHECK(bandwidth.beats(Bits(42)) == Cycles(1));  // 42 * 3 / 128 = 0.98
  CHECK(bandwidth.beats(Bits(43)) == Cycles(2));  // 43 * 3 / 128 = 1.008
  CHECK(bandwidth.beats(Bits(128000000000000000)) == Cycles(3000000000000000));
  CHECK(bandwidth.beats(Bits(128000000000000001)) == Cycles(3000000000000001));
  CHECK_THROWS_AS(Bandwidth::per_cycles(1, 1000).beats(Bits(std::int64_t{1} << 62)),
                  ArithmeticOverflow);
}

TEST_CASE("Quantities are shown in the largest unit that keeps them whole", "[arch][units]") {
  CHECK(to_text(Bytes(65536)) == "64 KiB");
  CHECK(to_text(Bytes(65537)) == "65537 B");
  CHECK(to_text(Bytes(2097152)) == "2 MiB");
  CHECK(to_text(Bytes(1073741824)) == "1 GiB");
  CHECK(to_text(Bytes(0)) == "0 B");
  CHECK(to_text(Bits(8)) == "8 bit");
  CHECK(to_text(Bits(8192)) == "1 KiB");
  CHECK(to_text(Bits(8193)) == "8193 bit");
  CHECK(to_text(Hertz(200000000)) == "200 MHz");
  CHECK(to_text(Hertz(1200000000)) == "1.2 GHz");
  CHECK(to_text(Hertz(999)) == "999 Hz");
  CHECK(to_text(Cycles(5)) == "5 cycles");
  CHECK(to_text(Nanometers(45)) == "45nm");
  CHECK(to_text(Bandwidth::per_cycles(64, 1)) == "64 bit/cycle");
  CHECK(to_text(Bandwidth::per_cycles(1, 8)) == "0.125 bit/cycle");
}

TEST_CASE("Named conversions between units are exact", "[arch][units]") {
  CHECK(to_bytes_ceil(Bits(8)) == Bytes(1));
  CHECK(to_bytes_ceil(Bits(9)) == Bytes(2));
  CHECK(to_bits(Bytes(3)) == Bits(24));
  CHECK_THROWS_AS(to_bits(Bytes(std::int64_t{1} << 61)), ArithmeticOverflow);
  CHECK(period_of(Hertz(200000000)).count() == Approx(5.0));
  CHECK(time_of(Cycles(40), Hertz(200000000)).count() == Approx(200.0));  // 40 * 5 ns
  CHECK(energy_of(Milliwatts(3.0), Nanoseconds(5.0)).count() == Approx(15.0));
  CHECK(average_power(Picojoules(15.0), Nanoseconds(5.0)).count() == Approx(3.0));
  CHECK(average_power(Picojoules(15.0), Nanoseconds(0.0)).count() == 0.0);
}

TEST_CASE("Arithmetic of whole quantities is checked", "[arch][units]") {
  const Bits most(std::numeric_limits<std::int64_t>::max());
  CHECK(Bits(5) + Bits(7) == Bits(12));
  CHECK(Bits(5) * 3 == Bits(15));
  CHECK(Bits(5) / Bits(2) == 2.5);
  CHECK_THROWS_AS(most + Bits(1), ArithmeticOverflow);
  CHECK_THROWS_AS(most * 2, ArithmeticOverflow);
}

}  // namespace
}  // namespace vernier
