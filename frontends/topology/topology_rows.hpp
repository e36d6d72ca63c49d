// Rows of a SCALE-Sim topology (CSV): convolutions or matrix products below a header line, as
// numbers without any meaning of SCALE-Sim's own. Missing trailing commas and blank fields at the
// end of a row are accepted; a row whose numbers could mean two things is refused.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "frontends/topology/source_text.hpp"

namespace vernier::frontends::topology {

enum class TopologyKind { kConvolution, kGemm };

/// What may stand behind the stride: a second stride for the width (SCALE-Sim v2), a dense sparsity
/// ratio such as 1:1 (v3), or both in turn.
enum class TrailingColumn { kStrideWidth, kDenseRatio, kEither };

/// What the name of a convolution contains when it is meant to be depthwise.
inline constexpr std::string_view kDepthwiseMark = "DP";

/// Most rows of one file.
inline constexpr std::size_t kMostRows = std::size_t{1} << 16;

/// One row; sizes are at least 1 and at most 2^24. Of the two groups only the one of the file's
/// kind is filled.
struct TopologyRow {
  TextField name;

  std::int64_t input_height = 1;  ///< convolution, sizes in elements
  std::int64_t input_width = 1;
  std::int64_t filter_height = 1;
  std::int64_t filter_width = 1;
  std::int64_t channels = 1;
  std::int64_t filters = 1;
  std::int64_t stride_height = 1;
  std::int64_t stride_width = 1;

  std::int64_t m = 1;  ///< product of (m x k) by (k x n)
  std::int64_t n = 1;
  std::int64_t k = 1;
};

/// Reads the text of a topology; what is wrong goes to `problems`, rows that are wrong are left
/// out.
[[nodiscard]] std::vector<TopologyRow> read_rows(std::string_view text, TopologyKind kind,
                                                 TrailingColumn trailing, Problems& problems);

}  // namespace vernier::frontends::topology
