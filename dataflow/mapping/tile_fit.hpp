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
