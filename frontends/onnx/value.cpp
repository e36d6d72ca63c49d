#include "frontends/onnx/value.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arch/base/checked.hpp"

namespace vernier::frontends::onnx {

bool Value::is_scalar() const {
  return std::all_of(dims.begin(), dims.end(), [](std::int64_t size) { return size == 1; });
}

std::int64_t element_count(std::span<const std::int64_t> dims) { return checked_product(dims); }

std::string dims_text(std::span<const std::int64_t> dims) {
  return fmt::format("[{}]", fmt::join(dims, ", "));
}

std::optional<std::vector<Axis>> reshaped_axes(const std::vector<Axis>& axes,
                                               std::span<const std::int64_t> dims) {
  Axis rest;  // factors that are not used up, innermost first
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    rest.insert(rest.end(), axis->rbegin(), axis->rend());
  }
  std::vector<Axis> result(dims.size());
  std::size_t next = 0;
  for (std::size_t at = dims.size(); at-- > 0;) {
    std::int64_t wanted = dims[at];
    while (wanted > 1) {
      if (next == rest.size()) return std::nullopt;
      Factor& factor = rest[next];
      if (wanted % factor.size == 0) {  // the whole factor
        wanted /= factor.size;
        result[at].insert(result[at].begin(), factor);
        ++next;
      } else if (factor.size % wanted == 0) {  // its inner part
        result[at].insert(result[at].begin(), Factor{wanted, factor.stride, factor.is_batch});
        factor.size /= wanted;
        factor.stride *= wanted;
        wanted = 1;
      } else {
        return std::nullopt;
      }
    }
  }
  return next == rest.size() ? std::optional(result) : std::nullopt;
}

Axis joined(const Axis& axis) {
  Axis result;
  for (const Factor& factor : axis) {
    if (factor.is_batch || factor.size == 1) continue;
    if (!result.empty() && result.back().stride == factor.size * factor.stride) {
      result.back() = {result.back().size * factor.size, factor.stride, false};
    } else {
      result.push_back(factor);
    }
  }
  return result;
}

Axis joined(std::span<const Axis> axes) {
  Axis all;
  for (const Axis& axis : axes) all.insert(all.end(), axis.begin(), axis.end());
  return joined(all);
}

std::int64_t size_of(const Axis& axis) {
  std::int64_t size = 1;
  for (const Factor& factor : axis) {
    if (!factor.is_batch) size = checked_mul(size, factor.size);
  }
  return size;
}

bool is_batch_only(const Axis& axis) {
  return std::all_of(axis.begin(), axis.end(),
                     [](const Factor& factor) { return factor.is_batch; });
}

}  // namespace vernier::frontends::onnx
