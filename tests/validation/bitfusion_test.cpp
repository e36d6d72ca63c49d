#include "validation/bitfusion.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "arch/base/error.hpp"
#include "frontends/topology/source_text.hpp"
#include "tests/support/command_line.hpp"

namespace vernier::validation {
namespace {

const std::string kRoot = VERNIER_SOURCE_DIR;
const std::string kReference = kRoot + "/validation/bitfusion/artifact_cycles.csv";

std::vector<BitFusionRow> reference_rows() {
  return bitfusion_rows(frontends::topology::read_text_file(kReference), kReference);
}

const std::vector<BitFusionRow>& complete_rows() {
  static const std::vector<BitFusionRow> rows = [] {
    std::vector<BitFusionRow> read = reference_rows();
    add_bitfusion_networks(read, kRoot);
    return read;
  }();
  return rows;
}

// The last layer of "CIFAR10": 1024 inputs, 10 outputs, 2 bits, batch 16.
BitFusionLayer last_of_cifar10() {
  return {.name = "fc8",
          .batch = 16,
          .in_channels = 1024,
          .out_channels = 10,
          .activation_bits = 2,
          .weight_bits = 2,
          .output_bits = 2};
}

TEST_CASE("The artifact's rule gives every published figure of Bit Fusion",
          "[validation][bitfusion]") {
  const std::vector<BitFusionRow> rows = reference_rows();
  REQUIRE(rows.size() == 33);
  for (const BitFusionRow& row : rows) {
    for (std::size_t at = 0; at < kBitFusionSetupCount; ++at) {
      CAPTURE(row.network, row.layer.name, bitfusion_setups().at(at).name);
      CHECK(row.figures.at(at).rule.total() == row.figures.at(at).published_cycles);
      CHECK(row.figures.at(at).rule.memory_wait == row.figures.at(at).published_wait);
    }
  }
}

TEST_CASE("The networks have each layer as often as the published sums say",
          "[validation][bitfusion]") {
  // Sums over all layers of the artifact's results at 16 x 32 units and 192 bit per cycle.
  const std::map<std::string, std::int64_t> published{
      {"AlexNet", 37666491}, {"CIFAR10", 3293704}, {"LeNet-5", 410352}, {"RESNET-18", 49079982}};
  const std::vector<BitFusionRow>& rows = complete_rows();
  for (const auto& [network, cycles] : published) {
    CAPTURE(network);
    CHECK(bitfusion_network_cycles(rows, network, bitfusion_setups()[0].machine(),
                                   BitFusionQuirks::all())
              .total() == cycles);
  }
}

TEST_CASE("The rule of Bit Fusion on a dense layer worked out by hand", "[validation][bitfusion]") {
  const BitFusionMachine machine = BitFusionMachine::sized(32, 192);
  // 16 products of 2 bits per unit: 256 inputs per cycle. 16 images * 4 groups of inputs = 64.
  // Loaded first: weights 1024 * 10 * 2 = 20480 bits, input 1024 * 16 * 2 = 32768, and outputs of
  // 32 columns * 16 images * 32 bits = 16384: 69632 / 192 = 363 cycles. Stored: 16384 / 192 = 86.
  const BitFusionCycles all = bitfusion_cycles(last_of_cifar10(), machine, BitFusionQuirks::all());
  CHECK(all.compute == 64);
  CHECK(all.memory_wait == 363 + 86);
  CHECK(all.dram_bits == 20480 + 32768 + 2 * 16384);
  // Outputs at 2 bits, 10 of them per image, and none read: 10 * 16 * 2 = 320 bits. All traffic
  // takes 53568 / 192 = 279 cycles and hides the products but for the rounding at both ends.
  const BitFusionCycles none =
      bitfusion_cycles(last_of_cifar10(), machine, BitFusionQuirks::none());
  CHECK(none.dram_bits == 20480 + 32768 + 320);
  CHECK(none.total() >= 279);
  CHECK(none.total() <= 279 + 2);
}

TEST_CASE("Each quirk of the artifact's rule matters and none makes it faster",
          "[validation][bitfusion]") {
  constexpr std::int64_t kRounding = 2;  // three parts of the traffic are rounded up
  const std::vector<BitFusionRow>& rows = complete_rows();
  for (int at = 0; at < kBitFusionQuirkCount; ++at) {
    const auto quirk = static_cast<BitFusionQuirk>(at);
    CAPTURE(to_text(quirk).name);
    int faster = 0;
    int slower = 0;
    for (const BitFusionSetup& setup : bitfusion_setups()) {
      for (const BitFusionRow& row : rows) {
        const std::int64_t with =
            bitfusion_cycles(row.layer, setup.machine(), BitFusionQuirks::all()).total();
        const std::int64_t without =
            bitfusion_cycles(row.layer, setup.machine(), BitFusionQuirks::all().with(quirk, false))
                .total();
        faster += without < with ? 1 : 0;
        slower += without > with + kRounding ? 1 : 0;
      }
    }
    CHECK(faster > 0);
    // The rule keeps on chip whatever fits, and loads that before the first product: with whole
    // SRAMs that is more, and where the link is fast it costs a few cycles.
    if (quirk == BitFusionQuirk::kHalfSram) continue;
    CHECK(slower == 0);
  }
}

TEST_CASE("Vernier's engine beside Bit Fusion's rule never beats the peak of the array",
          "[validation][bitfusion]") {
  for (const BitFusionRow& row : complete_rows()) {
    for (const BitFusionFigures& figures : row.figures) {
      CAPTURE(row.network, row.layer.name);
      CHECK(static_cast<double>(figures.engine.array) >= figures.engine.ideal);
      CHECK(figures.engine.waiting >= 0);
      CHECK(figures.engine.dram_bits > 0);
      // The lower end of the rule: nothing but compute at ceilings and traffic moved once.
      CHECK(figures.plain.total() <= figures.rule.total());
    }
  }
}

TEST_CASE("A changed published figure is found and printed", "[validation][bitfusion]") {
  std::vector<BitFusionRow> rows = complete_rows();
  CHECK(to_text(rows).find("132 of 132 published pairs") != std::string::npos);
  CHECK(to_text(rows).find(" NO ") == std::string::npos);
  ++rows[3].figures[0].published_wait;
  CHECK_FALSE(rows[3].figures[0].is_equal());
  CHECK(to_text(rows).find("131 of 132 published pairs") != std::string::npos);
  CHECK(to_text(rows).find(" NO ") != std::string::npos);
}

TEST_CASE("What the rule of Bit Fusion cannot run is refused by name", "[validation][bitfusion]") {
  using Catch::Contains;
  const BitFusionMachine machine = BitFusionMachine::sized(32, 192);
  const BitFusionQuirks all = BitFusionQuirks::all();
  BitFusionLayer wide = last_of_cifar10();
  wide.weight_bits = 16;
  CHECK_THROWS_WITH(bitfusion_cycles(wide, machine, all), Contains("fc8") && Contains("w16"));
  BitFusionLayer empty = last_of_cifar10();
  empty.out_channels = 0;
  CHECK_THROWS_AS(bitfusion_cycles(empty, machine, all), ConfigError);
  BitFusionMachine small = machine;
  small.output_sram_bits = 64;
  CHECK_THROWS_WITH(bitfusion_cycles(last_of_cifar10(), small, all), Contains("no tile fits"));
}

TEST_CASE("A reference without a layer of the network is refused", "[validation][bitfusion]") {
  std::vector<BitFusionRow> rows = reference_rows();
  rows.erase(rows.begin());
  CHECK_THROWS_WITH(add_bitfusion_networks(rows, kRoot),
                    Catch::Contains("conv0") && Catch::Contains("none of the reference"));
}

TEST_CASE("vernier validate bitfusion prints three columns and says that all rows are equal",
          "[validation][bitfusion]") {
  const tests::CommandResult run = tests::run_vernier({"validate", "bitfusion"});
  CHECK(run.exit_code == 0);
  CHECK(run.error.empty());
  for (const char* part :
       {"engine: bitfusion_16x32_dot, 16x32 dot_columns", "published", "rule", "32-bit outputs",
        "square tiles", "half of each SRAM", "132 of 132 published pairs"}) {
    CHECK(run.output.find(part) != std::string::npos);
  }
}

}  // namespace
}  // namespace vernier::validation
