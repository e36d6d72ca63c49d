#include "dataflow/evaluate/timing.hpp"

#include <algorithm>
#include <vector>

namespace vernier::dataflow {
namespace {

constexpr std::size_t kLoadStreams = 3;  // kInput, kSecondInput, kWeight

// Time stamps that later steps look at.
struct Pending {
  std::int64_t channel_free = 0;
  std::int64_t end = 0;         // end(t)
  std::int64_t end_before = 0;  // end(t-1)
  // End of the last tile that used the block before the current one: frees the other half.
  std::array<std::int64_t, kLoadStreams> other_half_free{};
  std::int64_t store_before_done = 0;  // store of output block m-1, m the current one
  std::int64_t stores = 0;             // how often that has been set
};

// Sums that grow along the way; a jump multiplies their growth.
struct Sums {
  CycleBreakdown cycles;
  ChannelTraffic traffic;
};

constexpr std::size_t kSumFields = kCycleCauseCount + 8;

std::array<std::int64_t*, kSumFields> fields_of(Sums& sums) {
  std::array<std::int64_t*, kSumFields> fields{};
  std::size_t at = 0;
  for (std::int64_t& value : sums.cycles.by_cause) fields[at++] = &value;
  ChannelTraffic& traffic = sums.traffic;
  for (std::int64_t* value : {&traffic.input_bits[0], &traffic.input_bits[1], &traffic.weight_bits,
                              &traffic.prefetch_bits, &traffic.reload_bits, &traffic.spill_bits,
                              &traffic.store_bits, &traffic.busy_cycles}) {
    fields[at++] = value;
  }
  return fields;
}

// Stamps that a period of a loop may leave alone.
constexpr std::size_t kLooseStamps = kLoadStreams + 2;

std::array<std::int64_t*, kLooseStamps> loose_stamps(Pending& pending) {
  std::array<std::int64_t*, kLooseStamps> stamps{};
  for (std::size_t stream = 0; stream < kLoadStreams; ++stream) {
    stamps[stream] = &pending.other_half_free[stream];
  }
  stamps[kLoadStreams] = &pending.channel_free;
  stamps[kLoadStreams + 1] = &pending.store_before_done;
  return stamps;
}

// A snapshot at the end of one loop iteration: stamps as they are and relative to end(t). Where
// every tile has a command, they are clamped from below at end(t-1), since nothing that is granted
// later looks further back (design 5.4).
struct Snapshot {
  std::array<std::int64_t, kLooseStamps> relative{};
  std::int64_t last_tile = 0;  // end(t) - end(t-1)
  Pending stamps;
  Sums sums;
};

Snapshot snapshot_of(const Pending& pending, const Sums& sums, bool clamps) {
  Snapshot snapshot;
  snapshot.stamps = pending;
  snapshot.sums = sums;
  snapshot.last_tile = pending.end - pending.end_before;
  const auto stamps = loose_stamps(snapshot.stamps);
  for (std::size_t at = 0; at < kLooseStamps; ++at) {
    const std::int64_t stamp = clamps ? std::max(*stamps[at], pending.end_before) : *stamps[at];
    snapshot.relative[at] = stamp - pending.end;
  }
  return snapshot;
}

// Whether a stamp is what it was: then nothing between the snapshots has looked at it, because
// whoever looks at a stamp also sets it, to a later time (that of the stores to any).
bool is_untouched(std::size_t at, Snapshot& then, Snapshot& now) {
  if (at == kLoadStreams + 1) return then.stamps.stores == now.stamps.stores;
  return *loose_stamps(then.stamps)[at] == *loose_stamps(now.stamps)[at];
}

// Whether everything between the snapshots happens again, shifted, after the later one.
bool repeats(Snapshot& then, Snapshot& now) {
  if (then.last_tile != now.last_tile) return false;
  for (std::size_t at = 0; at < kLooseStamps; ++at) {
    if (then.relative[at] != now.relative[at] && !is_untouched(at, then, now)) return false;
  }
  return true;
}

CycleCause cause_of(std::size_t load_stream) {
  return load_stream == static_cast<std::size_t>(Stream::kWeight) ? CycleCause::kWeight
                                                                  : CycleCause::kInput;
}

class Recurrence {
 public:
  Recurrence(const LayerSchedule& schedule, const TileCosts& costs, const TaskBorder& border,
             const Accelerator& machine, const TimingOptions& options)
      : schedule_(schedule),
        costs_(costs),
        border_(border),
        output_is_single_(machine.buffer(TensorRole::kOutput).blocks_held() == 1),
        bandwidth_(machine.spec().dram.bandwidth),
        latency_(machine.spec().dram.latency.count()),
        loops_(schedule.loops()),
        options_(options) {
    const LayerTask& task = schedule.task();
    clamps_ = !task.output_resident && !task.input_resident[0] && !task.input_resident[1];
    const bool input_is_single = machine.buffer(TensorRole::kInput).blocks_held() == 1;
    is_single_ = {input_is_single, input_is_single,
                  machine.buffer(TensorRole::kWeight).blocks_held() == 1};
  }

  TaskTiming run() {
    constexpr StreamMask kAll = 0xFF;
    run_loop(0, kAll);
    finish();
    return {sums_.cycles, sums_.traffic};
  }

 private:
  // Iterates one loop; `entry` says which blocks are new at its first iteration.
  void run_loop(std::size_t depth, StreamMask entry) {
    if (depth == loops_.size()) {
      step(entry);
      return;
    }
    const ScheduleLoop& loop = loops_[depth];
    if (loop.total == 1) {
      at_[static_cast<std::size_t>(loop.kind)] = loop.runs.front().index;
      run_loop(depth + 1, entry);
      return;
    }
    StreamMask changed = entry;
    for (const Run& run : loop.runs) {
      at_[static_cast<std::size_t>(loop.kind)] = run.index;
      run_equal(depth, run.count, changed, loop.changes);
      changed = loop.changes;
    }
  }

  // `count` equal iterations: from the second on each enters with `repeat`, so once the state at
  // the end of an iteration equals that of c iterations ago, whole groups of c are jumped over.
  void run_equal(std::size_t depth, std::int64_t count, StreamMask first, StreamMask repeat) {
    constexpr std::size_t kLongestPeriod = 8;
    std::array<Snapshot, kLongestPeriod> history;
    std::size_t held = 0;
    bool jumped = !options_.jump;
    for (std::int64_t at = 0; at < count; ++at) {
      run_loop(depth + 1, at == 0 ? first : repeat);
      if (jumped || count - at <= 1) continue;
      Snapshot now = snapshot_of(pending_, sums_, clamps_);
      for (std::size_t period = 1; period <= std::min(held, kLongestPeriod); ++period) {
        Snapshot& then = history[(held - period) % kLongestPeriod];
        if (!repeats(then, now)) continue;
        const auto length = static_cast<std::int64_t>(period);
        const std::int64_t times = (count - 1 - at) / length;
        jump(then, now, times);
        at += times * length;
        jumped = true;
        break;
      }
      history[held++ % kLongestPeriod] = now;
    }
  }

  void jump(Snapshot& then, Snapshot& now, std::int64_t times) {
    const std::int64_t shift = checked_mul(now.stamps.end - then.stamps.end, times);
    pending_.end = checked_add(pending_.end, shift);
    pending_.end_before = checked_add(pending_.end_before, shift);
    const auto stamps = loose_stamps(pending_);
    for (std::size_t at = 0; at < kLooseStamps; ++at) {
      if (!is_untouched(at, then, now)) *stamps[at] = checked_add(*stamps[at], shift);
    }
    Sums before = then.sums;
    const auto old_fields = fields_of(before);
    const auto fields = fields_of(sums_);
    for (std::size_t at = 0; at < fields.size(); ++at) {
      *fields[at] = checked_add(*fields[at], checked_mul(*fields[at] - *old_fields[at], times));
    }
  }

  // Occupies the channel; returns the cycle at which it is free again.
  std::int64_t transfer(Bits bits, std::int64_t condition, TimingEvent::Kind kind, Stream stream) {
    const std::int64_t grant = std::max(pending_.channel_free, condition);
    const std::int64_t beats = bandwidth_.beats(bits).count();
    pending_.channel_free = checked_add(grant, beats);
    sums_.traffic.busy_cycles += beats;
    if (options_.on_event) options_.on_event({kind, stream, grant, pending_.channel_free});
    return pending_.channel_free;
  }

  // One tile: its loads, the store of the block that the tile before left, then the tile itself.
  // This is program order (loads(t+1), store(t)) seen from the later tile.
  void step(StreamMask changed) {
    const std::size_t index = schedule_.class_index(at_);
    const TileClass& tile = schedule_.classes()[index];
    const TileCost& cost = costs_[index];
    const bool first = !started_;
    std::array<std::int64_t, kLoadStreams> usable{};
    for (std::size_t stream = 0; stream < kLoadStreams; ++stream) {
      if (has(changed, static_cast<Stream>(stream))) {
        usable[stream] = load(stream, tile, first);
      }
    }
    std::int64_t psum_usable = 0;
    std::int64_t space_free = 0;
    if (has(changed, Stream::kOutput)) {
      // The only half is free once the block before has left it.
      if (output_is_single_ && !first) store_last_block();
      if (tile.reload.count() > 0) {
        sums_.traffic.reload_bits = checked_add(sums_.traffic.reload_bits, tile.reload.count());
        psum_usable = checked_add(transfer(tile.reload, pending_.store_before_done,
                                           TimingEvent::Kind::kReload, Stream::kOutput),
                                  latency_);
      }
      // Of two halves, the new block uses that of the block before the last one.
      space_free = pending_.store_before_done;
      if (!output_is_single_ && !first) store_last_block();
    }
    last_class_ = index;
    started_ = true;

    const std::int64_t ready = first ? 0 : pending_.end;
    std::int64_t start = ready;
    CycleCause cause = CycleCause::kInput;
    const auto wait_for = [&](std::int64_t time, CycleCause why) {
      if (time > start) {
        start = time;
        cause = why;
      }
    };
    for (std::size_t stream = 0; stream < kLoadStreams; ++stream) {
      wait_for(usable[stream], cause_of(stream));
    }
    wait_for(psum_usable, CycleCause::kPsum);
    wait_for(space_free, CycleCause::kOutput);
    sums_.cycles[first ? CycleCause::kFill : cause] += start - ready;
    sums_.cycles[CycleCause::kCompute] += cost.lines;
    sums_.cycles[CycleCause::kPort] += cost.port_cycles;
    pending_.end_before = ready;
    pending_.end = checked_add(start, cost.cycles());
    if (options_.on_event) {
      options_.on_event({TimingEvent::Kind::kTile, Stream::kOutput, start, pending_.end});
    }
  }

  std::int64_t load(std::size_t stream, const TileClass& tile, bool first) {
    const std::int64_t condition = half_free(stream, first);
    // The block that was current until now was last used by the tile before.
    if (!first) pending_.other_half_free[stream] = pending_.end;
    const Bits bits = tile.load[stream];
    const bool is_weight = stream == static_cast<std::size_t>(Stream::kWeight);
    if (bits.count() == 0 || (first && is_weight && border_.weight_is_loaded)) return 0;
    std::int64_t& sum = is_weight ? sums_.traffic.weight_bits : sums_.traffic.input_bits[stream];
    sum = checked_add(sum, bits.count());
    return checked_add(
        transfer(bits, condition, TimingEvent::Kind::kLoad, static_cast<Stream>(stream)), latency_);
  }

  // When the half that the next block of a stream takes has become free.
  [[nodiscard]] std::int64_t half_free(std::size_t stream, bool first) const {
    const bool is_used = stream != static_cast<std::size_t>(Stream::kWeight) ||
                         schedule_.task().unit == TaskUnit::kArray;
    if (!is_single_[stream] || !is_used) return pending_.other_half_free[stream];
    return first ? 0 : pending_.end;
  }

  void store_last_block() {
    ++pending_.stores;
    const TileClass& tile = schedule_.classes()[last_class_];
    if (tile.store.count() == 0) {  // it is where it belongs
      pending_.store_before_done = pending_.end;
      return;
    }
    std::int64_t& sum =
        tile.reduction.is_last ? sums_.traffic.store_bits : sums_.traffic.spill_bits;
    sum = checked_add(sum, tile.store.count());
    pending_.store_before_done =
        transfer(tile.store, pending_.end, TimingEvent::Kind::kStore, Stream::kOutput);
  }

  // After the last tile: the prefetch for the next task, the last store, and the end of the layer.
  void finish() {
    std::int64_t arrival = 0;
    if (border_.next_weight.count() > 0) {
      const auto weight = static_cast<std::size_t>(Stream::kWeight);
      sums_.traffic.prefetch_bits = border_.next_weight.count();
      arrival = checked_add(transfer(border_.next_weight, half_free(weight, false),
                                     TimingEvent::Kind::kPrefetch, Stream::kWeight),
                            latency_);
    }
    store_last_block();
    const std::int64_t end = std::max({pending_.end, pending_.channel_free, arrival});
    sums_.cycles[CycleCause::kDrain] += end - pending_.end;
  }

  const LayerSchedule& schedule_;
  const TileCosts& costs_;
  const TaskBorder& border_;
  bool output_is_single_;
  std::array<bool, kLoadStreams> is_single_{};
  bool clamps_ = true;  // every tile has a command
  Bandwidth bandwidth_;
  std::int64_t latency_;
  const std::vector<ScheduleLoop>& loops_;
  const TimingOptions& options_;
  std::array<std::size_t, kLoopKindCount> at_{};
  Pending pending_;
  Sums sums_;
  std::size_t last_class_ = 0;
  bool started_ = false;
};

}  // namespace

TaskTiming time_task(const LayerSchedule& schedule, const TileCosts& costs,
                     const TaskBorder& border, const Accelerator& machine,
                     const TimingOptions& options) {
  return Recurrence(schedule, costs, border, machine, options).run();
}

}  // namespace vernier::dataflow
