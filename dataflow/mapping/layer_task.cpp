#include "dataflow/mapping/layer_task.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

std::string width_list(const std::vector<std::int64_t>& widths) {
  return fmt::format("{}", fmt::join(widths, ", "));
}

// Lowers one layer; keeps what the steps share.
class Lowering {
 public:
  Lowering(const LayerGraph& graph, LayerId id, const NetworkPrecision& precision,
           const Accelerator& machine)
      : graph_(graph), layer_(graph.layers()[id]), precision_(precision), machine_(machine) {
    result_.layer = id;
  }

  LoweredLayer run() {
    if (is_view(layer_.op)) return std::move(result_);
    if (is_mac(layer_.op)) {
      lower_mac();
    } else if (std::holds_alternative<Concat>(layer_.op)) {
      lower_concat();
    } else if (std::holds_alternative<Softmax>(layer_.op)) {
      // Largest channel; subtract it, exp, sum; times the reciprocal of the sum.
      lower_normalization(
          std::get<Softmax>(layer_.op).heads,
          {{Action::kMax, 1}, {Action::kAdd, 2}, {Action::kActivation, 1}, {Action::kMultiply, 1}});
    } else if (std::holds_alternative<LayerNorm>(layer_.op)) {
      // Mean; subtract it, square, mean of the squares; scale and shift.
      lower_normalization(1, {{Action::kAverage, 2}, {Action::kAdd, 2}, {Action::kMultiply, 2}});
    } else if (const auto* pad = std::get_if<PadChannels>(&layer_.op)) {
      lower_pad(*pad);
    } else {
      lower_vector();
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(std::string_view message) const {
    const std::string place = layer_.place.file.empty() ? "" : layer_.place.text() + ": ";
    throw ModelError(fmt::format("{}layer '{}': {}", place, layer_.name, message));
  }

  [[nodiscard]] Bitwidth bits_of(TensorId tensor) const { return precision_.at(tensor).bits; }

  Bitwidth storage_of(TensorId tensor, Bitwidth bits) const {
    const std::optional<Bitwidth> storage = machine_.storage(bits);
    if (storage) return *storage;
    fail(fmt::format("the tensor '{}' has {} bits; the machine '{}' stores {} bits",
                     graph_.tensor(tensor).name, bits.bits(), machine_.spec().name,
                     width_list(machine_.spec().storage_bits)));
  }
  Bitwidth storage_of(TensorId tensor) const { return storage_of(tensor, bits_of(tensor)); }

  Bitwidth weight_compute_of(TensorId tensor, Bitwidth bits) const {
    const std::optional<Bitwidth> compute = machine_.compute_weight(bits);
    if (compute) return *compute;
    fail(
        fmt::format("the tensor '{}' has {} bits; in the weight role the machine '{}' computes "
                    "with {} bits",
                    graph_.tensor(tensor).name, bits.bits(), machine_.spec().name,
                    width_list(machine_.spec().mac.weight_bits)));
  }
  Bitwidth activation_compute_of(TensorId tensor) const {
    const Bitwidth bits = bits_of(tensor);
    const std::optional<Bitwidth> compute = machine_.compute_activation(bits);
    if (compute) return *compute;
    fail(
        fmt::format("the tensor '{}' has {} bits; in the activation role the machine '{}' "
                    "computes with {} bits",
                    graph_.tensor(tensor).name, bits.bits(), machine_.spec().name,
                    width_list(machine_.spec().mac.activation_bits)));
  }

  void note_rounding(TensorId tensor, Bitwidth logical, Bitwidth storage, Bitwidth compute) {
    if (logical == storage && logical == compute) return;
    const WidthRounding rounding{tensor, logical, storage, compute};
    if (std::find(result_.roundings.begin(), result_.roundings.end(), rounding) ==
        result_.roundings.end()) {
      result_.roundings.push_back(rounding);
    }
  }

  void refuse_slices(TensorId tensor) const {
    if (precision_.at(tensor).slices.size() > 1) {
      fail(fmt::format("the tensor '{}' is sliced; slices are for weight tensors",
                       graph_.tensor(tensor).name));
    }
  }

  void refuse_float(TensorId tensor) const {
    if (precision_.at(tensor).kind == NumberKind::kFloat) {
      fail(fmt::format("the tensor '{}' holds floats; the MAC family '{}' multiplies integers",
                       graph_.tensor(tensor).name, machine_.spec().mac.style));
    }
  }

  // Task with the sizes that all kinds share.
  [[nodiscard]] LayerTask sized(const Shape& input, const Shape& output) const {
    LayerTask task;
    task.images = graph_.batch();
    task.in_height = input.height;
    task.in_width = input.width;
    task.out_height = output.height;
    task.out_width = output.width;
    return task;
  }

  // Pointwise layers see the images of a batch as more rows, so that a tile may span images.
  static void join_images(LayerTask& task) {
    if (!task.window.is_pointwise()) return;
    task.in_height = checked_mul(task.in_height, task.images);
    task.out_height = checked_mul(task.out_height, task.images);
    task.images = 1;
  }

  void lower_mac() {
    const Shape& input = graph_.tensor(layer_.inputs[0]).shape;
    const Shape& output = graph_.tensor(layer_.output).shape;
    LayerTask task = sized(input, output);
    task.unit = TaskUnit::kArray;
    if (const auto* conv = std::get_if<Conv2d>(&layer_.op)) {
      task.window = conv->window;
      task.groups = conv->groups;
      task.channels = input.channels / conv->groups;
      task.out_channels = conv->out_channels / conv->groups;
    } else if (std::holds_alternative<Dense>(layer_.op)) {
      task.channels = input.channels;
      task.out_channels = output.channels;
    } else {
      const auto& matmul = std::get<MatMul>(layer_.op);
      // Each image has its own second operand: one product per head and image.
      task.groups = checked_mul(matmul.heads, task.images);
      task.images = 1;
      task.channels = input.channels / matmul.heads;
      task.out_channels = output.channels / matmul.heads;
    }
    join_images(task);

    refuse_slices(layer_.inputs[0]);
    refuse_slices(layer_.output);
    task.input_storage[0] = storage_of(layer_.inputs[0]);
    task.activation_compute = activation_compute_of(layer_.inputs[0]);
    note_rounding(layer_.inputs[0], bits_of(layer_.inputs[0]), task.input_storage[0],
                  task.activation_compute);
    task.output_storage = storage_of(layer_.output);
    note_rounding(layer_.output, bits_of(layer_.output), task.output_storage, task.output_storage);
    const TensorId weight = layer_.weight ? *layer_.weight : layer_.inputs[1];
    task.reads_network_input = !graph_.tensor(layer_.inputs[0]).producer.has_value();
    task.constant_weight = layer_.weight.has_value();
    task.asymmetric_weight = precision_.at(weight).asymmetric;
    task.asymmetric_input = precision_.at(layer_.inputs[0]).asymmetric;
    if (layer_.activation != ActivationKind::kNone && layer_.activation != ActivationKind::kRelu &&
        layer_.activation != ActivationKind::kRelu6) {
      require_op(Action::kActivation);
      task.activation_in_drain = true;
    }
    refuse_float(layer_.inputs[0]);
    refuse_float(weight);
    if (!layer_.weight) refuse_slices(weight);
    add_weight_slices(task, weight);
  }

  // One task per width of the weight, ascending (design 5.7).
  void add_weight_slices(const LayerTask& whole, TensorId weight) {
    std::map<Bitwidth, std::int64_t> channels_of_width;
    const Precision& precision = precision_.at(weight);
    for (const PrecisionSlice& slice : precision.slices) {
      channels_of_width[slice.bits] += slice.channels;
    }
    if (whole.groups > 1) require_whole_groups(precision, whole.out_channels);
    if (channels_of_width.empty()) {
      channels_of_width[precision.bits] = whole.groups * whole.out_channels;
    }
    for (const auto& [bits, channels] : channels_of_width) {
      LayerTask task = whole;
      if (channels_of_width.size() > 1) {
        if (whole.groups == 1) {
          task.out_channels = channels;
        } else {
          task.groups = channels / whole.out_channels;
        }
      }
      // The sums of activations that a weight zero point needs serve all widths.
      task.asymmetric_weight = whole.asymmetric_weight && result_.tasks.empty();
      task.weight_storage = storage_of(weight, bits);
      task.weight_compute = weight_compute_of(weight, bits);
      note_rounding(weight, bits, task.weight_storage, task.weight_compute);
      if (runs_on_vector_unit(task)) {
        lower_depthwise(task);
        continue;
      }
      check_accumulator(task);
      result_.tasks.push_back(task);
    }
  }

  // Groups of one input and one output channel: nothing is shared between lanes.
  [[nodiscard]] bool runs_on_vector_unit(const LayerTask& task) const {
    return machine_.spec().array.depthwise == arch::DepthwiseMode::kVectorUnit &&
           layer_.weight.has_value() && task.groups > 1 && task.channels == 1 &&
           task.out_channels == 1;
  }

  // One multiplication and one addition per window position; the weights are the second input, with
  // the taps of all channels side by side.
  void lower_depthwise(LayerTask task) {
    constexpr int kLaneMultiplier = 16;
    constexpr int kLaneAdder = 32;
    const int input = task.input_storage[0].bits();
    const int weight = task.weight_storage.bits();
    const int sum = input + weight + ceil_log2(task.reduction());
    if (input > kLaneMultiplier || weight > kLaneMultiplier || sum > kLaneAdder) {
      fail(
          fmt::format("{} x {} bit products summed {} times need {} bits; a vector lane has a "
                      "multiplier of {} and an adder of {} bits (array.depthwise: vector_unit)",
                      weight, input, task.reduction(), sum, kLaneMultiplier, kLaneAdder));
    }
    if (task.asymmetric_weight) {
      fail("its weight has a zero point, which array.depthwise: vector_unit does not take off");
    }
    task.channels = task.out_channels = task.groups;
    task.groups = 1;
    task.reach = {InputReach::kWindow, InputReach::kTaps};
    task.input_storage[1] = task.weight_storage;
    task.constant_weight = task.asymmetric_input = task.activation_in_drain = false;
    task.requantizes = true;
    task.unit = TaskUnit::kVector;
    add_ops(task, {Action::kMultiply, task.window.positions()});
    add_ops(task, {Action::kAdd, task.window.positions()});
    const bool in_requantizer = layer_.activation == ActivationKind::kNone ||
                                layer_.activation == ActivationKind::kRelu ||
                                layer_.activation == ActivationKind::kRelu6;
    if (!in_requantizer) add_ops(task, {Action::kActivation, 1});
    result_.tasks.push_back(task);
  }

  // A group runs at one width: neighbouring slices of equal bits must end where a group does.
  void require_whole_groups(const Precision& precision, std::int64_t group_channels) const {
    std::int64_t run = 0;
    for (std::size_t at = 0; at < precision.slices.size(); ++at) {
      const Bitwidth bits = precision.slices[at].bits;
      run += precision.slices[at].channels;
      const bool goes_on =
          at + 1 < precision.slices.size() && precision.slices[at + 1].bits == bits;
      if (goes_on) continue;
      if (run % group_channels != 0) {
        fail(fmt::format("{} channels of {} bits are not whole groups of {} channels", run,
                         bits.bits(), group_channels));
      }
      run = 0;
    }
  }

  void check_accumulator(const LayerTask& task) const {
    const arch::MacSpec& mac = machine_.spec().mac;
    const int need =
        task.weight_compute.bits() + task.activation_compute.bits() + ceil_log2(task.reduction());
    if (need > mac.accumulator_bits && mac.overflow == arch::AccumulatorOverflow::kError) {
      fail(
          fmt::format("{} x {} bit products summed {} times need {} accumulator bits; "
                      "mac.accumulator_bits is {} (raise it, or accept mac.overflow: saturate)",
                      task.weight_compute.bits(), task.activation_compute.bits(), task.reduction(),
                      need, mac.accumulator_bits));
    }
  }

  void require_op(Action action) const {
    if (machine_.spec().vector.cycles_for(action) > 0) return;
    std::vector<std::string> names;
    for (const Action known : arch::vector_actions()) {
      if (machine_.spec().vector.cycles_for(known) > 0) names.emplace_back(to_text(known));
    }
    fail(fmt::format("needs the vector operation '{}'; vector.ops of the machine '{}' has {}",
                     to_text(action), machine_.spec().name, name_list(names)));
  }

  struct VectorOps {
    Action action;
    std::int64_t per_output;
  };

  // Operations of one kind stand in one place.
  void add_ops(LayerTask& task, const VectorOps& ops) const {
    require_op(ops.action);
    for (std::size_t at = 0; at < task.actions.size(); ++at) {
      if (task.ops_per_output[at] != 0 && task.actions[at] != ops.action) continue;
      task.actions[at] = ops.action;
      task.ops_per_output[at] += ops.per_output;
      return;
    }
    VERNIER_ASSERT(false, "at most kMostVectorActions kinds of operations");
  }

  void finish_vector(const LayerTask& task, Action action, std::int64_t ops) {
    finish_vector(task, {{action, ops}});
  }

  // Adds the output side and the folded activation function of a vector task, then the task.
  void finish_vector(LayerTask task, const std::vector<VectorOps>& list) {
    task.unit = TaskUnit::kVector;
    for (const VectorOps& ops : list) add_ops(task, ops);
    if (layer_.activation != ActivationKind::kNone) add_ops(task, {Action::kActivation, 1});
    task.output_storage = storage_of(layer_.output);
    note_rounding(layer_.output, bits_of(layer_.output), task.output_storage, task.output_storage);
    join_images_of_vector(task);
    result_.tasks.push_back(task);
  }

  static void join_images_of_vector(LayerTask& task) {
    const bool scaled = task.reach[0] == InputReach::kScaled;
    const bool one_pixel = task.reach[1] == InputReach::kOnePixel;
    if (!scaled && !one_pixel) join_images(task);
  }

  void set_input(LayerTask& task, std::size_t slot, TensorId tensor) {
    refuse_slices(tensor);
    task.input_storage[slot] = storage_of(tensor);
    note_rounding(tensor, bits_of(tensor), task.input_storage[slot], task.input_storage[slot]);
  }

  void lower_vector() {
    const Shape& input = graph_.tensor(layer_.inputs[0]).shape;
    const Shape& output = graph_.tensor(layer_.output).shape;
    LayerTask task = sized(input, output);
    task.channels = task.out_channels = output.channels;
    set_input(task, 0, layer_.inputs[0]);
    if (const auto* pool = std::get_if<Pool>(&layer_.op)) {
      task.window = pool->window;
      finish_vector(task, pool->kind == PoolKind::kMax ? Action::kMax : Action::kAverage,
                    pool->window.positions());
    } else if (const auto* elementwise = std::get_if<Elementwise>(&layer_.op)) {
      set_input(task, 1, layer_.inputs[1]);
      const Shape& second = graph_.tensor(layer_.inputs[1]).shape;
      task.reach[1] = second == input ? InputReach::kWindow : InputReach::kOnePixel;
      finish_vector(
          task, elementwise->kind == ElementwiseKind::kAdd ? Action::kAdd : Action::kMultiply, 1);
    } else if (std::holds_alternative<ActivationLayer>(layer_.op)) {
      finish_vector(task, Action::kActivation, 1);
    } else {
      task.reach[0] = InputReach::kScaled;  // resize
      finish_vector(task, Action::kCopy, 1);
    }
  }

  // Every channel of a pixel is read once, so that those of a head must be on chip together.
  void lower_normalization(std::int64_t heads, const std::vector<VectorOps>& ops) {
    const Shape& shape = graph_.tensor(layer_.output).shape;
    LayerTask task = sized(shape, shape);
    task.channels = task.out_channels = shape.channels;
    task.channel_unit = shape.channels / heads;
    set_input(task, 0, layer_.inputs[0]);
    finish_vector(task, ops);
  }

  // A copy of `channels` channels of one input into the output; reach kNone: zeros.
  LayerTask copy_task(std::int64_t channels) const {
    const Shape& output = graph_.tensor(layer_.output).shape;
    LayerTask task = sized(output, output);
    task.channels = task.out_channels = channels;
    return task;
  }

  // Producers write into the concatenation's place when they can and all widths are equal;
  // otherwise every input takes a pass through the vector unit.
  void lower_concat() {
    const Bitwidth stored = storage_of(layer_.output);
    const bool in_place =
        graph_.may_join_in_place(graph_.tensor(layer_.output).producer.value()) &&
        std::all_of(layer_.inputs.begin(), layer_.inputs.end(),
                    [&](TensorId tensor) { return storage_of(tensor) == stored; });
    for (const TensorId tensor : layer_.inputs) refuse_slices(tensor);
    if (in_place) return;
    for (const TensorId tensor : layer_.inputs) {
      const Shape& part = graph_.tensor(tensor).shape;
      LayerTask task = sized(part, part);
      task.channels = task.out_channels = part.channels;
      set_input(task, 0, tensor);
      finish_vector(task, Action::kCopy, 1);
    }
  }

  void lower_pad(const PadChannels& pad) {
    LayerTask task = copy_task(graph_.tensor(layer_.inputs[0]).shape.channels);
    set_input(task, 0, layer_.inputs[0]);
    finish_vector(task, Action::kCopy, 1);
    for (const std::int64_t zeros : {pad.before, pad.after}) {
      if (zeros == 0) continue;
      LayerTask fill = copy_task(zeros);
      fill.reach[0] = InputReach::kNone;
      finish_vector(fill, Action::kCopy, 1);
    }
  }

  const LayerGraph& graph_;
  const Layer& layer_;
  const NetworkPrecision& precision_;
  const Accelerator& machine_;
  LoweredLayer result_;
};

void mix(std::size_t& seed, std::int64_t value) {
  seed ^= std::hash<std::int64_t>{}(value) + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
}

}  // namespace

Macs LayerTask::macs() const {
  if (unit == TaskUnit::kVector && !requantizes) return Macs(0);
  if (requantizes) {  // a depthwise layer of the vector unit
    return Macs(checked_mul(checked_mul(pixels(), out_channels), window.positions()));
  }
  return Macs(checked_mul(checked_mul(pixels(), out_channels), checked_mul(groups, reduction())));
}

std::int64_t rows_of_input(const LayerTask& task, std::size_t slot, std::int64_t in_pixels) {
  switch (task.reach.at(slot)) {
    case InputReach::kNone: return 0;
    case InputReach::kOnePixel: return 1;
    case InputReach::kTaps: return task.window.positions();
    default: return in_pixels;
  }
}

std::size_t hash_of(const LayerTask& task) {
  // The fields that usually differ; equality looks at all of them.
  std::int64_t widths = 0;
  constexpr int kByte = 8;
  for (const Bitwidth bits : {task.input_storage[0], task.input_storage[1], task.weight_storage,
                              task.output_storage, task.weight_compute, task.activation_compute}) {
    widths = (widths << kByte) | bits.bits();
  }
  std::size_t seed = static_cast<std::size_t>(task.unit);
  for (const std::int64_t value : {widths, task.images, task.groups, task.channels, task.out_height,
                                   task.out_width, task.out_channels, task.window.kernel_height,
                                   task.window.stride_height, task.ops_per_output[0]}) {
    mix(seed, value);
  }
  return seed;
}

LoweredLayer lower_layer(const LayerGraph& graph, LayerId layer, const NetworkPrecision& precision,
                         const Accelerator& machine) {
  return Lowering(graph, layer, precision, machine).run();
}

}  // namespace vernier::dataflow
