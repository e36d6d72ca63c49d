// Small ONNX networks that together use most of what the reader knows: seeds for broken files.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vernier::tests {

/// Name and bytes of each.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> onnx_fixtures();

}  // namespace vernier::tests
