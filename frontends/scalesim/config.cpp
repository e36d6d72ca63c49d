#include "frontends/scalesim/config.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "frontends/topology/source_text.hpp"

namespace vernier::frontends::scalesim {
namespace {

using topology::lower_case;
using topology::parse_integer;
using topology::Problems;
using topology::split_lines;
using topology::TextField;
using topology::trimmed;

constexpr std::int64_t kLargestArraySide = 1 << 20;
constexpr std::int64_t kLargestSramKilobytes = std::int64_t{1} << 30;
constexpr std::int64_t kLargestBandwidth = std::int64_t{1} << 40;

/// What is known about a key: the reader uses it, or accepts it because it changes no report.
struct KnownKey {
  std::string_view section;
  std::string_view key;
};

constexpr auto kKnownKeys = std::to_array<KnownKey>({
    {"general", "run_name"},
    {"architecture_presets", "ArrayHeight"},
    {"architecture_presets", "ArrayWidth"},
    {"architecture_presets", "IfmapSramSzkB"},
    {"architecture_presets", "FilterSramSzkB"},
    {"architecture_presets", "OfmapSramSzkB"},
    {"architecture_presets", "IfmapSramSz"},
    {"architecture_presets", "FilterSramSz"},
    {"architecture_presets", "OfmapSramSz"},
    {"architecture_presets", "IfmapOffset"},
    {"architecture_presets", "FilterOffset"},
    {"architecture_presets", "OfmapOffset"},
    {"architecture_presets", "Bandwidth"},
    {"architecture_presets", "Dataflow"},
    {"architecture_presets", "MemoryBanks"},
    {"architecture_presets", "ReadRequestBuffer"},
    {"architecture_presets", "WriteRequestBuffer"},
    {"layout", "IfmapCustomLayout"},
    {"layout", "IfmapSRAMBankBandwidth"},
    {"layout", "IfmapSRAMBankNum"},
    {"layout", "IfmapSRAMBankPort"},
    {"layout", "FilterCustomLayout"},
    {"layout", "FilterSRAMBankBandwidth"},
    {"layout", "FilterSRAMBankNum"},
    {"layout", "FilterSRAMBankPort"},
    {"sparsity", "SparsitySupport"},
    {"sparsity", "SparseRep"},
    {"sparsity", "OptimizedMapping"},
    {"sparsity", "BlockSize"},
    {"sparsity", "RandomNumberGeneratorSeed"},
    {"run_presets", "InterfaceBandwidth"},
    {"run_presets", "UseRamulatorTrace"},
});

std::vector<std::string> known_sections() {
  std::vector<std::string> names;
  for (const KnownKey& known : kKnownKeys) {
    if (names.empty() || names.back() != known.section) names.emplace_back(known.section);
  }
  return names;
}

std::vector<std::string> known_keys(const std::string& section) {
  std::vector<std::string> names;
  for (const KnownKey& known : kKnownKeys) {
    if (known.section == section) names.emplace_back(known.key);
  }
  return names;
}

/// The key of the list that `found` spells in any case, or an empty text.
std::string matching(const std::string& found, const std::vector<std::string>& names) {
  const auto same = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return lower_case(name) == lower_case(found);
  });
  return same == names.end() ? std::string{} : *same;
}

/// Key-value pairs of the file by their canonical names, with the places of the values.
class IniFile {
 public:
  IniFile(std::string_view text, const std::string& file) : problems_(file) {
    const std::vector<std::string> lines = split_lines(text);
    for (std::size_t index = 0; index < lines.size(); ++index) {
      read_line(lines[index], static_cast<int>(index) + 1);
    }
  }

  [[nodiscard]] Problems& problems() { return problems_; }

  [[nodiscard]] const TextField* find(const std::string& key) const {
    const auto entry = values_.find(key);
    return entry == values_.end() ? nullptr : &entry->second;
  }

  /// An integer of [least, most]; without the key `fallback`, or a problem when there is none.
  std::int64_t integer(const std::vector<std::string>& keys, std::int64_t least, std::int64_t most,
                       std::optional<std::int64_t> fallback) {
    for (const std::string& key : keys) {
      const TextField* value = find(key);
      if (value == nullptr) continue;
      const std::optional<std::int64_t> number = parse_integer(first_of_list(value->text));
      if (number && *number >= least && *number <= most) return *number;
      problems_.add(*value, fmt::format("{}: found '{}', allowed is a whole number from {} to {}",
                                        key, shown(value->text), least, most));
      return least;
    }
    if (!fallback) miss(keys.front());
    return fallback.value_or(least);
  }

  /// Reports a missing key, unless an unknown name explains why it is not there.
  void miss(const std::string& key) {
    if (!has_unknown_) problems_.add(fmt::format("{}: is missing", key));
  }

  /// Refuses a switch that is on.
  void refuse_true(const std::string& key, const std::string& reason) {
    const TextField* value = find(key);
    if (value == nullptr) return;
    const std::string setting = lower_case(value->text);
    if (setting == "false" || setting == "0" || setting == "no" || setting == "off") return;
    problems_.add(*value, fmt::format("{}: found '{}', allowed is false: {}", key,
                                      shown(value->text), reason));
  }

 private:
  static std::string first_of_list(const std::string& text) {
    return std::string(trimmed(std::string_view(text).substr(0, text.find(','))));
  }

  void read_line(const std::string& line, int number) {
    const std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return;
    const int column = static_cast<int>(line.find_first_not_of(" \t\f\v")) + 1;
    if (content.front() == '[') {
      open_section(content, number, column);
      return;
    }
    const std::size_t split = line.find_first_of(":=");
    if (split == std::string::npos) {
      problems_.add(number, column,
                    fmt::format("found '{}', allowed are [section], 'key : value' and 'key = "
                                "value'",
                                shown(content)));
      return;
    }
    const std::string key(trimmed(std::string_view(line).substr(0, split)));
    const std::size_t begin = std::min(line.find_first_not_of(" \t", split + 1), line.size());
    const TextField value{std::string(trimmed(std::string_view(line).substr(split + 1))), number,
                          static_cast<int>(begin) + 1};
    keep(key, value, column);
  }

  void open_section(std::string_view content, int number, int column) {
    section_.clear();
    skipping_ = true;
    const std::size_t end = content.find(']');
    if (end == std::string_view::npos) {
      problems_.add(number, column, fmt::format("'{}' wants a ']'", shown(content)));
      return;
    }
    const std::string found(trimmed(content.substr(1, end - 1)));
    section_ = matching(found, known_sections());
    skipping_ = section_.empty();
    if (skipping_) {
      has_unknown_ = true;
      const std::vector<std::string> sections = known_sections();
      const std::string near = suggestion(found, sections);
      problems_.add(number, column,
                    fmt::format("[{}]: unknown section{}", shown(found),
                                near.empty() ? "; allowed are " + name_list(sections) : near));
    }
  }

  void keep(const std::string& key, const TextField& value, int column) {
    if (section_.empty()) {
      if (!skipping_) {
        problems_.add(value.line, column,
                      fmt::format("'{}' stands before the first [section]", shown(key)));
      }
      return;
    }
    const std::vector<std::string> allowed = known_keys(section_);
    const std::string name = matching(key, allowed);
    if (name.empty()) {
      has_unknown_ = true;
      const std::string near = suggestion(key, allowed);
      problems_.add(value.line, column,
                    fmt::format("{}: unknown key of [{}]{}", shown(key), section_,
                                near.empty() ? "; allowed are " + name_list(allowed, 40) : near));
      return;
    }
    const auto [entry, is_new] = values_.emplace(name, value);
    if (!is_new) {
      problems_.add(value.line, column,
                    fmt::format("{}: stands here and in line {}", name, entry->second.line));
    }
  }

  Problems problems_;
  std::map<std::string, TextField> values_;
  std::string section_;
  bool skipping_ = false;
  bool has_unknown_ = false;
};

std::int64_t sram_words(IniFile& ini, const std::string& key) {
  return kWordsPerKilobyte * ini.integer({key + "kB", key}, 1, kLargestSramKilobytes, {});
}

Dataflow read_dataflow(IniFile& ini) {
  const TextField* value = ini.find("Dataflow");
  if (value == nullptr) {
    ini.miss("Dataflow");
    return Dataflow::kOutputStationary;
  }
  for (const Dataflow dataflow :
       {Dataflow::kOutputStationary, Dataflow::kWeightStationary, Dataflow::kInputStationary}) {
    if (lower_case(value->text) == to_text(dataflow)) return dataflow;
  }
  ini.problems().add(
      *value, fmt::format("Dataflow: found '{}', allowed are os, ws, is", shown(value->text)));
  return Dataflow::kOutputStationary;
}

// v1 files know no bandwidth mode; v1 had no stalls, which is what CALC gives.
BandwidthMode read_mode(IniFile& ini) {
  const TextField* value = ini.find("InterfaceBandwidth");
  if (value == nullptr || lower_case(value->text) == "calc") return BandwidthMode::kEstimated;
  if (lower_case(value->text) == "user") return BandwidthMode::kGiven;
  ini.problems().add(*value, fmt::format("InterfaceBandwidth: found '{}', allowed are CALC, USER",
                                         shown(value->text)));
  return BandwidthMode::kEstimated;
}

// v3 takes the speed of the two read streams from the banks of their SRAMs.
std::int64_t read_bandwidth(IniFile& ini, const std::string& stream, std::int64_t common,
                            Compat compat) {
  const std::string key = stream + "SRAMBankBandwidth";
  const std::int64_t banks = ini.integer({stream + "SRAMBankNum"}, 1, kLargestBandwidth, 1);
  const std::int64_t found = ini.integer({key}, 1, kLargestBandwidth, common);
  if (compat == Compat::kV2) return common;
  if (found % banks != 0) {
    const TextField* value = ini.find(key);
    const std::string sentence = fmt::format(
        "{}: found {}, allowed are multiples of {}SRAMBankNum = {}", key, found, stream, banks);
    if (value != nullptr) {
      ini.problems().add(*value, sentence);
    } else {
      ini.problems().add(sentence);
    }
  }
  return found;
}

std::string read_run_name(IniFile& ini) {
  const TextField* value = ini.find("run_name");
  if (value == nullptr) return Config{}.run_name;
  std::string name = value->text;
  if (name.size() >= 2 && (name.front() == '"' || name.front() == '\'') &&
      name.back() == name.front()) {
    name = name.substr(1, name.size() - 2);
  }
  const bool is_path = name.find_first_of("/\\") != std::string::npos || name == "." ||
                       name == ".." || name.find('\0') != std::string::npos;
  if (name.empty() || is_path) {
    ini.problems().add(*value, fmt::format("run_name: found '{}', allowed is a folder name "
                                           "without '/'",
                                           shown(name)));
  }
  return name;
}

void refuse_extensions(IniFile& ini) {
  ini.refuse_true("IfmapCustomLayout", "bank conflicts are not modelled");
  ini.refuse_true("FilterCustomLayout", "bank conflicts are not modelled");
  ini.refuse_true("SparsitySupport", "sparsity is not modelled");
  ini.refuse_true("UseRamulatorTrace", "Ramulator traces are not read");
}

}  // namespace

Config read_config(std::string_view text, const std::string& file, Compat compat) {
  IniFile ini(text, file);
  Config config;
  config.compat = compat;
  config.run_name = read_run_name(ini);
  config.rows = ini.integer({"ArrayHeight"}, 1, kLargestArraySide, {});
  config.columns = ini.integer({"ArrayWidth"}, 1, kLargestArraySide, {});
  config.input_words = sram_words(ini, "IfmapSramSz");
  config.filter_words = sram_words(ini, "FilterSramSz");
  config.output_words = sram_words(ini, "OfmapSramSz");
  config.dataflow = read_dataflow(ini);
  config.mode = read_mode(ini);
  const bool has_given = config.mode == BandwidthMode::kGiven;
  const std::int64_t bandwidth =
      ini.integer({"Bandwidth"}, has_given ? 1 : 0, kLargestBandwidth,
                  has_given ? std::nullopt : std::optional<std::int64_t>(0));
  config.output_bandwidth = bandwidth;
  config.input_bandwidth = read_bandwidth(ini, "Ifmap", bandwidth, compat);
  config.filter_bandwidth = read_bandwidth(ini, "Filter", bandwidth, compat);
  refuse_extensions(ini);
  ini.problems().throw_if_any();
  return config;
}

Config load_config(const std::string& path, Compat compat) {
  return read_config(topology::read_text_file(path), path, compat);
}

std::string_view to_text(Dataflow dataflow) {
  switch (dataflow) {
    case Dataflow::kOutputStationary: return "os";
    case Dataflow::kWeightStationary: return "ws";
    case Dataflow::kInputStationary: break;
  }
  return "is";
}

}  // namespace vernier::frontends::scalesim
