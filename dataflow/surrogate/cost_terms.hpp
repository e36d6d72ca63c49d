// The terms of the sum objectives: cycles, energy and DRAM bits of one layer as a function of the
// widths in its scope, exact at legal widths, memoised, and continued in between (design 8.1, 8.2).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "arch/base/result.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/surrogate/concurrent_table.hpp"
#include "dataflow/surrogate/cost_scope.hpp"
#include "dataflow/surrogate/variables.hpp"

namespace vernier::dataflow {

class CostCache;

/// Exact: the figures at each lattice point as they are. Envelope: for each figure the smallest
/// over all wider widths of the layer's own weights and inputs (design 8.7).
enum class Monotone : std::uint8_t { kExact, kEnvelope };

/// How often the memo answered.
struct MemoCounts {
  std::size_t vertices = 0;  ///< lattice points of terms that are kept
  std::size_t patches = 0;   ///< neighbourhoods of places that are kept
  std::size_t bytes = 0;     ///< of both
  std::uint64_t hits = 0;    ///< terms answered from what is kept
  std::uint64_t misses = 0;  ///< terms for which something was computed or put together
};

/// One term of the sum.
struct Term {
  LayerScope scope;
  std::vector<std::size_t> coordinates;  ///< ascending
  bool simplex = false;                  ///< more than kMostMultilinear coordinates
  // Places among `coordinates` of the layer's own operands; -1: none, or a sliced tensor.
  int own_weight = -1;
  int own_input = -1;
  /// Places of the counts of channels by width of the layer's own sliced weight; none: not sliced.
  IndexRange own_slices;
  /// The layer has a weight and an input that tie makes one variable.
  [[nodiscard]] bool can_be_tied() const {
    return own_input >= 0 && own_weight != own_input && (own_weight >= 0 || own_slices.count > 0);
  }
};

/// A term beside the place where it stands.
struct SteppedTerm {
  Figures value{};
  double weight_bits = 0.0;  ///< by which the weight moved
  double input_bits = 0.0;
};

/// Terms with more coordinates are interpolated on simplices.
inline constexpr std::size_t kMostMultilinear = 6;

/// All terms of a network on a machine. Safe from many threads.
class CostTerms {
 public:
  /// Everything given must outlive the terms.
  CostTerms(const Evaluator& evaluator, const LayerGraph& graph, const Variables& variables,
            const NetworkPrecision& base);
  ~CostTerms();
  CostTerms(CostTerms&&) = delete;
  CostTerms& operator=(CostTerms&&) = delete;

  [[nodiscard]] const std::vector<Term>& all() const { return terms_; }

  /// Value and slopes of one term where its coordinates stand. Throws ModelError, or says why, when
  /// a lattice point that the value needs is not legal.
  [[nodiscard]] Result<bool> interpolated(std::size_t term, const Placement& placement,
                                          Monotone monotone, Interpolated& out) const;
  /// Figures of one term at knots, kept. Throws ModelError, or says why they are not legal.
  [[nodiscard]] Result<Figures> at_knots(std::size_t term, std::span<const KnotIndex> knots,
                                         Monotone monotone) const;
  /// Figures of one term at whole amounts (widths, numbers of channels), which need not be knots.
  [[nodiscard]] Result<Figures> exact(std::size_t term,
                                      std::span<const std::int64_t> amounts) const;
  /// Figures of one term when the layer's own weight (all slices of it, which must be equally wide)
  /// and input go `weight_step` and `input_step` (-1, 0, 1) legal widths up. Nothing when one of
  /// them cannot, or stands between two.
  [[nodiscard]] std::optional<SteppedTerm> stepped(std::size_t term, const Placement& placement,
                                                   Monotone monotone, int weight_step,
                                                   int input_step) const;

  [[nodiscard]] MemoCounts counts() const;
  /// Counts evaluations of terms, once for many of them.
  void count_evaluations(std::size_t terms) const;
  /// Forgets everything; nobody else may use the terms meanwhile.
  void clear();

 private:
  struct Vertex {
    Figures figures{};
    bool legal = false;
  };
  struct Memo;

  /// False: not legal. Sets `computed` when the memo did not have it.
  bool vertex(std::size_t term, std::span<const KnotIndex> knots, Monotone monotone, Figures& out,
              bool& computed) const;
  [[nodiscard]] Vertex computed_vertex(std::size_t term, std::span<const KnotIndex> knots,
                                       Monotone monotone) const;
  [[nodiscard]] Vertex envelope_vertex(std::size_t term, std::span<const KnotIndex> knots) const;
  [[nodiscard]] Result<bool> illegal_corner(std::size_t term,
                                            std::span<const KnotPosition> at) const;
  [[nodiscard]] std::vector<std::int64_t> amounts_of(std::size_t term,
                                                     std::span<const KnotIndex> knots) const;
  /// Moves the layer's own weight and returns by how many bits; 0: it cannot.
  double step_weight(const Term& term, const Placement& placement,
                     std::span<KnotPosition> positions, int step) const;
  void set_widths(const Term& term, std::span<const std::int64_t> amounts,
                  NetworkPrecision& precision) const;
  [[nodiscard]] LoweredLayer lowered(LayerId layer, const Term& term,
                                     std::span<const std::int64_t> amounts,
                                     const NetworkPrecision& precision) const;
  [[nodiscard]] std::vector<LoweredLayer> placed_network(const Term& term,
                                                         std::span<const std::int64_t> amounts,
                                                         const NetworkPrecision& precision) const;

  const Evaluator& evaluator_;
  const LayerGraph& graph_;
  const Variables& variables_;
  const NetworkPrecision& base_;
  std::vector<std::vector<TensorId>> shown_by_;  // views of each tensor
  std::vector<Term> terms_;
  std::unique_ptr<Memo> memo_;
};

}  // namespace vernier::dataflow
