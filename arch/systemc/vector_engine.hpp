// The vector unit: lanes that work through the output elements of a tile, pixel by pixel, channels
// fastest. Each element takes the lane cycles of its operations.
//
// Integer meaning of the operations. The operand is the element itself, the largest (max) or the
// mean, rounded down (average), of the real positions of its window; 0 without any. Then, in the
// order of the task: add and multiply take the second input, or, when the operation joins the
// channels of a unit (softmax, layer norm), the largest or mean of the unit in this pixel, or the
// operand itself; an activation is a rectifier, standing for any function of one operand. The
// result is clipped to the width of the output. Softmax and layer norm have no exponential or root
// here: their operand reach, order and counts are those of the real ones.
//
// A depthwise convolution has its weights as second input, one per window position and channel: the
// operand is then the sum of products over the real positions, and the result is requantized.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "arch/base/activity.hpp"
#include "arch/systemc/array_program.hpp"

namespace vernier::arch {

inline constexpr std::size_t kVectorActions = 4;
inline constexpr std::size_t kVectorInputs = 2;

/// How an input is read for an output pixel.
enum class VectorReach : std::uint8_t { kNone, kWindow, kScaled, kOnePixel, kTaps };

/// The part of a vector task that holds for all tiles.
struct VectorTask {
  std::int64_t lanes = 1;
  std::array<Action, kVectorActions> actions{};
  std::array<std::int64_t, kVectorActions> ops_per_output{};
  std::array<std::int64_t, kVectorActions> cycles_per_op{};
  std::array<VectorReach, kVectorInputs> reach{};
  std::array<OperandFormat, kVectorInputs> input{};
  std::array<WordLayout, kVectorInputs> input_words;
  WordLayout output_words;
  std::int64_t channel_unit = 1;
  int requant_shift = 0;  ///< see ArrayTask
  WindowShape window;
  std::int64_t in_height = 1;  ///< of the whole map, for scaling
  std::int64_t in_width = 1;
  std::int64_t out_height = 1;
  std::int64_t out_width = 1;

  [[nodiscard]] bool has(Action action) const;
  /// Lane cycles of one output element.
  [[nodiscard]] std::int64_t cycles_per_output() const;
};

/// Blocks of one tile; see ArrayTile.
struct VectorTile {
  std::int64_t out_rows = 1;
  std::int64_t out_columns = 1;
  std::int64_t first_row = 0;
  std::int64_t first_column = 0;
  std::int64_t in_top = 0;
  std::int64_t in_left = 0;
  std::int64_t in_rows = 0;
  std::int64_t in_columns = 0;
  std::int64_t channels = 1;
  std::array<const std::uint32_t*, kVectorInputs> input{};  ///< [in_rows][in_columns][channels]
  std::int64_t* output = nullptr;                           ///< [out_rows][out_columns][channels]
  std::int64_t* exact = nullptr;                            ///< as output, before clipping

  [[nodiscard]] std::int64_t pixels() const { return out_rows * out_columns; }
};

struct VectorCounts {
  std::int64_t busy_cycles = 0;
  std::int64_t input_reads = 0;  ///< words
  std::int64_t output_writes = 0;
  std::int64_t requantized = 0;
  std::array<std::int64_t, kVectorActions> operations{};
};

/// What the operations make of the operands of one output element.
struct VectorOperands {
  std::int64_t operand = 0;
  std::int64_t second = 0;
};
[[nodiscard]] std::int64_t vector_result(const VectorTask& task, const VectorOperands& operands);

/// Joins values one by one as max or mean would.
class VectorReduction {
 public:
  explicit VectorReduction(bool largest) : largest_(largest) {}
  void add(std::int64_t value);
  [[nodiscard]] std::int64_t result() const;

 private:
  bool largest_;
  std::int64_t count_ = 0;
  std::int64_t value_ = 0;
};

class VectorEngine {
 public:
  explicit VectorEngine(const VectorTask& task) : task_(task) {}

  void begin_tile(const VectorTile& tile);
  /// One cycle of all lanes; elements whose last lane cycle it is are written.
  void cycle();
  [[nodiscard]] bool tile_is_done() const { return next_ == tile_.pixels() * tile_.channels; }
  [[nodiscard]] const VectorCounts& counts() const { return counts_; }

 private:
  void begin_pixel(std::int64_t pixel);
  void finish_element();
  [[nodiscard]] std::int64_t first_operand(std::int64_t channel) const;
  [[nodiscard]] std::int64_t read(std::size_t slot, std::int64_t position,
                                  std::int64_t channel) const;

  const VectorTask& task_;
  VectorCounts counts_;
  VectorTile tile_;
  std::int64_t progress_ = 0;            ///< lane cycles spent on the element at work
  std::int64_t next_ = 0;                ///< element at work
  std::vector<std::int64_t> positions_;  ///< real input pixels of the output pixel at work
  std::vector<std::int64_t> taps_;       ///< and the window position of each
  std::int64_t unit_value_ = 0;          ///< largest or mean of the channel unit at work
};

}  // namespace vernier::arch
