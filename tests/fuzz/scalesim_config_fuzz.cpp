// Any bytes as a SCALE-Sim configuration: either a ConfigError or a configuration within its
// limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "arch/base/error.hpp"
#include "frontends/scalesim/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vernier::frontends::scalesim;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Compat compat : {Compat::kV2, Compat::kV3}) {
    try {
      const Config config = read_config(text, "fuzz.cfg", compat);
      const bool is_sound = config.rows >= 1 && config.columns >= 1 && config.input_words >= 1 &&
                            config.filter_words >= 1 && config.output_words >= 1 &&
                            !config.run_name.empty() &&
                            config.run_name.find('/') == std::string::npos &&
                            (config.mode == BandwidthMode::kEstimated ||
                             (config.input_bandwidth >= 1 && config.output_bandwidth >= 1));
      if (!is_sound) std::abort();
    } catch (const vernier::ConfigError&) {
    }
  }
  return 0;
}
