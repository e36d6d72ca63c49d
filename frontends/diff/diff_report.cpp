// The writers of a comparison; they format a ResultDiff and compute nothing.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arch/base/text.hpp"
#include "frontends/diff/result_diff.hpp"
#include "vernier_version.hpp"

namespace vernier::frontends {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDiffSchemaVersion = "1.0";

// A name or value of a file, safe for a terminal; the end of long ones is what differs.
std::string cell(std::string_view text, std::size_t width) {
  const std::string safe = shown(text, text.size());
  return safe.size() <= width ? safe : ".." + safe.substr(safe.size() - width + 2);
}

std::string number_text(const std::optional<ResultFigure>& figure) {
  if (!figure) return "-";
  return figure->is_count ? fmt::format("{}", figure->count)
                          : fmt::format("{:.6g}", figure->number);
}

std::string change_text(const FigureDifference& difference) {
  return difference.is_count() ? fmt::format("{:+}", difference.count_change())
                               : fmt::format("{:+.6g}", difference.change());
}

std::string percent_text(std::optional<double> part) {
  constexpr double kPercent = 100.0;
  return part ? fmt::format("{:+.2f}%", kPercent * *part) : "-";
}

void add_settings(std::string& out, const ResultDiff& diff) {
  constexpr std::size_t kMostLines = 40;
  constexpr std::size_t kWidth = 44;
  out += diff.settings.empty() ? "\nno setting differs\n"
                               : fmt::format("\n{} different settings\n", diff.settings.size());
  for (std::size_t at = 0; at < std::min(kMostLines, diff.settings.size()); ++at) {
    const SettingDifference& setting = diff.settings[at];
    out += fmt::format("  {:<{}} {} -> {}\n", cell(setting.key, kWidth), kWidth,
                       setting.before ? cell(*setting.before, kWidth) : "(none)",
                       setting.after ? cell(*setting.after, kWidth) : "(none)");
  }
  if (diff.settings.size() > kMostLines) {
    out += fmt::format("  ... and {} more (all are in --format json)\n",
                       diff.settings.size() - kMostLines);
  }
}

void add_total(std::string& out, const ResultDiff& diff) {
  const auto changed = std::count_if(diff.total.begin(), diff.total.end(),
                                     [](const auto& figure) { return figure.is_change(); });
  out += fmt::format("\n{:<44} {:>16} {:>16} {:>16} {:>10}\n",
                     fmt::format("total ({} of {} figures differ)", changed, diff.total.size()),
                     "A", "B", "change", "of A");
  for (const FigureDifference& figure : diff.total) {
    const bool is_main = figure.key.find('.') == std::string::npos;
    if (!figure.is_change() && !is_main) continue;
    out += fmt::format("  {:<42} {:>16} {:>16} {:>16} {:>10}\n", cell(figure.key, 42),
                       number_text(figure.before), number_text(figure.after),
                       figure.is_change() ? change_text(figure) : "=",
                       figure.is_change() ? percent_text(figure.relative()) : "");
  }
}

// "energy_pj -3.20%, dram_bits -10.00%; bits, tasks": what else differs in a layer.
std::string remarks_of(const LayerDifference& layer, const std::string& measure) {
  if (layer.state != LayerState::kInBoth) return std::string(to_text(layer.state));
  std::string text;
  for (const FigureDifference& figure : layer.figures) {
    const std::vector<std::string>& measures = diff_measures();
    if (figure.key == measure) continue;
    if (std::find(measures.begin(), measures.end(), figure.key) == measures.end()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", figure.key,
                        percent_text(figure.relative()));
  }
  for (const SettingDifference& setting : layer.settings) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", setting.key);
  }
  return text;
}

void add_layers(std::string& out, const ResultDiff& diff) {
  out += fmt::format("\nlayers by change of {}: {} differ, {} are equal, {} removed, {} added\n",
                     diff.measure, diff.layers.size(), diff.equal_layers, diff.removed_layers,
                     diff.added_layers);
  if (diff.layers.empty()) return;
  out += fmt::format("  {:<28} {:>14} {:>14} {:>14} {:>9} {:>9}  {}\n", "layer", "A", "B", "change",
                     "of A", "share", "and");
  for (const LayerDifference& layer : diff.layers) {
    out += fmt::format("  {:<28} {:>14} {:>14} {:>14} {:>9} {:>9}  {}\n", cell(layer.name, 28),
                       number_text(layer.measure.before), number_text(layer.measure.after),
                       change_text(layer.measure), percent_text(layer.measure.relative()),
                       percent_text(layer.share), remarks_of(layer, diff.measure));
  }
}

Json figure_json(const std::optional<ResultFigure>& figure) {
  if (!figure) return nullptr;
  if (figure->is_count) return figure->count;
  return figure->number;
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json difference_json(const FigureDifference& difference) {
  return {{"key", difference.key},
          {"a", figure_json(difference.before)},
          {"b", figure_json(difference.after)},
          {"change",
           difference.is_count() ? Json(difference.count_change()) : Json(difference.change())},
          {"relative_change", optional_json(difference.relative())}};
}

Json settings_json(const std::vector<SettingDifference>& settings) {
  Json list = Json::array();
  for (const SettingDifference& setting : settings) {
    list.push_back({{"key", setting.key},
                    {"a", setting.before ? Json(*setting.before) : Json(nullptr)},
                    {"b", setting.after ? Json(*setting.after) : Json(nullptr)}});
  }
  return list;
}

Json figures_json(const std::vector<FigureDifference>& figures) {
  Json list = Json::array();
  for (const FigureDifference& figure : figures) list.push_back(difference_json(figure));
  return list;
}

std::string exact_text(const std::optional<ResultFigure>& figure) {
  if (!figure) return "";
  return figure->is_count ? fmt::format("{}", figure->count) : fmt::format("{}", figure->number);
}

std::string figure_row(std::string_view part, std::string_view name, const FigureDifference& figure,
                       const std::string& share) {
  const std::optional<double> relative = figure.relative();
  const std::string change = figure.is_count() ? fmt::format("{}", figure.count_change())
                                               : fmt::format("{}", figure.change());
  return fmt::format("{},{},{},{},{},{},{},{}\n", part, csv_field(name), csv_field(figure.key),
                     exact_text(figure.before), exact_text(figure.after), change,
                     relative ? fmt::format("{}", *relative) : "", share);
}

std::string setting_row(std::string_view part, std::string_view name,
                        const SettingDifference& setting) {
  return fmt::format("{},{},{},{},{},,,\n", part, csv_field(name), csv_field(setting.key),
                     csv_field(setting.before.value_or("")), csv_field(setting.after.value_or("")));
}

}  // namespace

std::string diff_table(const ResultDiff& diff, const ResultFile& before, const ResultFile& after) {
  std::string out;
  for (const auto& side : {std::pair<char, const ResultFile*>{'A', &before}, {'B', &after}}) {
    out += fmt::format("{}: {} on {} ({})\n", side.first, cell(side.second->network, 40),
                       cell(side.second->machine, 40), side.second->file);
  }
  if (diff.is_equal()) return out + "\nno setting and no figure differs\n";
  add_settings(out, diff);
  add_total(out, diff);
  add_layers(out, diff);
  return out;
}

std::string diff_json(const ResultDiff& diff, const ResultFile& before, const ResultFile& after) {
  Json layers = Json::array();
  for (const LayerDifference& layer : diff.layers) {
    layers.push_back({{"name", layer.name},
                      {"state", to_text(layer.state)},
                      {"measure", difference_json(layer.measure)},
                      {"share", optional_json(layer.share)},
                      {"settings", settings_json(layer.settings)},
                      {"figures", figures_json(layer.figures)}});
  }
  const Json json = {{"diff_schema_version", kDiffSchemaVersion},
                     {"vernier_version", kVersion},
                     {"a", before.file},
                     {"b", after.file},
                     {"is_equal", diff.is_equal()},
                     {"measure", diff.measure},
                     {"equal_layers", diff.equal_layers},
                     {"removed_layers", diff.removed_layers},
                     {"added_layers", diff.added_layers},
                     {"settings", settings_json(diff.settings)},
                     {"total", figures_json(diff.total)},
                     {"layers", std::move(layers)}};
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string diff_csv(const ResultDiff& diff) {
  std::string out = "part,name,key,a,b,change,relative_change,share\n";
  for (const SettingDifference& setting : diff.settings) {
    out += setting_row("setting", "", setting);
  }
  for (const FigureDifference& figure : diff.total) {
    if (figure.is_change()) out += figure_row("total", "total", figure, "");
  }
  for (const LayerDifference& layer : diff.layers) {
    const std::string part = fmt::format("layer_{}", to_text(layer.state));
    for (const SettingDifference& setting : layer.settings) {
      out += setting_row(part, layer.name, setting);
    }
    for (const FigureDifference& figure : layer.figures) {
      const bool is_measure = figure.key == diff.measure && layer.share;
      out +=
          figure_row(part, layer.name, figure, is_measure ? fmt::format("{}", *layer.share) : "");
    }
  }
  return out;
}

}  // namespace vernier::frontends
