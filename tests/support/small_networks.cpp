#include "tests/support/small_networks.hpp"

#include <cmath>

#include "tests/support/example_machine.hpp"

namespace vernier::tests {
namespace {

using dataflow::LayerSpec;

dataflow::Window square(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
  dataflow::Window window;
  window.kernel_height = window.kernel_width = kernel;
  window.stride_height = window.stride_width = stride;
  window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = padding;
  return window;
}

dataflow::Conv2d conv(Random& random, std::int64_t channels) {
  dataflow::Conv2d op;
  const bool depthwise = below(random, 4) == 0;
  op.out_channels = depthwise ? channels : static_cast<std::int64_t>(2 + below(random, 10));
  op.groups = depthwise ? channels : 1;
  op.window = below(random, 2) == 0 ? square(1, 1, 0) : square(3, 1 + below(random, 2) % 2, 1);
  return op;
}

}  // namespace

dataflow::AcceleratorSpec fused_spec(arch::Dataflow dataflow) {
  dataflow::AcceleratorSpec spec = example_spec(dataflow);
  spec.mac.style = "sum_together";
  spec.mac.weight_bits = spec.mac.activation_bits = {2, 4, 8};
  spec.storage_bits = {2, 4, 8};
  return spec;
}

dataflow::AcceleratorSpec shared_buffer_spec(arch::Dataflow dataflow) {
  dataflow::AcceleratorSpec spec = fused_spec(dataflow);
  memory::BufferSpec all = spec.buffers.back();
  all.name = "shared";
  all.serves = {TensorRole::kInput, TensorRole::kWeight, TensorRole::kOutput};
  all.capacity = Bytes(1024);
  spec.buffers = {all};
  return spec;
}

LayerSpec layer_spec(const std::string& name, dataflow::Operator op,
                     std::vector<std::string> inputs) {
  LayerSpec spec;
  spec.name = name;
  spec.op = std::move(op);
  spec.inputs = std::move(inputs);
  return spec;
}

dataflow::LayerGraph dense_chain(const std::vector<std::int64_t>& features, std::int64_t pixels) {
  std::vector<LayerSpec> layers;
  std::string from = "x";
  for (std::size_t at = 1; at < features.size(); ++at) {
    std::string name = "fc" + std::to_string(at);
    layers.push_back(layer_spec(name, dataflow::Dense{features[at]}, {from}));
    from = std::move(name);
  }
  return {"chain", {{"x", {features.front(), pixels, 1}, {}, {}}}, layers};
}

dataflow::LayerGraph random_network(std::uint64_t seed) {
  Random random(seed);
  const auto channels = static_cast<std::int64_t>(2 + below(random, 14));
  const auto size = static_cast<std::int64_t>(3 + below(random, 6));
  const dataflow::InputSpec input{"x", {channels, size, size}, {}, {}};
  std::vector<LayerSpec> layers{layer_spec("a", conv(random, channels), {"x"})};
  switch (below(random, 5)) {
    case 0: {  // x, a.w, a, b.w, b
      const auto& first = std::get<dataflow::Conv2d>(layers[0].op);
      layers.push_back(layer_spec("b", conv(random, first.out_channels), {"a"}));
      break;
    }
    case 1:  // x, a.w, a, p, f.w, f
      layers.push_back(layer_spec("p", dataflow::Pool{}, {"a"}));
      layers.push_back(layer_spec("f", dataflow::Dense{5}, {"p"}));
      break;
    case 2: {  // x, a.w, a, b.w, b, s
      layers[0].op = dataflow::Conv2d{channels, square(3, 1, 1)};
      layers.push_back(layer_spec("b", dataflow::Conv2d{channels, square(1, 1, 0)}, {"a"}));
      layers.push_back(layer_spec("s", dataflow::Elementwise{}, {"b", "x"}));
      break;
    }
    case 3:  // x, a.w, a, c, f.w, f: a concatenation that is free where the widths are equal
      layers[0].op = dataflow::Conv2d{4, square(3, 1, 1)};
      layers.push_back(layer_spec("c", dataflow::Concat{}, {"a", "x"}));
      layers.push_back(layer_spec("f", dataflow::Dense{6}, {"c"}));
      break;
    default:  // x, a.w, a, m: a product of two activations
      layers[0].op = dataflow::Conv2d{channels, square(1, 1, 0)};
      layers.push_back(layer_spec("m", dataflow::MatMul{1, true}, {"a", "x"}));
      break;
  }
  return {"random", {input}, layers, static_cast<std::int64_t>(1 + below(random, 2))};
}

std::size_t below(Random& random, std::size_t bound) { return random() % bound; }

double fraction(Random& random) {
  constexpr int kMantissa = 53;
  constexpr int kWord = 64;
  return std::ldexp(static_cast<double>(random() >> (kWord - kMantissa)), -kMantissa);
}

std::vector<double> lattice_bits(const dataflow::CostModel& model, Random& random) {
  std::vector<double> bits;
  for (std::size_t at = 0; at < model.variables().size(); ++at) {
    const dataflow::WidthLattice& lattice = model.lattice(at);
    bits.push_back(static_cast<double>(lattice[below(random, lattice.size())]));
  }
  return bits;
}

std::vector<double> legal_bits(const dataflow::CostModel& model, Random& random) {
  const dataflow::LegalWidths legal =
      model.round_to_legal(lattice_bits(model, random), dataflow::RoundPolicy::kUp);
  return {legal.bits.begin(), legal.bits.end()};
}

std::vector<double> inner_bits(const dataflow::CostModel& model, Random& random) {
  constexpr double kMargin = 0.1;
  std::vector<double> bits;
  for (std::size_t at = 0; at < model.variables().size(); ++at) {
    const dataflow::WidthLattice& lattice = model.lattice(at);
    const std::size_t cell = below(random, lattice.size() - 1);
    const auto low = static_cast<double>(lattice[cell]);
    const auto high = static_cast<double>(lattice[cell + 1]);
    bits.push_back(low + (high - low) * (kMargin + (1.0 - 2.0 * kMargin) * fraction(random)));
  }
  return bits;
}

std::vector<dataflow::Objective> only(const std::string& measure) {
  return {{.measure = dataflow::parse_measure(measure)}};
}

std::string config_path(const std::string& name) {
  return std::string(VERNIER_SOURCE_DIR) + "/configs/" + name;
}

}  // namespace vernier::tests
