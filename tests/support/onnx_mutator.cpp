#include "tests/support/onnx_mutator.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <vector>

#include <onnx/onnx_pb.h>

#include "frontends/onnx/operators.hpp"

namespace vernier::tests {
namespace {

using ::onnx::AttributeProto;
using ::onnx::GraphProto;
using ::onnx::ModelProto;
using ::onnx::NodeProto;
using ::onnx::TensorProto;

constexpr std::array<std::int64_t, 16> kNumbers{-1,
                                                0,
                                                1,
                                                2,
                                                3,
                                                7,
                                                8,
                                                16,
                                                224,
                                                65536,
                                                std::int64_t{1} << 24U,
                                                std::int64_t{1} << 31U,
                                                std::int64_t{1} << 40U,
                                                -2,
                                                std::numeric_limits<std::int64_t>::max(),
                                                std::numeric_limits<std::int64_t>::min()};

class Mutation {
 public:
  Mutation(ModelProto& model, std::uint32_t seed) : graph_(*model.mutable_graph()), random_(seed) {
    model_ = &model;
    for (const NodeProto& node : graph_.node()) {
      names_.insert(names_.end(), node.input().begin(), node.input().end());
      names_.insert(names_.end(), node.output().begin(), node.output().end());
    }
    for (const TensorProto& tensor : graph_.initializer()) names_.push_back(tensor.name());
    names_.emplace_back();
  }

  void run() {
    const std::size_t changes = 1 + pick(4);
    for (std::size_t at = 0; at < changes; ++at) {
      if (graph_.node_size() > 0) change_node();
      if (pick(2) == 0) change_tensor();
      if (pick(8) == 0) change_ends();
    }
  }

 private:
  std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
  }
  int pick_int(int count) { return static_cast<int>(pick(static_cast<std::size_t>(count))); }
  std::int64_t number() { return kNumbers[pick(kNumbers.size())]; }
  const std::string& name() { return names_[pick(names_.size())]; }
  NodeProto& node() { return *graph_.mutable_node(pick_int(graph_.node_size())); }

  void change_node() {
    NodeProto& first = node();
    NodeProto& second = node();
    switch (pick(12)) {
      case 0:
        if (first.input_size() > 0 && second.input_size() > 0) {
          std::swap(*first.mutable_input(pick_int(first.input_size())),
                    *second.mutable_input(pick_int(second.input_size())));
        }
        break;
      case 1:
        if (first.input_size() > 0) first.set_input(pick_int(first.input_size()), name());
        break;
      case 2:  // perhaps a cycle
        if (first.input_size() > 0 && second.output_size() > 0) {
          first.set_input(pick_int(first.input_size()), second.output(0));
        }
        break;
      case 3: first.add_input(name()); break;
      case 4:
        if (first.input_size() > 0) first.mutable_input()->RemoveLast();
        break;
      case 5: {
        const auto table = frontends::onnx::operator_table();
        const auto& row = table[pick(table.size())];
        first.set_op_type(std::string(row.name));
        if (pick(2) == 0) first.set_domain(std::string(row.domain));
        break;
      }
      case 6: graph_.mutable_node()->DeleteSubrange(pick_int(graph_.node_size()), 1); break;
      case 7: *graph_.add_node() = NodeProto(first); break;
      case 8: first.add_output(name()); break;
      case 9:
        if (first.output_size() > 0) first.set_output(pick_int(first.output_size()), name());
        break;
      default: change_attribute(first, second); break;
    }
  }

  void change_attribute(NodeProto& first, const NodeProto& second) {
    if (pick(6) == 0 && second.attribute_size() > 0) {
      *first.add_attribute() = AttributeProto(second.attribute(pick_int(second.attribute_size())));
    }
    if (first.attribute_size() == 0) return;
    AttributeProto& attribute = *first.mutable_attribute(pick_int(first.attribute_size()));
    switch (pick(6)) {
      case 0: attribute.set_i(number()); break;
      case 1:
        if (attribute.ints_size() > 0)
          attribute.set_ints(pick_int(attribute.ints_size()), number());
        break;
      case 2: attribute.add_ints(number()); break;
      case 3: attribute.set_type(static_cast<AttributeProto::AttributeType>(pick(15))); break;
      case 4:
        if (attribute.has_t()) break_tensor(*attribute.mutable_t());
        break;
      default:
        first.mutable_attribute()->DeleteSubrange(pick_int(first.attribute_size()), 1);
        break;
    }
  }

  void change_tensor() {
    if (pick(3) == 0 && graph_.input_size() > 0) {
      auto& input = *graph_.mutable_input(pick_int(graph_.input_size()));
      auto& type = *input.mutable_type()->mutable_tensor_type();
      if (pick(4) == 0) type.set_elem_type(static_cast<std::int32_t>(pick(28)));
      auto& shape = *type.mutable_shape();
      if (pick(4) == 0 || shape.dim_size() == 0) {
        shape.add_dim()->set_dim_value(number());
      } else {
        shape.mutable_dim(pick_int(shape.dim_size()))->set_dim_value(number());
      }
    } else if (graph_.initializer_size() > 0) {
      break_tensor(*graph_.mutable_initializer(pick_int(graph_.initializer_size())));
    }
  }

  void break_tensor(TensorProto& tensor) {
    switch (pick(6)) {
      case 0: tensor.set_data_type(static_cast<std::int32_t>(pick(28))); break;
      case 1: tensor.add_dims(number()); break;
      case 2:
        if (tensor.dims_size() > 0) tensor.mutable_dims()->RemoveLast();
        break;
      case 3:
        if (tensor.dims_size() > 0) tensor.set_dims(pick_int(tensor.dims_size()), number());
        break;
      case 4:
        for (auto& each : *tensor.mutable_int64_data()) each = number();
        for (auto& each : *tensor.mutable_float_data()) each = static_cast<float>(number());
        for (auto& each : *tensor.mutable_int32_data()) each = static_cast<std::int32_t>(number());
        break;
      default: tensor.set_name(name()); break;
    }
  }

  void change_ends() {
    switch (pick(4)) {
      case 0: graph_.add_output()->set_name(name()); break;
      case 1: graph_.clear_output(); break;
      case 2: model_->clear_opset_import(); break;
      default:
        if (model_->opset_import_size() > 0) {
          model_->mutable_opset_import(0)->set_version(number());
        }
        break;
    }
  }

  ModelProto* model_ = nullptr;
  GraphProto& graph_;
  std::mt19937 random_;
  std::vector<std::string> names_;
};

std::string changed_bytes(std::string_view bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text(bytes);
  const auto pick = [&random](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
  };
  const std::size_t changes = 1 + pick(8);
  for (std::size_t at = 0; at < changes && !text.empty(); ++at) {
    const std::size_t place = pick(text.size());
    switch (pick(4)) {
      case 0: text[place] = static_cast<char>(pick(256)); break;
      case 1: text.resize(place); break;
      case 2: text.insert(place, text.substr(place / 2, pick(64))); break;
      default: text.insert(place, 1, static_cast<char>(0xff)); break;
    }
  }
  return text;
}

}  // namespace

std::string mutated_onnx(std::string_view bytes, std::uint32_t seed) {
  ModelProto model;
  const bool is_onnx = model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (!is_onnx || !model.has_graph() || seed % 8 == 0) return changed_bytes(bytes, seed);
  Mutation(model, seed).run();
  std::string text;
  model.SerializeToString(&text);
  return text;
}

}  // namespace vernier::tests
