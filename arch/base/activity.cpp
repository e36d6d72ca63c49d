#include "arch/base/activity.hpp"

#include <algorithm>
#include <tuple>

#include "arch/base/checked.hpp"

namespace vernier {
namespace {

auto key_of(const ActivityEntry& entry) {
  return std::tuple(entry.component, entry.action, entry.role, entry.weight_bits,
                    entry.activation_bits);
}

}  // namespace

std::string_view to_text(Action action) {
  switch (action) {
    case Action::kMac: return "mac";
    case Action::kMacIdle: return "mac_idle";
    case Action::kZeroPointAdd: return "zero_point_add";
    case Action::kRead: return "read";
    case Action::kWrite: return "write";
    case Action::kAdd: return "add";
    case Action::kMultiply: return "multiply";
    case Action::kMax: return "max";
    case Action::kAverage: return "average";
    case Action::kActivation: return "activation";
    case Action::kCopy: return "copy";
    case Action::kRequantize: return "requantize";
    case Action::kLeak: return "leak";
  }
  return "unknown";
}

std::string_view to_text(TensorRole role) {
  switch (role) {
    case TensorRole::kNone: return "none";
    case TensorRole::kInput: return "input";
    case TensorRole::kWeight: return "weight";
    case TensorRole::kOutput: return "output";
  }
  return "unknown";
}

bool ActivityEntry::same_action(const ActivityEntry& other) const {
  return key_of(*this) == key_of(other);
}

void Activity::add(const ActivityEntry& entry) {
  if (entry.count == 0) return;
  const auto position = std::lower_bound(entries_.begin(), entries_.end(), entry,
                                         [](const ActivityEntry& left, const ActivityEntry& right) {
                                           return key_of(left) < key_of(right);
                                         });
  if (position != entries_.end() && position->same_action(entry)) {
    position->count = checked_add(position->count, entry.count);
  } else {
    entries_.insert(position, entry);
  }
}

void Activity::merge(const Activity& other) {
  if (entries_.empty()) {
    entries_ = other.entries_;
    return;
  }
  for (const ActivityEntry& entry : other.entries_) add(entry);
}

void Activity::scale(std::int64_t factor) {
  for (ActivityEntry& entry : entries_) entry.count = checked_mul(entry.count, factor);
  if (factor == 0) entries_.clear();
}

std::int64_t Activity::count(ComponentIndex component, Action action) const {
  std::int64_t sum = 0;
  for (const ActivityEntry& entry : entries_) {
    if (entry.component == component && entry.action == action) {
      sum = checked_add(sum, entry.count);
    }
  }
  return sum;
}

}  // namespace vernier
