#include "arch/systemc/tile_operands.hpp"

namespace vernier::arch {

template <typename Word>
TileOperands<Word>::TileOperands(const ArrayTask& task, std::int64_t step_lanes)
    : task_(task),
      positions_(task.window.positions()),
      step_lanes_(step_lanes),
      whole_positions_(step_lanes == 1 ||
                       task.array.reduction_packing == ReductionPacking::kChannels),
      pad_value_(static_cast<Word>(task.padding_is_real ? task.input_zero_point : 0)) {
  constexpr int kCodeBits = 32;
  input_decoder_ = {kCodeBits - task.input.bits.bits(), task.input.is_signed};
  weight_decoder_ = {kCodeBits - task.weight.bits.bits(), task.weight.is_signed};
  const OperandFormat& streamed =
      task.array.dataflow == Dataflow::kInputStationary ? task.weight : task.input;
  part_bits_ = up_div(streamed.bits.bits(), task.mode.cycles);
  parts_ = up_div(streamed.bits.bits(), part_bits_);
}

template <typename Word>
bool TileOperands<Word>::begin_tile(const ArrayTile& tile) {
  tile_ = tile;
  if (tile.channels == listed_channels_) return false;
  list_elements();
  return true;
}

template <typename Word>
void TileOperands<Word>::list_elements() {
  listed_channels_ = tile_.channels;
  steps_per_position_ = up_div(tile_.channels, step_lanes_);
  steps_ = whole_positions_ ? positions_ * steps_per_position_
                            : up_div(positions_ * tile_.channels, step_lanes_);
  elements_.assign(static_cast<std::size_t>(steps_ * step_lanes_), Element{});
  const std::int64_t pitch = whole_positions_ ? steps_per_position_ * step_lanes_ : tile_.channels;
  for (std::int64_t position = 0; position < positions_; ++position) {
    for (std::int64_t channel = 0; channel < tile_.channels; ++channel) {
      elements_[static_cast<std::size_t>(position * pitch + channel)] = {
          static_cast<std::int32_t>(position), static_cast<std::int32_t>(channel)};
    }
  }
}

template <typename Word>
std::int64_t TileOperands<Word>::list_runs(std::int64_t first_slot, std::int64_t slots,
                                           std::vector<Run>& runs) const {
  runs.clear();
  std::int64_t elements = 0;
  for (std::int64_t slot = first_slot; slot < first_slot + slots; ++slot) {
    const Element& at = elements_[static_cast<std::size_t>(slot)];
    if (at.position < 0) continue;
    if (runs.empty() || runs.back().position != at.position) runs.push_back({at.position, 0});
    ++runs.back().channels;
    ++elements;
  }
  return elements;
}

template class TileOperands<std::uint32_t>;
template class TileOperands<std::uint64_t>;

}  // namespace vernier::arch
