// The operands of one tile as the array sees them: which element of the window stands in which
// product slot of the reduction, where it lies in the tile's blocks, and its value. Zeros (or the
// zero point) stand where the window lies in the padding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "arch/systemc/array_program.hpp"

namespace vernier::arch {

[[nodiscard]] constexpr std::int64_t up_div(std::int64_t amount, std::int64_t part) {
  return (amount + part - 1) / part;
}

template <typename Word>
class TileOperands {
 public:
  /// A product slot of the reduction: window position and channel, or nothing (padding of lanes).
  struct Element {
    std::int32_t position = -1;
    std::int32_t channel = 0;
  };
  /// A contiguous run of channels of one window position.
  struct Run {
    std::int64_t position = 0;
    std::int64_t channels = 0;
  };
  struct Origin {  ///< input coordinates of the first window position of a pixel, in the block
    std::int64_t row = 0;
    std::int64_t column = 0;
  };

  /// `step_lanes`: that take an element in one step of the reduction. `task` is a loan.
  TileOperands(const ArrayTask& task, std::int64_t step_lanes);

  /// Sets the tile; allocates only when its reduction is longer than any before. True when the
  /// slots hold other elements than before.
  bool begin_tile(const ArrayTile& tile);
  [[nodiscard]] const ArrayTile& tile() const { return tile_; }

  [[nodiscard]] std::int64_t positions() const { return positions_; }
  /// Steps of the reduction of each group: ceilK.
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] std::int64_t steps_per_position() const { return steps_per_position_; }
  /// Every step holds channels of one window position.
  [[nodiscard]] bool whole_positions() const { return whole_positions_; }
  /// Steps of the tile's pixels and of its output channels, kP and kN at a time.
  [[nodiscard]] std::int64_t pixel_steps() const {
    return up_div(tile_.pixels(), task_.mode.pixels);
  }
  [[nodiscard]] std::int64_t channel_steps() const {
    return up_div(tile_.out_channels, task_.mode.out_channels);
  }

  [[nodiscard]] const Element& element(std::int64_t step, std::int64_t lane) const {
    return elements_[static_cast<std::size_t>(step * step_lanes_ + lane)];
  }
  /// Runs in consecutive slots, replacing those in `runs`; returns their elements. Lanes without
  /// an element belong to no run.
  std::int64_t list_runs(std::int64_t first_slot, std::int64_t slots, std::vector<Run>& runs) const;

  [[nodiscard]] Origin origin_of(std::int64_t pixel) const {
    const WindowShape& window = task_.window;
    const std::int64_t row = tile_.first_row + pixel / tile_.out_columns;
    const std::int64_t column = tile_.first_column + pixel % tile_.out_columns;
    return {row * window.stride_height - window.pad_top - tile_.in_top,
            column * window.stride_width - window.pad_left - tile_.in_left};
  }
  /// Input coordinates of a window position, inside the block or not.
  [[nodiscard]] Origin place_of(const Origin& origin, std::int64_t position) const {
    const WindowShape& window = task_.window;
    return {origin.row + position / window.kernel_width * window.dilation_height,
            origin.column + position % window.kernel_width * window.dilation_width};
  }
  [[nodiscard]] bool is_real(const Origin& origin, std::int64_t position) const {
    return holds(place_of(origin, position));
  }
  /// First channel of the first group in a window position of a pixel; nullptr in the padding.
  [[nodiscard]] const std::uint32_t* input_at(const Origin& origin, std::int64_t position) const {
    const Origin place = place_of(origin, position);
    if (!holds(place)) return nullptr;
    return tile_.input +
           (place.row * tile_.in_columns + place.column) * tile_.groups * tile_.channels;
  }
  /// First element of the reduction of an output channel of a group.
  [[nodiscard]] const std::uint32_t* weights_of(std::int64_t group, std::int64_t channel) const {
    return tile_.weight + (group * tile_.out_channels + channel) * positions_ * tile_.channels;
  }

  /// Values as decode(), in 32 bits, which the loops over runs do several at a time. Codes have no
  /// bits above their width.
  struct Decoder {
    int unused_bits = 0;
    bool is_signed = false;
    [[nodiscard]] Word operator()(std::uint32_t code) const {
      if (!is_signed) return code;
      return static_cast<Word>(static_cast<std::int32_t>(code << unused_bits) >> unused_bits);
    }
  };
  [[nodiscard]] Decoder input_decoder() const { return input_decoder_; }
  [[nodiscard]] Decoder weight_decoder() const { return weight_decoder_; }

  /// Value of an element of a group at a pixel; 0 for a slot without element.
  [[nodiscard]] Word input_value(const Origin& origin, std::int64_t group,
                                 const Element& at) const {
    if (at.position < 0) return 0;
    const std::uint32_t* run = input_at(origin, at.position);
    return run == nullptr ? pad_value_ : input_decoder_(run[group * tile_.channels + at.channel]);
  }
  /// The same for an element of the weights of an output channel.
  [[nodiscard]] Word weight_value(const std::uint32_t* weights, const Element& at) const {
    if (at.position < 0) return 0;
    return weight_decoder_(weights[at.position * tile_.channels + at.channel]);
  }
  /// What stands where the window lies in the padding.
  [[nodiscard]] Word pad_value() const { return pad_value_; }

  /// The part of a row operand that goes in at one cycle of a step of several cycles: lower parts
  /// are unsigned digits; the last one takes the rest, sign included. A step with more cycles than
  /// the operand has bits (both operands serial) feeds zeros then.
  [[nodiscard]] Word part(Word value, std::int64_t cycle) const {
    if (cycle >= parts_) return Word{0};
    const auto low_bits = [&](std::int64_t bits) {
      constexpr std::int64_t kWordBits = 8 * static_cast<std::int64_t>(sizeof(Word));
      if (bits >= kWordBits) return value;
      return static_cast<Word>(value & ((Word{1} << static_cast<unsigned>(bits)) - 1));
    };
    const Word upto = cycle + 1 == parts_ ? value : low_bits((cycle + 1) * part_bits_);
    return static_cast<Word>(upto - low_bits(cycle * part_bits_));
  }

 private:
  [[nodiscard]] bool holds(const Origin& place) const {
    return place.row >= 0 && place.row < tile_.in_rows && place.column >= 0 &&
           place.column < tile_.in_columns;
  }
  void list_elements();

  const ArrayTask& task_;
  ArrayTile tile_;
  std::int64_t positions_ = 1;
  std::int64_t step_lanes_ = 1;
  std::int64_t steps_ = 1;
  std::int64_t steps_per_position_ = 1;
  bool whole_positions_ = true;
  std::int64_t part_bits_ = 0;
  std::int64_t parts_ = 1;  ///< of a row operand in a step of several cycles
  Word pad_value_ = 0;
  Decoder input_decoder_;
  Decoder weight_decoder_;
  std::int64_t listed_channels_ = 0;
  std::vector<Element> elements_;
};

extern template class TileOperands<std::uint32_t>;
extern template class TileOperands<std::uint64_t>;

}  // namespace vernier::arch
