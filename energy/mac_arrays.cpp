// Measured precision-scalable MAC arrays: power per mode of operand widths. A product costs
// power / (clock * products per cycle); the share of the accumulators is priced apart and scales
// with the accumulator's width. No brick count enters: a mode is measured or it lies between two
// that are.
//
// Modes that were not measured:
// - activation and weight exchanged: the same power (the arrays treat both operands alike);
// - products per cycle between two measured modes: power on the line over log2(products per cycle);
// - wider than the widest mode: the widest mode's power for every cycle of the step.
// Designs without asymmetric modes (subword): a unit that runs such operands in the mode of the
// wider one, padded, has that mode's price; any other has none.
//
// A product slot that holds padding switches like any other (power is flat over the modes). Power
// of idle arrays and leakage alone were not measured; they are contained in the busy power, so
// leakage over time is 0 here and cycles without work are free: a lower bound.
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

struct MeasuredMode {
  std::int64_t activation = 8;
  std::int64_t weight = 8;
  std::int64_t products = 1;  // per cycle of the whole array
  Milliwatts power{0.0};
  Milliwatts accumulator{0.0};
};

struct ClockPoint {
  Hertz clock{1};
  SquareMicrons area{0.0};
  std::vector<MeasuredMode> modes;
};

struct Design {
  std::string stands_for;
  std::vector<ClockPoint> clocks;  // ascending
};

// Power of a mode and how it was found.
struct ModePower {
  double array = 0.0;        // mW, without the accumulators
  double accumulator = 0.0;  // mW
  double products = 1.0;     // per cycle of the whole array
  std::string origin;
};

class MacArrays final : public Estimator {
 public:
  explicit MacArrays(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    reader.text("source", source_, Need::kRequired, "origin of the figures");
    reader.integer("reference_products", reference_products_, {1, 1'000'000}, Need::kRequired,
                   "products per cycle of each array in its widest mode, one per unit");
    unit_field(reader, "accumulator", "bit", accumulator_, &parse_bits, Need::kRequired,
               "width of the measured accumulators");
    if (root.find("accumulator") != nullptr && accumulator_.count() <= 0) {
      reader.problem("accumulator", "must be more than 0");
    }
    if (const YamlNode* designs = reader.mapping("designs", Need::kRequired)) {
      for (const auto& [name, node] : designs->entries) read_design(name, node, problems);
    }
    reader.finish();
    problems.throw_if_any();
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    const auto* unit = std::get_if<MacUnit>(&hardware);
    if (unit == nullptr) return std::nullopt;
    const std::string* name = design_for(unit->style);
    if (name == nullptr) return std::nullopt;
    if (query.mac != nullptr) require_same_products(*name, *query.mac, query.clock);
    return price(*name, to_text(query.action), query.mac,
                 static_cast<double>(unit->accumulator_bits), query.clock);
  }
  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware,
                                                 Hertz clock) const override {
    const auto* unit = std::get_if<MacUnit>(&hardware);
    if (unit == nullptr) return std::nullopt;
    const std::string* name = design_for(unit->style);
    if (name == nullptr) return std::nullopt;
    return unit_area(*name, clock);
  }

  [[nodiscard]] const std::vector<std::string>& entries() const override { return names_; }
  [[nodiscard]] std::vector<std::string> entry_actions(const EntryUse&) const override {
    return {"mac", "mac_idle", "leak"};
  }
  [[nodiscard]] std::optional<Estimate> entry_energy(const EntryUse& use, const EntryAction& action,
                                                     const PrimitivePricer&) const override {
    const auto bits = use.attributes.find("accumulator_bits");
    const auto* width = bits == use.attributes.end() ? nullptr : std::get_if<double>(&bits->second);
    const double accumulator =
        width == nullptr ? static_cast<double>(accumulator_.count()) : *width;
    return price(use.entry, action.name, action.mode, accumulator, action.clock);
  }
  [[nodiscard]] std::optional<AreaEstimate> entry_area(const EntryUse& use, Hertz clock,
                                                       const PrimitivePricer&) const override {
    return unit_area(use.entry, clock);
  }

 private:
  void read_design(const std::string& name, const YamlNode& node, ProblemList& problems) {
    const std::string path = fmt::format("designs.{}", name);
    MappingReader reader(node, path, problems);
    Design design;
    std::string scaling;
    reader.text("scaling", scaling, Need::kOptional, "how bit groups are unrolled, for readers");
    reader.text("stands_for", design.stands_for, Need::kOptional,
                "MAC family that this design prices without a map");
    if (const YamlNode* clocks = reader.sequence("clocks", Need::kRequired)) {
      for (std::size_t at = 0; at < clocks->items.size(); ++at) {
        design.clocks.push_back(
            read_clock(clocks->items[at], fmt::format("{}.clocks[{}]", path, at), problems));
      }
    }
    std::stable_sort(design.clocks.begin(), design.clocks.end(),
                     [](const ClockPoint& a, const ClockPoint& b) { return a.clock < b.clock; });
    if (design.clocks.empty()) reader.problem("clocks", "the list is empty");
    reader.finish();
    names_.push_back(name);
    designs_.emplace(name, std::move(design));
  }

  static ClockPoint read_clock(const YamlNode& node, const std::string& path,
                               ProblemList& problems) {
    MappingReader reader(node, path, problems);
    ClockPoint point;
    unit_field(reader, "clock", "MHz", point.clock, &parse_hertz, Need::kRequired,
               "clock that the array was built for");
    if (node.find("clock") != nullptr && point.clock.count() <= 0) {
      reader.problem("clock", "must be more than 0");
    }
    unit_field(reader, "area", "um2", point.area, &parse_square_microns, Need::kRequired,
               "area of the whole array");
    if (const YamlNode* modes = reader.sequence("modes", Need::kRequired)) {
      for (std::size_t at = 0; at < modes->items.size(); ++at) {
        MappingReader entry(modes->items[at], fmt::format("{}.modes[{}]", path, at), problems);
        MeasuredMode mode;
        entry.integer("activation", mode.activation, {1, 32}, Need::kRequired, "activation bits");
        entry.integer("weight", mode.weight, {1, 32}, Need::kRequired, "weight bits");
        entry.integer("macs_per_cycle", mode.products, {1, 1'000'000'000}, Need::kRequired,
                      "products per cycle of the whole array");
        unit_field(entry, "power", "mW", mode.power, &parse_milliwatts, Need::kRequired,
                   "power of the whole array");
        unit_field(entry, "accumulator", "mW", mode.accumulator, &parse_milliwatts, Need::kRequired,
                   "share of the accumulators");
        entry.finish();
        if (mode.accumulator > mode.power) entry.problem("accumulator", "is more than the power");
        point.modes.push_back(mode);
      }
    }
    if (point.modes.empty()) reader.problem("modes", "the list is empty");
    reader.finish();
    return point;
  }

  [[nodiscard]] const std::string* design_for(std::string_view style) const {
    const auto found = std::find_if(names_.begin(), names_.end(), [&](const std::string& name) {
      return designs_.at(name).stands_for == style;
    });
    return found == names_.end() ? nullptr : &*found;
  }

  // The slowest measured design that meets the clock.
  [[nodiscard]] const ClockPoint& at_clock(const std::string& name, Hertz clock) const {
    const auto design = designs_.find(name);
    if (design == designs_.end()) {
      throw NotCovered(fmt::format("the table '{}' has no design '{}'{}", this->name(), shown(name),
                                   suggestion(name, names_)));
    }
    for (const ClockPoint& point : design->second.clocks) {
      if (point.clock >= clock) return point;
    }
    throw NotCovered(fmt::format(
        "the design '{}' of the table '{}' was measured up to {}, not {}", name, this->name(),
        vernier::to_text(design->second.clocks.back().clock), vernier::to_text(clock)));
  }

  [[nodiscard]] ModePower power_of(const std::string& name, const ClockPoint& point,
                                   const MacUnitMode& mode) const {
    const std::int64_t weight = mode.weight.bits();
    const std::int64_t activation = mode.activation.bits();
    for (const bool mirrored : {false, true}) {
      for (const MeasuredMode& measured : point.modes) {
        if ((mirrored ? measured.weight : measured.activation) != activation ||
            (mirrored ? measured.activation : measured.weight) != weight) {
          continue;
        }
        return {measured.power.count() - measured.accumulator.count(), measured.accumulator.count(),
                static_cast<double>(measured.products),
                mirrored ? "measured with the operands exchanged" : "measured"};
      }
    }
    return between(name, point, mode);
  }

  // A family has many units; the design stands for those that do as many products per cycle.
  void require_same_products(const std::string& name, const MacUnitMode& mode, Hertz clock) const {
    for (const MeasuredMode& measured : at_clock(name, clock).modes) {
      if (measured.weight != mode.weight.bits() || measured.activation != mode.activation.bits()) {
        continue;
      }
      const double per_unit =
          static_cast<double>(measured.products) / static_cast<double>(reference_products_);
      if (per_unit == arch::macs_per_cycle(mode.mode)) return;
      throw NotCovered(fmt::format(
          "the design '{}' of the table '{}' does {:g} products per cycle and unit at w{} a{}, the "
          "machine's unit {:g}; name a design in energy.map",
          name, this->name(), per_unit, measured.weight, measured.activation,
          arch::macs_per_cycle(mode.mode)));
    }
  }

  // A unit without asymmetric modes runs such operands in the mode of the wider one, padded.
  [[nodiscard]] static const MeasuredMode* padded_mode(const ClockPoint& point,
                                                       const MacUnitMode& mode, double products) {
    const std::int64_t wider = std::max(mode.weight, mode.activation).bits();
    for (const MeasuredMode& measured : point.modes) {
      if (measured.weight == wider && measured.activation == wider &&
          static_cast<double>(measured.products) == products) {
        return &measured;
      }
    }
    return nullptr;
  }

  // The two measured modes around the products per cycle of an unmeasured one.
  [[nodiscard]] ModePower between(const std::string& name, const ClockPoint& point,
                                  const MacUnitMode& mode) const {
    const double products =
        arch::macs_per_cycle(mode.mode) * static_cast<double>(reference_products_);
    const MeasuredMode* low = nullptr;   // most products not above
    const MeasuredMode* high = nullptr;  // least products not below
    bool asymmetric = false;
    for (const MeasuredMode& measured : point.modes) {
      const auto count = static_cast<double>(measured.products);
      if (count <= products && (low == nullptr || measured.products > low->products)) {
        low = &measured;
      }
      if (count >= products && (high == nullptr || measured.products < high->products)) {
        high = &measured;
      }
      asymmetric = asymmetric || measured.activation != measured.weight;
    }
    if (const MeasuredMode* padded = asymmetric ? nullptr : padded_mode(point, mode, products)) {
      return {padded->power.count() - padded->accumulator.count(), padded->accumulator.count(),
              products,
              fmt::format("measured at w{0} a{0}, the narrower operand padded", padded->weight)};
    }
    if (high == nullptr || (!asymmetric && mode.weight != mode.activation)) {
      throw NotCovered(fmt::format("the design '{}' of the table '{}' has no mode w{} a{}", name,
                                   this->name(), mode.weight.bits(), mode.activation.bits()));
    }
    if (low == nullptr) low = high;  // wider than the widest: several cycles at its power
    const double span =
        std::log2(static_cast<double>(high->products) / static_cast<double>(low->products));
    const double share =
        span > 0.0 ? std::log2(products / static_cast<double>(low->products)) / span : 0.0;
    const auto blend = [share](Milliwatts a, Milliwatts b) {
      return a.count() * (1.0 - share) + b.count() * share;
    };
    const double accumulator = blend(low->accumulator, high->accumulator);
    return {blend(low->power, high->power) - accumulator, accumulator, products,
            fmt::format("power between the measured w{} a{} and w{} a{}", low->weight,
                        low->activation, high->weight, high->activation)};
  }

  [[nodiscard]] std::optional<Estimate> price(const std::string& name, std::string_view action,
                                              const MacUnitMode* mode, double accumulator,
                                              Hertz clock) const {
    if (action == "leak") {
      return Estimate::of(
          {{"leakage", Picojoules(0.0),
            "0: contained in the power of busy cycles, not measured apart", source_}});
    }
    if ((action != "mac" && action != "mac_idle") || mode == nullptr) return std::nullopt;
    const ClockPoint& point = at_clock(name, clock);
    const ModePower power = power_of(name, point, *mode);
    const double period = period_of(point.clock).count();
    const double per_product = period / power.products;
    const double width_ratio = accumulator / static_cast<double>(accumulator_.count());
    return Estimate::of(
        {{name, Picojoules(power.array * per_product),
          fmt::format("{:.6g} mW * {:g} ns / {:g} products, {}", power.array, period,
                      power.products, power.origin),
          source_},
         {"accumulator", Picojoules(power.accumulator * per_product * width_ratio),
          fmt::format("{:.6g} mW * {:g} ns / {:g} products * {:g} bit / {} bit", power.accumulator,
                      period, power.products, accumulator, accumulator_.count()),
          source_}});
  }

  [[nodiscard]] AreaEstimate unit_area(const std::string& name, Hertz clock) const {
    const ClockPoint& point = at_clock(name, clock);
    return {SquareMicrons(point.area.count() / static_cast<double>(reference_products_)), source_};
  }

  std::string source_;
  std::int64_t reference_products_ = 1;
  Bits accumulator_{1};
  std::map<std::string, Design, std::less<>> designs_;
  std::vector<std::string> names_;  // file order
};

}  // namespace

std::unique_ptr<Estimator> make_mac_arrays(const YamlNode& root) {
  return std::make_unique<MacArrays>(root);
}

}  // namespace vernier::energy
