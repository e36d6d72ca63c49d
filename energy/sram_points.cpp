// SRAM banks from CACTI points: read and write energy of one access, leakage and area of a bank,
// linear between the stated capacities of equal port number, an error outside them. A word of
// another width than the point's costs 0.7 * ratio + 0.3 times as much energy, leakage and area
// being those of the capacity (rule of Accelergy's CACTI plug-in).
#include <algorithm>
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
    reader.finish();
    problems.throw_if_any();
    std::stable_sort(points_.begin(), points_.end(), [](const auto& a, const auto& b) {
      return std::pair(a.ports, a.capacity) < std::pair(b.ports, b.capacity);
    });
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    const auto* bank = std::get_if<SramBank>(&hardware);
    if (bank == nullptr) return std::nullopt;
    const Blend blend = between(*bank);
    // Each point's figure is brought to the bank's word first, then the two are blended.
    const auto at_word = [bank](const SramPoint& point, Picojoules figure) {
      return figure.count() * (0.7 * (bank->word / point.word) + 0.3);
    };
    switch (query.action) {
      case Action::kRead:
        return Estimate{Picojoules(blend.of(
                            [&](const SramPoint& point) { return at_word(point, point.read); })),
                        blend.low->source};
      case Action::kWrite:
        return Estimate{Picojoules(blend.of(
                            [&](const SramPoint& point) { return at_word(point, point.write); })),
                        blend.low->source};
      case Action::kLeak: {
        const double power =
            blend.of([](const SramPoint& p) { return p.leakage.count() + p.gate_leakage.count(); });
        return Estimate{energy_of(Milliwatts(power), period_of(query.clock)), blend.low->source};
      }
      default: return std::nullopt;
    }
  }

  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware, Hertz) const override {
    const auto* bank = std::get_if<SramBank>(&hardware);
    if (bank == nullptr) return std::nullopt;
    const Blend blend = between(*bank);
    return AreaEstimate{SquareMicrons(blend.of([](const SramPoint& p) { return p.area.count(); })),
                        blend.low->source};
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

  [[nodiscard]] Blend between(const SramBank& bank) const {
    const SramPoint* low = nullptr;
    const SramPoint* high = nullptr;
    for (const SramPoint& point : points_) {
      if (point.ports != bank.ports) continue;
      if (point.capacity <= bank.capacity) low = &point;
      if (point.capacity >= bank.capacity && high == nullptr) high = &point;
    }
    if (low == nullptr || high == nullptr) throw NotCovered(range_message(bank));
    const double span = static_cast<double>((high->capacity - low->capacity).count());
    const double share =
        span > 0.0 ? static_cast<double>((bank.capacity - low->capacity).count()) / span : 0.0;
    return {low, high, share};
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
