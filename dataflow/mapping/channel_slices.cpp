#include "dataflow/mapping/channel_slices.hpp"

#include <algorithm>
#include <functional>

#include "dataflow/mapping/axis.hpp"

namespace vernier::dataflow {

std::vector<std::int64_t> halvings(std::int64_t total, std::int64_t step) {
  std::vector<std::int64_t> sizes{total};
  while (sizes.back() > 1) {
    std::int64_t next = ceil_div(sizes.back(), 2);
    if (next > step)
      next = std::min(round_up(next, step), sizes.back() - 1);
    else if (sizes.back() > step)
      next = step;
    sizes.push_back(next);
  }
  return sizes;
}

std::vector<std::int64_t> reduction_slices(const LayerTask& task, const Accelerator& machine) {
  std::vector<std::int64_t> sizes = halvings(task.channels, 1);
  const arch::ArraySpec& array = machine.spec().array;
  if (array.folds_reduction()) {
    const arch::MacMode& mode = machine.mode(task.weight_compute, task.activation_compute);
    for (std::int64_t folds = 1; folds * array.rows <= task.channels * task.window.positions();
         folds *= 2) {
      const std::int64_t channels = folds * array.rows / task.window.positions() * mode.reduction;
      if (channels >= 1 && channels < task.channels) sizes.push_back(channels);
    }
  }
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

}  // namespace vernier::dataflow
