// Operators of the Aladdin tables (40/45 nm): energy, idle energy and area per latency row, scaled
// by width (energy/operator_table). A MAC is a multiplier at its operand widths and an adder at
// accumulator width. Ignored: wires inside an operator, clock tree, operand registers.
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "energy/operator_primitives.hpp"

namespace vernier::energy {
namespace {

constexpr double kVectorWidth = 32.0;      // bits of a vector lane's adder and comparator
constexpr double kVectorFactorWidth = 16;  // bits of a vector lane's multiplier operands
constexpr double kScaleWidth = 16.0;       // bits of the requantization factor

constexpr OperatorTable::Width both(double bits) { return {bits, bits}; }

class OperatorRows final : public Estimator {
 public:
  explicit OperatorRows(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    rows_.read(reader, problems);
    for (const char* name : {"adder", "multiplier", "shifter", "comparator", "register"}) {
      if (!rows_.has(name)) {
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
      sum = rows_.area("adder", clock, accumulator(*unit)) +
            rows_.area("multiplier", clock, operands(*unit)) +
            rows_.area("register", clock, accumulator(*unit));
    } else if (std::holds_alternative<VectorLane>(hardware)) {
      sum = rows_.area("adder", clock, both(kVectorWidth)) +
            rows_.area("comparator", clock, both(kVectorWidth)) +
            rows_.area("register", clock, both(kVectorWidth)) +
            rows_.area("multiplier", clock, both(kVectorFactorWidth));
    } else if (std::holds_alternative<Requantizer>(hardware)) {
      sum = rows_.area("adder", clock, both(kVectorWidth)) +
            rows_.area("multiplier", clock, {kVectorWidth, kScaleWidth}) +
            rows_.area("shifter", clock, both(kVectorWidth));
    } else {
      return std::nullopt;
    }
    return AreaEstimate{SquareMicrons(sum), rows_.source("multiplier", clock)};
  }

  [[nodiscard]] std::optional<Estimate> primitive_energy(const Primitive& primitive,
                                                         const PrimitiveAction& action,
                                                         Hertz clock) const override {
    return operator_primitive_energy(rows_, primitive, action, clock);
  }
  [[nodiscard]] std::optional<AreaEstimate> primitive_area(const Primitive& primitive,
                                                           Hertz clock) const override {
    return operator_primitive_area(rows_, primitive, clock);
  }

 private:
  static OperatorTable::Width accumulator(const MacUnit& unit) {
    return both(static_cast<double>(unit.accumulator_bits));
  }
  static OperatorTable::Width operands(const MacUnit& unit) {
    return {static_cast<double>(unit.widest_weight.bits()),
            static_cast<double>(unit.widest_activation.bits())};
  }

  [[nodiscard]] std::optional<Estimate> mac_energy(const MacUnit& unit,
                                                   const ActionQuery& query) const {
    const Hertz clock = query.clock;
    switch (query.action) {
      case Action::kMac:
        return Estimate::of({rows_.dynamic("multiplier", clock,
                                           {static_cast<double>(query.mac->weight.bits()),
                                            static_cast<double>(query.mac->activation.bits())}),
                             rows_.dynamic("adder", clock, accumulator(unit))});
      case Action::kMacIdle:
        return Estimate::of(
            {{"gated unit", Picojoules(0.0), "0: only leakage, which every cycle pays (leak)",
              rows_.source("multiplier", clock)}});
      case Action::kZeroPointAdd:
        return Estimate::of({rows_.dynamic("adder", clock, accumulator(unit))});
      case Action::kLeak:
        return Estimate::of({rows_.idle("multiplier", clock, operands(unit)),
                             rows_.idle("adder", clock, accumulator(unit)),
                             rows_.idle("register", clock, accumulator(unit))});
      default: return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<Estimate> lane_energy(const ActionQuery& query) const {
    const Hertz clock = query.clock;
    switch (query.action) {
      case Action::kAdd:
      case Action::kAverage:
        return Estimate::of({rows_.dynamic("adder", clock, both(kVectorWidth))});
      case Action::kMultiply:
        return Estimate::of({rows_.dynamic("multiplier", clock, both(kVectorFactorWidth))});
      case Action::kMax:
      case Action::kActivation:
        return Estimate::of({rows_.dynamic("comparator", clock, both(kVectorWidth))});
      case Action::kCopy:
        return Estimate::of({rows_.dynamic("register", clock, both(kVectorWidth))});
      case Action::kLeak:
        return Estimate::of({rows_.idle("adder", clock, both(kVectorWidth)),
                             rows_.idle("comparator", clock, both(kVectorWidth)),
                             rows_.idle("register", clock, both(kVectorWidth)),
                             rows_.idle("multiplier", clock, both(kVectorFactorWidth))});
      default: return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<Estimate> requantizer_energy(const ActionQuery& query) const {
    const Hertz clock = query.clock;
    switch (query.action) {
      case Action::kRequantize:
        return Estimate::of({rows_.dynamic("adder", clock, both(kVectorWidth)),
                             rows_.dynamic("multiplier", clock, {kVectorWidth, kScaleWidth}),
                             rows_.dynamic("shifter", clock, both(kVectorWidth))});
      case Action::kLeak:
        return Estimate::of({rows_.idle("adder", clock, both(kVectorWidth)),
                             rows_.idle("multiplier", clock, {kVectorWidth, kScaleWidth}),
                             rows_.idle("shifter", clock, both(kVectorWidth))});
      default: return std::nullopt;
    }
  }

  OperatorTable rows_;
};

}  // namespace

std::unique_ptr<Estimator> make_operator_rows(const YamlNode& root) {
  return std::make_unique<OperatorRows>(root);
}

}  // namespace vernier::energy
