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
  buffer.capacity = Bytes(buffer.word.count() * buffer.banks * words_per_bank / 8);
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

AcceleratorSpec draw_machine() {
  AcceleratorSpec spec;
  spec.name = "random";
  spec.clock = Hertz(200'000'000);
  spec.energy.tables = {"flat"};
  spec.array.rows = pick(1, 6);
  spec.array.columns = pick(1, 6);
  spec.array.dataflow =
      pick_of<arch::Dataflow>({arch::Dataflow::kOutputStationary, arch::Dataflow::kWeightStationary,
                               arch::Dataflow::kInputStationary, arch::Dataflow::kDotColumns});
  if (pick_bool()) {
    spec.array.fold_overlap =
        spec.array.preloads() ? arch::FoldOverlap::kPreload : arch::FoldOverlap::kFull;
  }
  spec.array.reduction_packing = pick_of<arch::ReductionPacking>(
      {arch::ReductionPacking::kChannels, arch::ReductionPacking::kWindow,
       arch::ReductionPacking::kFirstLayerWindow});
  const bool fused = pick_bool();
  spec.mac.style = fused ? "sum_together" : "fixed";
  const std::vector<std::int64_t> widths =
      fused ? std::vector<std::int64_t>{2, 4, 8, 16} : std::vector<std::int64_t>{1, 2, 4, 8, 16};
  spec.mac.weight_bits = pick_some(widths);
  spec.mac.activation_bits = pick_some(widths);
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
  task.groups = pick(1, 4);
  // Every product is counted one by one; channels are drawn such that there are not too many.
  constexpr std::int64_t kMostChannels = 20;
  std::int64_t left = 300'000 / (task.pixels() * task.groups * task.window.positions());
  task.channels = pick(1, std::clamp<std::int64_t>(left, 1, kMostChannels));
  left /= task.channels;
  task.out_channels = pick(1, std::clamp<std::int64_t>(left, 1, kMostChannels));

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
  const std::int64_t kind = pick(0, 6);
  set_axes(task, draw_axis(kind != 0), draw_axis(kind != 0));
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
  } else if (kind == 5) {  // an operation over rows of channels, like a softmax
    task.channel_unit = pick(1, task.channels);
    task.channels = task.out_channels = task.channels / task.channel_unit * task.channel_unit;
    task.actions = {Action::kMax, Action::kActivation, Action::kAdd, Action::kMultiply};
    for (std::int64_t& ops : task.ops_per_output) ops = pick(1, 2);
  }
  if (kind != 5 && pick_bool()) {
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

OracleCase draw_oracle_case() {
  OracleCase drawn;
  drawn.machine = draw_machine();
  const Accelerator machine(drawn.machine);
  drawn.task = one_in(5) ? draw_vector_task(machine) : draw_array_task(machine);
  drawn.mapping = draw_mapping(drawn.task);
  drawn.weight_is_loaded = drawn.task.constant_weight && pick_bool();
  if (pick_bool()) {
    drawn.next_weight_bits = machine.buffer(TensorRole::kWeight).word.count() * pick(1, 64);
  }
  return drawn;
}

std::string to_text(const OracleCase& drawn) {
  const AcceleratorSpec& m = drawn.machine;
  const LayerTask& t = drawn.task;
  const Window& w = t.window;
  std::string text = fmt::format(
      "machine: {}x{} {}, overlap {}, packing {}, {} w [{}] a [{}], accumulator {}, storage [{}]\n",
      m.array.rows, m.array.columns, arch::to_text(m.array.dataflow),
      arch::to_text(m.array.fold_overlap), packing_name(m.array.reduction_packing), m.mac.style,
      fmt::join(m.mac.weight_bits, ", "), fmt::join(m.mac.activation_bits, ", "),
      m.mac.accumulator_bits, fmt::join(m.storage_bits, ", "));
  for (const memory::BufferSpec& b : m.buffers) {
    text += fmt::format("  buffer {}: {} bytes, {} banks, {} ports, word {}\n", b.name,
                        b.capacity.count(), b.banks, b.ports, b.word.count());
  }
  text +=
      fmt::format("  dram {}/{} bit/cycle, latency {}; vector {} lanes, cycles [{}], requant {}\n",
                  m.dram.bandwidth.bits(), m.dram.bandwidth.cycles(), m.dram.latency.count(),
                  m.vector.lanes, fmt::join(m.vector.cycles_per_op, ", "), m.vector.requant_lanes);
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
  text += fmt::format("  reach {} {}, channel unit {}", static_cast<int>(t.reach[0]),
                      static_cast<int>(t.reach[1]), t.channel_unit);
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
