// Compares `vernier scalesim` with numbers that SCALE-Sim itself gave. One row is one layer on one
// configuration. Integers must be equal, ratios equal to 1e-9 relative.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/scalesim/config.hpp"
#include "frontends/scalesim/layer.hpp"
#include "frontends/scalesim/layer_report.hpp"

namespace vernier::validation {

/// A layer that the peer simulated, and the fields it reported, by the names of the reference CSV.
struct ScaleSimRow {
  std::string run;
  frontends::scalesim::Config config;
  frontends::scalesim::Layer layer;
  std::map<std::string, double, std::less<>> expected;
};

/// Reads reference rows: columns of the run, of the layer, and of the results, one header line.
/// Lines that begin with '#' are notes. Throws ConfigError.
[[nodiscard]] std::vector<ScaleSimRow> read_scale_sim_rows(std::string_view text,
                                                           const std::string& file);

/// One field that differs.
struct FieldDifference {
  std::string run;
  std::string layer;
  std::string field;
  double expected = 0;
  double found = 0;
};

struct FieldTally {
  std::int64_t equal = 0;
  std::int64_t different = 0;
};

struct ScaleSimComparison {
  std::int64_t rows = 0;
  std::int64_t equal_rows = 0;
  std::map<std::string, FieldTally> fields;
  std::vector<FieldDifference> differences;
};

/// Simulates every row and compares every expected field.
[[nodiscard]] ScaleSimComparison compare_with_scale_sim(const std::vector<ScaleSimRow>& rows,
                                                        int jobs = 1);

/// The value of a field by its name in the reference CSV; throws ConfigError for an unknown one.
[[nodiscard]] double report_field(const frontends::scalesim::LayerReport& report,
                                  std::string_view field);

/// Names of all fields, in the order of the reports.
[[nodiscard]] std::vector<std::string> report_field_names();

/// A table of equal and different fields, and the first differences in words.
[[nodiscard]] std::string to_text(const ScaleSimComparison& comparison);

}  // namespace vernier::validation
