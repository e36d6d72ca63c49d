// The tile steps between the DMA engine, which runs ahead, and the sequencer: which block number
// each has in every stream, and what has arrived for it. Usually few; where operands stay on chip,
// many steps may have no command, and the DMA engine then loads for a tile far ahead.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <systemc>

#include "memory/systemc/tile_program.hpp"

namespace vernier::memory {

/// Requirements of a tile, in the order in which a tie between the latest is decided.
enum class Requirement : std::uint8_t { kInput, kSecondInput, kWeight, kSums, kSpace };
inline constexpr std::size_t kRequirements = 5;

struct QueuedStep {
  TileStep step;
  std::array<std::int64_t, kBlockStreams> block{};  ///< number m of the block in its stream
  std::array<bool, kRequirements> needed{};
  std::array<bool, kRequirements> met{};
  std::array<sc_core::sc_time, kRequirements> met_at;
};

class StepQueue {
 public:
  void begin(TileSource& source, bool weight_is_loaded);
  /// Step `number`, fetched when it is new; nullptr behind the last one. A pointer holds until
  /// the next new step is fetched.
  [[nodiscard]] QueuedStep* at(std::int64_t number);
  /// Nobody will ask for steps before `number` any more.
  void forget_before(std::int64_t number) { first_ = std::max(first_, number); }
  /// Blocks of a stream that have been numbered so far.
  [[nodiscard]] std::int64_t blocks(BlockStream stream) const {
    return blocks_[static_cast<std::size_t>(stream)];
  }

 private:
  [[nodiscard]] QueuedStep& slot(std::int64_t number) {
    return steps_[static_cast<std::size_t>(number) % steps_.size()];
  }
  void make_room();

  static constexpr std::size_t kFewest = 8;
  TileSource* source_ = nullptr;
  bool weight_is_loaded_ = false;
  bool exhausted_ = false;
  std::int64_t first_ = 0;  ///< oldest step that is still held
  std::int64_t fetched_ = 0;
  std::vector<QueuedStep> steps_ = std::vector<QueuedStep>(kFewest);  ///< a ring
  std::array<std::int64_t, kBlockStreams> blocks_{};
};

}  // namespace vernier::memory
