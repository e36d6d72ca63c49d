#include "energy/operator_table.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vernier::energy {
namespace {

// Latencies that rows may have; a clock period is rounded up to one of them.
constexpr std::array kLatencies{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0};
constexpr double kFastest = 0.75;  // ns; below it the row of 0.5 ns is taken
constexpr double kFastRow = 0.5;
constexpr double kSlack = 1e-9;

double row_latency(double period) {
  if (period < kFastest) return kFastRow;
  for (const double latency : kLatencies) {
    if (period <= latency + kSlack) return latency;
  }
  return kLatencies.back();
}

std::string times(double count) {
  return count == 1.0 ? std::string{} : fmt::format("{:g} x ", count);
}

}  // namespace

void OperatorTable::read(MappingReader& reader, ProblemList& problems) {
  const YamlNode* operators = reader.mapping("operators", Need::kRequired);
  if (operators == nullptr) return;
  for (const auto& [name, node] : operators->entries) {
    operators_.emplace(name, read_operator(name, node, problems));
  }
}

OperatorTable::Operator OperatorTable::read_operator(const std::string& name, const YamlNode& node,
                                                     ProblemList& problems) {
  const std::string path = fmt::format("operators.{}", name);
  MappingReader reader(node, path, problems);
  Operator result;
  Bits width{32};
  unit_field(reader, "reference_width", "bit", width, &parse_bits, Need::kRequired,
             "width of the figures");
  result.reference_width = static_cast<double>(std::max<std::int64_t>(1, width.count()));
  static const std::vector<std::string> laws{"linear", "quadratic", "constant"};
  enum_field(reader, "scaling", result.law, laws, Need::kRequired, "law of the width");
  if (const YamlNode* rows = reader.sequence("rows", Need::kRequired)) {
    for (std::size_t at = 0; at < rows->items.size(); ++at) {
      MappingReader entry(rows->items[at], fmt::format("{}.rows[{}]", path, at), problems);
      OperatorRow values;
      unit_field(entry, "latency", "ns", values.latency, &parse_nanoseconds, Need::kRequired,
                 "clock period that the operator meets");
      unit_field(entry, "dynamic", "pJ", values.dynamic, &parse_picojoules, Need::kRequired,
                 "energy of one operation");
      unit_field(entry, "idle", "pJ", values.idle, &parse_picojoules, Need::kRequired,
                 "energy of one idle cycle");
      unit_field(entry, "area", "um2", values.area, &parse_square_microns, Need::kRequired, "area");
      entry.text("source", values.source, Need::kRequired, "origin of the figures");
      entry.finish();
      if (rows->items[at].find("latency") != nullptr && values.latency.count() <= 0.0) {
        entry.problem("latency", "must be more than 0");
      }
      result.rows.push_back(std::move(values));
    }
    std::stable_sort(result.rows.begin(), result.rows.end(),
                     [](const auto& a, const auto& b) { return a.latency < b.latency; });
    if (result.rows.empty()) reader.problem("rows", "the list is empty");
  }
  reader.finish();
  return result;
}

const OperatorTable::Operator& OperatorTable::at(std::string_view name) const {
  const auto found = operators_.find(name);
  if (found == operators_.end()) {
    throw NotCovered(fmt::format("the table has no operator '{}'", name));
  }
  return found->second;
}

const OperatorRow& OperatorTable::row(std::string_view name, Hertz clock) const {
  const std::vector<OperatorRow>& rows = at(name).rows;
  const double wanted = row_latency(period_of(clock).count());
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const OperatorRow& candidate) {
    return std::abs(candidate.latency.count() - wanted) < kSlack;
  });
  return found == rows.end() ? rows.front() : *found;
}

OperatorTable::Factor OperatorTable::factor(std::string_view name, Width width) const {
  const Operator& op = at(name);
  const double reference = op.reference_width;
  switch (op.law) {
    case WidthLaw::kLinear:
      return {width.bits / reference, fmt::format("{:g} / {:g}", width.bits, reference)};
    case WidthLaw::kQuadratic:
      return {width.bits * width.other / (reference * reference),
              fmt::format("({:g} * {:g}) / {:g}^2", width.bits, width.other, reference)};
    case WidthLaw::kConstant: break;
  }
  return {1.0, "1"};
}

PriceTerm OperatorTable::dynamic(std::string_view name, Hertz clock, Width width,
                                 double count) const {
  const OperatorRow& chosen = row(name, clock);
  const Factor scaled = factor(name, width);
  return {std::string(name), Picojoules(chosen.dynamic.count() * scaled.value * count),
          fmt::format("{}{:g} pJ (row of {:g} ns) * {}", times(count), chosen.dynamic.count(),
                      chosen.latency.count(), scaled.text),
          chosen.source};
}

PriceTerm OperatorTable::idle(std::string_view name, Hertz clock, Width width, double count) const {
  const OperatorRow& chosen = row(name, clock);
  const Factor scaled = factor(name, width);
  const double period = period_of(clock).count();
  return {std::string(name),
          Picojoules(chosen.idle.count() * scaled.value * period / chosen.latency.count() * count),
          fmt::format("{}{:g} pJ idle * {} * {:g} ns / {:g} ns", times(count), chosen.idle.count(),
                      scaled.text, period, chosen.latency.count()),
          chosen.source};
}

double OperatorTable::area(std::string_view name, Hertz clock, Width width, double count) const {
  return row(name, clock).area.count() * factor(name, width).value * count;
}

const std::string& OperatorTable::source(std::string_view name, Hertz clock) const {
  return row(name, clock).source;
}

}  // namespace vernier::energy
