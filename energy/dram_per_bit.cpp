// DRAM by type: one price per transferred bit, reading and writing alike, background and refresh
// contained in it (constants of Accelergy's CACTI plug-in). Area: off chip, none.
#include <map>

#include <fmt/format.h>

#include "energy/estimator.hpp"

namespace vernier::energy {
namespace {

struct DramType {
  PicojoulesPerBit energy{0.0};
  std::string source;
};

class DramPerBit final : public Estimator {
 public:
  explicit DramPerBit(const YamlNode& root) {
    ProblemList problems;
    MappingReader reader(root, "", problems);
    set_head(read_table_head(reader));
    if (const YamlNode* types = reader.mapping("types", Need::kRequired)) {
      for (const auto& [type, node] : types->entries) {
        MappingReader entry(node, fmt::format("types.{}", type), problems);
        DramType values;
        unit_field(entry, "energy", "pJ/bit", values.energy, &parse_picojoules_per_bit,
                   Need::kRequired, "energy per bit");
        entry.text("source", values.source, Need::kRequired, "origin of the figure");
        entry.finish();
        types_.emplace(type, std::move(values));
        names_.push_back(type);
      }
    }
    reader.finish();
    problems.throw_if_any();
  }

  [[nodiscard]] std::optional<Estimate> energy(const Hardware& hardware,
                                               const ActionQuery& query) const override {
    const auto* dram = std::get_if<DramInterface>(&hardware);
    if (dram == nullptr) return std::nullopt;
    const bool is_contained = dram->counts_rows && is_row_action(query.action);
    if (query.action != Action::kRead && query.action != Action::kWrite && !is_contained) {
      return std::nullopt;
    }
    const auto found = types_.find(dram->type);
    if (found == types_.end()) {
      throw NotCovered(fmt::format("the table '{}' has no DRAM type '{}'; allowed are {}{}", name(),
                                   shown(dram->type), name_list(names_),
                                   suggestion(dram->type, names_)));
    }
    if (is_contained) {
      return Estimate::of(
          {{"rows", Picojoules(0.0), "0: contained in the energy per bit", found->second.source}});
    }
    return Estimate::of(
        {{"transfer", Picojoules(found->second.energy.count()),
          fmt::format("{:g} pJ/bit of {}", found->second.energy.count(), dram->type),
          found->second.source}});
  }

  [[nodiscard]] std::optional<Estimate> primitive_energy(const Primitive& primitive,
                                                         const PrimitiveAction& action,
                                                         Hertz) const override {
    if (primitive.class_name != "DRAM") return std::nullopt;
    const bool moves = action.name == "read" || action.name == "write" || action.name == "update";
    const auto found = types_.find(primitive.word("type"));
    if (found == types_.end()) {
      throw NotCovered(fmt::format("the table '{}' has no DRAM type '{}'; allowed are {}", name(),
                                   shown(primitive.word("type")), name_list(names_)));
    }
    if (action.name == "leak" || action.name == "idle") {
      return Estimate::of({{"leakage", Picojoules(0.0), "0: contained in the energy per bit",
                            found->second.source}});
    }
    if (!moves) return std::nullopt;
    const double width = primitive.number("width");
    return Estimate::of(
        {{"transfer", Picojoules(found->second.energy.count() * width),
          fmt::format("{:g} pJ/bit * {:g} bit", found->second.energy.count(), width),
          found->second.source}});
  }
  [[nodiscard]] std::optional<AreaEstimate> primitive_area(const Primitive& primitive,
                                                           Hertz) const override {
    if (primitive.class_name != "DRAM") return std::nullopt;
    return AreaEstimate{SquareMicrons(0.0), "off chip"};
  }

  [[nodiscard]] std::optional<AreaEstimate> area(const Hardware& hardware, Hertz) const override {
    if (!std::holds_alternative<DramInterface>(hardware)) return std::nullopt;
    return AreaEstimate{SquareMicrons(0.0), "off chip"};
  }

 private:
  std::map<std::string, DramType> types_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Estimator> make_dram_per_bit(const YamlNode& root) {
  return std::make_unique<DramPerBit>(root);
}

}  // namespace vernier::energy
