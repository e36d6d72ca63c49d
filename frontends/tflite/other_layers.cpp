// Operators on whole tensors, views, changes of type, and the table of all readers.
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/tflite/layers.hpp"
#include "tflite_schema_generated.h"

namespace vernier::frontends::tflite {
namespace {

using dataflow::ActivationKind;
using dataflow::Concat;
using dataflow::Elementwise;
using dataflow::ElementwiseKind;
using dataflow::Shape;

struct ReaderRow {
  OperatorId id;
  OperatorReader read;
};

constexpr auto kReaders = std::to_array<ReaderRow>({
    {OperatorId::kAdd, read_elementwise},
    {OperatorId::kAveragePool2d, read_pool},
    {OperatorId::kConcatenation, read_concatenation},
    {OperatorId::kConv2d, read_conv},
    {OperatorId::kDepthwiseConv2d, read_depthwise},
    {OperatorId::kDequantize, read_type_change},
    {OperatorId::kExpandDims, read_reshape},
    {OperatorId::kFullyConnected, read_fully_connected},
    {OperatorId::kGelu, read_activation},
    {OperatorId::kHardSwish, read_activation},
    {OperatorId::kLogistic, read_activation},
    {OperatorId::kMaxPool2d, read_pool},
    {OperatorId::kMean, read_mean},
    {OperatorId::kMul, read_elementwise},
    {OperatorId::kPad, read_pad},
    {OperatorId::kPadV2, read_pad},
    {OperatorId::kQuantize, read_type_change},
    {OperatorId::kRelu, read_activation},
    {OperatorId::kRelu0To1, read_activation},
    {OperatorId::kRelu6, read_activation},
    {OperatorId::kReluN1To1, read_activation},
    {OperatorId::kReshape, read_reshape},
    {OperatorId::kResizeNearestNeighbor, read_resize},
    {OperatorId::kSoftmax, read_softmax},
    {OperatorId::kSqueeze, read_reshape},
    {OperatorId::kSub, read_elementwise},
    {OperatorId::kTanh, read_activation},
    {OperatorId::kTranspose, read_transpose},
});

bool is(const FileOperator& op, OperatorId id) { return op.id == static_cast<std::int32_t>(id); }

int elementwise_activation(const FileOperator& op) {
  if (const auto* add = op.raw->options_as_AddOptions()) return add->activation();
  if (const auto* mul = op.raw->options_as_MulOptions()) return mul->activation();
  if (const auto* sub = op.raw->options_as_SubOptions()) return sub->activation();
  return 0;  // an operator without options has their defaults
}

// Sizes without those of 1; equal lists mean an equal order of the elements.
std::vector<std::int64_t> moved_sizes(const std::vector<std::int64_t>& dims,
                                      const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> axes;
  for (const std::int64_t axis : order) {
    if (dims[static_cast<std::size_t>(axis)] != 1) axes.push_back(axis);
  }
  return axes;
}

Shape needed_shape(const NetworkBuilder& builder, const FileOperator& op) {
  const std::optional<Shape> shape = builder.stated_shape(op, builder.output(op));
  if (!shape) builder.fail(op, "the file does not state the shape of its output");
  return *shape;
}

}  // namespace

ActivationKind fused_activation(NetworkBuilder& builder, const FileOperator& op, int number) {
  constexpr int kReluN1To1 = 2;
  static constexpr auto kKinds = std::to_array<ActivationKind>(
      {ActivationKind::kNone, ActivationKind::kRelu, ActivationKind::kRelu6, ActivationKind::kRelu6,
       ActivationKind::kTanh});
  if (number < 0 || static_cast<std::size_t>(number) >= kKinds.size()) {
    builder.fail(op, fmt::format("the fused activation function {} is not supported (0 to {} are)",
                                 number, kKinds.size() - 1));
  }
  if (number == kReluN1To1) {
    builder.note(op, "the fused RELU_N1_TO_1 clamps at two bounds, counted as ReLU6");
  }
  return kKinds.at(static_cast<std::size_t>(number));
}

void read_elementwise(NetworkBuilder& builder, const FileOperator& op) {
  const bool multiplies = is(op, OperatorId::kMul);
  const ActivationKind activation = fused_activation(builder, op, elementwise_activation(op));
  if (is(op, OperatorId::kSub)) builder.note(op, "a subtraction, counted as an addition");
  std::size_t first = 0;
  std::size_t second = 1;
  if (builder.is_constant(builder.input(op, first))) std::swap(first, second);
  Value left = builder.operand(op, first);
  Value right = builder.operand_beside(op, second, left);
  if (left.shape.pixels() == 1 && right.shape.pixels() > 1) std::swap(left, right);
  builder.add(op, Elementwise{multiplies ? ElementwiseKind::kMultiply : ElementwiseKind::kAdd},
              {left, right}, activation);
}

void read_activation(NetworkBuilder& builder, const FileOperator& op) {
  ActivationKind kind = ActivationKind::kRelu;
  switch (static_cast<OperatorId>(op.id)) {
    case OperatorId::kGelu: kind = ActivationKind::kGelu; break;
    case OperatorId::kHardSwish: kind = ActivationKind::kHardSwish; break;
    case OperatorId::kLogistic: kind = ActivationKind::kSigmoid; break;
    case OperatorId::kTanh: kind = ActivationKind::kTanh; break;
    case OperatorId::kRelu6: kind = ActivationKind::kRelu6; break;
    case OperatorId::kRelu0To1:
    case OperatorId::kReluN1To1:
      kind = ActivationKind::kRelu6;
      builder.note(op, "clamps at two bounds, counted as ReLU6");
      break;
    default: break;
  }
  if (builder.fold_activation(op, kind)) return;
  builder.add(op, dataflow::ActivationLayer{kind}, {builder.operand(op, 0)});
}

void read_softmax(NetworkBuilder& builder, const FileOperator& op) {
  builder.add(op, dataflow::Softmax{}, {builder.operand(op, 0)});
}

void read_concatenation(NetworkBuilder& builder, const FileOperator& op) {
  std::int64_t axis = 0;
  std::int8_t activation = 0;
  if (const auto* options = op.raw->options_as_ConcatenationOptions()) {
    axis = options->axis();
    activation = options->activation();
  }
  std::vector<Value> inputs;
  for (std::size_t slot = 0; slot < op.inputs.size(); ++slot) {
    inputs.push_back(builder.operand(op, slot));
  }
  const auto dimension = builder.dimension(op, builder.input(op, 0), axis);
  if (!dimension || *dimension == &Shape::width) {
    builder.fail(op,
                 fmt::format("joins along axis {}; only rows and channels can be expressed", axis));
  }
  const ActivationKind kind = fused_activation(builder, op, activation);
  if (inputs.size() == 1 && kind == ActivationKind::kNone) {
    builder.alias(op, inputs.front(), "identity: one input");
    return;
  }
  const bool channels = *dimension == &Shape::channels;
  builder.add(op,
              Concat{channels ? dataflow::ConcatAxis::kChannels : dataflow::ConcatAxis::kHeight},
              inputs, kind);
}

void read_resize(NetworkBuilder& builder, const FileOperator& op) {
  const Shape shape = needed_shape(builder, op);
  builder.add(op, dataflow::Resize{shape.height, shape.width}, {builder.operand(op, 0)});
}

void read_reshape(NetworkBuilder& builder, const FileOperator& op) {
  const Value input = builder.operand(op, 0);
  const Shape shape = needed_shape(builder, op);
  builder.add(op, dataflow::Reshape{shape}, {input});
}

void read_transpose(NetworkBuilder& builder, const FileOperator& op) {
  const Value input = builder.operand(op, 0);
  const std::vector<std::int64_t>& dims = builder.file().tensors()[builder.input(op, 0)].dims;
  const std::vector<std::int64_t> order = builder.integers(op, 1);
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t axis = 0; axis < sorted.size(); ++axis) {
    if (sorted.size() != dims.size() || sorted[axis] != static_cast<std::int64_t>(axis)) {
      builder.fail(op, fmt::format("its order [{}] is no permutation of {} axes",
                                   fmt::join(order, ", "), dims.size()));
    }
  }
  if (moved_sizes(dims, order) != moved_sizes(dims, sorted)) {
    builder.fail(op, fmt::format("moves elements (axes [{}] of [{}]); only axes of size 1 may "
                                 "change their place",
                                 fmt::join(order, ", "), fmt::join(dims, ", ")));
  }
  builder.add(op, dataflow::Reshape{needed_shape(builder, op)}, {input});
}

void read_type_change(NetworkBuilder& builder, const FileOperator& op) {
  if (builder.is_constant(builder.input(op, 0))) {
    builder.pass_constant(op, "a constant in another type");
    return;
  }
  const Value value = builder.operand(op, 0, true);
  builder.requantize(op, value,
                     fmt::format("another type or scale of '{}', not counted", value.source));
}

OperatorReader reader_of(const NetworkBuilder& builder, const FileOperator& op) {
  const auto* row = std::find_if(kReaders.begin(), kReaders.end(),
                                 [&](const ReaderRow& candidate) { return is(op, candidate.id); });
  if (row != kReaders.end()) return row->read;
  std::vector<std::string> names;
  names.reserve(kReaders.size());
  for (const ReaderRow& known : kReaders) {
    names.push_back(operator_name(static_cast<std::int32_t>(known.id)));
  }
  const bool is_custom = is(op, OperatorId::kCustom);
  builder.fail(op, fmt::format("the {}operator '{}' is not supported{}; supported are {}",
                               is_custom ? "custom " : "", shown(op.op), suggestion(op.op, names),
                               name_list(names, names.size())));
}

}  // namespace vernier::frontends::tflite
