#include "dataflow/mapping/mapping.hpp"

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

BlockBits block_bits(const LayerTask& task, const TileSize& tile, const Accelerator& machine) {
  const Bits input_word = machine.buffer(TensorRole::kInput).word;
  const Bits weight_word = machine.buffer(TensorRole::kWeight).word;
  const Bits output_word = machine.buffer(TensorRole::kOutput).word;
  const std::int64_t in_pixels =
      checked_mul(reach_of(row_axis(task), tile.rows), reach_of(column_axis(task), tile.columns));
  BlockBits blocks;
  if (task.unit == TaskUnit::kArray) {
    blocks.input[0] =
        memory::packed_bits(in_pixels, tile.in_channels, task.input_storage[0], input_word);
    blocks.weight =
        memory::packed_bits(tile.out_channels, task.window.positions() * tile.in_channels,
                            task.weight_storage, weight_word);
  } else {
    for (std::size_t slot = 0; slot < task.reach.size(); ++slot) {
      if (task.reach[slot] == InputReach::kNone) continue;
      const std::int64_t pixels = task.reach[slot] == InputReach::kOnePixel ? 1 : in_pixels;
      blocks.input[slot] =
          memory::packed_bits(pixels, tile.out_channels, task.input_storage[slot], input_word);
    }
  }
  const std::int64_t held = splits_reduction(task, tile, machine)
                                ? machine.spec().mac.accumulator_bits
                                : task.output_storage.bits();
  blocks.output = output_word *
                  checked_mul(tile.rows * tile.columns,
                              ceil_div(checked_mul(tile.out_channels, held), output_word.count()));
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
