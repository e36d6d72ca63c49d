#include "validation/amed.hpp"

#include <numeric>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"
#include "frontends/topology/source_text.hpp"
#include "tests/support/command_line.hpp"

namespace vernier::validation {
namespace {

const std::string kRoot = VERNIER_SOURCE_DIR;

std::vector<AmedLatencyRow> resnet18() {
  const std::string path = kRoot + "/validation/amed/resnet18_latency.csv";
  return amed_latency_table(frontends::topology::read_text_file(path), path);
}

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST_CASE("All rows of AMED's Table 6 are equal in five columns", "[validation][amed]") {
  const std::string path = kRoot + "/validation/amed/table6.csv";
  const std::vector<AmedRow> rows = amed_table6(frontends::topology::read_text_file(path), path);
  REQUIRE(rows.size() == 53);
  std::int64_t cycles = 0;
  for (const AmedRow& row : rows) {
    CAPTURE(row.layer.name, row.found.total_cycles, row.found.overall_utilisation);
    CHECK(row.is_equal());
    cycles += row.found.total_cycles;
  }
  CHECK(cycles == 4312692);
}

TEST_CASE("AMED halves the filters and adds one at 4 bits", "[validation][amed]") {
  CHECK(amed_filters(32, 8) == 32);
  CHECK(amed_filters(32, 4) == 17);
  CHECK(amed_filters(32, 3) == 11);
  CHECK(amed_filters(32, 2) == 9);
  CHECK_THROWS_AS(amed_filters(32, 5), ConfigError);
}

TEST_CASE("The latency model of AMED gives its ResNet-18 table at 3, 4 and 8 bits",
          "[validation][amed]") {
  const std::vector<AmedLatencyRow> rows = resnet18();
  REQUIRE(rows.size() == 20);
  std::vector<AmedLayer> layers;
  for (const AmedLatencyRow& row : rows) layers.push_back(row.layer);
  for (const int bits : {3, 4, 8}) {
    const std::vector<double> found = amed_network_ms(layers, bits);
    for (std::size_t index = 0; index < rows.size(); ++index) {
      CAPTURE(bits, layers[index].name);
      CHECK(found[index] == Approx(rows[index].at(bits)).margin(1.01e-5));
    }
  }
  CHECK(sum(amed_network_ms(layers, 3)) == Approx(56.743).margin(5e-4));
  CHECK(sum(amed_network_ms(layers, 4)) == Approx(244.672).margin(5e-4));
  CHECK(sum(amed_network_ms(layers, 8)) == Approx(349.801).margin(5e-4));
}

TEST_CASE("The bits of other methods have the latencies that the paper prints, times ten",
          "[validation][amed]") {
  double two = 0;
  double mckp = 0;
  double ddq = 0;
  double hawq = 0;
  for (const AmedLatencyRow& row : resnet18()) {
    two += row.at(2);
    mckp += row.at(row.bits_mckp);
    ddq += row.at(row.bits_ddq);
    hawq += row.at(row.bits_hawq);
  }
  CHECK(two == Approx(7.902).margin(5e-4));
  CHECK(mckp == Approx(280.66).margin(5e-3));
  CHECK(ddq == Approx(290.47).margin(5e-3));
  CHECK(hawq == Approx(328.42).margin(5e-3));
}

TEST_CASE("The latency of a layer is the larger of compute and output time", "[validation][amed]") {
  frontends::scalesim::LayerReport report;
  report.total_cycles = 199999;  // 1 ms at 0.2 GHz
  report.output.dram_bandwidth = 32;
  // 8 bit * 10 filters * 100 pixels * 8 / 32 / 0.2 GHz = 0.01 ms
  CHECK(amed_latency_ms(report, 10, 10, 8) == Approx(1.0));
  report.output.dram_bandwidth = 0.16;  // 200 times slower
  CHECK(amed_latency_ms(report, 10, 10, 8) == Approx(2.0));
  CHECK(amed_interpolated_ms(1.0, 3.0, 6) == Approx(2.0));
}

TEST_CASE("Validation against AMED prints Table 6 beside the honest cycles", "[validation][amed]") {
  const tests::CommandResult result = tests::run_vernier({"validate", "amed"});
  CAPTURE(result.output, result.error);
  CHECK(result.exit_code == 0);
  CHECK(result.output.find("53 of 53 rows") != std::string::npos);
}

}  // namespace
}  // namespace vernier::validation
