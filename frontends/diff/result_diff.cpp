#include "frontends/diff/result_diff.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/text.hpp"

namespace vernier::frontends {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Keys of the first list in its order, then those that only the second has.
template <typename Item, typename KeyOf>
std::vector<std::pair<const Item*, const Item*>> matched(const std::vector<Item>& before,
                                                         const std::vector<Item>& after,
                                                         const KeyOf& key_of) {
  std::map<std::string_view, const Item*> others;
  for (const Item& item : after) others.emplace(key_of(item), &item);
  std::vector<std::pair<const Item*, const Item*>> pairs;
  std::map<std::string_view, const Item*> first;
  for (const Item& item : before) {
    if (!first.emplace(key_of(item), &item).second) continue;
    const auto found = others.find(key_of(item));
    pairs.emplace_back(&item, found == others.end() ? nullptr : found->second);
  }
  for (const Item& item : after) {
    if (!first.contains(key_of(item)) && others.at(key_of(item)) == &item) {
      pairs.emplace_back(nullptr, &item);
    }
  }
  return pairs;
}

std::vector<SettingDifference> compare_settings(const Settings& before, const Settings& after) {
  std::vector<SettingDifference> differences;
  for (const auto& pair : matched(
           before, after, [](const auto& entry) -> const std::string& { return entry.first; })) {
    const auto* const left = pair.first;
    const auto* const right = pair.second;
    if (left != nullptr && right != nullptr && left->second == right->second) continue;
    SettingDifference difference{.key = (left != nullptr ? left : right)->first,
                                 .before = std::nullopt,
                                 .after = std::nullopt};
    if (left != nullptr) difference.before = left->second;
    if (right != nullptr) difference.after = right->second;
    differences.push_back(std::move(difference));
  }
  return differences;
}

std::vector<FigureDifference> compare_figures(const ResultPart& before, const ResultPart& after) {
  std::vector<FigureDifference> differences;
  for (const auto& pair :
       matched(before.figures, after.figures,
               [](const ResultFigure& figure) -> const std::string& { return figure.key; })) {
    FigureDifference difference{.key = (pair.first != nullptr ? pair.first : pair.second)->key,
                                .before = std::nullopt,
                                .after = std::nullopt};
    if (pair.first != nullptr) difference.before = *pair.first;
    if (pair.second != nullptr) difference.after = *pair.second;
    differences.push_back(std::move(difference));
  }
  return differences;
}

FigureDifference measure_of(const ResultPart& before, const ResultPart& after,
                            const std::string& measure) {
  FigureDifference difference{.key = measure, .before = std::nullopt, .after = std::nullopt};
  if (const ResultFigure* figure = before.find(measure)) difference.before = *figure;
  if (const ResultFigure* figure = after.find(measure)) difference.after = *figure;
  return difference;
}

LayerDifference compare_layers(const ResultPart* before, const ResultPart* after,
                               const std::string& measure) {
  static const ResultPart none;
  LayerDifference difference;
  difference.name = (before != nullptr ? before : after)->name;
  difference.state = before == nullptr  ? LayerState::kAdded
                     : after == nullptr ? LayerState::kRemoved
                                        : LayerState::kInBoth;
  const ResultPart& left = before == nullptr ? none : *before;
  const ResultPart& right = after == nullptr ? none : *after;
  difference.figures = compare_figures(left, right);
  std::erase_if(difference.figures,
                [](const FigureDifference& figure) { return !figure.is_change(); });
  difference.settings = compare_settings(left.settings, right.settings);
  difference.measure = measure_of(left, right, measure);
  return difference;
}

}  // namespace

bool FigureDifference::is_change() const {
  return before.has_value() != after.has_value() || change() != 0.0 ||
         (is_count() && count_change() != 0);
}

bool FigureDifference::is_count() const {
  return (!before || before->is_count) && (!after || after->is_count);
}

// Both are at least 0, so that the difference always fits.
std::int64_t FigureDifference::count_change() const {
  return (after ? after->count : 0) - (before ? before->count : 0);
}

double FigureDifference::change() const {
  if (is_count()) return static_cast<double>(count_change());
  return (after ? after->number : 0.0) - (before ? before->number : 0.0);
}

std::optional<double> FigureDifference::relative() const {
  if (!before || !after || before->number == 0.0) return std::nullopt;
  const double ratio = change() / before->number;
  return std::isfinite(ratio) ? std::optional<double>(ratio) : std::nullopt;
}

std::string_view to_text(LayerState state) {
  switch (state) {
    case LayerState::kInBoth: return "both";
    case LayerState::kRemoved: return "removed";
    case LayerState::kAdded: return "added";
  }
  return "unknown";
}

bool ResultDiff::is_equal() const {
  return settings.empty() && layers.empty() &&
         std::none_of(total.begin(), total.end(),
                      [](const FigureDifference& figure) { return figure.is_change(); });
}

const std::vector<std::string>& diff_measures() {
  static const std::vector<std::string> measures{"cycles", "energy_pj", "dram_bits", "macs"};
  return measures;
}

ResultDiff compare_results(const ResultFile& before, const ResultFile& after,
                           const std::string& measure) {
  const std::vector<std::string>& measures = diff_measures();
  if (std::find(measures.begin(), measures.end(), measure) == measures.end()) {
    throw ConfigError(fmt::format("layers are not compared by '{}'; there are {}{}", shown(measure),
                                  name_list(measures), suggestion(measure, measures)));
  }
  ResultDiff diff;
  diff.measure = measure;
  diff.settings = compare_settings(before.settings, after.settings);
  diff.total = compare_figures(before.total, after.total);
  const double whole = measure_of(before.total, after.total, measure).change();
  for (const auto& pair :
       matched(before.layers, after.layers,
               [](const ResultPart& layer) -> const std::string& { return layer.name; })) {
    LayerDifference layer = compare_layers(pair.first, pair.second, measure);
    if (layer.state == LayerState::kRemoved) ++diff.removed_layers;
    if (layer.state == LayerState::kAdded) ++diff.added_layers;
    if (layer.state == LayerState::kInBoth && layer.figures.empty() && layer.settings.empty()) {
      ++diff.equal_layers;
      continue;
    }
    const double share = layer.measure.change() / whole;
    if (whole != 0.0 && std::isfinite(share)) layer.share = share;
    diff.layers.push_back(std::move(layer));
  }
  std::stable_sort(diff.layers.begin(), diff.layers.end(),
                   [](const LayerDifference& left, const LayerDifference& right) {
                     return std::abs(left.measure.change()) > std::abs(right.measure.change());
                   });
  return diff;
}

}  // namespace vernier::frontends
