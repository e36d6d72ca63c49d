#include "frontends/scalesim/honest.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "frontends/scalesim/topology.hpp"
#include "tests/support/command_line.hpp"

namespace vernier::frontends::scalesim {
namespace {

Config small_config() {
  Config config;
  config.rows = config.columns = 4;
  config.input_words = config.filter_words = config.output_words = 1024;
  config.mode = BandwidthMode::kGiven;
  config.input_bandwidth = config.filter_bandwidth = config.output_bandwidth = 4;
  return config;
}

TEST_CASE("A product of one tile has the honest figures of hand arithmetic", "[scalesim]") {
  // 4x6 by 6x4 on 4x4 os, 4 bytes per cycle, latency 1. I and W 24 bytes = 6 cycles each, O 16
  // bytes = 4 cycles; one fold of 6 + 4 + 4 - 2 = 12 lines. I 0 .. 5, W 6 .. 11, usable at 13; the
  // array runs 13 .. 24, O leaves 25 .. 28: 29 cycles, 17 of them not computing.
  const Layer layer{"product", gemm_shape(4, 4, 6)};
  const auto reports = report_honestly({&layer, 1}, small_config(), 1);
  REQUIRE(reports.has_value());
  const LayerReport& report = reports->front().columns;
  CHECK(report.total_cycles == 29);
  CHECK(report.stall_cycles == 17);
  CHECK(report.overall_utilisation == Approx(100.0 * 96 / (16 * 29)));
  CHECK(report.mapping_efficiency == Approx(100.0));
  CHECK(report.compute_utilisation == Approx(100.0 * 96 / (16 * 12)));
  for (const PortReport* port : {&report.input, &report.filter, &report.output}) {
    CHECK(port->sram_start == 13);
    CHECK(port->sram_stop == 24);
  }
  CHECK(report.input.sram_words == 24);
  CHECK(report.filter.sram_words == 24);
  CHECK(report.output.sram_words == 16);
  CHECK(report.input.dram_start == 0);
  CHECK(report.input.dram_stop == 5);
  CHECK(report.filter.dram_start == 6);
  CHECK(report.filter.dram_stop == 11);
  CHECK(report.output.dram_start == 25);
  CHECK(report.output.dram_stop == 28);
  CHECK(report.filter.dram_bandwidth == Approx(4.0));
  CHECK(reports->front().psum_sram_words == 0);
  CHECK(reports->front().psum_dram_words == 0);
}

TEST_CASE("Row folds of a weight-stationary array read and write partial sums", "[scalesim]") {
  // K = 6 on 4 rows: two row folds; the first writes 16 sums of four bytes, the second reads them.
  Config config = small_config();
  config.dataflow = Dataflow::kWeightStationary;
  const Layer layer{"product", gemm_shape(4, 4, 6)};
  const auto reports = report_honestly({&layer, 1}, config, 1);
  REQUIRE(reports.has_value());
  CHECK(reports->front().psum_sram_words == 2 * 16 * 4);
  CHECK(reports->front().psum_dram_words == 0);
}

TEST_CASE("A depthwise row is one layer of groups when it is kept", "[scalesim]") {
  const std::string text = "name, h, w, fh, fw, c, n, s,\nconv DP, 6, 6, 3, 3, 5, 1, 1,\n";
  const auto split = read_topology(text, "t.csv", TopologyKind::kConvolution, Compat::kV2);
  const auto kept =
      read_topology(text, "t.csv", TopologyKind::kConvolution, Compat::kV2, DepthwiseRows::kKept);
  CHECK(split.size() == 5);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].depthwise);
  const auto reports = report_honestly(kept, small_config(), 1);
  REQUIRE(reports.has_value());
  // 16 pixels x 9 weights x 5 channels, each weight and each output once over the channel.
  CHECK(reports->front().columns.filter.dram_words == 45);
  CHECK(reports->front().columns.output.dram_words == 80);
  const auto alone = report_honestly({split.data(), 1}, small_config(), 1);
  CHECK(reports->front().columns.total_cycles < 5 * alone->front().columns.total_cycles);
}

TEST_CASE("Honest reports are equal for any number of jobs and infeasible layers are named",
          "[scalesim]") {
  std::vector<Layer> layers;
  for (std::int64_t size = 3; size < 12; ++size) {
    layers.push_back({"layer", {size, size, 3, 3, size, size + 1, 1, 1}});
  }
  layers.push_back(layers.front());
  const auto one = report_honestly(layers, small_config(), 1);
  const auto two = report_honestly(layers, small_config(), 2);
  CHECK(format_honest_reports(*one).detailed_access == format_honest_reports(*two).detailed_access);
  CHECK(format_honest_reports(*one).compute == format_honest_reports(*two).compute);
  const Layer wide{"wide", {64, 64, 64, 64, 1, 1, 1, 1}};
  const auto impossible = report_honestly({&wide, 1}, small_config(), 1);
  REQUIRE_FALSE(impossible.has_value());
  CHECK_THAT(impossible.infeasible().reason, Catch::Contains("layer 'wide'"));
}

TEST_CASE("A layer too large for the honest engine is refused by name", "[scalesim]") {
  const Layer huge{"huge", {1'000'000, 1'000'000, 3, 3, 64, 64, 1, 1}};
  CHECK_THROWS_WITH(report_honestly({&huge, 1}, small_config(), 1),
                    Catch::Contains("layer 'huge'") && Catch::Contains("elements"));
  const Layer many{"many", {20'000, 20'000, 3, 3, 64, 8, 1, 1}};
  CHECK_THROWS_WITH(report_honestly({&many, 1}, small_config(), 1),
                    Catch::Contains("layer 'many'") && Catch::Contains("tiles"));
}

TEST_CASE("The command writes three files whose headers say vernier honest", "[scalesim]") {
  const std::string folder = "/tmp/vernier-honest-" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/a.cfg")
      << "[general]\nrun_name = small\n[architecture_presets]\nArrayHeight: 4\nArrayWidth: 4\n"
         "IfmapSramSzkB: 1\nFilterSramSzkB: 1\nOfmapSramSzkB: 1\nIfmapOffset: 0\n"
         "FilterOffset: 10000000\nOfmapOffset: 20000000\nBandwidth: 4\nDataflow: os\n"
         "MemoryBanks: 1\n[run_presets]\nInterfaceBandwidth: USER\n";
  std::ofstream(folder + "/t.csv") << "Layer, M, N, K,\nproduct, 4, 4, 6,\n";
  const auto run = tests::run_vernier({"scalesim", "-c", folder + "/a.cfg", "-t", folder + "/t.csv",
                                       "-i", "gemm", "-p", folder, "--honest"});
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  const auto text = [&folder](const std::string& name) {
    std::ifstream stream(folder + "/small/" + name);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  CHECK_THAT(text("COMPUTE_REPORT.csv"),
             Catch::StartsWith("vernier honest LayerID, ") && Catch::Contains("\n0, 29, 17, "));
  CHECK_THAT(text("BANDWIDTH_REPORT.csv"), Catch::StartsWith("vernier honest LayerID, "));
  CHECK_THAT(text("DETAILED_ACCESS_REPORT.csv"),
             Catch::StartsWith("vernier honest LayerID, ") &&
                 Catch::Contains("DRAM OFMAP Psum Words,\n0, 13.0, 24.0, 24, 13.0, 24.0, 24, 13.0, "
                                 "24.0, 16, 0.0, 5.0, 24, 6.0, 11.0, 24, 25.0, 28.0, 16, 0, 0,\n"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vernier::frontends::scalesim
