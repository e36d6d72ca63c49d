// Turns the nodes of an ONNX graph, in topological order, into layers of a NetworkBuilder. Operator
// handlers (operators.hpp) are free functions that read the inputs of their node here, and set its
// outputs: a constant, a view of a layer's output, or the output of a new layer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontends/onnx/model_file.hpp"
#include "frontends/onnx/network_builder.hpp"
#include "frontends/onnx/value.hpp"

namespace vernier::frontends::onnx {

/// ONNX dimensions that become channels, rows and columns of a LayerGraph tensor, outermost first.
/// Dimensions that are in none of them must step from image to image only.
struct Grouping {
  std::vector<std::size_t> channels;
  std::vector<std::size_t> rows;
  std::vector<std::size_t> columns;
};

/// Batch at dimension 0, then channels at dimension 1 and the others behind it, or channels last.
[[nodiscard]] Grouping channels_first(std::size_t rank);
[[nodiscard]] Grouping channels_last(std::size_t rank);

/// Whether the reader of a tensor minds the order of its elements. A layer whose weights each meet
/// one element only (dense on a flattened map) does not: its weights are put into the same order.
enum class Order : std::uint8_t { kKept, kAny };

class Lowering {
 public:
  explicit Lowering(const ModelFile& file);

  /// Lowers the whole graph. Throws ModelError with all problems.
  [[nodiscard]] dataflow::ImportedModel run();

  // -- for handlers

  [[noreturn]] void fail(const Node& node, std::string_view message) const;
  [[nodiscard]] std::int64_t opset(const Node& node) const { return file_.opset_of(node); }
  [[nodiscard]] std::int64_t batch() const { return batch_; }
  NetworkBuilder& builder() { return builder_; }

  /// Whether the node has an input in this slot.
  [[nodiscard]] bool has(const Node& node, std::size_t slot) const;
  /// The input in a slot. Throws when it is left out.
  [[nodiscard]] const Value& input(const Node& node, std::size_t slot) const;
  /// As input(), but without padding that waits for a window. Throws otherwise.
  [[nodiscard]] const Value& data(const Node& node, std::size_t slot) const;
  /// As data(), but no constant. Throws otherwise.
  [[nodiscard]] const Value& activation(const Node& node, std::size_t slot) const;
  /// As input(), of which the elements are known. Throws otherwise.
  [[nodiscard]] const std::vector<double>& numbers(const Node& node, std::size_t slot) const;
  [[nodiscard]] std::vector<std::int64_t> integers(const Node& node, std::size_t slot) const;
  void set(const Node& node, std::size_t slot, Value value);

  // Attributes; a wrong type throws.
  [[nodiscard]] std::int64_t integer(const Node& node, std::string_view attribute,
                                     std::int64_t otherwise) const;
  [[nodiscard]] double number(const Node& node, std::string_view attribute, double otherwise) const;
  [[nodiscard]] std::string text(const Node& node, std::string_view attribute,
                                 std::string_view otherwise) const;
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integer_list(
      const Node& node, std::string_view attribute) const;
  /// A dimension given as -rank .. rank-1. Throws outside.
  [[nodiscard]] std::size_t axis(const Node& node, std::int64_t axis, std::size_t rank) const;

  /// How many nodes and graph outputs read an ONNX tensor.
  [[nodiscard]] std::size_t readers(const std::string& value) const;
  /// Whether each reader of it is a quantizer (and none is a graph output).
  [[nodiscard]] bool only_quantizers_read(const std::string& value) const;
  /// Whether the single path behind it reaches a quantizer through operators with constants.
  [[nodiscard]] bool a_quantizer_follows(const std::string& value) const;

  /// The LayerGraph tensor with the elements of an activation in the shape that a grouping gives:
  /// its own tensor, or a view of it. Elements whose order changes are noted as an address change,
  /// unless the reader takes them in any order.
  std::string fitted(const Node& node, const Value& value, const Grouping& grouping,
                     Order order = Order::kKept);
  /// Whether fitted() needs no change of the order.
  [[nodiscard]] bool fits(const Value& value, const Grouping& grouping) const;
  /// The grouping in which an activation lies in its tensor; dimensions of size 1 as in
  /// channels_first, or channels_last for three dimensions.
  [[nodiscard]] Grouping natural_grouping(const Value& value) const;
  /// A constant as a learned input of the network.
  std::string learned(const Value& constant, const dataflow::Shape& shape);

  /// Adds a layer for a node and returns its output with the given dimensions, which lie in the
  /// output as the grouping says. Batch factors are those of `like`, dimension by dimension.
  Value layer(const Node& node, const dataflow::Operator& op, std::vector<std::string> inputs,
              std::vector<std::int64_t> dims, const Grouping& grouping, const Value& like);
  /// The layer that a node can be folded into: the one that made `value`, if nothing else reads it.
  [[nodiscard]] Draft* foldable(const Value& value);
  /// Sets output 0 to `value` under its own name; the chain of a layer goes on there.
  void pass(const Node& node, Value value);
  /// Name of a layer made from a node.
  [[nodiscard]] static std::string layer_name(const Node& node);
  /// Notes a node that became no layer.
  void skip(const Node& node, const std::string& reason) { builder_.note_skipped(node, reason); }

 private:
  void read_constants();
  void read_inputs();
  void read_input(const TensorType& input, bool is_parameter);
  [[nodiscard]] bool is_channels_last(const std::string& input, std::size_t rank) const;
  void index_readers();
  [[nodiscard]] std::unordered_set<std::string> parameter_inputs() const;
  [[nodiscard]] std::vector<std::int64_t> input_dims(const TensorType& input,
                                                     const std::string& place);
  [[nodiscard]] bool begins_with_batch(const Value& value, const std::string& place);
  void place_input(Value& value, bool has_batch, const std::string& place);
  [[nodiscard]] std::unordered_map<std::string, std::size_t> producers() const;
  [[nodiscard]] std::vector<bool> needed_nodes(
      const std::unordered_map<std::string, std::size_t>& producer);
  [[nodiscard]] std::vector<std::size_t> node_order();
  void annotate_constants();
  void note_opsets();
  void lower(const Node& node);
  void try_to_lower(const Node& node);
  void fail_outputs(const Node& node);
  void finish_outputs();
  void apply_annotations(const Node& node);
  [[nodiscard]] std::string nearest_tensor(const std::string& name);

  const ModelFile& file_;
  NetworkBuilder builder_;
  std::int64_t batch_ = 1;
  bool batch_is_set_ = false;
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, std::vector<std::size_t>> reading_nodes_;
  std::unordered_map<std::string, std::size_t> reader_counts_;
  std::unordered_set<std::string> output_names_;
  std::vector<std::string> problems_;
  std::vector<std::string> tensor_names_;  // for messages; found when the first one needs them
  std::size_t stored_numbers_ = 0;
};

}  // namespace vernier::frontends::onnx
