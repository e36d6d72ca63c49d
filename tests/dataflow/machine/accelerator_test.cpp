#include "dataflow/machine/accelerator.hpp"

#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "dataflow/machine/machine.hpp"
#include "tests/support/example_machine.hpp"

namespace vernier::dataflow {
namespace {

using Catch::Contains;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";

// A good machine file; tests change one line of it.
const std::string kGood = R"(name: small
technology: 45nm
clock: 200 MHz
array: {rows: 4, columns: 4, dataflow: output_stationary}
mac: {style: fixed, weight_bits: [4, 8], activation_bits: [8]}
buffers:
  input:  {serves: [input],  capacity: 4 KiB, banks: 2, word: 32 bit}
  weight: {serves: [weight], capacity: 4 KiB, banks: 2, word: 32 bit}
  output: {serves: [output], capacity: 8 KiB, banks: 4, word: 32 bit}
dram: {bandwidth: 32 bit/cycle, latency: 10 cycles}
vector: {lanes: 4, ops: {add: 1, max: 2}}
energy: {tables: [aladdin_45nm], dram: LPDDR4}
)";

Accelerator machine(const std::string& text) {
  return read_accelerator(parse_yaml(text, "a.yaml"));
}

// kGood with one line that begins with `key` exchanged, or left out.
std::string changed(const std::string& key, const std::string& line) {
  const std::size_t start = kGood.find(key);
  REQUIRE(start != std::string::npos);
  const std::size_t end = kGood.find('\n', start);
  return kGood.substr(0, start) + line + kGood.substr(line.empty() ? end + 1 : end);
}

void fails_with(const std::string& text, const std::string& message) {
  CAPTURE(text);
  CHECK_THROWS_WITH(machine(text), Contains(message));
}

TEST_CASE("A machine file becomes a machine with the numbers it states", "[dataflow][machine]") {
  const Accelerator small = machine(kGood);
  const AcceleratorSpec& spec = small.spec();
  CHECK(spec.name == "small");
  CHECK(spec.clock == Hertz(200000000));
  CHECK(spec.array.pes() == 16);
  CHECK(spec.mac.accumulator_bits == 32);
  REQUIRE(spec.buffers.size() == 3);
  CHECK(small.buffer(TensorRole::kOutput).capacity == Bytes(8192));
  CHECK(small.buffer(TensorRole::kOutput).half() == Bits(32768));          // 4 KiB
  CHECK(small.buffer(TensorRole::kOutput).bits_per_cycle() == Bits(128));  // 4 banks * 32 bit
  CHECK(spec.dram.latency == Cycles(10));
  CHECK(spec.vector.cycles_for(Action::kMax) == 2);
  CHECK(spec.vector.cycles_for(Action::kMultiply) == 0);
  CHECK(small.peak_macs_per_cycle(small.mode(Bitwidth(4), Bitwidth(8))) == 16.0);
}

TEST_CASE("All shipped machines load and are priced", "[dataflow][machine]") {
  for (const auto& [file, pes] :
       {std::pair("bitfusion_16x32", 512), std::pair("bitfusion_16x32_dot", 512),
        std::pair("edge_64x64_ws", 4096), std::pair("scale_sim_default", 1024),
        std::pair("scale_sim_low_memory", 1024), std::pair("weight_serial", 1152),
        std::pair("activation_serial", 256), std::pair("subword_dvafs", 256)}) {
    CAPTURE(file);
    const Machine shipped = load_machine(kRoot + "configs/accelerators/" + file + ".yaml");
    CHECK(shipped.accelerator.spec().name == file);
    CHECK(shipped.accelerator.spec().array.pes() == pes);
    CHECK(shipped.prices.total_area().count() > 0.0);
    for (const energy::PricedAction& action : shipped.prices.actions()) {
      CHECK(action.energy.count() >= 0.0);
      CHECK_FALSE(action.source.empty());
    }
  }
}

TEST_CASE("A width is rounded up to the next legal one and none is above the largest",
          "[dataflow][machine]") {
  const Accelerator fused = load_accelerator(kRoot + "configs/accelerators/bitfusion_16x32.yaml");
  const auto weight = [&](int bits) { return fused.compute_weight(Bitwidth(bits)); };
  CHECK(weight(1) == Bitwidth(2));
  CHECK(weight(2) == Bitwidth(2));
  CHECK(weight(3) == Bitwidth(4));
  CHECK(weight(9) == Bitwidth(16));
  CHECK(weight(16) == Bitwidth(16));
  CHECK_FALSE(weight(17).has_value());
  // By default tensors are stored at the compute widths and at 1 bit.
  CHECK(fused.storage(Bitwidth(1)) == Bitwidth(1));
  CHECK(fused.storage(Bitwidth(5)) == Bitwidth(8));
  CHECK_FALSE(fused.storage(Bitwidth(17)).has_value());
  CHECK(fused.modes().size() == 16);
  CHECK(fused.mode(Bitwidth(2), Bitwidth(2)).macs_per_step() == 16);
}

TEST_CASE("Weights and activations have their own widths", "[dataflow][machine]") {
  const Accelerator small = machine(kGood);
  CHECK(small.compute_weight(Bitwidth(3)) == Bitwidth(4));
  CHECK(small.compute_activation(Bitwidth(3)) == Bitwidth(8));
  CHECK(small.modes().size() == 2);
}

TEST_CASE("Widths may stand in any order and twice", "[dataflow][machine]") {
  const Accelerator small = machine(
      changed("mac:", "mac: {style: fixed, weight_bits: [8, 4, 8, 2], activation_bits: [8]}"));
  CHECK(small.spec().mac.weight_bits == std::vector<std::int64_t>{2, 4, 8});
  CHECK(small.compute_weight(Bitwidth(3)) == Bitwidth(4));
}

TEST_CASE("Storage widths are those of the file and must hold every compute width",
          "[dataflow][machine]") {
  const Accelerator small = machine(kGood + "storage_bits: [16, 8]\n");
  CHECK(small.storage(Bitwidth(1)) == Bitwidth(8));
  CHECK(small.storage(Bitwidth(9)) == Bitwidth(16));
  fails_with(kGood + "storage_bits: [4]\n",
             "a.yaml:13: storage_bits: no width holds the 8 bits of mac.weight_bits");
  fails_with(kGood + "storage_bits: []\n", "a.yaml:13: storage_bits: the list is empty");
}

TEST_CASE("A missing, an unknown and a misspelt key are named with their line",
          "[dataflow][machine]") {
  fails_with(changed("clock:", ""), "a.yaml:1: clock: the key is missing");
  fails_with(changed("dram:", ""), "a.yaml:1: dram: the key is missing");
  fails_with(changed("array:", "array: {rows: 4, colums: 4, dataflow: output_stationary}"),
             "a.yaml:4: array.colums: unknown key; did you mean 'columns'?");
  fails_with(changed("array:", "array: {rows: 4, colums: 4, dataflow: output_stationary}"),
             "a.yaml:4: array.columns: the key is missing");
  fails_with(kGood + "votes: 3\n", "a.yaml:13: votes: unknown key; allowed are name, source");
}

TEST_CASE("A fold overlap that the dataflow cannot have is refused with those that it can",
          "[dataflow][machine][overlap]") {
  const auto array = [](const std::string& dataflow, const std::string& overlap) {
    return changed("array:", "array: {rows: 4, columns: 4, dataflow: " + dataflow +
                                 ", fold_overlap: " + overlap + "}");
  };
  for (const auto& [dataflow, legal, illegal] :
       {std::tuple("output_stationary", "full", "preload"),
        std::tuple("dot_columns", "full", "preload"),
        std::tuple("weight_stationary", "preload", "full"),
        std::tuple("input_stationary", "preload", "full")}) {
    CHECK(to_text(machine(array(dataflow, "none")).spec().array.fold_overlap) == "none");
    CHECK(to_text(machine(array(dataflow, legal)).spec().array.fold_overlap) == legal);
    fails_with(array(dataflow, illegal), std::string("a.yaml:4: array.fold_overlap: found '") +
                                             illegal + "'; the dataflow " + dataflow +
                                             " allows none, " + legal);
  }
  fails_with(array("output_stationary", "ful"), "did you mean 'full'?");
}

TEST_CASE("A wrong unit is named with the allowed ones", "[dataflow][machine]") {
  fails_with(changed("clock:", "clock: 200 mhz"), "a.yaml:3: clock: '200 mhz' has the unit 'mhz'");
  fails_with(changed("clock:", "clock: 200"), "'200' has no unit");
  fails_with(changed("dram:", "dram: {bandwidth: 32 bits, latency: 10 cycles}"),
             "a.yaml:10: dram.bandwidth: '32 bits' has the unit 'bits'");
  fails_with(changed("dram:", "dram: {bandwidth: 32 bit/cycle, latency: 10 ns}"),
             "a.yaml:10: dram.latency: '10 ns' has the unit 'ns'; allowed are cycles, cycle");
  fails_with(changed("  input:",
                     "  input: {serves: [input], capacity: 4 kHz, banks: 2, word: 32 "
                     "bit}"),
             "a.yaml:7: buffers.input.capacity: '4 kHz' has the unit 'kHz'");
}

TEST_CASE("A bandwidth per second is taken at the machine's clock", "[dataflow][machine]") {
  const Accelerator small =
      machine(changed("dram:", "dram: {bandwidth: 1.6 GB/s, latency: 10 cycles}"));
  CHECK(small.spec().dram.bandwidth == Bandwidth::per_cycles(64, 1));  // 12.8 Gbit/s / 200 MHz
}

TEST_CASE("Halves of a buffer need an even number of banks", "[dataflow][machine]") {
  fails_with(changed("  output:",
                     "  output: {serves: [output], capacity: 12 KiB, banks: 3, word: "
                     "32 bit}"),
             "a.yaml:9: buffers.output.banks: found 3; the halves of a double buffer");
  fails_with(changed("  output:",
                     "  output: {serves: [output], capacity: 12 KiB, banks: 0, word: "
                     "32 bit}"),
             "a.yaml:9: buffers.output.banks: found 0; allowed is 1 to 1048576");
}

TEST_CASE("A single buffer holds one block in all of it", "[dataflow][machine]") {
  const Accelerator single = machine(changed(
      "  output:",
      "  output: {serves: [output], capacity: 12 KiB, banks: 3, word: 32 bit, buffering: single}"));
  CHECK(single.buffer(TensorRole::kOutput).half() == Bits(12 * 8192));
  CHECK(single.buffer(TensorRole::kOutput).blocks_held() == 1);
  fails_with(changed("  output:",
                     "  output: {serves: [output], capacity: 12 KiB, banks: 3, word: 32 bit, "
                     "buffering: singel}"),
             "a.yaml:9: buffers.output.buffering: found 'singel'; allowed are single, double; did "
             "you mean 'single'?");
}

TEST_CASE("What stays on chip takes whole banks of a buffer that serves input and output",
          "[dataflow][machine]") {
  const auto with = [](const std::string& rest) {
    std::string text =
        changed("  input:", "  io: {serves: [input, output], word: 32 bit, " + rest + "}");
    const std::size_t start = text.find("  output:");
    return text.erase(start, text.find('\n', start) + 1 - start);
  };
  const Accelerator io = machine(with("capacity: 6 KiB, banks: 6, resident_bytes: 2 KiB"));
  CHECK(io.buffer(TensorRole::kInput).resident_bytes == Bytes(2048));
  CHECK(io.buffer(TensorRole::kInput).half() == Bits(2 * 8192));  // half of the 4 KiB left
  fails_with(with("capacity: 6 KiB, banks: 6, resident_bytes: 1500 B"),
             "buffers.io.resident_bytes: found 1500 B; needed are whole banks of 1 KiB, fewer than "
             "the 6 of the buffer");
  fails_with(with("capacity: 6 KiB, banks: 6, resident_bytes: 6 KiB"),
             "buffers.io.resident_bytes: found 6 KiB; needed are whole banks of 1 KiB, fewer");
  fails_with(with("capacity: 6 KiB, banks: 6, resident_bytes: 1 KiB"),
             "buffers.io.banks: resident_bytes leaves 5; the halves of a double buffer");
  CHECK_NOTHROW(
      machine(with("capacity: 6 KiB, banks: 6, resident_bytes: 1 KiB, buffering: single")));
  fails_with(changed("  output:",
                     "  output: {serves: [output], capacity: 8 KiB, banks: 4, word: 32 bit, "
                     "resident_bytes: 4 KiB}"),
             "a.yaml:9: buffers.output.resident_bytes: activations stay on chip only in a buffer "
             "that serves input and output");
}

TEST_CASE("A buffer holds whole words in each bank", "[dataflow][machine]") {
  const auto output = [](const std::string& capacity, const std::string& word) {
    return changed("  output:", "  output: {serves: [output], capacity: " + capacity +
                                    ", banks: 4, word: " + word + "}");
  };
  CHECK_NOTHROW(machine(output("16 B", "32 bit")));  // one word in each of 4 banks
  fails_with(output("20 B", "32 bit"),
             "a.yaml:9: buffers.output.capacity: 20 B is not a whole number of words of 32 bit in "
             "each of 4 banks");
  fails_with(output("0 B", "32 bit"), "buffers.output.capacity: 0 B is not");
  CHECK_NOTHROW(machine(output("32 KiB", "65536 bit")));
  fails_with(output("32 KiB", "65537 bit"), "buffers.output.word: must be 1 to 65536 bit");
  fails_with(output("32 KiB", "0 bit"), "buffers.output.word: must be 1 to 65536 bit");
}

TEST_CASE("Every operand is served by exactly one buffer", "[dataflow][machine]") {
  const auto weight = [](const std::string& serves) {
    return changed("  weight:",
                   "  weight: {serves: " + serves + ", capacity: 4 KiB, banks: 2, word: 32 bit}");
  };
  fails_with(weight("[weight, input]"), "the operand 'input' is served by 2 buffers");
  fails_with(weight("[input]"), "the operand 'weight' is served by 0 buffers");
  fails_with(weight("[weight, weight]"), "buffers.weight.serves: an operand stands twice");
  fails_with(weight("[weigth]"), "found 'weigth'; allowed are input, weight, output; did you mean");
  fails_with(weight("[]"), "a.yaml:8: buffers.weight.serves: the list is empty");
  CHECK_NOTHROW(
      machine(changed("  weight:", "").replace(kGood.find("[input]"), 7, "[input, weight]")));
}

TEST_CASE("A buffer has no name of another part of the machine", "[dataflow][machine]") {
  fails_with(changed("  weight:",
                     "  dram: {serves: [weight], capacity: 4 KiB, banks: 2, word: 32 "
                     "bit}"),
             "a.yaml:8: buffers: 'dram' is no name for a buffer");
}

TEST_CASE("Clock and latency have ends that are included", "[dataflow][machine]") {
  CHECK_NOTHROW(machine(changed("clock:", "clock: 1 kHz")));
  fails_with(changed("clock:", "clock: 999 Hz"), "a.yaml:3: clock: must be 1 kHz or more");
  CHECK_NOTHROW(machine(changed("clock:", "clock: 1000 GHz")));
  fails_with(changed("clock:", "clock: 1001 GHz"), "a.yaml:3: clock: must be 1 THz or less");
  CHECK_NOTHROW(machine(changed("dram:", "dram: {bandwidth: 1 bit/cycle, latency: 1e9 cycles}")));
  fails_with(changed("dram:", "dram: {bandwidth: 1 bit/cycle, latency: 1000000001 cycles}"),
             "a.yaml:10: dram.latency: must be 1e9 or less");
}

TEST_CASE("Array sides end at 16384", "[dataflow][machine]") {
  const auto rows = [](const std::string& count) {
    return changed("array:",
                   "array: {rows: " + count + ", columns: 16384, dataflow: output_stationary}");
  };
  CHECK(machine(rows("16384")).spec().array.pes() == 268435456);  // 2^28
  fails_with(rows("16385"), "array.rows: found 16385; allowed is 1 to 16384");
  fails_with(rows("0"), "array.rows: found 0; allowed is 1 to 16384");
}

TEST_CASE("An unknown MAC family or width of a family is named", "[dataflow][machine]") {
  fails_with(changed("mac:", "mac: {style: sum_togeter, weight_bits: [8], activation_bits: [8]}"),
             "a.yaml:5: mac.style: unknown MAC unit family 'sum_togeter'; allowed are bit_serial, "
             "fixed, subword_apart, subword_together, sum_apart, sum_apart_1d, sum_together, "
             "sum_together_1d; did you mean 'sum_together'?");
  fails_with(changed("mac:", "mac: {style: sum_together, weight_bits: [6], activation_bits: [8]}"),
             "the compute widths 2, 4, 8, 16; found 6");
  fails_with(changed("mac:", "mac: {style: fixed, weight_bits: [33], activation_bits: [8]}"),
             "a.yaml:5: mac.weight_bits[0]: found 33; allowed is 1 to 32");
}

TEST_CASE("Keys of another MAC family are refused with the families that have them",
          "[dataflow][machine]") {
  const auto mac = [](const std::string& keys) {
    return changed("mac:", "mac: {weight_bits: [4, 8], activation_bits: [8], " + keys + "}");
  };
  fails_with(mac("style: fixed, serial: weight"),
             "a.yaml:5: mac.serial: the family 'fixed' has no such parameter; it belongs to "
             "bit_serial");
  fails_with(mac("style: sum_together, core_bits: 16"), "mac.core_bits: the family 'sum_together'");
  fails_with(mac("style: subword_together, subwords: pixels"), "it belongs to subword_apart");
  fails_with(mac("style: sum_apart, data_gating: true"), "it belongs to fixed");
  fails_with(mac("style: bit_serial, serial: weights"), "mac.serial: found 'weights'");
  fails_with(mac("style: bit_serial, bits_per_cycle: 0"), "mac.bits_per_cycle: found 0");
  fails_with(mac("style: sum_apart, core_bits: 12"), "core_bits is 12; allowed are 8 and 16");
  CHECK_NOTHROW(machine(mac("style: subword_apart, core_bits: 8, subwords: out_channels")));
  CHECK_NOTHROW(machine(mac("style: bit_serial, serial: both, bits_per_cycle: 2, lanes: 16")));
}

TEST_CASE("Stated modes are checked against the widths of the machine", "[dataflow][machine]") {
  const auto modes = [](const std::string& list) {
    return changed("mac:",
                   "mac: {style: bit_serial, weight_bits: [1, 8], activation_bits: [8], "
                   "modes: [" +
                       list + "]}");
  };
  const Accelerator stated =
      machine(modes("{weight: 1, activation: 8, cycles: 1, reduction: 2, out_channels: 3}"));
  CHECK(stated.mode(Bitwidth(1), Bitwidth(8)).macs_per_step() == 6);
  CHECK(stated.mode(Bitwidth(1), Bitwidth(8)).accumulators == 3);
  CHECK(stated.mode(Bitwidth(8), Bitwidth(8)).cycles == 8);  // the law
  fails_with(modes("{weight: 2, activation: 8}"),
             "a.yaml:5: mac.modes: the mode w2 a8 is none of the machine: weight_bits are 1, 8");
  fails_with(modes("{weight: 1, activation: 8}, {weight: 1, activation: 8, cycles: 2}"),
             "the mode w1 a8 stands twice");
  fails_with(modes("{weight: 1, activation: 8, reduction: 256, pixels: 64}"),
             "does 16384 products a step; at most 4096");
  fails_with(modes("{weight: 1}"), "mac.modes[0].activation: the key is missing");
  fails_with(modes("{weight: 1, activation: 8, cycle: 2}"), "did you mean 'cycles'?");
}

TEST_CASE("A depthwise mode that the machine cannot have is refused by name",
          "[dataflow][machine]") {
  const auto array = [](const std::string& dataflow, const std::string& mode) {
    return changed("array:", "array: {rows: 4, columns: 4, dataflow: " + dataflow +
                                 ", depthwise: " + mode + "}");
  };
  CHECK(machine(kGood).spec().array.depthwise == arch::DepthwiseMode::kPerGroup);
  CHECK_NOTHROW(machine(array("weight_stationary", "block_diagonal")));
  fails_with(array("output_stationary", "block_diagonal"),
             "a.yaml:4: array.depthwise: block_diagonal is built for weight_stationary arrays; "
             "found output_stationary");
  fails_with(
      array("output_stationary", "grouped_lanes"),
      "grouped_lanes needs a MAC unit that takes several groups at once; no mode of 'fixed'");
  fails_with(array("output_stationary", "vector_unit"),
             "a.yaml:11: vector.ops: depthwise: vector_unit needs the operations multiply and add");
  fails_with(array("output_stationary", "dedicated"), "array.depthwise: found 'dedicated'");
}

TEST_CASE("Overlapping folds and dot_columns are refused for units that keep products apart",
          "[dataflow][machine]") {
  const auto with = [](const std::string& array, const std::string& mac) {
    std::string text = changed("array", "array: {rows: 4, columns: 4, " + array + "}");
    const std::size_t start = text.find("mac:");
    text.replace(start, text.find('\n', start) - start,
                 "mac: {" + mac + ", weight_bits: [4, 8], activation_bits: [4, 8]}");
    return text;
  };
  const std::string preload = "dataflow: weight_stationary, fold_overlap: preload";
  const std::string full = "dataflow: output_stationary, fold_overlap: full";
  const std::string dot = "dataflow: dot_columns";
  for (const std::string& array : {preload, full, dot}) {
    for (const char* const apart :
         {"style: sum_apart", "style: sum_apart_1d", "style: subword_apart, subwords: groups",
          "style: subword_apart, subwords: pixels"}) {
      fails_with(with(array, apart), "is built for units that add all products of a step to one");
    }
    for (const char* const together :
         {"style: fixed", "style: sum_together_1d", "style: subword_together",
          "style: bit_serial, serial: activation, bits_per_cycle: 2, lanes: 3"}) {
      CAPTURE(array, together);
      CHECK_NOTHROW(machine(with(array, together)));
    }
  }
  fails_with(with(dot, "style: fixed, modes: [{weight: 4, activation: 8, pixels: 2}]"),
             "a.yaml: array.dataflow: dot_columns is built for units that add all products of a "
             "step to one sum; at 4 x 8 bit 'fixed' takes 1 output channels, 2 pixels and 1 groups "
             "apart");
  // Units as they are, tiles of several groups are refused too.
  fails_with(with(preload + ", depthwise: block_diagonal", "style: fixed"),
             "a.yaml:4: array.depthwise: block_diagonal is not built for array.fold_overlap: "
             "preload, whose tiles hold one group; allowed are per_group, vector_unit");
  fails_with(with(dot + ", depthwise: grouped_lanes", "style: subword_apart, subwords: groups"),
             "grouped_lanes is not built for array.dataflow: dot_columns");
}

TEST_CASE("The serial machines have the peaks of their published figures", "[dataflow][machine]") {
  const auto shipped = [](const std::string& name) {
    return load_accelerator(kRoot + "configs/accelerators/" + name + ".yaml");
  };
  const auto gops = [](const Accelerator& of, int weight, int activation) {
    return 2e-9 * of.peak_macs_per_cycle(of.mode(Bitwidth(weight), Bitwidth(activation))) *
           static_cast<double>(of.spec().clock.count());
  };
  const Accelerator unpu = shipped("weight_serial");
  CHECK(gops(unpu, 16, 16) == Approx(345.6));               // published
  CHECK(gops(unpu, 1, 16) == Approx(7372).epsilon(0.001));  // published
  CHECK(gops(unpu, 8, 16) == Approx(691.2));
  const Accelerator stripes = shipped("activation_serial");
  CHECK(gops(stripes, 16, 1) == Approx(16 * gops(stripes, 16, 16)));
  const Accelerator dvafs = shipped("subword_dvafs");
  CHECK(dvafs.peak_macs_per_cycle(dvafs.mode(Bitwidth(8), Bitwidth(4))) == 256);
  CHECK(dvafs.peak_macs_per_cycle(dvafs.mode(Bitwidth(2), Bitwidth(2))) == 1024);
}

TEST_CASE("All problems of a machine file are reported at once", "[dataflow][machine]") {
  const std::string text = R"(name: bad
technology: 45nm
clock: 10 Hz
array: {rows: 0, columns: 4, dataflow: row_stationary}
mac: {style: fixed, weight_bits: [8], activation_bits: [8], acumulator_bits: 16}
buffers:
  input:  {serves: [input],  capacity: 4 KiB, banks: 3, word: 32 bit}
  weight: {serves: [weight], capacity: 4 KiB, banks: 2, word: 32 bit}
dram: {bandwidth: 32 MB, latency: 10 cycles}
vector: {lanes: 4, ops: {sub: 1}}
energy: {tables: [], dram: LPDDR4}
)";
  for (const char* message :
       {"a.yaml:3: clock: must be 1 kHz", "a.yaml:4: array.rows: found 0",
        "a.yaml:4: array.dataflow: found 'row_stationary'",
        "a.yaml:5: mac.acumulator_bits: unknown key; did you mean 'accumulator_bits'?",
        "a.yaml:7: buffers.input.banks: found 3", "the operand 'output' is served by 0 buffers",
        "a.yaml:9: dram.bandwidth: '32 MB' has the unit 'MB'",
        "a.yaml:10: vector.ops.sub: unknown key", "a.yaml:11: energy.tables: names no table"}) {
    fails_with(text, message);
  }
}

TEST_CASE("A key with a wrong value causes no further complaints", "[dataflow][machine]") {
  CHECK_THROWS_WITH(machine(changed("clock:", "clock: fast")), !Contains("1 kHz or more"));
  CHECK_THROWS_WITH(machine(changed("buffers:", "bufers:")), !Contains("is served by"));
}

TEST_CASE("A description made by hand is checked like a file", "[dataflow][machine]") {
  AcceleratorSpec spec = tests::example_spec(arch::Dataflow::kOutputStationary);
  CHECK_NOTHROW(Accelerator(spec));
  spec.buffers[0].banks = 3;
  CHECK_THROWS_WITH(Accelerator(spec), Contains("buffers.input.banks: found 3"));
}

}  // namespace
}  // namespace vernier::dataflow
