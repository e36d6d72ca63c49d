#include "frontends/onnx/element_type.hpp"

#include <algorithm>
#include <array>

namespace vernier::frontends::onnx {
namespace {

struct TypeRow {
  ElementType type;
  std::string_view name;
  int bits;  // 0: states no width
  NumberKind kind;
};

constexpr std::array kTypes{
    TypeRow{ElementType::kUndefined, "UNDEFINED", 0, NumberKind::kFloat},
    TypeRow{ElementType::kFloat, "FLOAT", 0, NumberKind::kFloat},
    TypeRow{ElementType::kUint8, "UINT8", 8, NumberKind::kUint},
    TypeRow{ElementType::kInt8, "INT8", 8, NumberKind::kInt},
    TypeRow{ElementType::kUint16, "UINT16", 16, NumberKind::kUint},
    TypeRow{ElementType::kInt16, "INT16", 16, NumberKind::kInt},
    TypeRow{ElementType::kInt32, "INT32", 32, NumberKind::kInt},
    TypeRow{ElementType::kInt64, "INT64", 32, NumberKind::kInt},
    TypeRow{ElementType::kString, "STRING", 0, NumberKind::kFloat},
    TypeRow{ElementType::kBool, "BOOL", 1, NumberKind::kUint},
    TypeRow{ElementType::kFloat16, "FLOAT16", 16, NumberKind::kFloat},
    TypeRow{ElementType::kDouble, "DOUBLE", 0, NumberKind::kFloat},
    TypeRow{ElementType::kUint32, "UINT32", 32, NumberKind::kUint},
    TypeRow{ElementType::kUint64, "UINT64", 32, NumberKind::kUint},
    TypeRow{ElementType::kBfloat16, "BFLOAT16", 16, NumberKind::kFloat},
    TypeRow{static_cast<ElementType>(17), "FLOAT8E4M3FN", 8, NumberKind::kFloat},
    TypeRow{static_cast<ElementType>(18), "FLOAT8E4M3FNUZ", 8, NumberKind::kFloat},
    TypeRow{static_cast<ElementType>(19), "FLOAT8E5M2", 8, NumberKind::kFloat},
    TypeRow{static_cast<ElementType>(20), "FLOAT8E5M2FNUZ", 8, NumberKind::kFloat},
    TypeRow{ElementType::kUint4, "UINT4", 4, NumberKind::kUint},
    TypeRow{ElementType::kInt4, "INT4", 4, NumberKind::kInt},
    TypeRow{static_cast<ElementType>(23), "FLOAT4E2M1", 4, NumberKind::kFloat},
    TypeRow{static_cast<ElementType>(24), "FLOAT8E8M0", 8, NumberKind::kFloat},
    TypeRow{ElementType::kUint2, "UINT2", 2, NumberKind::kUint},
    TypeRow{ElementType::kInt2, "INT2", 2, NumberKind::kInt},
};

const TypeRow* row_of(ElementType type) {
  const auto* row = std::find_if(kTypes.begin(), kTypes.end(),
                                 [&](const TypeRow& each) { return each.type == type; });
  return row == kTypes.end() ? nullptr : row;
}

}  // namespace

std::string_view to_text(ElementType type) {
  const TypeRow* row = row_of(type);
  return row == nullptr ? std::string_view("an unknown type") : row->name;
}

bool is_integer(ElementType type) {
  const TypeRow* row = row_of(type);
  return row != nullptr && row->bits > 0 && row->kind != NumberKind::kFloat &&
         type != ElementType::kBool;
}

std::optional<Precision> stated_precision(ElementType type) {
  const TypeRow* row = row_of(type);
  if (row == nullptr || row->bits == 0) return std::nullopt;
  return Precision{Bitwidth(row->bits), row->kind, false, {}};
}

}  // namespace vernier::frontends::onnx
