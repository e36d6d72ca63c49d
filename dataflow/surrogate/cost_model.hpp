// What a network costs on a machine as a function of the bits of its tensors: exact at whole bits,
// and continued to real-valued bits with a gradient, fast enough to stand in a training loop
// (design 8). No automatic differentiation library is needed: numbers come in and go out in spans.
//
//     const CostModel model(machine, graph);
//     std::vector<double> bits(model.variables().size(), 6.5);
//     const std::vector<Objective> objectives{{.measure = parse_measure("energy")}};
//     const Result<Relaxation> cost = model.relax(bits, objectives);
//     // cost->total, cost->gradient[variable]
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/surrogate/cost_terms.hpp"
#include "dataflow/surrogate/objective.hpp"
#include "dataflow/surrogate/size_measure.hpp"
#include "dataflow/surrogate/variables.hpp"

namespace vernier::dataflow {

struct CostModelOptions {
  /// Kinds and zero points of tensors; their widths are what moves. None: as the model file says.
  PrecisionMap base{};
  /// Weight tensors with more than one width.
  SliceSizes slices{};
};

/// Whose value is returned: of the real-valued bits, or of the widths that they round up to. The
/// gradient is the same (design 8.6).
enum class Forward : std::uint8_t { kRelaxed, kExact };
/// Slope at a legal width between two others (design 8.3).
enum class Kink : std::uint8_t { kMean, kLeft, kRight };

struct RelaxOptions {
  Forward forward = Forward::kRelaxed;
  Kink kink = Kink::kMean;
  /// A layer's weight and input are one variable: they must have equal bits, each gets an equal
  /// part of their common slope, and where both single slopes vanish that of lowering both
  /// (design 8.7).
  bool tie = false;
  Monotone monotone = Monotone::kExact;
};

/// Sum figures of a network.
struct CostFigures {
  double cycles = 0.0;
  double energy_pj = 0.0;  ///< sum over the layers, in their order
  double dram_bits = 0.0;
  friend bool operator==(const CostFigures&, const CostFigures&) = default;
};

/// One objective at some bits.
struct ObjectiveResult {
  double measured = 0.0;  ///< in the measure's unit; as `forward` says
  double relaxed = 0.0;   ///< the measure of the real-valued bits; the gap to `measured` is what
                          ///< rounding up costs
  double value = 0.0;     ///< what it adds to the loss
  std::vector<double> gradient;  ///< of `value`, by variable, per bit
};

/// All objectives at some bits.
struct Relaxation {
  std::vector<ObjectiveResult> objectives;
  double total = 0.0;                ///< sum of the objectives' values
  std::vector<double> gradient;      ///< of `total`
  std::vector<std::size_t> clamped;  ///< variables outside their range, with gradient 0
  std::vector<std::size_t> stuck;    ///< variables that no legal step moves, with gradient 0
  std::vector<std::size_t> falling;  ///< wider bits make cycles, energy or traffic smaller
};

/// Legal widths for some bits.
struct LegalWidths {
  std::vector<std::int64_t> bits;  ///< by variable
  std::vector<std::string> notes;  ///< what had to be narrowed so that every layer's pair is legal
};

/// Safe from many threads: everything that is computed is kept and shared.
class CostModel {
 public:
  /// Machine and graph must outlive the model. Throws ModelError or ConfigError for a wrong base or
  /// wrong slices.
  CostModel(const Machine& machine, const LayerGraph& graph, CostModelOptions options = {});
  CostModel(Machine&&, const LayerGraph&, CostModelOptions = {}) = delete;
  CostModel(const Machine&, LayerGraph&&, CostModelOptions = {}) = delete;

  [[nodiscard]] const std::vector<Variable>& variables() const { return variables_.all(); }
  /// Index of a variable; throws ModelError with the nearest name.
  [[nodiscard]] std::size_t variable(std::string_view name) const { return variables_.find(name); }
  /// Legal widths of a variable, ascending.
  [[nodiscard]] const WidthLattice& lattice(std::size_t variable) const {
    return variables_.lattice(variable);
  }
  /// Pairs at which a MAC layer can run; throws ModelError for an unknown layer.
  [[nodiscard]] std::vector<WidthPair> legal_pairs(std::string_view layer) const;
  /// Rounds each variable to its lattice, then narrows the wider operand of each layer whose pair
  /// is not legal. Throws ModelError for wrong bits and for a layer without any legal pair.
  [[nodiscard]] LegalWidths round_to_legal(std::span<const double> bits, RoundPolicy policy) const;

  /// Exact cost. Throws ModelError as Evaluator does, with the nearest legal pairs.
  [[nodiscard]] Result<NetworkCost> evaluate(const PrecisionMap& map) const;
  /// The same at whole bits by variable; fractional bits are refused with their neighbours.
  [[nodiscard]] Result<NetworkCost> evaluate(std::span<const double> bits) const;
  /// Only the sums, from what is kept: the same numbers in a fraction of the time.
  [[nodiscard]] Result<CostFigures> figures(const PrecisionMap& map) const;
  [[nodiscard]] Result<CostFigures> figures(std::span<const double> bits) const;
  /// The sums of many maps on `jobs` threads; the result is the same for any number of them.
  [[nodiscard]] std::vector<Result<CostFigures>> figures_of_all(std::span<const PrecisionMap> maps,
                                                                int jobs) const;

  /// Value and gradient at real-valued bits. Throws ModelError for wrong bits (number, NaN, a pair
  /// that is not legal), ConfigError for wrong objectives; infeasible layers come as a value.
  [[nodiscard]] Result<Relaxation> relax(std::span<const double> bits,
                                         std::span<const Objective> objectives,
                                         const RelaxOptions& options = {}) const;
  /// The tensors that a size counts; elements of one image.
  [[nodiscard]] SizeLists sizes_of(const Measure& measure) const {
    return size_lists(graph_, measure);
  }

  [[nodiscard]] MemoCounts memo() const { return terms_.counts(); }
  [[nodiscard]] const Machine& machine() const { return evaluator_.machine(); }
  [[nodiscard]] const LayerGraph& graph() const { return graph_; }
  [[nodiscard]] const CostTerms& terms() const { return terms_; }
  /// Forgets everything computed so far; nobody else may use the model meanwhile.
  void clear();

 private:
  friend class Relaxer;
  friend class MovingCost;

  [[nodiscard]] NetworkPrecision precision_of(std::span<const std::int64_t> widths) const;
  [[nodiscard]] Result<NetworkCost> evaluate(const NetworkPrecision& precision) const;
  [[nodiscard]] bool varies_only_widths(const NetworkPrecision& precision) const;
  /// Widths, or numbers of channels, by coordinate; rounded up to the lattice.
  [[nodiscard]] std::vector<std::int64_t> amounts_of(const NetworkPrecision& precision) const;
  [[nodiscard]] Result<CostFigures> figures_at(std::span<const std::int64_t> amounts,
                                               Monotone monotone) const;
  [[nodiscard]] std::string advice(const NetworkPrecision& precision) const;
  void make_tie_groups();

  const LayerGraph& graph_;
  Evaluator evaluator_;
  NetworkPrecision base_;
  Variables variables_;
  CostTerms terms_;
  std::vector<std::vector<std::size_t>> tie_groups_;  // variables of each group of at least two
  std::vector<int> tie_group_of_;                     // by variable; -1: none
  std::vector<SizeLists> size_lists_;                 // weights, then activations by accounting
};

}  // namespace vernier::dataflow
