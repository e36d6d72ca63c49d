// Operators of the Aladdin tables (40/45 nm): energy, idle energy and area per latency row, scaled
// by width. Rules (Accelergy's Aladdin plug-in): the latency is rounded up to a row, below 0.75 ns
// the 0.5 ns row is taken, a missing row falls back to the first; adders, comparators, shifters
// and registers scale linearly with their width, multipliers with the product of both widths.
// A MAC is a multiplier at its operand widths and an adder at accumulator width. Ignored: wires,
// clock tree, operand registers.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

enum class Scaling : std::uint8_t { kLinear, kQuadratic };

struct OperatorRow {
  Nanoseconds latency{0.0};
  Picojoules dynamic{0.0};
  Picojoules idle{0.0};
  SquareMicrons area{0.0};
  std::string source;
};

struct Operator {
  double reference_width = 32.0;
  Scaling scaling = Scaling::kLinear;
  std::vector<OperatorRow> rows;  // ascending latency
};

constexpr double kVectorWidth = 32.0;      // bits of a vector lane's adder and comparator
constexpr double kVectorFactorWidth = 16;  // bits of a vector lane's multiplier operands
constexpr double kScaleWidth = 16.0;       // bits of the requantization factor

class OperatorRows final : public Estimator {
 public:
  explicit OperatorRows(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    if (const YamlNode* operators = reader.mapping("operators", Need::kRequired)) {
      for (const auto& [name, node] : operators->entries) read_operator(name, node, problems);
    }
    for (const char* name : {"adder", "multiplier", "shifter", "comparator", "register"}) {
      if (!operators_.contains(name)) {
        problems.add(root.place, "operators", fmt::format("the operator '{}' is missing", name));
      }
    }
    reader.finish();
    problems.throw_if_any();
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    if (const auto* unit = std::get_if<MacUnit>(&hardware)) return mac_energy(*unit, query);
    if (std::holds_alternative<VectorLane>(hardware)) return lane_energy(query);
    if (std::holds_alternative<Requantizer>(hardware)) return requantizer_energy(query);
    return std::nullopt;
  }

  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware,
                                                 Hertz clock) const override {
    double sum = 0.0;
    if (const auto* unit = std::get_if<MacUnit>(&hardware)) {
      sum =
          area_of("adder", clock, accumulator_width(*unit)) +
          area_of("multiplier", clock, unit->widest_weight.bits(), unit->widest_activation.bits()) +
          area_of("register", clock, accumulator_width(*unit));
    } else if (std::holds_alternative<VectorLane>(hardware)) {
      sum = area_of("adder", clock, kVectorWidth) + area_of("comparator", clock, kVectorWidth) +
            area_of("register", clock, kVectorWidth) +
            area_of("multiplier", clock, kVectorFactorWidth, kVectorFactorWidth);
    } else if (std::holds_alternative<Requantizer>(hardware)) {
      sum = area_of("adder", clock, kVectorWidth) + area_of("shifter", clock, kVectorWidth) +
            area_of("multiplier", clock, kVectorWidth, kScaleWidth);
    } else {
      return std::nullopt;
    }
    return AreaEstimate{SquareMicrons(sum), row("adder", clock).source};
  }

 private:
  static double accumulator_width(const MacUnit& unit) {
    return static_cast<double>(unit.accumulator_bits);
  }

  void read_operator(const std::string& name, const YamlNode& node, ProblemList& problems) {
    const std::string path = fmt::format("operators.{}", name);
    MappingReader reader(node, path, problems);
    Operator result;
    Bits width{32};
    unit_field(reader, "reference_width", "bit", width, &parse_bits, Need::kRequired,
               "width of the figures");
    result.reference_width = static_cast<double>(std::max<std::int64_t>(1, width.count()));
    static const std::vector<std::string> scalings{"linear", "quadratic"};
    enum_field(reader, "scaling", result.scaling, scalings, Need::kRequired, "law of the width");
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
        unit_field(entry, "area", "um2", values.area, &parse_square_microns, Need::kRequired,
                   "area");
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
    operators_.emplace(name, std::move(result));
  }

  [[nodiscard]] const OperatorRow& row(const std::string& name, Hertz clock) const {
    constexpr double kFastest = 0.75;  // ns; below it the fastest row is taken
    constexpr double kSlack = 1e-9;
    const std::vector<OperatorRow>& rows = operators_.at(name).rows;
    const double period = period_of(clock).count();
    if (period < kFastest) return rows.front();
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const OperatorRow& candidate) {
      return candidate.latency.count() >= std::max(1.0, period) - kSlack;
    });
    return found == rows.end() ? rows.back() : *found;
  }
  // Width factor: linear in `width`, or (quadratic law) in the product of both widths.
  [[nodiscard]] double factor(const std::string& name, double width, double other) const {
    const Operator& op = operators_.at(name);
    if (op.scaling == Scaling::kLinear) return width / op.reference_width;
    return width * other / (op.reference_width * op.reference_width);
  }
  [[nodiscard]] double dynamic(const std::string& name, Hertz clock, double width,
                               double other) const {
    return row(name, clock).dynamic.count() * factor(name, width, other);
  }
  [[nodiscard]] double dynamic(const std::string& name, Hertz clock, double width) const {
    return dynamic(name, clock, width, width);
  }
  // Idle energy of one clock cycle: the row states it for its own latency, so it is a power.
  [[nodiscard]] double idle(const std::string& name, Hertz clock, double width,
                            double other) const {
    const OperatorRow& chosen = row(name, clock);
    return chosen.idle.count() * factor(name, width, other) * period_of(clock).count() /
           chosen.latency.count();
  }
  [[nodiscard]] double idle(const std::string& name, Hertz clock, double width) const {
    return idle(name, clock, width, width);
  }
  [[nodiscard]] double area_of(const std::string& name, Hertz clock, double width,
                               double other) const {
    return row(name, clock).area.count() * factor(name, width, other);
  }
  [[nodiscard]] double area_of(const std::string& name, Hertz clock, double width) const {
    return area_of(name, clock, width, width);
  }
  [[nodiscard]] Estimate priced(double picojoules, const std::string& name, Hertz clock) const {
    return {Picojoules(picojoules), row(name, clock).source};
  }

  [[nodiscard]] std::optional<Estimate> mac_energy(const MacUnit& unit,
                                                   const ActionQuery& query) const {
    const double accumulator = accumulator_width(unit);
    switch (query.action) {
      case Action::kMac:
        return priced(dynamic("multiplier", query.clock, query.mac->weight.bits(),
                              query.mac->activation.bits()) +
                          dynamic("adder", query.clock, accumulator),
                      "multiplier", query.clock);
      case Action::kMacIdle:  // gated: only leakage, which every cycle pays (kLeak)
        return priced(0.0, "multiplier", query.clock);
      case Action::kZeroPointAdd:
        return priced(dynamic("adder", query.clock, accumulator), "adder", query.clock);
      case Action::kLeak:
        return priced(idle("multiplier", query.clock, unit.widest_weight.bits(),
                           unit.widest_activation.bits()) +
                          idle("adder", query.clock, accumulator) +
                          idle("register", query.clock, accumulator),
                      "multiplier", query.clock);
      default: return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<Estimate> lane_energy(const ActionQuery& query) const {
    const Hertz clock = query.clock;
    switch (query.action) {
      case Action::kAdd:
      case Action::kAverage: return priced(dynamic("adder", clock, kVectorWidth), "adder", clock);
      case Action::kMultiply:
        return priced(dynamic("multiplier", clock, kVectorFactorWidth), "multiplier", clock);
      case Action::kMax:
      case Action::kActivation:
        return priced(dynamic("comparator", clock, kVectorWidth), "comparator", clock);
      case Action::kCopy:
        return priced(dynamic("register", clock, kVectorWidth), "register", clock);
      case Action::kLeak:
        return priced(idle("adder", clock, kVectorWidth) + idle("comparator", clock, kVectorWidth) +
                          idle("register", clock, kVectorWidth) +
                          idle("multiplier", clock, kVectorFactorWidth),
                      "adder", clock);
      default: return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<Estimate> requantizer_energy(const ActionQuery& query) const {
    const Hertz clock = query.clock;
    switch (query.action) {
      case Action::kRequantize:
        return priced(dynamic("adder", clock, kVectorWidth) +
                          dynamic("multiplier", clock, kVectorWidth, kScaleWidth) +
                          dynamic("shifter", clock, kVectorWidth),
                      "multiplier", clock);
      case Action::kLeak:
        return priced(idle("adder", clock, kVectorWidth) +
                          idle("multiplier", clock, kVectorWidth, kScaleWidth) +
                          idle("shifter", clock, kVectorWidth),
                      "multiplier", clock);
      default: return std::nullopt;
    }
  }

  std::map<std::string, Operator> operators_;
};

}  // namespace

std::unique_ptr<Estimator> make_operator_rows(const YamlNode& root) {
  return std::make_unique<OperatorRows>(root);
}

}  // namespace vernier::energy
