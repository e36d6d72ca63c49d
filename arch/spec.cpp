#include "arch/spec.hpp"

namespace vernier::arch {

const std::vector<std::string>& dataflow_names() {
  static const std::vector<std::string> names{"output_stationary", "weight_stationary",
                                              "input_stationary", "dot_columns"};
  return names;
}

const std::string& to_text(Dataflow dataflow) {
  return dataflow_names().at(static_cast<std::size_t>(dataflow));
}

const std::vector<std::string>& depthwise_names() {
  static const std::vector<std::string> names{"per_group", "block_diagonal", "grouped_lanes",
                                              "vector_unit"};
  return names;
}

const std::string& to_text(DepthwiseMode mode) {
  return depthwise_names().at(static_cast<std::size_t>(mode));
}

const std::vector<std::string>& fold_overlap_names() {
  static const std::vector<std::string> names{"none", "preload", "full"};
  return names;
}

const std::string& to_text(FoldOverlap overlap) {
  return fold_overlap_names().at(static_cast<std::size_t>(overlap));
}

std::vector<std::string> legal_fold_overlaps(Dataflow dataflow) {
  const bool stationary =
      dataflow == Dataflow::kWeightStationary || dataflow == Dataflow::kInputStationary;
  return {to_text(FoldOverlap::kNone),
          to_text(stationary ? FoldOverlap::kPreload : FoldOverlap::kFull)};
}

const std::vector<Action>& vector_actions() {
  static const std::vector<Action> actions{Action::kAdd,     Action::kMultiply,   Action::kMax,
                                           Action::kAverage, Action::kActivation, Action::kCopy};
  return actions;
}

}  // namespace vernier::arch
