// The .cfg file of SCALE-Sim: array, SRAM sizes, dataflow and bandwidth mode. Reads the key forms
// of v1, v2 and v3; what the reader cannot honour (sparsity, custom layouts, Ramulator) is refused
// by name rather than ignored.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "frontends/scalesim/quirks.hpp"

namespace vernier::frontends::scalesim {

enum class Dataflow { kOutputStationary, kWeightStationary, kInputStationary };

/// CALC estimates the bandwidth that avoids stalls; USER takes a given one and counts the stalls.
enum class BandwidthMode { kEstimated, kGiven };

struct Config {
  std::string run_name = "scale_run";
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t input_words = 0;   ///< IFMAP SRAM
  std::int64_t filter_words = 0;  ///< filter SRAM
  std::int64_t output_words = 0;  ///< OFMAP SRAM
  Dataflow dataflow = Dataflow::kOutputStationary;
  BandwidthMode mode = BandwidthMode::kEstimated;
  /// Words per cycle of each DRAM stream; used in USER mode.
  std::int64_t input_bandwidth = 0;
  std::int64_t filter_bandwidth = 0;
  std::int64_t output_bandwidth = 0;
  Compat compat = Compat::kV2;

  friend bool operator==(const Config&, const Config&) = default;
};

/// Reads the text of a .cfg file; `file` is its name in messages. Throws ConfigError with all
/// problems found.
[[nodiscard]] Config read_config(std::string_view text, const std::string& file, Compat compat);

/// Reads a .cfg file.
[[nodiscard]] Config load_config(const std::string& path, Compat compat);

/// "os", "ws" or "is".
[[nodiscard]] std::string_view to_text(Dataflow dataflow);

}  // namespace vernier::frontends::scalesim
