#include "arch/base/activity.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "arch/base/checked.hpp"

namespace vernier {
namespace {

// The arguments of an entry as one number, in sorting order.
std::uint64_t sort_key(const ActivityEntry& entry) {
  const auto byte = [](std::uint64_t value, int place) {
    constexpr int kByte = 8;
    return value << (place * kByte);
  };
  return byte(entry.component, 4) | byte(static_cast<std::uint64_t>(entry.action), 3) |
         byte(static_cast<std::uint64_t>(entry.role), 2) | byte(entry.weight_bits, 1) |
         entry.activation_bits;
}

// The arguments stand before the count, a byte each.
bool has_same_arguments(const ActivityEntry& left, const ActivityEntry& right) {
  constexpr std::size_t kArguments = 5;
  static_assert(offsetof(ActivityEntry, activation_bits) == kArguments - 1);
  static_assert(offsetof(ActivityEntry, count) >= kArguments);
  return std::memcmp(&left, &right, kArguments) == 0;
}

bool comes_before(const ActivityEntry& left, const ActivityEntry& right) {
  return sort_key(left) < sort_key(right);
}

}  // namespace

std::string_view to_text(Action action) {
  switch (action) {
    case Action::kMac: return "mac";
    case Action::kMacIdle: return "mac_idle";
    case Action::kMacGated: return "mac_gated";
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
    case Action::kActivateRow: return "activate_row";
    case Action::kRefresh: return "refresh";
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
  return sort_key(*this) == sort_key(other);
}

void Activity::add(const ActivityEntry& entry) {
  if (entry.count == 0) return;
  const auto position = std::lower_bound(entries_.begin(), entries_.end(), entry, comes_before);
  if (position != entries_.end() && position->same_action(entry)) {
    position->count = checked_add(position->count, entry.count);
  } else {
    entries_.insert(position, entry);
  }
}

void Activity::merge(const Activity& other) {
  // Both lists are sorted: one walk; most merges find every key in place.
  std::vector<ActivityEntry> fresh;
  auto own = entries_.begin();
  for (const ActivityEntry& entry : other.entries_) {
    if (own == entries_.end() || !has_same_arguments(*own, entry)) {
      const std::uint64_t key = sort_key(entry);
      while (own != entries_.end() && sort_key(*own) < key) ++own;
      if (own == entries_.end() || !has_same_arguments(*own, entry)) {
        fresh.push_back(entry);
        continue;
      }
    }
    own->count = checked_add(own->count, entry.count);
    ++own;
  }
  if (fresh.empty()) return;
  const auto old_size = static_cast<std::ptrdiff_t>(entries_.size());
  entries_.insert(entries_.end(), fresh.begin(), fresh.end());
  std::inplace_merge(entries_.begin(), entries_.begin() + old_size, entries_.end(), comes_before);
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
