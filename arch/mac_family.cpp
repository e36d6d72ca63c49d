#include "arch/mac_family.hpp"

#include <algorithm>

namespace vernier::arch {
namespace {

// Value of the low `bits` of a code, read as two's complement or unsigned.
std::int64_t decode(std::uint32_t code, OperandFormat format) {
  const int bits = format.bits.bits();
  const auto raw = static_cast<std::int64_t>(code) & ((std::int64_t{1} << bits) - 1);
  const bool negative = format.is_signed && ((raw >> (bits - 1)) & 1) != 0;
  return negative ? raw - (std::int64_t{1} << bits) : raw;
}

// One product per step; narrower operands are padded (sign- or zero-extended) to the unit's width.
class Fixed final : public MacFamily {
 public:
  using MacFamily::mode;
  [[nodiscard]] MacMode mode(OperandFormat weight, OperandFormat activation) const override {
    return {.weight_bits = weight.bits.bits(), .activation_bits = activation.bits.bits()};
  }
  [[nodiscard]] std::int64_t product(std::uint32_t weight_code, OperandFormat weight,
                                     std::uint32_t activation_code,
                                     OperandFormat activation) const override {
    return decode(weight_code, weight) * decode(activation_code, activation);
  }
};

// Bit Fusion and BitBlade: sixteen 2-bit multipliers ("bricks") whose products are shifted and
// summed into one accumulator (Sharma et al., ISCA 2018; hardware_notes 1.1). A brick takes two
// bits and a sign flag from each side; only the most significant digit of a signed operand is
// signed.
class SumTogether2d final : public MacFamily {
 public:
  static constexpr int kDigitBits = 2;
  static constexpr std::int64_t kBricks = 16;

  using MacFamily::mode;
  [[nodiscard]] MacMode mode(OperandFormat weight, OperandFormat activation) const override {
    const std::int64_t bricks =
        ceil_div(weight.bits.bits(), kDigitBits) * ceil_div(activation.bits.bits(), kDigitBits);
    MacMode mode;
    mode.cycles = std::max<std::int64_t>(1, ceil_div(bricks, kBricks));
    mode.reduction = std::max<std::int64_t>(1, kBricks / bricks);
    mode.weight_bits = mode.reduction * weight.bits.bits();
    mode.activation_bits = mode.reduction * activation.bits.bits();
    return mode;
  }
  [[nodiscard]] std::int64_t product(std::uint32_t weight_code, OperandFormat weight,
                                     std::uint32_t activation_code,
                                     OperandFormat activation) const override {
    std::int64_t sum = 0;
    for (int weight_digit = 0; weight_digit < digits(weight); ++weight_digit) {
      for (int activation_digit = 0; activation_digit < digits(activation); ++activation_digit) {
        const std::int64_t brick = digit(weight_code, weight, weight_digit) *
                                   digit(activation_code, activation, activation_digit);
        sum += brick * (std::int64_t{1} << (kDigitBits * (weight_digit + activation_digit)));
      }
    }
    return sum;
  }

 private:
  static int digits(OperandFormat format) {
    return static_cast<int>(ceil_div(format.bits.bits(), kDigitBits));
  }
  // Digit `at` of a code: -2..1 for the top digit of a signed operand, 0..3 else. An odd width is
  // extended to whole digits first, as the operand feeder does.
  static std::int64_t digit(std::uint32_t code, OperandFormat format, int at) {
    const auto extended = static_cast<std::uint64_t>(decode(code, format));
    const auto raw = static_cast<std::int64_t>((extended >> (kDigitBits * at)) & 3U);
    const bool top = at + 1 == digits(format);
    return format.is_signed && top && raw >= 2 ? raw - 4 : raw;
  }
};

void require_powers_of_two(const MacSpec& spec) {
  static const std::vector<std::int64_t> allowed{2, 4, 8, 16};
  for (const auto* widths : {&spec.weight_bits, &spec.activation_bits}) {
    for (const std::int64_t bits : *widths) {
      if (std::find(allowed.begin(), allowed.end(), bits) == allowed.end()) {
        throw ConfigError(fmt::format(
            "the family sum_together has the compute widths 2, 4, 8, 16; found {}", bits));
      }
    }
  }
}

}  // namespace

MacFamilyRegistry builtin_mac_families() {
  MacFamilyRegistry registry("MAC unit family");
  const auto parameters = [] {
    FieldDescriber describer("mac.");
    MacSpec spec;
    visit_fields(describer, spec);
    return describer.parameters();
  };
  registry.add({"fixed", "MAC unit family",
                "one product per step at every width; narrower operands are padded", parameters()},
               [](const MacSpec&) { return std::make_unique<Fixed>(); });
  registry.add({"sum_together", "MAC unit family",
                "sixteen 2-bit bricks per PE, fused into 16 (2x2) to 1 (8x8) products that are "
                "summed (Bit Fusion, BitBlade); 16-bit operands take 2 to 4 cycles",
                parameters()},
               [](const MacSpec& spec) {
                 require_powers_of_two(spec);
                 return std::make_unique<SumTogether2d>();
               });
  return registry;
}

}  // namespace vernier::arch
