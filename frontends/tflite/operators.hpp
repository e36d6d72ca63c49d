// Names of TFLite's builtin operators by number, for messages and for the table of what is read.
#pragma once

#include <cstdint>
#include <string>

namespace vernier::frontends::tflite {

/// Numbers of the operators that become layers, views, or parts of layers (public schema, enum
/// BuiltinOperator).
enum class OperatorId : std::int32_t {
  kAdd = 0,
  kAveragePool2d = 1,
  kConcatenation = 2,
  kConv2d = 3,
  kDepthwiseConv2d = 4,
  kDequantize = 6,
  kFullyConnected = 9,
  kLogistic = 14,
  kMaxPool2d = 17,
  kMul = 18,
  kRelu = 19,
  kReluN1To1 = 20,
  kRelu6 = 21,
  kReshape = 22,
  kSoftmax = 25,
  kTanh = 28,
  kCustom = 32,
  kPad = 34,
  kTranspose = 39,
  kMean = 40,
  kSub = 41,
  kSqueeze = 43,
  kPadV2 = 60,
  kExpandDims = 70,
  kResizeNearestNeighbor = 97,
  kQuantize = 114,
  kHardSwish = 117,
  kGelu = 150,
  kRelu0To1 = 152,
};

/// "CONV_2D"; "builtin operator 300" for numbers without a name here.
[[nodiscard]] std::string operator_name(std::int32_t number);

}  // namespace vernier::frontends::tflite
