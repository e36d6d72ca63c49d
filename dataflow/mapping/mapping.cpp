#include "dataflow/mapping/mapping.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "dataflow/mapping/axis.hpp"
#include "memory/packing.hpp"

namespace vernier::dataflow {

std::string_view to_text(LoopDim dim) {
  switch (dim) {
    case LoopDim::kPixel: return "pixel";
    case LoopDim::kOutChannel: return "n";
    case LoopDim::kInChannel: return "k";
  }
  return "unknown";
}

std::string_view to_text(MappingOrigin origin) {
  switch (origin) {
    case MappingOrigin::kProven: return "proven";
    case MappingOrigin::kSearched: return "searched";
    case MappingOrigin::kGiven: return "given";
  }
  return "unknown";
}

Bits BlockBits::in_buffer(const memory::BufferSpec& buffer) const {
  Bits sum{0};
  if (buffer.serves_role(TensorRole::kInput)) sum += input[0] + input[1];
  if (buffer.serves_role(TensorRole::kWeight)) sum += weight;
  if (buffer.serves_role(TensorRole::kOutput)) sum += output;
  return sum;
}

arch::ReductionPacking packing_of(const LayerTask& task, const arch::ArraySpec& array) {
  using arch::ReductionPacking;
  if (array.reduction_packing != ReductionPacking::kFirstLayerWindow)
    return array.reduction_packing;
  return task.reads_network_input ? ReductionPacking::kWindow : ReductionPacking::kChannels;
}

std::int64_t reduction_steps(const LayerTask& task, std::int64_t channels,
                             const arch::MacMode& mode, const arch::ArraySpec& array) {
  const std::int64_t lanes = mode.reduction * array.rows_per_step();
  if (packing_of(task, array) == arch::ReductionPacking::kWindow) {
    return ceil_div(task.window.positions() * channels, lanes);
  }
  return task.window.positions() * ceil_div(channels, lanes);
}

bool splits_reduction(const LayerTask& task, const TileSize& tile, const Accelerator& machine) {
  if (task.unit == TaskUnit::kVector) return false;
  if (tile.in_channels < task.channels) return true;
  const arch::ArraySpec& array = machine.spec().array;
  if (!array.folds_reduction()) return false;
  const arch::MacMode& mode = machine.mode(task.weight_compute, task.activation_compute);
  return reduction_steps(task, tile.in_channels, mode, array) > array.rows;
}

std::int64_t groups_per_tile(const LayerTask& task, const TileSize& tile,
                             const Accelerator& machine) {
  if (task.unit == TaskUnit::kVector || task.groups == 1) return 1;
  if (tile.in_channels < task.channels || tile.out_channels < task.out_channels) return 1;
  const arch::ArraySpec& array = machine.spec().array;
  const arch::MacMode& mode = machine.mode(task.weight_compute, task.activation_compute);
  if (array.depthwise == arch::DepthwiseMode::kGroupedLanes) {
    return std::min(task.groups, mode.groups);
  }
  if (array.depthwise != arch::DepthwiseMode::kBlockDiagonal) return 1;
  const std::int64_t rows = array.rows / reduction_steps(task, task.channels, mode, array);
  const std::int64_t columns = array.columns / ceil_div(task.out_channels, mode.out_channels);
  return std::clamp<std::int64_t>(std::min(rows, columns), 1, task.groups);
}

BlockBits block_bits(const LayerTask& task, const TileSize& tile, const Accelerator& machine) {
  const Bits input_word = machine.buffer(TensorRole::kInput).word;
  const Bits weight_word = machine.buffer(TensorRole::kWeight).word;
  const Bits output_word = machine.buffer(TensorRole::kOutput).word;
  const std::int64_t in_pixels =
      checked_mul(reach_of(row_axis(task), tile.rows), reach_of(column_axis(task), tile.columns));
  const std::int64_t groups = groups_per_tile(task, tile, machine);
  BlockBits blocks;
  if (task.unit == TaskUnit::kArray) {
    if (!task.input_resident[0]) {
      blocks.input[0] = memory::packed_bits(in_pixels, groups * tile.in_channels,
                                            task.input_storage[0], input_word);
    }
    blocks.weight =
        memory::packed_bits(groups * tile.out_channels, task.window.positions() * tile.in_channels,
                            task.weight_storage, weight_word);
  } else {
    for (std::size_t slot = 0; slot < task.reach.size(); ++slot) {
      if (task.reach[slot] == InputReach::kNone || task.input_resident[slot]) continue;
      blocks.input[slot] =
          memory::packed_bits(rows_of_input(task, slot, in_pixels), tile.out_channels,
                              task.input_storage[slot], input_word);
    }
  }
  const bool splits = splits_reduction(task, tile, machine);
  if (task.output_resident && !splits) return blocks;
  const std::int64_t held =
      splits ? machine.spec().mac.accumulator_bits : task.output_storage.bits();
  blocks.output = output_word * checked_mul(tile.rows * tile.columns,
                                            ceil_div(checked_mul(groups * tile.out_channels, held),
                                                     output_word.count()));
  return blocks;
}

std::optional<Infeasible> misfit(const LayerTask& task, const TileSize& tile,
                                 const Accelerator& machine) {
  const BlockBits blocks = block_bits(task, tile, machine);
  for (const memory::BufferSpec& buffer : machine.spec().buffers) {
    const Bits need = blocks.in_buffer(buffer);
    if (need <= buffer.half()) continue;
    const Bytes missing = to_bytes_ceil(need - buffer.half());
    return Infeasible{
        .layer = {},
        .buffer = buffer.name,
        .missing = missing,
        .reason = fmt::format(
            "the tile of {}x{} pixels, {} input and {} output channels needs {} bytes in one half "
            "of the buffer '{}', which has {}: {} bytes are missing",
            tile.rows, tile.columns,
            task.unit == TaskUnit::kArray ? tile.in_channels : tile.out_channels, tile.out_channels,
            to_bytes_ceil(need).count(), buffer.name, to_bytes_ceil(buffer.half()).count(),
            missing.count())};
  }
  return std::nullopt;
}

}  // namespace vernier::dataflow
