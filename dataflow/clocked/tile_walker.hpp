// Turns a schedule into the tile steps that the clocked machine runs: walks the loops and works out
// rectangles, blocks and their places in memory from coordinates, element by element. Of the
// schedule it takes the loops and which streams change; not the sizes of blocks, so that a wrong
// one shows as a difference between the engines.
//
// Tensors of a task lie in memory with channels fastest: inputs [image][row][column][group,
// channel], weights [group][output channel][window position][channel], outputs like inputs, a
// second input of one pixel [image][channel].
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataflow/schedule/layer_schedule.hpp"
#include "memory/systemc/tile_program.hpp"

namespace vernier::dataflow {

class TileWalker : public memory::TileSource {
 public:
  /// `bias` has one value per output channel, groups one after the other; may be empty for vector
  /// tasks. Both must outlive the walker.
  TileWalker(const LayerSchedule& schedule, const Accelerator& machine,
             const std::vector<std::int64_t>& bias);

  bool next(memory::TileStep& step) override;

  /// Elements of the largest block of each stream.
  [[nodiscard]] std::array<std::int64_t, memory::kBlockStreams> largest_blocks() const;
  /// Most bits that an element of a stream's tensor takes in DRAM at a width: rows of full and last
  /// slices, padded to words.
  [[nodiscard]] std::int64_t packed_element(memory::BlockStream stream, std::int64_t bits) const;
  /// The first weight block, for the task before.
  [[nodiscard]] memory::BlockMove first_weight() const;

 private:
  struct Span {
    std::int64_t first = 0;
    std::int64_t length = 0;
  };
  struct Place {
    std::int64_t group = 0;   ///< first of the tile
    std::int64_t groups = 1;  ///< at once
    std::int64_t image = 0;
    Span rows;
    Span columns;
    Span out_channels;
    Span in_channels;
    Span in_rows;
    Span in_columns;
  };

  [[nodiscard]] std::int64_t whole_groups() const;
  [[nodiscard]] StreamMask advance();
  [[nodiscard]] Place place() const;
  [[nodiscard]] Span touched(const AxisSpec& axis, const Span& outputs) const;
  [[nodiscard]] memory::BlockMove input_block(const Place& at, std::size_t slot) const;
  [[nodiscard]] memory::BlockMove weight_block(const Place& at) const;
  [[nodiscard]] memory::BlockMove output_block(const Place& at, std::int64_t bits) const;
  [[nodiscard]] memory::BlockMove finished_block(const Place& at) const;
  void set_array(const Place& at, memory::TileStep& step) const;
  void set_vector(const Place& at, memory::TileStep& step) const;

  const LayerSchedule& schedule_;
  const LayerTask& task_;
  const Accelerator& machine_;
  const std::vector<std::int64_t>& bias_;
  std::array<std::int64_t, kLoopKindCount> at_{};
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace vernier::dataflow
