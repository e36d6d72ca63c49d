// What the clocked array is told: once per task how operands look, and per tile where its blocks
// lie in the buffers. Blocks are dense and start at their first element; elements are codes of the
// operand's format in 32-bit containers.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "arch/base/activity.hpp"
#include "arch/mac_family.hpp"
#include "arch/port_waits.hpp"
#include "arch/spec.hpp"

namespace vernier::arch {

/// Sliding window, per axis; padding before the first row and column.
struct WindowShape {
  std::int64_t kernel_height = 1;
  std::int64_t kernel_width = 1;
  std::int64_t stride_height = 1;
  std::int64_t stride_width = 1;
  std::int64_t dilation_height = 1;
  std::int64_t dilation_width = 1;
  std::int64_t pad_top = 0;
  std::int64_t pad_left = 0;

  [[nodiscard]] std::int64_t positions() const { return kernel_height * kernel_width; }
};

/// Where an operand's elements lie: bits of one element and of one buffer word.
struct WordLayout {
  std::int64_t element_bits = 8;
  std::int64_t word_bits = 32;

  [[nodiscard]] std::int64_t words(std::int64_t run) const {
    return (run * element_bits + word_bits - 1) / word_bits;
  }
};

/// Ports of one buffer and the operands that ask there.
struct PortGroup {
  std::array<bool, kTensorRoleCount> serves{};
  std::int64_t bits_per_cycle = 1;
};

/// The part of an array task that holds for all tiles.
struct ArrayTask {
  ArraySpec array;
  MacMode mode;
  WindowShape window;
  OperandFormat input;
  OperandFormat weight;
  WordLayout input_words;
  WordLayout weight_words;
  WordLayout output_words;          ///< finished outputs
  WordLayout partial_words;         ///< partial sums
  bool groups_on_diagonal = false;  ///< several groups of a tile lie on the array's diagonal
  std::int64_t accumulator_bits = 32;
  std::int64_t sum_bits = 32;  ///< that the widest sum of a whole reduction may need
  std::vector<PortGroup> ports;
  std::int64_t requant_lanes = 0;
  bool padding_is_real = false;    ///< padded positions hold a zero point: real products
  bool weight_is_shifted = false;  ///< the weight has a zero point
  std::int64_t input_zero_point = 0;
  std::int64_t weight_zero_point = 0;
  /// Finished outputs are shifted right by this, rounded half up, and clipped to output bits.
  int requant_shift = 0;
};

/// Blocks of one tile. Output pixel (0, 0) of the tile is (first_row, first_column) of the map.
struct ArrayTile {
  std::int64_t out_rows = 1;
  std::int64_t out_columns = 1;
  std::int64_t first_row = 0;
  std::int64_t first_column = 0;
  std::int64_t in_top = 0;  ///< real input rectangle that the input block holds
  std::int64_t in_left = 0;
  std::int64_t in_rows = 0;
  std::int64_t in_columns = 0;
  std::int64_t groups = 1;        ///< at once: lanes of the PEs or places on the diagonal
  std::int64_t channels = 1;      ///< of the reduction of each group, in this tile
  std::int64_t out_channels = 1;  ///< of each group
  bool first_visit = true;        ///< no partial sums to read back
  bool last_visit = true;         ///< outputs are requantized on their way out
  bool adds_zero_points = false;  ///< sums up the activations for the weight zero point

  const std::uint32_t* input = nullptr;   ///< [in_rows][in_columns][groups][channels]
  const std::uint32_t* weight = nullptr;  ///< [groups][out_channels][window positions][channels]
  /// [out_rows][out_columns][groups][out_channels], sums, then codes
  std::int64_t* output = nullptr;
  const std::int64_t* bias = nullptr;       ///< [groups][out_channels]
  std::int64_t* exact = nullptr;            ///< as output: full-width results, for the data check
  std::int64_t* zero_point_sums = nullptr;  ///< of output pixel (0, 0) of the map, row by row
  std::int64_t map_columns = 1;             ///< pixels from one row of the map to the next
  std::int64_t zero_point_pitch = 0;        ///< sums from one group to the next

  [[nodiscard]] std::int64_t pixels() const { return out_rows * out_columns; }
  /// Outputs of a pixel.
  [[nodiscard]] std::int64_t outputs() const { return groups * out_channels; }
};

/// What the array did, counted where it happens.
struct ArrayCounts {
  std::int64_t lines = 0;
  std::int64_t port_cycles = 0;
  PortWaits port_waits{};  ///< the same by who needs them
  std::int64_t real_products = 0;
  std::int64_t product_slots = 0;  ///< of mapped PEs
  std::int64_t zero_point_adds = 0;
  std::int64_t input_reads = 0;  ///< words
  std::int64_t weight_reads = 0;
  std::int64_t output_reads = 0;
  std::int64_t output_writes = 0;
  std::int64_t finished_outputs = 0;
  std::int64_t overflows = 0;  ///< sums that left the accumulator
};

/// Value of the low bits of a code.
[[nodiscard]] inline std::int64_t decode(std::uint32_t code, OperandFormat format) {
  const int unused = 64 - format.bits.bits();
  const auto high = static_cast<std::uint64_t>(code) << unused;
  return format.is_signed ? static_cast<std::int64_t>(high) >> unused
                          : static_cast<std::int64_t>(high >> unused);
}

/// Right shift by 0 to 62 with rounding half up, then clipping to a signed range; the result is a
/// code.
[[nodiscard]] std::int64_t requantize(std::int64_t value, int shift, std::int64_t bits);

}  // namespace vernier::arch
