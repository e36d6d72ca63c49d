#include "frontends/topology/topology_model.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/topology/topology_rows.hpp"

namespace vernier::frontends::topology {
namespace {

using dataflow::Conv2d;
using dataflow::Dense;
using dataflow::InputSpec;
using dataflow::LayerSpec;
using dataflow::Shape;

struct DetectedKind {
  TopologyKind kind = TopologyKind::kConvolution;
  std::string reason;
};

// Columns with a text, the first one (the name) included.
std::size_t filled_columns(const std::vector<TextField>& fields) {
  std::size_t filled = 0;
  for (std::size_t at = 0; at < fields.size(); ++at) {
    if (!fields[at].text.empty()) filled = at + 1;
  }
  return filled;
}

// The letters of a header that names matrix products, in the order of its columns: "mnk".
std::string product_letters(const std::vector<TextField>& header) {
  std::string letters;
  for (std::size_t at = 1; at < std::min<std::size_t>(header.size(), 4); ++at) {
    letters += lower_case(header[at].text);
  }
  return letters;
}

// The header and the first row below it tell what the rows are.
DetectedKind detect_kind(std::string_view text, Problems& problems) {
  constexpr std::size_t kProductColumns = 4;
  std::optional<std::size_t> header_columns;
  const std::vector<std::string> lines = split_lines(text);
  for (std::size_t index = 0; index < lines.size(); ++index) {
    const std::vector<TextField> fields =
        split_fields(lines[index], static_cast<int>(index) + 1, ',');
    const std::size_t filled = filled_columns(fields);
    if (filled == 0) continue;
    if (header_columns) {
      if (filled == kProductColumns) return {TopologyKind::kGemm, "the first row has 3 numbers"};
      break;
    }
    header_columns = filled;
    const std::string letters = product_letters(fields);
    if (letters == "mnk") return {TopologyKind::kGemm, "the header names M, N and K"};
    std::string sorted = letters;
    std::sort(sorted.begin(), sorted.end());
    if (sorted == "kmn") {
      problems.add(fields[1], "the columns of a matrix product stand in the order M, N, K");
      return {TopologyKind::kGemm, {}};
    }
  }
  return {TopologyKind::kConvolution,
          fmt::format("the header has {} columns", header_columns.value_or(0))};
}

class ModelBuilder {
 public:
  ModelBuilder(const std::string& file, TopologyKind kind) : file_(file), kind_(kind) {}

  // All names of the file, so that names made here clash with none of them.
  void reserve(const std::vector<TopologyRow>& rows) {
    for (const TopologyRow& row : rows) taken_.insert(row.name.text);
  }

  void add(const TopologyRow& row) {
    LayerSpec layer;
    layer.name = layer_name(row);
    layer.place = {file_, row.name.line, row.name.column};
    Shape input;
    if (kind_ == TopologyKind::kGemm) {
      input = {row.k, row.m, 1};
      layer.op = Dense{.out_features = row.n};
    } else {
      input = {row.channels, row.input_height, row.input_width};
      layer.op = convolution(row, layer.name);
    }
    layer.inputs = {source_of(row, layer.name, input)};
    try {
      previous_shape_ = infer_shape(layer.op, {input});
    } catch (const UserError& error) {
      throw ModelError(
          fmt::format("{}: layer '{}': {}", layer.place.text(), shown(layer.name), error.what()));
    }
    previous_ = layer.name;
    layers_.push_back(std::move(layer));
  }

  dataflow::ImportedModel finish(const std::string& name, std::string format) {
    report_.format = std::move(format);
    return {dataflow::LayerGraph(name, inputs_, layers_), std::move(report_)};
  }

 private:
  // `name`, or `name.2`, `name.3` ... when it is taken.
  std::string unused(const std::string& name) {
    if (taken_.insert(name).second) return name;
    for (int& number = last_number_.try_emplace(name, 1).first->second;;) {
      std::string candidate = fmt::format("{}.{}", name, ++number);
      if (taken_.insert(candidate).second) return candidate;
    }
  }

  std::string layer_name(const TopologyRow& row) {
    if (given_.insert(row.name.text).second) return row.name.text;
    std::string name = unused(row.name.text);
    note(row, fmt::format("called '{}', for an earlier row has this name", shown(name)));
    return name;
  }

  Conv2d convolution(const TopologyRow& row, const std::string& name) {
    Conv2d conv;
    conv.out_channels = row.filters;
    conv.window.kernel_height = row.filter_height;
    conv.window.kernel_width = row.filter_width;
    conv.window.stride_height = row.stride_height;
    conv.window.stride_width = row.stride_width;
    if (name.find(kDepthwiseMark) != std::string::npos) {
      conv.groups = row.channels;
      conv.out_channels = checked_mul(row.channels, row.filters);
      note(row, fmt::format("depthwise with {} filter(s) per channel, for its name contains '{}'",
                            row.filters, kDepthwiseMark));
    }
    return conv;
  }

  // The tensor that a row reads: the output of the row before, a flat view of it, or a new input.
  std::string source_of(const TopologyRow& row, const std::string& name, const Shape& needed) {
    if (!previous_.empty() && previous_shape_ == needed) return previous_;
    const bool is_flat =
        needed.pixels() == 1 && !previous_.empty() && previous_shape_.elements() == needed.channels;
    if (is_flat) {
      LayerSpec view;
      view.name = unused(name + ".flatten");
      view.op = dataflow::Reshape{needed};
      view.inputs = {previous_};
      view.place = {file_, row.name.line, row.name.column};
      layers_.push_back(view);
      note(row, fmt::format("reads all {} elements of '{}' as one vector", needed.channels,
                            shown(previous_)));
      return view.name;
    }
    InputSpec input;
    input.name = unused(previous_.empty() ? std::string("input") : name + ".input");
    input.shape = needed;
    input.place = {file_, row.name.line, row.name.column};
    if (!previous_.empty()) {
      note(row, fmt::format("starts with a network input of its own, {}; the row before gives {}",
                            to_text(needed), to_text(previous_shape_)));
    }
    inputs_.push_back(input);
    return input.name;
  }

  void note(const TopologyRow& row, std::string what) {
    report_.defaults.push_back(
        {fmt::format("line {}, layer '{}'", row.name.line, shown(row.name.text)), std::move(what)});
  }

  const std::string& file_;
  TopologyKind kind_;
  std::unordered_set<std::string> taken_;
  std::unordered_set<std::string> given_;
  std::unordered_map<std::string, int> last_number_;  // of the names made by `unused`
  std::vector<InputSpec> inputs_;
  std::vector<LayerSpec> layers_;
  std::string previous_;
  Shape previous_shape_;
  dataflow::ImportReport report_;
};

}  // namespace

dataflow::ImportedModel read_topology_model(std::string_view text, const std::string& file,
                                            const std::string& name) {
  Problems problems(file);
  const DetectedKind detected = detect_kind(text, problems);
  const std::vector<TopologyRow> rows =
      read_rows(text, detected.kind, TrailingColumn::kEither, problems);
  problems.throw_if_any();
  ModelBuilder builder(file, detected.kind);
  builder.reserve(rows);
  for (const TopologyRow& row : rows) builder.add(row);
  const bool is_gemm = detected.kind == TopologyKind::kGemm;
  return builder.finish(
      name, fmt::format("SCALE-Sim topology, {} ({})", is_gemm ? "matrix products" : "convolutions",
                        detected.reason));
}

dataflow::ImportedModel load_topology_model(const std::string& path) {
  return read_topology_model(read_text_file(path), path,
                             shown(std::filesystem::path(path).stem().string()));
}

}  // namespace vernier::frontends::topology
