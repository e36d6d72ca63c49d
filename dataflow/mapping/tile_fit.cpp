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
  const std::int64_t groups = groups_per_tile(task_, {1, 1, in_channels, out_channels}, machine_);
  return footprint(in_slice(in_channels, groups), out_slice(out_channels, groups));
}

TileFit::InSlice TileFit::in_slice(std::int64_t in_channels, std::int64_t groups) const {
  InSlice slice;
  if (task_.unit == TaskUnit::kVector) return slice;
  if (!task_.input_resident[0]) {
    slice.input_per_pixel = memory::packed_bits(1, groups * in_channels, task_.input_storage[0],
                                                machine_.buffer(TensorRole::kInput).word)
                                .count();
  }
  slice.weight_row =
      memory::packed_bits(1, task_.window.positions() * in_channels, task_.weight_storage,
                          machine_.buffer(TensorRole::kWeight).word)
          .count();
  slice.splits_sums = splits_reduction(task_, {1, 1, in_channels, 1}, machine_);
  return slice;
}

TileFit::OutSlice TileFit::out_slice(std::int64_t out_channels, std::int64_t groups) const {
  OutSlice slice;
  slice.rows = groups * out_channels;
  const bool is_array = task_.unit == TaskUnit::kArray;
  for (std::size_t slot = 0; !is_array && slot < task_.reach.size(); ++slot) {
    if (task_.reach[slot] == InputReach::kNone || task_.input_resident[slot]) continue;
    const std::int64_t bits = memory::packed_bits(1, out_channels, task_.input_storage[slot],
                                                  machine_.buffer(TensorRole::kInput).word)
                                  .count();
    // Rows that do not follow the pixels: one of a one-pixel input, the taps of a filter.
    const std::int64_t fixed = rows_of_input(task_, slot, 0);
    (fixed > 0 ? slice.input_fixed : slice.input_per_pixel) += (fixed > 0 ? fixed : 1) * bits;
  }
  const Bits word = machine_.buffer(TensorRole::kOutput).word;
  const auto held = [&](std::int64_t bits) {
    return round_up(checked_mul(slice.rows, bits), word.count());
  };
  if (!task_.output_resident) slice.finished_per_pixel = held(task_.output_storage.bits());
  slice.sums_per_pixel = held(machine_.spec().mac.accumulator_bits);
  return slice;
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
