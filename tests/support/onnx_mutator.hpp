// Breaks ONNX files in ways that still parse: exchanged tensors, absurd sizes, other operators,
// cycles. Shared by the fuzz target and the tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vernier::tests {

/// The file with one to four changes that `seed` determines. Bytes that are no ONNX file, and one
/// file in eight, are changed byte by byte.
[[nodiscard]] std::string mutated_onnx(std::string_view bytes, std::uint32_t seed);

}  // namespace vernier::tests
