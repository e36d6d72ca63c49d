// The layer by its definition, without tiles, folds or buffers.
#include <algorithm>
#include <functional>

#include "arch/base/simd.hpp"
#include "arch/systemc/vector_engine.hpp"
#include "dataflow/clocked/operands.hpp"
#include "dataflow/clocked/task_program.hpp"

namespace vernier::dataflow {
namespace {

// Products of this many elements of at most 9 bits fit 32 bits together.
constexpr std::int64_t kChunk = 16'384;
constexpr int kNarrowBits = 8;  // 9 with a zero point taken off

// result[row] = sum over at of patch[at] * weights[row][at], kRows rows side by side.
template <int kRows>
[[gnu::always_inline]] inline void multiply_rows(const std::int16_t* patch,
                                                 const std::int16_t* weights,
                                                 std::int64_t reduction, std::int64_t* result) {
  std::int64_t sums[kRows] = {};
  for (std::int64_t first = 0; first < reduction; first += kChunk) {
    const std::int64_t end = std::min(reduction, first + kChunk);
    std::int32_t chunks[kRows] = {};
    for (std::int64_t at = first; at < end; ++at) {
      for (int row = 0; row < kRows; ++row) {
        chunks[row] += static_cast<std::int32_t>(patch[at]) *
                       static_cast<std::int32_t>(weights[row * reduction + at]);
      }
    }
    for (int row = 0; row < kRows; ++row) sums[row] += chunks[row];
  }
  for (int row = 0; row < kRows; ++row) result[row] = sums[row];
}

VERNIER_SIMD_CLONES void multiply(const std::int16_t* patch, const std::int16_t* weights,
                                  std::int64_t reduction, std::int64_t rows, std::int64_t* result) {
  constexpr int kTogether = 4;
  for (; rows >= kTogether; rows -= kTogether) {
    multiply_rows<kTogether>(patch, weights, reduction, result);
    weights += kTogether * reduction;
    result += kTogether;
  }
  for (; rows > 0; --rows) {
    multiply_rows<1>(patch, weights, reduction, result);
    weights += reduction;
    ++result;
  }
}

void multiply(const std::int64_t* patch, const std::int64_t* weights, std::int64_t reduction,
              std::int64_t rows, std::int64_t* result) {
  for (std::int64_t row = 0; row < rows; ++row, weights += reduction) {
    result[row] = 0;
    for (std::int64_t at = 0; at < reduction; ++at) result[row] += patch[at] * weights[at];
  }
}

template <typename Value>
std::vector<Value> shifted(const std::vector<std::int32_t>& values, std::int32_t zero_point) {
  std::vector<Value> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), [zero_point](std::int32_t value) {
    return static_cast<Value>(static_cast<std::int64_t>(value) - zero_point);
  });
  return result;
}

struct OutputPixel {
  std::int64_t image = 0;
  std::int64_t row = 0;
  std::int64_t column = 0;
};

// Gathers what the window of a pixel meets in one group; the padding contributes nothing.
template <typename Value>
void gather(const LayerTask& task, const std::vector<Value>& input, const OutputPixel& pixel,
            std::int64_t group, std::vector<Value>& patch) {
  const Window& window = task.window;
  std::fill(patch.begin(), patch.end(), Value{0});
  for (std::int64_t at = 0; at < window.positions(); ++at) {
    const std::int64_t row = pixel.row * window.stride_height - window.pad_top +
                             at / window.kernel_width * window.dilation_height;
    const std::int64_t column = pixel.column * window.stride_width - window.pad_left +
                                at % window.kernel_width * window.dilation_width;
    if (row < 0 || row >= task.in_height || column < 0 || column >= task.in_width) continue;
    const std::int64_t place =
        (((pixel.image * task.in_height + row) * task.in_width + column) * task.groups + group) *
        task.channels;
    std::copy_n(input.begin() + place, task.channels, patch.begin() + at * task.channels);
  }
}

template <typename Value>
std::vector<std::int64_t> convolve(const LayerTask& task, const TaskOperands& operands) {
  const auto input = shifted<Value>(operands.inputs[0], operands.input_zero_point);
  const auto weights = shifted<Value>(operands.weights, operands.weight_zero_point);
  const std::int64_t reduction = task.reduction();
  std::vector<Value> patch(static_cast<std::size_t>(reduction));
  std::vector<std::int64_t> result(static_cast<std::size_t>(operand_sizes(task).outputs));
  auto place = result.begin();
  OutputPixel pixel;
  for (pixel.image = 0; pixel.image < task.images; ++pixel.image) {
    for (pixel.row = 0; pixel.row < task.out_height; ++pixel.row) {
      for (pixel.column = 0; pixel.column < task.out_width; ++pixel.column) {
        for (std::int64_t group = 0; group < task.groups; ++group) {
          gather(task, input, pixel, group, patch);
          const std::int64_t channel = group * task.out_channels;
          multiply(patch.data(), weights.data() + channel * reduction, reduction, task.out_channels,
                   &*place);
          std::transform(place, place + task.out_channels, operands.bias.begin() + channel, place,
                         std::plus<>{});
          place += task.out_channels;
        }
      }
    }
  }
  return result;
}

// One output pixel of a vector task at a time, all channels.
class VectorReference {
 public:
  VectorReference(const LayerTask& task, const arch::VectorTask& program,
                  const TaskOperands& operands)
      : task_(task), program_(program), operands_(operands) {}

  std::vector<std::int64_t> run() {
    std::vector<std::int64_t> result;
    for (std::int64_t image = 0; image < task_.images; ++image) {
      for (std::int64_t row = 0; row < task_.out_height; ++row) {
        for (std::int64_t column = 0; column < task_.out_width; ++column) {
          for (std::int64_t channel = 0; channel < task_.out_channels; ++channel) {
            const OutputPixel pixel{image, row, column};
            result.push_back(
                vector_result(program_, {operand(pixel, channel), second(pixel, channel)}));
          }
        }
      }
    }
    return result;
  }

 private:
  [[nodiscard]] std::int64_t input(std::size_t slot, const OutputPixel& at,
                                   std::int64_t channel) const {
    const std::int64_t place =
        ((at.image * task_.in_height + at.row) * task_.in_width + at.column) * task_.out_channels;
    return operands_.inputs[slot][static_cast<std::size_t>(place + channel)];
  }

  [[nodiscard]] std::int64_t operand(const OutputPixel& pixel, std::int64_t channel) const {
    if (task_.reach[0] == InputReach::kNone) return 0;
    if (task_.reach[0] == InputReach::kScaled) {
      return input(0,
                   {pixel.image, pixel.row * task_.in_height / task_.out_height,
                    pixel.column * task_.in_width / task_.out_width},
                   channel);
    }
    const Window& window = task_.window;
    const bool has_taps = task_.reach[1] == InputReach::kTaps;
    std::int64_t products = 0;
    arch::VectorReduction joined(program_.has(Action::kMax));
    for (std::int64_t tap_row = 0; tap_row < window.kernel_height; ++tap_row) {
      for (std::int64_t tap_column = 0; tap_column < window.kernel_width; ++tap_column) {
        const OutputPixel at{
            pixel.image,
            pixel.row * window.stride_height - window.pad_top + tap_row * window.dilation_height,
            pixel.column * window.stride_width - window.pad_left +
                tap_column * window.dilation_width};
        if (at.row < 0 || at.row >= task_.in_height) continue;
        if (at.column < 0 || at.column >= task_.in_width) continue;
        const std::int64_t value = input(0, at, channel);
        joined.add(value);
        if (has_taps) {
          const std::int64_t tap = tap_row * window.kernel_width + tap_column;
          products +=
              value *
              operands_.inputs[1][static_cast<std::size_t>(tap * task_.out_channels + channel)];
        }
      }
    }
    return has_taps ? products : joined.result();
  }

  [[nodiscard]] std::int64_t second(const OutputPixel& pixel, std::int64_t channel) const {
    if (task_.reach[1] == InputReach::kOnePixel) {
      const std::int64_t place = pixel.image * task_.out_channels + channel;
      return operands_.inputs[1][static_cast<std::size_t>(place)];
    }
    if (task_.reach[1] == InputReach::kTaps) return 0;
    if (task_.reach[1] != InputReach::kNone) return input(1, pixel, channel);
    const std::int64_t unit = task_.channel_unit;
    if (unit == 1) return operand(pixel, channel);
    arch::VectorReduction joined(program_.has(Action::kMax));
    for (std::int64_t at = 0; at < unit; ++at) {
      joined.add(operand(pixel, channel / unit * unit + at));
    }
    return joined.result();
  }

  const LayerTask& task_;
  const arch::VectorTask& program_;
  const TaskOperands& operands_;
};

}  // namespace

std::vector<std::int64_t> reference_outputs(const LayerTask& task, const Accelerator& machine,
                                            const TaskOperands& operands) {
  if (task.unit == TaskUnit::kVector) {
    const arch::VectorTask program = vector_program(task, machine, operands);
    return VectorReference(task, program, operands).run();
  }
  const bool narrow =
      task.input_storage[0].bits() <= kNarrowBits && task.weight_storage.bits() <= kNarrowBits;
  return narrow ? convolve<std::int16_t>(task, operands) : convolve<std::int64_t>(task, operands);
}

}  // namespace vernier::dataflow
