// The part of the counting oracle that knows when folds of a tile run and how long a line waits for
// the ports (design 5.1).
#include <algorithm>
#include <vector>

#include "tests/support/oracle_tiles.hpp"

namespace vernier::tests {
namespace {

using Count = std::int64_t;

// A stretch of lines.
struct Lines {
  Count begin = 0;
  Count end = 0;
  [[nodiscard]] bool meets(const Lines& other) const {
    return begin < other.end && other.begin < end;
  }
};

// What an interval sees: streams, preloads while a stream runs, a preload that stands alone.
struct Interval {
  OracleFold stream;
  OracleFold behind;
  OracleFold alone;
};

Count rho(const Interval& at, Count step_cycles, const dataflow::AcceleratorSpec& machine) {
  Count slowest = 1;
  for (const memory::BufferSpec& buffer : machine.buffers) {
    Count streamed = 0;
    Count preloaded = 0;
    for (const TensorRole role : buffer.serves) {
      if (role == TensorRole::kInput) {
        streamed += at.stream.input_stream + step_cycles * at.behind.input_preload;
        preloaded += at.alone.input_preload;
      } else if (role == TensorRole::kWeight) {
        streamed += at.stream.weight_stream + step_cycles * at.behind.weight_preload;
        preloaded += at.alone.weight_preload;
      } else {
        streamed += step_cycles * at.stream.drain;
      }
    }
    const Count width = buffer.banks * buffer.ports * buffer.word.count();
    slowest = std::max(slowest, divide_up(streamed, step_cycles * width));
    slowest = std::max(slowest, divide_up(preloaded, width));
  }
  if (machine.vector.requant_lanes == 0) return slowest;
  return std::max(slowest, divide_up(at.stream.requantized, machine.vector.requant_lanes));
}

}  // namespace

void OracleFold::raise_to(const OracleFold& other) {
  const auto raise = [&other, this](Count OracleFold::*part) {
    this->*part = std::max(this->*part, other.*part);
  };
  raise(&OracleFold::input_stream);
  raise(&OracleFold::weight_stream);
  raise(&OracleFold::input_preload);
  raise(&OracleFold::weight_preload);
  raise(&OracleFold::drain);
  raise(&OracleFold::requantized);
}

void count_time(OracleTileCounts& counts, Count step_cycles,
                const dataflow::AcceleratorSpec& machine) {
  const Count rows = machine.array.rows;
  const Count columns = machine.array.columns;
  const bool overlaps = machine.array.fold_overlap != arch::FoldOverlap::kNone;
  const bool is_dot = machine.array.dataflow == arch::Dataflow::kDotColumns;
  const bool stays = machine.array.dataflow == arch::Dataflow::kWeightStationary ||
                     machine.array.dataflow == arch::Dataflow::kInputStationary;
  const Count preload = stays ? rows : 0;
  const std::vector<OracleFold>& folds = counts.folds;
  std::vector<Lines> streams;
  std::vector<Lines> preloads;
  Count start = 0;
  for (const OracleFold& fold : folds) {
    const Count stream = overlaps && !streams.empty() ? start : start + preload;
    const Count length = fold.temporal + rows + columns - 2;
    if (overlaps && !streams.empty()) {
      preloads.push_back({streams.back().begin, streams.back().begin + rows + columns - 1});
    } else {
      preloads.push_back({start, start + preload});
    }
    streams.push_back({stream, stream + length});
    const Count apart = is_dot ? fold.temporal : std::max(fold.temporal, rows);
    start = overlaps ? stream + apart : stream + length;
  }
  for (std::size_t at = 0; at < folds.size(); ++at) {
    const bool last = at + 1 == folds.size();
    const bool first = at == 0 || !overlaps;
    Lines interval{first ? preloads[at].begin : streams[at].begin, streams[at].end};
    if (overlaps && !last) interval.end = streams[at + 1].begin;
    Interval seen;
    for (std::size_t other = 0; other < folds.size(); ++other) {
      if (streams[other].meets(interval)) seen.stream.raise_to(folds[other]);
      if (overlaps && other > 0 && preloads[other].meets(interval)) {
        seen.behind.raise_to(folds[other]);
      }
    }
    if (first) seen.alone = folds[at];
    const Count lines = interval.end - interval.begin;
    counts.lines += lines;
    counts.port += lines * (rho(seen, step_cycles, machine) - 1);
  }
}

}  // namespace vernier::tests
