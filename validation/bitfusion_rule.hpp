// The rule by which the artifact of Bit Fusion (Sharma et al., ISCA 2018; github
// hsharma35/bitfusion) counts cycles, written down from its published figures: a compatibility rule
// set like that of SCALE-Sim. It says what the artifact computes, not what hardware would do, and
// nothing of it is used by Vernier's engines. Each quirk is a switch, so that its share can be
// shown.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vernier::validation {

/// What the rule does that hardware need not do, in the order in which the comparison switches it
/// on. All on is the artifact.
enum class BitFusionQuirk : std::uint8_t {
  kHalfSram,
  kSquareTiles,
  kPowerOfTwoTiles,
  kWholeOverhang,
  kMovedPadding,
  kUnfoldedInput,
  kWideOutputs,
  kFreshOutputReads,
  kWholePrologue
};
inline constexpr int kBitFusionQuirkCount = 9;

/// Which quirks are on.
class BitFusionQuirks {
 public:
  [[nodiscard]] static BitFusionQuirks all() { return BitFusionQuirks(true); }
  [[nodiscard]] static BitFusionQuirks none() { return BitFusionQuirks(false); }
  [[nodiscard]] bool has(BitFusionQuirk quirk) const {
    return on_[static_cast<std::size_t>(quirk)];
  }
  /// A copy with one of them on or off.
  [[nodiscard]] BitFusionQuirks with(BitFusionQuirk quirk, bool on = true) const;

 private:
  explicit BitFusionQuirks(bool on) { on_.fill(on); }
  std::array<bool, kBitFusionQuirkCount> on_{};
};

/// What a quirk does, and what happens without it.
struct BitFusionQuirkText {
  std::string_view name;
  std::string_view sentence;
};
[[nodiscard]] const BitFusionQuirkText& to_text(BitFusionQuirk quirk);

/// An array of fusion units with three SRAMs and one DRAM link.
struct BitFusionMachine {
  std::int64_t rows = 16;
  std::int64_t columns = 32;
  std::int64_t bits_per_cycle = 192;
  std::int64_t weight_sram_bits = 0;
  std::int64_t input_sram_bits = 0;
  std::int64_t output_sram_bits = 0;

  /// The artifact's machines: 64, 32 and 16 KiB for 16 x 32 units, in proportion for more columns.
  [[nodiscard]] static BitFusionMachine sized(std::int64_t columns, std::int64_t bits_per_cycle);
};

/// A convolution with square input, kernel, stride and output; a dense layer has size 1.
struct BitFusionLayer {
  std::string name;
  std::int64_t batch = 1;
  std::int64_t kernel = 1;
  std::int64_t in_size = 1;  ///< real rows of the input; the rule itself counts padding as rows
  std::int64_t out_size = 1;
  std::int64_t stride = 1;
  std::int64_t in_channels = 1;
  std::int64_t out_channels = 1;
  bool is_first = false;  ///< lowered by im2col
  std::int64_t activation_bits = 8;
  std::int64_t weight_bits = 8;
  std::int64_t output_bits = 8;  ///< the rule itself has 32
};

/// Cycles of a layer as the rule counts them.
struct BitFusionCycles {
  std::int64_t compute = 0;
  std::int64_t memory_wait = 0;
  std::int64_t dram_bits = 0;

  [[nodiscard]] std::int64_t total() const { return compute + memory_wait; }
};

/// The best tile and loop order by cycles, the first of equal ones. Throws ConfigError when no tile
/// fits the SRAMs or a size is not positive.
[[nodiscard]] BitFusionCycles bitfusion_cycles(const BitFusionLayer& layer,
                                               const BitFusionMachine& machine,
                                               const BitFusionQuirks& quirks);

}  // namespace vernier::validation
