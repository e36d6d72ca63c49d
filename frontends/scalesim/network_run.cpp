#include "frontends/scalesim/network_run.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"

namespace vernier::frontends::scalesim {
namespace {

// A report, or why there is none: the first failing layer is named whatever thread meets it first.
struct Outcome {
  std::optional<LayerReport> report;
  std::string failure;
};

Outcome try_layer(const LayerShape& shape, const Config& config) {
  try {
    return {.report = report_layer(shape, config), .failure = {}};
  } catch (const UserError& error) {
    return {.report = {}, .failure = error.what()};
  }
}

}  // namespace

std::vector<LayerReport> report_network(std::span<const Layer> layers, const Config& config,
                                        int jobs, const ProgressReport& progress) {
  std::map<LayerShape, std::size_t> index_of;
  std::vector<LayerShape> shapes;
  for (const Layer& layer : layers) {
    if (index_of.emplace(layer.shape, shapes.size()).second) shapes.push_back(layer.shape);
  }
  std::vector<Outcome> outcomes(shapes.size());
  std::mutex progress_mutex;
  std::size_t done = 0;
  const auto compute = [&](std::size_t index) {
    outcomes[index] = try_layer(shapes[index], config);
    if (!progress) return;
    const std::scoped_lock lock(progress_mutex);
    progress(++done, shapes.size());
  };
  if (jobs <= 1) {
    for (std::size_t index = 0; index < shapes.size(); ++index) compute(index);
  } else {
    tbb::task_arena arena(jobs);
    arena.execute([&] { tbb::parallel_for(std::size_t{0}, shapes.size(), compute); });
  }
  std::vector<LayerReport> reports;
  reports.reserve(layers.size());
  for (const Layer& layer : layers) {
    const Outcome& outcome = outcomes[index_of.at(layer.shape)];
    if (!outcome.report) {
      throw ModelError(fmt::format("layer '{}': {}", shown(layer.name), outcome.failure));
    }
    reports.push_back(*outcome.report);
  }
  return reports;
}

}  // namespace vernier::frontends::scalesim
