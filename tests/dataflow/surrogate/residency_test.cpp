// Activations that stay on chip couple layers that do not touch; the surrogate's scopes know it.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/surrogate/cost_model.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/small_networks.hpp"

namespace vernier::dataflow {
namespace {

using namespace tests;

// One buffer for inputs and outputs, 4 KiB of it for activations that stay.
AcceleratorSpec keeping_spec(std::int64_t resident_bytes) {
  AcceleratorSpec spec = fused_spec(arch::Dataflow::kOutputStationary);
  memory::BufferSpec both = spec.buffers.back();
  both.name = "activations";
  both.serves = {TensorRole::kInput, TensorRole::kOutput};
  both.banks = 64;
  both.capacity = Bytes(65536);
  both.resident_bytes = Bytes(resident_bytes);
  spec.buffers = {spec.buffers[1], both};
  return spec;
}

TEST_CASE("A layer feels the bits of a tensor that it does not touch through residency",
          "[surrogate]") {
  // 2048 elements each; a lives from its layer to the addition, so c decides whether it stays:
  // 2048 + 1024 + 2048 bytes do not fit, 2048 + 1024 + 1024 do.
  const std::vector<LayerSpec> layers{
      layer_spec("a", Dense{64}, {"x"}), layer_spec("b", Dense{64}, {"a"}),
      layer_spec("c", Dense{64}, {"b"}), layer_spec("sum", Elementwise{}, {"c", "a"})};
  const LayerGraph graph("skip", {{"x", {64, 32, 1}, {}, {}}}, layers);
  const Machine machine = with_prices(keeping_spec(4096));
  const CostModel model(machine, graph);
  std::vector<double> bits(model.variables().size(), 8.0);
  bits[model.variable("b")] = 4.0;
  const std::size_t far = model.variable("c");
  const auto costs = [&](double width) {
    bits[far] = width;
    return model.evaluate(bits).value();
  };
  const NetworkCost wide = costs(8.0);
  const NetworkCost narrow = costs(4.0);
  CHECK(narrow.layers[0].cost.dram.total() < wide.layers[0].cost.dram.total());
  CHECK(narrow.layers[0].cost.cycles.total() < wide.layers[0].cost.cycles.total());
  const auto difference =
      static_cast<double>(wide.total.cycles.total().count() - narrow.total.cycles.total().count());
  bits[far] = 6.0;
  CHECK(model.relax(bits, only("latency"))->gradient[far] ==
        Approx(difference / 4.0).epsilon(1e-12));
}

TEST_CASE("Relax equals evaluate where activations stay on chip", "[surrogate]") {
  const Machine machine = with_prices(keeping_spec(2048));
  Random random(3);
  int points = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const LayerGraph graph = random_network(seed);
    const CostModel model(machine, graph);
    for (int at = 0; at < 40; ++at) {
      const std::vector<double> bits = lattice_bits(model, random);
      const Result<NetworkCost> exact = model.evaluate(bits);
      const Result<Relaxation> relaxed = model.relax(bits, only("latency"));
      REQUIRE(exact.has_value() == relaxed.has_value());
      if (!exact) continue;
      CAPTURE(seed, at);
      CHECK(relaxed->total == static_cast<double>(exact->total.cycles.total().count()));
      ++points;
    }
  }
  CHECK(points > 0);
}

}  // namespace
}  // namespace vernier::dataflow
