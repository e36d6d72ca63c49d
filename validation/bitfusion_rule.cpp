#include "validation/bitfusion_rule.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/units.hpp"

namespace vernier::validation {
namespace {

constexpr std::int64_t kSumBits = 32;

// The loops over tiles.
enum Loop : std::uint8_t { kBatch, kRow, kColumn, kInChannel, kOutChannel };
constexpr std::size_t kLoopCount = 5;
using LoopSizes = std::array<std::int64_t, kLoopCount>;
using LoopOrder = std::array<Loop, kLoopCount>;

using Datum = std::size_t;
constexpr Datum kWeights = 0;
constexpr Datum kInputs = 1;
constexpr Datum kOutputs = 2;
constexpr std::size_t kDatumCount = 3;
constexpr std::array<std::array<bool, kLoopCount>, kDatumCount> kDependsOn{
    {{false, false, false, true, true},
     {true, true, true, true, false},
     {true, true, true, false, true}}};

// All orders of five loops, innermost first.
const std::vector<LoopOrder>& all_orders() {
  static const std::vector<LoopOrder> orders = [] {
    std::vector<LoopOrder> list;
    LoopOrder order{kBatch, kRow, kColumn, kInChannel, kOutChannel};
    do {
      list.push_back(order);
    } while (std::next_permutation(order.begin(), order.end()));
    return list;
  }();
  return orders;
}

// One layer on one machine: sizes of whole tensors and of tiles, and the search.
class RuleSearch {
 public:
  RuleSearch(const BitFusionLayer& layer, const BitFusionMachine& machine,
             const BitFusionQuirks& quirks)
      : layer_(layer),
        machine_(machine),
        overhang_(quirks.has(BitFusionQuirk::kWholeOverhang)),
        padding_(quirks.has(BitFusionQuirk::kMovedPadding)),
        unfolded_(layer.is_first && quirks.has(BitFusionQuirk::kUnfoldedInput)),
        wide_(quirks.has(BitFusionQuirk::kWideOutputs)),
        fresh_reads_(quirks.has(BitFusionQuirk::kFreshOutputReads)),
        square_(quirks.has(BitFusionQuirk::kSquareTiles)),
        powers_(quirks.has(BitFusionQuirk::kPowerOfTwoTiles)),
        prologue_(quirks.has(BitFusionQuirk::kWholePrologue)),
        reduction_(machine.rows * (8 / std::max<std::int64_t>(layer.activation_bits, 2)) *
                   (8 / std::max<std::int64_t>(layer.weight_bits, 2))),
        dims_{layer.batch, layer.out_size, layer.out_size, layer.in_channels, layer.out_channels},
        limits_{machine.weight_sram_bits, machine.input_sram_bits, machine.output_sram_bits} {
    if (!quirks.has(BitFusionQuirk::kHalfSram)) return;
    for (std::int64_t& limit : limits_) limit /= 2;
  }

  BitFusionCycles best() {
    for (std::size_t loop = 0; loop < kLoopCount; ++loop) {
      const bool by_columns = loop == kOutChannel && !layer_.is_first;
      sizes_[loop] = tile_sizes(dims_[loop], by_columns ? machine_.columns : 1);
    }
    LoopSizes tile{};
    try_sizes(tile, 0);
    if (best_.compute == 0) {
      throw ConfigError(
          fmt::format("layer '{}': no tile fits half of each SRAM of Bit Fusion", layer_.name));
    }
    return best_;
  }

 private:
  // Chooses a tile size for `loop` and those after it.
  void try_sizes(LoopSizes& tile, std::size_t loop) {
    if (loop == kLoopCount) {
      try_tile(tile);
      return;
    }
    for (const std::int64_t size : sizes_[loop]) {
      if (square_ && loop == kColumn && size != tile[kRow]) continue;
      tile[loop] = size;
      try_sizes(tile, loop + 1);
    }
  }

  // Powers of two times `unit`, clipped to the dimension; without the quirk equal parts as well.
  [[nodiscard]] std::vector<std::int64_t> tile_sizes(std::int64_t dim, std::int64_t unit) const {
    std::vector<std::int64_t> sizes;
    for (std::int64_t size = unit;; size *= 2) {
      sizes.push_back(std::min(size, dim));
      if (size >= dim) break;
    }
    if (!powers_) {
      for (std::int64_t parts = 2; parts < dim; parts *= 2) {
        sizes.push_back(std::min(dim, round_up(ceil_div(dim, parts), unit)));
      }
      std::sort(sizes.begin(), sizes.end());
      sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    }
    return sizes;
  }

  // Elements of a dimension that tiles of `size`, `count` of them, cover.
  [[nodiscard]] std::int64_t covered(Loop loop, std::int64_t size, std::int64_t count) const {
    return overhang_ ? size * count : std::min(size * count, dims_[loop]);
  }

  // Rows (or columns) of the input that `count` tiles of `size` output rows read.
  [[nodiscard]] std::int64_t input_extent(Loop loop, std::int64_t size, std::int64_t count) const {
    const std::int64_t rows = covered(loop, size, count);
    if (unfolded_) return rows * layer_.kernel;
    const std::int64_t extent = (layer_.kernel - layer_.stride) * count + rows * layer_.stride;
    return padding_ ? extent : std::min(extent, layer_.in_size * count);
  }

  // Bits of a datum over `count` tiles of each loop.
  [[nodiscard]] std::int64_t bits_of(Datum datum, const LoopSizes& tile,
                                     const LoopSizes& count) const {
    const std::int64_t squared = layer_.kernel * layer_.kernel;
    const auto along = [&](Loop loop) { return covered(loop, tile[loop], count[loop]); };
    const auto in_whole = [&](std::int64_t size, std::int64_t unit, std::int64_t trips,
                              std::int64_t all) {
      return padding_ ? round_up(size, unit) * trips : all;
    };
    if (datum == kWeights) {
      return in_whole(squared * tile[kInChannel], reduction_, count[kInChannel],
                      squared * along(kInChannel)) *
             along(kOutChannel) * layer_.weight_bits;
    }
    if (datum == kInputs) {
      return along(kBatch) * input_extent(kRow, tile[kRow], count[kRow]) *
             input_extent(kColumn, tile[kColumn], count[kColumn]) * along(kInChannel) *
             layer_.activation_bits;
    }
    return along(kBatch) * along(kRow) * along(kColumn) *
           in_whole(tile[kOutChannel], machine_.columns, count[kOutChannel], along(kOutChannel)) *
           kSumBits;
  }

  // Steps of all tiles: each pixel, window position, group of columns and group of rows.
  [[nodiscard]] std::int64_t compute_cycles(const LoopSizes& tile, const LoopSizes& trips) const {
    const auto groups = [&](Loop loop, std::int64_t factor, std::int64_t unit) {
      const std::int64_t whole = ceil_div(tile[loop] * factor, unit);
      if (overhang_) return whole * trips[loop];
      const std::int64_t rest = dims_[loop] - tile[loop] * (trips[loop] - 1);
      return whole * (trips[loop] - 1) + ceil_div(rest * factor, unit);
    };
    const std::int64_t squared = layer_.kernel * layer_.kernel;
    const std::int64_t steps = layer_.is_first ? groups(kInChannel, squared, reduction_)
                                               : squared * groups(kInChannel, 1, reduction_);
    return covered(kBatch, tile[kBatch], trips[kBatch]) * covered(kRow, tile[kRow], trips[kRow]) *
           covered(kColumn, tile[kColumn], trips[kColumn]) * steps *
           groups(kOutChannel, 1, machine_.columns);
  }

  void try_tile(const LoopSizes& tile) {
    constexpr LoopSizes kOne{1, 1, 1, 1, 1};
    LoopSizes trips{};
    for (std::size_t loop = 0; loop < kLoopCount; ++loop) {
      trips[loop] = ceil_div(dims_[loop], tile[loop]);
    }
    std::array<std::int64_t, kDatumCount> tile_bits{};
    for (Datum datum = 0; datum < kDatumCount; ++datum) {
      tile_bits[datum] = bits_of(datum, tile, kOne);
      if (tile_bits[datum] > limits_[datum]) return;
      whole_[datum] = bits_of(datum, tile, trips);
    }
    const std::int64_t compute = compute_cycles(tile, trips);
    if (compute >= best_total_) return;
    for (const LoopOrder& order : all_orders()) {
      if (is_repeated(order, trips)) continue;
      try_order(order, tile, trips, tile_bits, compute);
    }
  }

  // Loops of one trip change nothing: of all orders that differ in their place only, the one that
  // has them innermost and ascending is tried.
  static bool is_repeated(const LoopOrder& order, const LoopSizes& trips) {
    bool in_front = true;
    int last = -1;
    for (const Loop loop : order) {
      if (trips[loop] > 1) {
        in_front = false;
        continue;
      }
      if (!in_front || loop < last) return true;
      last = loop;
    }
    return false;
  }

  // What stays on chip of a datum, and how often it is moved.
  struct Walk {
    std::int64_t resident = 0;
    std::int64_t visits = 1;
  };

  [[nodiscard]] Walk walk(Datum datum, const LoopOrder& order, const LoopSizes& tile,
                          const LoopSizes& trips, std::int64_t tile_bits) const {
    Walk result{.resident = tile_bits};
    LoopSizes held{1, 1, 1, 1, 1};
    bool stays = true;
    for (const Loop loop : order) {
      if (trips[loop] == 1) continue;
      const bool depends = kDependsOn[datum][loop];
      if (stays && depends) {
        // The rule multiplies the size; without overhang a dimension ends at its edge.
        held[loop] = trips[loop];
        const std::int64_t larger = size_held(datum, tile, held, result.resident * trips[loop]);
        stays = larger <= limits_[datum];
        if (stays) result.resident = larger;
      }
      if (!stays && !depends) result.visits *= trips[loop];
    }
    return result;
  }

  [[nodiscard]] std::int64_t size_held(Datum datum, const LoopSizes& tile, const LoopSizes& held,
                                       std::int64_t product) const {
    return overhang_ ? product : bits_of(datum, tile, held);
  }

  void try_order(const LoopOrder& order, const LoopSizes& tile, const LoopSizes& trips,
                 const std::array<std::int64_t, kDatumCount>& tile_bits, std::int64_t compute) {
    std::array<Walk, kDatumCount> walks;
    for (Datum datum = 0; datum < kDatumCount; ++datum) {
      walks[datum] = walk(datum, order, tile, trips, tile_bits[datum]);
    }
    const auto narrow = [&](std::int64_t bits) {
      return wide_ ? bits : bits / kSumBits * layer_.output_bits;
    };
    const std::int64_t again = (walks[kOutputs].visits - 1) * whole_[kOutputs];
    const std::int64_t written = again + narrow(whole_[kOutputs]);
    const std::int64_t read = again + (fresh_reads_ ? narrow(whole_[kOutputs]) : 0);
    const std::int64_t all = whole_[kWeights] * walks[kWeights].visits +
                             whole_[kInputs] * walks[kInputs].visits + written + read;
    const auto at_ends = [&](Datum datum) {
      return prologue_ ? walks[datum].resident : tile_bits[datum];
    };
    const std::int64_t last = narrow(at_ends(kOutputs));
    const std::int64_t first = at_ends(kWeights) + at_ends(kInputs) + (fresh_reads_ ? last : 0);
    const auto cycles = [&](std::int64_t bits) { return ceil_div(bits, machine_.bits_per_cycle); };
    const std::int64_t middle = std::max<std::int64_t>(all - first - last, 0);
    const std::int64_t wait =
        std::max<std::int64_t>(0, cycles(middle) - compute) + cycles(first) + cycles(last);
    if (compute + wait >= best_total_) return;
    best_total_ = compute + wait;
    best_ = {.compute = compute, .memory_wait = wait, .dram_bits = all};
  }

  const BitFusionLayer& layer_;
  const BitFusionMachine& machine_;
  bool overhang_;
  bool padding_;
  bool unfolded_;
  bool wide_;
  bool fresh_reads_;
  bool square_;
  bool powers_;
  bool prologue_;
  std::int64_t reduction_;  // reduction elements that a column takes per cycle
  LoopSizes dims_;
  std::array<std::int64_t, kDatumCount> limits_;
  std::array<std::vector<std::int64_t>, kLoopCount> sizes_;
  std::array<std::int64_t, kDatumCount> whole_{};
  std::int64_t best_total_ = std::numeric_limits<std::int64_t>::max();
  BitFusionCycles best_;
};

}  // namespace

BitFusionQuirks BitFusionQuirks::with(BitFusionQuirk quirk, bool on) const {
  BitFusionQuirks changed = *this;
  changed.on_[static_cast<std::size_t>(quirk)] = on;
  return changed;
}

const BitFusionQuirkText& to_text(BitFusionQuirk quirk) {
  static constexpr std::array<BitFusionQuirkText, kBitFusionQuirkCount> kTexts{{
      {"half of each SRAM", "a tile, and what stays on chip, may fill half of its SRAM; else all"},
      {"square tiles", "an output tile has as many rows as columns; else any of both"},
      {"power-of-two tiles", "tile sizes are powers of two; else 2^n equal parts as well"},
      {"whole overhang", "a tile over the edge is computed and moved in full; else up to the edge"},
      {"moved padding",
       "zero padding, and rows and columns of the array that an edge leaves empty, travel like "
       "data; else real elements only"},
      {"unfolded first input",
       "the first layer's input travels once per window position (im2col); else once"},
      {"32-bit outputs", "finished outputs travel as 32-bit sums; else at the next layer's width"},
      {"fresh outputs read", "outputs are read before their first visit, too; else only sums are"},
      {"whole prologue",
       "all that stays on chip is loaded before the first product and stored after the last; else "
       "one tile is"},
  }};
  return kTexts.at(static_cast<std::size_t>(quirk));
}

BitFusionMachine BitFusionMachine::sized(std::int64_t columns, std::int64_t bits_per_cycle) {
  constexpr std::int64_t kKibibyte = std::int64_t{8} * 1024;
  const std::int64_t scale = columns / 32;
  return {.columns = columns,
          .bits_per_cycle = bits_per_cycle,
          .weight_sram_bits = 64 * kKibibyte * scale,
          .input_sram_bits = 32 * kKibibyte * scale,
          .output_sram_bits = 16 * kKibibyte * scale};
}

BitFusionCycles bitfusion_cycles(const BitFusionLayer& layer, const BitFusionMachine& machine,
                                 const BitFusionQuirks& quirks) {
  for (const std::int64_t size :
       {layer.batch, layer.kernel, layer.in_size, layer.out_size, layer.stride, layer.in_channels,
        layer.out_channels, layer.activation_bits, layer.weight_bits, layer.output_bits,
        machine.rows, machine.columns, machine.bits_per_cycle}) {
    if (size < 1) throw ConfigError(fmt::format("layer '{}': a size is not positive", layer.name));
  }
  constexpr std::int64_t kMostBits = 8;
  if (std::max(layer.activation_bits, layer.weight_bits) > kMostBits) {
    throw ConfigError(fmt::format("layer '{}': the artifact has at most {} bits, found w{} a{}",
                                  layer.name, kMostBits, layer.weight_bits, layer.activation_bits));
  }
  return RuleSearch(layer, machine, quirks).best();
}

}  // namespace vernier::validation
