// Modes of the MAC unit families, and the proof that each family multiplies: the product rebuilt
// from its parts equals the integer product for every pair of codes.
#include "arch/mac_family.hpp"

#include <memory>
#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace vernier::arch {
namespace {

std::unique_ptr<MacFamily> make(const MacSpec& spec) {
  return builtin_mac_families().find(spec.style)(spec);
}

std::unique_ptr<MacFamily> family(const std::string& style, std::int64_t core_bits = 8) {
  MacSpec spec;
  spec.style = style;
  spec.weight_bits = spec.activation_bits = {8};
  spec.core_bits = core_bits;
  return make(spec);
}

std::string style_of_case() {
  return GENERATE(as<std::string>{}, "fixed", "sum_together", "sum_together_1d", "sum_apart",
                  "sum_apart_1d", "subword_apart", "subword_together", "bit_serial");
}

// What a code means, by the definition of two's complement: the top bit counts negative.
std::int64_t meaning(std::uint32_t code, OperandFormat format) {
  std::int64_t value = 0;
  for (int bit = 0; bit < format.bits.bits(); ++bit) {
    if ((code >> bit & 1U) == 0) continue;
    const std::int64_t weight = std::int64_t{1} << bit;
    value += format.is_signed && bit + 1 == format.bits.bits() ? -weight : weight;
  }
  return value;
}

// Number of code pairs at which the family's product is not the integer product.
std::int64_t wrong_products(const MacFamily& unit, OperandFormat weight, OperandFormat activation) {
  std::int64_t wrong = 0;
  for (std::uint32_t w = 0; w < 1U << weight.bits.bits(); ++w) {
    for (std::uint32_t a = 0; a < 1U << activation.bits.bits(); ++a) {
      const std::int64_t expected = meaning(w, weight) * meaning(a, activation);
      if (unit.product(w, weight, a, activation) != expected) ++wrong;
    }
  }
  return wrong;
}

TEST_CASE("Every product of codes of 1 to 8 bits is rebuilt exactly in all four sign pairs",
          "[arch][mac_family]") {
  const std::string style = style_of_case();
  const std::unique_ptr<MacFamily> unit = family(style);
  for (int weight_bits = 1; weight_bits <= 8; ++weight_bits) {
    for (int activation_bits = 1; activation_bits <= 8; ++activation_bits) {
      for (const bool weight_signed : {false, true}) {
        for (const bool activation_signed : {false, true}) {
          CAPTURE(style, weight_bits, activation_bits, weight_signed, activation_signed);
          CHECK(wrong_products(*unit, {Bitwidth(weight_bits), weight_signed},
                               {Bitwidth(activation_bits), activation_signed}) == 0);
        }
      }
    }
  }
}

TEST_CASE("Products of 16-bit weights are rebuilt exactly from sampled codes",
          "[arch][mac_family]") {
  const std::string style = style_of_case();
  const std::unique_ptr<MacFamily> unit = family(style, 16);
  constexpr unsigned kSeed = 20240611;
  std::mt19937 random(kSeed);
  const OperandFormat corners[] = {{Bitwidth(16), false}, {Bitwidth(16), true}};
  for (const OperandFormat weight : corners) {
    for (const int activation_bits : {16, 8, 4, 2}) {
      for (const bool activation_signed : {false, true}) {
        const OperandFormat activation{Bitwidth(activation_bits), activation_signed};
        const std::uint32_t mask = (1U << activation_bits) - 1;
        std::int64_t wrong = 0;
        for (int sample = 0; sample < 20000; ++sample) {
          // The first samples are the corners: 0, the most, the sign bit alone, all but it.
          const std::uint32_t extreme[] = {0, 0xffff, 0x8000, 0x7fff};
          const std::uint32_t other[] = {0, mask, mask / 2 + 1, mask / 2};
          const bool at_corner = sample < 16;
          const auto w =
              at_corner ? extreme[sample / 4] : static_cast<std::uint32_t>(random()) & 0xffffU;
          const auto a =
              at_corner ? other[sample % 4] : static_cast<std::uint32_t>(random()) & mask;
          const std::int64_t expected = meaning(w, weight) * meaning(a, activation);
          if (unit->product(w, weight, a, activation) != expected) ++wrong;
        }
        CAPTURE(style, kSeed, weight.is_signed, activation_bits, activation_signed);
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("A bit-serial product is the sum of its parts whatever they are", "[arch][mac_family]") {
  MacSpec spec;
  spec.style = "bit_serial";
  spec.serial = GENERATE(SerialOperand::kWeight, SerialOperand::kActivation, SerialOperand::kBoth);
  spec.bits_per_cycle = GENERATE(1, 2, 3, 5, 8);
  const std::unique_ptr<MacFamily> unit = make(spec);
  for (const int weight_bits : {1, 3, 7, 8}) {
    for (const int activation_bits : {1, 4, 7}) {
      for (const bool weight_signed : {false, true}) {
        for (const bool activation_signed : {false, true}) {
          CAPTURE(spec.bits_per_cycle, weight_bits, activation_bits, weight_signed,
                  activation_signed);
          CHECK(wrong_products(*unit, {Bitwidth(weight_bits), weight_signed},
                               {Bitwidth(activation_bits), activation_signed}) == 0);
        }
      }
    }
  }
}

TEST_CASE("Products per step of each family at 8x8 and 8x4 and 4x4 and 2x2 and how they extend",
          "[arch][mac_family]") {
  struct Row {
    std::string style;
    std::int64_t macs[4];
    std::int64_t MacMode::*extends;  // the one dimension that grows
  };
  const int weights[] = {8, 4, 4, 2};  // in 8x4 the activation keeps its 8 bits
  const int activations[] = {8, 8, 4, 2};
  for (const Row& row : {Row{"sum_together", {1, 2, 4, 16}, &MacMode::reduction},
                         Row{"sum_together_1d", {1, 2, 2, 4}, &MacMode::reduction},
                         Row{"sum_apart_1d", {1, 2, 2, 4}, &MacMode::out_channels},
                         Row{"subword_apart", {1, 1, 2, 4}, &MacMode::groups},
                         Row{"subword_together", {1, 1, 2, 4}, &MacMode::reduction}}) {
    const std::unique_ptr<MacFamily> unit = family(row.style);
    for (int at = 0; at < 4; ++at) {
      CAPTURE(row.style, weights[at], activations[at]);
      const MacMode mode = unit->mode(Bitwidth(weights[at]), Bitwidth(activations[at]));
      CHECK(mode.cycles == 1);
      CHECK(mode.macs_per_step() == row.macs[at]);
      CHECK(mode.*row.extends == row.macs[at]);
      CHECK(mode.accumulators == mode.out_channels * mode.pixels * mode.groups);
      CHECK(mode.weight_bits == mode.reduction * mode.out_channels * mode.groups * weights[at]);
      CHECK(mode.activation_bits == mode.reduction * mode.pixels * mode.groups * activations[at]);
    }
  }
  // Sum apart in two dimensions: 8/w output channels times 8/a pixels, an accumulator for each.
  const MacMode both = family("sum_apart")->mode(Bitwidth(2), Bitwidth(4));
  CHECK(both.out_channels == 4);
  CHECK(both.pixels == 2);
  CHECK(both.accumulators == 8);
  CHECK(both.weight_bits == 8);      // 4 weights of 2 bits
  CHECK(both.activation_bits == 8);  // 2 activations of 4 bits
}

TEST_CASE("Subwords go to output channels or pixels with the other operand replicated",
          "[arch][mac_family]") {
  MacSpec spec;
  spec.style = "subword_apart";
  spec.core_bits = 16;
  spec.weight_bits = spec.activation_bits = {4, 8, 16};
  spec.subwords = Subwords::kOutChannels;
  const MacMode channels = make(spec)->mode(Bitwidth(4), Bitwidth(4));
  CHECK(channels.out_channels == 4);
  CHECK(channels.weight_bits == 16);
  CHECK(channels.activation_bits == 4);
  spec.subwords = Subwords::kPixels;
  const MacMode pixels = make(spec)->mode(Bitwidth(4), Bitwidth(8));
  CHECK(pixels.pixels == 2);  // as 8 x 8
  CHECK(pixels.weight_bits == 4);
  CHECK(pixels.activation_bits == 16);
}

TEST_CASE("A bit-serial step takes a cycle per part of the serial operands", "[arch][mac_family]") {
  MacSpec spec;
  spec.style = "bit_serial";
  spec.weight_bits = {3, 16};
  spec.activation_bits = {5, 16};
  spec.lanes = 12;
  const auto cycles = [&spec](SerialOperand serial, std::int64_t bits) {
    spec.serial = serial;
    spec.bits_per_cycle = bits;
    const MacMode mode = make(spec)->mode(Bitwidth(3), Bitwidth(5));
    CHECK(mode.reduction == 12);
    return mode.cycles;
  };
  CHECK(cycles(SerialOperand::kWeight, 1) == 3);
  CHECK(cycles(SerialOperand::kActivation, 1) == 5);
  CHECK(cycles(SerialOperand::kBoth, 1) == 15);
  CHECK(cycles(SerialOperand::kWeight, 2) == 2);
  CHECK(cycles(SerialOperand::kActivation, 2) == 3);
  CHECK(cycles(SerialOperand::kBoth, 2) == 6);
}

TEST_CASE("A stated mode replaces the law at its widths only", "[arch][mac_family]") {
  MacSpec spec;
  spec.style = "bit_serial";
  spec.weight_bits = {1, 2};
  spec.activation_bits = {16};
  spec.lanes = 12;
  spec.modes = {{.weight = 1, .activation = 16, .cycles = 1, .reduction = 16}};
  const auto unit = make(spec);
  const MacMode stated = mode_of(spec, *unit, Bitwidth(1), Bitwidth(16));
  CHECK(stated.reduction == 16);
  CHECK(stated.weight_bits == 16);
  CHECK(stated.activation_bits == 256);
  CHECK(mode_of(spec, *unit, Bitwidth(2), Bitwidth(16)) == unit->mode(Bitwidth(2), Bitwidth(16)));
}

TEST_CASE("Bipolar operands are 2-bit signed codes of +1 and -1", "[arch][mac_family]") {
  const std::unique_ptr<MacFamily> unit = family(style_of_case());
  const OperandFormat format{Bitwidth(2), true};
  constexpr std::uint32_t kPlus = 0b01;
  constexpr std::uint32_t kMinus = 0b11;
  CHECK(unit->product(kPlus, format, kPlus, format) == 1);
  CHECK(unit->product(kPlus, format, kMinus, format) == -1);
  CHECK(unit->product(kMinus, format, kPlus, format) == -1);
  CHECK(unit->product(kMinus, format, kMinus, format) == 1);
  // -1 * 127 with an 8-bit activation
  CHECK(unit->product(kMinus, format, 0x7f, {Bitwidth(8), true}) == -127);
}

TEST_CASE("Bits above an operand's width do not matter", "[arch][mac_family]") {
  const std::unique_ptr<MacFamily> unit = family(style_of_case());
  // Low 4 bits of 0xf5 are 5, of 0xabc are 12 (unsigned) or -4 (signed).
  CHECK(unit->product(0xf5, {Bitwidth(4), true}, 0xabc, {Bitwidth(4), false}) == 60);
  CHECK(unit->product(0xf5, {Bitwidth(4), true}, 0xabc, {Bitwidth(4), true}) == -20);
}

TEST_CASE("A fixed unit does one product a cycle at every width", "[arch][mac_family]") {
  const std::unique_ptr<MacFamily> unit = family("fixed");
  for (const int bits : {2, 4, 8, 16}) {
    const MacMode mode = unit->mode(Bitwidth(bits), Bitwidth(8));
    CHECK(mode.cycles == 1);
    CHECK(mode.macs_per_step() == 1);
    CHECK(mode.accumulators == 1);
    CHECK(mode.weight_bits == bits);
    CHECK(mode.activation_bits == 8);
  }
}

TEST_CASE("Sixteen bricks make 1, 2, 4 or 16 products that extend the reduction",
          "[arch][mac_family]") {
  const std::unique_ptr<MacFamily> unit = family("sum_together");
  struct Row {
    int weight;
    int activation;
    std::int64_t macs;
    std::int64_t weight_operand_bits;
    std::int64_t activation_operand_bits;
  };
  // bricks = w/2 * a/2, products = 16 / bricks, operand bits = products * width.
  for (const Row& row :
       {Row{8, 8, 1, 8, 8}, Row{8, 4, 2, 16, 8}, Row{4, 8, 2, 8, 16}, Row{4, 4, 4, 16, 16},
        Row{8, 2, 4, 32, 8}, Row{4, 2, 8, 32, 16}, Row{2, 2, 16, 32, 32}}) {
    CAPTURE(row.weight, row.activation);
    const MacMode mode = unit->mode(Bitwidth(row.weight), Bitwidth(row.activation));
    CHECK(mode.cycles == 1);
    CHECK(mode.macs_per_step() == row.macs);
    CHECK(mode.reduction == row.macs);
    CHECK(mode.out_channels * mode.pixels * mode.groups == 1);
    CHECK(mode.weight_bits == row.weight_operand_bits);
    CHECK(mode.activation_bits == row.activation_operand_bits);
  }
}

TEST_CASE("16-bit operands take several cycles on the bricks of an 8-bit unit",
          "[arch][mac_family]") {
  const std::unique_ptr<MacFamily> unit = family("sum_together");
  struct Row {
    int activation;
    std::int64_t cycles;
    std::int64_t reduction;
  };
  // bricks = 8 * a/2 = 64, 32, 16, 8; cycles = bricks / 16, products = 16 / bricks.
  for (const Row& row : {Row{16, 4, 1}, Row{8, 2, 1}, Row{4, 1, 1}, Row{2, 1, 2}}) {
    CAPTURE(row.activation);
    const MacMode mode = unit->mode(Bitwidth(16), Bitwidth(row.activation));
    CHECK(mode.cycles == row.cycles);
    CHECK(mode.reduction == row.reduction);
    const MacMode mirrored = unit->mode(Bitwidth(row.activation), Bitwidth(16));
    CHECK(mirrored.cycles == row.cycles);
    CHECK(mirrored.reduction == row.reduction);
  }
  CHECK(macs_per_cycle(unit->mode(Bitwidth(16), Bitwidth(16))) == Approx(0.25));
}

TEST_CASE("A fused unit of other widths than 2, 4, 8 and 16 is refused", "[arch][mac_family]") {
  MacSpec spec;
  spec.style = "sum_together";
  spec.weight_bits = {8};
  spec.activation_bits = {3};
  CHECK_THROWS_WITH(builtin_mac_families().find("sum_together")(spec),
                    Catch::Contains("2, 4, 8, 16") && Catch::Contains("found 3"));
  spec.activation_bits = {2, 4, 8, 16};
  CHECK_NOTHROW(builtin_mac_families().find("sum_together")(spec));
}

TEST_CASE("Each family refuses widths that it does not have", "[arch][mac_family]") {
  struct Row {
    std::string style;
    std::int64_t core_bits;
    std::int64_t width;
    std::string allowed;
  };
  for (const Row& row : {Row{"sum_together_1d", 8, 16, "2, 4, 8; found 16"},
                         Row{"sum_apart", 8, 3, "2, 4, 8; found 3"},
                         Row{"sum_apart_1d", 16, 1, "2, 4, 8, 16; found 1"},
                         Row{"subword_apart", 16, 2, "4, 8, 16; found 2"},
                         Row{"subword_together", 8, 16, "2, 4, 8; found 16"},
                         Row{"bit_serial", 8, 17, "1 to 16; found 17"}}) {
    MacSpec spec;
    spec.style = row.style;
    spec.core_bits = row.core_bits;
    spec.weight_bits = {row.width};
    CHECK_THROWS_WITH(make(spec), Catch::Contains(row.style) && Catch::Contains(row.allowed));
  }
  MacSpec spec;
  spec.style = "subword_apart";
  spec.core_bits = 12;
  CHECK_THROWS_WITH(make(spec), Catch::Contains("core_bits is 12; allowed are 8 and 16"));
  spec = {};
  spec.style = "sum_apart";
  spec.data_gating = true;
  CHECK_THROWS_WITH(make(spec), Catch::Contains("data_gating is for the family fixed"));
}

}  // namespace
}  // namespace vernier::arch
