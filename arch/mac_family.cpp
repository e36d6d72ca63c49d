#include "arch/mac_family.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// Digit `at` of a code cut into digits of `digit_bits`: only the top digit of a signed operand is
// signed, all others are unsigned. A width that is no multiple is extended to whole digits first,
// as the operand feeder does.
std::int64_t digit_of(std::uint32_t code, OperandFormat format, int digit_bits, int at) {
  const auto extended = static_cast<std::uint64_t>(decode(code, format));
  const std::int64_t span = std::int64_t{1} << digit_bits;
  const auto raw = static_cast<std::int64_t>((extended >> (digit_bits * at)) &
                                             (static_cast<std::uint64_t>(span) - 1));
  const bool top = at + 1 == ceil_div(format.bits.bits(), digit_bits);
  return format.is_signed && top && raw >= span / 2 ? raw - span : raw;
}

// The product as a sum of shifted products of digits, every digit of one side with every digit of
// the other.
std::int64_t product_of_digits(std::uint32_t weight_code, OperandFormat weight, int weight_digit,
                               std::uint32_t activation_code, OperandFormat activation,
                               int activation_digit) {
  std::int64_t sum = 0;
  const std::int64_t weight_digits = ceil_div(weight.bits.bits(), weight_digit);
  const std::int64_t activation_digits = ceil_div(activation.bits.bits(), activation_digit);
  for (int w = 0; w < weight_digits; ++w) {
    for (int a = 0; a < activation_digits; ++a) {
      const std::int64_t part = digit_of(weight_code, weight, weight_digit, w) *
                                digit_of(activation_code, activation, activation_digit, a);
      sum += part * (std::int64_t{1} << (weight_digit * w + activation_digit * a));
    }
  }
  return sum;
}

constexpr int kBrickBits = 2;

// Divide and conquer with both operands cut into digits of two bits ("bricks", Camus et al., JETCAS
// 2019; hardware_notes 1.1). A brick takes two bits and a sign flag from each side.
class Bricks2d : public MacFamily {
 public:
  using MacFamily::mode;
  [[nodiscard]] std::int64_t product(std::uint32_t weight_code, OperandFormat weight,
                                     std::uint32_t activation_code,
                                     OperandFormat activation) const override {
    return product_of_digits(weight_code, weight, kBrickBits, activation_code, activation,
                             kBrickBits);
  }
};

// Bit Fusion and BitBlade: sixteen bricks whose products are shifted and summed into one
// accumulator (Sharma et al., ISCA 2018).
class SumTogether2d final : public Bricks2d {
 public:
  static constexpr std::int64_t kBricks = 16;

  using MacFamily::mode;
  [[nodiscard]] MacMode mode(OperandFormat weight, OperandFormat activation) const override {
    const std::int64_t bricks =
        ceil_div(weight.bits.bits(), kBrickBits) * ceil_div(activation.bits.bits(), kBrickBits);
    MacMode mode;
    mode.cycles = std::max<std::int64_t>(1, ceil_div(bricks, kBricks));
    mode.reduction = std::max<std::int64_t>(1, kBricks / bricks);
    mode.set_operands(weight.bits, activation.bits);
    return mode;
  }
};

// The products of the bricks stay apart: every part of the weight word meets every part of the
// activation word, so both output channels and pixels grow (an outer product).
class SumApart2d final : public Bricks2d {
 public:
  explicit SumApart2d(std::int64_t core_bits) : core_bits_(core_bits) {}
  using MacFamily::mode;
  [[nodiscard]] MacMode mode(OperandFormat weight, OperandFormat activation) const override {
    MacMode mode;
    mode.out_channels = core_bits_ / weight.bits.bits();
    mode.pixels = core_bits_ / activation.bits.bits();
    mode.set_operands(weight.bits, activation.bits);
    return mode;
  }

 private:
  std::int64_t core_bits_;
};

// Only the weight is cut into digits; each meets the whole activation. Products are summed
// (`mac_bfusion1d` of Camus et al.) or stay apart (DNPU).
class Bricks1d final : public MacFamily {
 public:
  Bricks1d(std::int64_t core_bits, bool together) : core_bits_(core_bits), together_(together) {}
  using MacFamily::mode;
  [[nodiscard]] MacMode mode(OperandFormat weight, OperandFormat activation) const override {
    MacMode mode;
    (together_ ? mode.reduction : mode.out_channels) = core_bits_ / weight.bits.bits();
    mode.set_operands(weight.bits, activation.bits);
    return mode;
  }
  [[nodiscard]] std::int64_t product(std::uint32_t weight_code, OperandFormat weight,
                                     std::uint32_t activation_code,
                                     OperandFormat activation) const override {
    return product_of_digits(weight_code, weight, kBrickBits, activation_code, activation,
                             activation.bits.bits());
  }

 private:
  std::int64_t core_bits_;
  bool together_;
};

// One array multiplier whose partial products outside the subwords are gated: n products of the
// width core / n side by side, the width being that of the wider operand, so asymmetric widths gain
// nothing. DVAFS (Moons et al., ISSCC 2017) keeps them apart, Sum-Together adds them.
class SubwordParallel final : public MacFamily {
 public:
  SubwordParallel(std::int64_t core_bits, bool together, Subwords subwords)
      : core_bits_(core_bits), together_(together), subwords_(subwords) {}
  using MacFamily::mode;
  [[nodiscard]] MacMode mode(OperandFormat weight, OperandFormat activation) const override {
    const std::int64_t products = core_bits_ / std::max(weight.bits, activation.bits).bits();
    MacMode mode;
    if (together_) {
      mode.reduction = products;
    } else if (subwords_ == Subwords::kGroups) {
      mode.groups = products;
    } else {
      (subwords_ == Subwords::kOutChannels ? mode.out_channels : mode.pixels) = products;
    }
    mode.set_operands(weight.bits, activation.bits);
    return mode;
  }
  // The operand pair is the top subword; the bits of the others are set to its complement, and the
  // result is read from the top field of the product word.
  [[nodiscard]] std::int64_t product(std::uint32_t weight_code, OperandFormat weight,
                                     std::uint32_t activation_code,
                                     OperandFormat activation) const override {
    const int width = width_of(weight, activation);
    const int count = static_cast<int>(core_bits_) / width;
    const std::uint32_t w = packed(decode(weight_code, weight), width, count);
    const std::uint32_t a = packed(decode(activation_code, activation), width, count);
    const int low = width * (count - 1);  // of the top subword
    std::uint64_t field = 0;              // of 2 * width bits; carries do not leave it
    for (int row = 0; row < core_bits_; ++row) {
      for (int column = 0; column < core_bits_; ++column) {
        if (row < low || column < low) continue;  // gated: not in this subword
        const std::uint64_t bit = (w >> row & 1U) & (a >> column & 1U);
        const bool negative = (weight.is_signed && row + 1 == core_bits_) !=
                              (activation.is_signed && column + 1 == core_bits_);
        const std::uint64_t part = bit << (row + column - 2 * low);
        field = negative ? field - part : field + part;
      }
    }
    const int unused = 64 - 2 * width;
    const std::uint64_t high = field << unused;
    return weight.is_signed || activation.is_signed ? static_cast<std::int64_t>(high) >> unused
                                                    : static_cast<std::int64_t>(high >> unused);
  }

 private:
  [[nodiscard]] int width_of(OperandFormat weight, OperandFormat activation) const {
    const int wider = std::max(weight.bits, activation.bits).bits();
    int width = static_cast<int>(core_bits_);
    while (width % 2 == 0 && width / 2 >= wider) width /= 2;
    return width;
  }
  static std::uint32_t packed(std::int64_t value, int width, int count) {
    const std::uint32_t mask = (1U << width) - 1;
    const auto code = static_cast<std::uint32_t>(value) & mask;
    std::uint32_t word = code;
    for (int at = 1; at < count; ++at) word = word << width | (~code & mask);
    return word;
  }

  std::int64_t core_bits_;
  bool together_;
  Subwords subwords_;
};

// A serial operand comes in parts of `bits_per_cycle`, one per cycle, and the shifted products of
// the parts add up: UNPU (weights), Stripes (activations), Loom (both, each part with each).
class BitSerial final : public MacFamily {
 public:
  explicit BitSerial(const MacSpec& spec)
      : serial_(spec.serial), part_(static_cast<int>(spec.bits_per_cycle)), lanes_(spec.lanes) {}
  using MacFamily::mode;
  [[nodiscard]] MacMode mode(OperandFormat weight, OperandFormat activation) const override {
    MacMode mode;
    mode.cycles = ceil_div(weight.bits.bits(), weight_part(weight)) *
                  ceil_div(activation.bits.bits(), activation_part(activation));
    mode.reduction = lanes_;
    mode.set_operands(weight.bits, activation.bits);
    return mode;
  }
  [[nodiscard]] std::int64_t product(std::uint32_t weight_code, OperandFormat weight,
                                     std::uint32_t activation_code,
                                     OperandFormat activation) const override {
    return product_of_digits(weight_code, weight, weight_part(weight), activation_code, activation,
                             activation_part(activation));
  }

 private:
  [[nodiscard]] int weight_part(OperandFormat weight) const {
    return serial_ == SerialOperand::kActivation ? weight.bits.bits() : part_;
  }
  [[nodiscard]] int activation_part(OperandFormat activation) const {
    return serial_ == SerialOperand::kWeight ? activation.bits.bits() : part_;
  }

  SerialOperand serial_;
  int part_;
  std::int64_t lanes_;
};

// The widths that a family has; every listed one must be among them.
void require_widths(const MacSpec& spec, const std::vector<std::int64_t>& allowed) {
  for (const auto* widths : {&spec.weight_bits, &spec.activation_bits}) {
    for (const std::int64_t bits : *widths) {
      if (std::find(allowed.begin(), allowed.end(), bits) == allowed.end()) {
        throw ConfigError(fmt::format("the family {} has the compute widths {}; found {}",
                                      spec.style, fmt::join(allowed, ", "), bits));
      }
    }
  }
}

// `core` and its halves, down to `least`, ascending.
std::vector<std::int64_t> halves_of(const MacSpec& spec, std::int64_t least) {
  if (spec.core_bits != 8 && spec.core_bits != 16) {
    throw ConfigError(fmt::format("core_bits is {}; allowed are 8 and 16", spec.core_bits));
  }
  std::vector<std::int64_t> widths;
  for (std::int64_t width = spec.core_bits; width >= least; width /= 2) widths.push_back(width);
  std::reverse(widths.begin(), widths.end());
  return widths;
}

void refuse_gating(const MacSpec& spec) {
  if (!spec.data_gating) return;
  throw ConfigError(
      fmt::format("data_gating is for the family fixed; the family {} runs narrow operands in "
                  "modes of their own",
                  spec.style));
}

std::unique_ptr<MacFamily> make_bricks(const MacSpec& spec, bool both, bool together) {
  refuse_gating(spec);
  require_widths(spec, halves_of(spec, kBrickBits));
  if (both) return std::make_unique<SumApart2d>(spec.core_bits);
  return std::make_unique<Bricks1d>(spec.core_bits, together);
}

std::unique_ptr<MacFamily> make_subword(const MacSpec& spec, bool together) {
  refuse_gating(spec);
  constexpr std::int64_t kMostSubwords = 4;
  require_widths(spec, halves_of(spec, spec.core_bits / kMostSubwords));
  return std::make_unique<SubwordParallel>(spec.core_bits, together, spec.subwords);
}

std::unique_ptr<MacFamily> make_bit_serial(const MacSpec& spec) {
  refuse_gating(spec);
  constexpr std::int64_t kWidest = 16;
  for (const auto* widths : {&spec.weight_bits, &spec.activation_bits}) {
    for (const std::int64_t bits : *widths) {
      if (bits <= kWidest) continue;
      throw ConfigError(fmt::format(
          "the family bit_serial has the compute widths 1 to {}; found {}", kWidest, bits));
    }
  }
  return std::make_unique<BitSerial>(spec);
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
                 refuse_gating(spec);
                 require_widths(spec, {2, 4, 8, 16});
                 return std::make_unique<SumTogether2d>();
               });
  registry.add({"sum_together_1d", "MAC unit family",
                "the weight is cut into 2-bit bricks: core_bits / weight bits products that are "
                "summed, whatever the activation's width",
                parameters()},
               [](const MacSpec& spec) { return make_bricks(spec, false, true); });
  registry.add({"sum_apart", "MAC unit family",
                "2-bit bricks whose products stay apart: core_bits / weight bits output channels "
                "times core_bits / activation bits pixels",
                parameters()},
               [](const MacSpec& spec) { return make_bricks(spec, true, false); });
  registry.add({"sum_apart_1d", "MAC unit family",
                "the weight is cut into 2-bit bricks: core_bits / weight bits output channels that "
                "share the activation (DNPU)",
                parameters()},
               [](const MacSpec& spec) { return make_bricks(spec, false, false); });
  registry.add({"subword_apart", "MAC unit family",
                "1, 2 or 4 subwords of the wider operand's width, whose products go to independent "
                "groups, output channels or pixels (DVAFS)",
                parameters()},
               [](const MacSpec& spec) { return make_subword(spec, false); });
  registry.add(
      {"subword_together", "MAC unit family",
       "1, 2 or 4 subwords of the wider operand's width, whose products are summed", parameters()},
      [](const MacSpec& spec) { return make_subword(spec, true); });
  registry.add({"bit_serial", "MAC unit family",
                "one or both operands come in parts over several cycles: time follows the bits "
                "(UNPU, Stripes, Loom)",
                parameters()},
               make_bit_serial);
  return registry;
}

const std::vector<FamilyKey>& family_keys() {
  static const std::vector<FamilyKey> keys{
      {"core_bits",
       {"sum_together_1d", "sum_apart", "sum_apart_1d", "subword_apart", "subword_together"}},
      {"serial", {"bit_serial"}},
      {"bits_per_cycle", {"bit_serial"}},
      {"lanes", {"bit_serial"}},
      {"subwords", {"subword_apart"}},
      {"data_gating", {"fixed"}}};
  return keys;
}

MacMode mode_of(const MacSpec& spec, const MacFamily& family, Bitwidth weight,
                Bitwidth activation) {
  const auto stated =
      std::find_if(spec.modes.begin(), spec.modes.end(), [&](const ModeOverride& mode) {
        return mode.weight == weight.bits() && mode.activation == activation.bits();
      });
  if (stated == spec.modes.end()) return family.mode(weight, activation);
  MacMode mode;
  mode.cycles = stated->cycles;
  mode.reduction = stated->reduction;
  mode.out_channels = stated->out_channels;
  mode.pixels = stated->pixels;
  mode.groups = stated->groups;
  mode.set_operands(weight, activation);
  return mode;
}

}  // namespace vernier::arch
