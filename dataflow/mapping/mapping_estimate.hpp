// Estimates of what a mapping of one task costs, from sums over the tiles of each dimension. Far
// cheaper than the engine's recurrences; it only ranks candidates, the engines compute what is
// reported.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arch/fold_model.hpp"
#include "dataflow/mapping/axis.hpp"
#include "dataflow/mapping/candidates.hpp"
#include "dataflow/mapping/mapping.hpp"

namespace vernier::dataflow {

/// What the mapper believes a mapping costs.
struct MappingEstimate {
  double cycles = 0.0;
  double dram_bits = 0.0;
};

/// Sums over the slices of the output channels; bits are those of whole buffer words.
struct OutChannelSums {
  std::int64_t size = 0;
  SizeRuns runs;
  double count = 0;
  double folds = 0;       ///< column folds (os, ws)
  double steps = 0;       ///< sum of ceil(n / kN)
  double final_bits = 0;  ///< of one output pixel, at storage width
  double spill_bits = 0;  ///< of one output pixel, at accumulator width
  double input_bits = 0;  ///< of one input pixel (vector tasks: rows follow the output channels)
  double pixel_bits = 0;  ///< of an input of one pixel
  double tap_bits = 0;    ///< of the weights of a depthwise layer of the vector unit
  double uneven = 1;      ///< whole slices over the average one
  double last = 1;        ///< the last slice over the average one
};

/// Sums over the slices of the input channels.
struct InChannelSums {
  std::int64_t size = 0;
  double count = 1;
  double steps = 0;        ///< sum of ceilK
  double row_folds = 0;    ///< sum of ceil(ceilK / R)
  double input_bits = 0;   ///< of one input pixel
  double weight_bits = 0;  ///< of one output channel
  double uneven = 1;
  double last = 1;
};

/// Sums over the output rectangles of all images.
struct PixelSums {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  SizeRuns row_runs;
  SizeRuns column_runs;
  double count = 0;
  double row_folds = 0;     ///< sum of ceil(ceil(p / kP) / R), os
  double column_folds = 0;  ///< sum of ceil(ceil(p / kP) / C), is
  double steps = 0;         ///< sum of ceil(p / kP)
  double in_pixels = 0;     ///< input pixels loaded, halos counted as often as loaded
  double first_in_pixels = 0;
  double uneven = 1;
  double last = 1;
};

class MappingEstimator {
 public:
  /// Both arguments are loans.
  MappingEstimator(const LayerTask& task, const Accelerator& machine);

  [[nodiscard]] OutChannelSums out_channels(std::int64_t size, std::int64_t groups) const;
  [[nodiscard]] InChannelSums in_channels(std::int64_t size, std::int64_t groups) const;
  [[nodiscard]] PixelSums pixels(std::int64_t rows, std::int64_t columns) const;
  /// Groups that a tile of these channel slices holds at once.
  [[nodiscard]] std::int64_t groups_at_once(std::int64_t in_size, std::int64_t out_size) const;

  /// Least that mappings of a pair of slices are estimated at, whatever the order, by the number of
  /// rectangles.
  struct Floor {
    double base = 0;          ///< cycles that all have: lines, first weights, latency
    double each = 0;          ///< lines of a rectangle, when there are at least `flat`
    double flat = 0;          ///< rectangles
    double first = 0;         ///< beats of the first inputs, if there was one rectangle
    double first_weight = 0;  ///< beats, part of base
    double moved = 0;         ///< beats of all transfers, and latency
    double chains = 0;        ///< half of what the two chains of tiles have together
    double chain = 0;         ///< more of that by rectangle

    [[nodiscard]] double lines(double rectangles) const {
      return each * std::max(rectangles, flat);
    }
    /// Of that many rectangles or more; rises with them.
    [[nodiscard]] double from(double rectangles) const {
      return std::max(
          {base + lines(rectangles), moved, chains + lines(rectangles) / 2 + chain * rectangles});
    }
    /// Of that many rectangles.
    [[nodiscard]] double at(double rectangles) const {
      return std::max(from(rectangles), base + lines(rectangles) + first / rectangles);
    }
    /// The same for fewer output channels at a time, which shorten the first loads of weights.
    [[nodiscard]] double from_any(double rectangles) const {
      return std::max(from(rectangles) - first_weight, moved);
    }
    /// Of the best number of them from `rectangles` on.
    [[nodiscard]] double best_from(double rectangles) const;
  };
  [[nodiscard]] Floor floor_of(const OutChannelSums& n, const InChannelSums& k) const;

  /// What does not depend on the loop order. Waits for ports are those of the largest fold.
  struct Tiles {
    double compute = 0;  ///< compute and port cycles of the whole task
    double groups = 1;   ///< how often tiles of these channels go through all groups
    double count = 1;
    double input = 0;   ///< bits, each block loaded once
    double weight = 0;  ///< the same
    double output = 0;
    double first_input = 0;   ///< beats
    double first_weight = 0;  ///< beats
    double input_beats = 0;   ///< per bit, since the beats of each load are whole
    double weight_beats = 0;  ///< the same
    double last_store = 0;    ///< beats
    double store = 0;         ///< beats of an average store
    double stores = 1;
    MovingLoops moving = 0;
  };
  [[nodiscard]] double compute_cycles(const PixelSums& p, const OutChannelSums& n,
                                      const InChannelSums& k) const;
  [[nodiscard]] Tiles tiles(const PixelSums& p, const OutChannelSums& n, const InChannelSums& k,
                            double compute) const;
  /// `order`: index of kLoopOrders.
  [[nodiscard]] MappingEstimate estimate(const PixelSums& p, const OutChannelSums& n,
                                         const InChannelSums& k, const Tiles& tiles,
                                         std::size_t order) const;

 private:
  // Bits over the channel, by stream.
  struct StreamBits {
    double input = 0;
    double weight = 0;
    double spill = 0;  // partial sums, both ways
  };
  // The innermost loop with more than one iteration.
  struct InnerLoop {
    double count = 1;
    double uneven = 1;
    double rare = 0;  // beats of what moves only once per round of it
  };

  // One pass over the tiles: how many, those of the innermost loop, transfers and computing of an
  // average tile, whole tiles over the average one, latency, beats of first loads and last store.
  struct TileChain {
    double tiles;
    double inner;
    double moved;
    double computed;
    double uneven;
    double latency;
    double first;
    double last_store;
  };
  static double chain_of(const TileChain& of);

  [[nodiscard]] bool is_single(TensorRole role) const {
    return machine_.buffer(role).blocks_held() == 1;
  }
  [[nodiscard]] double axis_load(const AxisSpec& axis, std::int64_t length) const;
  [[nodiscard]] double groups_passed(const OutChannelSums& n, const InChannelSums& k) const {
    return groups_at_once(k.size, n.size) == 1 ? groups_ : passes_of_whole_;
  }
  void set_floor_lines(Floor& floor, const OutChannelSums& n, const InChannelSums& k) const;
  [[nodiscard]] double vector_cycles(const PixelSums& p, const OutChannelSums& n) const;
  [[nodiscard]] double vector_stores(const PixelSums& p, const OutChannelSums& n) const;
  [[nodiscard]] double lines(const PixelSums& p, const OutChannelSums& n,
                             const InChannelSums& k) const;
  [[nodiscard]] double lines_of(double folds, double tiles, double temporal) const;
  // Cycles per line of a fold, and by what it is told from others.
  struct FoldWaits {
    std::int64_t used_rows = 0;
    std::int64_t used_columns = 0;
    std::int64_t output_cycles = 0;
    double first = 1;  // without partial sums to read back
    double later = 1;
  };
  [[nodiscard]] const FoldWaits& waits_of(arch::FoldShape fold) const;
  [[nodiscard]] double full_fold_wait(const PixelSums& p, const OutChannelSums& n,
                                      const InChannelSums& k) const;
  [[nodiscard]] StreamBits traffic(const PixelSums& p, const OutChannelSums& n,
                                   const InChannelSums& k, const Tiles& tiles,
                                   std::size_t order) const;

  const LayerTask& task_;
  const Accelerator& machine_;
  const arch::ArraySpec& array_;
  AxisSpec rows_;
  AxisSpec columns_;
  bool is_array_;
  arch::MacMode mode_;
  Bits input_word_;
  Bits weight_word_;
  Bits output_word_;
  double cycles_per_bit_;
  double latency_;
  bool input_is_single_;
  bool weight_is_single_;
  bool output_is_single_;
  double skew_ = 0;               // lines of a fold but for its stream
  double least_interval_ = 0;     // of overlapping folds
  double cycles_per_output_ = 0;  // of the vector unit
  double least_loaded_ = 1;       // input pixels, each once
  std::int64_t groups_of_whole_;
  double groups_;           // passes of tiles that hold one at once
  double passes_of_whole_;  // of tiles that hold all channels
  double pixels_;
  mutable FoldWaits last_waits_;  // neighbouring candidates mostly ask for the same fold
};

/// The estimate for one mapping, for tests.
[[nodiscard]] MappingEstimate estimate_mapping(const LayerTask& task, const Mapping& mapping,
                                               const Accelerator& machine);

}  // namespace vernier::dataflow
