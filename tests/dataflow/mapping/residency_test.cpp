// Which activations stay on chip. All tensors here have 8 channels, so that a pixel takes one word
// of 64 bit at 8 bits and half a word, padded to a whole one, at 4 bits.
#include "dataflow/mapping/residency.hpp"

#include <catch2/catch.hpp>

#include "dataflow/mapping/lower_network.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

// 16 banks of 128 bytes in words of `word` bit; some of them for activations that stay.
Accelerator machine_with(std::int64_t resident_bytes, std::int64_t word = 64) {
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  spec.mac.activation_bits = {4, 8, 16};
  memory::BufferSpec& io = spec.buffers[0];
  io.serves = {TensorRole::kInput, TensorRole::kOutput};
  io.word = Bits(word);
  io.banks = 16;
  io.capacity = Bytes(16 * 128);
  io.resident_bytes = Bytes(resident_bytes);
  io.buffering = memory::Buffering::kSingle;  // any number of banks
  spec.buffers.pop_back();
  return Accelerator(spec);
}

struct Net {
  std::vector<LayerSpec> layers;
  std::int64_t batch = 1;
  PrecisionMap bits = PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));

  void add(const std::string& name, const Operator& op, const std::vector<std::string>& inputs) {
    LayerSpec layer;
    layer.name = name;
    layer.op = op;
    layer.inputs = inputs;
    layers.push_back(layer);
  }
  void set_bits(const std::string& tensor, int width) {
    Precision precision;
    precision.bits = Bitwidth(width);
    bits.tensors[tensor] = precision;
  }
  // The input has 8 channels and 16 pixels: 128 bytes at 8 bits.
  [[nodiscard]] LayerGraph graph() const {
    return {"net", {{"in", Shape{8, 16, 1}, {}, {}, false}}, layers, batch};
  }
  [[nodiscard]] std::vector<LoweredLayer> lowered(const Accelerator& machine) const {
    const LayerGraph built = graph();
    return lower_network(built, resolve_precision(built, bits).tensors, machine, false);
  }
};

Net chain(int length) {
  Net net;
  for (int at = 0; at < length; ++at) {
    net.add("t" + std::to_string(at), Dense{8}, {at == 0 ? "in" : "t" + std::to_string(at - 1)});
  }
  return net;
}

Residence of(const std::vector<LoweredLayer>& layers, LayerId layer) {
  return layers.at(layer).residence.value().residence;
}

TEST_CASE("Activations of a chain stay when each and the one before it fit", "[residency]") {
  const Net net = chain(4);  // t0, t1, t2 may stay; t3 is the output
  const auto fits = net.lowered(machine_with(256));
  for (const LayerId layer : {0, 1, 2}) {
    CHECK(of(fits, layer) == Residence::kOnChip);
    CHECK(fits[layer].residence->size == Bytes(128));
    CHECK(fits[layer].tasks[0].output_resident);
    CHECK(fits[layer + 1].tasks[0].input_resident[0]);
  }
  CHECK(of(fits, 3) == Residence::kNetworkOutput);
  CHECK_FALSE(fits[0].tasks[0].input_resident[0]);
  CHECK_FALSE(fits[3].tasks[0].output_resident);
  // While t1 is made from t0 both are there, while the output is made only t2.
  CHECK(fits[0].resident == Bytes(128));
  CHECK(fits[1].resident == Bytes(256));
  CHECK(fits[3].resident == Bytes(128));

  const auto full = net.lowered(machine_with(128));
  for (const LayerId layer : {0, 1, 2}) CHECK(of(full, layer) == Residence::kNoRoom);
  CHECK(full[1].resident == Bytes(0));
}

TEST_CASE("A layer without room keeps off all activations that are alive in it and no others",
          "[residency]") {
  Net net = chain(6);
  net.set_bits("t2", 16);  // 256 bytes: no room beside t1 or t3
  const auto layers = net.lowered(machine_with(256));
  CHECK(of(layers, 0) == Residence::kOnChip);
  CHECK(of(layers, 1) == Residence::kNoRoom);
  CHECK(of(layers, 2) == Residence::kNoRoom);
  CHECK(of(layers, 3) == Residence::kNoRoom);
  CHECK(of(layers, 4) == Residence::kOnChip);
}

TEST_CASE("A residual branch takes room until it is added", "[residency]") {
  Net net = chain(3);
  net.add("sum", Elementwise{}, {"t2", "t0"});
  net.add("out", Dense{8}, {"sum"});
  // While t2 is made from t1, t0 waits: three times 128 bytes.
  CHECK(of(net.lowered(machine_with(384)), 1) == Residence::kOnChip);
  const auto layers = net.lowered(machine_with(256));
  CHECK(of(layers, 0) == Residence::kNoRoom);
  CHECK(of(layers, 1) == Residence::kNoRoom);
  CHECK(of(layers, 2) == Residence::kNoRoom);
  CHECK(of(layers, 3) == Residence::kNoRoom);  // alive with t0 and t2 while it is made
}

TEST_CASE("Every pixel of an activation takes whole words, in each image of a batch",
          "[residency]") {
  Net net = chain(2);
  net.set_bits("t0", 4);
  CHECK(net.lowered(machine_with(128))[0].residence->size == Bytes(128));  // 32 bits padded
  CHECK(net.lowered(machine_with(128, 32))[0].residence->size == Bytes(64));
  net.batch = 3;
  CHECK(net.lowered(machine_with(128))[0].residence->size == Bytes(384));
  CHECK(of(net.lowered(machine_with(256)), 0) == Residence::kNoRoom);
  CHECK(of(net.lowered(machine_with(384)), 0) == Residence::kOnChip);
}

TEST_CASE("A view shares the place of what it shows", "[residency]") {
  Net net = chain(1);
  net.add("flat", Reshape{{128, 1, 1}}, {"t0"});
  net.add("out", Dense{4}, {"flat"});
  const auto layers = net.lowered(machine_with(128));
  CHECK(of(layers, 0) == Residence::kOnChip);
  CHECK_FALSE(layers[1].residence.has_value());
  CHECK(layers[2].tasks[0].input_resident[0]);
  CHECK(layers[1].resident == Bytes(128));
}

TEST_CASE("Parts of a concatenation without a copy stay together or not at all", "[residency]") {
  Net net = chain(2);
  net.add("both", Concat{}, {"t0", "t1"});
  net.add("out", Dense{8}, {"both"});
  const auto layers = net.lowered(machine_with(256));
  REQUIRE(layers[2].tasks.empty());
  CHECK(of(layers, 0) == Residence::kOnChip);
  CHECK(of(layers, 1) == Residence::kOnChip);
  CHECK(layers[3].tasks[0].input_resident[0]);
  CHECK(layers[0].resident == Bytes(256));  // the place is taken from the first part on

  SECTION("with a network input they are loaded") {
    Net with_input = chain(1);
    with_input.add("both", Concat{}, {"in", "t0"});
    with_input.add("out", Dense{8}, {"both"});
    CHECK(of(with_input.lowered(machine_with(256)), 0) == Residence::kNetworkInput);
  }
  SECTION("with a copy they are on their own") {
    net.set_bits("t1", 4);  // another width than the concatenation
    net.set_bits("both", 8);
    const auto copied = net.lowered(machine_with(512));
    REQUIRE(copied[2].tasks.size() == 2);
    CHECK(of(copied, 2) == Residence::kOnChip);
    CHECK(copied[2].residence->size == Bytes(256));
    for (const LayerTask& task : copied[2].tasks) {
      CHECK(task.input_resident[0]);
      CHECK(task.output_resident);
    }
  }
}

TEST_CASE("A tensor lies in the place of one concatenation", "[residency][graph]") {
  const auto copies = [](const Net& net, std::size_t layer) {
    return net.lowered(machine_with(0)).at(layer).tasks.size();
  };
  Net twice = chain(2);
  twice.add("both", Concat{}, {"t1", "t1"});
  twice.add("out", Dense{8}, {"both"});
  CHECK(copies(twice, 2) == 2);

  Net shared = chain(2);
  shared.add("first", Concat{}, {"t0", "t1"});
  shared.add("second", Concat{}, {"t1", "t0"});
  shared.add("out", Elementwise{}, {"first", "second"});
  CHECK(copies(shared, 2) == 0);
  CHECK(copies(shared, 3) == 2);

  Net nested = chain(2);  // as in dense blocks: each lies in the one around it
  nested.add("inner", Concat{}, {"t0", "t1"});
  nested.add("outer", Concat{}, {"inner", "in"});
  nested.add("again", Concat{}, {"outer", "t0"});
  nested.add("out", Dense{8}, {"again"});
  CHECK(copies(nested, 2) == 0);
  CHECK(copies(nested, 3) == 0);
  CHECK(copies(nested, 4) == 2);
}

TEST_CASE("What a product reads as weights is loaded", "[residency]") {
  Net net = chain(2);
  net.add("scores", MatMul{1, true}, {"t0", "t1"});
  net.add("out", Dense{8}, {"scores"});
  const auto layers = net.lowered(machine_with(1024));
  CHECK(of(layers, 0) == Residence::kOnChip);
  CHECK(of(layers, 1) == Residence::kReadAsWeights);
  CHECK(layers[2].tasks[0].input_resident[0]);
}

TEST_CASE("All widths of a sliced weight read and write on chip", "[residency]") {
  Net net = chain(3);
  Precision sliced;
  sliced.bits = Bitwidth(8);
  sliced.slices = {{4, Bitwidth(8)}, {4, Bitwidth(4)}};
  net.bits.tensors["t1.weight"] = sliced;
  AcceleratorSpec spec = machine_with(256).spec();
  spec.mac.weight_bits = {4, 8};
  const auto layers = net.lowered(Accelerator(spec));
  REQUIRE(layers[1].tasks.size() == 2);
  for (const LayerTask& task : layers[1].tasks) {
    CHECK(task.input_resident[0]);
    CHECK(task.output_resident);
  }
}

TEST_CASE("Machines that keep nothing list nothing", "[residency]") {
  const auto layers = chain(3).lowered(machine_with(0));
  for (const LoweredLayer& layer : layers) {
    CHECK_FALSE(layer.residence.has_value());
    CHECK_FALSE(layer.tasks[0].output_resident);
  }
}

}  // namespace
}  // namespace vernier::dataflow
