// A layer feels its neighbours: its own tensors keep their widths, and its time changes because a
// tensor that it neither reads nor writes has taken the room on chip (design 5.7). Both engines,
// times derived by hand.
#include <array>

#include <catch2/catch.hpp>

#include "dataflow/clocked/systemc_engine.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "tests/support/example_machine.hpp"
#include "tests/support/oracle_case.hpp"

namespace vernier::dataflow {
namespace {

// Four layers of 4 pixels, 4 -> 4 channels: in -> t0 -> t1 -> t2 -> out. A pixel of a tensor takes
// one word of 32 bit at 8 bits and two at 16, so a tensor 16 or 32 bytes.
LayerGraph chain() {
  std::vector<LayerSpec> layers(4);
  const std::array<const char*, 5> names{"in", "t0", "t1", "t2", "out"};
  for (std::size_t at = 0; at < layers.size(); ++at) {
    layers[at].name = names[at + 1];
    layers[at].op = Dense{4};
    layers[at].inputs = {names[at]};
  }
  return {"chain", {{"in", Shape{4, 4, 1}, {}, {}, false}}, layers};
}

// The example machine with latency 2 and one buffer for inputs and outputs: 10 banks of 16 bytes,
// two of them for activations that stay, so that two of 16 bytes may be alive together.
Machine machine() {
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  spec.mac.activation_bits = {8, 16};
  spec.dram.latency = Cycles(2);
  memory::BufferSpec& io = spec.buffers[0];
  io.name = "io";
  io.serves = {TensorRole::kInput, TensorRole::kOutput};
  io.banks = 10;
  io.capacity = Bytes(160);
  io.resident_bytes = Bytes(32);
  spec.buffers.pop_back();
  return tests::with_flat_prices(spec);  // no table has banks as small as these
}

struct Times {
  std::array<std::int64_t, 4> of_layer{};
  std::array<std::int64_t, 4> activation_bits{};  // over the channel
  std::int64_t total = 0;
};

Times times_of(const NetworkCost& cost) {
  Times times;
  for (std::size_t at = 0; at < times.of_layer.size(); ++at) {
    const LayerCost& layer = cost.layers[at];
    CHECK(layer.tasks[0].mapping.tile == TileSize{4, 1, 4, 4});  // one tile each
    times.of_layer[at] = layer.cost.cycles.total().count();
    times.activation_bits[at] =
        layer.cost.dram.input_read.count() + layer.cost.dram.output_write.count();
  }
  times.total = cost.total.cycles.total().count();
  return times;
}

// Times of both engines, which must agree.
Times times_with(int bits_of_t2) {
  const Machine built = machine();
  const LayerGraph graph = chain();
  PrecisionMap bits = PrecisionMap::uniform(Bitwidth(8), Bitwidth(8));
  bits.tensors["t2"].bits = Bitwidth(bits_of_t2);
  const NetworkPrecision precision = resolve_precision(graph, bits).tensors;
  const Times analytical = times_of(Evaluator(built).evaluate(graph, precision).value());
  const ClockedNetwork simulated = simulate(built, graph, precision, map_heuristically).value();
  CHECK(simulated.mismatches() == 0);
  CHECK(simulated.outputs() == 4 * 16);
  const Times clocked = times_of(simulated.cost);
  CHECK(clocked.of_layer == analytical.of_layer);
  CHECK(clocked.activation_bits == analytical.activation_bits);
  CHECK(clocked.total == analytical.total);
  return clocked;
}

TEST_CASE("A layer becomes slower when only the output of the next layer becomes wider",
          "[clocked][residency]") {
  // Every layer is one tile, one fold of T + R + C - 2 = 4 + 4 + 4 - 2 = 10 lines. Its weights, 4
  // words, are loaded by the layer before (4 beats, 2 cycles latency).
  //
  // With t2 at 8 bits two tensors of 16 bytes are alive at a time: all stay.
  //   t0:  loads in 0-4, weights 4-8, there at 10; tile 10-20; prefetch 8-12.            20
  //   t1:  tile 0-10; prefetch 0-4, there at 6.                                          10
  //   t2:  the same.                                                                     10
  //   out: tile 0-10; store 10-14.                                                       14
  const Times narrow = times_with(8);
  CHECK(narrow.of_layer == std::array<std::int64_t, 4>{20, 10, 10, 14});
  CHECK(narrow.activation_bits == std::array<std::int64_t, 4>{128, 0, 0, 128});
  CHECK(narrow.total == 54);

  // With t2 at 16 bits it takes 32 bytes, and in its own layer, beside t1, 48: more than 32.
  // Neither of the two stays. The layer of t1 reads t0 and writes t1, both as before, and takes 4
  // cycles more: its tile ends at 10 and t1 is stored 10-14.
  //   t2:  loads t1 0-4, there at 6; prefetch 4-8; tile 6-16; stores 8 words 16-24.      24
  //   out: loads t2 0-8, there at 10; tile 10-20; store 20-24.                           24
  const Times wide = times_with(16);
  CHECK(wide.of_layer == std::array<std::int64_t, 4>{20, 14, 24, 24});
  CHECK(wide.activation_bits == std::array<std::int64_t, 4>{128, 128, 384, 384});
  CHECK(wide.total == 82);
}

}  // namespace
}  // namespace vernier::dataflow
