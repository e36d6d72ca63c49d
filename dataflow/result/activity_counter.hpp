// Writes down actions under the machine's components. Both engines count through it, so that an
// action has one spelling; what is counted, and when, is each engine's own business.
#pragma once

#include <cstdint>

#include "arch/base/activity.hpp"
#include "dataflow/machine/components.hpp"
#include "dataflow/mapping/layer_task.hpp"

namespace vernier::dataflow {

/// Collects entries for the components of one machine.
class ActivityCounter {
 public:
  explicit ActivityCounter(const Accelerator& machine)
      : machine_(machine), indices_(component_indices(machine)) {}

  void mac(Action action, const LayerTask& task, std::int64_t count) {
    if (action == Action::kMac && is_gated(task)) action = Action::kMacGated;
    ActivityEntry entry{.component = indices_.mac, .action = action};
    if (action != Action::kZeroPointAdd) {
      entry.weight_bits = static_cast<std::uint8_t>(task.weight_compute.bits());
      entry.activation_bits = static_cast<std::uint8_t>(task.activation_compute.bits());
    }
    entry.count = count;
    activity_.add(entry);
  }
  void buffer(TensorRole role, Action action, std::int64_t words) {
    activity_.add({.component = indices_.buffer(machine_.buffer_of(role)),
                   .action = action,
                   .role = role,
                   .count = words});
  }
  void dram(TensorRole role, Action action, std::int64_t bits) {
    activity_.add({.component = indices_.dram, .action = action, .role = role, .count = bits});
  }
  /// A block between DRAM and a buffer: both sides count.
  void transfer(TensorRole role, bool to_chip, std::int64_t bits) {
    dram(role, to_chip ? Action::kRead : Action::kWrite, bits);
    buffer(role, to_chip ? Action::kWrite : Action::kRead,
           bits / machine_.buffer(role).word.count());
  }
  void vector(Action action, std::int64_t count) {
    activity_.add({.component = indices_.vector, .action = action, .count = count});
  }
  void requantize(std::int64_t count) {
    activity_.add({.component = indices_.requantizer,
                   .action = Action::kRequantize,
                   .role = TensorRole::kOutput,
                   .count = count});
  }
  void leak(std::int64_t cycles) {
    for (std::size_t index = 0; index <= indices_.requantizer; ++index) {
      if (index == indices_.dram) continue;
      activity_.add({.component = static_cast<ComponentIndex>(index),
                     .action = Action::kLeak,
                     .count = cycles});
    }
  }
  [[nodiscard]] Activity take() { return std::move(activity_); }

 private:
  // A data-gated unit with an operand narrower than its own.
  [[nodiscard]] bool is_gated(const LayerTask& task) const {
    const arch::MacSpec& mac = machine_.spec().mac;
    return mac.data_gating && (task.weight_compute.bits() < mac.weight_bits.back() ||
                               task.activation_compute.bits() < mac.activation_bits.back());
  }

  const Accelerator& machine_;
  ComponentIndices indices_;
  Activity activity_;
};

}  // namespace vernier::dataflow
