#include "frontends/scalesim/report_files.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include "arch/base/error.hpp"

namespace vernier::frontends::scalesim {
namespace {

constexpr std::string_view kComputeHeader =
    "Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, Compute Util %,\n";
constexpr std::string_view kBandwidthHeader =
    "LayerID, Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, "
    "Avg FILTER DRAM BW, Avg OFMAP DRAM BW,\n";
constexpr std::string_view kDetailedHeader =
    "LayerID, SRAM IFMAP Start Cycle, SRAM IFMAP Stop Cycle, SRAM IFMAP Reads, "
    "SRAM Filter Start Cycle, SRAM Filter Stop Cycle, SRAM Filter Reads, "
    "SRAM OFMAP Start Cycle, SRAM OFMAP Stop Cycle, SRAM OFMAP Writes, "
    "DRAM IFMAP Start Cycle, DRAM IFMAP Stop Cycle, DRAM IFMAP Reads, "
    "DRAM Filter Start Cycle, DRAM Filter Stop Cycle, DRAM Filter Reads, "
    "DRAM OFMAP Start Cycle, DRAM OFMAP Stop Cycle, DRAM OFMAP Writes,\n";

void append_compute(std::string& text, std::size_t id, const LayerReport& layer, Compat compat) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{}, ", id);
  if (compat == Compat::kV3) fmt::format_to(out, "{}, ", layer.total_cycles_with_prefetch);
  fmt::format_to(out, "{}, {}, {}, {}, {},\n", layer.total_cycles, layer.stall_cycles,
                 shortest(layer.overall_utilisation), shortest(layer.mapping_efficiency),
                 shortest(layer.compute_utilisation));
}

void append_bandwidth(std::string& text, std::size_t id, const LayerReport& layer) {
  fmt::format_to(std::back_inserter(text), "{}, {}, {}, {}, {}, {}, {},\n", id,
                 shortest(layer.input.sram_bandwidth), shortest(layer.filter.sram_bandwidth),
                 shortest(layer.output.sram_bandwidth), shortest(layer.input.dram_bandwidth),
                 shortest(layer.filter.dram_bandwidth), shortest(layer.output.dram_bandwidth));
}

void append_detailed(std::string& text, std::size_t id, const LayerReport& layer) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{},", id);
  const std::array ports{&layer.input, &layer.filter, &layer.output};
  for (const PortReport* port : ports) {
    fmt::format_to(out, " {}.0, {}.0, {},", port->sram_start, port->sram_stop, port->sram_words);
  }
  for (const PortReport* port : ports) {
    fmt::format_to(out, " {}.0, {}.0, {},", port->dram_start, port->dram_stop, port->dram_words);
  }
  text += '\n';
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  stream.flush();
  if (!stream) throw ConfigError(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace

std::string shortest(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

ReportFiles format_reports(std::span<const LayerReport> layers, Compat compat) {
  ReportFiles files;
  files.compute = "LayerID, ";
  if (compat == Compat::kV3) files.compute += "Total Cycles (incl. prefetch), ";
  files.compute += kComputeHeader;
  files.bandwidth = kBandwidthHeader;
  files.detailed_access = kDetailedHeader;
  for (std::size_t id = 0; id < layers.size(); ++id) {
    append_compute(files.compute, id, layers[id], compat);
    append_bandwidth(files.bandwidth, id, layers[id]);
    append_detailed(files.detailed_access, id, layers[id]);
  }
  return files;
}

std::string write_reports(const ReportFiles& files, const std::string& folder,
                          const std::string& run_name) {
  const std::filesystem::path target = std::filesystem::path(folder) / run_name;
  std::error_code failure;
  std::filesystem::create_directories(target, failure);
  if (failure) {
    throw ConfigError(
        fmt::format("{}: this folder cannot be made: {}", target.string(), failure.message()));
  }
  write_file(target / "COMPUTE_REPORT.csv", files.compute);
  write_file(target / "BANDWIDTH_REPORT.csv", files.bandwidth);
  write_file(target / "DETAILED_ACCESS_REPORT.csv", files.detailed_access);
  return target.string();
}

}  // namespace vernier::frontends::scalesim
