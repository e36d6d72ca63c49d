#include "dataflow/schedule/layer_schedule.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "memory/packing.hpp"

namespace vernier::dataflow {
namespace {

// Streams whose block depends on a loop.
StreamMask dependents(LoopKind kind, const LayerTask& task) {
  const StreamMask output = mask_of(Stream::kOutput);
  if (task.unit == TaskUnit::kVector) {
    StreamMask mask = output;
    for (std::size_t slot = 0; slot < task.reach.size(); ++slot) {
      const auto stream = static_cast<Stream>(slot);
      const bool spatial = kind == LoopKind::kRow || kind == LoopKind::kColumn;
      if (task.reach[slot] == InputReach::kNone) continue;
      if (spatial && task.reach[slot] == InputReach::kOnePixel) continue;
      const bool of_pixels = spatial || kind == LoopKind::kImage;
      if (of_pixels && task.reach[slot] == InputReach::kTaps) continue;
      mask = static_cast<StreamMask>(mask | mask_of(stream));
    }
    return mask;
  }
  const StreamMask input = mask_of(Stream::kInput);
  const StreamMask weight = mask_of(Stream::kWeight);
  switch (kind) {
    case LoopKind::kGroup: return static_cast<StreamMask>(input | weight | output);
    case LoopKind::kImage:
    case LoopKind::kRow:
    case LoopKind::kColumn: return static_cast<StreamMask>(input | output);
    case LoopKind::kOutChannel: return static_cast<StreamMask>(weight | output);
    case LoopKind::kInChannel: return static_cast<StreamMask>(input | weight);
  }
  return 0;
}

void check_size(std::string_view name, std::int64_t size, std::int64_t most) {
  if (size >= 1 && size <= most) return;
  throw ModelError(fmt::format("the mapping's {} is {}; allowed is 1 to {}", name, size, most));
}

}  // namespace

StreamMask streams_of(const LayerTask& task) {
  return dependents(LoopKind::kImage, task) | dependents(LoopKind::kGroup, task);
}

Result<LayerSchedule> LayerSchedule::compile(const LayerTask& task, const Mapping& mapping,
                                             const Accelerator& machine) {
  check_size("tile rows", mapping.tile.rows, task.out_height);
  check_size("tile columns", mapping.tile.columns, task.out_width);
  check_size("tile output channels", mapping.tile.out_channels, task.out_channels);
  if (mapping.tile.out_channels % task.channel_unit != 0) {
    throw ModelError(
        fmt::format("the mapping's tile output channels is {}; whole multiples of {} are needed",
                    mapping.tile.out_channels, task.channel_unit));
  }
  if (task.unit == TaskUnit::kArray) {
    check_size("tile input channels", mapping.tile.in_channels, task.channels);
  }
  std::array<LoopDim, 3> sorted = mapping.order;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    throw ModelError("the mapping's order names a loop twice; pixel, n and k stand once each");
  }
  if (auto reason = misfit(task, mapping.tile, machine)) return *std::move(reason);
  LayerSchedule schedule;
  schedule.task_ = task;
  schedule.mapping_ = mapping;
  schedule.rows_ = cut_axis(row_axis(task), mapping.tile.rows);
  schedule.columns_ = cut_axis(column_axis(task), mapping.tile.columns);
  schedule.group_slices_ = cut_size(task.groups, groups_per_tile(task, mapping.tile, machine));
  schedule.out_slices_ = cut_size(task.out_channels, mapping.tile.out_channels);
  if (task.unit == TaskUnit::kVector) {
    schedule.in_slices_ = {{task.channels, true, true}};
    schedule.in_runs_ = {{0, 1}};
  } else {
    const SizeRuns cut = cut_size(task.channels, mapping.tile.in_channels);
    std::int64_t total = 0;
    for (const SizeRun& run : cut) total += run.count;
    std::int64_t at = 0;
    for (const SizeRun& run : cut) {
      // Within a run of equal sizes only the very first and very last slice differ.
      std::int64_t left = run.count;
      while (left > 0) {
        const ReductionSlice slice{run.size, at == 0, at + 1 == total};
        const bool inner = !slice.is_first && !slice.is_last;
        const std::int64_t reach_end = at + left == total ? left - 1 : left;
        const std::int64_t count = inner ? reach_end : 1;
        schedule.in_runs_.push_back({schedule.in_slices_.size(), count});
        schedule.in_slices_.push_back(slice);
        at += count;
        left -= count;
      }
    }
  }
  schedule.build_loops();
  schedule.build_classes(machine);
  schedule.find_first_weight_block();
  return schedule;
}

void LayerSchedule::build_loops() {
  const auto add = [this](LoopKind kind, std::vector<Run> runs) {
    std::int64_t total = 0;
    for (const Run& run : runs) total += run.count;
    loops_.push_back({kind, std::move(runs), total, 0});
  };
  const auto runs_of = [](const SizeRuns& slices) {
    std::vector<Run> runs;
    for (std::size_t at = 0; at < slices.size(); ++at) runs.push_back({at, slices[at].count});
    return runs;
  };
  add(LoopKind::kGroup, runs_of(group_slices_));
  for (const LoopDim dim : mapping_.order) {
    if (dim == LoopDim::kPixel) {
      add(LoopKind::kImage, {{0, task_.images}});
      add(LoopKind::kRow, rows_.runs);
      add(LoopKind::kColumn, columns_.runs);
    } else if (dim == LoopDim::kOutChannel) {
      add(LoopKind::kOutChannel, runs_of(out_slices_));
    } else {
      add(LoopKind::kInChannel, in_runs_);
    }
  }
  StreamMask inner = 0;
  for (auto loop = loops_.rbegin(); loop != loops_.rend(); ++loop) {
    const StreamMask own = dependents(loop->kind, task_);
    loop->changes = static_cast<StreamMask>(own | inner);
    if (loop->total > 1) inner = static_cast<StreamMask>(inner | own);
  }
}

std::size_t LayerSchedule::class_index(const std::array<std::size_t, kLoopKindCount>& at) const {
  const auto of = [&at](LoopKind kind) { return at[static_cast<std::size_t>(kind)]; };
  return (((of(LoopKind::kGroup) * rows_.classes.size() + of(LoopKind::kRow)) *
               columns_.classes.size() +
           of(LoopKind::kColumn)) *
              out_slices_.size() +
          of(LoopKind::kOutChannel)) *
             in_slices_.size() +
         of(LoopKind::kInChannel);
}

void LayerSchedule::set_blocks(TileClass& tile, const Accelerator& machine) {
  const Bits input_word = machine.buffer(TensorRole::kInput).word;
  const Bits output_word = machine.buffer(TensorRole::kOutput).word;
  const std::int64_t in_pixels = checked_mul(tile.row->in_length, tile.column->in_length);
  const std::int64_t out_run = tile.groups * tile.out_channels;
  if (task_.unit == TaskUnit::kArray) {
    if (!task_.input_resident[0]) {
      tile.load[0] = memory::packed_bits(in_pixels, tile.groups * tile.reduction.channels,
                                         task_.input_storage[0], input_word);
    }
    tile.load[2] =
        memory::packed_bits(out_run, task_.window.positions() * tile.reduction.channels,
                            task_.weight_storage, machine.buffer(TensorRole::kWeight).word);
  } else {
    for (std::size_t slot = 0; slot < task_.reach.size(); ++slot) {
      if (task_.reach[slot] == InputReach::kNone || task_.input_resident[slot]) continue;
      tile.load[slot] = memory::packed_bits(rows_of_input(task_, slot, in_pixels), out_run,
                                            task_.input_storage[slot], input_word);
    }
  }
  const std::int64_t accumulator = machine.spec().mac.accumulator_bits;
  const Bits held = output_word * checked_mul(tile.pixels(),
                                              ceil_div(out_run * accumulator, output_word.count()));
  tile.reload = tile.reduction.is_first ? Bits{0} : held;
  const Bits finished =
      task_.output_resident
          ? Bits{0}
          : memory::packed_bits(tile.pixels(), out_run, task_.output_storage, output_word);
  tile.store = tile.reduction.is_last ? finished : held;
  largest_.input[0] = std::max(largest_.input[0], tile.load[0]);
  largest_.input[1] = std::max(largest_.input[1], tile.load[1]);
  largest_.weight = std::max(largest_.weight, tile.load[2]);
}

void LayerSchedule::build_classes(const Accelerator& machine) {
  const auto tiles_of = [](const AxisTiles& tiles, std::size_t index) {
    std::int64_t count = 0;
    for (const Run& run : tiles.runs) count += run.index == index ? run.count : 0;
    return count;
  };
  for (const SizeRun& group : group_slices_) {
    for (std::size_t row = 0; row < rows_.classes.size(); ++row) {
      for (std::size_t column = 0; column < columns_.classes.size(); ++column) {
        const std::int64_t places =
            checked_mul(checked_mul(group.count, task_.images),
                        checked_mul(tiles_of(rows_, row), tiles_of(columns_, column)));
        for (const SizeRun& out : out_slices_) {
          for (std::size_t in = 0; in < in_slices_.size(); ++in) {
            TileClass tile;
            tile.row = &rows_.classes[row];
            tile.column = &columns_.classes[column];
            tile.groups = group.size;
            tile.out_channels = out.size;
            tile.reduction = in_slices_[in];
            tile.count = checked_mul(places, checked_mul(out.count, in_runs_[in].count));
            set_blocks(tile, machine);
            classes_.push_back(tile);
          }
        }
      }
    }
  }
  // Held width, not stored width, decides what the output buffer must hold.
  largest_.output = block_bits(task_, mapping_.tile, machine).output;
}

void LayerSchedule::find_first_weight_block() {
  if (task_.unit != TaskUnit::kArray || !task_.constant_weight) return;
  std::array<std::size_t, kLoopKindCount> first{};
  for (const ScheduleLoop& loop : loops_) {
    first[static_cast<std::size_t>(loop.kind)] = loop.runs.front().index;
  }
  first_weight_block_ =
      classes_[class_index(first)].load[static_cast<std::size_t>(Stream::kWeight)];
}

std::int64_t LayerSchedule::tile_count() const {
  std::int64_t count = 1;
  for (const ScheduleLoop& loop : loops_) count = checked_mul(count, loop.total);
  return count;
}

}  // namespace vernier::dataflow
