// The public ONNX files that lie beside the project, where they do: products, widths and who stated
// them, and the three networks that the model zoo has too. The expected figures are those of the
// list that came with the files.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "dataflow/graph/model_yaml.hpp"
#include "frontends/onnx/onnx_model.hpp"

namespace vernier::frontends {
namespace {

using dataflow::DecidedWidth;
using dataflow::ImportedModel;
using dataflow::Layer;
using dataflow::LayerGraph;

const std::string kFiles = std::string(VERNIER_SOURCE_DIR) + "/../shared/models/";
const std::string kZoo = std::string(VERNIER_SOURCE_DIR) + "/configs/models/";

/// Whether the file is there; says so when it is not.
bool is_there(const std::string& file) {
  if (std::filesystem::exists(kFiles + file)) return true;
  WARN("skipped: there is no ../shared/models/" + file);
  return false;
}

struct FileRow {
  std::string file;
  std::int64_t macs = 0;
  std::int64_t mac_layers = 0;
};

const std::vector<FileRow>& files() {
  static const std::vector<FileRow> rows{
      {"qonnx/TFC_1W1A.onnx", 59008, 4},
      {"qonnx/TFC_2W2A.onnx", 59008, 4},
      {"qonnx/kwsmlp_w3a3.onnx", 259584, 4},
      {"qonnx/espcn_nn_resize_w4w8.onnx", 1041235968, 4},
      {"qonnx/floatquant_fp8.onnx", 48, 1},
      {"float/mnist_cntk.onnx", 786560, 3},
      {"float/espcn_nn_resize_float.onnx", 1041235968, 4},
      {"float/deeploy_cct_1_16_16_32.onnx", 154704, 12},
      {"structure/zigzag_alexnet.onnx", 654560384, 8},
      {"structure/zigzag_resnet18.onnx", 1814073344, 21},
      {"structure/zigzag_mobilenetv2.onnx", 300774272, 53},
      {"structure/light_resnet50.onnx", 4089184256, 54},
      {"structure/light_squeezenet.onnx", 349151936, 26},
      {"structure/light_vgg19.onnx", 19632062464, 19},
      {"structure/light_bvlc_alexnet.onnx", 654560384, 8},
      {"structure/stream_fsrcnn.onnx", 8290252800, 8},
      {"integerized/match_keyword_spotting.onnx", 2656768, 10},
      {"integerized/dory_nemo_dscnn_8b.onnx", 2656640, 10},
      {"integerized/dory_quantlab_dvs_cnn.onnx", 74059776, 5},
      {"nodes/qlinearconv.onnx", 49, 1},
      {"nodes/quantizelinear_int4.onnx", 0, 0},
      {"nodes/dequantizelinear_int4.onnx", 0, 0},
      {"nodes/quantizelinear_axis.onnx", 0, 0},
      {"nodes/dequantizelinear_blocked.onnx", 0, 0},
  };
  return rows;
}

const DecidedWidth& width_of(const ImportedModel& model, const std::string& tensor) {
  const auto& widths = model.report.widths;
  const auto found = std::find_if(widths.begin(), widths.end(),
                                  [&](const DecidedWidth& each) { return each.tensor == tensor; });
  if (found == widths.end()) FAIL("no width of " << tensor);
  return *found;
}

std::string text_of(const DecidedWidth& width) {
  return fmt::format("{} {}{}", to_text(width.precision.kind), width.precision.bits.bits(),
                     width.assumed ? " assumed" : "");
}

TEST_CASE("Each public ONNX file imports with its number of products", "[frontends][onnx]") {
  CHECK(files().size() == 24);
  for (const FileRow& row : files()) {
    CAPTURE(row.file);
    if (!is_there(row.file)) continue;
    const ImportedModel model = load_onnx(kFiles + row.file);
    const dataflow::NetworkTotals totals = model.graph.totals();
    CHECK(totals.macs.count() == row.macs);
    CHECK(totals.mac_layers == row.mac_layers);
    REQUIRE(model.report.widths.size() == model.graph.tensors().size());
    for (dataflow::TensorId id = 0; id < model.graph.tensors().size(); ++id) {
      const dataflow::Tensor& tensor = model.graph.tensor(id);
      const DecidedWidth& width = model.report.widths[id];
      CHECK(width.tensor == tensor.name);
      CHECK_FALSE(width.decided_by.empty());
      if (tensor.shows) continue;
      CHECK(tensor.declared.has_value() != width.assumed);
      if (tensor.declared) CHECK(*tensor.declared == width.precision);
    }
  }
}

/// Quantizer nodes that stated a width, counted as "W2 int" or "A3 uint".
std::map<std::string, int> quantizers_of(const ImportedModel& model) {
  std::map<std::string, std::set<std::string>> nodes;
  for (dataflow::TensorId id = 0; id < model.graph.tensors().size(); ++id) {
    const DecidedWidth& width = model.report.widths[id];
    if (width.assumed) continue;
    const bool is_weight = model.graph.tensor(id).kind == dataflow::TensorKind::kWeight;
    nodes[fmt::format("{}{} {}", is_weight ? "W" : "A", width.precision.bits.bits(),
                      to_text(width.precision.kind))]
        .insert(width.decided_by);
  }
  std::map<std::string, int> counts;
  for (const auto& [what, which] : nodes) counts[what] = static_cast<int>(which.size());
  return counts;
}

TEST_CASE("The widths of the public QONNX files are those of their quantizers",
          "[frontends][onnx]") {
  const std::map<std::string, std::map<std::string, int>> expected{
      {"qonnx/TFC_1W1A.onnx", {{"A1 bipolar", 4}, {"W1 bipolar", 4}}},
      {"qonnx/TFC_2W2A.onnx", {{"A2 int", 4}, {"W2 int", 4}}},
      {"qonnx/kwsmlp_w3a3.onnx", {{"A8 int", 1}, {"W3 int", 4}, {"A3 uint", 3}}},
      {"qonnx/espcn_nn_resize_w4w8.onnx",
       {{"A8 uint", 3}, {"W8 int", 2}, {"A4 uint", 2}, {"W4 int", 2}}},
      {"qonnx/floatquant_fp8.onnx", {{"A8 float", 1}, {"W8 float", 1}}},
  };
  for (const auto& [file, counts] : expected) {
    CAPTURE(file);
    if (is_there(file)) CHECK(quantizers_of(load_onnx(kFiles + file)) == counts);
  }
}

TEST_CASE("Float files are 32 bits wide, assumed", "[frontends][onnx]") {
  for (const FileRow& row : files()) {
    const bool is_float = row.file.starts_with("float/") || row.file.starts_with("structure/");
    if (!is_float || row.file.ends_with("fsrcnn.onnx") || !is_there(row.file)) continue;
    CAPTURE(row.file);
    const ImportedModel model = load_onnx(kFiles + row.file);
    for (const DecidedWidth& width : model.report.widths) {
      CAPTURE(width.tensor);
      CHECK(text_of(width) == "float 32 assumed");
    }
  }
}

struct WidthRow {
  std::string tensor;
  std::string width;
  std::string decided_by;
};

void check_widths(const std::string& file, const std::vector<WidthRow>& rows) {
  if (!is_there(file)) return;
  const ImportedModel model = load_onnx(kFiles + file);
  CHECK(model.report.widths.size() == rows.size());
  for (const WidthRow& row : rows) {
    CAPTURE(row.tensor);
    const DecidedWidth& width = width_of(model, row.tensor);
    CHECK(text_of(width) == row.width);
    CHECK(width.decided_by == row.decided_by);
  }
}

TEST_CASE("Widths of the integerized MATCH file and who stated them", "[frontends][onnx]") {
  std::vector<WidthRow> rows{{"match_input_0", "uint 8", "match_input_0"}};
  const std::array layers{"inputlayer", "depthwise1", "pointwise1", "depthwise2", "pointwise2",
                          "depthwise3", "pointwise3", "depthwise4", "pointwise4"};
  for (const std::string layer : layers) {
    rows.push_back({"/" + layer + "/Conv.weight", "uint 8", layer + ".weight"});
    rows.push_back({"/" + layer + "/Conv", "uint 8", "/" + layer + "/Clip"});
  }
  rows.push_back({"/maxpool/AveragePool", "uint 8", "/pointwise4/Clip"});
  rows.push_back({"/out/MatMul.weight", "uint 8", "onnx::MatMul_114"});
  rows.push_back({"/out/MatMul", "int 32", "105"});
  check_widths("integerized/match_keyword_spotting.onnx", rows);
}

TEST_CASE("Widths of the integerized Quantlab file and who stated them", "[frontends][onnx]") {
  std::vector<WidthRow> rows{{"input.1", "float 32 assumed", "input.1"}};
  for (int at = 0; at < 40; at += 8) {
    const std::string conv = fmt::format("Conv_{}", at);
    const std::string clip = fmt::format("Clip_{}", at + 6);
    rows.push_back({conv + ".weight", "int 2", conv});
    rows.push_back({conv, "uint 2", clip});
    rows.push_back({fmt::format("MaxPool_{}", at + 7), "uint 2", clip});
  }
  check_widths("integerized/dory_quantlab_dvs_cnn.onnx", rows);
}

// NEMO states no width of weights: they are whole numbers stored as floats.
TEST_CASE("Widths of the integerized NEMO file and who stated them", "[frontends][onnx]") {
  std::vector<WidthRow> rows{{"input.1", "float 32 assumed", "input.1"}};
  const std::array layers{std::pair{80, 89},   std::pair{92, 101},  std::pair{103, 112},
                          std::pair{115, 124}, std::pair{126, 135}, std::pair{138, 147},
                          std::pair{149, 158}, std::pair{161, 170}, std::pair{172, 181}};
  for (const auto& [conv, clip] : layers) {
    const std::string name = fmt::format("Conv_{}", conv);
    rows.push_back({name + ".weight", "float 32 assumed", name + ".weight"});
    rows.push_back({name, "uint 8", fmt::format("Clip_{}", clip)});
  }
  for (const std::string last :
       {"AveragePool_183", "Gemm_192.weight", "Gemm_192", "LogSoftmax_193"}) {
    rows.push_back({last, "float 32 assumed", last});
  }
  check_widths("integerized/dory_nemo_dscnn_8b.onnx", rows);
}

// -- twins of the model zoo

/// A layer without its name: operator, shapes, activation, and where its inputs come from.
/// `folded`: a bias may be the batch normalization that an exporter has folded into the weights.
std::string twin_text(const LayerGraph& graph, const Layer& layer, bool folded) {
  std::vector<std::string> inputs;
  for (const dataflow::TensorId id : layer.inputs) {
    const dataflow::Tensor& tensor = graph.tensor(id);
    inputs.push_back(fmt::format(
        "{} of {}", dataflow::to_text(tensor.shape),
        tensor.producer ? fmt::format("layer {}", *tensor.producer) : std::string("the input")));
  }
  // The order of summands means nothing.
  if (std::holds_alternative<dataflow::Elementwise>(layer.op)) {
    std::sort(inputs.begin(), inputs.end());
  }
  std::string text = std::string(dataflow::operator_name(layer.op));
  for (const std::string& input : inputs) text += ", " + input;
  text += fmt::format(" -> {}, {} products, activation {}",
                      dataflow::to_text(graph.tensor(layer.output).shape), layer.macs.count(),
                      static_cast<int>(layer.activation));
  const auto window = [&text](const dataflow::Window& w) {
    text += fmt::format(", kernel {}x{}, stride {}x{}, dilation {}x{}, pads {} {} {} {}",
                        w.kernel_height, w.kernel_width, w.stride_height, w.stride_width,
                        w.dilation_height, w.dilation_width, w.pad_top, w.pad_left, w.pad_bottom,
                        w.pad_right);
  };
  const auto affine = [&text, folded](bool bias, bool batch_norm) {
    text += folded ? fmt::format(", shift {}", bias || batch_norm)
                   : fmt::format(", bias {}, batch norm {}", bias, batch_norm);
  };
  if (const auto* conv = std::get_if<dataflow::Conv2d>(&layer.op)) {
    window(conv->window);
    text += fmt::format(", groups {}", conv->groups);
    affine(conv->bias, conv->batch_norm);
  } else if (const auto* dense = std::get_if<dataflow::Dense>(&layer.op)) {
    affine(dense->bias, dense->batch_norm);
  } else if (const auto* pool = std::get_if<dataflow::Pool>(&layer.op)) {
    window(pool->window);
    text += fmt::format(", kind {}", static_cast<int>(pool->kind));
  }
  return text;
}

void check_twins(const std::string& file, const std::string& zoo, bool folded,
                 const std::vector<std::string>& operators_behind = {}) {
  if (!is_there(file)) return;
  const LayerGraph onnx = load_onnx(kFiles + file).graph;
  const LayerGraph yaml = dataflow::load_model(kZoo + zoo);
  REQUIRE(onnx.layers().size() == yaml.layers().size() + operators_behind.size());
  CHECK(onnx.batch() == yaml.batch());
  for (std::size_t at = 0; at < yaml.layers().size(); ++at) {
    CHECK(twin_text(onnx, onnx.layers()[at], folded) == twin_text(yaml, yaml.layers()[at], folded));
  }
  for (std::size_t at = 0; at < operators_behind.size(); ++at) {
    CHECK(dataflow::operator_name(onnx.layers()[yaml.layers().size() + at].op) ==
          operators_behind[at]);
  }
}

// The exporter of these two folded each batch normalization into a convolution's weights and bias.
TEST_CASE("The public ResNet-18 is the network of the zoo", "[frontends][onnx]") {
  check_twins("structure/zigzag_resnet18.onnx", "resnet18.yaml", true);
}

TEST_CASE("The public MobileNetV2 is the network of the zoo", "[frontends][onnx]") {
  check_twins("structure/zigzag_mobilenetv2.onnx", "mobilenetv2.yaml", true);
}

// This one has batch normalizations, and a softmax at the end that the zoo leaves out.
TEST_CASE("The public ResNet-50 is the network of the zoo", "[frontends][onnx]") {
  check_twins("structure/light_resnet50.onnx", "resnet50.yaml", false, {"softmax"});
}

}  // namespace
}  // namespace vernier::frontends
