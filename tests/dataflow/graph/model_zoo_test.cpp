// The networks of configs/models against totals and layer tables that were computed from the
// architectures, apart from this code.
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"

namespace vernier::dataflow {
namespace {

namespace fs = std::filesystem;

const std::string kConfigs = std::string(VERNIER_SOURCE_DIR) + "/configs/";

// Largest sizes are of one layer; a product of h heads counts as h layers there and as one here.
// Among these networks no product is the largest in either count.
struct ZooEntry {
  std::string name;       // file in configs/models
  std::string table;      // name in layer_tables.csv
  std::int64_t rows = 0;  // there
  std::int64_t mac_layers = 0;
  std::int64_t macs = 0;
  std::int64_t weights = 0;
  std::int64_t parameters = 0;
  std::int64_t largest_activation = 0;
  std::int64_t largest_in_plus_out = 0;
};

const std::vector<ZooEntry>& zoo() {
  static const std::vector<ZooEntry> entries{
      {"resnet18", "ResNet-18", 21, 21, 1814073344, 11678912, 11689512, 802816, 953344},
      {"resnet50", "ResNet-50 (v1.5, stride in 3x3)", 54, 54, 4089184256, 25502912, 25557032,
       802816, 1204224},
      {"resnet50_v1", "ResNet-50 v1 (stride in 1x1)", 54, 54, 3857973248, 25502912, 25557032,
       802816, 1204224},
      {"resnet20", "ResNet-20 CIFAR opt A", 20, 20, 40551040, 268336, 269722, 16384, 32768},
      {"resnet20_option_b", "ResNet-20 CIFAR opt B", 22, 22, 40813184, 270896, 272474, 16384,
       32768},
      {"mobilenetv1", "MobileNetV1 1.0-224", 28, 28, 568740352, 4209088, 4231976, 802816, 1204224},
      {"mobilenetv2", "MobileNetV2 1.0-224", 53, 53, 300774272, 3469760, 3504872, 1204224, 1505280},
      {"efficientnet_lite0", "EfficientNet-Lite0 224", 50, 50, 385187552, 4608992, 4652008, 1204224,
       1505280},
      {"alexnet_grouped", "AlexNet grouped 227 (Caffe/Eyeriss)", 8, 8, 724406816, 60954656,
       60965224, 290400, 444987},
      {"alexnet_torchvision", "AlexNet torchvision", 8, 8, 714188480, 61090496, 61100840, 193600,
       344128},
      {"vgg16", "VGG-16", 16, 16, 15470264320, 138344128, 138357544, 3211264, 6422528},
      {"mobilenetv3_small", "MobileNetV3-small 1.0", 54, 54, 56510400, 2525832, 2542856, 225792,
       351232},
      {"bert_base_layer", "BERT-base encoder layer S=128", 30, 8, 931135488, 7077888, 7087872,
       393216, 491520},
      {"vit_tiny", "ViT-Ti/16 224", 146, 98, 1253683200, 5647872, 5717416, 151296, 189120},
  };
  return entries;
}

LayerGraph load(const ZooEntry& entry) {
  return load_model(kConfigs + "models/" + entry.name + ".yaml");
}

// c_in, h_in, w_in, c_out, h_out, w_out, k, stride, groups, macs, weights, bias, in_elems,
// out_elems, as in layer_tables.csv.
using Row = std::array<std::int64_t, 14>;

Row row_of_layer(const LayerGraph& graph, const Layer& layer) {
  const Shape& in = graph.tensor(layer.inputs[0]).shape;
  const Shape& out = graph.tensor(layer.output).shape;
  const std::int64_t weights = weight_shape(layer.op, in).elements();
  Window window;
  std::int64_t groups = 1;
  bool bias = false;
  if (const auto* conv = std::get_if<Conv2d>(&layer.op)) {
    window = conv->window;
    groups = conv->groups;
    bias = conv->bias;
  } else {
    bias = std::get<Dense>(layer.op).bias;
  }
  CHECK(window.kernel_height == window.kernel_width);
  CHECK(window.stride_height == window.stride_width);
  return {in.channels,
          in.height,
          in.width,
          out.channels,
          out.height,
          out.width,
          window.kernel_height,
          window.stride_height,
          groups,
          layer.macs.count(),
          weights,
          bias ? out.channels : 0,
          in.elements(),
          out.elements()};
}

Row row_of_head(const LayerGraph& graph, const Layer& layer, std::int64_t heads) {
  const Shape& left = graph.tensor(layer.inputs[0]).shape;
  const Shape& right = graph.tensor(layer.inputs[1]).shape;
  const Shape& out = graph.tensor(layer.output).shape;
  return {left.channels / heads,
          left.height,
          left.width,
          out.channels / heads,
          out.height,
          out.width,
          1,
          1,
          1,
          layer.macs.count() / heads,
          0,
          0,
          (left.elements() + right.elements()) / heads,
          out.elements() / heads};
}

struct NamedRow {
  std::string name;
  Row row{};
};

std::vector<NamedRow> rows_of(const LayerGraph& graph) {
  std::vector<NamedRow> rows;
  for (const Layer& layer : graph.layers()) {
    if (!is_mac(layer.op)) continue;
    if (const auto* matmul = std::get_if<MatMul>(&layer.op)) {
      for (std::int64_t head = 0; head < matmul->heads; ++head) {
        rows.push_back({layer.name, row_of_head(graph, layer, matmul->heads)});
      }
    } else {
      rows.push_back({layer.name, row_of_layer(graph, layer)});
    }
  }
  return rows;
}

// The folder with the reference material; it is not part of the project.
fs::path layer_tables() {
  const char* folder = std::getenv("VERNIER_SHARED");
  const fs::path shared =
      folder != nullptr ? fs::path(folder) : fs::path(VERNIER_SOURCE_DIR) / ".." / "shared";
  return shared / "reference" / "layer_tables.csv";
}

// Rows by model. Only the first column may be quoted or hold commas: the others count from the end.
std::map<std::string, std::vector<NamedRow>> read_tables(const fs::path& path) {
  std::ifstream stream(path);
  REQUIRE(stream);
  std::string line;
  std::getline(stream, line);
  REQUIRE(line ==
          "model,idx,layer,c_in,h_in,w_in,c_out,h_out,w_out,k,stride,groups,macs,weights,bias,"
          "in_elems,out_elems");
  std::map<std::string, std::vector<NamedRow>> tables;
  while (std::getline(stream, line)) {
    INFO(line);
    NamedRow row;
    const auto last_column = [&line] {
      const std::size_t comma = line.rfind(',');
      REQUIRE(comma != std::string::npos);
      std::string text = line.substr(comma + 1);
      line.resize(comma);
      return text;
    };
    for (std::size_t at = row.row.size(); at-- > 0;) row.row.at(at) = std::stoll(last_column());
    row.name = last_column();
    last_column();  // index
    if (line.front() == '"') line = line.substr(1, line.size() - 2);
    tables[line].push_back(row);
  }
  return tables;
}

TEST_CASE("Every network of the zoo has the totals of its architecture", "[graph][zoo]") {
  for (const ZooEntry& entry : zoo()) {
    INFO(entry.name);
    const LayerGraph graph = load(entry);
    CHECK(graph.name() == entry.name);
    CHECK(graph.batch() == 1);
    const NetworkTotals totals = graph.totals();
    CHECK(totals.mac_layers == entry.mac_layers);
    CHECK(totals.macs.count() == entry.macs);
    CHECK(totals.weights == entry.weights);
    CHECK(totals.parameters == entry.parameters);
    CHECK(totals.largest_activation == entry.largest_activation);
    CHECK(totals.largest_in_plus_out == entry.largest_in_plus_out);
  }
}

TEST_CASE("The zoo test knows every model file", "[graph][zoo]") {
  std::size_t files = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(kConfigs + "models")) {
    INFO(file.path().string());
    ++files;
    bool known = false;
    for (const ZooEntry& entry : zoo()) known = known || file.path().stem() == entry.name;
    CHECK(known);
  }
  CHECK(files == zoo().size());
}

TEST_CASE("Formulas of the transformers give their MACs", "[graph][zoo]") {
  const auto encoder = [](std::int64_t tokens, std::int64_t features) {
    return 12 * tokens * features * features + 2 * tokens * tokens * features;
  };
  CHECK(load_model(kConfigs + "models/bert_base_layer.yaml").totals().macs.count() ==
        encoder(128, 768));
  CHECK(load_model(kConfigs + "models/vit_tiny.yaml").totals().macs.count() ==
        std::int64_t{196} * 768 * 192 + 12 * encoder(197, 192) + 192'000);
}

TEST_CASE("Every layer of the zoo equals its row of the reference tables", "[graph][zoo]") {
  const fs::path path = layer_tables();
  if (!fs::exists(path)) {
    WARN(fmt::format("not compared, there is no {} (VERNIER_SHARED names another folder)",
                     path.lexically_normal().string()));
    return;
  }
  const auto tables = read_tables(path);
  CHECK(tables.size() == zoo().size());
  std::size_t compared = 0;
  for (const ZooEntry& entry : zoo()) {
    INFO(entry.name);
    const auto table = tables.find(entry.table);
    REQUIRE(table != tables.end());
    const std::vector<NamedRow> rows = rows_of(load(entry));
    CHECK(static_cast<std::int64_t>(rows.size()) == entry.rows);
    REQUIRE(rows.size() == table->second.size());
    for (std::size_t at = 0; at < rows.size(); ++at, ++compared) {
      const NamedRow& expected = table->second[at];
      INFO(fmt::format("layer {} [{}], row {} [{}]", rows[at].name, fmt::join(rows[at].row, ","),
                       expected.name, fmt::join(expected.row, ",")));
      CHECK(rows[at].row == expected.row);
    }
  }
  CHECK(compared == 564);
}

TEST_CASE("Every network of the zoo runs on the shipped machines", "[evaluate][zoo]") {
  struct Setting {
    std::string machine;
    int weight_bits;
    int activation_bits;
  };
  for (const Setting& setting :
       {Setting{"edge_64x64_ws", 8, 8}, Setting{"bitfusion_16x32", 4, 8}}) {
    INFO(setting.machine);
    const Machine machine = load_machine(kConfigs + "accelerators/" + setting.machine + ".yaml");
    const Evaluator evaluator(machine);
    const PrecisionMap bits =
        PrecisionMap::uniform(Bitwidth(setting.weight_bits), Bitwidth(setting.activation_bits));
    for (const ZooEntry& entry : zoo()) {
      INFO(entry.name);
      const LayerGraph graph = load(entry);
      const Result<NetworkCost> cost =
          evaluator.evaluate(graph, resolve_precision(graph, bits).tensors);
      REQUIRE(cost.has_value());
      CHECK(cost.value().total.macs.count() == entry.macs);
      // Every weight is read from DRAM at least once.
      CHECK(cost.value().total.dram.weight_read.count() >= entry.weights * setting.weight_bits);
    }
  }
}

}  // namespace
}  // namespace vernier::dataflow
