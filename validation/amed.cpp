#include "validation/amed.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/machine/machine.hpp"
#include "validation/reference_csv.hpp"

namespace vernier::validation {
namespace {

namespace scalesim = frontends::scalesim;

constexpr double kClockHertz = 0.2e9;
constexpr double kMillisecondsPerSecond = 1000.0;
constexpr double kCodeFactor = 8.0;
constexpr int kHonestWeightBits = 4;
constexpr int kHonestActivationBits = 8;

AmedLayer layer_of(const ReferenceRecord& record, std::string_view name) {
  return {.name = record.text(name),
          .height = record.integer("height"),
          .kernel = record.integer("kernel"),
          .channels = record.integer("channels"),
          .filters = record.integer("filters"),
          .stride = record.integer("stride")};
}

// The paper prints ten significant digits, the reference keeps five decimals of them: the found
// number is rounded to ten digits and must lie within half a unit of the fifth decimal.
bool is_printed(double printed, double found) {
  constexpr double kHalfUnit = 0.5e-5;
  constexpr double kRepresentation = 1e-12;
  const double ten_digits = std::stod(fmt::format("{:.10g}", found));
  return std::abs(printed - ten_digits) <= kHalfUnit + kRepresentation;
}

}  // namespace

std::int64_t amed_filters(std::int64_t filters, int bits) {
  constexpr int kFullBits = 8;
  if (bits == kFullBits) return filters;
  constexpr std::array<int, 5> kDivisors{0, 0, 4, 3, 2};
  if (bits < 2 || bits > 4) {
    throw ConfigError(fmt::format("AMED simulates 2, 3, 4 and 8 bits, found {}", bits));
  }
  return filters / kDivisors.at(static_cast<std::size_t>(bits)) + 1;
}

scalesim::LayerShape amed_compat(const AmedLayer& layer, int bits, AmedStride stride) {
  const std::int64_t step = stride == AmedStride::kKept ? layer.stride : 1;
  return {.input_height = layer.height,
          .input_width = layer.height,
          .filter_height = layer.kernel,
          .filter_width = layer.kernel,
          .channels = layer.channels,
          .filters = amed_filters(layer.filters, bits),
          .stride_height = step,
          .stride_width = step};
}

scalesim::LayerReport amed_report(const scalesim::LayerShape& shape) {
  constexpr std::int64_t kSide = 32;
  constexpr std::int64_t kWords = 64 * scalesim::kWordsPerKilobyte;
  scalesim::Config config;
  config.rows = kSide;
  config.columns = kSide;
  config.input_words = kWords;
  config.filter_words = kWords;
  config.output_words = kWords;
  return scalesim::report_layer(shape, config);
}

double amed_latency_ms(const scalesim::LayerReport& report, std::int64_t filters,
                       std::int64_t next_height, int bits) {
  const double compute = static_cast<double>(report.total_cycles + 1) / kClockHertz;
  const auto out_bits = static_cast<double>(bits * filters * next_height * next_height);
  const double memory = kCodeFactor / report.output.dram_bandwidth * out_bits / kClockHertz;
  return kMillisecondsPerSecond * std::max(compute, memory);
}

double amed_interpolated_ms(double at_4_bits, double at_8_bits, int bits) {
  constexpr double kStep = 0.25;
  return at_4_bits + kStep * (bits - 4) * (at_8_bits - at_4_bits);
}

std::vector<double> amed_network_ms(std::span<const AmedLayer> layers, int bits) {
  std::vector<double> latencies;
  for (std::size_t index = 0; index < layers.size(); ++index) {
    const AmedLayer& layer = layers[index];
    const bool is_last = index + 1 == layers.size();
    const std::int64_t next_height = is_last ? layer.height : layers[index + 1].height;
    latencies.push_back(amed_latency_ms(amed_report(amed_compat(layer, bits, AmedStride::kKept)),
                                        layer.filters, next_height, bits));
  }
  return latencies;
}

bool AmedRow::is_equal() const {
  return found.total_cycles == expected_cycles && found.stall_cycles == expected_stalls &&
         is_printed(expected_overall, found.overall_utilisation) &&
         is_printed(expected_mapping, found.mapping_efficiency) &&
         is_printed(expected_compute, found.compute_utilisation);
}

std::vector<AmedRow> amed_table6(std::string_view text, const std::string& file) {
  constexpr int kTable6Bits = 4;
  const ReferenceCsv table(text, file);
  std::vector<AmedRow> rows;
  for (const ReferenceRecord& record : table.records()) {
    AmedRow row;
    row.layer = layer_of(record, "id");
    row.type = record.text("type");
    row.expected_cycles = record.integer("total_cycles");
    row.expected_stalls = record.integer("stall_cycles");
    row.expected_overall = record.number("overall_util_pct");
    row.expected_mapping = record.number("mapping_efficiency_pct");
    row.expected_compute = record.number("compute_util_pct");
    row.found = amed_report(amed_compat(row.layer, kTable6Bits, AmedStride::kIgnored));
    rows.push_back(row);
  }
  return rows;
}

void add_honest_cycles(std::vector<AmedRow>& rows, const std::string& configs) {
  const dataflow::Machine machine = dataflow::load_machine(
      configs + "/accelerators/amed_32x32_packed.yaml", {}, {configs + "/energy"});
  const dataflow::LayerGraph graph = dataflow::load_model(configs + "/models/mobilenetv2.yaml");
  const Result<dataflow::NetworkCost> cost =
      dataflow::evaluate(machine, graph,
                         dataflow::PrecisionMap::uniform(Bitwidth(kHonestWeightBits),
                                                         Bitwidth(kHonestActivationBits)));
  std::size_t row = 0;
  for (const dataflow::LayerCost& layer : cost.value().layers) {
    if (!dataflow::is_mac(graph.layers()[layer.layer].op)) continue;
    VERNIER_ASSERT(row < rows.size(), "as many rows as layers with products");
    rows[row++].honest_cycles = layer.cost.cycles.total().count();
  }
  VERNIER_ASSERT(row == rows.size(), "as many layers with products as rows");
}

std::string to_text(std::span<const AmedRow> rows) {
  std::string text =
      " id type  input   in ->  out stride    paper  amed_compat  equal      honest  ratio\n";
  auto out = std::back_inserter(text);
  std::int64_t equal = 0;
  std::int64_t paper = 0;
  std::int64_t compat = 0;
  std::int64_t honest = 0;
  const auto ratio = [](std::int64_t upper, std::int64_t lower) {
    return static_cast<double>(upper) / static_cast<double>(lower);
  };
  for (const AmedRow& row : rows) {
    fmt::format_to(out,
                   "{:>3} {:<5} {:>5} {:>4} -> {:>4} {:>6} {:>8} {:>12}  {:<5} {:>11} {:>6.2f}\n",
                   row.layer.name, row.type, row.layer.height, row.layer.channels,
                   row.layer.filters, row.layer.stride, row.expected_cycles, row.found.total_cycles,
                   row.is_equal() ? "yes" : "NO", row.honest_cycles,
                   ratio(row.honest_cycles, row.expected_cycles));
    equal += row.is_equal() ? 1 : 0;
    paper += row.expected_cycles;
    compat += row.found.total_cycles;
    honest += row.honest_cycles;
  }
  fmt::format_to(out, "sum {:>40} {:>12} {:>18} {:>6.2f}\n", paper, compat, honest,
                 ratio(honest, paper));
  fmt::format_to(
      out,
      "{} of {} rows of Table 6 equal in all five columns to the printed digits\n"
      "amed_compat: stride 1, no padding, dense depthwise, floor(N/2)+1 filters, nothing stalls\n"
      "honest: the network as it is, w{}a{} on amed_32x32_packed (two products per PE and cycle), "
      "one DRAM channel\n",
      equal, rows.size(), kHonestWeightBits, kHonestActivationBits);
  return text;
}

double AmedLatencyRow::at(int bits) const {
  switch (bits) {
    case 2: return at_2_bits_ms;
    case 3: return at_3_bits_ms;
    default: return amed_interpolated_ms(at_4_bits_ms, at_8_bits_ms, bits);
  }
}

std::vector<AmedLatencyRow> amed_latency_table(std::string_view text, const std::string& file) {
  const ReferenceCsv table(text, file);
  std::vector<AmedLatencyRow> rows;
  for (const ReferenceRecord& record : table.records()) {
    rows.push_back({.layer = layer_of(record, "layer"),
                    .at_2_bits_ms = record.number("latency_2bit_ms"),
                    .at_3_bits_ms = record.number("latency_3bit_ms"),
                    .at_4_bits_ms = record.number("latency_4bit_ms"),
                    .at_8_bits_ms = record.number("latency_8bit_ms"),
                    .bits_mckp = static_cast<int>(record.integer("bits_mckp")),
                    .bits_ddq = static_cast<int>(record.integer("bits_ddq")),
                    .bits_hawq = static_cast<int>(record.integer("bits_hawq"))});
  }
  return rows;
}

}  // namespace vernier::validation
