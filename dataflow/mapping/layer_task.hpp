// What one layer asks of the machine, free of names: sizes and widths only. Equal tasks cost the
// same, so this is also the key of the cost cache. A graph layer becomes zero tasks (a view), one,
// or several that run one after the other (a sliced weight, a concatenation that must copy).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/base/activity.hpp"
#include "arch/base/bitwidth.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"
#include "dataflow/machine/accelerator.hpp"

namespace vernier::dataflow {

/// Which unit runs the task.
enum class TaskUnit : std::uint8_t { kArray, kVector };

/// How an input of a vector task is read for an output tile.
enum class InputReach : std::uint8_t {
  kNone,
  kWindow,
  kScaled,
  kOnePixel,  ///< one value per image and channel
  kTaps,      ///< weights: one value per window position and channel
};

/// Kinds of operations that one vector task has at most.
inline constexpr std::size_t kMostVectorActions = 4;

/// One task. For the array: a GEMM per group with P = images * out pixels, K = window * channels,
/// N = out_channels, all per group. For the vector unit: channels = out_channels, groups = 1.
struct LayerTask {
  TaskUnit unit = TaskUnit::kArray;
  std::int64_t images = 1;
  std::int64_t groups = 1;
  std::int64_t in_height = 1;
  std::int64_t in_width = 1;
  std::int64_t channels = 1;  ///< C per group
  std::int64_t out_height = 1;
  std::int64_t out_width = 1;
  std::int64_t out_channels = 1;  ///< N per group
  Window window;

  // Widths: storage for traffic and capacity, compute for cycles and MAC energy.
  std::array<Bitwidth, 2> input_storage{};  ///< second one: vector tasks with two inputs
  Bitwidth weight_storage;
  Bitwidth output_storage;
  Bitwidth weight_compute;
  Bitwidth activation_compute;
  bool reads_network_input = false;  ///< no layer makes its input
  bool constant_weight = false;      ///< the second operand is a weight tensor, may be prefetched
  bool asymmetric_weight = false;    ///< its zero point costs an add per element and pixel
  bool asymmetric_input = false;     ///< padded positions hold the zero point: real products
  bool activation_in_drain = false;  ///< a folded function other than ReLU: one action per output

  // Residency (design 5.7): operands that lie on chip, where their producers left them.
  std::array<bool, 2> input_resident{};  ///< by slot; no loads
  bool output_resident = false;          ///< finished outputs are not stored

  // Vector tasks only.
  std::int64_t channel_unit = 1;  ///< tiles hold whole multiples, since the operation joins them
  std::array<InputReach, 2> reach{InputReach::kWindow, InputReach::kNone};
  std::array<Action, kMostVectorActions> actions{Action::kCopy, Action::kCopy, Action::kCopy,
                                                 Action::kCopy};
  std::array<std::int64_t, kMostVectorActions> ops_per_output{};  ///< of each action
  bool requantizes = false;  ///< a depthwise layer: outputs are scaled like those of the array

  /// The widths at which an array task runs.
  [[nodiscard]] LayerPrecision precision(std::int64_t accumulator_bits) const {
    return {weight_compute, activation_compute, accumulator_bits, output_storage};
  }
  [[nodiscard]] std::int64_t pixels() const { return images * out_height * out_width; }
  /// Weights of one output channel: window positions * channels.
  [[nodiscard]] std::int64_t reduction() const { return window.positions() * channels; }
  /// Products, padding positions included.
  [[nodiscard]] Macs macs() const;
  friend bool operator==(const LayerTask&, const LayerTask&) = default;
};

/// Rows of the block of an input of a vector task whose window touches `in_pixels` pixels; each row
/// holds the channels of the tile.
[[nodiscard]] std::int64_t rows_of_input(const LayerTask& task, std::size_t slot,
                                         std::int64_t in_pixels);

[[nodiscard]] std::size_t hash_of(const LayerTask& task);

/// A tensor whose width the machine does not have.
struct WidthRounding {
  TensorId tensor = 0;
  Bitwidth logical;
  Bitwidth storage;
  Bitwidth compute;  ///< in the role where it is consumed; equal to storage when no MAC reads it
  friend bool operator==(const WidthRounding&, const WidthRounding&) = default;
};

/// Whether an activation stays on chip from its producer to its last consumer, and why not.
enum class Residence : std::uint8_t {
  kOnChip,
  kNoRoom,         ///< in some layer the live activations need more than the machine keeps for them
  kNetworkInput,   ///< shares its place with a network input, which is always loaded
  kNetworkOutput,  ///< is a network output, or shares its place with one: always stored
  kReadAsWeights   ///< second operand of a MatMul, which the weight buffer serves
};
[[nodiscard]] std::string_view to_text(Residence residence);

/// The place of an activation that some layer writes.
struct ActivationResidence {
  TensorId tensor = 0;
  Bytes size{0};  ///< all images at storage width, every pixel's channels padded to whole words
  Residence residence = Residence::kNoRoom;
  LayerId first = 0;  ///< layers during which its place is taken
  LayerId last = 0;
  friend bool operator==(const ActivationResidence&, const ActivationResidence&) = default;
};

/// The tasks of one layer.
struct LoweredLayer {
  LayerId layer = 0;
  std::vector<LayerTask> tasks;
  std::vector<WidthRounding> roundings;
  /// Of the layer's output; empty for views, free concatenations and machines without residency.
  std::optional<ActivationResidence> residence;
  Bytes resident{0};  ///< of all activations that are on chip while the layer runs
};

/// Lowers one layer at given widths. Throws ModelError that names layer and tensor when a width is
/// above the machine's largest, an accumulator is too narrow, an operation is missing in the
/// vector unit, or a slice cannot be run.
[[nodiscard]] LoweredLayer lower_layer(const LayerGraph& graph, LayerId layer,
                                       const NetworkPrecision& precision,
                                       const Accelerator& machine);

}  // namespace vernier::dataflow
