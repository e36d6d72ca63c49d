// The program of one task as the clocked machine runs it: tile steps one after the other, each with
// the blocks that it needs and leaves. A TileSource hands them out; nothing here knows time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "arch/systemc/compute_module.hpp"
#include "memory/systemc/block_access.hpp"

namespace vernier::memory {

/// Streams of blocks; each has two halves of its buffer, or one.
enum class BlockStream : std::uint8_t { kInput, kSecondInput, kWeight, kOutput };
inline constexpr std::size_t kBlockStreams = 4;
inline constexpr std::size_t kLoadStreams = 3;

/// Which tensor a stream belongs to.
[[nodiscard]] constexpr TensorRole role_of(BlockStream stream) {
  switch (stream) {
    case BlockStream::kWeight: return TensorRole::kWeight;
    case BlockStream::kOutput: return TensorRole::kOutput;
    default: return TensorRole::kInput;
  }
}

/// One block as a command of the DMA engine; without bits there is no command.
struct BlockMove {
  std::int64_t bits = 0;
  RowPattern pattern;
};

/// One tile. The block pointers of `compute` are filled in by the machine when the tile starts.
struct TileStep {
  arch::ComputeTile compute;
  std::array<bool, kBlockStreams> changes{};  ///< streams whose block is another than before
  std::array<BlockMove, kLoadStreams> loads;  ///< of changed streams
  BlockMove reload;                    ///< partial sums, when the output block was visited before
  BlockMove store;                     ///< the output block, when the tile after this one leaves it
  bool stores_sums = false;            ///< `store` spills partial sums
  const std::int64_t* bias = nullptr;  ///< of the tile's output channels
  std::int64_t first_zero_point_sum = 0;  ///< place of the first pixel of the group and image
};

/// Hands out the steps of a task in order.
class TileSource {
 public:
  virtual ~TileSource() = default;
  /// Fills the next step; false when there is none left.
  virtual bool next(TileStep& step) = 0;
};

/// A region of DRAM that holds one tensor.
struct MemoryRegion {
  std::uint64_t address = 0;
  std::int64_t element_bytes = 1;
  std::uint64_t packed_address = 0;  ///< byte of DRAM where the packed tensor begins
};

/// Where a tensor that stays on chip lies: for each of its elements, in the order of the task, the
/// place in the resident part of the buffer.
using ResidentPlaces = std::vector<std::int64_t>;

/// Everything the machine is told to run a task. Written by the host, alive until the task is done.
struct TaskProgram {
  arch::ComputeTask compute;
  TileSource* steps = nullptr;
  std::array<MemoryRegion, kLoadStreams> inputs;  ///< by BlockStream
  MemoryRegion output;
  MemoryRegion sums;  ///< spilled partial sums, same places as in the output
  /// Full-width results, places as in the output; what a monitor at the requantizer sees.
  std::int64_t* exact = nullptr;
  std::array<std::int64_t, kBlockStreams> largest_block{};          ///< elements
  std::array<std::int64_t, kBlockStreams> word_bits{};              ///< of the stream's buffer
  std::array<std::int64_t, kBlockStreams> blocks_held{2, 2, 2, 2};  ///< of a stream at a time
  /// By stream: where the tensor lies on chip; null: it moves in blocks.
  std::array<const ResidentPlaces*, kBlockStreams> resident{};
  std::int64_t resident_elements = 0;  ///< size of the resident part
  std::int64_t zero_point_sums = 0;    ///< pixels of the map, 0: none are needed
  bool weight_is_loaded = false;       ///< the task before has loaded the first weight block
  BlockMove next_weight;               ///< first weight block of the next task, loaded in the end
  MemoryRegion next_weight_region;
};

}  // namespace vernier::memory
