// Rows per latency of simple operators, and the law by which they scale with the width. Rules of
// Accelergy's Aladdin plug-in: the clock period is rounded up to 1, 2, 3, 4, 5, 6 or 10 ns (above:
// 10 ns), below 0.75 ns it is 0.5 ns, and a latency without a row takes the first row.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "energy/estimator.hpp"

namespace vernier::energy {

/// Law of an operator's energy and area against its width.
enum class WidthLaw : std::uint8_t { kLinear, kQuadratic, kConstant };

/// Figures of one operator at one latency.
struct OperatorRow {
  Nanoseconds latency{0.0};
  Picojoules dynamic{0.0};
  Picojoules idle{0.0};
  SquareMicrons area{0.0};
  std::string source;
};

/// Operators by name; immutable after reading.
class OperatorTable {
 public:
  /// Width of an operator's two operands; `other` matters for the quadratic law only.
  struct Width {
    double bits;
    double other;
  };

  /// Reads the `operators` of a table file.
  void read(MappingReader& reader, ProblemList& problems);
  [[nodiscard]] bool has(std::string_view name) const { return operators_.contains(name); }

  /// Energy of `count` operations, as a term of a price.
  [[nodiscard]] PriceTerm dynamic(std::string_view name, Hertz clock, Width width,
                                  double count = 1.0) const;
  /// Idle energy of one clock cycle: the row states it for its own latency, so it is a power.
  [[nodiscard]] PriceTerm idle(std::string_view name, Hertz clock, Width width,
                               double count = 1.0) const;
  [[nodiscard]] double area(std::string_view name, Hertz clock, Width width,
                            double count = 1.0) const;
  [[nodiscard]] const std::string& source(std::string_view name, Hertz clock) const;

 private:
  struct Operator {
    double reference_width = 32.0;
    WidthLaw law = WidthLaw::kLinear;
    std::vector<OperatorRow> rows;  // ascending latency
  };
  // A factor for the width and how to write it down.
  struct Factor {
    double value;
    std::string text;
  };

  static Operator read_operator(const std::string& name, const YamlNode& node,
                                ProblemList& problems);
  [[nodiscard]] const Operator& at(std::string_view name) const;
  [[nodiscard]] const OperatorRow& row(std::string_view name, Hertz clock) const;
  [[nodiscard]] Factor factor(std::string_view name, Width width) const;

  std::map<std::string, Operator, std::less<>> operators_;
};

}  // namespace vernier::energy
