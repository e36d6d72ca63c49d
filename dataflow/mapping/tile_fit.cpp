#include "dataflow/mapping/tile_fit.hpp"

#include <algorithm>
#include <limits>

#include "memory/packing.hpp"

namespace vernier::dataflow {

TileFit::TileFit(const LayerTask& task, const Accelerator& machine)
    : task_(task), machine_(machine) {
  for (const memory::BufferSpec& buffer : machine.spec().buffers) {
    halves_.push_back({buffer.half().count(), buffer.serves_role(TensorRole::kInput),
                       buffer.serves_role(TensorRole::kWeight),
                       buffer.serves_role(TensorRole::kOutput)});
  }
}

Footprint TileFit::footprint(std::int64_t in_channels, std::int64_t out_channels) const {
  const bool is_array = task_.unit == TaskUnit::kArray;
  const BlockBits blocks = block_bits(task_, {1, 1, in_channels, out_channels}, machine_);
  const std::int64_t groups = groups_per_tile(task_, {1, 1, in_channels, out_channels}, machine_);
  const Bits word = machine_.buffer(TensorRole::kInput).word;
  Footprint result;
  for (std::size_t slot = 0; slot < blocks.input.size(); ++slot) {
    if (!is_array && task_.reach[slot] == InputReach::kNone) continue;
    if ((is_array && slot > 0) || task_.input_resident[slot]) continue;
    const std::int64_t bits = memory::packed_bits(1, is_array ? groups * in_channels : out_channels,
                                                  task_.input_storage[slot], word)
                                  .count();
    // Rows that do not follow the pixels: one of a one-pixel input, the taps of a filter.
    const std::int64_t fixed = is_array ? 0 : rows_of_input(task_, slot, 0);
    if (fixed > 0) {
      result.input_fixed += fixed * bits;
    } else {
      result.input_per_pixel += bits;
    }
  }
  result.weight = blocks.weight.count();
  result.output_per_pixel = blocks.output.count();
  return result;
}

bool TileFit::fits(const Footprint& footprint, std::int64_t in_pixels,
                   std::int64_t out_pixels) const {
  const std::int64_t input = in_pixels * footprint.input_per_pixel + footprint.input_fixed;
  const std::int64_t output = out_pixels * footprint.output_per_pixel;
  for (const Half& half : halves_) {
    const std::int64_t need = (half.input ? input : 0) + (half.weight ? footprint.weight : 0) +
                              (half.output ? output : 0);
    if (need > half.bits) return false;
  }
  return true;
}

TileFit::Room TileFit::room(const Footprint& footprint) const {
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  Room room{kAll, kAll};
  for (const Half& half : halves_) {
    const std::int64_t left =
        half.bits - (half.weight ? footprint.weight : 0) - (half.input ? footprint.input_fixed : 0);
    const auto limit = [left](std::int64_t& pixels, bool served, std::int64_t per_pixel) {
      if (served && per_pixel > 0) {
        pixels = std::min(pixels, std::max<std::int64_t>(0, left / per_pixel));
      }
    };
    limit(room.in_pixels, half.input, footprint.input_per_pixel);
    limit(room.out_pixels, half.output, footprint.output_per_pixel);
    if (left < 0) room = {0, 0};
  }
  return room;
}

}  // namespace vernier::dataflow
