#include "dataflow/clocked/operands.hpp"

#include <algorithm>
#include <limits>

namespace vernier::dataflow {
namespace {

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31U);
  }

 private:
  std::uint64_t state_;
};

// Values of `bits` bits; 0 bits: zeros.
struct Range {
  int bits = 8;
  bool is_signed = true;

  [[nodiscard]] std::int32_t draw(Random& random) const {
    if (bits == 0) return 0;
    const auto code = static_cast<std::int64_t>(random.next() & ((1ULL << bits) - 1));
    return static_cast<std::int32_t>(is_signed ? code - (std::int64_t{1} << (bits - 1)) : code);
  }
};

std::vector<std::int32_t> draw_tensor(Random& random, std::int64_t elements, const Range& range) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(elements));
  for (std::int32_t& value : values) value = range.draw(random);
  return values;
}

constexpr int kMostBits = 31;  // of a value in an int32, whatever its sign

int usable(Bitwidth storage, Bitwidth compute) {
  return std::min({storage.bits(), compute.bits(), kMostBits});
}

}  // namespace

// Two rounds of mixing: neighbouring numbers must not give streams that are one draw apart.
std::uint64_t operand_seed(std::uint64_t seed, std::size_t number) {
  return Random(seed ^ Random(number).next()).next();
}

OperandSizes operand_sizes(const LayerTask& task) {
  OperandSizes sizes;
  const std::int64_t map = checked_mul(task.images, checked_mul(task.in_height, task.in_width));
  sizes.outputs = checked_mul(checked_mul(task.pixels(), task.groups), task.out_channels);
  if (task.unit == TaskUnit::kArray) {
    sizes.inputs[0] = checked_mul(map, checked_mul(task.groups, task.channels));
    sizes.weights = checked_mul(checked_mul(task.groups, task.out_channels), task.reduction());
    return sizes;
  }
  for (std::size_t slot = 0; slot < task.reach.size(); ++slot) {
    if (task.reach[slot] == InputReach::kNone) continue;
    const bool one = task.reach[slot] == InputReach::kOnePixel;
    const bool taps = task.reach[slot] == InputReach::kTaps;
    const std::int64_t rows = one ? task.images : (taps ? task.window.positions() : map);
    sizes.inputs[slot] = checked_mul(rows, task.out_channels);
  }
  return sizes;
}

int typical_requant_shift(const LayerTask& task) {
  if (task.unit == TaskUnit::kVector && !task.requantizes) return 0;
  const int product_bits = task.unit == TaskUnit::kVector
                               ? task.input_storage[0].bits() + task.input_storage[1].bits()
                               : usable(task.input_storage[0], task.activation_compute) +
                                     usable(task.weight_storage, task.weight_compute);
  const std::int64_t products =
      task.unit == TaskUnit::kVector ? task.window.positions() : task.reduction();
  const int sum_bits = product_bits + ceil_log2(products) / 2;
  constexpr int kMostShift = 62;
  return std::clamp(sum_bits - task.output_storage.bits(), 0, kMostShift);
}

TaskOperands draw_operands(const LayerTask& task, const Accelerator& machine, std::uint64_t seed,
                           const OperandSigns& signs) {
  Random random(seed);
  const OperandSizes sizes = operand_sizes(task);
  TaskOperands operands;
  operands.input_is_signed = signs.inputs;
  operands.weight_is_signed = signs.weight;
  if (task.unit == TaskUnit::kVector) {
    for (std::size_t slot = 0; slot < sizes.inputs.size(); ++slot) {
      const Range range{std::min(task.input_storage[slot].bits(), kMostBits), signs.inputs[slot]};
      operands.inputs[slot] = draw_tensor(random, sizes.inputs[slot], range);
    }
    operands.requant_shift = typical_requant_shift(task);
    return operands;
  }
  // What stays on chip has come from another task and may have any code.
  const bool is_chained = task.input_resident[0];
  Range input{is_chained ? std::min(task.input_storage[0].bits(), kMostBits)
                         : usable(task.input_storage[0], task.activation_compute),
              signs.inputs[0]};
  Range weight{usable(task.weight_storage, task.weight_compute), signs.weight};
  const std::int64_t room = machine.spec().mac.accumulator_bits - 1 - ceil_log2(task.reduction());
  while (input.bits + weight.bits > room && (is_chained ? 0 : input.bits) + weight.bits > 0) {
    --(!is_chained && input.bits > weight.bits ? input.bits : weight.bits);
  }
  operands.inputs[0] = draw_tensor(random, sizes.inputs[0], input);
  operands.weights = draw_tensor(random, sizes.weights, weight);
  constexpr int kBiasBits = 8;
  operands.bias =
      draw_tensor(random, checked_mul(task.groups, task.out_channels), Range{kBiasBits, true});
  if (task.asymmetric_input) operands.input_zero_point = input.draw(random);
  if (task.asymmetric_weight) operands.weight_zero_point = weight.draw(random);
  operands.requant_shift = typical_requant_shift(task);
  return operands;
}

}  // namespace vernier::dataflow
