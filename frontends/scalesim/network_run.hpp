// All layers of a topology: equal shapes are computed once, different ones in parallel. The result
// is the same for any number of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "frontends/scalesim/config.hpp"
#include "frontends/scalesim/layer.hpp"
#include "frontends/scalesim/layer_report.hpp"

namespace vernier::frontends::scalesim {

/// Called after each computed shape, from any thread but never from two at once.
using ProgressReport = std::function<void(std::size_t done, std::size_t all)>;

/// Reports of all layers, in their order. Throws ModelError for the first layer that is too large,
/// with its name.
[[nodiscard]] std::vector<LayerReport> report_network(std::span<const Layer> layers,
                                                      const Config& config, int jobs = 1,
                                                      const ProgressReport& progress = {});

}  // namespace vernier::frontends::scalesim
