// What an energy table can answer: the price of one action of one piece of hardware, its area, or
// that it has no figure for it. The split is Accelergy's: performance models count, tables price.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch/base/registry.hpp"
#include "arch/base/units.hpp"
#include "energy/hardware.hpp"
#include "energy/primitive.hpp"

namespace vernier::energy {

/// An action of one instance, with its arguments.
struct ActionQuery {
  Action action = Action::kMac;
  /// Mode of the MAC unit, for MAC actions; else nullptr.
  const MacUnitMode* mac = nullptr;
  /// Core clock: idle and leakage figures are per cycle, and operator rows are chosen by period.
  Hertz clock{1};
};

/// The actions that a component of this kind counts, in the order of Action.
[[nodiscard]] std::vector<Action> actions_of(const Hardware& hardware);
/// Whether an action's price depends on the mode of the MAC unit.
[[nodiscard]] inline bool depends_on_mode(Action action) {
  return action == Action::kMac || action == Action::kMacIdle || action == Action::kMacGated;
}

/// One summand of a price: what it is, the arithmetic behind it, and who says so.
struct PriceTerm {
  std::string name;
  Picojoules energy{0.0};
  std::string formula;
  std::string source;
};

/// A price with its origin. The terms sum to the energy.
struct Estimate {
  Picojoules energy{0.0};
  std::string source;
  std::vector<PriceTerm> terms{};

  /// The sum of the terms, in their order; the source names each term's origin once.
  [[nodiscard]] static Estimate of(std::vector<PriceTerm> terms);
  /// Multiplies the energy and every term; `reason` is added to each formula.
  void scale(double factor, std::string_view reason);
};

struct AreaEstimate {
  SquareMicrons area{0.0};
  std::string source;
};

/// Why a table that knows a kind of hardware has no figure for this one.
class NotCovered final : public UserError {
 public:
  using UserError::UserError;
};

/// Head that all table files share.
struct TableHead {
  std::string name;
  std::string kind;
  std::optional<Nanometers> technology;
  std::int64_t accuracy = 0;
  /// Where the figures come from as a whole; MAC and SRAM prices of two families warn.
  std::string family{};
};

/// An entry of a table that prices named components: which one, and the attributes it is built
/// with when the entry is a class.
struct EntryUse {
  std::string entry;
  Attributes attributes;
};

/// An action of an entry, in the table's words.
struct EntryAction {
  std::string name;
  Arguments arguments;
  const MacUnitMode* mode = nullptr;  ///< of the MAC unit that asks, or nullptr
  Hertz clock{1};
};

class PrimitivePricer;

/// A source of prices. Estimators are immutable and may be shared between threads.
class Estimator {
 public:
  explicit Estimator(TableHead head) : head_(std::move(head)) {}
  virtual ~Estimator() = default;
  Estimator(const Estimator&) = delete;
  Estimator& operator=(const Estimator&) = delete;

  [[nodiscard]] const std::string& name() const { return head_.name; }
  /// Percent, as the table states it; the highest one that supports a query wins.
  [[nodiscard]] std::int64_t accuracy() const { return head_.accuracy; }
  /// Technology node, or nullopt when the figures do not depend on one.
  [[nodiscard]] std::optional<Nanometers> technology() const { return head_.technology; }
  /// Common origin of the figures; the table's name when it states none.
  [[nodiscard]] const std::string& family() const {
    return head_.family.empty() ? head_.name : head_.family;
  }
  /// Energy of one action of one instance; nullopt when the table has no such figures. Throws
  /// NotCovered when the hardware is of a kind it knows but outside what it covers; then the next
  /// table is asked, and the reason is shown if none has an answer.
  [[nodiscard]] virtual std::optional<Estimate> energy(const Hardware& hardware,
                                                       const ActionQuery& query) const = 0;
  /// Area of one instance.
  [[nodiscard]] virtual std::optional<AreaEstimate> area(const Hardware& hardware,
                                                         Hertz clock) const = 0;

  /// Energy of an action of a primitive component; nullopt when the table does not know the class
  /// or the action, NotCovered when the attributes are outside its range.
  [[nodiscard]] virtual std::optional<Estimate> primitive_energy(const Primitive& primitive,
                                                                 const PrimitiveAction& action,
                                                                 Hertz clock) const;
  [[nodiscard]] virtual std::optional<AreaEstimate> primitive_area(const Primitive& primitive,
                                                                   Hertz clock) const;

  /// Named components that the table prices (an ERT, measured designs, compound classes); a
  /// machine's map names them. Empty when it prices by the kind of hardware only.
  [[nodiscard]] virtual const std::vector<std::string>& entries() const;
  /// Actions of an entry. Throws NotCovered when the entry cannot be built.
  [[nodiscard]] virtual std::vector<std::string> entry_actions(const EntryUse& use) const;
  /// Energy of one action of one instance of an entry; nullopt when the entry lacks the action.
  [[nodiscard]] virtual std::optional<Estimate> entry_energy(
      const EntryUse& use, const EntryAction& action, const PrimitivePricer& primitives) const;
  [[nodiscard]] virtual std::optional<AreaEstimate> entry_area(
      const EntryUse& use, Hertz clock, const PrimitivePricer& primitives) const;

 protected:
  Estimator() = default;
  /// For tables that read their head together with the rest of the file.
  void set_head(TableHead head) { head_ = std::move(head); }

 private:
  TableHead head_;
};

/// Asks several tables for primitives, the one with the highest accuracy first.
class PrimitivePricer {
 public:
  /// `tables` are loans, best first; they must outlive the pricer.
  explicit PrimitivePricer(std::vector<const Estimator*> tables) : tables_(std::move(tables)) {}
  /// Throws NotCovered with every table's reason when none has an answer.
  [[nodiscard]] Estimate energy(const Primitive& primitive, const PrimitiveAction& action,
                                Hertz clock) const;
  [[nodiscard]] AreaEstimate area(const Primitive& primitive, Hertz clock) const;

 private:
  std::vector<const Estimator*> tables_;
};

using EstimatorRegistry = Registry<std::unique_ptr<Estimator>(const YamlNode&)>;

/// The kinds of tables that Vernier reads; `vernier describe` lists them.
[[nodiscard]] EstimatorRegistry builtin_estimators();

/// Reads one energy table file: a table with a `kind`, or an Accelergy file (ERT, compound
/// components) by its first key. Throws ConfigError with all problems of the file.
[[nodiscard]] std::unique_ptr<Estimator> load_estimator(const std::string& path,
                                                        const EstimatorRegistry& registry);

/// Reads name, kind, technology, accuracy and family, and a remark for readers.
[[nodiscard]] TableHead read_table_head(MappingReader& reader);

// One constructor per kind; each reads its part of the file and throws ConfigError.
[[nodiscard]] std::unique_ptr<Estimator> make_operator_rows(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_operator_points(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_sram_points(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_mac_synthesis(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_mac_arrays(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_dram_per_bit(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_dram_currents(const YamlNode& root);

}  // namespace vernier::energy
