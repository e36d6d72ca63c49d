#include "energy/estimator.hpp"

#include <fmt/format.h>

namespace vernier::energy {

TableHead read_table_head(MappingReader& reader) {
  TableHead head;
  reader.text("name", head.name, Need::kRequired, "name of the table");
  reader.text("kind", head.kind, Need::kRequired, "what kind of figures it holds");
  reader.unit_value(
      "technology", "nm",
      [&head](std::string_view text) { head.technology = parse_nanometers(text); }, Need::kOptional,
      "technology node of the figures");
  reader.integer("accuracy", head.accuracy, {0, 100}, Need::kRequired, "stated accuracy, percent");
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
  add("sram_points", "read, write, leakage and area of SRAM banks by capacity, interpolated",
      &make_sram_points);
  add("mac_synthesis", "power and area of synthesised MAC units", &make_mac_synthesis);
  add("dram_per_bit", "energy per transferred bit by DRAM type", &make_dram_per_bit);
  return registry;
}

std::unique_ptr<Estimator> load_estimator(const std::string& path,
                                          const EstimatorRegistry& registry) {
  const YamlNode root = load_yaml(path);
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
