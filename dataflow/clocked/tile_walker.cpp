#include "dataflow/clocked/tile_walker.hpp"

#include <algorithm>

#include "memory/packing.hpp"

namespace vernier::dataflow {
namespace {

using memory::BlockMove;
using memory::BlockStream;

constexpr auto kOutput = static_cast<std::size_t>(BlockStream::kOutput);
constexpr auto kWeight = static_cast<std::size_t>(BlockStream::kWeight);

std::int64_t bits_of(std::int64_t rows, std::int64_t run, Bitwidth bits, Bits word) {
  return memory::packed_bits(rows, run, bits, word).count();
}

}  // namespace

TileWalker::TileWalker(const LayerSchedule& schedule, const Accelerator& machine,
                       const std::vector<std::int64_t>& bias)
    : schedule_(schedule), task_(schedule.task()), machine_(machine), bias_(bias) {}

// Counts the loops on by one tile; the streams whose block changes, none behind the last tile.
StreamMask TileWalker::advance() {
  if (finished_) return 0;
  if (!started_) {
    started_ = true;
    return streams_of(task_);
  }
  const std::vector<ScheduleLoop>& loops = schedule_.loops();
  for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop) {
    std::int64_t& at = at_[static_cast<std::size_t>(loop->kind)];
    if (++at < loop->total) return loop->changes;
    at = 0;
  }
  finished_ = true;
  return 0;
}

TileWalker::Span TileWalker::touched(const AxisSpec& axis, const Span& outputs) const {
  const std::int64_t last = outputs.first + outputs.length - 1;
  if (axis.scaled) {
    const std::int64_t low = outputs.first * axis.in_size / axis.out_size;
    return {low, last * axis.in_size / axis.out_size - low + 1};
  }
  const std::int64_t low = std::max<std::int64_t>(0, outputs.first * axis.stride - axis.pad_before);
  const std::int64_t high = std::min(
      axis.in_size - 1, last * axis.stride - axis.pad_before + (axis.kernel - 1) * axis.dilation);
  return {low, std::max<std::int64_t>(0, high - low + 1)};
}

// Groups of a tile that is not the last; more than one only where tiles hold whole groups.
std::int64_t TileWalker::whole_groups() const {
  if (task_.unit == TaskUnit::kVector) return 1;
  return groups_per_tile(task_, schedule_.mapping().tile, machine_);
}

TileWalker::Place TileWalker::place() const {
  const TileSize& tile = schedule_.mapping().tile;
  const auto slice = [this](LoopKind kind, std::int64_t size, std::int64_t whole) {
    const std::int64_t first = at_[static_cast<std::size_t>(kind)] * size;
    return Span{first, std::min(size, whole - first)};
  };
  Place at;
  at.group = at_[static_cast<std::size_t>(LoopKind::kGroup)] * whole_groups();
  at.groups = std::min(whole_groups(), task_.groups - at.group);
  at.image = at_[static_cast<std::size_t>(LoopKind::kImage)];
  at.rows = slice(LoopKind::kRow, tile.rows, task_.out_height);
  at.columns = slice(LoopKind::kColumn, tile.columns, task_.out_width);
  at.out_channels = slice(LoopKind::kOutChannel, tile.out_channels, task_.out_channels);
  at.in_channels = task_.unit == TaskUnit::kArray
                       ? slice(LoopKind::kInChannel, tile.in_channels, task_.channels)
                       : at.out_channels;
  at.in_rows = touched(row_axis(task_), at.rows);
  at.in_columns = touched(column_axis(task_), at.columns);
  return at;
}

BlockMove TileWalker::input_block(const Place& at, std::size_t slot) const {
  const Bits word = machine_.buffer(TensorRole::kInput).word;
  const Bitwidth bits = task_.input_storage[slot];
  const std::int64_t run = at.groups * at.in_channels.length;
  const bool stays = task_.input_resident[slot];
  BlockMove move;
  if (task_.unit == TaskUnit::kVector && task_.reach[slot] == InputReach::kTaps) {
    const std::int64_t positions = task_.window.positions();
    move.pattern = {at.out_channels.first, run, {1, positions}, {0, task_.out_channels}};
    move.bits = bits_of(positions, run, bits, word);
    return move;
  }
  if (task_.unit == TaskUnit::kVector && task_.reach[slot] == InputReach::kOnePixel) {
    move.pattern = {at.image * task_.out_channels + at.out_channels.first, run, {1, 1}, {0, 0}};
    move.bits = stays ? 0 : bits_of(1, run, bits, word);
    return move;
  }
  const std::int64_t pitch = task_.groups * task_.channels;
  move.pattern.first =
      ((at.image * task_.in_height + at.in_rows.first) * task_.in_width + at.in_columns.first) *
          pitch +
      at.group * task_.channels + at.in_channels.first;
  move.pattern.run = run;
  move.pattern.count = {at.in_rows.length, at.in_columns.length};
  move.pattern.stride = {task_.in_width * pitch, pitch};
  move.bits = stays ? 0 : bits_of(at.in_rows.length * at.in_columns.length, run, bits, word);
  return move;
}

BlockMove TileWalker::weight_block(const Place& at) const {
  const std::int64_t positions = task_.window.positions();
  const std::int64_t row = positions * task_.channels;
  BlockMove move;
  move.pattern.first =
      (at.group * task_.out_channels + at.out_channels.first) * row + at.in_channels.first;
  move.pattern.run = at.in_channels.length;
  move.pattern.count = {at.groups * at.out_channels.length, positions};
  move.pattern.stride = {row, task_.channels};
  move.bits = bits_of(at.groups * at.out_channels.length, positions * at.in_channels.length,
                      task_.weight_storage, machine_.buffer(TensorRole::kWeight).word);
  return move;
}

BlockMove TileWalker::finished_block(const Place& at) const {
  BlockMove move = output_block(at, task_.output_storage.bits());
  if (task_.output_resident) move.bits = 0;
  return move;
}

BlockMove TileWalker::output_block(const Place& at, std::int64_t bits) const {
  const std::int64_t pitch = task_.groups * task_.out_channels;
  const std::int64_t word = machine_.buffer(TensorRole::kOutput).word.count();
  BlockMove move;
  move.pattern.first =
      ((at.image * task_.out_height + at.rows.first) * task_.out_width + at.columns.first) * pitch +
      at.group * task_.out_channels + at.out_channels.first;
  move.pattern.run = at.groups * at.out_channels.length;
  move.pattern.count = {at.rows.length, at.columns.length};
  move.pattern.stride = {task_.out_width * pitch, pitch};
  move.bits = at.rows.length * at.columns.length * word * ceil_div(move.pattern.run * bits, word);
  return move;
}

void TileWalker::set_array(const Place& at, memory::TileStep& step) const {
  arch::ArrayTile tile;
  tile.out_rows = at.rows.length;
  tile.out_columns = at.columns.length;
  tile.first_row = at.rows.first;
  tile.first_column = at.columns.first;
  tile.in_top = at.in_rows.first;
  tile.in_left = at.in_columns.first;
  tile.in_rows = at.in_rows.length;
  tile.in_columns = at.in_columns.length;
  tile.groups = at.groups;
  tile.channels = at.in_channels.length;
  tile.out_channels = at.out_channels.length;
  tile.first_visit = at.in_channels.first == 0;
  tile.last_visit = at.in_channels.first + at.in_channels.length == task_.channels;
  tile.adds_zero_points = task_.asymmetric_weight && at.out_channels.first == 0;
  tile.map_columns = task_.out_width;
  tile.zero_point_pitch = task_.images * task_.out_height * task_.out_width;
  step.compute = tile;
  step.loads[0] = input_block(at, 0);
  step.loads[kWeight] = weight_block(at);
  const std::int64_t accumulator = machine_.spec().mac.accumulator_bits;
  step.reload = tile.first_visit ? BlockMove{} : output_block(at, accumulator);
  step.store = tile.last_visit ? finished_block(at) : output_block(at, accumulator);
  step.stores_sums = !tile.last_visit;
  step.bias = bias_.data() + at.group * task_.out_channels + at.out_channels.first;
  step.first_zero_point_sum =
      (at.group * task_.images + at.image) * task_.out_height * task_.out_width;
}

void TileWalker::set_vector(const Place& at, memory::TileStep& step) const {
  arch::VectorTile tile;
  tile.out_rows = at.rows.length;
  tile.out_columns = at.columns.length;
  tile.first_row = at.rows.first;
  tile.first_column = at.columns.first;
  tile.in_top = at.in_rows.first;
  tile.in_left = at.in_columns.first;
  tile.in_rows = at.in_rows.length;
  tile.in_columns = at.in_columns.length;
  tile.channels = at.out_channels.length;
  step.compute = tile;
  for (std::size_t slot = 0; slot < task_.reach.size(); ++slot) {
    if (task_.reach[slot] != InputReach::kNone) step.loads[slot] = input_block(at, slot);
  }
  step.store = finished_block(at);
}

bool TileWalker::next(memory::TileStep& step) {
  const StreamMask changed = advance();
  if (changed == 0) return false;
  step = {};
  for (std::size_t stream = 0; stream < memory::kBlockStreams; ++stream) {
    step.changes[stream] = has(changed, static_cast<Stream>(stream));
  }
  const Place at = place();
  if (task_.unit == TaskUnit::kArray) {
    set_array(at, step);
  } else {
    set_vector(at, step);
  }
  return true;
}

std::int64_t TileWalker::packed_element(BlockStream stream, std::int64_t bits) const {
  const TileSize& tile = schedule_.mapping().tile;
  const std::int64_t word = machine_.buffer(memory::role_of(stream)).word.count();
  const bool is_array = task_.unit == TaskUnit::kArray;
  const bool by_input = is_array && stream != BlockStream::kOutput;
  const std::int64_t whole = by_input ? task_.channels : task_.out_channels;
  const std::int64_t slice = std::min(whole, by_input ? tile.in_channels : tile.out_channels);
  const std::int64_t runs = stream == BlockStream::kWeight ? task_.window.positions() : 1;
  std::int64_t most = 0;
  for (const std::int64_t run : {slice, whole % slice}) {
    if (run == 0) continue;
    most = std::max(most, ceil_div(round_up(runs * run * bits, word), runs * run));
  }
  return most;
}

BlockMove TileWalker::first_weight() const {
  const TileWalker start(schedule_, machine_, bias_);
  return weight_block(start.place());
}

std::array<std::int64_t, memory::kBlockStreams> TileWalker::largest_blocks() const {
  const TileSize& tile = schedule_.mapping().tile;
  const auto reach = [](const AxisSpec& axis, std::int64_t length, const auto& span_of) {
    std::int64_t most = 0;
    for (std::int64_t first = 0; first < axis.out_size; first += length) {
      most = std::max(most, span_of(axis, Span{first, std::min(length, axis.out_size - first)}));
    }
    return most;
  };
  const auto length_of = [this](const AxisSpec& axis, const Span& outputs) {
    return touched(axis, outputs).length;
  };
  const std::int64_t pixels = reach(row_axis(task_), tile.rows, length_of) *
                              reach(column_axis(task_), tile.columns, length_of);
  std::array<std::int64_t, memory::kBlockStreams> largest{};
  if (task_.unit == TaskUnit::kArray) {
    largest[0] = whole_groups() * pixels * tile.in_channels;
    largest[kWeight] =
        whole_groups() * tile.out_channels * task_.window.positions() * tile.in_channels;
  } else {
    largest[0] = pixels * tile.out_channels;
    largest[1] = std::max(pixels, task_.window.positions()) * tile.out_channels;
  }
  largest[kOutput] = whole_groups() * tile.rows * tile.columns * tile.out_channels;
  return largest;
}

}  // namespace vernier::dataflow
