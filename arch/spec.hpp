// What the compute part of a machine is, as its description file states it: the array, the MAC
// unit of each PE, the vector unit. Plain data; laws that follow from it are in mac_family.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "arch/base/activity.hpp"
#include "arch/base/fields.hpp"

namespace vernier::arch {

/// Which operand stays in the PEs (design 5.1): outputs, weights or inputs; or none of them, where
/// every PE reads its weights from a bank of its own and the columns add up products.
enum class Dataflow : std::uint8_t {
  kOutputStationary,
  kWeightStationary,
  kInputStationary,
  kDotColumns
};

[[nodiscard]] const std::vector<std::string>& dataflow_names();
[[nodiscard]] const std::string& to_text(Dataflow dataflow);

/// Whether folds of one tile overlap in the array (design 5.1): not at all, by a second register
/// for the stationary operand, or completely.
enum class FoldOverlap : std::uint8_t { kNone, kPreload, kFull };

[[nodiscard]] const std::vector<std::string>& fold_overlap_names();
[[nodiscard]] const std::string& to_text(FoldOverlap overlap);
/// Names of the settings that an array of this dataflow may have.
[[nodiscard]] std::vector<std::string> legal_fold_overlaps(Dataflow dataflow);

/// Order in which lanes that extend the reduction take elements (design 5.1). `kFirstLayerWindow`:
/// kWindow in the layers that read the network's input, which has few channels, else kChannels.
enum class ReductionPacking : std::uint8_t { kChannels, kWindow, kFirstLayerWindow };

/// How the groups of a grouped convolution lie on the machine (hardware_notes 1.6). A tile holds
/// several groups only when it holds them whole (all channels of each); else one at a time.
enum class DepthwiseMode : std::uint8_t {
  kPerGroup,       ///< one GEMM per group, one after the other
  kBlockDiagonal,  ///< ws: as many groups as fit lie on the diagonal of the array
  kGroupedLanes,   ///< the kG lanes of each PE take kG groups at once
  kVectorUnit,     ///< groups of one input and one output channel run on the vector unit
};

[[nodiscard]] const std::vector<std::string>& depthwise_names();
[[nodiscard]] const std::string& to_text(DepthwiseMode mode);

/// The PE array.
struct ArraySpec {
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  Dataflow dataflow = Dataflow::kOutputStationary;
  FoldOverlap fold_overlap = FoldOverlap::kNone;
  ReductionPacking reduction_packing = ReductionPacking::kChannels;
  DepthwiseMode depthwise = DepthwiseMode::kPerGroup;

  [[nodiscard]] std::int64_t pes() const { return rows * columns; }
  /// Whether a fold begins by shifting an operand into the PEs.
  [[nodiscard]] bool preloads() const {
    return dataflow == Dataflow::kWeightStationary || dataflow == Dataflow::kInputStationary;
  }
  /// Whether the folds over the reduction of a tile pass their sums through the output buffer.
  [[nodiscard]] bool folds_reduction() const { return preloads(); }
  /// Rows whose products one step of a column's reduction adds up at once.
  [[nodiscard]] std::int64_t rows_per_step() const {
    return dataflow == Dataflow::kDotColumns ? rows : 1;
  }
};

/// What happens when a + w + ceil(log2 K) bits do not fit the accumulator (design 4).
enum class AccumulatorOverflow : std::uint8_t { kError, kSaturate };

/// Which operand a bit-serial unit takes in parts: UNPU, Stripes, Loom.
enum class SerialOperand : std::uint8_t { kWeight, kActivation, kBoth };

/// Where the products of the subwords of a unit go that keeps them apart: to independent groups, or
/// (one operand replicated to all subwords) to several output channels or pixels.
enum class Subwords : std::uint8_t { kGroups, kOutChannels, kPixels };

/// A mode that is stated instead of following from the family's law; see MacMode for the figures.
struct ModeOverride {
  std::int64_t weight = 8;
  std::int64_t activation = 8;
  std::int64_t cycles = 1;
  std::int64_t reduction = 1;
  std::int64_t out_channels = 1;
  std::int64_t pixels = 1;
  std::int64_t groups = 1;
};

/// The MAC unit of one PE.
struct MacSpec {
  std::string style = "fixed";
  std::vector<std::int64_t> weight_bits{8};
  std::vector<std::int64_t> activation_bits{8};
  std::int64_t core_bits = 8;  ///< width at which a fused or subword unit does one product
  SerialOperand serial = SerialOperand::kWeight;
  std::int64_t bits_per_cycle = 1;
  std::int64_t lanes = 1;  ///< products side by side that a bit-serial unit sums
  Subwords subwords = Subwords::kGroups;
  bool data_gating = false;  ///< fixed: products of narrower operands count as gated ones
  std::vector<ModeOverride> modes;
  std::int64_t accumulator_bits = 32;
  AccumulatorOverflow overflow = AccumulatorOverflow::kError;
};

/// The vector unit that runs pooling, element-wise layers and requantization.
struct VectorSpec {
  std::int64_t lanes = 1;
  /// Lane cycles per element operation, indexed by Action; 0 means the unit has no such operation.
  std::array<std::int64_t, kActionCount> cycles_per_op{};
  /// Requantized results per cycle during a drain; 0 means that the drain is never held up.
  std::int64_t requant_lanes = 0;

  [[nodiscard]] std::int64_t cycles_for(Action action) const {
    return cycles_per_op.at(static_cast<std::size_t>(action));
  }
};

/// Operations a vector unit may have, as keys of `vector.ops`.
[[nodiscard]] const std::vector<Action>& vector_actions();

inline constexpr std::int64_t kMaxArraySide = 16384;
inline constexpr std::int64_t kMaxLanes = 1 << 20;

template <typename Visitor>
void visit_fields(Visitor& visitor, ArraySpec& spec) {
  visitor.integer("rows", spec.rows, {1, kMaxArraySide}, Need::kRequired,
                  "PE rows; the row dimension of a fold");
  visitor.integer("columns", spec.columns, {1, kMaxArraySide}, Need::kRequired,
                  "PE columns; the column dimension of a fold");
  enum_field(visitor, "dataflow", spec.dataflow, dataflow_names(), Need::kRequired,
             "operand that stays in the PEs during a fold, or dot_columns");
  enum_field(
      visitor, "fold_overlap", spec.fold_overlap, fold_overlap_names(), Need::kOptional,
      "whether the next fold of a tile starts before the last one has drained: none; preload "
      "(weight and input stationary); full (output stationary, dot columns)");
  static const std::vector<std::string> packing{"channels", "window", "first_layer_window"};
  enum_field(visitor, "reduction_packing", spec.reduction_packing, packing, Need::kOptional,
             "whether lanes along the reduction take channels of one window position only, or run "
             "through the flattened window; first_layer_window does so for layers that read the "
             "network's input");
  enum_field(visitor, "depthwise", spec.depthwise, depthwise_names(), Need::kOptional,
             "how the groups of a grouped convolution lie on the machine");
}

template <typename Visitor>
void visit_fields(Visitor& visitor, MacSpec& spec) {
  visitor.text("style", spec.style, Need::kRequired, "MAC unit family");
  visitor.integers("weight_bits", spec.weight_bits, {1, 32}, Need::kRequired,
                   "legal compute widths in the weight role");
  visitor.integers("activation_bits", spec.activation_bits, {1, 32}, Need::kRequired,
                   "legal compute widths in the activation role");
  visitor.integer("core_bits", spec.core_bits, {8, 16}, Need::kOptional,
                  "fused and subword units: width at which the unit does one product, 8 or 16");
  static const std::vector<std::string> serial{"weight", "activation", "both"};
  enum_field(visitor, "serial", spec.serial, serial, Need::kOptional,
             "bit_serial: operand that the unit takes in parts");
  visitor.integer("bits_per_cycle", spec.bits_per_cycle, {1, 16}, Need::kOptional,
                  "bit_serial: bits of a serial operand that the unit takes per cycle");
  visitor.integer("lanes", spec.lanes, {1, 256}, Need::kOptional,
                  "bit_serial: products side by side that the unit sums");
  static const std::vector<std::string> subwords{"groups", "out_channels", "pixels"};
  enum_field(visitor, "subwords", spec.subwords, subwords, Need::kOptional,
             "subword_apart: where the products of the subwords go; out_channels and pixels "
             "replicate the other operand");
  visitor.boolean("data_gating", spec.data_gating, Need::kOptional,
                  "fixed: products of narrower operands are counted as mac_gated");
  visitor.integer("accumulator_bits", spec.accumulator_bits, {4, 64}, Need::kOptional,
                  "width of a partial sum in the PE, in buffers and on the way to DRAM");
  static const std::vector<std::string> overflow{"error", "saturate"};
  enum_field(visitor, "overflow", spec.overflow, overflow, Need::kOptional,
             "what happens when a + w + ceil(log2 K) bits exceed the accumulator");
}

template <typename Visitor>
void visit_fields(Visitor& visitor, ModeOverride& mode) {
  visitor.integer("weight", mode.weight, {1, 32}, Need::kRequired, "compute width of the weight");
  visitor.integer("activation", mode.activation, {1, 32}, Need::kRequired,
                  "compute width of the activation");
  visitor.integer("cycles", mode.cycles, {1, 1024}, Need::kOptional, "cycles of a step");
  visitor.integer("reduction", mode.reduction, {1, 256}, Need::kOptional,
                  "products of a step that one accumulator sums");
  visitor.integer("out_channels", mode.out_channels, {1, 64}, Need::kOptional,
                  "output channels of a step that share the activation");
  visitor.integer("pixels", mode.pixels, {1, 64}, Need::kOptional,
                  "pixels of a step that share the weight");
  visitor.integer("groups", mode.groups, {1, 64}, Need::kOptional, "independent groups of a step");
}

template <typename Visitor>
void visit_fields(Visitor& visitor, VectorSpec& spec) {
  visitor.integer("lanes", spec.lanes, {1, kMaxLanes}, Need::kRequired,
                  "element operations per cycle");
  visitor.integer("requant_lanes", spec.requant_lanes, {0, kMaxLanes}, Need::kOptional,
                  "requantized results per cycle in the drain of a MAC layer; 0 = never a limit");
}

}  // namespace vernier::arch
