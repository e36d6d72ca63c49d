// Two results side by side: what was set differently, how the total changed, and which layers made
// the change, the largest share first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/diff/result_file.hpp"

namespace vernier::frontends {

/// A setting that the results do not share; nothing where a result does not have it.
struct SettingDifference {
  std::string key;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

/// A figure of both results, or of one.
struct FigureDifference {
  std::string key;
  std::optional<ResultFigure> before;
  std::optional<ResultFigure> after;

  [[nodiscard]] bool is_change() const;
  /// After minus before, a missing figure as 0; exact for counts.
  [[nodiscard]] bool is_count() const;
  [[nodiscard]] std::int64_t count_change() const;
  [[nodiscard]] double change() const;
  /// Change over before; nothing when before is 0 or missing.
  [[nodiscard]] std::optional<double> relative() const;
};

enum class LayerState : std::uint8_t { kInBoth, kRemoved, kAdded };
[[nodiscard]] std::string_view to_text(LayerState state);

struct LayerDifference {
  std::string name;
  LayerState state = LayerState::kInBoth;
  std::vector<FigureDifference> figures;    ///< the changed ones
  std::vector<SettingDifference> settings;  ///< operator, shape, bits, tasks, bound_by
  FigureDifference measure;                 ///< the figure by which layers are sorted
  /// Change of the measure over that of the total; nothing when the total did not change.
  std::optional<double> share;
};

struct ResultDiff {
  std::string measure;  ///< key of the figure by which layers are sorted
  std::vector<SettingDifference> settings;
  std::vector<FigureDifference> total;  ///< all figures, changed or not
  /// Layers with any difference: the largest change of the measure first, then by order of file.
  std::vector<LayerDifference> layers;
  std::size_t equal_layers = 0;
  std::size_t removed_layers = 0;
  std::size_t added_layers = 0;

  [[nodiscard]] bool is_equal() const;
};

/// Figures that layers sum up to the total, so that a layer has a share in it.
[[nodiscard]] const std::vector<std::string>& diff_measures();

/// Layers are matched by name. Throws ConfigError for an unknown measure.
[[nodiscard]] ResultDiff compare_results(const ResultFile& before, const ResultFile& after,
                                         const std::string& measure = "cycles");

/// A page for a terminal, a JSON object (docs/diff.schema.json), and one CSV row per difference.
[[nodiscard]] std::string diff_table(const ResultDiff& diff, const ResultFile& before,
                                     const ResultFile& after);
[[nodiscard]] std::string diff_json(const ResultDiff& diff, const ResultFile& before,
                                    const ResultFile& after);
[[nodiscard]] std::string diff_csv(const ResultDiff& diff);

}  // namespace vernier::frontends
