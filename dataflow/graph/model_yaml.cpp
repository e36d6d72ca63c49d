#include "dataflow/graph/model_yaml.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"
#include "dataflow/graph/precision_map.hpp"

namespace vernier::dataflow {
namespace {

constexpr std::size_t kMostLayers = 100'000;
constexpr std::size_t kMostBlockUses = 100'000;
constexpr std::size_t kMostFilledValues = 2'000'000;  // of all layers, blocks unfolded
constexpr std::size_t kLongestName = 256;
constexpr IntegerRange kSize{1, kMaxDimension};
constexpr IntegerRange kPadding{0, kMaxDimension};

// One use of a layer or block: the node, the names it can refer to, and the values of `$name`.
struct Scope {
  std::string prefix;    // "layer1.0." inside a block
  std::string block_in;  // what `in` means; empty at the top level
  const std::map<std::string, YamlNode>* values = nullptr;
  std::unordered_set<std::string> names;  // local names, all layers and blocks of the list
};

class ModelReader {
 public:
  explicit ModelReader(const YamlNode& root) : root_(root) {}

  LayerGraph read() {
    MappingReader reader(root_, "", problems_);
    std::string name = "network";
    std::string source;
    std::int64_t batch = 1;
    reader.text("name", name, Need::kRequired, "name of the network");
    reader.text("source", source, Need::kOptional, "where the shapes come from");
    reader.integer("batch", batch, {1, kMaxBatch}, Need::kOptional, "images per inference");
    if (const YamlNode* input = reader.mapping("input", Need::kOptional)) {
      read_input(*input, "input");
    }
    if (const YamlNode* inputs = reader.sequence("inputs", Need::kOptional)) {
      for (std::size_t at = 0; at < inputs->items.size(); ++at) {
        read_input(inputs->items[at], fmt::format("inputs[{}]", at));
      }
    }
    if (inputs_.empty()) reader.problem("input", "the network needs an input");
    if (root_.find("input") != nullptr && root_.find("inputs") != nullptr) {
      reader.problem("inputs", "'input' and 'inputs' exclude each other");
    }
    blocks_ = reader.mapping("blocks", Need::kOptional);
    const YamlNode* layers = reader.sequence("layers", Need::kRequired);
    reader.finish();
    if (layers != nullptr) {
      Scope top;
      const std::string first = inputs_.empty() ? std::string{} : inputs_.front().name;
      read_list(*layers, "layers", top, first, 0);
    }
    problems_.throw_if_any();
    return {std::move(name), inputs_, layers_, batch};
  }

 private:
  void read_input(const YamlNode& node, const std::string& path) {
    MappingReader reader(node, path, problems_);
    InputSpec input;
    input.place = node.place;
    reader.text("name", input.name, Need::kRequired, "name of the tensor");
    std::vector<std::int64_t> sizes;
    reader.integers("shape", sizes, kSize, Need::kRequired,
                    "[channels], [tokens, features] or [channels, height, width]");
    input.shape = shape_of(sizes, reader, "shape");
    if (!is_small_enough(input.shape)) {
      reader.problem(
          "shape", fmt::format("{} has more than {} elements", to_text(input.shape), kMaxElements));
      input.shape = {};
    }
    reader.boolean("learned", input.learned, Need::kOptional, "a parameter of the network");
    if (const YamlNode* precision = reader.node("precision", Need::kOptional)) {
      input.precision = read_precision(*precision, reader.path_of("precision"), problems_);
    }
    reader.finish();
    inputs_.push_back(std::move(input));
  }

  static bool is_small_enough(const Shape& shape) {
    return static_cast<double>(shape.pixels()) * static_cast<double>(shape.channels) <=
           static_cast<double>(kMaxElements);
  }

  static Shape shape_of(const std::vector<std::int64_t>& sizes, MappingReader& reader,
                        std::string_view key) {
    switch (sizes.size()) {
      case 1: return {sizes[0], 1, 1};
      case 2: return {sizes[1], sizes[0], 1};
      case 3: return {sizes[0], sizes[1], sizes[2]};
      default: break;
    }
    if (!sizes.empty()) {
      reader.problem(key, fmt::format("found {} sizes; 1 to 3 are needed: [channels], [tokens, "
                                      "features] or [channels, height, width]",
                                      sizes.size()));
    }
    return {};
  }

  // Reads a list of layers and block uses; returns the name of the last output.
  std::string read_list(const YamlNode& list, const std::string& path, Scope& scope,
                        std::string previous, int depth) {
    for (const YamlNode& item : list.items) {
      if (const YamlNode* name = item.find("name")) scope.names.insert(name->scalar);
      if (const YamlNode* names = item.find("names")) {
        for (const YamlNode& name : names->items) scope.names.insert(name.scalar);
      }
    }
    for (std::size_t at = 0; at < list.items.size(); ++at) {
      if (problems_.full()) problems_.throw_if_any();
      if (layers_.size() >= kMostLayers) {
        stop(list.items[at].place, path, fmt::format("more than {} layers", kMostLayers));
      }
      const std::string item_path = fmt::format("{}[{}]", path, at);
      const YamlNode item = filled(list.items[at], scope, item_path);
      if (item.find("block") != nullptr) {
        previous = read_block_use(item, item_path, scope, previous, depth);
      } else {
        previous = read_layer(item, item_path, scope, previous);
      }
    }
    return previous;
  }

  // Ends the reading at once: the blocks unfold to more than any network needs.
  [[noreturn]] static void stop(const SourcePlace& place, const std::string& path,
                                std::string_view message) {
    throw ConfigError(fmt::format("{}: {}: {}", place.text(), shown(path, 120), message));
  }

  static std::size_t values_in(const YamlNode& node) {
    std::size_t count = 1;
    for (const YamlNode& item : node.items) count += values_in(item);
    for (const auto& [key, value] : node.entries) count += values_in(value);
    return count;
  }

  // A copy with every `$name` replaced by its value.
  YamlNode filled(const YamlNode& node, const Scope& scope, const std::string& path) {
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

  std::string read_block_use(const YamlNode& node, const std::string& path, Scope& outer,
                             std::string previous, int depth) {
    constexpr int kDeepest = 8;
    MappingReader reader(node, path, problems_);
    std::string block_name;
    std::string name;
    std::int64_t repeat = 1;
    std::vector<std::string> names;
    reader.text("block", block_name, Need::kRequired, "block to use");
    reader.text("name", name, Need::kOptional, "name before the names of the block's layers");
    reader.texts("names", names, Need::kOptional, "names of consecutive uses");
    reader.integer("repeat", repeat, {1, 1000}, Need::kOptional, "consecutive uses");
    const std::string from = input_of(reader, outer, previous);
    if (names.empty() == name.empty()) {
      problems_.add(node.place, path, "exactly one of name, names is needed");
      return previous;
    }
    if (names.empty()) {
      for (std::int64_t at = 0; at < repeat; ++at) {
        names.push_back(node.find("repeat") != nullptr ? fmt::format("{}.{}", name, at) : name);
      }
    } else if (node.find("repeat") != nullptr) {
      problems_.add(node.place, path, "'repeat' does not go with 'names'");
    }
    const YamlNode* block = blocks_ != nullptr ? blocks_->find(block_name) : nullptr;
    if (block == nullptr || block->kind != YamlNode::Kind::kSequence || depth >= kDeepest) {
      report_bad_block(reader, block, block_name, depth >= kDeepest);
      return previous;
    }
    std::unordered_set<std::string> parameters;
    collect_parameters(*block, parameters);
    std::map<std::string, YamlNode> values;
    for (const auto& [key, value] : node.entries) {
      static const std::vector<std::string> reserved{"block", "name", "names", "repeat", "from"};
      if (std::find(reserved.begin(), reserved.end(), key) != reserved.end()) continue;
      if (!parameters.contains("$" + key)) {
        problems_.add(value.place, reader.path_of(key),
                      fmt::format("the block '{}' has no ${}", shown(block_name), shown(key)));
      }
      values.emplace(key, value);
    }
    previous = from;
    for (const std::string& use : names) {
      Scope inner;
      inner.prefix = outer.prefix + use + ".";
      inner.block_in = previous;
      inner.values = &values;
      if (++block_uses_ > kMostBlockUses) {
        stop(node.place, path, fmt::format("more than {} uses of blocks", kMostBlockUses));
      }
      previous = read_list(*block, fmt::format("{} (block {})", path, block_name), inner, previous,
                           depth + 1);
      name_block(reader, outer.prefix + use, previous);
    }
    if (node.find("repeat") != nullptr) name_block(reader, outer.prefix + name, previous);
    return previous;
  }

  // The name of a block use stands for its last output.
  void name_block(MappingReader& reader, const std::string& name, const std::string& output) {
    check_length(reader, name);
    if (!outputs_of_blocks_.emplace(name, output).second) {
      reader.problem("name", fmt::format("two blocks have the name '{}'", shown(name)));
    }
    if (shapes_.contains(name)) {
      reader.problem("name", fmt::format("a layer has the name '{}' too", shown(name)));
    }
  }
  static void check_length(MappingReader& reader, const std::string& name) {
    if (name.size() <= kLongestName) return;
    reader.problem("name", fmt::format("the full name '{}' has {} letters; at most {} are allowed",
                                       shown(name), name.size(), kLongestName));
  }

  void report_bad_block(MappingReader& reader, const YamlNode* block, const std::string& name,
                        bool too_deep) {
    std::vector<std::string> names;
    if (blocks_ != nullptr) {
      for (const auto& [key, value] : blocks_->entries) names.push_back(key);
    }
    if (too_deep) {
      reader.problem("block", "blocks stand in blocks more than 8 levels deep");
    } else if (block == nullptr) {
      reader.problem("block",
                     fmt::format("unknown block '{}'{}", shown(name), suggestion(name, names)));
    } else {
      reader.problem("block", fmt::format("the block '{}' is not a list of layers", shown(name)));
    }
  }

  static void collect_parameters(const YamlNode& node, std::unordered_set<std::string>& names) {
    if (node.scalar.starts_with('$')) names.insert(node.scalar);
    for (const YamlNode& item : node.items) collect_parameters(item, names);
    for (const auto& [key, value] : node.entries) collect_parameters(value, names);
  }

  // Resolves a written name: a layer of the same block, `in`, or a name of the top level.
  std::string resolve(const std::string& written, const Scope& scope) const {
    if (written == "in" && !scope.block_in.empty()) return scope.block_in;
    const std::string full = is_local(written, scope) ? scope.prefix + written : written;
    const auto block = outputs_of_blocks_.find(full);
    return block == outputs_of_blocks_.end() ? full : block->second;
  }

  // A name of the same list, or of a layer inside one of its blocks ("conv", "block.conv").
  static bool is_local(const std::string& written, const Scope& scope) {
    if (scope.names.contains(written)) return true;
    for (std::size_t dot = written.find('.'); dot != std::string::npos;
         dot = written.find('.', dot + 1)) {
      if (scope.names.contains(written.substr(0, dot))) return true;
    }
    return false;
  }

  std::vector<std::string> inputs_of(MappingReader& reader, const Scope& scope,
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

  std::string input_of(MappingReader& reader, const Scope& scope,
                       const std::string& previous) const {
    const std::vector<std::string> inputs = inputs_of(reader, scope, previous);
    if (inputs.size() > 1) reader.problem("from", "a block has one input");
    return inputs.empty() ? previous : inputs.front();
  }

  std::string read_layer(const YamlNode& node, const std::string& path, const Scope& scope,
                         const std::string& previous) {
    MappingReader reader(node, path, problems_);
    LayerSpec layer;
    layer.place = node.place;
    std::string name;
    reader.text("name", name, Need::kRequired, "name of the layer and its output tensor");
    layer.name = scope.prefix + name;
    check_length(reader, layer.name);
    if (outputs_of_blocks_.contains(layer.name)) {
      reader.problem("name", fmt::format("a block has the name '{}' too", shown(layer.name)));
    }
    static const std::vector<std::string> operators{
        "conv2d", "dense",  "matmul",  "pool",    "add", "multiply", "activation",
        "concat", "resize", "reshape", "flatten", "pad", "softmax",  "layer_norm"};
    std::size_t which = operators.size();
    reader.choice("op", which, operators, Need::kRequired, "operator");
    if (which == operators.size()) {  // which keys belong here is not known
      shapes_.emplace(layer.name, Shape{});
      return layer.name;
    }
    layer.inputs = inputs_of(reader, scope, previous);
    enum_field(reader, "activation", layer.activation, activation_names(), Need::kOptional,
               "activation function, folded into the layer");
    layer.op = read_operator(operators[which], reader, layer);
    if (const YamlNode* precision = reader.node("precision", Need::kOptional)) {
      layer.output_precision = read_precision(*precision, reader.path_of("precision"), problems_);
    }
    reader.finish();
    shapes_.emplace(layer.name, layer_shape(layer));
    layers_.push_back(layer);
    return layer.name;
  }

  Operator read_operator(const std::string& op, MappingReader& reader, LayerSpec& layer) {
    if (op == "conv2d" || op == "dense") {
      if (const YamlNode* precision = reader.node("weight_precision", Need::kOptional)) {
        layer.weight_precision =
            read_precision(*precision, reader.path_of("weight_precision"), problems_);
      }
    }
    if (op == "conv2d") return read_conv(reader, layer);
    if (op == "dense") return read_dense(reader);
    if (op == "matmul") return read_matmul(reader);
    if (op == "pool") return read_pool(reader, layer);
    if (op == "add") return Elementwise{ElementwiseKind::kAdd};
    if (op == "multiply") return Elementwise{ElementwiseKind::kMultiply};
    if (op == "activation") {
      const ActivationKind kind = std::exchange(layer.activation, ActivationKind::kNone);
      if (kind == ActivationKind::kNone) reader.problem("activation", "a function is needed");
      return ActivationLayer{kind};
    }
    if (op == "concat") return read_concat(reader);
    if (op == "softmax") {
      Softmax softmax;
      reader.integer("heads", softmax.heads, kSize, Need::kOptional, "groups of channels");
      return softmax;
    }
    if (op == "layer_norm") return LayerNorm{};
    if (op == "resize") {
      Resize resize;
      reader.integer("height", resize.height, kSize, Need::kRequired, "rows of the output");
      reader.integer("width", resize.width, kSize, Need::kRequired, "columns of the output");
      return resize;
    }
    if (op == "flatten") return Reshape{{known_input_shape(reader, "op", layer).elements(), 1, 1}};
    if (op == "reshape") {
      std::vector<std::int64_t> sizes;
      reader.integers("shape", sizes, kSize, Need::kRequired, "shape of the output");
      return Reshape{shape_of(sizes, reader, "shape")};
    }
    PadChannels pad;
    reader.integer("channels_before", pad.before, kPadding, Need::kOptional, "zero channels");
    reader.integer("channels_after", pad.after, kPadding, Need::kOptional, "zero channels");
    return pad;
  }

  Conv2d read_conv(MappingReader& reader, const LayerSpec& layer) {
    Conv2d conv;
    const YamlNode* groups = reader.raw().find("groups");
    if (groups != nullptr && groups->scalar == "depthwise") {
      (void)reader.node("groups", Need::kOptional);
      conv.groups = known_input_shape(reader, "groups", layer).channels;
    } else {
      reader.integer("groups", conv.groups, kSize, Need::kOptional, "groups, or 'depthwise'");
    }
    const bool depthwise = groups != nullptr && groups->scalar == "depthwise";
    conv.out_channels = depthwise ? conv.groups : 1;
    reader.integer("out_channels", conv.out_channels, kSize,
                   depthwise ? Need::kOptional : Need::kRequired, "output channels");
    read_window(reader, conv.window, Need::kRequired, false);
    reader.boolean("bias", conv.bias, Need::kOptional, "adds a bias");
    reader.boolean("batch_norm", conv.batch_norm, Need::kOptional, "followed by batch norm");
    return conv;
  }

  static Dense read_dense(MappingReader& reader) {
    Dense dense;
    reader.integer("out_features", dense.out_features, kSize, Need::kRequired, "outputs");
    reader.boolean("bias", dense.bias, Need::kOptional, "adds a bias");
    reader.boolean("batch_norm", dense.batch_norm, Need::kOptional, "followed by batch norm");
    return dense;
  }

  static MatMul read_matmul(MappingReader& reader) {
    MatMul matmul;
    reader.integer("heads", matmul.heads, kSize, Need::kOptional, "independent products");
    reader.boolean("transpose_b", matmul.transpose_b, Need::kOptional,
                   "the second operand has one row per output channel");
    return matmul;
  }

  static Concat read_concat(MappingReader& reader) {
    Concat concat;
    static const std::vector<std::string> axes{"channels", "height"};
    enum_field(reader, "axis", concat.axis, axes, Need::kOptional,
               "side by side, or one below the other");
    return concat;
  }

  Pool read_pool(MappingReader& reader, const LayerSpec& layer) {
    Pool pool;
    static const std::vector<std::string> kinds{"max", "average"};
    enum_field(reader, "kind", pool.kind, kinds, Need::kRequired, "max or average");
    const YamlNode* kernel = reader.raw().find("kernel");
    if (kernel != nullptr && kernel->scalar == "global") {
      (void)reader.node("kernel", Need::kRequired);
      const Shape input = known_input_shape(reader, "kernel", layer);
      pool.window.kernel_height = input.height;
      pool.window.kernel_width = input.width;
    } else {
      read_window(reader, pool.window, Need::kRequired, true);
    }
    return pool;
  }

  // One number for both axes, or [height, width].
  static void read_pair(MappingReader& reader, std::string_view key, std::int64_t& height,
                        std::int64_t& width, IntegerRange range, Need need) {
    const YamlNode* node = reader.raw().find(key);
    if (node == nullptr || node->kind != YamlNode::Kind::kSequence) {
      std::int64_t both = height;
      reader.integer(key, both, range, need, "size for both axes, or [height, width]");
      if (node != nullptr) height = width = both;
      return;
    }
    std::vector<std::int64_t> sizes;
    reader.integers(key, sizes, range, need, "[height, width]");
    if (sizes.size() != 2) {
      reader.problem(key,
                     key == "padding"
                         ? "one number, [height, width] or [top, left, bottom, right] is needed"
                         : "one number or [height, width] is needed");
    } else {
      height = sizes[0];
      width = sizes[1];
    }
  }

  static void read_window(MappingReader& reader, Window& window, Need kernel_need,
                          bool stride_is_kernel) {
    read_pair(reader, "kernel", window.kernel_height, window.kernel_width, kSize, kernel_need);
    if (stride_is_kernel) {
      window.stride_height = window.kernel_height;
      window.stride_width = window.kernel_width;
    }
    read_pair(reader, "stride", window.stride_height, window.stride_width, kSize, Need::kOptional);
    read_pair(reader, "dilation", window.dilation_height, window.dilation_width, kSize,
              Need::kOptional);
    const YamlNode* padding = reader.raw().find("padding");
    if (padding != nullptr && padding->items.size() == 4) {
      std::vector<std::int64_t> sides;
      reader.integers("padding", sides, kPadding, Need::kOptional, "[top, left, bottom, right]");
      if (sides.size() == 4) {
        window.pad_top = sides[0];
        window.pad_left = sides[1];
        window.pad_bottom = sides[2];
        window.pad_right = sides[3];
      }
      return;
    }
    std::int64_t vertical = 0;
    std::int64_t horizontal = 0;
    read_pair(reader, "padding", vertical, horizontal, kPadding, Need::kOptional);
    window.pad_top = window.pad_bottom = vertical;
    window.pad_left = window.pad_right = horizontal;
  }

  // Shapes are inferred while reading only for `depthwise`, `global` and `flatten`, which need the
  // input's; the graph checks everything again.
  Shape known_input_shape(MappingReader& reader, std::string_view key, const LayerSpec& layer) {
    const std::string& name = layer.inputs.empty() ? std::string{} : layer.inputs.front();
    const bool is_input = std::any_of(inputs_.begin(), inputs_.end(),
                                      [&](const InputSpec& input) { return input.name == name; });
    if (!is_input && !shapes_.contains(name)) {
      reader.problem(key, fmt::format("needs the shape of '{}', which must stand before this layer",
                                      shown(name)));
    }
    return input_shape(layer);
  }
  Shape input_shape(const LayerSpec& layer) const {
    const std::string& name = layer.inputs.empty() ? std::string{} : layer.inputs.front();
    const auto known = shapes_.find(name);
    if (known != shapes_.end()) return known->second;
    for (const InputSpec& input : inputs_) {
      if (input.name == name) return input.shape;
    }
    return {};
  }
  Shape layer_shape(const LayerSpec& layer) const {
    std::vector<Shape> shapes;
    for (const std::string& from : layer.inputs) {
      LayerSpec probe;
      probe.inputs = {from};
      shapes.push_back(input_shape(probe));
    }
    try {
      const Shape shape = infer_shape(layer.op, shapes);
      return is_small_enough(shape) ? shape : Shape{};
    } catch (const UserError&) {
      return {};
    }
  }

  const YamlNode& root_;
  ProblemList problems_;
  const YamlNode* blocks_ = nullptr;
  std::vector<InputSpec> inputs_;
  std::vector<LayerSpec> layers_;
  std::map<std::string, Shape> shapes_;
  std::map<std::string, std::string> outputs_of_blocks_;
  std::size_t filled_ = 0;
  std::size_t block_uses_ = 0;
};

}  // namespace

LayerGraph read_model(const YamlNode& root) { return ModelReader(root).read(); }

LayerGraph load_model(const std::string& path) { return read_model(load_yaml(path)); }

}  // namespace vernier::dataflow
