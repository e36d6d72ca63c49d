// AMED (Kimhi et al., Mathematics 2024) computes latencies from SCALE-Sim reports of layers that it
// changed first. This is that path, as what it is: `amed_compat`, an explicit change of a layer;
// `amed_latency`, the cost model of its code; and beside both what the unchanged network costs on
// the same array in Vernier's own engine.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/scalesim/layer.hpp"
#include "frontends/scalesim/layer_report.hpp"

namespace vernier::validation {

/// A layer of the real network; square input, kernel and stride, same padding.
struct AmedLayer {
  std::string name;
  std::int64_t height = 1;
  std::int64_t kernel = 1;
  std::int64_t channels = 1;
  std::int64_t filters = 1;
  std::int64_t stride = 1;
};

/// Whether amed_compat keeps the stride: the ResNet-18 latencies do, Table 6 does not.
enum class AmedStride { kIgnored, kKept };

/// Filters that are simulated at `bits`: floor(F / r) + 1 with r = 4, 3, 2 for 2, 3, 4 bits, F
/// for 8. Throws ConfigError for other widths.
[[nodiscard]] std::int64_t amed_filters(std::int64_t filters, int bits);

/// The layer as AMED simulates it: no padding though the input keeps the size it has in the real
/// network, depthwise convolutions dense, fewer filters instead of narrower ones, and with kIgnored
/// every stride 1.
[[nodiscard]] frontends::scalesim::LayerShape amed_compat(const AmedLayer& layer, int bits,
                                                          AmedStride stride);

/// Report of a layer on AMED's "SCALE-Sim" machine: 32 x 32 os, 64 kB, CALC.
[[nodiscard]] frontends::scalesim::LayerReport amed_report(
    const frontends::scalesim::LayerShape& shape);

/// The cost model of AMED's code for one layer, in its milliseconds: the larger of the compute time
/// (cycles + 1) / f and of the OFMAP time (8 / bandwidth) * bits / f at the average OFMAP DRAM
/// bandwidth of the report, where bits = width * filters * height^2 of the next layer's input (of
/// its own for the last). The factor 8 / bandwidth stands in the code; 1 / (16 * bandwidth) would
/// follow from the paper's words. f = 0.2 GHz.
[[nodiscard]] double amed_latency_ms(const frontends::scalesim::LayerReport& report,
                                     std::int64_t filters, std::int64_t next_height, int bits);

/// Latency at 5 to 7 bits: on the line between those at 4 and 8 bits.
[[nodiscard]] double amed_interpolated_ms(double at_4_bits, double at_8_bits, int bits);

/// Latencies of a network at uniform bits (3, 4 or 8).
[[nodiscard]] std::vector<double> amed_network_ms(std::span<const AmedLayer> layers, int bits);

/// Table 6 by row: what the paper prints, what amed_compat gives, and the honest cycles.
struct AmedRow {
  AmedLayer layer;
  std::string type;
  std::int64_t expected_cycles = 0;
  std::int64_t expected_stalls = 0;
  double expected_overall = 0;
  double expected_mapping = 0;
  double expected_compute = 0;
  frontends::scalesim::LayerReport found;
  std::int64_t honest_cycles = 0;

  /// The five columns agree to the digits that are printed.
  [[nodiscard]] bool is_equal() const;
};

/// Reads Table 6 (validation/amed/table6.csv) and simulates every row.
[[nodiscard]] std::vector<AmedRow> amed_table6(std::string_view text, const std::string& file);

/// Fills the honest cycles: MobileNetV2 with 4-bit weights on the packing 32 x 32 machine, all
/// layers as they are. `configs` is the folder of accelerators, models and energy tables.
void add_honest_cycles(std::vector<AmedRow>& rows, const std::string& configs);

/// The table, its sums, and how many rows agree.
[[nodiscard]] std::string to_text(std::span<const AmedRow> rows);

/// One layer of AMED's ResNet-18 latency table (validation/amed/resnet18_latency.csv).
struct AmedLatencyRow {
  AmedLayer layer;
  double at_2_bits_ms = 0;
  double at_3_bits_ms = 0;
  double at_4_bits_ms = 0;
  double at_8_bits_ms = 0;
  int bits_mckp = 0;
  int bits_ddq = 0;
  int bits_hawq = 0;

  /// Latency at any of 2 to 8 bits, interpolated where the table has none.
  [[nodiscard]] double at(int bits) const;
};
[[nodiscard]] std::vector<AmedLatencyRow> amed_latency_table(std::string_view text,
                                                             const std::string& file);

}  // namespace vernier::validation
