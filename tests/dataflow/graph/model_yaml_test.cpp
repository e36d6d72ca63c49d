#include "dataflow/graph/model_yaml.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace vernier::dataflow {
namespace {

using Catch::Contains;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";

LayerGraph model(const std::string& text) { return read_model(parse_yaml(text, "m.yaml")); }

// A model of one input of 8 x 16 x 16 and the given lines of layers.
LayerGraph with_layers(const std::string& layers, const std::string& blocks = {}) {
  return model("name: net\ninput: {name: x, shape: [8, 16, 16]}\n" + blocks + "layers:\n" + layers);
}

std::vector<std::string> names_of(const LayerGraph& graph) {
  std::vector<std::string> names;
  for (const Layer& layer : graph.layers()) names.push_back(layer.name);
  return names;
}

Shape shape_of(const LayerGraph& graph, const std::string& name) {
  return graph.tensor(graph.find_tensor(name).value()).shape;
}

std::vector<std::string> inputs_of(const LayerGraph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const TensorId id : graph.layers()[graph.find_layer(name).value()].inputs) {
    names.push_back(graph.tensor(id).name);
  }
  return names;
}

TEST_CASE("The shipped networks have the totals of their papers", "[dataflow][model]") {
  struct Row {
    const char* file;
    std::int64_t macs;
    std::int64_t weights;
    std::int64_t parameters;
    std::int64_t largest_activation;
    std::int64_t largest_in_plus_out;
    std::int64_t layers;
  };
  for (const Row& row : {Row{"resnet18", 1814073344, 11678912, 11689512, 802816, 953344, 21},
                         Row{"resnet20", 40551040, 268336, 269722, 16384, 32768, 20},
                         Row{"mobilenetv2", 300774272, 3469760, 3504872, 1204224, 1505280, 53}}) {
    CAPTURE(row.file);
    const NetworkTotals totals =
        load_model(kRoot + "configs/models/" + row.file + ".yaml").totals();
    CHECK(totals.macs == Macs(row.macs));
    CHECK(totals.weights == row.weights);
    CHECK(totals.parameters == row.parameters);
    CHECK(totals.largest_activation == row.largest_activation);
    CHECK(totals.largest_in_plus_out == row.largest_in_plus_out);
    CHECK(totals.mac_layers == row.layers);
  }
}

// c_in, h_in, w_in, c_out, h_out, w_out, kernel, stride, groups, macs, weights
using TableRow = std::vector<std::int64_t>;

std::vector<TableRow> rows_of_file(std::istream& stream, const std::string& name) {
  std::vector<TableRow> rows;
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind(name + ",", 0) != 0) continue;
    std::istringstream fields(line.substr(name.size() + 1));
    std::string field;
    std::getline(fields, field, ',');  // index
    std::getline(fields, field, ',');  // layer
    TableRow row;
    while (row.size() < 11 && std::getline(fields, field, ',')) row.push_back(std::stoll(field));
    rows.push_back(row);
  }
  return rows;
}

std::vector<TableRow> rows_of_model(const LayerGraph& graph) {
  std::vector<TableRow> rows;
  for (const Layer& layer : graph.layers()) {
    if (!is_mac(layer.op)) continue;
    const Shape in = graph.input_shapes(layer).front();
    const Shape out = graph.tensor(layer.output).shape;
    const auto* conv = std::get_if<Conv2d>(&layer.op);
    const Window window = conv != nullptr ? conv->window : Window{};
    rows.push_back({in.channels, in.height, in.width, out.channels, out.height, out.width,
                    window.kernel_height, window.stride_height, conv != nullptr ? conv->groups : 1,
                    layer.macs.count(), graph.tensor(*layer.weight).elements()});
  }
  return rows;
}

TEST_CASE("Every layer of the shipped networks has the sizes of the reference table",
          "[dataflow][model]") {
  const std::string path = kRoot + "../shared/reference/layer_tables.csv";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: there is no reference table beside the sources");
    return;
  }
  for (const auto& [file, name] :
       {std::pair("resnet18", "ResNet-18"), std::pair("resnet20", "ResNet-20 CIFAR opt A"),
        std::pair("mobilenetv2", "MobileNetV2 1.0-224")}) {
    CAPTURE(file);
    std::ifstream stream(path);
    const std::vector<TableRow> expected = rows_of_file(stream, name);
    const std::vector<TableRow> found =
        rows_of_model(load_model(kRoot + "configs/models/" + file + ".yaml"));
    REQUIRE(found.size() == expected.size());
    REQUIRE(expected.size() >= 20);
    for (std::size_t at = 0; at < expected.size(); ++at) {
      CAPTURE(at);
      CHECK(found[at] == expected[at]);
    }
  }
}

TEST_CASE("A layer reads the one before it unless it says otherwise", "[dataflow][model]") {
  const LayerGraph graph = with_layers(
      "  - {name: a, op: conv2d, out_channels: 4, kernel: 1}\n"
      "  - {name: b, op: conv2d, out_channels: 4, kernel: 1}\n"
      "  - {name: c, op: conv2d, out_channels: 4, kernel: 1, from: x}\n"
      "  - {name: sum, op: add, from: [c, b]}\n");
  CHECK(inputs_of(graph, "a") == std::vector<std::string>{"x"});
  CHECK(inputs_of(graph, "b") == std::vector<std::string>{"a"});
  CHECK(inputs_of(graph, "c") == std::vector<std::string>{"x"});
  CHECK(inputs_of(graph, "sum") == std::vector<std::string>{"c", "b"});
}

TEST_CASE("Shapes of inputs are channels, tokens by features or a map", "[dataflow][model]") {
  const LayerGraph graph = model(
      "name: n\ninputs: [{name: p, shape: [5]}, {name: q, shape: [7, 5]},\n"
      "  {name: r, shape: [2, 3, 4]}]\nlayers: [{name: f, op: flatten, from: r}]\n");
  CHECK(shape_of(graph, "p") == Shape{5, 1, 1});
  CHECK(shape_of(graph, "q") == Shape{5, 7, 1});
  CHECK(shape_of(graph, "r") == Shape{2, 3, 4});
  CHECK(shape_of(graph, "f") == Shape{24, 1, 1});
}

TEST_CASE("Windows take one number, two axes or four sides", "[dataflow][model]") {
  const LayerGraph graph = with_layers(
      "  - {name: a, op: conv2d, out_channels: 4, kernel: [3, 5], stride: [2, 1],\n"
      "     padding: [1, 0, 0, 4], dilation: [1, 2]}\n");
  const Window window = std::get<Conv2d>(graph.layers()[0].op).window;
  CHECK(window.kernel_height == 3);
  CHECK(window.kernel_width == 5);
  CHECK(window.stride_height == 2);
  CHECK(window.dilation_width == 2);
  CHECK(window.pad_top == 1);
  CHECK(window.pad_left == 0);
  CHECK(window.pad_bottom == 0);
  CHECK(window.pad_right == 4);
  // rows floor((16 + 1 - 3) / 2) + 1 = 8, columns (16 + 4 - 9) / 1 + 1 = 12
  CHECK(shape_of(graph, "a") == Shape{4, 8, 12});
}

TEST_CASE("A pool steps by its own window and may take the whole map", "[dataflow][model]") {
  const LayerGraph graph = with_layers(
      "  - {name: a, op: pool, kind: max, kernel: 3}\n"
      "  - {name: b, op: pool, kind: max, kernel: 3, stride: 1, from: x}\n"
      "  - {name: c, op: pool, kind: average, kernel: global, from: x}\n");
  CHECK(shape_of(graph, "a") == Shape{8, 5, 5});  // floor(13 / 3) + 1
  CHECK(shape_of(graph, "b") == Shape{8, 14, 14});
  CHECK(shape_of(graph, "c") == Shape{8, 1, 1});
}

TEST_CASE("A depthwise convolution takes its channels from its input", "[dataflow][model]") {
  const LayerGraph graph =
      with_layers("  - {name: a, op: conv2d, groups: depthwise, kernel: 3, padding: 1}\n");
  CHECK(shape_of(graph, "a") == Shape{8, 16, 16});
  CHECK(graph.layers()[0].macs == Macs(18432));  // 8 * 256 * 9
  CHECK_THROWS_WITH(
      with_layers("  - {name: a, op: conv2d, groups: depthwise, kernel: 3, from: later}\n"
                  "  - {name: later, op: conv2d, out_channels: 8, kernel: 1, from: x}\n"),
      Contains("m.yaml:4: layers[0].groups: needs the shape of 'later'"));
}

const std::string kBlocks =
    "blocks:\n"
    "  pair:\n"
    "    - {name: one, op: conv2d, out_channels: $channels, kernel: 1}\n"
    "    - {name: two, op: conv2d, out_channels: $channels, kernel: 1}\n"
    "    - {name: sum, op: add, from: [one, two]}\n";

TEST_CASE("A block writes its layers with its name before theirs", "[dataflow][model]") {
  const LayerGraph graph = with_layers(
      "  - {name: p, block: pair, channels: 4}\n"
      "  - {name: last, op: conv2d, out_channels: 2, kernel: 1}\n"
      "  - {name: again, op: conv2d, out_channels: 2, kernel: 1, from: p}\n"
      "  - {name: inner, op: conv2d, out_channels: 2, kernel: 1, from: p.one}\n",
      kBlocks);
  CHECK(names_of(graph) ==
        std::vector<std::string>{"p.one", "p.two", "p.sum", "last", "again", "inner"});
  CHECK(inputs_of(graph, "p.one") == std::vector<std::string>{"x"});
  CHECK(inputs_of(graph, "p.sum") == std::vector<std::string>{"p.one", "p.two"});
  CHECK(inputs_of(graph, "last") == std::vector<std::string>{"p.sum"});
  CHECK(inputs_of(graph, "again") == std::vector<std::string>{"p.sum"});
  CHECK(inputs_of(graph, "inner") == std::vector<std::string>{"p.one"});
}

TEST_CASE("A block repeats by number or by names, each use on the one before",
          "[dataflow][model]") {
  const LayerGraph repeated =
      with_layers("  - {name: p, block: pair, repeat: 2, channels: 4}\n", kBlocks);
  CHECK(names_of(repeated) ==
        std::vector<std::string>{"p.0.one", "p.0.two", "p.0.sum", "p.1.one", "p.1.two", "p.1.sum"});
  CHECK(inputs_of(repeated, "p.1.one") == std::vector<std::string>{"p.0.sum"});
  const LayerGraph named = with_layers("  - {names: [a, b], block: pair, channels: 4}\n", kBlocks);
  CHECK(inputs_of(named, "b.one") == std::vector<std::string>{"a.sum"});
  CHECK_THROWS_WITH(
      with_layers("  - {names: [a, b], block: pair, repeat: 2, channels: 4}\n", kBlocks),
      Contains("'repeat' does not go with 'names'"));
}

TEST_CASE("Inside a block, in is its input and its own names come first", "[dataflow][model]") {
  const LayerGraph graph = with_layers(
      "  - {name: one, op: conv2d, out_channels: 8, kernel: 1}\n"
      "  - {name: b, block: local}\n",
      "blocks:\n"
      "  local:\n"
      "    - {name: one, op: conv2d, out_channels: 8, kernel: 1, from: x}\n"
      "    - {name: sum, op: add, from: [one, in]}\n");
  CHECK(inputs_of(graph, "b.one") == std::vector<std::string>{"x"});
  CHECK(inputs_of(graph, "b.sum") == std::vector<std::string>{"b.one", "one"});
}

TEST_CASE("Blocks stand in blocks and see their inner layers by path", "[dataflow][model]") {
  const LayerGraph graph =
      with_layers("  - {name: o, block: outer}\n",
                  "blocks:\n"
                  "  inner: [{name: c, op: conv2d, out_channels: 8, kernel: 1}]\n"
                  "  outer:\n"
                  "    - {names: [p, q], block: inner}\n"
                  "    - {name: sum, op: add, from: [q, p.c]}\n");
  CHECK(names_of(graph) == std::vector<std::string>{"o.p.c", "o.q.c", "o.sum"});
  CHECK(inputs_of(graph, "o.sum") == std::vector<std::string>{"o.q.c", "o.p.c"});
}

TEST_CASE("A block's parameters must be given, be used, and be spelt right", "[dataflow][model]") {
  CHECK_THROWS_WITH(with_layers("  - {name: p, block: pair, chanels: 4}\n", kBlocks),
                    Contains("m.yaml:9: layers[0].chanels: the block 'pair' has no $chanels") &&
                        Contains("m.yaml:5: layers[0] (block pair)[0]: '$channels' has no value") &&
                        Contains("did you mean 'chanels'?"));
  CHECK_THROWS_WITH(with_layers("  - {name: p, block: pairs, channels: 4}\n", kBlocks),
                    Contains("unknown block 'pairs'; did you mean 'pair'?"));
}

TEST_CASE("A block that uses itself is refused at once", "[dataflow][model]") {
  CHECK_THROWS_WITH(with_layers("  - {name: p, block: b, repeat: 1000}\n",
                                "blocks:\n  b: [{name: q, block: b, repeat: 1000}]\n"),
                    Contains("m.yaml:4: ") && Contains("more than 8 levels deep"));
}

TEST_CASE("Names that a reader could mix up are refused", "[dataflow][model]") {
  CHECK_THROWS_WITH(with_layers("  - {name: p, block: pair, channels: 4}\n"
                                "  - {name: p, op: conv2d, out_channels: 4, kernel: 1}\n",
                                kBlocks),
                    Contains("a block has the name 'p' too"));
  CHECK_THROWS_WITH(with_layers("  - {name: p, op: conv2d, out_channels: 4, kernel: 1}\n"
                                "  - {name: p, block: pair, channels: 4}\n",
                                kBlocks),
                    Contains("a layer has the name 'p' too"));
  CHECK_THROWS_WITH(with_layers("  - {name: " + std::string(257, 'n') + ", op: flatten}\n"),
                    Contains("has 257 letters; at most 256"));
  CHECK_NOTHROW(with_layers("  - {name: " + std::string(256, 'n') + ", op: flatten}\n"));
}

TEST_CASE("Problems of the form are collected over the whole file", "[dataflow][model]") {
  CHECK_THROWS_WITH(
      with_layers("  - {name: a, op: conv2d, out_channels: 0, kernel: 3, stirde: 2}\n"
                  "  - {name: b, op: conv3d, out_channels: 4}\n"
                  "  - {name: c, op: pool, kind: min, kernel: 2}\n"
                  "  - {name: d, op: conv2d, out_channels: 4, kernel: [3]}\n"
                  "  - {name: e, op: conv2d, out_channels: 4, kernel: 3, padding: [1, 2, 3]}\n"
                  "  - {op: flatten}\n"
                  "  - {name: g, op: add, from: []}\n"
                  "  - nonsense\n"),
      Contains("m.yaml:4: layers[0].out_channels: found 0; allowed is 1 to 16777216") &&
          Contains("m.yaml:4: layers[0].stirde: unknown key; did you mean 'stride'?") &&
          Contains("m.yaml:5: layers[1].op: found 'conv3d'") &&
          Contains("did you mean 'conv2d'?") &&
          Contains("m.yaml:6: layers[2].kind: found 'min'; allowed are max, average") &&
          Contains("m.yaml:7: layers[3].kernel: one number or [height, width]") &&
          Contains("m.yaml:8: layers[4].padding: one number, [height, width] or [top, left,") &&
          Contains("m.yaml:9: layers[5].name: the key is missing") &&
          Contains("m.yaml:10: layers[6].from: a name or a list of names") &&
          Contains("m.yaml:11: layers[7]: found 'nonsense'"));
}

TEST_CASE("A wrong operator causes no further complaints about its layer", "[dataflow][model]") {
  CHECK_THROWS_WITH(with_layers("  - {name: b, op: conv3d, depth: 4}\n"), !Contains("depth"));
}

TEST_CASE("A network has one way of naming its inputs", "[dataflow][model]") {
  CHECK_THROWS_WITH(model("name: n\ninput: {name: x, shape: [8]}\ninputs: [{name: y, shape: [8]}]\n"
                          "layers: [{name: a, op: flatten}]\n"),
                    Contains("'input' and 'inputs' exclude each other"));
  CHECK_THROWS_WITH(model("name: n\nlayers: [{name: a, op: flatten}]\n"),
                    Contains("the network needs an input"));
  CHECK_THROWS_WITH(model("name: n\ninput: {name: x, shape: [1, 2, 3, 4]}\nlayers: []\n"),
                    Contains("found 4 sizes; 1 to 3 are needed"));
}

TEST_CASE("An input of more than 2^40 elements is refused where it stands", "[dataflow][model]") {
  const auto of_tokens = [](const std::string& tokens) {
    return model("name: n\ninput: {name: x, shape: [" + tokens +
                 ", 65536]}\nlayers: [{name: a, op: dense, out_features: 1}]\n");
  };
  CHECK_NOTHROW(of_tokens("16777216"));  // 2^24 * 2^16
  CHECK_THROWS_WITH(model("name: n\ninput: {name: x, shape: [16777216, 16777216, 16777216]}\n"
                          "layers: [{name: a, op: flatten}]\n"),
                    Contains("m.yaml:2: input.shape: 16777216x16777216x16777216 has more than"));
}

TEST_CASE("A file that unfolds to millions of layers ends at the limit", "[dataflow][model]") {
  // 20 layers, 100 times, 1000 times: two million.
  std::string twenty;
  for (int at = 0; at < 20; ++at) twenty += "{name: l" + std::to_string(at) + ", op: flatten}, ";
  CHECK_THROWS_WITH(
      with_layers("  - {name: c, block: b1, repeat: 1000}\n",
                  "blocks:\n  b0: [" + twenty + "]\n  b1: [{name: q, block: b0, repeat: 100}]\n"),
      Contains("m.yaml:5: ") && Contains("more than 100000 layers"));
}

TEST_CASE("Empty blocks by the million end at the limit of uses", "[dataflow][model]") {
  CHECK_THROWS_WITH(with_layers("  - {name: c, block: b2, repeat: 1000}\n",
                                "blocks:\n  b0: []\n"
                                "  b1: [{name: q, block: b0, repeat: 1000}]\n"
                                "  b2: [{name: q, block: b1, repeat: 1000}]\n"),
                    Contains("more than 100000 uses of blocks"));
}

TEST_CASE("Parameters that multiply in nested blocks end at the limit of values",
          "[dataflow][model]") {
  std::string blocks = "blocks:\n  b0: [{name: l, op: dense, out_features: $a}]\n";
  std::string twenty;
  for (int at = 0; at < 20; ++at) twenty += "$a, ";
  for (int level = 1; level < 8; ++level) {
    blocks += "  b" + std::to_string(level) + ": [{name: q, block: b" + std::to_string(level - 1) +
              ", a: [" + twenty + "]}]\n";
  }
  CHECK_THROWS_WITH(with_layers("  - {name: c, block: b7, a: lol}\n", blocks),
                    Contains("unfold to more than 2000000 values"));
}

TEST_CASE("A block reads what its use says and otherwise the layer before it",
          "[dataflow][model]") {
  const LayerGraph graph = with_layers(
      "  - {name: a, op: conv2d, out_channels: 4, kernel: 1}\n"
      "  - {name: b, op: conv2d, out_channels: 2, kernel: 1}\n"
      "  - {name: after, block: one}\n"
      "  - {name: chosen, block: one, from: a}\n",
      "blocks:\n  one:\n    - {name: conv, op: conv2d, out_channels: 3, kernel: 1, from: in}\n");
  CHECK(inputs_of(graph, "after.conv") == std::vector<std::string>{"b"});
  CHECK(inputs_of(graph, "chosen.conv") == std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace vernier::dataflow
