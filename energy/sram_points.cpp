// SRAM banks from CACTI points: read and write energy of one access, leakage and area of a bank,
// linear between the stated capacities of equal port number, an error outside them.
// - Width: a word of another width than the point's costs 0.7 * ratio + 0.3 times as much energy,
//   leakage and area being those of the capacity (rule of Accelergy's CACTI plug-in).
// - Ports: where the points of this port number end, but those of one port go on, the figure is the
//   one-port figure times the ratio of both at the nearest capacity that has both.
// - Banks (class SRAM): a memory of n banks is n banks of its capacity / n; an access reaches one
// of
//   them and costs idle + 0.3 * (E - idle) * address_delta / n + 0.7 * (E - idle) * data_delta,
//   idle being the leakage of all banks in one cycle (rule of the plug-in).
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

struct SramPoint {
  Bytes capacity{0};
  Bits word{32};
  std::int64_t ports = 1;
  Picojoules read{0.0};
  Picojoules write{0.0};
  Milliwatts leakage{0.0};
  Milliwatts gate_leakage{0.0};
  SquareMicrons area{0.0};
  std::string source;
};

class SramPoints final : public Estimator {
 public:
  explicit SramPoints(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    if (const YamlNode* points = reader.sequence("points", Need::kRequired)) {
      for (std::size_t at = 0; at < points->items.size(); ++at) {
        read_point(points->items[at], fmt::format("points[{}]", at), problems);
      }
    }
    if (points_.empty()) reader.problem("points", "the list is empty");
    reader.finish();
    problems.throw_if_any();
    std::stable_sort(points_.begin(), points_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.ports, a.capacity) < std::pair(b.ports, b.capacity);
    });
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    const auto* bank = std::get_if<SramBank>(&hardware);
    const bool known = query.action == Action::kRead || query.action == Action::kWrite ||
                       query.action == Action::kLeak;
    if (bank == nullptr || !known) return std::nullopt;
    return bank_energy(*bank, query.action, query.clock);
  }

  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware, Hertz) const override {
    const auto* bank = std::get_if<SramBank>(&hardware);
    if (bank == nullptr) return std::nullopt;
    return AreaEstimate{SquareMicrons(figure_of(*bank, kArea).value), points_.front().source};
  }

  [[nodiscard]] std::optional<Estimate> primitive_energy(const Primitive& primitive,
                                                         const PrimitiveAction& action,
                                                         Hertz clock) const override {
    if (primitive.class_name != "SRAM") return std::nullopt;
    const double banks = std::max(1.0, primitive.number_or("n_banks", 1.0));
    const SramBank bank = bank_of(primitive, banks);
    Estimate leak = bank_energy(bank, Action::kLeak, clock);
    leak.scale(banks, "banks");
    if (action.name == "leak" || action.name == "idle") return leak;
    const bool reads = action.name == "read";
    if (!reads && action.name != "write" && action.name != "update") return std::nullopt;
    const bool has_deltas =
        action.arguments.contains("address_delta") || action.arguments.contains("data_delta");
    Estimate access = bank_energy(bank, reads ? Action::kRead : Action::kWrite, clock);
    if (!has_deltas) return access;
    constexpr double kAddressShare = 0.3;
    constexpr double kDataShare = 0.7;
    const double share = kAddressShare * action.argument_or("address_delta", 1.0) / banks +
                         kDataShare * action.argument_or("data_delta", 1.0);
    access.scale(share, "0.3 * address_delta / banks + 0.7 * data_delta");
    leak.scale(1.0 - share, "the rest idles");
    std::vector<PriceTerm> terms = std::move(access.terms);
    terms.insert(terms.end(), leak.terms.begin(), leak.terms.end());
    return Estimate::of(std::move(terms));
  }
  [[nodiscard]] std::optional<AreaEstimate> primitive_area(const Primitive& primitive,
                                                           Hertz) const override {
    if (primitive.class_name != "SRAM") return std::nullopt;
    const double banks = std::max(1.0, primitive.number_or("n_banks", 1.0));
    return AreaEstimate{SquareMicrons(figure_of(bank_of(primitive, banks), kArea).value * banks),
                        points_.front().source};
  }

 private:
  // Two neighbouring points and the share of the upper one.
  struct Blend {
    const SramPoint* low;
    const SramPoint* high;
    double share;
    template <typename Field>
    [[nodiscard]] double of(Field field) const {
      return field(*low) * (1.0 - share) + field(*high) * share;
    }
  };
  // A figure at a bank's capacity and ports, and how it was found.
  struct Figure {
    double value;
    std::string text;
  };
  enum Field : std::uint8_t { kReadEnergy, kWriteEnergy, kLeakage, kArea };

  static double field_of(const SramPoint& point, Field field, Bits word) {
    // A point's energy is brought to the bank's word first, then two of them are blended.
    const double width = 0.7 * (word / point.word) + 0.3;
    switch (field) {
      case kReadEnergy: return point.read.count() * width;
      case kWriteEnergy: return point.write.count() * width;
      case kLeakage: return point.leakage.count() + point.gate_leakage.count();
      case kArea: return point.area.count();
    }
    return 0.0;
  }

  [[nodiscard]] Figure figure_of(const SramBank& bank, Field field) const {
    const auto value_at = [&](const SramPoint& point) { return field_of(point, field, bank.word); };
    if (const std::optional<Blend> blend = between(bank.capacity, bank.ports)) {
      return {blend->of(value_at), text_of(*blend)};
    }
    // Both port numbers at one capacity, the nearest to the bank.
    const SramPoint* many = nullptr;
    std::optional<Blend> one = between(bank.capacity, 1);
    for (const SramPoint& point : points_) {
      if (point.ports != bank.ports || !between(point.capacity, 1)) continue;
      if (many == nullptr || distance(point, bank) < distance(*many, bank)) many = &point;
    }
    const std::optional<Blend> same = many == nullptr ? std::nullopt : between(many->capacity, 1);
    if (!one || !same) throw NotCovered(range_message(bank));
    const double ratio = value_at(*many) / same->of(value_at);
    return {one->of(value_at) * ratio,
            fmt::format("{} with 1 port * {:.6g} (as {} ports against 1 at {})", text_of(*one),
                        ratio, bank.ports, vernier::to_text(many->capacity))};
  }
  static double distance(const SramPoint& point, const SramBank& bank) {
    return std::abs(static_cast<double>((point.capacity - bank.capacity).count()));
  }
  static std::string text_of(const Blend& blend) {
    if (blend.low == blend.high)
      return fmt::format("point {}", vernier::to_text(blend.low->capacity));
    return fmt::format("line between {} and {}", vernier::to_text(blend.low->capacity),
                       vernier::to_text(blend.high->capacity));
  }

  [[nodiscard]] Estimate bank_energy(const SramBank& bank, Action action, Hertz clock) const {
    const std::string& source = points_.front().source;
    if (action == Action::kLeak) {
      const Figure power = figure_of(bank, kLeakage);
      return Estimate::of({{"leakage", energy_of(Milliwatts(power.value), period_of(clock)),
                            fmt::format("{}: {:.6g} mW * {:g} ns", power.text, power.value,
                                        period_of(clock).count()),
                            source}});
    }
    const Figure energy = figure_of(bank, action == Action::kRead ? kReadEnergy : kWriteEnergy);
    return Estimate::of({{action == Action::kRead ? "read" : "write", Picojoules(energy.value),
                          fmt::format("{}, words of {} bit: 0.3 + 0.7 * {:g}", energy.text,
                                      bank.word.count(), bank.word / points_.front().word),
                          source}});
  }

  // One bank of a primitive SRAM.
  [[nodiscard]] static SramBank bank_of(const Primitive& primitive, double banks) {
    constexpr double kLargest = 1e12;
    constexpr double kBitsPerByte = 8.0;
    const double bits = primitive.number("width") * primitive.number("depth") / banks;
    const double ports = primitive.number_or("n_rw_ports", primitive.number_or("n_ports", 1.0));
    if (bits > kLargest || bits < kBitsPerByte || ports < 1.0 || ports > 64.0 ||
        primitive.number("width") < 1.0) {
      throw NotCovered(to_text(primitive) + " is no memory that the points describe");
    }
    return {Bytes(static_cast<std::int64_t>(std::ceil(bits / kBitsPerByte))),
            Bits(static_cast<std::int64_t>(primitive.number("width"))),
            static_cast<std::int64_t>(ports)};
  }

  void read_point(const YamlNode& node, const std::string& path, ProblemList& problems) {
    MappingReader reader(node, path, problems);
    SramPoint point;
    unit_field(reader, "capacity", "B, KiB", point.capacity, &parse_bytes, Need::kRequired,
               "size of the bank");
    unit_field(reader, "word", "bit", point.word, &parse_bits, Need::kRequired,
               "width of one access");
    reader.integer("ports", point.ports, {1, 64}, Need::kRequired, "ports as in a machine file");
    unit_field(reader, "read", "pJ", point.read, &parse_picojoules, Need::kRequired,
               "energy of one read access");
    unit_field(reader, "write", "pJ", point.write, &parse_picojoules, Need::kRequired,
               "energy of one write access");
    unit_field(reader, "leakage", "mW", point.leakage, &parse_milliwatts, Need::kRequired,
               "subthreshold leakage of the bank");
    unit_field(reader, "gate_leakage", "mW", point.gate_leakage, &parse_milliwatts, Need::kOptional,
               "gate leakage of the bank");
    unit_field(reader, "area", "mm2", point.area, &parse_square_microns, Need::kRequired,
               "area of the bank");
    reader.text("source", point.source, Need::kRequired, "origin of the figures");
    reader.finish();
    if (point.word.count() <= 0) reader.problem("word", "must be more than 0");
    points_.push_back(std::move(point));
  }

  // The points of this port number around a capacity, or nullopt outside their range.
  [[nodiscard]] std::optional<Blend> between(Bytes capacity, std::int64_t ports) const {
    const SramPoint* low = nullptr;
    const SramPoint* high = nullptr;
    for (const SramPoint& point : points_) {
      if (point.ports != ports) continue;
      if (point.capacity <= capacity) low = &point;
      if (point.capacity >= capacity && high == nullptr) high = &point;
    }
    if (low == nullptr || high == nullptr) return std::nullopt;
    const double span = static_cast<double>((high->capacity - low->capacity).count());
    const double share =
        span > 0.0 ? static_cast<double>((capacity - low->capacity).count()) / span : 0.0;
    return Blend{low, high, share};
  }

  [[nodiscard]] std::string range_message(const SramBank& bank) const {
    const SramPoint* least = nullptr;
    const SramPoint* most = nullptr;
    for (const SramPoint& point : points_) {
      if (point.ports != bank.ports) continue;
      if (least == nullptr) least = &point;
      most = &point;
    }
    if (least == nullptr) {
      return fmt::format("the table '{}' has no SRAM points with {} port(s) per bank", name(),
                         bank.ports);
    }
    return fmt::format(
        "a bank of {} is outside the range of the table '{}' for {} port(s): {} to "
        "{} per bank",
        vernier::to_text(bank.capacity), name(), bank.ports, vernier::to_text(least->capacity),
        vernier::to_text(most->capacity));
  }

  std::vector<SramPoint> points_;
};

}  // namespace

std::unique_ptr<Estimator> make_sram_points(const YamlNode& root) {
  return std::make_unique<SramPoints>(root);
}

}  // namespace vernier::energy
