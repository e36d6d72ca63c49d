// Activity: how often each component did what. It is the only thing that performance models give
// to energy, and both engines must produce the same one, to the last action.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vernier {

/// What a component does. The unit of the count stands beside each.
enum class Action : std::uint8_t {
  kMac,           ///< one real product and its addition
  kMacIdle,       ///< one product slot of a mapped PE that holds padding
  kMacGated,      ///< one real product of operands narrower than those of a data-gated unit
  kZeroPointAdd,  ///< one add of an activation because the weight has a zero point
  kRead,          ///< one word of a buffer, or one bit of DRAM
  kWrite,         ///< one word of a buffer, or one bit of DRAM
  kAdd,           ///< one element operation of the vector unit
  kMultiply,      ///< one element operation of the vector unit
  kMax,           ///< one element operation of the vector unit
  kAverage,       ///< one element operation of the vector unit
  kActivation,    ///< one element operation of the vector unit
  kCopy,          ///< one element operation of the vector unit
  kRequantize,    ///< one output element: bias, scale, shift, clip
  kActivateRow,   ///< one row of DRAM opened and closed again, in all devices of the channel
  kRefresh,       ///< one refresh of a rank of DRAM
  kLeak,          ///< one core cycle of the whole component, busy or idle
};
inline constexpr int kActionCount = static_cast<int>(Action::kLeak) + 1;

[[nodiscard]] std::string_view to_text(Action action);

/// Which tensor an action worked for.
enum class TensorRole : std::uint8_t { kNone, kInput, kWeight, kOutput };
inline constexpr int kTensorRoleCount = 4;

[[nodiscard]] std::string_view to_text(TensorRole role);

/// Index of a component in the machine's component list (dataflow/machine/components).
using ComponentIndex = std::uint8_t;

/// One line of an Activity: an action with its arguments, and how often it happened.
struct ActivityEntry {
  ComponentIndex component = 0;
  Action action = Action::kMac;
  TensorRole role = TensorRole::kNone;
  std::uint8_t weight_bits = 0;      ///< compute width, for MAC actions; else 0
  std::uint8_t activation_bits = 0;  ///< compute width, for MAC actions; else 0
  std::int64_t count = 0;

  /// True when all but the count is equal.
  [[nodiscard]] bool same_action(const ActivityEntry& other) const;
  friend bool operator==(const ActivityEntry&, const ActivityEntry&) = default;
};

/// Counts per (component, action, arguments), sorted, each key once, no zero counts.
class Activity {
 public:
  /// Adds to the count of an action; adding 0 leaves no entry. Throws ArithmeticOverflow.
  void add(const ActivityEntry& entry);
  /// Adds all counts of another activity.
  void merge(const Activity& other);
  /// Multiplies all counts.
  void scale(std::int64_t factor);

  [[nodiscard]] const std::vector<ActivityEntry>& entries() const { return entries_; }
  /// Sum over all entries of a component and action.
  [[nodiscard]] std::int64_t count(ComponentIndex component, Action action) const;

  friend bool operator==(const Activity&, const Activity&) = default;

 private:
  std::vector<ActivityEntry> entries_;
};

}  // namespace vernier
