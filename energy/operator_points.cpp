// Adders and multipliers at single widths (Horowitz, ISSCC 2014), with one SRAM and one DRAM
// figure. At a stated width the price is the stated figure. Between two widths: adders on the line
// between them, multipliers on the power law through them (in the geometric mean of both operand
// widths: a multiplier's cells are the product of its widths). Outside the stated widths there is
// no answer. The table states no idle energy and no leakage, so another table must.
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

struct Point {
  std::int64_t width = 0;
  Picojoules energy{0.0};
  SquareMicrons area{0.0};
  std::string source;
};

struct MemoryPoint {
  Bytes capacity{0};
  Bits word{0};
  Picojoules read{0.0};
  std::string source;
};

constexpr double kVectorWidth = 32.0;
constexpr double kVectorFactorWidth = 16.0;

class OperatorPoints final : public Estimator {
 public:
  explicit OperatorPoints(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    for (const char* name : {"adder", "multiplier", "fp_adder", "fp_multiplier"}) {
      read_points(reader, name, problems);
    }
    if (const YamlNode* sram = reader.mapping("sram", Need::kRequired)) {
      read_memory(*sram, "sram", sram_, problems);
    }
    if (const YamlNode* dram = reader.mapping("dram", Need::kRequired)) {
      read_memory(*dram, "dram", dram_, problems);
    }
    reader.finish();
    problems.throw_if_any();
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    if (const auto* unit = std::get_if<MacUnit>(&hardware)) return mac_energy(*unit, query);
    if (const auto* bank = std::get_if<SramBank>(&hardware)) return sram_energy(*bank, query);
    if (std::holds_alternative<DramInterface>(hardware)) return dram_energy(query);
    if (!std::holds_alternative<VectorLane>(hardware)) return std::nullopt;
    if (query.action == Action::kAdd || query.action == Action::kAverage) {
      return Estimate::of({adder(kVectorWidth)});
    }
    if (query.action == Action::kMultiply) {
      return Estimate::of({multiplier(kVectorFactorWidth, kVectorFactorWidth)});
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware, Hertz) const override {
    const auto* unit = std::get_if<MacUnit>(&hardware);
    if (unit == nullptr) return std::nullopt;
    const double factor_width = mean_width(static_cast<double>(unit->widest_weight.bits()),
                                           static_cast<double>(unit->widest_activation.bits()));
    const auto width = static_cast<double>(unit->accumulator_bits);
    const auto area_of = [](const Point& point) { return point.area.count(); };
    const auto& adders = points_.at("adder");
    const auto& multipliers = points_.at("multiplier");
    return AreaEstimate{SquareMicrons(linear(adders, span("adder", width), width, area_of) +
                                      power_law(multipliers, span("multiplier", factor_width),
                                                factor_width, area_of)),
                        multipliers.front().source};
  }

  [[nodiscard]] std::optional<Estimate> primitive_energy(const Primitive& primitive,
                                                         const PrimitiveAction& action,
                                                         Hertz) const override {
    for (const char* idle : {"idle", "leak", "mac_gated", "mult_gated"}) {
      if (action.name == idle) return std::nullopt;
    }
    const double width = primitive.number_or("width", primitive.number_or("datawidth", 32.0));
    if (primitive.class_name == "intadder") return Estimate::of({adder(width)});
    if (primitive.class_name == "intmultiplier") {
      return Estimate::of({multiplier(primitive.number_or("width_a", width),
                                      primitive.number_or("width_b", width))});
    }
    if (primitive.class_name == "fpadder") return Estimate::of({exact("fp_adder", width)});
    if (primitive.class_name == "fpmultiplier") {
      return Estimate::of({exact("fp_multiplier", width)});
    }
    if (primitive.class_name == "fpmac") {
      return Estimate::of({exact("fp_multiplier", width), exact("fp_adder", width)});
    }
    return std::nullopt;
  }

 private:
  using Points = std::vector<Point>;
  struct Span {
    std::size_t low;
    std::size_t high;
  };

  void read_points(MappingReader& reader, const std::string& name, ProblemList& problems) {
    const YamlNode* list = reader.sequence(name, Need::kRequired);
    if (list == nullptr) return;
    Points points;
    for (std::size_t at = 0; at < list->items.size(); ++at) {
      MappingReader entry(list->items[at], fmt::format("{}[{}]", name, at), problems);
      Point point;
      entry.integer("width", point.width, {1, 64}, Need::kRequired, "operand width, bit");
      unit_field(entry, "energy", "pJ", point.energy, &parse_picojoules, Need::kRequired,
                 "energy of one operation");
      unit_field(entry, "area", "um2", point.area, &parse_square_microns, Need::kRequired, "area");
      entry.text("source", point.source, Need::kRequired, "origin of the figures");
      entry.finish();
      if (list->items[at].find("energy") != nullptr && point.energy.count() <= 0.0) {
        entry.problem("energy", "must be more than 0");
      }
      points.push_back(std::move(point));
    }
    std::stable_sort(points.begin(), points.end(),
                     [](const Point& a, const Point& b) { return a.width < b.width; });
    for (std::size_t at = 1; at < points.size(); ++at) {
      if (points[at].width == points[at - 1].width) reader.problem(name, "a width stands twice");
    }
    if (points.empty()) reader.problem(name, "the list is empty");
    points_.emplace(name, std::move(points));
  }

  static void read_memory(const YamlNode& node, const std::string& path, MemoryPoint& point,
                          ProblemList& problems) {
    MappingReader reader(node, path, problems);
    if (path == "sram") {
      unit_field(reader, "capacity", "B, KiB", point.capacity, &parse_bytes, Need::kRequired,
                 "size of the memory");
    }
    unit_field(reader, "word", "bit", point.word, &parse_bits, Need::kRequired,
               "width of one access");
    unit_field(reader, "read", "pJ", point.read, &parse_picojoules, Need::kRequired,
               "energy of one access");
    reader.text("source", point.source, Need::kRequired, "origin of the figures");
    reader.finish();
    if (node.find("word") != nullptr && point.word.count() <= 0) {
      reader.problem("word", "must be more than 0");
    }
  }

  // The stated widths around `width`.
  [[nodiscard]] Span span(const std::string& name, double width) const {
    const Points& points = points_.at(name);
    if (width < static_cast<double>(points.front().width) ||
        width > static_cast<double>(points.back().width)) {
      throw NotCovered(
          fmt::format("{} of {:g} bit is outside the range of the table '{}': {} to "
                      "{} bit",
                      name, width, this->name(), points.front().width, points.back().width));
    }
    std::size_t high = 0;
    while (static_cast<double>(points[high].width) < width) ++high;
    const bool hit = static_cast<double>(points[high].width) == width;
    return {hit ? high : high - 1, high};
  }

  template <typename Field>
  static double linear(const Points& points, Span at, double width, Field field) {
    const Point& low = points[at.low];
    const Point& high = points[at.high];
    if (at.low == at.high) return field(low);
    const double share =
        (width - static_cast<double>(low.width)) / static_cast<double>(high.width - low.width);
    return field(low) * (1.0 - share) + field(high) * share;
  }
  template <typename Field>
  static double power_law(const Points& points, Span at, double width, Field field) {
    const Point& low = points[at.low];
    const Point& high = points[at.high];
    if (at.low == at.high) return field(low);
    const double exponent =
        std::log(field(high) / field(low)) /
        std::log(static_cast<double>(high.width) / static_cast<double>(low.width));
    return field(low) * std::pow(width / static_cast<double>(low.width), exponent);
  }
  static double mean_width(double first, double second) { return std::sqrt(first * second); }

  [[nodiscard]] static std::string origin(const Points& points, Span at, std::string_view law) {
    if (at.low == at.high) {
      return fmt::format("stated at {} bit", points[at.low].width);
    }
    return fmt::format("{} between {:g} pJ at {} bit and {:g} pJ at {} bit", law,
                       points[at.low].energy.count(), points[at.low].width,
                       points[at.high].energy.count(), points[at.high].width);
  }

  [[nodiscard]] PriceTerm adder(double width) const {
    const Points& points = points_.at("adder");
    const Span at = span("adder", width);
    const double energy =
        linear(points, at, width, [](const Point& p) { return p.energy.count(); });
    return {fmt::format("adder {:g} bit", width), Picojoules(energy), origin(points, at, "line"),
            points[at.low].source};
  }
  [[nodiscard]] PriceTerm multiplier(double first, double second) const {
    const Points& points = points_.at("multiplier");
    const double width = mean_width(first, second);
    const Span at = span("multiplier", width);
    const double energy =
        power_law(points, at, width, [](const Point& p) { return p.energy.count(); });
    return {fmt::format("multiplier {:g} x {:g} bit", first, second), Picojoules(energy),
            origin(points, at, "power law"), points[at.low].source};
  }
  // Floating point formats are no points of a line: only those stated have a price.
  [[nodiscard]] PriceTerm exact(const std::string& name, double width) const {
    for (const Point& point : points_.at(name)) {
      if (static_cast<double>(point.width) == width) {
        return {fmt::format("{} {} bit", name, point.width), point.energy, "stated", point.source};
      }
    }
    throw NotCovered(
        fmt::format("the table '{}' has no {} of {:g} bit", this->name(), name, width));
  }

  [[nodiscard]] std::optional<Estimate> mac_energy(const MacUnit& unit,
                                                   const ActionQuery& query) const {
    const auto width = static_cast<double>(unit.accumulator_bits);
    switch (query.action) {
      case Action::kMac:
        return Estimate::of(
            {multiplier(query.mac->weight.bits(), query.mac->activation.bits()), adder(width)});
      case Action::kMacIdle:
        return Estimate::of({{"gated unit", Picojoules(0.0), "0: operands do not toggle",
                              points_.at("multiplier").front().source}});
      case Action::kZeroPointAdd: return Estimate::of({adder(width)});
      default: return std::nullopt;
    }
  }
  [[nodiscard]] std::optional<Estimate> sram_energy(const SramBank& bank,
                                                    const ActionQuery& query) const {
    if (query.action != Action::kRead) return std::nullopt;
    if (bank.capacity != sram_.capacity || bank.word != sram_.word) {
      throw NotCovered(fmt::format("the table '{}' has one SRAM only: {} with words of {} bit",
                                   name(), vernier::to_text(sram_.capacity), sram_.word.count()));
    }
    return Estimate::of({{"read", sram_.read, "stated", sram_.source}});
  }
  [[nodiscard]] std::optional<Estimate> dram_energy(const ActionQuery& query) const {
    if (is_row_action(query.action)) {
      return Estimate::of(
          {{"rows", Picojoules(0.0), "0: contained in the energy per access", dram_.source}});
    }
    if (query.action != Action::kRead && query.action != Action::kWrite) return std::nullopt;
    const auto bits = static_cast<double>(dram_.word.count());
    return Estimate::of(
        {{"transfer", Picojoules(dram_.read.count() / bits),
          fmt::format("{:g} pJ / {:g} bit, writes as reads", dram_.read.count(), bits),
          dram_.source}});
  }

  std::map<std::string, Points> points_;
  MemoryPoint sram_;
  MemoryPoint dram_;
};

}  // namespace

std::unique_ptr<Estimator> make_operator_points(const YamlNode& root) {
  return std::make_unique<OperatorPoints>(root);
}

}  // namespace vernier::energy
