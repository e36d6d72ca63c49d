// The three report files of SCALE-Sim as text: its column names, its order, its number forms.
#pragma once

#include <span>
#include <string>

#include "frontends/scalesim/layer_report.hpp"

namespace vernier::frontends::scalesim {

struct ReportFiles {
  std::string compute;
  std::string bandwidth;
  std::string detailed_access;
};

/// Formats the reports of all layers; v3 has one column more in the compute report.
[[nodiscard]] ReportFiles format_reports(std::span<const LayerReport> layers, Compat compat);

/// Writes COMPUTE_REPORT.csv, BANDWIDTH_REPORT.csv and DETAILED_ACCESS_REPORT.csv into
/// `folder`/`run_name`, which is made when it does not exist, and returns that folder. Throws
/// ConfigError when a file cannot be written.
std::string write_reports(const ReportFiles& files, const std::string& folder,
                          const std::string& run_name);

/// The shortest text that reads back equal, with at least one digit after the point: "10.0".
[[nodiscard]] std::string shortest(double value);

}  // namespace vernier::frontends::scalesim
