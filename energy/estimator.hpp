// What an energy table can answer: the price of one action of one piece of hardware, its area, or
// that it has no figure for it. The split is Accelergy's: performance models count, tables price.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "arch/base/registry.hpp"
#include "arch/base/units.hpp"
#include "energy/hardware.hpp"

namespace vernier::energy {

/// An action of one instance, with its arguments.
struct ActionQuery {
  Action action = Action::kMac;
  /// Mode of the MAC unit, for MAC actions; else nullptr.
  const MacUnitMode* mac = nullptr;
  /// Core clock: idle and leakage figures are per cycle, and operator rows are chosen by period.
  Hertz clock{1};
};

/// A price with its origin.
struct Estimate {
  Picojoules energy{0.0};
  std::string source;
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
};

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
  /// Energy of one action of one instance; nullopt when the table has no such figures. Throws
  /// NotCovered when the hardware is of a kind it knows but outside what it covers; then the next
  /// table is asked, and the reason is shown if none has an answer.
  [[nodiscard]] virtual std::optional<Estimate> energy(const Hardware& hardware,
                                                       const ActionQuery& query) const = 0;
  /// Area of one instance.
  [[nodiscard]] virtual std::optional<AreaEstimate> area(const Hardware& hardware,
                                                         Hertz clock) const = 0;

 protected:
  Estimator() = default;
  /// For tables that read their head together with the rest of the file.
  void set_head(TableHead head) { head_ = std::move(head); }

 private:
  TableHead head_;
};

using EstimatorRegistry = Registry<std::unique_ptr<Estimator>(const YamlNode&)>;

/// The kinds of tables that Vernier reads: operator_rows, sram_points, mac_synthesis, dram_per_bit.
[[nodiscard]] EstimatorRegistry builtin_estimators();

/// Reads one energy table file. Throws ConfigError with all problems of the file.
[[nodiscard]] std::unique_ptr<Estimator> load_estimator(const std::string& path,
                                                        const EstimatorRegistry& registry);

/// Reads name, kind, technology and accuracy, and a remark for readers.
[[nodiscard]] TableHead read_table_head(MappingReader& reader);

// One constructor per kind; each reads its part of the file and throws ConfigError.
[[nodiscard]] std::unique_ptr<Estimator> make_operator_rows(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_sram_points(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_mac_synthesis(const YamlNode& root);
[[nodiscard]] std::unique_ptr<Estimator> make_dram_per_bit(const YamlNode& root);

}  // namespace vernier::energy
