// Widths of tensors. A Bitwidth is what the network says, a Precision adds the kind of number, and
// a LayerPrecision is the set of widths that one MAC layer runs at.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vernier {

/// Number of bits of one element, 1 to 32.
class Bitwidth {
 public:
  static constexpr int kMin = 1;
  static constexpr int kMax = 32;

  constexpr Bitwidth() = default;
  /// Throws ConfigError outside [1, 32].
  explicit Bitwidth(std::int64_t bits);

  [[nodiscard]] constexpr int bits() const { return bits_; }
  friend constexpr auto operator<=>(Bitwidth, Bitwidth) = default;

 private:
  std::int8_t bits_ = 8;
};

/// Kind of number that the bits encode.
enum class NumberKind : std::uint8_t { kInt, kUint, kBipolar, kFloat };

[[nodiscard]] std::string_view to_text(NumberKind kind);
/// All kinds by name, in the order of the enumeration.
[[nodiscard]] const std::vector<std::string>& number_kind_names();

/// One slice of a tensor: a group of output channels that share a width.
struct PrecisionSlice {
  std::int64_t channels = 0;
  Bitwidth bits;
  friend bool operator==(const PrecisionSlice&, const PrecisionSlice&) = default;
};

/// Width and kind of one tensor. A weight tensor may be sliced into groups of output channels;
/// then `bits` is the widest of them and the channels of all slices sum to the tensor's.
struct Precision {
  Bitwidth bits;
  NumberKind kind = NumberKind::kInt;
  /// The zero point is not 0. On a weight it costs one add per reduction element and pixel; on an
  /// activation it folds into the bias (hardware_notes 1.1: y = sum(aw) - zw sum(a) - za sum(w)
  /// ..).
  bool asymmetric = false;
  std::vector<PrecisionSlice> slices;

  friend bool operator==(const Precision&, const Precision&) = default;
};

/// The widths of one MAC layer (of one slice) on one machine: weight and activation are compute
/// widths, the output is a storage width, partial sums may be wider than any tensor.
struct LayerPrecision {
  Bitwidth weight;
  Bitwidth activation;
  std::int64_t accumulator_bits = 32;
  Bitwidth output;
  friend constexpr auto operator<=>(const LayerPrecision&, const LayerPrecision&) = default;
};

}  // namespace vernier
