// Lower bounds of what a mapping of one task costs, far cheaper than running the recurrences. They
// rest on four facts (docs/mapping.md): bits over the channel follow from loops and sizes exactly;
// energy is counts times prices; a tile cut into smaller rectangles never asks less of array and
// buffers in sum than the whole one (waits for ports aside); and no tile starts before its loads,
// which wait for the end of the tile two before.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataflow/evaluate/task_cost.hpp"
#include "dataflow/mapping/axis.hpp"
#include "dataflow/mapping/candidates.hpp"
#include "dataflow/search/objective.hpp"

namespace vernier::dataflow {

/// Counts as floating-point numbers: exact below 2^53, and never an overflow. Bounds of larger
/// counts step back by more than their rounding.
using Count = double;

/// One output axis cut at one size.
struct SpatialCut {
  std::int64_t size = 0;
  std::int64_t reach = 0;  ///< most real inputs that a tile touches
  Count tiles = 0;
  Count loaded = 0;      ///< sum over tiles of real inputs touched
  Count first_load = 0;  ///< of the first tile
  Count last_length = 0;
  bool has_empty = false;  ///< a tile touches padding only
};

/// The output channels of a group cut at one size; words are those of one pixel.
struct OutChannelCut {
  std::int64_t size = 0;
  SizeRuns runs;
  Count slices = 0;
  Count final_words = 0;               ///< outputs at storage width, sum over slices
  Count spill_words = 0;               ///< outputs at accumulator width
  Count most_words = 0;                ///< of one slice at either width
  Count last_words = 0;                ///< finished outputs of the last slice
  std::array<Count, 2> input_words{};  ///< vector tasks: sum over slices
  std::array<Count, 2> first_words{};  ///< vector tasks: of the first slice
};

/// The input channels of a group cut at one size.
struct InChannelCut {
  std::int64_t size = 0;
  std::vector<std::pair<ReductionSlice, std::int64_t>> classes;  ///< with their counts
  Count slices = 0;
  Count input_words = 0;   ///< of one pixel, sum over slices
  Count weight_words = 0;  ///< of one output channel
  Count first_input_words = 0;
  Count first_weight_words = 0;
};

/// Whether work contains the cycles that lines wait for ports. Sizes that fill the ports need fewer
/// of them than larger ones, so a bound from a larger tile leaves them out.
enum class Ports : std::uint8_t { kCounted, kLeftOut };

/// What array (or vector unit) and buffers do, in cycles, slots and words; DMA not included.
struct InnerWork {
  Count cycles = 0;
  Count slots = 0;  ///< products and idle slots
  Count input_reads = 0;
  Count weight_reads = 0;
  Count output_reads = 0;
  Count output_writes = 0;

  void add(const TileCost& tile, Count count, Ports ports);
  /// The larger of each field and so many times another one.
  [[nodiscard]] InnerWork at_least(const InnerWork& other, Count times) const;
};

/// Bits over the channel.
struct TrafficBits {
  Count input = 0;
  Count weight = 0;
  Count reload = 0;
  Count store = 0;
  [[nodiscard]] Count total() const { return input + weight + reload + store; }
};

/// What a pair of channel cuts moves, before rectangle and loop order are known.
struct PairTraffic {
  std::array<Count, 2> input_per_pixel{};  ///< bits per input pixel of each input
  Count out_slices = 1;
  Count weight = 0;  ///< bits, loaded once
  Count reload = 0;  ///< bits, when partial sums leave the chip
  Count final_store = 0;
  Count tiles = 1;  ///< per rectangle, groups included
  MovingLoops moving = 0;
};

/// A rectangle of output pixels as a tile size.
struct RectangleCut {
  Count tiles = 0;   ///< over all images
  Count loaded = 0;  ///< input pixels over all tiles and images
};

/// The transfers that overlap with no tile, and those that may come late.
struct Ends {
  Count first = 0;  ///< beats of the first tile's loads
  Count last = 0;   ///< beats of the last store
  Count last_bits = 0;
  Count store_bits = 0;  ///< largest store
  bool chained = false;  ///< every tile loads a block
};

class CandidateBounds {
 public:
  /// `known` is the cost of any mapping of the task: it states the work that no mapping changes.
  CandidateBounds(const LayerTask& task, const Machine& machine, SearchObjective objective,
                  const CostSummary& known);

  [[nodiscard]] SpatialCut spatial(const AxisSpec& axis, std::int64_t size) const;
  [[nodiscard]] OutChannelCut out_channels(std::int64_t size) const;
  [[nodiscard]] InChannelCut in_channels(std::int64_t size) const;
  [[nodiscard]] RectangleCut rectangle(const SpatialCut& rows, const SpatialCut& columns) const;
  [[nodiscard]] PairTraffic pair_traffic(const InChannelCut& in, const OutChannelCut& out) const;

  /// Bits that a mapping moves, exactly; `order` is an index of kLoopOrders.
  [[nodiscard]] TrafficBits traffic(const PairTraffic& pair, const RectangleCut& rectangle,
                                    std::size_t order) const;
  /// Work of one tile per channel slice that spans the whole map: no cut into rectangles does less.
  [[nodiscard]] InnerWork whole_map(const InChannelCut& in, const OutChannelCut& out) const;
  /// The same for all output channels in one slice: no cut into slices does less.
  [[nodiscard]] InnerWork whole_map_and_channels(const InChannelCut& in) const;
  /// Work that every rectangle does at least, over all channel slices and groups: that of a single
  /// pixel without input.
  [[nodiscard]] InnerWork per_rectangle(const InChannelCut& in, const OutChannelCut& out) const;
  /// Work of compiled tiles, exactly.
  [[nodiscard]] static InnerWork exact(const PreparedTask& prepared);

  [[nodiscard]] Ends ends(const InChannelCut& in, const OutChannelCut& out, const SpatialCut& rows,
                          const SpatialCut& columns) const;
  /// Fewest cycles of so many tiles with at least this work and traffic.
  [[nodiscard]] Count cycles(const InnerWork& work, const TrafficBits& traffic, Count tiles,
                             const Ends& ends) const;
  /// The same when only work and traffic are known.
  [[nodiscard]] Count cycles(const InnerWork& work, const TrafficBits& traffic) const;
  /// Lower bound of the score; equals it but for rounding when work and cycles are exact.
  [[nodiscard]] Score score(const InnerWork& work, const TrafficBits& traffic, Count cycles) const;

 private:
  struct Rates {  // picojoules
    double fixed = 0.0;
    double cycle = 0.0;
    double idle = 0.0;
    double input_read = 0.0;
    double weight_read = 0.0;
    double output_read = 0.0;
    double output_write = 0.0;
    double input_bit = 0.0;
    double weight_bit = 0.0;
    double reload_bit = 0.0;
    double store_bit = 0.0;
  };
  void set_rates(const CostSummary& known);
  [[nodiscard]] InnerWork work_of(const AxisClass& row, const AxisClass& column,
                                  const InChannelCut& in, const OutChannelCut& out, Count times,
                                  Ports ports) const;
  [[nodiscard]] Count beats(Count bits) const;

  const LayerTask& task_;
  const Machine& machine_;
  const Accelerator& accelerator_;
  SearchObjective objective_;
  bool is_array_;
  bool always_loads_;  // every tile loads a block, whatever its size
  Count groups_;
  Count images_;
  Count pixels_;
  Count latency_;
  Count channel_cycles_;  // beats: ceil(bits * channel_cycles_ / channel_bits_)
  Count channel_bits_;
  AxisClass whole_row_, whole_column_, no_row_, no_column_;
  Count real_products_ = 0;
  Rates rates_;
};

}  // namespace vernier::dataflow
