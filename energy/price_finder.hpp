// Finds who prices an action of a component: the user's own tables, else the entry that the map
// names, else the table with the highest stated accuracy that supports it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "energy/estimator.hpp"
#include "energy/pricing_rules.hpp"

namespace vernier::energy {

/// An answer and the table that gave it. For leakage and area: of all instances.
struct FoundPrice {
  Estimate estimate;
  const Estimator* table = nullptr;
};
struct FoundArea {
  AreaEstimate estimate;
  const Estimator* table = nullptr;
};

class PriceFinder {
 public:
  /// All arguments are loans and must outlive the finder. Throws ConfigError when a table is of
  /// another node and figures may not be scaled, or when the map names what does not exist.
  PriceFinder(const std::vector<Component>& components,
              const std::vector<std::unique_ptr<Estimator>>& tables, Hertz clock,
              Nanometers technology, const PricingRules& rules);

  /// Throws ConfigError that names both sides when nobody has a figure.
  [[nodiscard]] FoundPrice price(const Component& component, Action action,
                                 const MacUnitMode* mode) const;
  [[nodiscard]] FoundArea area(const Component& component) const;
  /// Standing power of a component that counts no leakage itself (DRAM), from the table that
  /// prices its reads; nullopt when that one contains it already.
  [[nodiscard]] std::optional<FoundPrice> standing(const Component& component,
                                                   const Estimator& table) const;

 private:
  [[nodiscard]] const ComponentUse* use_of(const Component& component) const;
  [[nodiscard]] const Estimator& table_named(const ComponentUse& use) const;
  void check_map() const;
  [[nodiscard]] std::optional<FoundPrice> ask(const Estimator& table, const Component& component,
                                              const ActionQuery& query, std::string& reasons) const;
  [[nodiscard]] FoundPrice mapped(const ComponentUse& use, const Component& component,
                                  const ActionQuery& query) const;
  [[nodiscard]] std::optional<Estimate> from_entry(const Estimator& table, const ComponentUse& use,
                                                   const ActionUse& action,
                                                   const Component& component,
                                                   const ActionQuery& query) const;
  void finish(FoundPrice& found, const Component& component, Action action) const;
  [[nodiscard]] std::string both_sides() const;
  [[nodiscard]] double node_ratio(const Estimator& table) const;

  const std::vector<Component>& components_;
  const std::vector<std::unique_ptr<Estimator>>& tables_;
  Hertz clock_;
  Nanometers technology_;
  const PricingRules& rules_;
  std::vector<const Estimator*> ranked_;  // own tables first, then by accuracy
  PrimitivePricer primitives_;
};

}  // namespace vernier::energy
