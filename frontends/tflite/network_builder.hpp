// Collects the layers of a LayerGraph while the operators of a TFLite file are read in order: which
// name stands for which tensor, shapes, widths with their reasons, and the import report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dataflow/graph/import_report.hpp"
#include "frontends/tflite/tflite_file.hpp"

namespace vernier::frontends::tflite {

/// What stands for a tensor of the file: an output or input of the network built so far. A padding
/// operator only adds `pad` and waits for the window that reads it.
struct Value {
  std::string source;
  dataflow::Shape shape;  ///< without `pad`
  dataflow::Window pad;   ///< only the pads are used
  [[nodiscard]] bool is_padded() const;
};

class NetworkBuilder {
 public:
  explicit NetworkBuilder(const TfliteFile& file);

  [[nodiscard]] const TfliteFile& file() const { return file_; }
  /// Throws ModelError with the place of the operator.
  [[noreturn]] void fail(const FileOperator& op, std::string_view message) const;

  /// The tensor in an input slot; throws when the operator has no such input.
  [[nodiscard]] std::size_t input(const FileOperator& op, std::size_t slot) const;
  [[nodiscard]] bool has_input(const FileOperator& op, std::size_t slot) const;
  /// The only output; throws when there is none or more than one.
  [[nodiscard]] std::size_t output(const FileOperator& op) const;
  /// Neither made by an operator nor a network input: weights, biases, shapes.
  [[nodiscard]] bool is_constant(std::size_t tensor) const;
  /// The integers of a constant input; throws when the file does not hold them.
  [[nodiscard]] std::vector<std::int64_t> integers(const FileOperator& op, std::size_t slot) const;

  /// What an input slot reads; with `padded` false a waiting padding is an error. A constant
  /// becomes a learned network input.
  [[nodiscard]] Value operand(const FileOperator& op, std::size_t slot, bool padded = false);
  /// As `operand`, a constant taking the shape that goes with `other` elementwise.
  [[nodiscard]] Value operand_beside(const FileOperator& op, std::size_t slot, const Value& other);

  /// Shape of one image of a tensor as the file states it; none when it does not.
  [[nodiscard]] std::optional<dataflow::Shape> stated_shape(const FileOperator& op,
                                                            std::size_t tensor) const;
  /// Dimension of Shape that an axis of a tensor stands for; none for the batch. Negative axes
  /// count from the end.
  [[nodiscard]] std::optional<std::int64_t dataflow::Shape::*> dimension(const FileOperator& op,
                                                                         std::size_t tensor,
                                                                         std::int64_t axis) const;

  /// Adds the layer that makes the operator's output. A difference of the stated and the inferred
  /// shape becomes a view when the elements are the same, and is an error otherwise.
  void add(const FileOperator& op, const dataflow::Operator& layer,
           const std::vector<Value>& inputs,
           dataflow::ActivationKind activation = dataflow::ActivationKind::kNone,
           std::optional<std::size_t> weight = std::nullopt);
  /// A view of a value in another shape, between two layers of one operator.
  [[nodiscard]] Value view(const FileOperator& op, const Value& value, const dataflow::Shape& shape,
                           std::string_view suffix);
  /// The operator becomes no layer: its output is the value.
  void alias(const FileOperator& op, const Value& value, std::string reason);
  /// As `alias`, for operators that change type or scale only: the tensor has the narrower
  /// knowledge of both sides (an integer width beats an assumed float one, the wider integer wins).
  void requantize(const FileOperator& op, const Value& value, std::string reason);
  /// Folds an activation function into the MAC layer that makes its input, if that is possible.
  [[nodiscard]] bool fold_activation(const FileOperator& op, dataflow::ActivationKind kind);

  void note(const FileOperator& op, std::string what);

  /// The tensor that holds a constant, through operators that only change its type.
  [[nodiscard]] std::size_t constant_behind(std::size_t tensor) const;
  void pass_constant(const FileOperator& op, std::string reason);

  /// Builds the graph; throws ModelError.
  [[nodiscard]] dataflow::ImportedModel finish(const std::string& name);

 private:
  void count_uses();
  void add_inputs();
  std::string claim_name(const std::string& wanted);
  Value learned_input(const FileOperator& op, std::size_t tensor, const dataflow::Shape& shape);
  void decide(const std::string& name, std::size_t tensor);
  void decide_weight(dataflow::LayerSpec& layer, std::size_t tensor);
  std::optional<dataflow::Shape> shape_of(const FileTensor& tensor) const;

  const TfliteFile& file_;
  std::int64_t batch_ = 1;
  std::vector<bool> is_made_;      // by tensor: an operator makes it, or it is a network input
  std::vector<std::size_t> uses_;  // by tensor; being an output of the network counts as one
  std::unordered_map<std::size_t, Value> values_;
  std::unordered_map<std::size_t, std::size_t> constants_;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int> last_number_;
  std::vector<dataflow::InputSpec> inputs_;
  std::vector<dataflow::LayerSpec> layers_;
  std::unordered_map<std::string, std::size_t> layer_at_;
  std::unordered_map<std::string, std::string> views_;  // of views made here: what they show
  std::unordered_map<std::string, dataflow::DecidedWidth> widths_;
  dataflow::ImportReport report_;
};

}  // namespace vernier::frontends::tflite
