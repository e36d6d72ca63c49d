#include "frontends/report/import_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace vernier::frontends {
namespace {

// "8 int", "4 uint asymmetric", "2/4 int" when sliced.
std::string precision_text(const Precision& precision) {
  std::string bits;
  for (const PrecisionSlice& slice : precision.slices) {
    bits += fmt::format("{}{}", bits.empty() ? "" : "/", slice.bits.bits());
  }
  if (bits.empty()) bits = fmt::format("{}", precision.bits.bits());
  constexpr std::size_t kLongest = 24;
  if (bits.size() > kLongest) bits = fmt::format("{} slices", precision.slices.size());
  return fmt::format("{} {}{}", bits, to_text(precision.kind),
                     precision.asymmetric ? " asymmetric" : "");
}

std::size_t assumed_widths(const dataflow::ImportReport& report) {
  return static_cast<std::size_t>(
      std::count_if(report.widths.begin(), report.widths.end(),
                    [](const dataflow::DecidedWidth& width) { return width.assumed; }));
}

}  // namespace

std::string import_text(const dataflow::ImportReport& report) {
  std::string text = fmt::format("  format: {}\n", report.format);
  if (!report.defaults.empty()) {
    text += fmt::format("  not in the file, so assumed ({}):\n", report.defaults.size());
    for (const dataflow::AppliedDefault& applied : report.defaults) {
      text += fmt::format("    {}: {}\n", applied.where, applied.what);
    }
  }
  if (!report.skipped.empty()) {
    text += fmt::format("  no layer of their own ({}):\n", report.skipped.size());
    for (const dataflow::SkippedNode& node : report.skipped) {
      text += fmt::format("    {} {}: {}\n", node.op, node.node, node.reason);
    }
  }
  if (!report.widths.empty()) {
    text +=
        fmt::format("  widths ({}, {} assumed):\n", report.widths.size(), assumed_widths(report));
    constexpr std::size_t kWidest = 40;
    std::size_t names = 0;
    for (const dataflow::DecidedWidth& width : report.widths) {
      names = std::max(names, std::min(width.tensor.size(), kWidest));
    }
    for (const dataflow::DecidedWidth& width : report.widths) {
      text += fmt::format("    {:<{}}  {:<20}  {} ({}{})\n", width.tensor, names,
                          precision_text(width.precision), width.decided_by, width.rule,
                          width.assumed ? "; assumed" : "");
    }
  }
  return text;
}

std::string import_summary(const dataflow::ImportReport& report) {
  if (report.defaults.empty() && report.skipped.empty() && report.widths.empty()) return {};
  return fmt::format(
      "{}: {} default(s), {} node(s) skipped or folded, {} width(s), {} of them assumed "
      "(vernier check lists them)",
      report.format, report.defaults.size(), report.skipped.size(), report.widths.size(),
      assumed_widths(report));
}

}  // namespace vernier::frontends
