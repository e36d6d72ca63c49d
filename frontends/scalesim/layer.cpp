#include "frontends/scalesim/layer.hpp"

#include "arch/base/checked.hpp"

namespace vernier::frontends::scalesim {
namespace {

std::int64_t steps(std::int64_t input, std::int64_t filter, std::int64_t stride) {
  const std::int64_t room = input - filter + stride;
  return room <= 0 ? 0 : ceil_div(room, stride);
}

}  // namespace

std::int64_t LayerShape::output_height() const {
  return steps(input_height, filter_height, stride_height);
}

std::int64_t LayerShape::output_width() const {
  return steps(input_width, filter_width, stride_width);
}

LayerShape gemm_shape(std::int64_t m, std::int64_t n, std::int64_t k) {
  return {.input_height = m,
          .input_width = k,
          .filter_height = 1,
          .filter_width = k,
          .channels = 1,
          .filters = n,
          .stride_height = 1,
          .stride_width = 1};
}

}  // namespace vernier::frontends::scalesim
