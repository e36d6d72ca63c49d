// Any bytes as a SCALE-Sim topology: either a ConfigError or layers with at least one output.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "arch/base/error.hpp"
#include "frontends/scalesim/topology.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vernier::frontends::scalesim;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const TopologyKind kind : {TopologyKind::kConvolution, TopologyKind::kGemm}) {
    for (const Compat compat : {Compat::kV2, Compat::kV3}) {
      try {
        for (const Layer& layer : read_topology(text, "fuzz.csv", kind, compat)) {
          const bool is_sound = layer.shape.output_height() >= 1 &&
                                layer.shape.output_width() >= 1 && layer.shape.filters >= 1 &&
                                layer.shape.channels >= 1 && !layer.name.empty();
          if (!is_sound) std::abort();
        }
      } catch (const vernier::ConfigError&) {
      }
    }
  }
  return 0;
}
