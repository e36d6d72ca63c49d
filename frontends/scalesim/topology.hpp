// The layers that SCALE-Sim makes of the rows of its topology file (frontends/topology reads them).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontends/scalesim/layer.hpp"
#include "frontends/scalesim/quirks.hpp"
#include "frontends/topology/topology_rows.hpp"

namespace vernier::frontends::scalesim {

using topology::TopologyKind;

/// What becomes of a row whose name says depthwise: layers of one channel each, as SCALE-Sim does
/// (quirk 2), or one depthwise layer.
enum class DepthwiseRows { kSplit, kKept };

/// Reads the text of a topology file; `file` is its name in messages. Throws ConfigError with all
/// problems found. Rows that are split by channels (quirk 2) come back as several layers.
[[nodiscard]] std::vector<Layer> read_topology(std::string_view text, const std::string& file,
                                               TopologyKind kind, Compat compat,
                                               DepthwiseRows depthwise = DepthwiseRows::kSplit);

/// Reads a topology file.
[[nodiscard]] std::vector<Layer> load_topology(const std::string& path, TopologyKind kind,
                                               Compat compat,
                                               DepthwiseRows depthwise = DepthwiseRows::kSplit);

}  // namespace vernier::frontends::scalesim
