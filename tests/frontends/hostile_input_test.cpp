// Input that is wrong, absurd or meant to hurt, through the built command line: it ends quickly, in
// little memory, with exit code 2 (1 for what is only infeasible) and a message that names the
// place. Nothing here may end by a signal or as an internal error.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/command_line.hpp"

namespace vernier::frontends {
namespace {

using Catch::Contains;
using tests::CommandResult;
using tests::run_vernier;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";
const std::string kMachine = kRoot + "configs/accelerators/scale_sim_default.yaml";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif
constexpr double kMostSeconds = kInstrumented ? 60.0 : 5.0;
constexpr long kMostMib = 500;

// A file of its own folder that goes with the test.
class InputFile {
 public:
  explicit InputFile(const std::string& text) {
    std::string name = "/tmp/vernier-hostile-XXXXXX";
    folder_ = mkdtemp(name.data());
    std::ofstream(path(), std::ios::binary) << text;
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/in.yaml"; }

 private:
  std::string folder_;
};

void check_limits(const CommandResult& run) {
  CHECK(run.signal == 0);
  CHECK(run.cpu_seconds < kMostSeconds);
  if (!kInstrumented) CHECK(run.peak_mib < kMostMib);
}

// Refused with this exit code, silence on standard output, and all of `messages`.
void check_refused(const std::vector<std::string>& words, int exit_code,
                   const std::vector<std::string>& messages) {
  const CommandResult run = run_vernier(words);
  INFO(run.error.substr(0, 1000));
  check_limits(run);
  CHECK(run.exit_code == exit_code);
  CHECK(run.output.empty());
  CHECK_FALSE(run.error.empty());
  for (const std::string& message : messages) CHECK_THAT(run.error, Contains(message));
}

void check_model(const std::string& text, const std::vector<std::string>& messages,
                 int exit_code = 2) {
  const InputFile file(text);
  check_refused({"run", "-a", kMachine, "-m", file.path(), "-b", "w=8,a=8"}, exit_code, messages);
}

// A model of an input of 8 x 16 x 16 and one layer.
std::string with_layer(const std::string& layer, const std::string& shape = "[8, 16, 16]") {
  return "name: net\ninput: {name: x, shape: " + shape + "}\nlayers:\n  - " + layer + "\n";
}

std::string conv_with(const std::string& keys) {
  return with_layer("{name: c, op: conv2d, out_channels: 8, " + keys + "}");
}

void check_machine(const std::string& assignment, const std::vector<std::string>& messages) {
  CAPTURE(assignment);
  check_refused({"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", "-b",
                 "w=8,a=8", "--set", assignment},
                2, messages);
}

std::string repeated(const std::string& part, std::size_t bytes) {
  std::string text;
  text.reserve(bytes + part.size());
  while (text.size() < bytes) text += part;
  return text;
}

constexpr std::size_t kMega = 1'000'000;

TEST_CASE("A good input still runs", "[frontends][hostile]") {
  const InputFile file(conv_with("kernel: 3"));
  const CommandResult run = run_vernier({"run", "-a", kMachine, "-m", file.path()});
  CHECK(run.exit_code == 0);
  CHECK_FALSE(run.output.empty());
}

TEST_CASE("Unknown and duplicate keys of a model name file and line", "[frontends][hostile]") {
  check_model(conv_with("kernel: 3, strid: 2"),
              {"in.yaml:4: layers[0].strid: unknown key; did you mean 'stride'?"});
  check_model(conv_with("kernel: 3, kernel: 5"), {"in.yaml:4: the key 'kernel' stands twice"});
}

TEST_CASE("Dimensions outside 1 to 2^24 are refused", "[frontends][hostile]") {
  for (const char* size : {"0", "-1", "16777217", "1099511627776", "9223372036854775808"}) {
    CAPTURE(size);
    check_model(
        with_layer(std::string("{name: c, op: conv2d, out_channels: ") + size + ", kernel: 1}"),
        {"in.yaml:4: layers[0].out_channels: found", "1 to 16777216"});
    check_model(with_layer("{name: c, op: flatten}", std::string("[8, ") + size + ", 16]"),
                {"in.yaml:2: input.shape[1]: found", "1 to 16777216"});
  }
}

TEST_CASE("Numbers in any other form than plain digits are refused", "[frontends][hostile]") {
  for (const char* number : {"1e400", "nan", "inf", "0x10", "08", "010", "+8", "1_000", "'8'",
                             "\"8\"", "8.0", "true", "~", "", "[8]", "{a: 1}"}) {
    CAPTURE(number);
    check_model(
        with_layer(std::string("{name: c, op: conv2d, kernel: 1, out_channels: ") + number + "}"),
        {"in.yaml:4: layers[0].out_channels: found"});
  }
}

TEST_CASE("Widths of 0 and 33 bits are refused wherever they stand", "[frontends][hostile]") {
  check_model(conv_with("kernel: 3, weight_precision: 0"),
              {"in.yaml:4: layers[0].weight_precision: found '0'"});
  check_model(conv_with("kernel: 3, precision: {bits: 33}"),
              {"in.yaml:4: layers[0].precision.bits: found 33"});
  const InputFile precision("tensors:\n  conv1.weight: 33\n");
  check_refused(
      {"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", "-p", precision.path()},
      2, {"in.yaml:2: tensors.conv1.weight: found '33'; a width of 1 to 32 bits"});
}

TEST_CASE("A bits option of any other form is refused", "[frontends][hostile]") {
  for (const char* option :
       {"", "8", "w=8", "w=8,a=8,", "w=0,a=8", "w=8,a=33", "w=-1,a=8", "w=8.5,a=8", "w=x,a=8",
        "W=8,A=8", "w=8;a=8", "w=8,a=8,w=8", "w=99999999999999999999,a=8"}) {
    CAPTURE(option);
    check_refused(
        {"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", "--bits", option}, 2,
        {"--bits"});
  }
}

TEST_CASE("An empty option is no absent option", "[frontends][hostile]") {
  for (const char* option : {"--bits", "--precision", "--layer", "--output"}) {
    check_refused({"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", option, ""},
                  2, {std::string(option) + ": the value is empty"});
  }
  check_refused(
      {"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", "--batch", "0"}, 2,
      {"--batch: Value 0 not in range 1 to 65536"});
}

TEST_CASE("A window that no tile can hold is infeasible and names buffer and bytes",
          "[frontends][hostile]") {
  // One output needs the whole map of 256 x 256 bytes, a half of the input buffer is 32 KiB.
  check_model(with_layer("{name: c, op: conv2d, out_channels: 8, kernel: 256}", "[1, 256, 256]"),
              {"infeasible", "layer 'c'", "buffer 'input'", "32768"}, 1);
}

TEST_CASE("Windows beyond their input are refused with both sizes", "[frontends][hostile]") {
  check_model(conv_with("kernel: 17"), {"in.yaml:4: layer 'c'", "17 rows", "has 16"});
  check_model(conv_with("kernel: 16777216"), {"reaches 16777216 rows"});
  check_model(conv_with("kernel: 3, dilation: 16777216"), {"reaches 33554433 rows"});
  check_model(conv_with("kernel: 3, padding: 16777216"), {"dimension outside 1 to 16777216"});
}

TEST_CASE("Products beyond 64 bits are refused", "[frontends][hostile]") {
  const std::string large = "16777216";
  check_model(with_layer("{name: c, op: dense, out_features: " + large + "}", "[" + large + "]"),
              {"in.yaml:4: layer 'c': more than 1099511627776 weights"});
  check_model(
      with_layer("{name: c, op: dense, out_features: " + large + "}", "[65536, " + large + "]"),
      {"in.yaml:4: layer 'c'", "too large"});
  check_model(with_layer("{name: c, op: resize, height: 16777216, width: 16777216}"),
              {"in.yaml:4: layer 'c'", "more than 1099511627776 elements"});
  check_model(with_layer("{name: c, op: reshape, shape: [16777216, 16777216, 65536]}"),
              {"in.yaml:4: layer 'c'", "too large"});
  check_model(with_layer("{name: c, op: flatten}", "[16777216, 16777216, 16777216]"),
              {"in.yaml:2: input.shape", "more than 1099511627776 elements"});
}

TEST_CASE("Batches of 0, 65537 and with maps beyond 2^40 elements are refused",
          "[frontends][hostile]") {
  const std::string rest =
      "input: {name: x, shape: [64, 1024, 1024]}\nlayers: [{name: c, op: flatten}]\n";
  check_model("name: n\nbatch: 0\n" + rest, {"in.yaml:2: batch: found 0; allowed is 1 to 65536"});
  check_model("name: n\nbatch: 65537\n" + rest, {"in.yaml:2: batch: found 65537"});
  check_model("name: n\nbatch: 65536\n" + rest, {"in.yaml:3: input 'x'", "with batch 65536"});
}

TEST_CASE("Huge but legal layers are evaluated within the limits", "[frontends][hostile]") {
  for (const std::string& text :
       {with_layer("{name: c, op: conv2d, out_channels: 16777216, kernel: 1}"),
        with_layer("{name: c, op: pool, kind: max, kernel: 16777216, padding: 16777216, stride: "
                   "16777216}"),
        with_layer("{name: c, op: conv2d, out_channels: 1, kernel: 3, padding: 524288}",
                   "[1, 1, 1]"),
        with_layer("{name: c, op: resize, height: 1048576, width: 65536}"),
        with_layer("{name: c, op: conv2d, groups: depthwise, kernel: 1}", "[16777216, 1, 1]"),
        with_layer("{name: c, op: conv2d, out_channels: 8, kernel: 3, stride: 16777216}")}) {
    const InputFile file(text);
    const CommandResult run =
        run_vernier({"run", "-a", kMachine, "-m", file.path(), "-b", "w=8,a=8"});
    INFO(text << run.error);
    check_limits(run);
    CHECK((run.exit_code == 0 || run.exit_code == 2));
    CHECK(run.output.empty() == (run.exit_code == 2));
  }
}

TEST_CASE("Names that clash and graphs that turn in a circle are refused", "[frontends][hostile]") {
  const std::string dense = ", op: dense, out_features: 8";
  check_model(with_layer("{name: a" + dense + "}\n  - {name: a" + dense + "}"),
              {"in.yaml:5: layer 'a': two layers have this name", "in.yaml:4"});
  check_model(with_layer("{name: a" + dense + ", from: b}\n  - {name: b" + dense + ", from: a}"),
              {"the layers form a cycle: a, b"});
  check_model(with_layer("{name: a" + dense + ", from: a}"), {"the layers form a cycle: a"});
  check_model(with_layer("{name: a" + dense + ", from: {}}"), {"in.yaml:4: layers[0].from"});
  check_model(with_layer("{name: a" + dense + ", from: []}"), {"in.yaml:4: layers[0].from"});
  check_model(with_layer("{name: a" + dense + ", from: y}"), {"layer 'a': unknown input 'y'"});
}

TEST_CASE("Files that are no YAML of ours say so", "[frontends][hostile]") {
  check_model("", {"in.yaml: the file is empty"});
  check_model("# nothing\n", {"in.yaml: the file is empty"});
  check_model("just a word\n", {"in.yaml:1: found 'just a word'; a mapping"});
  check_model(with_layer("{name: c, op: flatten}") + "\t- x\n", {"in.yaml:5: not valid YAML"});
  check_model(std::string("name: a\0b\n", 10), {"in.yaml: not a text file"});
  check_model("name: n\nsource: \xff\n", {"in.yaml:2: not a text file (not UTF-8)"});
  check_model("name: \"\\e[2J\"\n", {"in.yaml:1: a control character"});
  check_model("a: &a [x, x]\nb: &b [*a, *a]\nlayers: *b\n", {"in.yaml:1: anchors"});
  check_model("name: " + std::string(5000, 'n') + "\n", {"in.yaml:1: a value of 5000 bytes"});
}

TEST_CASE("Folders, absent files and endless files are refused", "[frontends][hostile]") {
  for (const auto& [path, message] :
       {std::pair("/tmp", "/tmp: is a folder, not a file"),
        std::pair("/no/such/net.yaml", "/no/such/net.yaml: cannot be opened"),
        std::pair("/dev/zero", "/dev/zero: larger than"),
        std::pair("/dev/null", "/dev/null: the file is empty")}) {
    check_refused({"run", "-a", kMachine, "-m", path}, 2, {message});
    check_refused({"run", "-a", path, "-m", kRoot + "configs/models/resnet20.yaml"}, 2, {message});
    check_refused({"check", path}, 2, {message});
  }
}

TEST_CASE("Ten megabytes of garbage are refused", "[frontends][hostile]") {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  std::string binary;
  std::string printable;
  for (std::size_t at = 0; at < 10 * kMega; ++at) {
    const unsigned bits = static_cast<unsigned>(random());
    binary += static_cast<char>(bits & 0xffU);
    printable += static_cast<char>(' ' + bits % 95);
  }
  check_model(binary, {"in.yaml: larger than"});
  check_model(printable, {"in.yaml: larger than"});
  check_model(binary.substr(0, 3 * kMega), {"in.yaml"});
  check_model(printable.substr(0, 3 * kMega), {"in.yaml:1: not valid YAML"});
}

TEST_CASE("Megabytes of one piece of YAML end within the limits", "[frontends][hostile]") {
  for (const char* part :
       {"[",   "{",   "[\n", "[a,",    "{a: ",  "[],",   "- ",       "? ",   ": ",
        "a: ", "'",   "\"",  "\"a\" ", "|\n",   "a\n",   "- a\n",    "a:\n", "#",
        "!",   "&a ", "*a ", "%",      "---\n", "...\n", "\xc3\xa4", "\t"}) {
    CAPTURE(part);
    check_model(repeated(part, 4 * kMega), {"in.yaml"});
  }
}

TEST_CASE("Hundreds of thousands of keys end within the limits", "[frontends][hostile]") {
  std::string keys;
  for (int at = 0; at < 300'000; ++at) keys += "k" + std::to_string(at) + ": 1\n";
  check_model(keys, {"in.yaml:1: k0: unknown key", "more problems"});
  std::string tensors = "tensors:\n";
  for (int at = 0; at < 150'000; ++at) tensors += "  conv" + std::to_string(at) + ".weight: 4\n";
  const InputFile precision(tensors);
  check_refused(
      {"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", "-p", precision.path()},
      2, {"has no tensor 'conv0.weight'", "perhaps more"});
}

TEST_CASE("Tens of thousands of layers that all are wrong end within the limits",
          "[frontends][hostile]") {
  std::string unknown = "name: n\ninput: {name: x, shape: [8]}\nlayers:\n";
  std::string cycle = unknown;
  std::string nonsense = unknown;
  constexpr int kLayers = 40'000;
  for (int at = 0; at < kLayers; ++at) {
    const std::string head = " - {name: l" + std::to_string(at) + ", op: dense, out_features: 8";
    unknown += head + ", from: nowhere}\n";
    cycle += head + ", from: l" + std::to_string((at + 1) % kLayers) + "}\n";
    nonsense += head + ", " + "x: 1, y: 2}\n";
  }
  check_model(unknown, {"in.yaml:4: layer 'l0': unknown input 'nowhere'", "more"});
  check_model(cycle, {"the layers form a cycle: l0, l1, l2", "more)"});
  check_model(nonsense, {"in.yaml:4: layers[0].x: unknown key"});
}

TEST_CASE("Blocks that unfold to millions end within the limits", "[frontends][hostile]") {
  const std::string head = "name: n\ninput: {name: x, shape: [8]}\nblocks:\n";
  const std::string tail = "layers:\n  - {name: c, block: b6, repeat: 1000}\n";
  std::string nested;
  for (int level = 1; level <= 6; ++level) {
    nested += "  b" + std::to_string(level) + ": [{name: q, block: b" + std::to_string(level - 1) +
              ", repeat: 1000}]\n";
  }
  check_model(head + "  b0: [{name: l, op: flatten}]\n" + nested + tail, {"more than 100000"});
  check_model(head + "  b0: []\n" + nested + tail, {"more than 100000 uses of blocks"});
  check_model(head + "  b6: [{name: q, block: b6, repeat: 1000}]\n" + tail,
              {"more than 8 levels deep"});
  std::string copies;
  for (int at = 0; at < 40; ++at) copies += "$a, ";
  std::string growing = "  b0: [{name: l, op: dense, out_features: $a}]\n";
  for (int level = 1; level <= 6; ++level) {
    growing += "  b" + std::to_string(level) + ": [{name: q, block: b" + std::to_string(level - 1) +
               ", a: [" + copies + "]}]\n";
  }
  check_model(head + growing + "layers:\n  - {name: c, block: b6, a: lol}\n",
              {"unfold to more than 2000000 values"});
}

TEST_CASE("Tens of thousands of good layers are evaluated within the limits",
          "[frontends][hostile]") {
  std::string chain = "name: n\ninput: {name: x, shape: [8]}\nlayers:\n";
  for (int at = 0; at < 20'000; ++at) {
    chain += " - {name: l" + std::to_string(at) + ", op: flatten}\n";
  }
  const InputFile file(chain);
  const CommandResult run = run_vernier({"check", file.path()});
  check_limits(run);
  CHECK(run.exit_code == 0);
}

TEST_CASE("Overrides with bad paths or values name the option", "[frontends][hostile]") {
  for (const char* assignment : {"",
                                 "=",
                                 "=5",
                                 "array",
                                 "array.",
                                 ".array.rows=3",
                                 "array..rows=3",
                                 "array.rows=",
                                 "array.rows=[",
                                 "array.rows=&a 3",
                                 "array.rows=abc",
                                 "array.rows={a: 1}",
                                 "array[0]=3",
                                 "array[=3",
                                 "array.rows[0]=3",
                                 "arrya.rows=3",
                                 "array.rowz=3",
                                 "clock.x=4",
                                 "energy.tables[9]=x",
                                 "energy.tables[99999999999999999999]=x",
                                 "vector.ops.foo=1",
                                 "mac.weight_bits=[]",
                                 "mac.weight_bits=[33]",
                                 "array.rows=16385",
                                 "array.rows=0"}) {
    check_machine(assignment, {"--set"});
  }
}

TEST_CASE("Absurd machines are refused with the key that is wrong", "[frontends][hostile]") {
  check_machine("clock=1 Hz", {"clock: must be 1 kHz or more"});
  check_machine("clock=1001 GHz", {"clock: must be 1 THz or less"});
  check_machine("clock=nan MHz", {"clock: 'nan MHz' is not a number"});
  check_machine("clock=200", {"clock: '200' has no unit"});
  check_machine("dram.bandwidth=0 bit/cycle", {"dram.bandwidth", "more than 0"});
  check_machine("dram.bandwidth=1e-10 bit/cycle", {"dram.bandwidth", "finer than"});
  check_machine("dram.bandwidth=1e-10 bit/s", {"dram.bandwidth", "not a whole number"});
  check_machine("dram.bandwidth=1e30 GB/s", {"dram.bandwidth", "too large"});
  check_machine("dram.latency=1000000001 cycles", {"dram.latency: must be 1e9 or less"});
  check_machine("dram.latency=5 ns", {"dram.latency", "allowed are cycles"});
  check_machine("buffers.input.word=65537 bit", {"buffers.input.word"});
  check_machine("buffers.input.word=0 bit", {"buffers.input.word"});
  check_machine("buffers.input.banks=31", {"buffers.input.banks: found 31"});
  check_machine("buffers.input.capacity=1152921504606846976 B", {"capacity", "too large"});
  check_machine("buffers.input.capacity=1 GiB", {"component 'input'", "outside the range"});
  check_machine("buffers.more={serves: [], capacity: 1 KiB, banks: 2, word: 8 bit}",
                {"buffers.more.serves: the list is empty"});
  check_machine("energy.tables=[nothing]", {"there is no energy table 'nothing'"});
  check_machine("energy.tables=[/]", {"/: is a folder"});
  check_machine("mac.accumulator_bits=4", {"accumulator"});
}

TEST_CASE("Extreme but legal machines are evaluated within the limits", "[frontends][hostile]") {
  for (const char* assignment :
       {"clock=1 kHz", "clock=1000 GHz", "dram.bandwidth=1e-3 bit/cycle", "dram.bandwidth=1 bit/s",
        "dram.bandwidth=900 TB/s", "dram.latency=1000000000 cycles", "dram.latency=0 cycles",
        "array.rows=16384", "array={rows: 16384, columns: 16384, dataflow: weight_stationary}",
        "array={rows: 1, columns: 1, dataflow: input_stationary}", "mac.accumulator_bits=64",
        "buffers.input.word=1 bit", "buffers.input.word=16384 bit", "vector.lanes=1048576",
        "vector.requant_lanes=1"}) {
    CAPTURE(assignment);
    const CommandResult run =
        run_vernier({"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", "-b",
                     "w=8,a=8", "--set", assignment});
    INFO(run.error);
    check_limits(run);
    CHECK((run.exit_code == 0 || run.exit_code == 1 || run.exit_code == 2));
    CHECK(run.output.empty() == (run.exit_code != 0));
    CHECK(run.error.empty() == (run.exit_code == 0));
  }
}

TEST_CASE("A result that cannot be written is an error", "[frontends][hostile]") {
  for (const char* path : {"/dev/full", "/no/such/folder/out.txt", "/tmp"}) {
    check_refused({"run", "-a", kMachine, "-m", kRoot + "configs/models/resnet20.yaml", "-b",
                   "w=8,a=8", "--output", path},
                  2, {std::string("--output ") + path + ": cannot be written"});
  }
}

}  // namespace
}  // namespace vernier::frontends
