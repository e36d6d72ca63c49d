// What an importer did with a file: the defaults it applied, the nodes it left out or folded into
// a layer, and who decided each width. Every reader of foreign models fills one, so that nothing
// is assumed in silence.
#pragma once

#include <string>
#include <vector>

#include "arch/base/bitwidth.hpp"
#include "dataflow/graph/layer_graph.hpp"
#include "dataflow/graph/precision_map.hpp"

namespace vernier::dataflow {

/// A value that the file does not state.
struct AppliedDefault {
  std::string where;  ///< node, tensor or line
  std::string what;   ///< "batch 1 for the symbolic dimension 'N'"
};

/// A node that became no layer of its own.
struct SkippedNode {
  std::string node;
  std::string op;      ///< operator with its domain where that is not the default one
  std::string reason;  ///< "folded into 'conv1'", "shape arithmetic", "identity"
};

/// The width of one tensor and where it comes from.
struct DecidedWidth {
  std::string tensor;  ///< name in the LayerGraph
  Precision precision;
  std::string decided_by;  ///< node (or initializer, tensor, side file) that states it
  std::string rule;        ///< "QONNX Quant bit_width", "QDQ element type", "float, assumed 32"
  bool assumed = false;    ///< nothing in the file states it
};

struct ImportReport {
  std::string format;  ///< "ONNX (opset 13)", "TFLite (version 3)"
  std::vector<AppliedDefault> defaults;
  std::vector<SkippedNode> skipped;
  std::vector<DecidedWidth> widths;  ///< in the order of the graph's tensors
};

/// A network as an importer understood it; the widths that the file states are also declared in the
/// graph. Those that are assumed are in the report only, so that a user's defaults can replace
/// them.
struct ImportedModel {
  LayerGraph graph;
  ImportReport report;
};

/// A user's widths, completed by those that the report assumes: they hold where the map has neither
/// an entry for the tensor nor a default for its kind.
[[nodiscard]] PrecisionMap with_assumed_widths(PrecisionMap map, const ImportedModel& model);

}  // namespace vernier::dataflow
