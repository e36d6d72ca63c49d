#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"
#include "frontends/scalesim/config.hpp"
#include "frontends/scalesim/topology.hpp"

namespace vernier::frontends::scalesim {
namespace {

const std::string kArray = "ArrayHeight: 12\nArrayWidth: 14\nDataflow : ws\nBandwidth: 10\n";
const std::string kV2 = "[general]\nrun_name = a\n[architecture_presets]\n" + kArray +
                        "IfmapSramSzkB: 108\nFilterSramSzkB: 64\nOfmapSramSzkB: 4\n";

std::vector<Layer> convolutions(const std::string& rows, Compat compat = Compat::kV2) {
  return read_topology("name, h, w, fh, fw, c, n, s,\n" + rows, "t.csv", TopologyKind::kConvolution,
                       compat);
}

TEST_CASE("A v2 configuration is read whatever the case of its keys", "[frontends][scalesim]") {
  const Config config =
      read_config(kV2 + "[Run_Presets]\ninterfacebandwidth = user\n", "c.cfg", Compat::kV2);
  CHECK(config.run_name == "a");
  CHECK(config.rows == 12);
  CHECK(config.columns == 14);
  CHECK(config.input_words == 108 * 1024);
  CHECK(config.filter_words == 64 * 1024);
  CHECK(config.output_words == 4 * 1024);
  CHECK(config.dataflow == Dataflow::kWeightStationary);
  CHECK(config.mode == BandwidthMode::kGiven);
  CHECK(config.input_bandwidth == 10);
  CHECK(config.output_bandwidth == 10);
}

TEST_CASE("A v1 configuration has other names of the SRAM sizes and no bandwidth mode",
          "[frontends][scalesim]") {
  const Config config = read_config(
      "[general]\r\nrun_name = \"MLPERF\"\r\n"
      "[architecture_presets]\r\nArrayHeight:    32\r\n"
      "ArrayWidth: 32\r\nIfmapSramSz: 512\r\nFilterSramSz: 256\r\n"
      "OfmapSramSz: 128\r\nDataflow: os\r\n",
      "c.cfg", Compat::kV2);
  CHECK(config.run_name == "MLPERF");
  CHECK(config.input_words == 512 * 1024);
  CHECK(config.output_words == 128 * 1024);
  CHECK(config.mode == BandwidthMode::kEstimated);
}

TEST_CASE("Only v3 takes the bandwidth of reads from the banks", "[frontends][scalesim]") {
  const std::string text = kV2 +
                           "[layout]\nIfmapSRAMBankBandwidth: 20\nIfmapSRAMBankNum: 10\n"
                           "FilterSRAMBankBandwidth: 8\n[sparsity]\nSparsitySupport : false\n"
                           "[run_presets]\nInterfaceBandwidth: USER\nUseRamulatorTrace: False\n";
  const Config v3 = read_config(text, "c.cfg", Compat::kV3);
  CHECK(v3.input_bandwidth == 20);
  CHECK(v3.filter_bandwidth == 8);
  CHECK(v3.output_bandwidth == 10);
  CHECK(read_config(text, "c.cfg", Compat::kV2).input_bandwidth == 10);
  const std::string uneven = kV2 + "[layout]\nIfmapSRAMBankBandwidth: 10\nIfmapSRAMBankNum: 3\n";
  CHECK_THROWS_AS(read_config(uneven, "c.cfg", Compat::kV3), ConfigError);
}

TEST_CASE("The first of several bandwidths counts", "[frontends][scalesim]") {
  std::string text = kV2;
  text.replace(text.find("Bandwidth: 10"), 13, "Bandwidth: 4, 5,6");
  CHECK(read_config(text, "c.cfg", Compat::kV2).output_bandwidth == 4);
}

TEST_CASE("A run name that would leave the output folder is refused", "[frontends][scalesim]") {
  for (const std::string name : {"../x", "/tmp/x", "..", "\"\"", "a\\b"}) {
    CAPTURE(name);
    std::string text = kV2;
    text.replace(text.find("= a"), 3, "= " + name);
    CHECK_THROWS_AS(read_config(text, "c.cfg", Compat::kV2), ConfigError);
  }
}

TEST_CASE("Rows with and without a trailing comma mean the same", "[frontends][scalesim]") {
  const std::vector<Layer> layers =
      convolutions("a,14,14,3,3,8,24,2,\nb,14,14,3,3,8,24,2\nc , 14,\t14,3,3,8,24,2 , , ,\r\n");
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].shape == layers[1].shape);
  CHECK(layers[0].shape == layers[2].shape);
  CHECK(layers[2].name == "c");
  CHECK(layers[0].shape.stride_width == 2);
}

TEST_CASE("v2 rows may have a stride of their own for the width", "[frontends][scalesim]") {
  CHECK(convolutions("a,14,14,3,3,8,24,2,3,\n").front().shape.stride_width == 3);
  CHECK_THROWS_AS(convolutions("a,14,14,3,3,8,24,2,3,\n", Compat::kV3), ConfigError);
  CHECK(convolutions("a,14,14,3,3,8,24,2,1:1,\n", Compat::kV3).size() == 1);
  CHECK_THROWS_AS(convolutions("a,14,14,3,3,8,24,2,2:4,\n", Compat::kV3), ConfigError);
}

TEST_CASE("A name with the depthwise mark is split by channels and keeps its filters",
          "[frontends][scalesim]") {
  const std::vector<Layer> layers = convolutions("conv_DP1,14,14,3,3,5,2,1,\n");
  REQUIRE(layers.size() == 5);
  CHECK(layers[4].shape.channels == 1);
  CHECK(layers[4].shape.filters == 2);
}

TEST_CASE("A matrix product becomes a convolution whose window is a whole row",
          "[frontends][scalesim]") {
  const std::vector<Layer> layers =
      read_topology("Layer, M, N, K,\ng, 200, 7, 19,\n", "t.csv", TopologyKind::kGemm, Compat::kV2);
  REQUIRE(layers.size() == 1);
  CHECK(layers[0].shape.output_height() == 200);
  CHECK(layers[0].shape.output_width() == 1);
  CHECK(layers[0].shape.filter_width == 19);
  CHECK(layers[0].shape.filters == 7);
}

TEST_CASE("All problems of a file are reported together, with line and column",
          "[frontends][scalesim]") {
  try {
    (void)convolutions("a,14,14,3,3,8,24,x,\n\nb,14,0,3,3,8,24,1,\n");
    FAIL("accepted");
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    CHECK(text.find("t.csv:2:18: ") != std::string::npos);
    CHECK(text.find("t.csv:4:6: ") != std::string::npos);
  }
}

}  // namespace
}  // namespace vernier::frontends::scalesim
