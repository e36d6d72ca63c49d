#include "frontends/topology/topology_model.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace vernier::frontends::topology {
namespace {

using Catch::Contains;
using dataflow::Conv2d;
using dataflow::ImportedModel;
using dataflow::Layer;
using dataflow::LayerGraph;

const std::string kConvolutions =
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,\n";
const std::string kProducts = "Layer, M, N, K,\n";

ImportedModel model(const std::string& text) { return read_topology_model(text, "t.csv", "net"); }

std::vector<std::string> inputs_of(const LayerGraph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (const dataflow::TensorId id : graph.layers()[graph.find_layer(name).value()].inputs) {
    names.push_back(graph.tensor(id).name);
  }
  return names;
}

std::string shape_of(const LayerGraph& graph, const std::string& name) {
  return to_text(graph.tensor(graph.find_tensor(name).value()).shape);
}

TEST_CASE("Rows whose sizes fit are chained and the others have an input of their own",
          "[frontends][topology]") {
  // conv1: (14 - 3) / 1 + 1 = 12; conv2 reads 24 x 12 x 12; conv3 wants 8 x 28 x 28.
  const ImportedModel net = model(kConvolutions +
                                  "conv1,14,14,3,3,8,24,1,\nconv2,12,12,3,3,24,16,2,\n"
                                  "conv3,28,28,1,1,8,4,1,\n");
  CHECK(net.graph.name() == "net");
  CHECK(net.report.format == "SCALE-Sim topology, convolutions (the header has 8 columns)");
  CHECK(inputs_of(net.graph, "conv1") == std::vector<std::string>{"input"});
  CHECK(inputs_of(net.graph, "conv2") == std::vector<std::string>{"conv1"});
  CHECK(inputs_of(net.graph, "conv3") == std::vector<std::string>{"conv3.input"});
  CHECK(shape_of(net.graph, "conv2") == "16x5x5");  // floor((12 - 3) / 2) + 1
  REQUIRE(net.report.defaults.size() == 1);
  CHECK(net.report.defaults[0].where == "line 4, layer 'conv3'");
  CHECK(net.report.defaults[0].what ==
        "starts with a network input of its own, 8x28x28; the row before gives 16x5x5");
  CHECK(net.report.widths.empty());
}

TEST_CASE("A row that takes all elements of the row before as one vector reads a view of it",
          "[frontends][topology]") {
  const ImportedModel net =
      model(kConvolutions + "conv,6,6,3,3,8,16,1,\nfc,1,1,1,1,256,10,1,\n");  // 16 x 4 x 4 = 256
  CHECK(inputs_of(net.graph, "fc") == std::vector<std::string>{"fc.flatten"});
  CHECK(net.graph.totals().macs == Macs(16 * 16 * 72 + 2560));
  REQUIRE(net.report.defaults.size() == 1);
  CHECK_THAT(net.report.defaults[0].what, Contains("256 elements of 'conv' as one vector"));
}

TEST_CASE("Matrix products are known by their header or by their columns",
          "[frontends][topology]") {
  const ImportedModel named = model(kProducts + "a,200,7,19,\nb,200,3,7\nc,100,3,7,\n");
  CHECK(named.report.format == "SCALE-Sim topology, matrix products (the header names M, N and K)");
  CHECK(shape_of(named.graph, "input") == "19x200x1");
  CHECK(shape_of(named.graph, "a") == "7x200x1");
  CHECK(inputs_of(named.graph, "b") == std::vector<std::string>{"a"});
  CHECK(inputs_of(named.graph, "c") == std::vector<std::string>{"c.input"});
  CHECK(named.graph.totals().macs == Macs(200 * 7 * 19 + 200 * 3 * 7 + 100 * 3 * 7));
  const ImportedModel counted = model("name, rows, columns, inner\na, 4, 5, 6, ,\n");
  CHECK(counted.report.format ==
        "SCALE-Sim topology, matrix products (the first row has 3 numbers)");
  CHECK(counted.graph.totals().macs == Macs(120));
}

TEST_CASE("A convolution whose name says so is depthwise", "[frontends][topology]") {
  const ImportedModel net = model(kConvolutions + "conv_DP1,14,14,3,3,5,2,1,\n");
  const auto& conv = std::get<Conv2d>(net.graph.layers().front().op);
  CHECK(conv.groups == 5);
  CHECK(conv.out_channels == 10);
  CHECK(net.graph.totals().weights == 90);
  REQUIRE(net.report.defaults.size() == 1);
  CHECK_THAT(net.report.defaults[0].what, Contains("depthwise with 2 filter(s) per channel"));
}

TEST_CASE("Rows of one name get names of their own", "[frontends][topology]") {
  const ImportedModel net =
      model(kConvolutions + "a,8,8,1,1,4,4,1,\na,8,8,1,1,4,4,1,\na.2,8,8,1,1,4,4,1,\n");
  CHECK(inputs_of(net.graph, "a.3") == std::vector<std::string>{"a"});
  CHECK(inputs_of(net.graph, "a.2") == std::vector<std::string>{"a.3"});
  CHECK_THAT(net.report.defaults.at(0).what, Contains("called 'a.3'"));
}

TEST_CASE("A second stride and a dense ratio are both understood", "[frontends][topology]") {
  const auto net = model(kConvolutions + "a,9,9,3,3,4,4,2,3,\nb,9,9,3,3,4,4,2,1:1,\n");
  CHECK(shape_of(net.graph, "a") == "4x4x3");
  CHECK(shape_of(net.graph, "b") == "4x4x4");
}

TEST_CASE("Malformed topologies are refused with line and column", "[frontends][topology]") {
  const auto refused = [](const std::string& text) {
    try {
      (void)model(text);
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refused(""), Contains("t.csv: is empty"));
  CHECK_THAT(refused(kConvolutions + "a,8,8,3,3,x,4,1,\n"), Contains("t.csv:2:11: layer 'a'"));
  CHECK_THAT(refused(kConvolutions + "a,8,8,9,9,4,4,1,\n"),
             Contains("t.csv:2: layer 'a': the window reaches 9 rows"));
  CHECK_THAT(refused("Layer, M, K, N\na,1,2,3\n"), Contains("t.csv:1:8: the columns"));
  CHECK_THAT(refused(kProducts + "a,8,8,9,2:4\n"), Contains("t.csv:2:9: layer 'a'"));
  CHECK_THAT(refused(kConvolutions + "a DP,8,8,3,3,16777216,16777216,1,\n"), Contains("16777216"));
}

}  // namespace
}  // namespace vernier::frontends::topology
