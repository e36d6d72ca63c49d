#include "tests/support/random_tasks.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tests/support/example_machine.hpp"

namespace vernier::tests {
namespace {

using dataflow::LayerTask;
using dataflow::LoopDim;

std::int64_t between(std::int64_t least, std::int64_t most) {
  return *rc::gen::inRange<std::int64_t>(least, most + 1);
}

template <typename T>
T one_of(std::initializer_list<T> values) {
  return *rc::gen::elementOf(std::vector<T>(values));
}

// Any family, with widths that all of its kind have.
void random_family(arch::MacSpec& mac) {
  if (one_of({true, false, false})) return;  // fixed
  mac.style = *rc::gen::elementOf(arch::builtin_mac_families().names());
  mac.weight_bits = mac.activation_bits = {2, 4, 8};
  if (mac.style == "sum_together") mac.weight_bits = mac.activation_bits = {2, 4, 8, 16};
  mac.serial = one_of(
      {arch::SerialOperand::kWeight, arch::SerialOperand::kActivation, arch::SerialOperand::kBoth});
  mac.bits_per_cycle = mac.style == "bit_serial" ? between(1, 3) : 1;
  mac.subwords =
      one_of({arch::Subwords::kGroups, arch::Subwords::kOutChannels, arch::Subwords::kPixels});
}

dataflow::AcceleratorSpec random_spec(const RandomCaseOptions& options) {
  using arch::Dataflow;
  dataflow::AcceleratorSpec spec = example_spec(one_of(
      {Dataflow::kOutputStationary, Dataflow::kWeightStationary, Dataflow::kInputStationary}));
  random_family(spec.mac);
  // Overlapping folds and dot_columns take units that add up all products of a step.
  const bool adds_up = spec.mac.style.find("apart") == std::string::npos;
  if (adds_up && one_of({true, false, false, false})) spec.array.dataflow = Dataflow::kDotColumns;
  if (adds_up && one_of({true, false})) {
    spec.array.fold_overlap =
        spec.array.preloads() ? arch::FoldOverlap::kPreload : arch::FoldOverlap::kFull;
  }
  spec.array.rows = between(1, 6);
  spec.array.columns = between(1, 6);
  spec.array.reduction_packing =
      one_of({arch::ReductionPacking::kChannels, arch::ReductionPacking::kWindow});
  spec.mac.accumulator_bits = one_of<std::int64_t>({24, 32, 48});
  spec.mac.overflow = arch::AccumulatorOverflow::kSaturate;
  if (one_of({true, false})) {  // one buffer for everything
    spec.buffers = {spec.buffers.front()};
    spec.buffers[0].name = "shared";
    spec.buffers[0].serves = {TensorRole::kInput, TensorRole::kWeight, TensorRole::kOutput};
  }
  for (memory::BufferSpec& buffer : spec.buffers) {
    buffer.word = Bits(one_of<std::int64_t>({8, 16, 32, 64}));
    buffer.banks = options.wide_ports ? 512 : one_of<std::int64_t>({2, 4, 8});
    buffer.ports = options.wide_ports ? 8 : one_of<std::int64_t>({1, 2});
    buffer.capacity = Bytes(buffer.banks * buffer.word.count() / 8 * between(4, 600));
  }
  spec.dram.bandwidth = Bandwidth::per_cycles(between(1, 200), between(1, 7));
  spec.dram.latency = Cycles(between(0, 40));
  spec.vector.lanes = between(1, 8);
  spec.vector.requant_lanes = one_of<std::int64_t>({0, 0, 1, 3});
  return spec;
}

void random_window(LayerTask& task) {
  task.window.kernel_height = between(1, 3);
  task.window.kernel_width = between(1, 3);
  task.window.stride_height = between(1, 3);
  task.window.stride_width = between(1, 3);
  task.window.dilation_height = between(1, 2);
  task.window.dilation_width = between(1, 2);
  task.window.pad_top = between(0, task.window.kernel_height);
  task.window.pad_bottom = between(0, task.window.kernel_height);
  task.window.pad_left = between(0, task.window.kernel_width);
  task.window.pad_right = between(0, task.window.kernel_width);
}

LayerTask random_task(const dataflow::AcceleratorSpec& spec, const RandomCaseOptions& options) {
  LayerTask task;
  task.images = between(1, 3);
  task.in_height = between(5, 24);
  task.in_width = between(5, 12);
  random_window(task);
  dataflow::Conv2d conv;
  conv.window = task.window;
  const dataflow::Shape out =
      dataflow::infer_shape(conv, {dataflow::Shape{1, task.in_height, task.in_width}});
  task.out_height = out.height;
  task.out_width = out.width;
  const auto legal = [](const std::vector<std::int64_t>& widths) {
    return Bitwidth(*rc::gen::elementOf(widths));
  };
  task.weight_compute = legal(spec.mac.weight_bits);
  task.activation_compute = legal(spec.mac.activation_bits);
  task.weight_storage = task.weight_compute;
  task.input_storage = {task.activation_compute, legal(spec.mac.activation_bits)};
  task.output_storage = legal(spec.mac.activation_bits);
  if (!options.array_only && between(0, 3) == 0) {
    using dataflow::InputReach;
    task.unit = dataflow::TaskUnit::kVector;
    task.channels = task.out_channels = between(1, 24);
    task.actions = {Action::kMax, Action::kActivation};
    task.ops_per_output = {task.window.positions(), between(0, 1)};
    task.reach[1] = one_of({InputReach::kNone, InputReach::kWindow, InputReach::kOnePixel});
    return task;
  }
  task.groups = one_of<std::int64_t>({1, 1, 2, 12});
  task.channels = between(1, 40);
  task.out_channels = between(1, 24);
  task.constant_weight = one_of({true, false});
  task.asymmetric_weight = one_of({true, false});
  return task;
}

dataflow::Mapping random_mapping(const LayerTask& task) {
  dataflow::Mapping mapping;
  mapping.tile = {between(1, task.out_height), between(1, task.out_width),
                  between(1, task.channels), between(1, task.out_channels)};
  std::array<LoopDim, 3> order{LoopDim::kPixel, LoopDim::kOutChannel, LoopDim::kInChannel};
  for (std::int64_t turns = between(0, 5); turns > 0; --turns) {
    std::next_permutation(order.begin(), order.end());
  }
  mapping.order = order;
  return mapping;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const RandomCase& value) {
  const LayerTask& task = value.task;
  const dataflow::Window& window = task.window;
  out << fmt::format(
      "{} overlap {} {}x{} {} mac {} packing {}; images {} groups {} in {}x{} C {} out {}x{} N {} "
      "kernel "
      "{}x{} stride {}x{} dilation {}x{} pads {} {} {} {}; w{} a{} in {} {} out {}; tile {}x{} Ct "
      "{} Nt {} order {}{}{}; bandwidth {}/{} latency {} lanes {} requant {}",
      to_text(value.spec.array.dataflow), to_text(value.spec.array.fold_overlap),
      value.spec.array.rows, value.spec.array.columns,
      task.unit == dataflow::TaskUnit::kArray ? "array" : "vector", value.spec.mac.style,
      static_cast<int>(value.spec.array.reduction_packing), task.images, task.groups,
      task.in_height, task.in_width, task.channels, task.out_height, task.out_width,
      task.out_channels, window.kernel_height, window.kernel_width, window.stride_height,
      window.stride_width, window.dilation_height, window.dilation_width, window.pad_top,
      window.pad_left, window.pad_bottom, window.pad_right, task.weight_compute.bits(),
      task.activation_compute.bits(), task.input_storage[0].bits(), task.input_storage[1].bits(),
      task.output_storage.bits(), value.mapping.tile.rows, value.mapping.tile.columns,
      value.mapping.tile.in_channels, value.mapping.tile.out_channels,
      to_text(value.mapping.order[0]), to_text(value.mapping.order[1]),
      to_text(value.mapping.order[2]), value.spec.dram.bandwidth.bits(),
      value.spec.dram.bandwidth.cycles(), value.spec.dram.latency.count(), value.spec.vector.lanes,
      value.spec.vector.requant_lanes);
  for (const memory::BufferSpec& buffer : value.spec.buffers) {
    out << fmt::format("; {} {} B word {} banks {} ports {}", buffer.name, buffer.capacity.count(),
                       buffer.word.count(), buffer.banks, buffer.ports);
  }
  return out;
}

rc::Gen<RandomCase> random_case(RandomCaseOptions options) {
  return rc::gen::exec([options] {
    RandomCase result;
    result.spec = random_spec(options);
    result.task = random_task(result.spec, options);
    result.mapping = random_mapping(result.task);
    return result;
  });
}

}  // namespace vernier::tests
