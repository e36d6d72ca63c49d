// Whether tiles fit the buffers, asked for many rectangles of the same channel slices: the same
// answer as misfit, without its division per question.
#pragma once

#include <cstdint>
#include <vector>

#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {

/// What the blocks of given channel slices take, in bits.
struct Footprint {
  std::int64_t input_per_pixel = 0;  ///< all inputs that follow the pixels, per input pixel
  std::int64_t input_fixed = 0;      ///< inputs of one pixel and taps
  std::int64_t weight = 0;
  std::int64_t output_per_pixel = 0;  ///< at the width at which outputs are held
};

class TileFit {
 public:
  /// Both arguments are loans.
  TileFit(const LayerTask& task, const Accelerator& machine);

  [[nodiscard]] Footprint footprint(std::int64_t in_channels, std::int64_t out_channels) const;

  /// What a slice of the input channels and one of the output channels bring into it, for those
  /// who ask for many pairs; bits, of tiles with that many groups.
  struct InSlice {
    std::int64_t input_per_pixel = 0;
    std::int64_t weight_row = 0;  ///< the weights of one output channel
    bool splits_sums = false;     ///< outputs are held at accumulator width
  };
  struct OutSlice {
    std::int64_t rows = 0;  ///< output channels of all groups
    std::int64_t input_per_pixel = 0;
    std::int64_t input_fixed = 0;
    std::int64_t finished_per_pixel = 0;
    std::int64_t sums_per_pixel = 0;
  };
  [[nodiscard]] InSlice in_slice(std::int64_t in_channels, std::int64_t groups) const;
  [[nodiscard]] OutSlice out_slice(std::int64_t out_channels, std::int64_t groups) const;
  [[nodiscard]] static Footprint footprint(const InSlice& in, const OutSlice& out) {
    return {in.input_per_pixel + out.input_per_pixel, out.input_fixed, out.rows * in.weight_row,
            in.splits_sums ? out.sums_per_pixel : out.finished_per_pixel};
  }
  /// `in_pixels`: of the largest input rectangle, halo included.
  [[nodiscard]] bool fits(const Footprint& footprint, std::int64_t in_pixels,
                          std::int64_t out_pixels) const;
  /// Most output pixels of a tile by what its outputs alone and their share of a buffer allow, and
  /// the same for input pixels; an upper bound, at least 0.
  struct Room {
    std::int64_t in_pixels = 0;
    std::int64_t out_pixels = 0;
  };
  [[nodiscard]] Room room(const Footprint& footprint) const;

 private:
  // One half of a buffer and the operands whose blocks it holds.
  struct Half {
    std::int64_t bits;
    bool input;
    bool weight;
    bool output;
  };

  const LayerTask& task_;
  const Accelerator& machine_;
  std::vector<Half> halves_;
};

}  // namespace vernier::dataflow
