#include "frontends/scalesim/topology.hpp"

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/topology/source_text.hpp"

namespace vernier::frontends::scalesim {
namespace {

using topology::Problems;
using topology::TextField;
using topology::TopologyRow;

constexpr std::size_t kMostLayers = topology::kMostRows;

// Rows as the layers that SCALE-Sim makes of them.
class LayerList {
 public:
  LayerList(TopologyKind kind, DepthwiseRows depthwise, Problems& problems)
      : problems_(problems), kind_(kind), depthwise_(depthwise) {}

  void add(const TopologyRow& row) {
    Layer layer{.name = row.name.text, .shape = {}};
    if (kind_ == TopologyKind::kGemm) {
      layer.shape = gemm_shape(row.m, row.n, row.k);
      push(row.name, layer, 1);
      return;
    }
    layer.shape = {.input_height = row.input_height,
                   .input_width = row.input_width,
                   .filter_height = row.filter_height,
                   .filter_width = row.filter_width,
                   .channels = row.channels,
                   .filters = row.filters,
                   .stride_height = row.stride_height,
                   .stride_width = row.stride_width};
    if (layer.shape.output_height() < 1 || layer.shape.output_width() < 1) {
      problems_.add(row.name, fmt::format("layer '{}': the {}x{} filter is larger than the {}x{} "
                                          "input (no padding is added)",
                                          shown(row.name.text), row.filter_height, row.filter_width,
                                          row.input_height, row.input_width));
      return;
    }
    const bool is_marked = row.name.text.find(topology::kDepthwiseMark) != std::string::npos;
    layer.depthwise = is_marked && depthwise_ == DepthwiseRows::kKept;
    const bool is_split = is_marked && !layer.depthwise;  // Quirk 2
    const std::int64_t copies = is_split ? layer.shape.channels : 1;
    if (is_split) layer.shape.channels = 1;
    push(row.name, layer, copies);
  }

  std::vector<Layer> take() { return std::move(layers_); }

 private:
  void push(const TextField& name, const Layer& layer, std::int64_t copies) {
    if (static_cast<std::size_t>(copies) > kMostLayers - layers_.size()) {
      problems_.add(name, fmt::format("more than {} layers", kMostLayers));
      return;
    }
    layers_.insert(layers_.end(), static_cast<std::size_t>(copies), layer);
  }

  Problems& problems_;
  TopologyKind kind_;
  DepthwiseRows depthwise_;
  std::vector<Layer> layers_;
};

}  // namespace

std::vector<Layer> read_topology(std::string_view text, const std::string& file, TopologyKind kind,
                                 Compat compat, DepthwiseRows depthwise) {
  Problems problems(file);
  const auto trailing = compat == Compat::kV3 ? topology::TrailingColumn::kDenseRatio
                                              : topology::TrailingColumn::kStrideWidth;
  LayerList layers(kind, depthwise, problems);
  for (const TopologyRow& row : topology::read_rows(text, kind, trailing, problems)) {
    layers.add(row);
  }
  problems.throw_if_any();
  return layers.take();
}

std::vector<Layer> load_topology(const std::string& path, TopologyKind kind, Compat compat,
                                 DepthwiseRows depthwise) {
  return read_topology(topology::read_text_file(path), path, kind, compat, depthwise);
}

}  // namespace vernier::frontends::scalesim
