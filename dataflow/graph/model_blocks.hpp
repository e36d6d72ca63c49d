// The layer list of a model file with its blocks unfolded: every use of a block becomes the layers
// of the block, with full names, `$name` replaced by its value, and `from` resolved to tensors.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "arch/base/fields.hpp"

namespace vernier::dataflow {

/// Most letters of the full name of a layer, and most layers of a network.
inline constexpr std::size_t kLongestLayerName = 256;
inline constexpr std::size_t kMostLayers = 100'000;

/// Walks a list of layers and block uses in order. Problems go to the list; limits on what blocks
/// may unfold to end the reading at once (ConfigError).
class BlockUnfolder {
 public:
  /// Takes one layer: the reader of its keys (`name` and `from` are read already), its full name,
  /// and the tensors that it reads.
  using TakeLayer = std::function<void(MappingReader& reader, const std::string& name,
                                       const std::vector<std::string>& inputs)>;

  /// `blocks` may be absent; it must outlive the unfolder, as must the problems.
  BlockUnfolder(const YamlNode* blocks, ProblemList& problems, TakeLayer take_layer)
      : blocks_(blocks), problems_(problems), take_layer_(std::move(take_layer)) {}

  /// Unfolds a list whose first layer reads `first_input` unless it says otherwise.
  void unfold(const YamlNode& layers, const std::string& first_input);

 private:
  // One use of a layer list: the names it can refer to, and the values of `$name`.
  struct Scope {
    std::string prefix;    // "layer1.0." inside a block
    std::string block_in;  // what `in` means; empty at the top level
    const std::map<std::string, YamlNode>* values = nullptr;
    std::unordered_set<std::string> names;  // local names, all layers and blocks of the list
  };
  // The part of a block use that is its own.
  struct BlockUse {
    std::string block;
    std::string name;
    std::vector<std::string> names;
    const YamlNode* layers = nullptr;
  };

  std::string unfold_list(const YamlNode& list, const std::string& path, Scope& scope,
                          std::string previous, int depth);
  std::string unfold_layer(const YamlNode& node, const std::string& path, const Scope& scope,
                           const std::string& previous);
  std::string unfold_use(const YamlNode& node, const std::string& path, const Scope& outer,
                         const std::string& previous, int depth);
  bool read_use(MappingReader& reader, const std::string& path, BlockUse& use, int depth);
  std::map<std::string, YamlNode> values_of(MappingReader& reader, const BlockUse& use);
  void name_block(MappingReader& reader, const std::string& name, const std::string& output);
  static void check_length(MappingReader& reader, const std::string& name);
  void report_bad_block(MappingReader& reader, const BlockUse& use, bool too_deep);
  YamlNode filled(const YamlNode& node, const Scope& scope, const std::string& path);
  std::string resolve(const std::string& written, const Scope& scope) const;
  std::vector<std::string> inputs_of(MappingReader& reader, const Scope& scope,
                                     const std::string& previous) const;
  std::string input_of(MappingReader& reader, const Scope& scope,
                       const std::string& previous) const;

  const YamlNode* blocks_;
  ProblemList& problems_;
  TakeLayer take_layer_;
  std::unordered_set<std::string> layers_;  // full names so far
  std::map<std::string, std::string> outputs_of_blocks_;
  std::size_t layer_count_ = 0;
  std::size_t filled_ = 0;
  std::size_t block_uses_ = 0;
};

}  // namespace vernier::dataflow
