// The price of every action a machine can count, looked up once: for each component and action
// the user's own table, else the entry that the machine's map names, else the estimator with the
// highest stated accuracy that supports it, ties to the first table named.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "energy/estimator.hpp"
#include "energy/pricing_rules.hpp"

namespace vernier::energy {

/// One priced action, for reports: what it is, what it costs, who says so.
struct PricedAction {
  ComponentIndex component = 0;
  Action action = Action::kMac;
  std::uint8_t weight_bits = 0;
  std::uint8_t activation_bits = 0;
  Picojoules energy{0.0};  ///< of one action; kLeak: of one cycle of all instances
  std::string table;
  std::string source;
  std::vector<PriceTerm> terms;  ///< they sum to the energy
};

/// Area of one component, all instances.
struct PricedArea {
  ComponentIndex component = 0;
  SquareMicrons area{0.0};
  std::string table;
  std::string source;
};

struct FoundPrice;

/// Immutable; lookups are array reads and safe from many threads.
class PriceList {
 public:
  /// Prices every action of every component. Throws ConfigError that names the component, the
  /// action and the tables when none of them has a figure, or when technologies do not match.
  PriceList(std::vector<Component> components,
            const std::vector<std::unique_ptr<Estimator>>& tables, Hertz clock,
            Nanometers technology, const PricingRules& rules = {});

  /// Energy of one action; asking for an action the machine does not have is a bug.
  [[nodiscard]] Picojoules price(const ActivityEntry& entry) const;

  [[nodiscard]] const std::vector<Component>& components() const { return components_; }
  [[nodiscard]] const std::vector<PricedAction>& actions() const { return actions_; }
  [[nodiscard]] const std::vector<PricedArea>& areas() const { return areas_; }
  [[nodiscard]] SquareMicrons total_area() const;
  /// Components that cost energy over time although no engine counts leakage for them: DRAM whose
  /// table states background power. The price is that of kLeak, per core cycle.
  [[nodiscard]] const std::vector<ComponentIndex>& standing() const { return standing_; }
  /// What a reader of the prices should know, a sentence each.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Slot {
    double picojoules = 0.0;
    bool priced = false;
  };
  [[nodiscard]] std::size_t slot_index(ComponentIndex component, Action action, std::uint8_t weight,
                                       std::uint8_t activation) const;
  void add_action(ComponentIndex index, Action action, const MacUnitMode* mode, FoundPrice&& found);
  void warn_about_mixed_sources(const std::vector<std::string>& families);

  std::vector<Component> components_;
  std::vector<PricedAction> actions_;
  std::vector<PricedArea> areas_;
  std::vector<ComponentIndex> standing_;
  std::vector<std::string> warnings_;
  std::vector<Slot> plain_;            // component x action
  std::vector<Slot> mac_;              // MAC component x MAC action x weight x activation bits
  std::vector<std::size_t> mac_rank_;  // component -> its place among the MAC components
};

}  // namespace vernier::energy
