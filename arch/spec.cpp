#include "arch/spec.hpp"

namespace vernier::arch {

const std::vector<std::string>& dataflow_names() {
  static const std::vector<std::string> names{"output_stationary", "weight_stationary",
                                              "input_stationary"};
  return names;
}

const std::string& to_text(Dataflow dataflow) {
  return dataflow_names().at(static_cast<std::size_t>(dataflow));
}

const std::vector<Action>& vector_actions() {
  static const std::vector<Action> actions{Action::kAdd,     Action::kMultiply,   Action::kMax,
                                           Action::kAverage, Action::kActivation, Action::kCopy};
  return actions;
}

}  // namespace vernier::arch
