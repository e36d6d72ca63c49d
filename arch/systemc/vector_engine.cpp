#include "arch/systemc/vector_engine.hpp"

#include <algorithm>

namespace vernier::arch {

bool VectorTask::has(Action action) const {
  for (std::size_t at = 0; at < actions.size(); ++at) {
    if (actions[at] == action && ops_per_output[at] > 0) return true;
  }
  return false;
}

std::int64_t VectorTask::cycles_per_output() const {
  std::int64_t cycles = 0;
  for (std::size_t at = 0; at < actions.size(); ++at) {
    cycles += ops_per_output[at] * cycles_per_op[at];
  }
  return cycles;
}

void VectorReduction::add(std::int64_t value) {
  if (largest_) {
    value_ = count_ == 0 ? value : std::max(value_, value);
  } else {
    value_ += value;
  }
  ++count_;
}

std::int64_t VectorReduction::result() const {
  if (largest_ || count_ == 0) return value_;
  const std::int64_t quotient = value_ / count_;
  return value_ % count_ < 0 ? quotient - 1 : quotient;
}

std::int64_t vector_result(const VectorTask& task, const VectorOperands& operands) {
  std::int64_t value = operands.operand;
  if (task.reach[1] == VectorReach::kTaps) {  // multiply and add have made the operand
    return task.has(Action::kActivation) ? std::max<std::int64_t>(value, 0) : value;
  }
  for (std::size_t at = 0; at < task.actions.size(); ++at) {
    if (task.ops_per_output[at] == 0) continue;
    switch (task.actions[at]) {
      case Action::kAdd: value += operands.second; break;
      case Action::kMultiply: value *= operands.second; break;
      case Action::kActivation: value = std::max<std::int64_t>(value, 0); break;
      default: break;  // max and average have made the operands; a copy changes nothing
    }
  }
  return value;
}

void VectorEngine::begin_tile(const VectorTile& tile) {
  tile_ = tile;
  progress_ = 0;
  next_ = 0;
  if (task_.reach[1] == VectorReach::kOnePixel) {
    counts_.input_reads += task_.input_words[1].words(tile.channels);
  } else if (task_.reach[1] == VectorReach::kTaps) {
    counts_.input_reads += task_.window.positions() * task_.input_words[1].words(tile.channels);
  }
}

void VectorEngine::cycle() {
  const std::int64_t needed = task_.cycles_per_output();
  ++counts_.busy_cycles;
  progress_ += task_.lanes;
  while (!tile_is_done() && progress_ >= needed) {
    progress_ -= needed;
    finish_element();
  }
}

// Lists the input pixels that the window meets, and reads their runs of channels.
void VectorEngine::begin_pixel(std::int64_t pixel) {
  positions_.clear();
  taps_.clear();
  const std::int64_t row = tile_.first_row + pixel / tile_.out_columns;
  const std::int64_t column = tile_.first_column + pixel % tile_.out_columns;
  const auto meet = [&](std::int64_t in_row, std::int64_t in_column, std::int64_t tap) {
    in_row -= tile_.in_top;
    in_column -= tile_.in_left;
    if (in_row < 0 || in_row >= tile_.in_rows) return;
    if (in_column < 0 || in_column >= tile_.in_columns) return;
    positions_.push_back(in_row * tile_.in_columns + in_column);
    taps_.push_back(tap);
  };
  if (task_.reach[0] == VectorReach::kScaled) {
    meet(row * task_.in_height / task_.out_height, column * task_.in_width / task_.out_width, 0);
  } else {
    const WindowShape& window = task_.window;
    for (std::int64_t at = 0; at < window.positions(); ++at) {
      meet(row * window.stride_height - window.pad_top +
               at / window.kernel_width * window.dilation_height,
           column * window.stride_width - window.pad_left +
               at % window.kernel_width * window.dilation_width,
           at);
    }
  }
  const auto met = static_cast<std::int64_t>(positions_.size());
  for (std::size_t slot = 0; slot < kVectorInputs; ++slot) {
    const VectorReach reach = task_.reach[slot];
    if (reach != VectorReach::kWindow && reach != VectorReach::kScaled) continue;
    counts_.input_reads += met * task_.input_words[slot].words(tile_.channels);
  }
  counts_.output_writes += task_.output_words.words(tile_.channels);
}

std::int64_t VectorEngine::read(std::size_t slot, std::int64_t position,
                                std::int64_t channel) const {
  return decode(tile_.input[slot][position * tile_.channels + channel], task_.input[slot]);
}

std::int64_t VectorEngine::first_operand(std::int64_t channel) const {
  if (task_.reach[0] == VectorReach::kNone) return 0;
  if (task_.reach[1] == VectorReach::kTaps) {
    std::int64_t sum = 0;
    for (std::size_t at = 0; at < positions_.size(); ++at) {
      sum += read(0, positions_[at], channel) * read(1, taps_[at], channel);
    }
    return sum;
  }
  VectorReduction window(task_.has(Action::kMax));
  for (const std::int64_t position : positions_) window.add(read(0, position, channel));
  return window.result();
}

void VectorEngine::finish_element() {
  const std::int64_t pixel = next_ / tile_.channels;
  const std::int64_t channel = next_ % tile_.channels;
  if (channel == 0) begin_pixel(pixel);
  VectorOperands operands;
  operands.operand = first_operand(channel);
  if (task_.reach[1] == VectorReach::kTaps) {
    ++counts_.requantized;
  } else if (task_.reach[1] == VectorReach::kOnePixel) {
    operands.second = read(1, 0, channel);
  } else if (task_.reach[1] != VectorReach::kNone) {
    operands.second = positions_.empty() ? 0 : read(1, positions_.front(), channel);
  } else if (task_.channel_unit > 1) {
    if (channel % task_.channel_unit == 0) {
      VectorReduction unit(task_.has(Action::kMax));
      for (std::int64_t at = 0; at < task_.channel_unit; ++at) {
        unit.add(first_operand(channel + at));
      }
      unit_value_ = unit.result();
    }
    operands.second = unit_value_;
  } else {
    operands.second = operands.operand;
  }
  const std::int64_t value = vector_result(task_, operands);
  tile_.exact[next_] = value;
  tile_.output[next_] = requantize(value, task_.requant_shift, task_.output_words.element_bits);
  for (std::size_t at = 0; at < kVectorActions; ++at) {
    counts_.operations[at] += task_.ops_per_output[at];
  }
  ++next_;
}

}  // namespace vernier::arch
