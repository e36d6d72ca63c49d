// One row of a topology file after reading: a convolution without padding, batch 1. A GEMM row is
// stored as the convolution that SCALE-Sim makes of it.
#pragma once

#include <cstdint>
#include <string>

namespace vernier::frontends::scalesim {

/// The numbers that the reports depend on; equal shapes have equal reports.
struct LayerShape {
  std::int64_t input_height = 1;
  std::int64_t input_width = 1;
  std::int64_t filter_height = 1;
  std::int64_t filter_width = 1;
  std::int64_t channels = 1;
  std::int64_t filters = 1;
  std::int64_t stride_height = 1;
  std::int64_t stride_width = 1;

  friend auto operator<=>(const LayerShape&, const LayerShape&) = default;

  /// Quirk 1: rounded up, so that the last window may hang over the edge.
  [[nodiscard]] std::int64_t output_height() const;
  [[nodiscard]] std::int64_t output_width() const;
};

struct Layer {
  std::string name;
  LayerShape shape;
  /// A row whose name says depthwise and that was not split into channels: each channel by itself.
  bool depthwise = false;
};

/// What a GEMM of (M x K) by (K x N) is turned into.
[[nodiscard]] LayerShape gemm_shape(std::int64_t m, std::int64_t n, std::int64_t k);

}  // namespace vernier::frontends::scalesim
