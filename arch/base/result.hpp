// A legal request that cannot be met (a tile that fits no buffer) is data, not an exception:
// searches see thousands of them.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "arch/base/error.hpp"
#include "arch/base/units.hpp"

namespace vernier {

/// Why something legal is impossible on this machine.
struct Infeasible {
  std::string layer;   ///< layer that cannot run; empty when it is not about one layer
  std::string buffer;  ///< buffer that is too small; empty when it is not about capacity
  Bytes missing{0};    ///< bytes by which one half of the buffer is too small for the smallest tile
  std::string reason;  ///< the whole sentence for a person

  friend bool operator==(const Infeasible&, const Infeasible&) = default;
};

/// A value, or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  // A result is made from either side by return statements, hence the implicit constructors.
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}             // NOLINT
  Result(Infeasible reason) : content_(std::in_place_index<1>, std::move(reason)) {}  // NOLINT

  [[nodiscard]] bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// The value; asking an infeasible result for it is a bug of the caller.
  [[nodiscard]] const T& value() const& {
    VERNIER_ASSERT(has_value(), "a feasible result");
    return std::get<0>(content_);
  }
  [[nodiscard]] T&& value() && {
    VERNIER_ASSERT(has_value(), "a feasible result");
    return std::get<0>(std::move(content_));
  }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] const T* operator->() const { return &value(); }

  [[nodiscard]] const Infeasible& infeasible() const {
    VERNIER_ASSERT(!has_value(), "an infeasible result");
    return std::get<1>(content_);
  }

 private:
  std::variant<T, Infeasible> content_;
};

}  // namespace vernier
