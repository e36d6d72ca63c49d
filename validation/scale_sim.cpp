#include "validation/scale_sim.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"
#include "frontends/scalesim/network_run.hpp"
#include "validation/reference_csv.hpp"

namespace vernier::validation {
namespace {

namespace scalesim = frontends::scalesim;
using scalesim::LayerReport;
using scalesim::PortReport;

constexpr double kRatioTolerance = 1e-9;

struct Field {
  std::string name;
  bool is_ratio = false;
  double (*value)(const LayerReport&);
};

template <auto kMember>
double of_layer(const LayerReport& report) {
  return static_cast<double>(report.*kMember);
}

template <auto kPort, auto kMember>
double of_port(const LayerReport& report) {
  return static_cast<double>(report.*kPort.*kMember);
}

template <auto kPort>
void add_port(std::vector<Field>& fields, const std::string& name, const std::string& words) {
  fields.push_back({"sram_" + name + "_bw", true, of_port<kPort, &PortReport::sram_bandwidth>});
  fields.push_back({"dram_" + name + "_bw", true, of_port<kPort, &PortReport::dram_bandwidth>});
  fields.push_back(
      {"sram_" + name + "_start_cycle", false, of_port<kPort, &PortReport::sram_start>});
  fields.push_back({"sram_" + name + "_stop_cycle", false, of_port<kPort, &PortReport::sram_stop>});
  fields.push_back({"sram_" + name + words, false, of_port<kPort, &PortReport::sram_words>});
  fields.push_back(
      {"dram_" + name + "_start_cycle", false, of_port<kPort, &PortReport::dram_start>});
  fields.push_back({"dram_" + name + "_stop_cycle", false, of_port<kPort, &PortReport::dram_stop>});
  fields.push_back({"dram_" + name + words, false, of_port<kPort, &PortReport::dram_words>});
}

std::vector<Field> all_fields() {
  std::vector<Field> fields{
      {"total_cycles_incl_prefetch", false, of_layer<&LayerReport::total_cycles_with_prefetch>},
      {"total_cycles", false, of_layer<&LayerReport::total_cycles>},
      {"stall_cycles", false, of_layer<&LayerReport::stall_cycles>},
      {"overall_util_pct", true, of_layer<&LayerReport::overall_utilisation>},
      {"mapping_efficiency_pct", true, of_layer<&LayerReport::mapping_efficiency>},
      {"compute_util_pct", true, of_layer<&LayerReport::compute_utilisation>}};
  add_port<&LayerReport::input>(fields, "ifmap", "_reads");
  add_port<&LayerReport::filter>(fields, "filter", "_reads");
  add_port<&LayerReport::output>(fields, "ofmap", "_writes");
  return fields;
}

const Field& field_of(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const Field& field) { return field.name == name; });
  if (found == fields.end()) throw ConfigError(fmt::format("unknown field '{}'", shown(name)));
  return *found;
}

bool is_equal(const Field& field, double expected, double found) {
  if (!field.is_ratio) return expected == found;
  return std::abs(expected - found) <=
         kRatioTolerance * std::max(std::abs(expected), std::abs(found));
}

scalesim::Config config_of(const ReferenceRecord& record) {
  scalesim::Config config;
  config.run_name = record.text("run");
  config.rows = record.integer("rows");
  config.columns = record.integer("columns");
  config.input_words = record.integer("ifmap_kb") * scalesim::kWordsPerKilobyte;
  config.filter_words = record.integer("filter_kb") * scalesim::kWordsPerKilobyte;
  config.output_words = record.integer("ofmap_kb") * scalesim::kWordsPerKilobyte;
  const std::string& dataflow = record.text("dataflow");
  config.dataflow = dataflow == "os"   ? scalesim::Dataflow::kOutputStationary
                    : dataflow == "ws" ? scalesim::Dataflow::kWeightStationary
                                       : scalesim::Dataflow::kInputStationary;
  config.mode = record.text("mode") == "USER" ? scalesim::BandwidthMode::kGiven
                                              : scalesim::BandwidthMode::kEstimated;
  config.input_bandwidth = record.integer("words_per_cycle");
  config.filter_bandwidth = config.input_bandwidth;
  config.output_bandwidth = config.input_bandwidth;
  config.compat = record.text("peer") == "v3" ? scalesim::Compat::kV3 : scalesim::Compat::kV2;
  return config;
}

scalesim::Layer layer_of(const ReferenceRecord& record) {
  return {.name = record.text("layer"),
          .shape = {.input_height = record.integer("ifmap_h"),
                    .input_width = record.integer("ifmap_w"),
                    .filter_height = record.integer("filter_h"),
                    .filter_width = record.integer("filter_w"),
                    .channels = record.integer("channels"),
                    .filters = record.integer("num_filters"),
                    .stride_height = record.integer("stride_h"),
                    .stride_width = record.integer("stride_w")}};
}

}  // namespace

std::vector<std::string> report_field_names() {
  std::vector<std::string> names;
  for (const Field& field : all_fields()) names.push_back(field.name);
  return names;
}

double report_field(const LayerReport& report, std::string_view field) {
  return field_of(all_fields(), field).value(report);
}

std::vector<ScaleSimRow> read_scale_sim_rows(std::string_view text, const std::string& file) {
  const std::vector<Field> fields = all_fields();
  const ReferenceCsv table(text, file);
  std::vector<ScaleSimRow> rows;
  for (const ReferenceRecord& record : table.records()) {
    ScaleSimRow row{.run = record.text("run"),
                    .config = config_of(record),
                    .layer = layer_of(record),
                    .expected = {}};
    for (const Field& field : fields) {
      if (record.has(field.name)) row.expected[field.name] = record.number(field.name);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

ScaleSimComparison compare_with_scale_sim(const std::vector<ScaleSimRow>& rows, int jobs) {
  const std::vector<Field> fields = all_fields();
  ScaleSimComparison comparison;
  std::size_t begin = 0;
  while (begin < rows.size()) {
    // Rows of one run follow each other and are simulated together.
    std::size_t end = begin;
    std::vector<scalesim::Layer> layers;
    while (end < rows.size() && rows[end].config == rows[begin].config) {
      layers.push_back(rows[end++].layer);
    }
    const std::vector<LayerReport> reports =
        scalesim::report_network(layers, rows[begin].config, jobs);
    for (std::size_t index = begin; index < end; ++index) {
      const std::size_t differences_before = comparison.differences.size();
      for (const auto& [name, expected] : rows[index].expected) {
        const Field& field = field_of(fields, name);
        const double found = field.value(reports[index - begin]);
        FieldTally& tally = comparison.fields[name];
        if (is_equal(field, expected, found)) {
          ++tally.equal;
          continue;
        }
        ++tally.different;
        comparison.differences.push_back(
            {rows[index].run, rows[index].layer.name, name, expected, found});
      }
      ++comparison.rows;
      if (comparison.differences.size() == differences_before) ++comparison.equal_rows;
    }
    begin = end;
  }
  return comparison;
}

std::string to_text(const ScaleSimComparison& comparison) {
  constexpr std::size_t kMostDifferences = 20;
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{:<28} {:>7} {:>10}\n", "field", "equal", "different");
  for (const std::string& name : report_field_names()) {
    const auto tally = comparison.fields.find(name);
    if (tally == comparison.fields.end()) continue;
    fmt::format_to(out, "{:<28} {:>7} {:>10}\n", name, tally->second.equal,
                   tally->second.different);
  }
  fmt::format_to(out, "{} of {} layers equal in every field\n", comparison.equal_rows,
                 comparison.rows);
  for (std::size_t index = 0; index < std::min(kMostDifferences, comparison.differences.size());
       ++index) {
    const FieldDifference& difference = comparison.differences[index];
    fmt::format_to(out, "{}, layer {}: {} is {}, SCALE-Sim says {}\n", difference.run,
                   difference.layer, difference.field, difference.found, difference.expected);
  }
  return text;
}

}  // namespace vernier::validation
