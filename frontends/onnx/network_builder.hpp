// Collects the layers that the lowering makes of ONNX nodes, what was folded into each of them, who
// stated which width, and the report; builds the LayerGraph at the end.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dataflow/graph/import_report.hpp"
#include "frontends/onnx/model_file.hpp"
#include "frontends/onnx/value.hpp"

namespace vernier::frontends::onnx {

/// How far the chain behind a layer has come that runs in its drain: what follows in a later stage
/// can still be folded, what belongs to an earlier one cannot.
enum class Stage : std::uint8_t { kOpen, kActivated, kQuantized };

/// A layer under construction.
struct Draft {
  dataflow::LayerSpec spec;
  dataflow::Shape shape;  ///< of its output
  Stage stage = Stage::kOpen;
  std::string tail;  ///< ONNX tensor where the folded chain ends
  ElementType tail_type = ElementType::kUndefined;
  bool keeps_values = false;         ///< its output has the numbers of its first input
  bool has_stated_operands = false;  ///< a MAC layer whose operands both are quantized
  std::optional<StatedWidth> weight;
};

class NetworkBuilder {
 public:
  explicit NetworkBuilder(const ModelFile& file) : file_(file) {}

  // -- layers and inputs

  /// A name that no layer and no input has yet, near `wanted`.
  [[nodiscard]] std::string free_name(const std::string& wanted);
  /// Adds a network input and returns its name.
  std::string add_input(const std::string& name, const dataflow::Shape& shape, ElementType type,
                        bool learned);
  /// Adds a layer; checks that its inputs fit. Throws ModelError without a place.
  Draft& add_layer(Draft draft);
  /// The layer whose output is `source`, or nullptr for a network input.
  [[nodiscard]] Draft* draft_of(const std::string& source);
  [[nodiscard]] const dataflow::Shape& shape_of(const std::string& source) const;
  [[nodiscard]] bool has_layers() const { return !drafts_.empty(); }
  /// A view of `source` in another shape; made once per shape. Returns its name.
  std::string view_of(const std::string& source, const dataflow::Shape& shape, bool in_order,
                      const std::string& wanted_name);

  // -- widths

  /// States the width of an activation. `of_value` is the ONNX tensor that is quantized; several
  /// statements about one tensor are allowed.
  void claim(const std::string& source, const std::string& of_value, StatedWidth width);
  /// Narrows the last claim on a tensor: the clipping bounds behind its quantizer.
  void refine_claim(const std::string& source, const StatedWidth& width);
  [[nodiscard]] bool has_claim(const std::string& source) const;
  /// Whether all claims on it were made for `of_value`.
  [[nodiscard]] bool only_claims_of(const std::string& source, const std::string& of_value) const;

  // -- report

  void note_default(const std::string& where, const std::string& what);
  void note_skipped(const Node& node, const std::string& reason);

  /// Builds graph and report. Throws ModelError.
  [[nodiscard]] dataflow::ImportedModel finish(std::int64_t batch);

 private:
  struct Claim {
    std::string of_value;
    StatedWidth width;
  };
  struct Input {
    dataflow::InputSpec spec;
    ElementType type = ElementType::kUndefined;
  };

  using Widths = std::unordered_map<std::string, dataflow::DecidedWidth>;
  void decide_claimed(Widths& decided);
  void inherit_forward(Widths& decided) const;
  void inherit_backward(Widths& decided) const;
  [[nodiscard]] dataflow::DecidedWidth undecided(const std::string& source) const;
  [[nodiscard]] dataflow::DecidedWidth weight_width(const Draft& draft);
  [[nodiscard]] Precision sliced(const Draft& draft, const StatedWidth& width);
  void report_widths(const dataflow::LayerGraph& graph, const Widths& decided);

  const ModelFile& file_;
  std::vector<Input> inputs_;
  std::vector<Draft> drafts_;
  std::unordered_map<std::string, std::size_t> draft_index_;
  std::unordered_map<std::string, std::size_t> input_index_;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int> next_suffix_;
  std::map<std::string, std::string> views_;
  std::unordered_map<std::string, std::vector<Claim>> claims_;
  Widths weights_;  // by layer
  dataflow::ImportReport report_;
};

}  // namespace vernier::frontends::onnx
