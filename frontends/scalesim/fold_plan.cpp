#include "frontends/scalesim/fold_plan.hpp"

#include <array>

#include "arch/base/error.hpp"

namespace vernier::frontends::scalesim {
namespace {

constexpr double kPercent = 100.0;

double real(std::int64_t count) { return static_cast<double>(count); }

}  // namespace

FoldPlan plan_folds(const LayerShape& shape, const Config& config) {
  FoldPlan plan;
  plan.dataflow = config.dataflow;
  plan.rows = config.rows;
  plan.columns = config.columns;
  plan.pixels = checked_mul(shape.output_height(), shape.output_width());
  plan.window =
      checked_product(std::array{shape.filter_height, shape.filter_width, shape.channels});
  plan.filters = shape.filters;
  if (plan.pixels < 1) throw ModelError("the filter is larger than the input");
  switch (config.dataflow) {
    case Dataflow::kOutputStationary:
      plan.row_extent = plan.pixels;
      plan.column_extent = plan.filters;
      plan.steps = plan.window;
      break;
    case Dataflow::kWeightStationary:
      plan.row_extent = plan.window;
      plan.column_extent = plan.filters;
      plan.steps = plan.pixels;
      break;
    case Dataflow::kInputStationary:
      plan.row_extent = plan.window;
      plan.column_extent = plan.pixels;
      plan.steps = plan.filters;
      break;
  }
  plan.row_folds = ceil_div(plan.row_extent, plan.rows);
  plan.column_folds = ceil_div(plan.column_extent, plan.columns);
  const std::int64_t fill = config.dataflow == Dataflow::kOutputStationary ? 0 : plan.rows;
  plan.fold_lines = plan.steps + fill + plan.rows + plan.columns - 2;
  // The counts of the reports are bounded by these products.
  (void)checked_product(std::array{plan.lines(), plan.rows + plan.columns, std::int64_t{16}});
  (void)checked_product(std::array{plan.pixels, plan.window, plan.filters});
  return plan;
}

SramWords sram_words(const FoldPlan& plan) {
  const std::int64_t stationary = plan.row_extent * plan.column_extent;
  const std::int64_t along_rows = plan.column_folds * plan.row_extent * plan.steps;
  const std::int64_t along_columns = plan.row_folds * plan.column_extent * plan.steps;
  switch (plan.dataflow) {
    case Dataflow::kOutputStationary:  // Quirk 6: rows + columns more for each fold
      return {along_rows, along_columns, stationary + plan.folds() * (plan.rows + plan.columns)};
    case Dataflow::kWeightStationary: return {along_rows, stationary, along_columns};
    case Dataflow::kInputStationary: break;
  }
  return {stationary, along_rows, along_columns};
}

double mapping_efficiency(const FoldPlan& plan) {
  const double mapped = real(plan.row_extent) * real(plan.column_extent);
  return kPercent * mapped / (real(plan.folds()) * real(plan.rows * plan.columns));
}

double compute_utilisation(const FoldPlan& plan) {
  const bool is_skewed_twice = plan.dataflow != Dataflow::kOutputStationary;  // Quirk 5
  const std::int64_t lines = plan.fold_lines + (is_skewed_twice ? plan.columns - 1 : 0);
  return mapping_efficiency(plan) * real(plan.steps) / real(lines);
}

double overall_utilisation(const FoldPlan& plan, std::int64_t total_cycles) {
  const double macs = real(plan.pixels) * real(plan.window) * real(plan.filters);
  return kPercent * macs / (real(total_cycles) * real(plan.rows * plan.columns));
}

std::int64_t SkewedBlock::words_before(std::int64_t line) const {
  const std::int64_t ramp = std::min(lanes, steps);
  const auto triangle = [](std::int64_t side) { return side * (side + 1) / 2; };
  if (line <= ramp) return triangle(line);
  const std::int64_t left = lines() - line;
  if (left <= ramp) return lanes * steps - triangle(left);
  return triangle(ramp) + (line - ramp) * ramp;
}

std::int64_t SkewedBlock::line_of(std::int64_t word) const {
  std::int64_t first = 0;
  std::int64_t last = lines() - 1;
  while (first < last) {
    const std::int64_t middle = first + (last - first + 1) / 2;
    if (words_before(middle) <= word) {
      first = middle;
    } else {
      last = middle - 1;
    }
  }
  return first;
}

}  // namespace vernier::frontends::scalesim
