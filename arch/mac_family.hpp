// MAC unit families: what one PE does per step at given operand widths (design 4). A family is a
// table of modes, and proves itself by rebuilding products from the parts its hardware has.
#pragma once

#include <cstdint>
#include <memory>

#include "arch/base/bitwidth.hpp"
#include "arch/base/registry.hpp"
#include "arch/spec.hpp"

namespace vernier::arch {

/// One step of a PE: it takes `cycles` and does reduction * out_channels * pixels * groups MACs.
struct MacMode {
  std::int64_t cycles = 1;           ///< s
  std::int64_t reduction = 1;        ///< kK: products summed into one accumulator
  std::int64_t out_channels = 1;     ///< kN: output channels that share the activation
  std::int64_t pixels = 1;           ///< kP: pixels that share the weight
  std::int64_t groups = 1;           ///< kG: independent groups
  std::int64_t weight_bits = 8;      ///< operand bits of weights per PE and step
  std::int64_t activation_bits = 8;  ///< operand bits of activations per PE and step
  std::int64_t accumulators = 1;     ///< n_acc: partial sums per PE that are drained

  /// Sets the operand bits and accumulators that follow from the extensions (design 4).
  void set_operands(Bitwidth weight, Bitwidth activation) {
    weight_bits = reduction * out_channels * groups * weight.bits();
    activation_bits = reduction * pixels * groups * activation.bits();
    accumulators = out_channels * pixels * groups;
  }
  [[nodiscard]] std::int64_t macs_per_step() const {
    return reduction * out_channels * pixels * groups;
  }
  friend bool operator==(const MacMode&, const MacMode&) = default;
};

/// How the bits of one operand are read.
struct OperandFormat {
  Bitwidth bits;
  bool is_signed = true;
};

/// A family of MAC units. Widths handed in are legal compute widths.
class MacFamily {
 public:
  virtual ~MacFamily() = default;
  /// What a step does with operands of these formats. No family here depends on the signs; a table
  /// of modes may (design 4).
  [[nodiscard]] virtual MacMode mode(OperandFormat weight, OperandFormat activation) const = 0;
  /// The same for two signed operands.
  [[nodiscard]] MacMode mode(Bitwidth weight, Bitwidth activation) const {
    return mode(OperandFormat{weight}, OperandFormat{activation});
  }
  /// The product of two operand codes (two's complement in the low bits), built the way the
  /// hardware builds it.
  [[nodiscard]] virtual std::int64_t product(std::uint32_t weight_code, OperandFormat weight,
                                             std::uint32_t activation_code,
                                             OperandFormat activation) const = 0;
};

using MacFamilyRegistry = Registry<std::unique_ptr<MacFamily>(const MacSpec&)>;

/// The families that come with Vernier (design 4). A factory throws ConfigError when the widths are
/// none of its family's.
[[nodiscard]] MacFamilyRegistry builtin_mac_families();

/// Keys of MacSpec that only some families read, and those families; other families refuse them.
struct FamilyKey {
  std::string key;
  std::vector<std::string> families;
};
[[nodiscard]] const std::vector<FamilyKey>& family_keys();

/// The mode of a pair of widths: what `modes` of the description states, else the family's law.
[[nodiscard]] MacMode mode_of(const MacSpec& spec, const MacFamily& family, Bitwidth weight,
                              Bitwidth activation);

/// Peak MACs per cycle of one PE in a mode.
[[nodiscard]] inline double macs_per_cycle(const MacMode& mode) {
  return static_cast<double>(mode.macs_per_step()) / static_cast<double>(mode.cycles);
}

}  // namespace vernier::arch
