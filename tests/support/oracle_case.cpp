#include "tests/support/oracle_case.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <rapidcheck.h>

#include "energy/estimator.hpp"

namespace vernier::tests {
namespace {

using dataflow::Accelerator;
using dataflow::AcceleratorSpec;
using dataflow::InputReach;
using dataflow::LayerTask;
using dataflow::LoopDim;
using dataflow::Mapping;
using dataflow::TaskUnit;
using dataflow::Window;

// Uniform at every size of RapidCheck; shrinks towards the least.
std::int64_t pick(std::int64_t least, std::int64_t most) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::int64_t>(least, most + 1));
}
bool pick_bool() { return pick(0, 1) == 1; }
bool one_in(std::int64_t times) { return pick(1, times) == times; }

template <typename T>
T pick_of(const std::vector<T>& values) {
  return values[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(values.size()) - 1))];
}

std::vector<std::int64_t> pick_some(const std::vector<std::int64_t>& values) {
  std::vector<std::int64_t> some;
  for (const std::int64_t value : values) {
    if (pick_bool()) some.push_back(value);
  }
  if (some.empty()) some.push_back(pick_of(values));
  return some;
}

memory::BufferSpec draw_buffer(std::string name, std::vector<TensorRole> serves) {
  memory::BufferSpec buffer;
  buffer.name = std::move(name);
  buffer.serves = std::move(serves);
  buffer.banks = 2 * pick(1, 4);
  buffer.ports = pick(1, 2);
  buffer.word = Bits(pick_of<std::int64_t>({8, 16, 32, 64}));
  const std::int64_t words_per_bank = one_in(4) ? pick(1, 24) : pick(100, 2000);
  if (one_in(4)) {
    buffer.buffering = memory::Buffering::kSingle;
    buffer.banks = pick(1, 8);
  }
  const Bytes bank(buffer.word.count() * words_per_bank / 8);
  if (buffer.serves_role(TensorRole::kInput) && buffer.serves_role(TensorRole::kOutput)) {
    const std::int64_t kept = pick(0, 3);
    buffer.resident_bytes = bank * kept;
    buffer.banks += kept;
  }
  buffer.capacity = bank * buffer.banks;
  return buffer;
}

std::vector<memory::BufferSpec> draw_buffers() {
  constexpr TensorRole kIn = TensorRole::kInput;
  constexpr TensorRole kWeight = TensorRole::kWeight;
  constexpr TensorRole kOut = TensorRole::kOutput;
  switch (pick(0, 6)) {
    case 3: return {draw_buffer("io", {kIn, kOut}), draw_buffer("weight", {kWeight})};
    case 4: return {draw_buffer("output", {kOut}), draw_buffer("operands", {kIn, kWeight})};
    case 5: return {draw_buffer("results", {kWeight, kOut}), draw_buffer("input", {kIn})};
    case 6: return {draw_buffer("all", {kIn, kWeight, kOut})};
    default:
      return {draw_buffer("input", {kIn}), draw_buffer("weight", {kWeight}),
              draw_buffer("output", {kOut})};
  }
}

// Some legal widths of a family and its parameters.
arch::MacSpec draw_mac(const std::string& style) {
  arch::MacSpec mac;
  mac.style = style;
  std::vector<std::int64_t> widths{2, 4, 8, 16};
  if (style == "fixed") {
    widths = {1, 2, 4, 8, 16};
    mac.data_gating = one_in(3);
  } else if (style == "bit_serial") {
    widths = {1, 2, 3, 4, 5, 7, 8, 16};
    mac.serial = pick_of<arch::SerialOperand>({arch::SerialOperand::kWeight,
                                               arch::SerialOperand::kActivation,
                                               arch::SerialOperand::kBoth});
    mac.bits_per_cycle = pick(1, 4);
    mac.lanes = pick_of<std::int64_t>({1, 1, 2, 5});
  } else if (style != "sum_together") {
    mac.core_bits = pick_of<std::int64_t>({8, 8, 16});
    const bool subwords = style.starts_with("subword");
    std::erase_if(widths, [&](std::int64_t bits) {
      return bits > mac.core_bits || (subwords && 4 * bits < mac.core_bits);
    });
    mac.subwords = pick_of<arch::Subwords>(
        {arch::Subwords::kGroups, arch::Subwords::kOutChannels, arch::Subwords::kPixels});
  }
  mac.weight_bits = pick_some(widths);
  mac.activation_bits = pick_some(widths);
  if (one_in(6)) {  // a mode that is stated
    mac.modes.push_back({.weight = pick_of(mac.weight_bits),
                         .activation = pick_of(mac.activation_bits),
                         .cycles = pick(1, 5),
                         .reduction = pick(1, 3),
                         .out_channels = pick(1, 3),
                         .pixels = pick(1, 3),
                         .groups = pick(1, 3)});
  }
  return mac;
}

// A depthwise mode that the machine can have.
arch::DepthwiseMode draw_depthwise(const AcceleratorSpec& spec) {
  using arch::DepthwiseMode;
  std::vector<DepthwiseMode> modes{DepthwiseMode::kPerGroup, DepthwiseMode::kVectorUnit};
  const bool one_group = spec.array.fold_overlap != arch::FoldOverlap::kNone ||
                         spec.array.dataflow == arch::Dataflow::kDotColumns;
  if (one_group) return pick_of(modes);
  if (spec.array.dataflow == arch::Dataflow::kWeightStationary) {
    modes.insert(modes.end(), 2, DepthwiseMode::kBlockDiagonal);
  }
  const Accelerator machine(spec);
  const bool has_groups = std::any_of(machine.modes().begin(), machine.modes().end(),
                                      [](const auto& mode) { return mode.mode.groups > 1; });
  if (has_groups) modes.insert(modes.end(), 4, DepthwiseMode::kGroupedLanes);
  return pick_of(modes);
}

// Overlapping folds and dot_columns take units whose lanes add up, one group at a time.
bool may_overlap(const AcceleratorSpec& spec) {
  AcceleratorSpec plain = spec;
  plain.array.dataflow = arch::Dataflow::kOutputStationary;
  const Accelerator machine(plain);
  return std::all_of(machine.modes().begin(), machine.modes().end(), [](const auto& mode) {
    return mode.mode.out_channels * mode.mode.pixels * mode.mode.groups == 1;
  });
}

void draw_dataflow(AcceleratorSpec& spec) {
  using enum arch::Dataflow;
  const bool overlaps = may_overlap(spec);
  spec.array.dataflow =
      overlaps ? pick_of<arch::Dataflow>(
                     {kOutputStationary, kWeightStationary, kInputStationary, kDotColumns})
               : pick_of<arch::Dataflow>({kOutputStationary, kWeightStationary, kInputStationary});
  if (overlaps && pick_bool()) {
    spec.array.fold_overlap =
        spec.array.preloads() ? arch::FoldOverlap::kPreload : arch::FoldOverlap::kFull;
  }
}

AcceleratorSpec draw_machine(const std::string& style = {}) {
  AcceleratorSpec spec;
  spec.name = "random";
  spec.clock = Hertz(200'000'000);
  spec.energy.tables = {"flat"};
  spec.array.rows = pick(1, 6);
  spec.array.columns = pick(1, 6);
  spec.array.reduction_packing = pick_of<arch::ReductionPacking>(
      {arch::ReductionPacking::kChannels, arch::ReductionPacking::kWindow,
       arch::ReductionPacking::kFirstLayerWindow});
  spec.mac = draw_mac(style.empty() ? pick_of(arch::builtin_mac_families().names()) : style);
  spec.mac.accumulator_bits = pick_of<std::int64_t>({16, 20, 24, 32, 41});
  if (pick_bool()) {
    spec.storage_bits = pick_some({1, 2, 4, 8});
    spec.storage_bits.push_back(16);
  }
  spec.buffers = draw_buffers();
  spec.dram.bandwidth =
      Bandwidth::per_cycles(pick_of<std::int64_t>({64, 48, 32, 17, 8, 5, 3, 1}), pick(1, 4));
  spec.dram.latency = Cycles(pick(0, 30));
  spec.vector.lanes = pick(1, 8);
  for (const Action action : arch::vector_actions()) {
    spec.vector.cycles_per_op[static_cast<std::size_t>(action)] = pick(1, 3);
  }
  spec.vector.requant_lanes = pick(0, 4);
  draw_dataflow(spec);
  spec.array.depthwise = draw_depthwise(spec);
  return spec;
}

struct Axis {
  std::int64_t in_size = 1;
  std::int64_t out_size = 1;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
  std::int64_t pad_before = 0;
  std::int64_t pad_after = 0;
};

// An axis of a window: the output has floor((in + padding - extent) / stride) + 1 positions.
Axis draw_axis(bool pointwise) {
  constexpr std::int64_t kLargestMap = 9;
  Axis axis;
  if (!pointwise) {
    axis.kernel = pick(1, 4);
    axis.stride = pick(1, 3);
    axis.dilation = pick(1, 2);
    axis.pad_before = pick(0, axis.kernel);
    axis.pad_after = pick(0, axis.kernel);
  }
  const std::int64_t extent = (axis.kernel - 1) * axis.dilation + 1;
  const std::int64_t padding = axis.pad_before + axis.pad_after;
  axis.in_size = pick(std::max<std::int64_t>(1, extent - padding), kLargestMap);
  axis.out_size = (axis.in_size + padding - extent) / axis.stride + 1;
  return axis;
}

void set_axes(LayerTask& task, const Axis& rows, const Axis& columns) {
  task.in_height = rows.in_size;
  task.in_width = columns.in_size;
  task.out_height = rows.out_size;
  task.out_width = columns.out_size;
  task.window = {rows.kernel,    columns.kernel,   rows.stride,     columns.stride,
                 rows.dilation,  columns.dilation, rows.pad_before, columns.pad_before,
                 rows.pad_after, columns.pad_after};
}

// A width that the machine has, since at_most has kept it below the largest.
Bitwidth existing(const std::optional<Bitwidth>& width) {
  if (!width) throw std::logic_error("no such width");
  return *width;
}
Bitwidth at_most(std::int64_t bits, std::int64_t most) { return Bitwidth(std::min(bits, most)); }

// What the network says; the machine rounds it up.
std::int64_t draw_bits() { return pick_of<std::int64_t>({8, 1, 2, 4, 16}); }

LayerTask draw_array_task(const Accelerator& machine) {
  LayerTask task;
  const bool pointwise = one_in(4);
  set_axes(task, draw_axis(pointwise), draw_axis(pointwise));
  task.images = pick(1, 3);
  task.groups = pick(1, 5);
  // Every product is counted one by one; channels are drawn such that there are not too many.
  constexpr std::int64_t kMostChannels = 20;
  std::int64_t left = 300'000 / (task.pixels() * task.groups * task.window.positions());
  // Groups are often thin, as in depthwise layers: then several may lie on the array at once.
  const std::int64_t most = task.groups > 1 && pick_bool() ? 2 : kMostChannels;
  task.channels = pick(1, std::clamp<std::int64_t>(left, 1, most));
  left /= task.channels;
  task.out_channels = pick(1, std::clamp<std::int64_t>(left, 1, most));

  const arch::MacSpec& mac = machine.spec().mac;
  const Bitwidth input = at_most(draw_bits(), mac.activation_bits.back());
  const Bitwidth weight = at_most(draw_bits(), mac.weight_bits.back());
  const Bitwidth output = at_most(draw_bits(), machine.spec().storage_bits.back());
  task.input_storage[0] = existing(machine.storage(input));
  task.activation_compute = existing(machine.compute_activation(input));
  task.weight_storage = existing(machine.storage(weight));
  task.weight_compute = existing(machine.compute_weight(weight));
  task.output_storage = existing(machine.storage(output));
  task.reads_network_input = pick_bool();
  task.constant_weight = pick_bool();
  task.asymmetric_weight = pick_bool();
  task.asymmetric_input = pick_bool();
  task.activation_in_drain = pick_bool();
  return task;
}

LayerTask draw_vector_task(const Accelerator& machine) {
  LayerTask task;
  task.unit = TaskUnit::kVector;
  task.images = pick(1, 3);
  task.channels = task.out_channels = pick(1, 20);
  task.ops_per_output[0] = 1;  // a copy
  const std::int64_t kind = pick(0, 7);
  const bool has_window = kind == 0 || kind == 7;
  set_axes(task, draw_axis(!has_window), draw_axis(!has_window));
  if (kind == 0) {
    task.actions[0] = pick_bool() ? Action::kMax : Action::kAverage;
    task.ops_per_output[0] = task.window.positions();
  } else if (kind == 1) {
    task.actions[0] = Action::kAdd;
    task.reach[1] = InputReach::kWindow;
  } else if (kind == 2) {
    task.actions[0] = Action::kMultiply;
    task.reach[1] = InputReach::kOnePixel;
  } else if (kind == 3) {
    task.reach[0] = InputReach::kNone;  // zeros
  } else if (kind == 4) {
    task.reach[0] = InputReach::kScaled;
    task.out_height = pick(1, 9);
    task.out_width = pick(1, 9);
  } else if (kind == 7) {  // a depthwise convolution
    task.reach[1] = InputReach::kTaps;
    task.actions = {Action::kMultiply, Action::kAdd, Action::kActivation, Action::kCopy};
    task.ops_per_output = {task.window.positions(), task.window.positions(), pick(0, 1), 0};
    task.requantizes = true;
  } else if (kind == 5) {  // an operation over rows of channels, like a softmax
    task.channel_unit = pick(1, task.channels);
    task.channels = task.out_channels = task.channels / task.channel_unit * task.channel_unit;
    task.actions = {Action::kMax, Action::kActivation, Action::kAdd, Action::kMultiply};
    for (std::int64_t& ops : task.ops_per_output) ops = pick(1, 2);
  }
  if (kind != 5 && kind != 7 && pick_bool()) {
    task.actions[1] = Action::kActivation;
    task.ops_per_output[1] = 1;
  }
  const std::int64_t widest = machine.spec().storage_bits.back();
  for (Bitwidth& input : task.input_storage) {
    input = existing(machine.storage(at_most(draw_bits(), widest)));
  }
  task.output_storage = existing(machine.storage(at_most(draw_bits(), widest)));
  return task;
}

std::int64_t draw_tile(std::int64_t whole) { return one_in(4) ? whole : pick(1, whole); }

Mapping draw_mapping(const LayerTask& task) {
  Mapping mapping;
  mapping.tile.rows = draw_tile(task.out_height);
  mapping.tile.columns = draw_tile(task.out_width);
  mapping.tile.out_channels = task.channel_unit * draw_tile(task.out_channels / task.channel_unit);
  mapping.tile.in_channels = task.unit == TaskUnit::kArray ? draw_tile(task.channels) : 1;
  for (std::int64_t left = pick(0, 5); left > 0; --left) {
    std::next_permutation(mapping.order.begin(), mapping.order.end());
  }
  return mapping;
}

std::string_view packing_name(arch::ReductionPacking packing) {
  switch (packing) {
    case arch::ReductionPacking::kChannels: return "channels";
    case arch::ReductionPacking::kWindow: return "window";
    case arch::ReductionPacking::kFirstLayerWindow: break;
  }
  return "first_layer_window";
}

class FlatPrices final : public energy::Estimator {
 public:
  FlatPrices() : Estimator({.name = "flat", .kind = "test", .technology = {}, .accuracy = 100}) {}
  [[nodiscard]] std::optional<energy::Estimate> energy(const energy::Hardware&,
                                                       const energy::ActionQuery&) const override {
    return energy::Estimate{Picojoules(1.0), "a test"};
  }
  [[nodiscard]] std::optional<energy::AreaEstimate> area(const energy::Hardware&,
                                                         Hertz) const override {
    return energy::AreaEstimate{SquareMicrons(1.0), "a test"};
  }
};

}  // namespace

OracleCase draw_oracle_case(const std::string& style) {
  OracleCase drawn;
  drawn.machine = draw_machine(style);
  const Accelerator machine(drawn.machine);
  drawn.task = style.empty() && one_in(5) ? draw_vector_task(machine) : draw_array_task(machine);
  if (machine.buffer_of(TensorRole::kInput) == machine.buffer_of(TensorRole::kOutput)) {
    for (std::size_t slot = 0; slot < drawn.task.reach.size(); ++slot) {
      const bool reads = drawn.task.unit == TaskUnit::kArray
                             ? slot == 0
                             : drawn.task.reach[slot] != InputReach::kNone &&
                                   drawn.task.reach[slot] != InputReach::kTaps;
      drawn.task.input_resident[slot] = pick_bool() && reads;
    }
    drawn.task.output_resident = pick_bool();
  }
  drawn.mapping = draw_mapping(drawn.task);
  drawn.weight_is_loaded = drawn.task.constant_weight && pick_bool();
  if (pick_bool()) {
    drawn.next_weight_bits = machine.buffer(TensorRole::kWeight).word.count() * pick(1, 64);
  }
  return drawn;
}

AcceleratorSpec draw_oracle_machine(bool keeps_activations) {
  AcceleratorSpec machine = draw_machine();
  if (!keeps_activations) return machine;
  constexpr TensorRole kIn = TensorRole::kInput;
  constexpr TensorRole kWeight = TensorRole::kWeight;
  constexpr TensorRole kOut = TensorRole::kOutput;
  memory::BufferSpec buffer = draw_buffer("kept", {kIn, kOut});
  // 64 to 512 bytes in a bank.
  const Bytes bank(64 * pick(1, 8));
  const std::int64_t blocks = buffer.blocks_held() * pick(1, 3) * 2;
  const std::int64_t kept = pick(1, 4);
  buffer.banks = blocks + kept;
  buffer.capacity = bank * buffer.banks;
  buffer.resident_bytes = bank * kept;
  machine.buffers = {buffer, draw_buffer("weight", {kWeight})};
  if (machine.array.depthwise == arch::DepthwiseMode::kVectorUnit) {
    machine.storage_bits = {1, 2, 4, 8, 16};  // 8 bits lie in 8, so that lanes hold their sums
  }
  if (one_in(3)) {  // one for everything
    machine.buffers.pop_back();
    machine.buffers.front().serves.push_back(kWeight);
  }
  return machine;
}

std::string to_text(const AcceleratorSpec& m) {
  std::string text = fmt::format(
      "machine: {}x{} {}, overlap {}, packing {}, {} w [{}] a [{}], accumulator {}, storage [{}]\n",
      m.array.rows, m.array.columns, arch::to_text(m.array.dataflow),
      arch::to_text(m.array.fold_overlap), packing_name(m.array.reduction_packing), m.mac.style,
      fmt::join(m.mac.weight_bits, ", "), fmt::join(m.mac.activation_bits, ", "),
      m.mac.accumulator_bits, fmt::join(m.storage_bits, ", "));
  text += fmt::format(
      "  core {}, serial {} by {}, lanes {}, subwords {}, gating {}, depthwise {}\n",
      m.mac.core_bits, static_cast<int>(m.mac.serial), m.mac.bits_per_cycle, m.mac.lanes,
      static_cast<int>(m.mac.subwords), m.mac.data_gating, arch::to_text(m.array.depthwise));
  for (const arch::ModeOverride& mode : m.mac.modes) {
    text +=
        fmt::format("  mode w{} a{}: {} cycles, {} x {} x {} x {}\n", mode.weight, mode.activation,
                    mode.cycles, mode.reduction, mode.out_channels, mode.pixels, mode.groups);
  }
  for (const memory::BufferSpec& b : m.buffers) {
    text += fmt::format("  buffer {}: {} bytes, {} banks, {} ports, word {}, {}, {} resident\n",
                        b.name, b.capacity.count(), b.banks, b.ports, b.word.count(),
                        b.blocks_held() == 1 ? "single" : "double", b.resident_bytes.count());
  }
  text +=
      fmt::format("  dram {}/{} bit/cycle, latency {}; vector {} lanes, cycles [{}], requant {}\n",
                  m.dram.bandwidth.bits(), m.dram.bandwidth.cycles(), m.dram.latency.count(),
                  m.vector.lanes, fmt::join(m.vector.cycles_per_op, ", "), m.vector.requant_lanes);
  return text;
}

std::string to_text(const OracleCase& drawn) {
  const LayerTask& t = drawn.task;
  const Window& w = t.window;
  std::string text = to_text(drawn.machine);
  text +=
      fmt::format("task: {}, images {}, groups {}, in {}x{}x{}, out {}x{}x{}\n",
                  t.unit == TaskUnit::kArray ? "array" : "vector", t.images, t.groups, t.channels,
                  t.in_height, t.in_width, t.out_channels, t.out_height, t.out_width);
  text += fmt::format("  kernel {}x{}, stride {}x{}, dilation {}x{}, padding {} {} {} {}\n",
                      w.kernel_height, w.kernel_width, w.stride_height, w.stride_width,
                      w.dilation_height, w.dilation_width, w.pad_top, w.pad_left, w.pad_bottom,
                      w.pad_right);
  text += fmt::format(
      "  stored i {} {} w {} o {}, computed w {} a {}, constant {}, asymmetric w {} a {}, "
      "activation {}, first layer {}\n",
      t.input_storage[0].bits(), t.input_storage[1].bits(), t.weight_storage.bits(),
      t.output_storage.bits(), t.weight_compute.bits(), t.activation_compute.bits(),
      t.constant_weight, t.asymmetric_weight, t.asymmetric_input, t.activation_in_drain,
      t.reads_network_input);
  text += fmt::format("  reach {} {}, channel unit {}, resident i {} {} o {}",
                      static_cast<int>(t.reach[0]), static_cast<int>(t.reach[1]), t.channel_unit,
                      t.input_resident[0], t.input_resident[1], t.output_resident);
  for (std::size_t at = 0; at < t.actions.size(); ++at) {
    text += fmt::format(", {} {}", t.ops_per_output[at], vernier::to_text(t.actions[at]));
  }
  text += "\n";
  const dataflow::TileSize& tile = drawn.mapping.tile;
  text += fmt::format(
      "mapping: tile {}x{}, {} in, {} out, order {} {} {}; first weights loaded {}, next {} bits\n",
      tile.rows, tile.columns, tile.in_channels, tile.out_channels, to_text(drawn.mapping.order[0]),
      to_text(drawn.mapping.order[1]), to_text(drawn.mapping.order[2]), drawn.weight_is_loaded,
      drawn.next_weight_bits);
  return text;
}

dataflow::Machine with_flat_prices(AcceleratorSpec spec) {
  Accelerator machine(std::move(spec));
  std::vector<std::unique_ptr<energy::Estimator>> tables;
  tables.push_back(std::make_unique<FlatPrices>());
  energy::PriceList prices(dataflow::components_of(machine), tables, machine.spec().clock,
                           machine.spec().technology);
  return {std::move(machine), std::move(prices)};
}

}  // namespace vernier::tests
