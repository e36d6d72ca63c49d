#include "dataflow/graph/model_yaml.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "arch/base/fields.hpp"
#include "arch/base/text.hpp"
#include "dataflow/graph/model_blocks.hpp"
#include "dataflow/graph/precision_map.hpp"

namespace vernier::dataflow {
namespace {

constexpr IntegerRange kSize{1, kMaxDimension};
constexpr IntegerRange kPadding{0, kMaxDimension};

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
    const YamlNode* blocks = reader.mapping("blocks", Need::kOptional);
    const YamlNode* layers = reader.sequence("layers", Need::kRequired);
    reader.finish();
    if (layers != nullptr) {
      BlockUnfolder unfolder(blocks, problems_,
                             [this](MappingReader& layer, const std::string& layer_name,
                                    const std::vector<std::string>& inputs) {
                               read_layer(layer, layer_name, inputs);
                             });
      unfolder.unfold(*layers, inputs_.empty() ? std::string{} : inputs_.front().name);
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

  void read_layer(MappingReader& reader, const std::string& name,
                  const std::vector<std::string>& inputs) {
    LayerSpec layer;
    layer.place = reader.raw().place;
    layer.name = name;
    layer.inputs = inputs;
    static const std::vector<std::string> operators{
        "conv2d", "dense",  "matmul",  "pool",    "add", "multiply", "activation",
        "concat", "resize", "reshape", "flatten", "pad", "softmax",  "layer_norm"};
    std::size_t which = operators.size();
    reader.choice("op", which, operators, Need::kRequired, "operator");
    if (which == operators.size()) {  // which keys belong here is not known
      shapes_.emplace(layer.name, Shape{});
      return;
    }
    enum_field(reader, "activation", layer.activation, activation_names(), Need::kOptional,
               "activation function, folded into the layer");
    layer.op = read_operator(operators[which], reader, layer);
    if (const YamlNode* precision = reader.node("precision", Need::kOptional)) {
      layer.output_precision = read_precision(*precision, reader.path_of("precision"), problems_);
    }
    reader.finish();
    shapes_.emplace(layer.name, layer_shape(layer));
    layers_.push_back(std::move(layer));
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
  std::vector<InputSpec> inputs_;
  std::vector<LayerSpec> layers_;
  std::map<std::string, Shape> shapes_;
};

}  // namespace

LayerGraph read_model(const YamlNode& root) { return ModelReader(root).read(); }

LayerGraph load_model(const std::string& path) { return read_model(load_yaml(path)); }

}  // namespace vernier::dataflow
