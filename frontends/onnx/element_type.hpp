// The element types of ONNX tensors (TensorProto.DataType) and the widths they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "arch/base/bitwidth.hpp"

namespace vernier::frontends::onnx {

/// Numbers as in TensorProto.DataType of ONNX 1.20; a file may hold any other number too.
enum class ElementType : std::int32_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16,
  kUint4 = 21,
  kInt4 = 22,
  kUint2 = 25,
  kInt2 = 26,
};

/// "INT8"; "an unknown type" for a number without a name.
[[nodiscard]] std::string_view to_text(ElementType type);

/// Signed or unsigned whole numbers, of any width.
[[nodiscard]] bool is_integer(ElementType type);

/// What a tensor of this type takes per element. Whole numbers of 64 bits count as 32, the widest
/// that a Precision holds; none for FLOAT and DOUBLE, which state nothing about a quantized
/// network, and for what is no number.
[[nodiscard]] std::optional<Precision> stated_precision(ElementType type);

}  // namespace vernier::frontends::onnx
