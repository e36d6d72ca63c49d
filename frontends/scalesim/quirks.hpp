// What SCALE-Sim does that hardware (or Vernier) would not, named in one place. Nothing of this
// leaves this folder. SCALE-Sim v2 here is commit 22f88b17 of scalesim-project/scale-sim-v2
// (2025-02-25), v3 is commit 1d62b68a of scalesim-project/SCALE-Sim (v3.0.0, 2025-08-15); the
// behaviour was written down from measurements and reading, no code of theirs is here.
//
// Quirks that are a formula rather than a number stand where they act, marked `Quirk N`:
//   1  Output size is a ceiling: a window may hang over the edge and asks for nothing there.
//   2  A layer whose name contains "DP" (topology::kDepthwiseMark) becomes one layer of one channel
//   per channel, each with the
//      filters of the whole row; nothing else is depthwise.
//   3  Folds never overlap, and each takes its full length however little of the array it fills.
//   4  Total cycles is the index of the last line, one less than their number.
//   5  Compute utilisation of ws and is counts the column skew a second time.
//   6  In os, each fold adds rows + columns to the OFMAP SRAM writes.
//   7  Partial sums of ws and is are written once for every row fold and never read back.
//   8  The first fill of each SRAM lies at negative cycles and is never part of the total.
//   9  The three DRAM streams do not compete; each has the whole bandwidth.
//  10  CALC: a store that is flushed when full; its contents cost no time.
//  11  CALC: the first fill runs at a fixed speed, whatever the file says.
//  12  USER: data is prefetched in one fixed circular order, which the demands do not follow.
//  13  USER: nulls and the unused end of a fetched row count as reads.
//  14  v3: a read stall is counted twice, and a refill that is early lowers the stall below zero.
//  15  A partly filled row counts as full when it is drained from the middle of the OFMAP buffer.
//  16  The last drain begins at the last line even while another one runs; v2 reports its end, v3
//      the later of both.
#pragma once

#include <cstdint>

namespace vernier::frontends::scalesim {

/// Which release is imitated where they differ.
enum class Compat { kV2, kV3 };

/// A word is one element, and 1 kB of SRAM is 1024 of them, whatever the bits of the network.
inline constexpr std::int64_t kWordsPerKilobyte = 1024;

/// Quirk 11: words per cycle of the first fill in CALC mode.
inline constexpr std::int64_t kEstimatedFillWordsPerCycle = 10;

/// An SRAM is managed in this many sets, half of which are active at a time.
inline constexpr std::int64_t kSetsPerSram = 100;
inline constexpr std::int64_t kActiveSets = 50;

/// Cycles from a read request to its service; a write is served in its own cycle.
inline constexpr std::int64_t kReadHitLatency = 1;

/// A DRAM read arrives this many cycles after its row was issued; a write takes none.
inline constexpr std::int64_t kDramReadLatency = 1;

}  // namespace vernier::frontends::scalesim
