#include "tests/support/onnx_builder.hpp"

#include <type_traits>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

namespace vernier::tests {

struct OnnxBuilder::Model {
  ::onnx::ModelProto proto;

  ::onnx::TensorProto& initializer(const std::string& name, const OnnxDims& dims, OnnxType type) {
    ::onnx::TensorProto& tensor = *proto.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(static_cast<std::int32_t>(type));
    for (const std::int64_t size : dims) tensor.add_dims(size);
    return tensor;
  }
};

OnnxBuilder::OnnxBuilder(std::int64_t opset_version) : model_(std::make_unique<Model>()) {
  model_->proto.set_ir_version(8);
  model_->proto.mutable_graph()->set_name("fixture");
  if (opset_version > 0) opset("", opset_version);
}

OnnxBuilder::~OnnxBuilder() = default;

OnnxBuilder& OnnxBuilder::opset(const std::string& domain, std::int64_t version) {
  auto& entry = *model_->proto.add_opset_import();
  entry.set_domain(domain);
  entry.set_version(version);
  return *this;
}

OnnxBuilder& OnnxBuilder::input(const std::string& name, const OnnxDims& dims, OnnxType type) {
  auto& value = *model_->proto.mutable_graph()->add_input();
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(static_cast<std::int32_t>(type));
  tensor.mutable_shape();
  for (const std::int64_t size : dims) {
    auto& dimension = *tensor.mutable_shape()->add_dim();
    if (size == -1) {
      dimension.set_dim_param("N");
    } else {
      dimension.set_dim_value(size);
    }
  }
  return *this;
}

OnnxBuilder& OnnxBuilder::output(const std::string& name) {
  model_->proto.mutable_graph()->add_output()->set_name(name);
  return *this;
}

OnnxBuilder& OnnxBuilder::weight(const std::string& name, const OnnxDims& dims, OnnxType type) {
  model_->initializer(name, dims, type).set_data_location(::onnx::TensorProto::EXTERNAL);
  return *this;
}

OnnxBuilder& OnnxBuilder::constant(const std::string& name, const OnnxDims& dims,
                                   const std::vector<double>& numbers, OnnxType type) {
  ::onnx::TensorProto& tensor = model_->initializer(name, dims, type);
  for (const double number : numbers) {
    if (type == OnnxType::kFloat) {
      tensor.add_float_data(static_cast<float>(number));
    } else if (type == OnnxType::kInt64) {
      tensor.add_int64_data(static_cast<std::int64_t>(number));
    } else {
      tensor.add_int32_data(static_cast<std::int32_t>(number));
    }
  }
  return *this;
}

OnnxBuilder& OnnxBuilder::payload(const std::string& name, const OnnxDims& dims,
                                  std::size_t bytes) {
  model_->initializer(name, dims, OnnxType::kFloat).mutable_raw_data()->assign(bytes, '\0');
  return *this;
}

OnnxBuilder& OnnxBuilder::node(const std::string& op, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs,
                               const OnnxAttributes& attributes, const std::string& domain) {
  auto& node = *model_->proto.mutable_graph()->add_node();
  node.set_op_type(op);
  node.set_domain(domain);
  if (!outputs.empty()) node.set_name(outputs.front() + "_node");
  for (const std::string& name : inputs) node.add_input(name);
  for (const std::string& name : outputs) node.add_output(name);
  for (const auto& [name, value] : attributes) {
    auto& attribute = *node.add_attribute();
    attribute.set_name(name);
    std::visit(
        [&attribute](const auto& given) {
          using Given = std::decay_t<decltype(given)>;
          using Proto = ::onnx::AttributeProto;
          if constexpr (std::is_same_v<Given, std::int64_t>) {
            attribute.set_type(Proto::INT);
            attribute.set_i(given);
          } else if constexpr (std::is_same_v<Given, double>) {
            attribute.set_type(Proto::FLOAT);
            attribute.set_f(static_cast<float>(given));
          } else if constexpr (std::is_same_v<Given, std::string>) {
            attribute.set_type(Proto::STRING);
            attribute.set_s(given);
          } else {
            attribute.set_type(Proto::INTS);
            for (const std::int64_t number : given) attribute.add_ints(number);
          }
        },
        value);
  }
  return *this;
}

OnnxBuilder& OnnxBuilder::annotate(const std::string& tensor, const std::string& datatype) {
  auto& annotation = *model_->proto.mutable_graph()->add_quantization_annotation();
  annotation.set_tensor_name(tensor);
  auto& entry = *annotation.add_quant_parameter_tensor_names();
  entry.set_key("finn_datatype");
  entry.set_value(datatype);
  return *this;
}

std::string OnnxBuilder::bytes() const {
  std::string text;
  model_->proto.SerializeToString(&text);
  return text;
}

namespace {

class Resnet50 {
 public:
  explicit Resnet50(bool with_weights) : with_weights_(with_weights) {}

  std::string bytes() {
    builder_.input("image", {1, 3, 224, 224});
    std::string at = relu(conv("conv1", "image", 3, 64, 7, 2));
    builder_.node("MaxPool", {at}, {"maxpool"},
                  {{"kernel_shape", OnnxDims{3, 3}},
                   {"strides", OnnxDims{2, 2}},
                   {"pads", OnnxDims{1, 1, 1, 1}}});
    at = "maxpool";
    std::int64_t channels = 64;
    const OnnxDims blocks{3, 4, 6, 3};
    for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
      const std::int64_t inner = std::int64_t{64} << stage;
      for (std::int64_t block = 0; block < blocks[stage]; ++block) {
        const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
        at = bottleneck(fmt::format("layer{}.{}", stage + 1, block), at, channels, inner, stride);
        channels = 4 * inner;
      }
    }
    builder_.node("GlobalAveragePool", {at}, {"avgpool"});
    builder_.node("Flatten", {"avgpool"}, {"flat"}, {{"axis", std::int64_t{1}}});
    constant("fc.weight", {1000, 2048});
    constant("fc.bias", {1000});
    builder_.node("Gemm", {"flat", "fc.weight", "fc.bias"}, {"fc"}, {{"transB", std::int64_t{1}}});
    return builder_.output("fc").bytes();
  }

 private:
  void constant(const std::string& name, const OnnxDims& dims) {
    std::size_t bytes = sizeof(float);
    for (const std::int64_t size : dims) bytes *= static_cast<std::size_t>(size);
    if (with_weights_) {
      builder_.payload(name, dims, bytes);
    } else {
      builder_.weight(name, dims);
    }
  }

  std::string conv(const std::string& name, const std::string& from, std::int64_t in,
                   std::int64_t out, std::int64_t kernel, std::int64_t stride) {
    constant(name + ".weight", {out, in, kernel, kernel});
    const std::int64_t pad = kernel / 2;
    builder_.node("Conv", {from, name + ".weight"}, {name},
                  {{"kernel_shape", OnnxDims{kernel, kernel}},
                   {"strides", OnnxDims{stride, stride}},
                   {"pads", OnnxDims{pad, pad, pad, pad}}});
    std::vector<std::string> inputs{name};
    for (const char* parameter : {".scale", ".shift", ".mean", ".variance"}) {
      constant(name + parameter, {out});
      inputs.push_back(name + parameter);
    }
    builder_.node("BatchNormalization", inputs, {name + ".bn"});
    return name + ".bn";
  }

  std::string relu(const std::string& from) {
    builder_.node("Relu", {from}, {from + ".relu"});
    return from + ".relu";
  }

  std::string bottleneck(const std::string& name, const std::string& from, std::int64_t in,
                         std::int64_t inner, std::int64_t stride) {
    std::string at = relu(conv(name + ".conv1", from, in, inner, 1, 1));
    at = relu(conv(name + ".conv2", at, inner, inner, 3, stride));
    at = conv(name + ".conv3", at, inner, 4 * inner, 1, 1);
    std::string shortcut = from;
    if (in != 4 * inner) shortcut = conv(name + ".downsample", from, in, 4 * inner, 1, stride);
    builder_.node("Add", {at, shortcut}, {name + ".add"});
    return relu(name + ".add");
  }

  OnnxBuilder builder_;
  bool with_weights_;
};

}  // namespace

std::string resnet50_onnx(bool with_weights) { return Resnet50(with_weights).bytes(); }

}  // namespace vernier::tests
