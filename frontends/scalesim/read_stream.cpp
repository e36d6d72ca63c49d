#include "frontends/scalesim/read_stream.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "arch/base/error.hpp"

namespace vernier::frontends::scalesim {
namespace {

constexpr std::int64_t kLargestTensor = (std::int64_t{1} << 31) - 1;

LaneAxis axis_of(Dataflow dataflow, Operand operand) {
  const bool is_input = operand == Operand::kInput;
  switch (dataflow) {
    case Dataflow::kOutputStationary: return is_input ? LaneAxis::kRows : LaneAxis::kColumns;
    case Dataflow::kWeightStationary: return is_input ? LaneAxis::kRows : LaneAxis::kStationary;
    case Dataflow::kInputStationary: break;
  }
  return is_input ? LaneAxis::kStationary : LaneAxis::kRows;
}

}  // namespace

ReadStream::ReadStream(const LayerShape& shape, const FoldPlan& plan, Operand operand)
    : shape_(shape), plan_(plan), operand_(operand), axis_(axis_of(plan.dataflow, operand)) {
  outer_is_pixel_ = is_input() && plan.dataflow != Dataflow::kWeightStationary;
  if (axis_ == LaneAxis::kRows) {
    lane_width_ = plan.rows;
    slice_count_ = plan.row_folds;
    lanes_of_last_slice_ = plan.used_rows(plan.row_folds - 1);
  } else {
    lane_width_ = plan.columns;
    slice_count_ = plan.column_folds;
    lanes_of_last_slice_ = plan.used_columns(plan.column_folds - 1);
  }
  steps_ = axis_ == LaneAxis::kStationary ? plan.row_extent : plan.steps;
  band_count_ = slice_count_ * steps_ + (axis_ == LaneAxis::kStationary ? 0 : lane_width_);
  if (is_input()) fill_input_tables();
}

void ReadStream::fill_input_tables() {
  const std::int64_t out_height = shape_.output_height();
  const std::int64_t out_width = shape_.output_width();
  const std::int64_t reached_height =
      (out_height - 1) * shape_.stride_height + shape_.filter_height;
  const std::int64_t reached_width = (out_width - 1) * shape_.stride_width + shape_.filter_width;
  has_nulls_ = reached_height > shape_.input_height || reached_width > shape_.input_width;
  const bool overlaps = (shape_.filter_height > shape_.stride_height && out_height > 1) ||
                        (shape_.filter_width > shape_.stride_width && out_width > 1);
  is_distinct_ = !has_nulls_ && !overlaps;
  address_count_ = checked_mul(checked_mul(reached_height, reached_width), shape_.channels);
  if (address_count_ > kLargestTensor || plan_.pixels > kLargestTensor ||
      plan_.window > kLargestTensor) {
    throw ModelError(fmt::format("an input of {}x{}x{} words is larger than can be simulated",
                                 shape_.input_height, shape_.input_width, shape_.channels));
  }
  if (is_distinct_) return;
  const std::int64_t pitch = reached_width * shape_.channels;
  for (std::int64_t out_row = 0; out_row < out_height; ++out_row) {
    for (std::int64_t out_column = 0; out_column < out_width; ++out_column) {
      const std::int64_t row = out_row * shape_.stride_height;
      const std::int64_t column = out_column * shape_.stride_width;
      pixel_address_.push_back(static_cast<std::int32_t>(row * pitch + column * shape_.channels));
      rows_inside_.push_back(static_cast<std::int32_t>(shape_.input_height - row));
      columns_inside_.push_back(static_cast<std::int32_t>(shape_.input_width - column));
    }
  }
  for (std::int64_t row = 0; row < shape_.filter_height; ++row) {
    for (std::int64_t column = 0; column < shape_.filter_width; ++column) {
      for (std::int64_t channel = 0; channel < shape_.channels; ++channel) {
        window_address_.push_back(
            static_cast<std::int32_t>(row * pitch + column * shape_.channels + channel));
        window_row_.push_back(static_cast<std::int32_t>(row));
        window_column_.push_back(static_cast<std::int32_t>(column));
      }
    }
  }
}

std::int64_t ReadStream::used_lanes(std::int64_t column_fold, std::int64_t row_fold) const {
  return axis_ == LaneAxis::kRows ? plan_.used_rows(row_fold) : plan_.used_columns(column_fold);
}

std::int64_t ReadStream::first_demand_line(std::int64_t row_fold) const {
  if (plan_.dataflow == Dataflow::kOutputStationary) return 0;
  return axis_ == LaneAxis::kStationary ? plan_.rows - plan_.used_rows(row_fold) : plan_.rows;
}

std::int64_t ReadStream::demand_lines(std::int64_t column_fold, std::int64_t row_fold) const {
  if (axis_ == LaneAxis::kStationary) return plan_.used_rows(row_fold);
  return used_lanes(column_fold, row_fold) + plan_.steps - 1;
}

DemandLine ReadStream::demand(std::int64_t column_fold, std::int64_t row_fold,
                              std::int64_t index) const {
  const std::int64_t fold = column_fold * plan_.row_folds + row_fold;
  const std::int64_t lanes = used_lanes(column_fold, row_fold);
  DemandLine demand;
  demand.line = fold * plan_.fold_lines + first_demand_line(row_fold) + index;
  if (axis_ == LaneAxis::kStationary) {
    demand.slice = row_fold * plan_.rows + plan_.used_rows(row_fold) - 1 - index;
    demand.band = column_fold * plan_.row_extent + demand.slice;
    demand.last_lane = lanes - 1;
    return demand;
  }
  demand.slice = axis_ == LaneAxis::kRows ? row_fold : column_fold;
  demand.band = demand.slice * plan_.steps + index;
  demand.first_lane = std::max<std::int64_t>(0, index - plan_.steps + 1);
  demand.last_lane = std::min(lanes - 1, index);
  demand.step_of_lane_0 = index;
  return demand;
}

std::vector<std::int64_t> ReadStream::null_addresses() const {
  std::vector<std::int64_t> addresses;
  if (!has_nulls_) return addresses;
  const std::int64_t reached_width =
      (shape_.output_width() - 1) * shape_.stride_width + shape_.filter_width;
  const std::int64_t pitch = reached_width * shape_.channels;
  const std::int64_t inside = std::min(reached_width, shape_.input_width) * shape_.channels;
  for (std::int64_t begin = 0; begin < address_count_; begin += pitch) {
    const bool is_row_outside = begin / pitch >= shape_.input_height;
    for (std::int64_t offset = is_row_outside ? 0 : inside; offset < pitch; ++offset) {
      addresses.push_back(begin + offset);
    }
  }
  return addresses;
}

void ReadStream::same_words(const Element& element, std::vector<Element>& found) const {
  found.clear();
  const std::int64_t pixel = outer_is_pixel_ ? element.outer : element.inner;
  const std::int64_t offset = outer_is_pixel_ ? element.inner : element.outer;
  const std::int64_t out_width = shape_.output_width();
  const auto index = static_cast<std::size_t>(offset);
  const std::int64_t row = pixel / out_width * shape_.stride_height + window_row_[index];
  const std::int64_t column = pixel % out_width * shape_.stride_width + window_column_[index];
  const std::int64_t channel = offset % shape_.channels;
  const std::int64_t last_row = std::min(shape_.output_height() - 1, row / shape_.stride_height);
  const std::int64_t last_column = std::min(out_width - 1, column / shape_.stride_width);
  for (std::int64_t out_row = last_row; out_row >= 0; --out_row) {
    const std::int64_t window_row = row - out_row * shape_.stride_height;
    if (window_row >= shape_.filter_height) break;
    for (std::int64_t out_column = last_column; out_column >= 0; --out_column) {
      const std::int64_t window_column = column - out_column * shape_.stride_width;
      if (window_column >= shape_.filter_width) break;
      const std::int64_t other_pixel = out_row * out_width + out_column;
      const std::int64_t other_offset =
          (window_row * shape_.filter_width + window_column) * shape_.channels + channel;
      found.push_back(outer_is_pixel_ ? Element{other_pixel, other_offset}
                                      : Element{other_offset, other_pixel});
    }
  }
}

std::int64_t ReadStream::band_of(const Element& element) const {
  const std::int64_t slice = element.outer / lane_width_;
  const std::int64_t band = slice * steps_ + element.inner;
  return axis_ == LaneAxis::kStationary ? band : band + element.outer % lane_width_;
}

bool ReadStream::element_of_band(std::int64_t band, std::int64_t lane, Element& found) const {
  const std::int64_t row = axis_ == LaneAxis::kStationary ? band : band - lane;
  if (row < 0 || row >= slice_count_ * steps_) return false;
  const std::int64_t slice = row / steps_;
  if (slice == slice_count_ - 1 && lane >= lanes_of_last_slice_) return false;
  found = {.outer = slice * lane_width_ + lane, .inner = row % steps_};
  return true;
}

std::int64_t ReadStream::elements_before(std::int64_t band, std::int64_t lane) const {
  const std::int64_t rows = slice_count_ * steps_;
  if (axis_ == LaneAxis::kStationary) {
    const bool is_last = band / steps_ == slice_count_ - 1;
    return is_last ? std::min(lane, lanes_of_last_slice_) : lane;
  }
  // Lane l lies in row band - l. Rows at or above `rows` do not exist, and the rows of the last
  // slice have fewer lanes.
  const std::int64_t first = std::max<std::int64_t>(0, band - rows + 1);
  const std::int64_t end = std::min(lane, band + 1);
  if (end <= first) return 0;
  const std::int64_t end_in_last_slice = std::min(end, band - (rows - steps_) + 1);
  const std::int64_t cut =
      std::max<std::int64_t>(0, end_in_last_slice - std::max(first, lanes_of_last_slice_));
  return end - first - cut;
}

std::int64_t ReadStream::prefetch_slots() const {
  return checked_mul(checked_mul(slice_count_, steps_), lane_width_);
}

std::vector<Element> ReadStream::null_elements() const {
  std::vector<Element> elements;
  if (!has_nulls_) return elements;
  for (std::size_t pixel = 0; pixel < pixel_address_.size(); ++pixel) {
    if (rows_inside_[pixel] >= shape_.filter_height &&
        columns_inside_[pixel] >= shape_.filter_width) {
      continue;
    }
    for (std::size_t offset = 0; offset < window_address_.size(); ++offset) {
      const auto first = static_cast<std::int64_t>(outer_is_pixel_ ? pixel : offset);
      const auto second = static_cast<std::int64_t>(outer_is_pixel_ ? offset : pixel);
      const Element element{.outer = first, .inner = second};
      if (is_null(element)) elements.push_back(element);
    }
  }
  return elements;
}

}  // namespace vernier::frontends::scalesim
