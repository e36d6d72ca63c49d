// What one read port asks for, line by line: which elements of the operand matrix, in which order,
// and where they lie in the order in which USER mode prefetches them. Both memory models
// (estimated_reads, prefetched_reads) walk such a stream.
#pragma once

#include <cstdint>
#include <vector>

#include "frontends/scalesim/fold_plan.hpp"

namespace vernier::frontends::scalesim {

enum class Operand { kInput, kFilter };

/// How the demands of a fold lie on the array.
enum class LaneAxis {
  kRows,       ///< one lane per used row, skewed, a step per line
  kColumns,    ///< one lane per used column, skewed, a step per line
  kStationary  ///< one line per used row, bottom row first, one lane per used column
};

/// A part of a fold's demands: one line.
struct DemandLine {
  std::int64_t line = 0;   ///< counted over the whole layer
  std::int64_t band = 0;   ///< row or anti-diagonal of the prefetch order that it belongs to
  std::int64_t slice = 0;  ///< the row or column fold that feeds the lanes; stationary: the row
  std::int64_t first_lane = 0;
  std::int64_t last_lane = 0;       ///< inclusive
  std::int64_t step_of_lane_0 = 0;  ///< lane l asks for step (this - l); unused when stationary
};

/// One element of an operand matrix. For the input: (pixel, window element), for the filter:
/// (window element, filter), each as the pair (outer, inner) that lanes and steps run along.
struct Element {
  std::int64_t outer = 0;  ///< runs along the lanes (stationary: along the columns)
  std::int64_t inner = 0;  ///< runs along the steps (stationary: along the rows)
};

class ReadStream {
 public:
  ReadStream(const LayerShape& shape, const FoldPlan& plan, Operand operand);

  [[nodiscard]] const FoldPlan& plan() const { return plan_; }
  [[nodiscard]] LaneAxis axis() const { return axis_; }
  [[nodiscard]] bool is_input() const { return operand_ == Operand::kInput; }
  /// Whether every element is a different word and none is null, so that all follows from shapes.
  [[nodiscard]] bool is_distinct() const { return is_distinct_; }
  [[nodiscard]] bool has_nulls() const { return has_nulls_; }

  /// Lanes that a fold uses, and the first line of a fold with demands.
  [[nodiscard]] std::int64_t used_lanes(std::int64_t column_fold, std::int64_t row_fold) const;
  [[nodiscard]] std::int64_t first_demand_line(std::int64_t row_fold) const;
  /// Lines of a fold with demands; they follow each other.
  [[nodiscard]] std::int64_t demand_lines(std::int64_t column_fold, std::int64_t row_fold) const;
  /// The `index`-th line with demands of a fold.
  [[nodiscard]] DemandLine demand(std::int64_t column_fold, std::int64_t row_fold,
                                  std::int64_t index) const;

  [[nodiscard]] Element element(const DemandLine& demand, std::int64_t lane) const {
    if (axis_ == LaneAxis::kStationary) {
      return {.outer = outer_base(demand) + lane, .inner = demand.slice};
    }
    return {.outer = demand.slice * lane_width_ + lane, .inner = demand.step_of_lane_0 - lane};
  }

  /// Whether an input element hangs over the edge; such a lane makes no request.
  [[nodiscard]] bool is_null(const Element& element) const {
    if (!has_nulls_) return false;
    const bool outer_is_pixel = outer_is_pixel_;
    const auto pixel = static_cast<std::size_t>(outer_is_pixel ? element.outer : element.inner);
    const auto offset = static_cast<std::size_t>(outer_is_pixel ? element.inner : element.outer);
    return window_row_[offset] >= rows_inside_[pixel] ||
           window_column_[offset] >= columns_inside_[pixel];
  }

  /// Address of an input word in a tensor widened to hold what hangs over:
  /// `outer_address(outer) + inner_address(inner)`.
  [[nodiscard]] const std::vector<std::int32_t>& outer_address() const {
    return outer_is_pixel_ ? pixel_address_ : window_address_;
  }
  [[nodiscard]] const std::vector<std::int32_t>& inner_address() const {
    return outer_is_pixel_ ? window_address_ : pixel_address_;
  }
  /// Words of that widened tensor, and whether the word at an address is outside the real one.
  [[nodiscard]] std::int64_t address_count() const { return address_count_; }
  [[nodiscard]] std::vector<std::int64_t> null_addresses() const;

  /// The elements of the operand matrix that are the same input word as `element`, itself included.
  void same_words(const Element& element, std::vector<Element>& found) const;

  /// Bands of the prefetch order, lanes across them, and the slices stacked to form them.
  [[nodiscard]] std::int64_t band_count() const { return band_count_; }
  [[nodiscard]] std::int64_t lane_width() const { return lane_width_; }
  [[nodiscard]] std::int64_t slice_count() const { return slice_count_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] std::int64_t lanes_of_last_slice() const { return lanes_of_last_slice_; }
  [[nodiscard]] std::int64_t band_of(const Element& element) const;
  [[nodiscard]] std::int64_t lane_of(const Element& element) const {
    return element.outer % lane_width_;
  }
  /// The element of a band at a lane; false when there is none.
  [[nodiscard]] bool element_of_band(std::int64_t band, std::int64_t lane, Element& found) const;
  /// Elements of a band with a lane below `lane`, nulls included.
  [[nodiscard]] std::int64_t elements_before(std::int64_t band, std::int64_t lane) const;
  /// Elements and blanks of the whole prefetch order.
  [[nodiscard]] std::int64_t prefetch_slots() const;
  /// All null elements, for the count of each band.
  [[nodiscard]] std::vector<Element> null_elements() const;

 private:
  void fill_input_tables();
  [[nodiscard]] std::int64_t outer_base(const DemandLine& demand) const {
    return demand.band / plan_.row_extent * lane_width_;
  }

  LayerShape shape_;
  FoldPlan plan_;
  Operand operand_;
  LaneAxis axis_;
  bool outer_is_pixel_ = false;
  bool has_nulls_ = false;
  bool is_distinct_ = true;
  std::int64_t lane_width_ = 0;
  std::int64_t slice_count_ = 0;
  std::int64_t steps_ = 0;  ///< stationary: rows of a slice
  std::int64_t lanes_of_last_slice_ = 0;
  std::int64_t band_count_ = 0;
  std::int64_t address_count_ = 0;
  std::vector<std::int32_t> pixel_address_;
  std::vector<std::int32_t> window_address_;
  std::vector<std::int32_t> rows_inside_;
  std::vector<std::int32_t> columns_inside_;
  std::vector<std::int32_t> window_row_;
  std::vector<std::int32_t> window_column_;
};

}  // namespace vernier::frontends::scalesim
