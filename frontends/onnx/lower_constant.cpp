// Arithmetic on constants: the shape computations that exporters leave in a graph, and what stands
// between a weight tensor and its layer. Elements are computed for small tensors only; for the
// others the dimensions are enough.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "arch/base/checked.hpp"
#include "arch/base/text.hpp"
#include "frontends/onnx/operators.hpp"

namespace vernier::frontends::onnx {
namespace {

using Dims = std::vector<std::int64_t>;

constexpr std::int64_t kMostNumbers = 4096;

struct UnaryRow {
  std::string_view op;
  double (*compute)(double);
};
constexpr std::array kUnary{
    UnaryRow{"Neg", [](double x) { return -x; }},
    UnaryRow{"Abs", [](double x) { return std::fabs(x); }},
    UnaryRow{"Floor", [](double x) { return std::floor(x); }},
    UnaryRow{"Ceil", [](double x) { return std::ceil(x); }},
    UnaryRow{"Round", [](double x) { return std::nearbyint(x); }},
    UnaryRow{"Sqrt", [](double x) { return std::sqrt(x); }},
    UnaryRow{"Exp", [](double x) { return std::exp(x); }},
    UnaryRow{"Log", [](double x) { return std::log(x); }},
    UnaryRow{"Reciprocal", [](double x) { return 1.0 / x; }},
    UnaryRow{"Relu", [](double x) { return std::max(x, 0.0); }},
    UnaryRow{"Not", [](double x) { return x == 0.0 ? 1.0 : 0.0; }},
    UnaryRow{"Sigmoid", [](double x) { return 1.0 / (1.0 + std::exp(-x)); }},
    UnaryRow{"Tanh", [](double x) { return std::tanh(x); }},
};

struct BinaryRow {
  std::string_view op;
  double (*compute)(double, double);
};
constexpr std::array kBinary{
    BinaryRow{"Add", [](double a, double b) { return a + b; }},
    BinaryRow{"Sub", [](double a, double b) { return a - b; }},
    BinaryRow{"Mul", [](double a, double b) { return a * b; }},
    BinaryRow{"Div", [](double a, double b) { return a / b; }},
    BinaryRow{"Mod", [](double a, double b) { return a - std::floor(a / b) * b; }},
    BinaryRow{"Pow", [](double a, double b) { return std::pow(a, b); }},
    BinaryRow{"Min", [](double a, double b) { return std::min(a, b); }},
    BinaryRow{"Max", [](double a, double b) { return std::max(a, b); }},
    BinaryRow{"Sum", [](double a, double b) { return a + b; }},
    BinaryRow{"Equal", [](double a, double b) { return a == b ? 1.0 : 0.0; }},
    BinaryRow{"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }},
    BinaryRow{"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }},
    BinaryRow{"And", [](double a, double b) { return a != 0.0 && b != 0.0 ? 1.0 : 0.0; }},
    BinaryRow{"Or", [](double a, double b) { return a != 0.0 || b != 0.0 ? 1.0 : 0.0; }},
};

template <typename Rows>
const auto* find_row(const Rows& rows, std::string_view op) {
  const auto* row =
      std::find_if(rows.begin(), rows.end(), [&](const auto& each) { return each.op == op; });
  return row == rows.end() ? nullptr : row;
}

Dims broadcast(Lowering& lowering, const Node& node, const Dims& left, const Dims& right) {
  Dims dims(std::max(left.size(), right.size()), 1);
  for (std::size_t back = 1; back <= dims.size(); ++back) {
    const std::int64_t a = back <= left.size() ? left[left.size() - back] : 1;
    const std::int64_t b = back <= right.size() ? right[right.size() - back] : 1;
    if (a != b && a != 1 && b != 1) {
      lowering.fail(node, fmt::format("the constants {} and {} do not go together", dims_text(left),
                                      dims_text(right)));
    }
    dims[dims.size() - back] = a == 1 ? b : a;
  }
  return dims;
}

// Index into a tensor of dimensions `from` of element `at` of the broadcast `dims`.
std::size_t source_index(std::int64_t at, const Dims& dims, const Dims& from) {
  std::int64_t index = 0;
  std::int64_t stride = 1;
  for (std::size_t back = 1; back <= dims.size(); ++back) {
    const std::int64_t place = at % dims[dims.size() - back];
    at /= dims[dims.size() - back];
    if (back > from.size()) continue;
    const std::int64_t size = from[from.size() - back];
    if (size != 1) index += place * stride;
    stride *= size;
  }
  return static_cast<std::size_t>(index);
}

Value constant_of(ElementType type, Dims dims) {
  Value value;
  value.type = type;
  value.dims = std::move(dims);
  value.is_constant = true;
  value.is_integral = is_integer(type);
  return value;
}

std::int64_t small_count(const Dims& dims) {
  const std::int64_t count = element_count(dims);
  return count <= kMostNumbers ? count : -1;
}

Value binary(Lowering& lowering, const Node& node, const Value& left, const Value& right) {
  Value result = constant_of(left.type, broadcast(lowering, node, left.dims, right.dims));
  const std::int64_t count = small_count(result.dims);
  if (count >= 0 && left.numbers && right.numbers) {
    const BinaryRow& row = *find_row(kBinary, node.op);
    result.numbers.emplace();
    for (std::int64_t at = 0; at < count; ++at) {
      double number = row.compute((*left.numbers)[source_index(at, result.dims, left.dims)],
                                  (*right.numbers)[source_index(at, result.dims, right.dims)]);
      if (node.op == "Div" && is_integer(left.type)) number = std::trunc(number);
      result.numbers->push_back(number);
    }
  }
  // A weight that is shifted and scaled out of its stored numbers keeps their width.
  const bool shifts = node.op == "Add" || node.op == "Sub";
  if (shifts || node.op == "Mul" || node.op == "Div") {
    const Value& wide = left.width || !right.width ? left : right;
    if (wide.width && wide.dims == result.dims) {
      result.width = wide.width;
      if (shifts) result.width->precision.asymmetric = true;
    }
  }
  return result;
}

void slice(Lowering& lowering, const Node& node) {
  const Value& x = lowering.input(node, 0);
  const auto list = [&](std::size_t slot, std::string_view attribute) {
    return lowering.has(node, slot) ? lowering.integers(node, slot)
                                    : lowering.integer_list(node, attribute).value_or(Dims{});
  };
  const Dims starts = list(1, "starts");
  const Dims ends = list(2, "ends");
  Dims axes = list(3, "axes");
  Dims steps = list(4, "steps");
  if (axes.empty()) {
    for (std::size_t at = 0; at < starts.size(); ++at)
      axes.push_back(static_cast<std::int64_t>(at));
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (starts.size() != ends.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    lowering.fail(node, "starts, ends, axes and steps have different numbers of entries");
  }
  Value y = constant_of(x.type, x.dims);
  Dims begin(x.dims.size(), 0);
  Dims step(x.dims.size(), 1);
  for (std::size_t at = 0; at < starts.size(); ++at) {
    const std::size_t axis = lowering.axis(node, axes[at], x.dims.size());
    const std::int64_t size = x.dims[axis];
    if (steps[at] == 0) lowering.fail(node, "a step of 0");
    const bool forward = steps[at] > 0;
    const auto place = [&](std::int64_t given, bool is_start) {
      const std::int64_t least = !is_start && !forward ? -1 : 0;
      const std::int64_t most = is_start && !forward ? size - 1 : size;
      if (given < 0 && given + size >= -1 - size) given += size;
      return std::clamp(given, least, std::max(least, most));
    };
    const std::int64_t first = place(starts[at], true);
    const std::int64_t last = place(ends[at], false);
    const std::int64_t distance = forward ? last - first : first - last;
    const std::int64_t stride = forward ? steps[at] : (steps[at] < -size ? size : -steps[at]);
    y.dims[axis] = distance <= 0 ? 0 : ceil_div(distance, std::max<std::int64_t>(stride, 1));
    begin[axis] = first;
    step[axis] = forward ? stride : -stride;
  }
  const std::int64_t count = small_count(y.dims);
  if (x.numbers && count >= 0) {
    y.numbers.emplace();
    for (std::int64_t at = 0; at < count; ++at) {
      std::int64_t rest = at;
      std::int64_t index = 0;
      std::int64_t stride = 1;
      for (std::size_t dim = x.dims.size(); dim-- > 0;) {
        index += (begin[dim] + rest % y.dims[dim] * step[dim]) * stride;
        rest /= y.dims[dim];
        stride *= x.dims[dim];
      }
      y.numbers->push_back(x.numbers->at(static_cast<std::size_t>(index)));
    }
  }
  y.width = x.width;
  lowering.set(node, 0, std::move(y));
}

void gather(Lowering& lowering, const Node& node) {
  const Value& x = lowering.input(node, 0);
  const Value& indices = lowering.input(node, 1);
  const std::size_t axis = lowering.axis(node, lowering.integer(node, "axis", 0), x.dims.size());
  Dims dims(x.dims.begin(), x.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
  dims.insert(dims.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims.end());
  Value y = constant_of(x.type, std::move(dims));
  y.width = x.width;
  if (y.width) y.width->channel_bits.clear();
  const std::int64_t count = small_count(y.dims);
  if (x.numbers && indices.numbers && count >= 0) {
    const std::int64_t inner = element_count(std::span(x.dims).subspan(axis + 1));
    const std::int64_t picked = element_count(indices.dims);
    y.numbers.emplace();
    for (std::int64_t at = 0; at < count; ++at) {
      const std::int64_t outer = at / (inner * picked);
      const auto which = static_cast<std::size_t>(at / inner % picked);
      const double given = (*indices.numbers)[which];
      const auto size = static_cast<double>(x.dims[axis]);
      const double index = given < 0 ? given + size : given;
      if (!(index >= 0 && index < size)) {
        lowering.fail(node, fmt::format("index {} of {} entries", given, x.dims[axis]));
      }
      const std::int64_t from =
          (outer * x.dims[axis] + static_cast<std::int64_t>(index)) * inner + at % inner;
      y.numbers->push_back((*x.numbers)[static_cast<std::size_t>(from)]);
    }
  }
  lowering.set(node, 0, std::move(y));
}

void concat(Lowering& lowering, const Node& node) {
  const Value& first = lowering.input(node, 0);
  const std::size_t rank = first.dims.size();
  const std::size_t axis = lowering.axis(node, lowering.integer(node, "axis", 1), rank);
  Value y = constant_of(first.type, first.dims);
  y.dims[axis] = 0;
  bool known = true;
  std::int64_t rows = 1;  // runs of elements in front of the axis
  for (std::size_t dim = 0; dim < axis; ++dim) rows = checked_mul(rows, first.dims[dim]);
  for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
    const Value& part = lowering.input(node, slot);
    for (std::size_t dim = 0; dim < rank; ++dim) {
      if (part.dims.size() != rank || (dim != axis && part.dims[dim] != first.dims[dim])) {
        lowering.fail(node, fmt::format("the constants {} and {} do not go together",
                                        dims_text(first.dims), dims_text(part.dims)));
      }
    }
    y.dims[axis] = checked_add(y.dims[axis], part.dims[axis]);
    known = known && part.numbers.has_value();
  }
  if (known && small_count(y.dims) > 0) {
    y.numbers.emplace();
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::size_t slot = 0; slot < node.inputs.size(); ++slot) {
        const std::vector<double>& numbers = *lowering.input(node, slot).numbers;
        const auto run =
            static_cast<std::ptrdiff_t>(static_cast<std::int64_t>(numbers.size()) / rows);
        const auto begin = numbers.begin() + row * run;
        y.numbers->insert(y.numbers->end(), begin, begin + run);
      }
    }
  }
  lowering.set(node, 0, std::move(y));
}

void expand(Lowering& lowering, const Node& node) {
  const Value& x = lowering.input(node, 0);
  const Dims shape = lowering.integers(node, 1);
  for (const std::int64_t size : shape) {
    if (size < 0 || size > dataflow::kMaxElements) {
      lowering.fail(node, fmt::format("the shape {} is none", dims_text(shape)));
    }
  }
  Value y = constant_of(x.type, broadcast(lowering, node, x.dims, shape));
  const std::int64_t count = small_count(y.dims);
  if (x.numbers && count >= 0) {
    y.numbers.emplace();
    for (std::int64_t at = 0; at < count; ++at) {
      y.numbers->push_back((*x.numbers)[source_index(at, y.dims, x.dims)]);
    }
  }
  lowering.set(node, 0, std::move(y));
}

void where(Lowering& lowering, const Node& node) {
  const Value& condition = lowering.input(node, 0);
  const Value& left = lowering.input(node, 1);
  const Value& right = lowering.input(node, 2);
  Value y = constant_of(
      left.type,
      broadcast(lowering, node, broadcast(lowering, node, condition.dims, left.dims), right.dims));
  const std::int64_t count = small_count(y.dims);
  if (condition.numbers && left.numbers && right.numbers && count >= 0) {
    const std::vector<double>& takes_left = *condition.numbers;
    const std::vector<double>& lefts = *left.numbers;
    const std::vector<double>& rights = *right.numbers;
    y.numbers.emplace();
    for (std::int64_t at = 0; at < count; ++at) {
      const bool is_left = takes_left[source_index(at, y.dims, condition.dims)] != 0.0;
      y.numbers->push_back(is_left ? lefts[source_index(at, y.dims, left.dims)]
                                   : rights[source_index(at, y.dims, right.dims)]);
    }
  }
  lowering.set(node, 0, std::move(y));
}

void range(Lowering& lowering, const Node& node) {
  const double start = lowering.numbers(node, 0).empty() ? 0.0 : lowering.numbers(node, 0)[0];
  const double limit = lowering.numbers(node, 1).empty() ? 0.0 : lowering.numbers(node, 1)[0];
  const double delta = lowering.numbers(node, 2).empty() ? 0.0 : lowering.numbers(node, 2)[0];
  const double count = std::max(std::ceil((limit - start) / delta), 0.0);
  if (!(count <= static_cast<double>(kMostNumbers))) {
    lowering.fail(node, fmt::format("a range from {} to {} in steps of {}", start, limit, delta));
  }
  Value y = constant_of(lowering.input(node, 0).type, {static_cast<std::int64_t>(count)});
  y.numbers.emplace();
  for (int at = 0; at < static_cast<int>(count); ++at) y.numbers->push_back(start + at * delta);
  lowering.set(node, 0, std::move(y));
}

void reduce(Lowering& lowering, const Node& node) {
  const std::vector<double>& numbers = lowering.numbers(node, 0);
  const Value& x = lowering.input(node, 0);
  if (x.dims.size() > 1)
    lowering.fail(node, "a reduction of a constant with one dimension is read");
  const bool multiplies = node.op == "ReduceProd";
  double result = multiplies ? 1.0 : 0.0;
  for (const double number : numbers) {
    if (node.op == "ReduceMax")
      result = std::max(result, number);
    else
      result = multiplies ? result * number : result + number;
  }
  if (node.op == "ReduceMean" && !numbers.empty()) result /= static_cast<double>(numbers.size());
  Value y = constant_of(x.type, lowering.integer(node, "keepdims", 1) != 0 ? Dims{1} : Dims{});
  y.numbers = std::vector<double>{result};
  lowering.set(node, 0, std::move(y));
}

struct FoldRow {
  std::string_view op;
  Handler fold;
};
constexpr std::array kFolds{
    FoldRow{"Slice", slice},       FoldRow{"Gather", gather},    FoldRow{"Concat", concat},
    FoldRow{"Expand", expand},     FoldRow{"Where", where},      FoldRow{"Range", range},
    FoldRow{"ReduceProd", reduce}, FoldRow{"ReduceSum", reduce}, FoldRow{"ReduceMax", reduce},
    FoldRow{"ReduceMean", reduce},
};

}  // namespace

void lower_constant(Lowering& lowering, const Node& node) {
  Value value = constant_of(ElementType::kFloat, {});
  if (const Attribute* tensor = node.find("value")) {
    value.type = tensor->tensor.type;
    value.dims = tensor->tensor.dims;
    value.numbers = tensor->tensor.numbers;
  } else if (const Attribute* number = node.find("value_float")) {
    value.numbers = std::vector<double>{number->number};
  } else if (const Attribute* integer = node.find("value_int")) {
    value.type = ElementType::kInt64;
    value.numbers = std::vector<double>{static_cast<double>(integer->integer)};
  } else if (const Attribute* integers = node.find("value_ints")) {
    value.type = ElementType::kInt64;
    value.dims = {static_cast<std::int64_t>(integers->integers.size())};
    value.numbers.emplace(integers->integers.begin(), integers->integers.end());
  } else if (const Attribute* numbers = node.find("value_floats")) {
    value.dims = {static_cast<std::int64_t>(numbers->numbers.size())};
    value.numbers = numbers->numbers;
  } else {
    lowering.fail(node,
                  "one of the attributes value, value_float, value_int, value_floats and "
                  "value_ints is needed");
  }
  value.is_integral = is_integer(value.type);
  if (const auto stated = stated_precision(value.type)) {
    value.width = StatedWidth{*stated,
                              Lowering::layer_name(node),
                              fmt::format("element type {}", to_text(value.type)),
                              "",
                              {},
                              0};
  }
  lowering.skip(node, "a constant");
  lowering.set(node, 0, std::move(value));
}

void lower_constant_of_shape(Lowering& lowering, const Node& node) {
  Value value = constant_of(ElementType::kFloat, lowering.integers(node, 0));
  for (const std::int64_t size : value.dims) {
    if (size < 0 || size > dataflow::kMaxElements) {
      lowering.fail(node, fmt::format("the shape {} is none", dims_text(value.dims)));
    }
  }
  constexpr std::size_t kMostDimensions = 16;
  if (value.dims.size() > kMostDimensions) lowering.fail(node, "more than 16 dimensions");
  double number = 0.0;
  if (const Attribute* tensor = node.find("value")) {
    value.type = tensor->tensor.type;
    if (tensor->tensor.numbers && !tensor->tensor.numbers->empty()) {
      number = tensor->tensor.numbers->front();
    }
  }
  const std::int64_t count = small_count(value.dims);
  if (count >= 0) value.numbers.emplace(static_cast<std::size_t>(count), number);
  lowering.skip(node, "a constant");
  lowering.set(node, 0, std::move(value));
}

void lower_arithmetic(Lowering& lowering, const Node& node) {
  if (const FoldRow* row = find_row(kFolds, node.op)) {
    row->fold(lowering, node);
  } else if (find_row(kBinary, node.op) != nullptr) {
    Value result = lowering.input(node, 0);
    for (std::size_t slot = 1; slot < node.inputs.size(); ++slot) {
      result = binary(lowering, node, result, lowering.input(node, slot));
    }
    lowering.set(node, 0, std::move(result));
  } else {
    Value result = lowering.input(node, 0);
    const UnaryRow* unary = find_row(kUnary, node.op);
    if (unary == nullptr || !result.numbers) {
      result.numbers.reset();
    } else {
      std::transform(result.numbers->begin(), result.numbers->end(), result.numbers->begin(),
                     unary->compute);
    }
    lowering.set(node, 0, std::move(result));
  }
  lowering.skip(node, "arithmetic on constants");
}

}  // namespace vernier::frontends::onnx
