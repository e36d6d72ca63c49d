#include "energy/estimator.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "energy/accelergy_tables.hpp"
#include "energy/compound.hpp"

namespace vernier::energy {

Estimate Estimate::of(std::vector<PriceTerm> terms) {
  Estimate estimate;
  for (const PriceTerm& term : terms) {
    estimate.energy += term.energy;
    if (estimate.source.find(term.source) != std::string::npos) continue;
    estimate.source += (estimate.source.empty() ? "" : "; ") + term.source;
  }
  estimate.terms = std::move(terms);
  return estimate;
}

void Estimate::scale(double factor, std::string_view reason) {
  energy = Picojoules(0.0);
  for (PriceTerm& term : terms) {
    term.energy = term.energy * factor;
    term.formula += fmt::format(" * {:.6g} ({})", factor, reason);
    energy += term.energy;
  }
}

std::vector<Action> actions_of(const Hardware& hardware) {
  if (const auto* unit = std::get_if<MacUnit>(&hardware)) {
    if (unit->data_gating) {
      return {Action::kMac, Action::kMacIdle, Action::kMacGated, Action::kZeroPointAdd,
              Action::kLeak};
    }
    return {Action::kMac, Action::kMacIdle, Action::kZeroPointAdd, Action::kLeak};
  }
  if (std::holds_alternative<SramBank>(hardware)) {
    return {Action::kRead, Action::kWrite, Action::kLeak};
  }
  if (const auto* dram = std::get_if<DramInterface>(&hardware)) {
    if (!dram->counts_rows) return {Action::kRead, Action::kWrite};
    return {Action::kRead, Action::kWrite, Action::kActivateRow, Action::kRefresh};
  }
  if (const auto* lane = std::get_if<VectorLane>(&hardware)) {
    std::vector<Action> actions = lane->actions;
    actions.push_back(Action::kLeak);
    return actions;
  }
  return {Action::kRequantize, Action::kLeak};
}

std::optional<Estimate> Estimator::primitive_energy(const Primitive&, const PrimitiveAction&,
                                                    Hertz) const {
  return std::nullopt;
}
std::optional<AreaEstimate> Estimator::primitive_area(const Primitive&, Hertz) const {
  return std::nullopt;
}
const std::vector<std::string>& Estimator::entries() const {
  static const std::vector<std::string> none;
  return none;
}
std::vector<std::string> Estimator::entry_actions(const EntryUse&) const { return {}; }
std::optional<Estimate> Estimator::entry_energy(const EntryUse&, const EntryAction&,
                                                const PrimitivePricer&) const {
  return std::nullopt;
}
std::optional<AreaEstimate> Estimator::entry_area(const EntryUse&, Hertz,
                                                  const PrimitivePricer&) const {
  return std::nullopt;
}

namespace {

// The first table with an answer; NotCovered with all reasons when there is none.
template <typename Answer, typename Ask>
Answer first_answer(const std::vector<const Estimator*>& tables, const std::string& what,
                    const Ask& ask) {
  std::string reasons;
  std::vector<std::string> names;
  for (const Estimator* table : tables) {
    names.push_back(table->name());
    try {
      if (std::optional<Answer> answer = ask(*table)) return *std::move(answer);
    } catch (const NotCovered& reason) {
      reasons += fmt::format("\n  {}: {}", table->name(), reason.what());
    }
  }
  throw NotCovered(
      fmt::format("no energy table has {}; tables: {}{}", what, name_list(names), reasons));
}

}  // namespace

Estimate PrimitivePricer::energy(const Primitive& primitive, const PrimitiveAction& action,
                                 Hertz clock) const {
  return first_answer<Estimate>(
      tables_, fmt::format("the action '{}' of {}", shown(action.name), to_text(primitive)),
      [&](const Estimator& table) { return table.primitive_energy(primitive, action, clock); });
}

AreaEstimate PrimitivePricer::area(const Primitive& primitive, Hertz clock) const {
  return first_answer<AreaEstimate>(
      tables_, fmt::format("the area of {}", to_text(primitive)),
      [&](const Estimator& table) { return table.primitive_area(primitive, clock); });
}

TableHead read_table_head(MappingReader& reader) {
  TableHead head;
  reader.text("name", head.name, Need::kRequired, "name of the table");
  reader.text("kind", head.kind, Need::kRequired, "what kind of figures it holds");
  reader.unit_value(
      "technology", "nm",
      [&head](std::string_view text) { head.technology = parse_nanometers(text); }, Need::kOptional,
      "technology node of the figures");
  reader.integer("accuracy", head.accuracy, {0, 100}, Need::kRequired, "stated accuracy, percent");
  reader.text("family", head.family, Need::kOptional,
              "common origin of tables whose MAC and SRAM figures belong together");
  std::string note;
  reader.text("note", note, Need::kOptional, "remark for readers");
  return head;
}

EstimatorRegistry builtin_estimators() {
  EstimatorRegistry registry("energy table kind");
  const auto add = [&registry](std::string name, std::string sentence, auto maker) {
    registry.add({std::move(name), "energy table kind", std::move(sentence), {}}, maker);
  };
  add("operator_rows",
      "rows per latency for adder, multiplier, shifter, comparator, register, scaled by width "
      "(the form of the Aladdin plug-in of Accelergy)",
      &make_operator_rows);
  add("operator_points",
      "adders and multipliers at single widths, with one SRAM and one DRAM figure (the form of "
      "Horowitz's table)",
      &make_operator_points);
  add("sram_points", "read, write, leakage and area of SRAM banks by capacity, interpolated",
      &make_sram_points);
  add("mac_synthesis", "power and area of synthesised MAC units", &make_mac_synthesis);
  add("mac_arrays",
      "measured precision-scalable MAC arrays: power per mode, the accumulators apart",
      &make_mac_arrays);
  add("dram_per_bit", "energy per transferred bit by DRAM type", &make_dram_per_bit);
  add("dram_currents",
      "DRAM by supply currents: bursts, row activations, refresh and background over time",
      &make_dram_currents);
  return registry;
}

std::unique_ptr<Estimator> load_estimator(const std::string& path,
                                          const EstimatorRegistry& registry) {
  const YamlNode root = load_yaml(path);
  if (is_accelergy_table(root)) return make_accelergy_tables(root);
  if (root.find("compound_components") != nullptr) return make_compound_classes(root);
  const YamlNode* kind = root.find("kind");
  if (kind == nullptr || kind->kind != YamlNode::Kind::kScalar) {
    throw ConfigError(fmt::format("{}: kind: the key is missing; allowed are {}", root.place.text(),
                                  name_list(registry.names())));
  }
  try {
    return registry.find(kind->scalar)(root);
  } catch (const ConfigError& error) {
    if (registry.contains(kind->scalar)) throw;
    throw ConfigError(fmt::format("{}: kind: {}", kind->place.text(), error.what()));
  }
}

}  // namespace vernier::energy
