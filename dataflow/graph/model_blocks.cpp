#include "dataflow/graph/model_blocks.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "arch/base/text.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kMostBlockUses = 100'000;
constexpr std::size_t kMostFilledValues = 2'000'000;  // of all layers, blocks unfolded
constexpr int kDeepestBlocks = 8;
constexpr std::int64_t kMostRepeats = 1000;

// Ends the reading at once: the blocks unfold to more than any network needs.
[[noreturn]] void stop(const SourcePlace& place, const std::string& path,
                       std::string_view message) {
  throw ConfigError(fmt::format("{}: {}: {}", place.text(), shown(path, 120), message));
}

std::size_t values_in(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += values_in(item);
  for (const auto& [key, value] : node.entries) count += values_in(value);
  return count;
}

void collect_parameters(const YamlNode& node, std::unordered_set<std::string>& names) {
  if (node.scalar.starts_with('$')) names.insert(node.scalar);
  for (const YamlNode& item : node.items) collect_parameters(item, names);
  for (const auto& [key, value] : node.entries) collect_parameters(value, names);
}

// A name of the same list, or of a layer inside one of its blocks ("conv", "block.conv").
bool is_local(const std::string& written, const std::unordered_set<std::string>& names) {
  if (names.contains(written)) return true;
  for (std::size_t dot = written.find('.'); dot != std::string::npos;
       dot = written.find('.', dot + 1)) {
    if (names.contains(written.substr(0, dot))) return true;
  }
  return false;
}

}  // namespace

void BlockUnfolder::unfold(const YamlNode& layers, const std::string& first_input) {
  Scope top;
  unfold_list(layers, "layers", top, first_input, 0);
}

// Returns the name of the last output.
std::string BlockUnfolder::unfold_list(const YamlNode& list, const std::string& path, Scope& scope,
                                       std::string previous, int depth) {
  for (const YamlNode& item : list.items) {
    if (const YamlNode* name = item.find("name")) scope.names.insert(name->scalar);
    if (const YamlNode* names = item.find("names")) {
      for (const YamlNode& name : names->items) scope.names.insert(name.scalar);
    }
  }
  for (std::size_t at = 0; at < list.items.size(); ++at) {
    if (problems_.full()) problems_.throw_if_any();
    if (layer_count_ >= kMostLayers) {
      stop(list.items[at].place, path, fmt::format("more than {} layers", kMostLayers));
    }
    const std::string item_path = fmt::format("{}[{}]", path, at);
    const YamlNode item = filled(list.items[at], scope, item_path);
    previous = item.find("block") != nullptr ? unfold_use(item, item_path, scope, previous, depth)
                                             : unfold_layer(item, item_path, scope, previous);
  }
  return previous;
}

std::string BlockUnfolder::unfold_layer(const YamlNode& node, const std::string& path,
                                        const Scope& scope, const std::string& previous) {
  MappingReader reader(node, path, problems_);
  std::string name;
  reader.text("name", name, Need::kRequired, "name of the layer and its output tensor");
  name.insert(0, scope.prefix);
  check_length(reader, name);
  if (outputs_of_blocks_.contains(name)) {
    reader.problem("name", fmt::format("a block has the name '{}' too", shown(name)));
  }
  layers_.insert(name);
  ++layer_count_;
  take_layer_(reader, name, inputs_of(reader, scope, previous));
  return name;
}

// A copy with every `$name` replaced by its value.
YamlNode BlockUnfolder::filled(const YamlNode& node, const Scope& scope, const std::string& path) {
  if (++filled_ > kMostFilledValues) {
    stop(node.place, path,
         fmt::format("the blocks unfold to more than {} values", kMostFilledValues));
  }
  if (node.kind == YamlNode::Kind::kScalar && !node.scalar.empty() && node.scalar[0] == '$') {
    static const std::map<std::string, YamlNode> none;
    const auto& values = scope.values != nullptr ? *scope.values : none;
    const auto value = values.find(node.scalar.substr(1));
    if (value == values.end()) {
      std::vector<std::string> names;
      names.reserve(values.size());
      for (const auto& [name, unused] : values) names.push_back(name);
      problems_.add(node.place, path,
                    fmt::format("'{}' has no value where the block is used{}", shown(node.scalar),
                                suggestion(node.scalar.substr(1), names)));
      return node;
    }
    filled_ += values_in(value->second);
    YamlNode copy = value->second;
    copy.place = node.place;
    return copy;
  }
  YamlNode copy = node;
  for (YamlNode& item : copy.items) item = filled(item, scope, path);
  for (auto& [key, value] : copy.entries) value = filled(value, scope, path);
  return copy;
}

// False when the use names no block that can be unfolded; the problem is reported.
bool BlockUnfolder::read_use(MappingReader& reader, const std::string& path, BlockUse& use,
                             int depth) {
  const YamlNode& node = reader.raw();
  std::int64_t repeat = 1;
  reader.text("block", use.block, Need::kRequired, "block to use");
  reader.text("name", use.name, Need::kOptional, "name before the names of the block's layers");
  reader.texts("names", use.names, Need::kOptional, "names of consecutive uses");
  reader.integer("repeat", repeat, {1, kMostRepeats}, Need::kOptional, "consecutive uses");
  const bool is_repeated = node.find("repeat") != nullptr;
  if (use.names.empty() == use.name.empty()) {
    problems_.add(node.place, path, "exactly one of name, names is needed");
    return false;
  }
  if (use.names.empty()) {
    for (std::int64_t at = 0; at < repeat; ++at) {
      use.names.push_back(is_repeated ? fmt::format("{}.{}", use.name, at) : use.name);
    }
  } else if (is_repeated) {
    problems_.add(node.place, path, "'repeat' does not go with 'names'");
  }
  use.layers = blocks_ != nullptr ? blocks_->find(use.block) : nullptr;
  const bool too_deep = depth >= kDeepestBlocks;
  if (use.layers != nullptr && use.layers->kind == YamlNode::Kind::kSequence && !too_deep) {
    return true;
  }
  report_bad_block(reader, use, too_deep);
  return false;
}

// The values of the block's `$name`: every key of the use that is not its own.
std::map<std::string, YamlNode> BlockUnfolder::values_of(MappingReader& reader,
                                                         const BlockUse& use) {
  static const std::vector<std::string> reserved{"block", "name", "names", "repeat", "from"};
  std::unordered_set<std::string> parameters;
  collect_parameters(*use.layers, parameters);
  std::map<std::string, YamlNode> values;
  for (const auto& [key, value] : reader.raw().entries) {
    if (std::find(reserved.begin(), reserved.end(), key) != reserved.end()) continue;
    if (!parameters.contains("$" + key)) {
      problems_.add(value.place, reader.path_of(key),
                    fmt::format("the block '{}' has no ${}", shown(use.block), shown(key)));
    }
    values.emplace(key, value);
  }
  return values;
}

std::string BlockUnfolder::unfold_use(const YamlNode& node, const std::string& path,
                                      const Scope& outer, const std::string& previous, int depth) {
  MappingReader reader(node, path, problems_);
  BlockUse use;
  const std::string from = input_of(reader, outer, previous);
  if (!read_use(reader, path, use, depth)) return previous;
  const std::map<std::string, YamlNode> values = values_of(reader, use);
  std::string output = from;
  for (const std::string& name : use.names) {
    Scope inner;
    inner.prefix = outer.prefix + name + ".";
    inner.block_in = output;
    inner.values = &values;
    if (++block_uses_ > kMostBlockUses) {
      stop(node.place, path, fmt::format("more than {} uses of blocks", kMostBlockUses));
    }
    output = unfold_list(*use.layers, fmt::format("{} (block {})", path, use.block), inner, output,
                         depth + 1);
    name_block(reader, outer.prefix + name, output);
  }
  if (node.find("repeat") != nullptr) name_block(reader, outer.prefix + use.name, output);
  return output;
}

// The name of a block use stands for its last output.
void BlockUnfolder::name_block(MappingReader& reader, const std::string& name,
                               const std::string& output) {
  check_length(reader, name);
  if (!outputs_of_blocks_.emplace(name, output).second) {
    reader.problem("name", fmt::format("two blocks have the name '{}'", shown(name)));
  }
  if (layers_.contains(name)) {
    reader.problem("name", fmt::format("a layer has the name '{}' too", shown(name)));
  }
}

void BlockUnfolder::check_length(MappingReader& reader, const std::string& name) {
  if (name.size() <= kLongestLayerName) return;
  reader.problem("name", fmt::format("the full name '{}' has {} letters; at most {} are allowed",
                                     shown(name), name.size(), kLongestLayerName));
}

void BlockUnfolder::report_bad_block(MappingReader& reader, const BlockUse& use, bool too_deep) {
  std::vector<std::string> names;
  if (blocks_ != nullptr) {
    for (const auto& [key, value] : blocks_->entries) names.push_back(key);
  }
  if (too_deep) {
    reader.problem("block",
                   fmt::format("blocks stand in blocks more than {} levels deep", kDeepestBlocks));
  } else if (use.layers == nullptr) {
    reader.problem("block", fmt::format("unknown block '{}'{}", shown(use.block),
                                        suggestion(use.block, names)));
  } else {
    reader.problem("block",
                   fmt::format("the block '{}' is not a list of layers", shown(use.block)));
  }
}

// Resolves a written name: a layer of the same block, `in`, or a name of the top level.
std::string BlockUnfolder::resolve(const std::string& written, const Scope& scope) const {
  if (written == "in" && !scope.block_in.empty()) return scope.block_in;
  const std::string full = is_local(written, scope.names) ? scope.prefix + written : written;
  const auto block = outputs_of_blocks_.find(full);
  return block == outputs_of_blocks_.end() ? full : block->second;
}

std::vector<std::string> BlockUnfolder::inputs_of(MappingReader& reader, const Scope& scope,
                                                  const std::string& previous) const {
  const YamlNode* from = reader.node("from", Need::kOptional);
  if (from == nullptr) return {previous};
  std::vector<std::string> inputs;
  if (from->kind == YamlNode::Kind::kScalar) {
    inputs.push_back(resolve(from->scalar, scope));
  } else {
    for (const YamlNode& item : from->items) {
      if (item.kind != YamlNode::Kind::kScalar) {
        reader.problem("from", fmt::format("found {}; names are needed", item.description()));
        continue;
      }
      inputs.push_back(resolve(item.scalar, scope));
    }
  }
  if (inputs.empty()) reader.problem("from", "a name or a list of names is needed");
  return inputs;
}

std::string BlockUnfolder::input_of(MappingReader& reader, const Scope& scope,
                                    const std::string& previous) const {
  const std::vector<std::string> inputs = inputs_of(reader, scope, previous);
  if (inputs.size() > 1) reader.problem("from", "a block has one input");
  return inputs.empty() ? previous : inputs.front();
}

}  // namespace vernier::dataflow
