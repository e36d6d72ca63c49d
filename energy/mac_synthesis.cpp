// Synthesised MAC units: power at a stated clock becomes energy per busy cycle, shared by the
// products of a step. Precision-scalable units draw nearly the same power in every mode (28 nm
// array measurements: median 0.97 to 1.01 of the widest mode, hardware_notes 1.10), so a product
// slot that holds padding costs as much as a used one, and a step of s cycles costs s cycles.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

struct SynthesisedUnit {
  std::string style;
  std::int64_t max_bits = 8;
  std::int64_t min_bits = 2;
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  Hertz clock{1};
  Milliwatts dynamic{0.0};
  Milliwatts leakage{0.0};
  SquareMicrons area{0.0};
  std::string source;
};

class MacSynthesis final : public Estimator {
 public:
  explicit MacSynthesis(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    if (const YamlNode* units = reader.sequence("units", Need::kRequired)) {
      for (std::size_t at = 0; at < units->items.size(); ++at) {
        read_unit(units->items[at], fmt::format("units[{}]", at), problems);
      }
    }
    reader.finish();
    problems.throw_if_any();
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    const SynthesisedUnit* unit = find(hardware);
    if (unit == nullptr) return std::nullopt;
    switch (query.action) {
      case Action::kMac:
      case Action::kMacIdle: {
        const double per_cycle = energy_of(unit->dynamic, period_of(unit->clock)).count();
        const auto& mode = query.mac->mode;
        return Estimate::of(
            {{"busy unit",
              Picojoules(per_cycle * static_cast<double>(mode.cycles) /
                         static_cast<double>(mode.macs_per_step())),
              fmt::format("{:g} mW / {} * {} cycles / {} products", unit->dynamic.count(),
                          vernier::to_text(unit->clock), mode.cycles, mode.macs_per_step()),
              unit->source}});
      }
      case Action::kLeak:
        return Estimate::of({{"leakage", energy_of(unit->leakage, period_of(query.clock)),
                              fmt::format("{:g} mW * {:g} ns", unit->leakage.count(),
                                          period_of(query.clock).count()),
                              unit->source}});
      default: return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware, Hertz) const override {
    const SynthesisedUnit* unit = find(hardware);
    if (unit == nullptr) return std::nullopt;
    return AreaEstimate{unit->area, unit->source};
  }

 private:
  static constexpr std::int64_t kWidestFusion = 8;  // a fusion unit is 16 bricks of 2 bits: 8 x 8

  void read_unit(const YamlNode& node, const std::string& path, ProblemList& problems) {
    MappingReader reader(node, path, problems);
    SynthesisedUnit unit;
    reader.text("style", unit.style, Need::kRequired, "MAC unit family");
    reader.integer("max_bits", unit.max_bits, {1, 32}, Need::kRequired, "widest operand");
    reader.integer("min_bits", unit.min_bits, {1, 32}, Need::kRequired, "narrowest operand");
    reader.integer("rows", unit.rows, {1, 1024}, Need::kRequired, "rows of the synthesised array");
    reader.integer("columns", unit.columns, {1, 1024}, Need::kRequired,
                   "columns of the synthesised array");
    unit_field(reader, "clock", "MHz", unit.clock, &parse_hertz, Need::kRequired,
               "clock of the power figures");
    unit_field(reader, "dynamic", "mW", unit.dynamic, &parse_milliwatts, Need::kRequired,
               "dynamic power");
    unit_field(reader, "leakage", "mW", unit.leakage, &parse_milliwatts, Need::kRequired,
               "leakage power");
    unit_field(reader, "area", "um2", unit.area, &parse_square_microns, Need::kRequired, "area");
    reader.text("source", unit.source, Need::kRequired, "origin of the figures");
    reader.finish();
    if (unit.clock.count() <= 0) reader.problem("clock", "must be more than 0");
    units_.push_back(std::move(unit));
  }

  // The single synthesised unit (1 x 1) whose style and widths are those of the hardware. A fusion
  // unit runs 16-bit operands on its 8-bit bricks in several cycles.
  [[nodiscard]] const SynthesisedUnit* find(const Hardware& hardware) const {
    const auto* mac = std::get_if<MacUnit>(&hardware);
    if (mac == nullptr) return nullptr;
    std::int64_t widest = std::max(mac->widest_weight.bits(), mac->widest_activation.bits());
    if (mac->style == "sum_together") widest = kWidestFusion;
    const auto found = std::find_if(units_.begin(), units_.end(), [&](const SynthesisedUnit& unit) {
      return unit.style == mac->style && unit.max_bits == widest && unit.rows == 1 &&
             unit.columns == 1 && (unit.style != "sum_together" || unit.min_bits == 2);
    });
    return found == units_.end() ? nullptr : &*found;
  }

  std::vector<SynthesisedUnit> units_;
};

}  // namespace

std::unique_ptr<Estimator> make_mac_synthesis(const YamlNode& root) {
  return std::make_unique<MacSynthesis>(root);
}

}  // namespace vernier::energy
