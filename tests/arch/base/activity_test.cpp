#include "arch/base/activity.hpp"

#include <limits>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"

namespace vernier {
namespace {

ActivityEntry entry(ComponentIndex component, Action action, std::int64_t count) {
  return {.component = component, .action = action, .count = count};
}

TEST_CASE("Equal actions add up and unequal ones stay apart", "[arch][activity]") {
  Activity activity;
  activity.add(entry(1, Action::kRead, 3));
  activity.add(entry(1, Action::kRead, 4));
  activity.add(entry(1, Action::kWrite, 5));
  activity.add({.component = 1, .action = Action::kRead, .role = TensorRole::kInput, .count = 6});
  CHECK(activity.entries().size() == 3);
  CHECK(activity.count(1, Action::kRead) == 13);  // 3 + 4 + 6 over all roles
  CHECK(activity.count(1, Action::kWrite) == 5);
  CHECK(activity.count(2, Action::kRead) == 0);
}

TEST_CASE("Modes of the MAC unit are actions of their own", "[arch][activity]") {
  Activity activity;
  activity.add({.action = Action::kMac, .weight_bits = 8, .activation_bits = 8, .count = 1});
  activity.add({.action = Action::kMac, .weight_bits = 4, .activation_bits = 8, .count = 1});
  activity.add({.action = Action::kMac, .weight_bits = 8, .activation_bits = 4, .count = 1});
  CHECK(activity.entries().size() == 3);
}

TEST_CASE("The order of adding does not matter", "[arch][activity]") {
  Activity forward;
  Activity backward;
  for (int component = 0; component < 4; ++component) {
    forward.add(entry(static_cast<ComponentIndex>(component), Action::kRead, component + 1));
    backward.add(entry(static_cast<ComponentIndex>(3 - component), Action::kRead, 4 - component));
  }
  CHECK(forward == backward);
}

TEST_CASE("Nothing is kept for a count of zero", "[arch][activity]") {
  Activity activity;
  activity.add(entry(1, Action::kRead, 0));
  CHECK(activity.entries().empty());
  activity.add(entry(1, Action::kRead, 2));
  activity.scale(0);
  CHECK(activity == Activity());
}

TEST_CASE("Merging adds every count and scaling multiplies it", "[arch][activity]") {
  Activity left;
  left.add(entry(0, Action::kMac, 10));
  Activity right;
  right.add(entry(0, Action::kMac, 1));
  right.add(entry(3, Action::kLeak, 2));
  left.merge(right);
  left.scale(3);
  CHECK(left.count(0, Action::kMac) == 33);  // (10 + 1) * 3
  CHECK(left.count(3, Action::kLeak) == 6);
  Activity empty;
  empty.merge(left);
  CHECK(empty == left);
}

TEST_CASE("Counts beyond 64 bits are an error", "[arch][activity]") {
  Activity activity;
  activity.add(entry(0, Action::kMac, std::numeric_limits<std::int64_t>::max()));
  CHECK_THROWS_AS(activity.add(entry(0, Action::kMac, 1)), ArithmeticOverflow);
  CHECK_THROWS_AS(activity.scale(2), ArithmeticOverflow);
}

TEST_CASE("Every action and role has a name of its own", "[arch][activity]") {
  std::set<std::string_view> names;
  for (int at = 0; at < kActionCount; ++at) names.insert(to_text(static_cast<Action>(at)));
  CHECK(names.size() == kActionCount);
  CHECK(names.count("unknown") == 0);
  CHECK(to_text(Action::kMacIdle) == "mac_idle");
  std::set<std::string_view> roles;
  for (int at = 0; at < kTensorRoleCount; ++at) roles.insert(to_text(static_cast<TensorRole>(at)));
  CHECK(roles.size() == kTensorRoleCount);
}

}  // namespace
}  // namespace vernier
