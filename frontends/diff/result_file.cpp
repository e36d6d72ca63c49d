#include "frontends/diff/result_file.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"

namespace vernier::frontends {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string joined(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string value_text(const JsonNode& node) {
  switch (node.kind) {
    case JsonNode::Kind::kNull: return "null";
    case JsonNode::Kind::kBoolean: return node.boolean ? "true" : "false";
    case JsonNode::Kind::kInteger: return fmt::format("{}", node.integer);
    case JsonNode::Kind::kNumber: return fmt::format("{}", node.number);
    case JsonNode::Kind::kText: return node.text;
    case JsonNode::Kind::kList:
    case JsonNode::Kind::kObject: break;
  }
  std::string text;
  for (const JsonNode& item : node.items) text += (text.empty() ? "" : ", ") + value_text(item);
  for (const auto& [key, value] : node.entries) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", key, value_text(value));
  }
  return node.kind == JsonNode::Kind::kList ? "[" + text + "]" : "{" + text + "}";
}

// Far more settings than any machine has.
constexpr std::size_t kMostSettings = 10'000;

// Every value below a node by its path; lists are one value.
void flatten(const JsonNode& node, const std::string& path, Settings& settings) {
  if (settings.size() >= kMostSettings) return;
  if (node.kind != JsonNode::Kind::kObject) {
    settings.emplace_back(path, value_text(node));
    return;
  }
  for (const auto& [key, value] : node.entries) flatten(value, joined(path, key), settings);
}

class ResultReader {
 public:
  ResultReader(const JsonNode& root, std::string file) : root_(root) {
    result_.file = std::move(file);
  }

  ResultFile read() {
    check_schema();
    for (const char* key : {"schema_version", "vernier_version", "engine"}) {
      if (const JsonNode* node = needed(root_, "", key, JsonNode::Kind::kText)) {
        flatten(*node, key, result_.settings);
      }
    }
    for (const char* key : {"inputs", "machine", "network"}) {
      if (const JsonNode* node = needed(root_, "", key, JsonNode::Kind::kObject)) {
        flatten(*node, key, result_.settings);
      }
    }
    result_.machine = setting("machine.name");
    result_.network = setting("network.name");
    for (const char* key : {"assumptions", "roundings", "area_um2"}) {
      if (const JsonNode* node = root_.find(key)) flatten(*node, key, result_.settings);
    }
    read_prices();
    if (const JsonNode* total = needed(root_, "", "total", JsonNode::Kind::kObject)) {
      result_.total.name = "total";
      read_figures(*total, "total", result_.total);
    }
    read_layers();
    if (result_.settings.size() >= kMostSettings) {
      problem(root_, "", fmt::format("more than the {} settings that are read", kMostSettings));
    }
    problems_.throw_if_any();
    return std::move(result_);
  }

 private:
  // Nothing else can be said of a file that is no result at all.
  void check_schema() {
    if (root_.kind != JsonNode::Kind::kObject) {
      throw ConfigError(fmt::format("{}:{}: found {}; not a result of vernier run --format json",
                                    result_.file, root_.line, root_.description()));
    }
    const JsonNode* version = root_.find("schema_version");
    if (version == nullptr || version->kind != JsonNode::Kind::kText) {
      throw ConfigError(fmt::format(
          "{}:{}: schema_version: {}; not a result of vernier run --format json", result_.file,
          version == nullptr ? root_.line : version->line,
          version == nullptr ? "the key is missing" : "found " + version->description()));
    }
    const std::vector<std::string>& known = readable_result_schemas();
    if (std::find(known.begin(), known.end(), version->text) == known.end()) {
      throw ConfigError(fmt::format("{}:{}: schema_version: found '{}'; this vernier reads {}",
                                    result_.file, version->line, shown(version->text),
                                    name_list(known)));
    }
  }

  void problem(const JsonNode& node, const std::string& path, const std::string& message) {
    problems_.add({.file = result_.file, .line = node.line}, path, message);
  }

  const JsonNode* needed(const JsonNode& parent, const std::string& path, const char* key,
                         JsonNode::Kind kind) {
    static constexpr std::array<const char*, 7> kKinds{
        "null", "true or false", "a number", "a number", "a text", "a list", "an object"};
    const JsonNode* node = parent.find(key);
    if (node == nullptr) {
      problem(parent, joined(path, key), "the key is missing");
    } else if (node->kind != kind) {
      problem(*node, joined(path, key),
              fmt::format("found {}; {} is needed", node->description(),
                          kKinds.at(static_cast<std::size_t>(kind))));
      node = nullptr;
    }
    return node;
  }

  [[nodiscard]] std::string setting(std::string_view key) const {
    for (const auto& entry : result_.settings) {
      if (entry.first == key) return entry.second;
    }
    return "?";
  }

  // A price by what it is for: "prices.mac.mac.w4a8".
  void read_prices() {
    const JsonNode* prices = needed(root_, "", "prices", JsonNode::Kind::kList);
    if (prices == nullptr) return;
    for (const JsonNode& price : prices->items) {
      if (problems_.full() || result_.settings.size() >= kMostSettings) return;
      std::string key = "prices";
      for (const char* part : {"component", "action"}) {
        if (const JsonNode* node = needed(price, "prices[]", part, JsonNode::Kind::kText)) {
          key += "." + node->text;
        }
      }
      const JsonNode* weight = price.find("weight_bits");
      const JsonNode* activation = price.find("activation_bits");
      if (weight != nullptr && activation != nullptr) {
        key += fmt::format(".w{}a{}", value_text(*weight), value_text(*activation));
      }
      if (const JsonNode* energy = price.find("energy_pj")) {
        result_.settings.emplace_back(key + ".energy_pj", value_text(*energy));
      }
    }
  }

  static bool is_number(const JsonNode& node) {
    return node.kind == JsonNode::Kind::kInteger || node.kind == JsonNode::Kind::kNumber;
  }

  void add_figure(const JsonNode& node, const std::string& path, const std::string& key,
                  ResultPart& part) {
    if (node.number < 0.0) {
      problem(node, joined(path, key),
              fmt::format("found {}; no figure of a result is negative", node.description()));
      return;
    }
    part.figures.push_back({.key = key,
                            .is_count = node.kind == JsonNode::Kind::kInteger,
                            .count = node.integer,
                            .number = node.number});
  }

  // All numbers of a part, one level of objects below it included.
  void read_figures(const JsonNode& node, const std::string& path, ResultPart& part) {
    for (const auto& [key, value] : node.entries) {
      if (problems_.full()) return;
      if (is_number(value)) add_figure(value, path, key, part);
      if (key == "bound_by") part.settings.emplace_back(key, value_text(value));
      if (value.kind != JsonNode::Kind::kObject || key == "bits") continue;
      for (const auto& [inner, figure] : value.entries) {
        if (is_number(figure)) add_figure(figure, path, joined(key, inner), part);
      }
    }
    for (const char* key : {"cycles", "energy_pj", "dram_bits", "macs"}) {
      const JsonNode* figure = node.find(key);
      if (figure == nullptr) {
        problem(node, joined(path, key), "the key is missing");
      } else if (!is_number(*figure)) {
        problem(*figure, joined(path, key),
                fmt::format("found {}; a number is needed", figure->description()));
      }
    }
  }

  void read_layers() {
    const JsonNode* layers = needed(root_, "", "layers", JsonNode::Kind::kList);
    if (layers == nullptr) return;
    std::map<std::string, int> lines;
    for (std::size_t at = 0; at < layers->items.size() && !problems_.full(); ++at) {
      const JsonNode& node = layers->items[at];
      const std::string path = fmt::format("layers[{}]", at);
      const JsonNode* name = needed(node, path, "name", JsonNode::Kind::kText);
      if (name == nullptr) continue;
      ResultPart layer{.name = name->text, .figures = {}, .settings = {}};
      const auto [first, is_new] = lines.emplace(layer.name, name->line);
      if (!is_new) {
        problem(*name, joined(path, "name"),
                fmt::format("the layer '{}' stands in line {} already", shown(layer.name),
                            first->second));
        continue;
      }
      for (const char* key : {"operator", "output_shape", "bits", "tasks"}) {
        const JsonNode* setting = node.find(key);
        if (setting != nullptr) layer.settings.emplace_back(key, value_text(*setting));
      }
      read_figures(node, path, layer);
      result_.layers.push_back(std::move(layer));
    }
  }

  const JsonNode& root_;
  ProblemList problems_;
  ResultFile result_;
};

}  // namespace

const ResultFigure* ResultPart::find(std::string_view key) const {
  const auto found = std::find_if(figures.begin(), figures.end(),
                                  [key](const ResultFigure& figure) { return figure.key == key; });
  return found == figures.end() ? nullptr : &*found;
}

const std::vector<std::string>& readable_result_schemas() {
  static const std::vector<std::string> versions{"1.1", "1.2", "1.3"};
  return versions;
}

ResultFile read_result(std::string_view text, const std::string& file) {
  return ResultReader(parse_json(text, file), file).read();
}

ResultFile load_result(const std::string& path) {
  return read_result(read_text_file(path, JsonLimits{}.max_bytes), path);
}

}  // namespace vernier::frontends
