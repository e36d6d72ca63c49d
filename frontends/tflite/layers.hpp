// What becomes of each TFLite operator. One row per supported operator in `readers()`; adding one
// is a function and a row.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "frontends/tflite/network_builder.hpp"
#include "frontends/tflite/operators.hpp"

namespace vernier::frontends::tflite {

/// Reads one operator into the builder; throws ModelError with its place.
using OperatorReader = void (*)(NetworkBuilder& builder, const FileOperator& op);

void read_conv(NetworkBuilder& builder, const FileOperator& op);
void read_depthwise(NetworkBuilder& builder, const FileOperator& op);
void read_fully_connected(NetworkBuilder& builder, const FileOperator& op);
void read_pool(NetworkBuilder& builder, const FileOperator& op);
void read_mean(NetworkBuilder& builder, const FileOperator& op);
void read_pad(NetworkBuilder& builder, const FileOperator& op);

void read_elementwise(NetworkBuilder& builder, const FileOperator& op);
void read_activation(NetworkBuilder& builder, const FileOperator& op);
void read_softmax(NetworkBuilder& builder, const FileOperator& op);
void read_concatenation(NetworkBuilder& builder, const FileOperator& op);
void read_resize(NetworkBuilder& builder, const FileOperator& op);
void read_reshape(NetworkBuilder& builder, const FileOperator& op);
void read_transpose(NetworkBuilder& builder, const FileOperator& op);
void read_type_change(NetworkBuilder& builder, const FileOperator& op);

/// The activation function that an operator has folded in (public schema, enum
/// ActivationFunctionType); a clamp at two bounds counts as ReLU6 and is noted.
[[nodiscard]] dataflow::ActivationKind fused_activation(NetworkBuilder& builder,
                                                        const FileOperator& op, int number);

/// The reader of an operator; throws ModelError that names what is supported.
[[nodiscard]] OperatorReader reader_of(const NetworkBuilder& builder, const FileOperator& op);

}  // namespace vernier::frontends::tflite
