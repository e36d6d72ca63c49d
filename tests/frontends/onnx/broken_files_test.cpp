// ONNX files that are wrong, absurd or meant to hurt: each ends in a graph or in an error that says
// what is wrong where, quickly and in little memory.
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "frontends/onnx/onnx_model.hpp"
#include "tests/support/onnx_builder.hpp"
#include "tests/support/onnx_fixtures.hpp"
#include "tests/support/onnx_mutator.hpp"

namespace vernier::frontends {
namespace {

using tests::OnnxBuilder;
using tests::OnnxDims;
using tests::OnnxType;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kInstrumented = true;
#else
constexpr bool kInstrumented = false;
#endif
constexpr double kMostSeconds = kInstrumented ? 20.0 : 1.0;
constexpr long kMostMib = 500;

long peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

/// "graph", or the text of the error. Anything that is not the user's error passes through and
/// fails the test; so does a reading that takes too long.
std::string outcome_of(const std::string& bytes) {
  const std::clock_t begin = std::clock();  // of the processor: other work may run beside
  std::string outcome = "graph";
  try {
    const dataflow::ImportedModel model = read_onnx(bytes, "in.onnx");
    if (model.report.widths.size() != model.graph.tensors().size()) FAIL("widths are missing");
  } catch (const UserError& error) {
    outcome = error.what();
    CHECK_FALSE(outcome.empty());
  }
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  CHECK(seconds < kMostSeconds);
  return outcome;
}

TEST_CASE("The fixtures import", "[frontends][onnx][hostile]") {
  for (const auto& [name, bytes] : tests::onnx_fixtures()) {
    CAPTURE(name);
    CHECK(outcome_of(bytes) == "graph");
  }
}

using Files = std::vector<std::pair<std::string, std::string>>;

/// The ONNX files of a folder and its folders that are not too large to be broken often.
void append_files(const std::string& folder, Files& files) {
  constexpr std::uintmax_t kMostBytes = 40'000;
  if (!std::filesystem::exists(folder)) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx" || entry.file_size() > kMostBytes) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files.emplace_back(entry.path().filename().string(),
                       std::string(std::istreambuf_iterator<char>(stream), {}));
  }
}

void check_mutations(const Files& seeds, std::uint32_t per_seed_file) {
  const long before = peak_mib();
  int graphs = 0;
  int errors = 0;
  for (const auto& [name, bytes] : seeds) {
    for (std::uint32_t seed = 0; seed < per_seed_file; ++seed) {
      CAPTURE(name, seed);
      ++(outcome_of(tests::mutated_onnx(bytes, seed)) == "graph" ? graphs : errors);
    }
  }
  CHECK(graphs > 0);
  CHECK(errors > 0);
  if (!kInstrumented) CHECK(peak_mib() - before < kMostMib);
}

TEST_CASE("Hundreds of broken files give an error or a graph", "[frontends][onnx][hostile]") {
  check_mutations(tests::onnx_fixtures(), 60);
}

TEST_CASE("Ten thousand broken files give an error or a graph",
          "[frontends][onnx][hostile][slow]") {
  Files seeds = tests::onnx_fixtures();
  append_files(std::string(VERNIER_SOURCE_DIR) + "/tests/fuzz/corpus/onnx", seeds);
  append_files(std::string(VERNIER_SOURCE_DIR) + "/../shared/models", seeds);
  check_mutations(seeds, 1000);
}

TEST_CASE("Each beginning of a file gives an error", "[frontends][onnx][hostile]") {
  for (const auto& [name, bytes] : tests::onnx_fixtures()) {
    CAPTURE(name);
    for (std::size_t size = 0; size < bytes.size(); size += 7) {
      (void)outcome_of(bytes.substr(0, size));
    }
  }
}

// -- error texts

/// One convolution of x [1, 3, 8, 8] with w [4, 3, 3, 3].
OnnxBuilder& conv(OnnxBuilder& builder, const tests::OnnxAttributes& attributes = {}) {
  builder.input("x", {1, 3, 8, 8}).weight("w", {4, 3, 3, 3}).output("y");
  return builder.node("Conv", {"x", "w"}, {"y"}, attributes);
}

struct Broken {
  std::string bytes;
  std::string message;
};

std::vector<Broken> broken_files() {
  std::vector<Broken> files;
  const auto add = [&files](const OnnxBuilder& builder, const std::string& message) {
    files.push_back({builder.bytes(), "in.onnx: " + message});
  };
  {
    OnnxBuilder b;
    b.input("x", {1, 8}).output("y").node("Sigmod", {"x"}, {"y"});
    add(b,
        "node 'y_node' (Sigmod) of domain 'ai.onnx', opset 13: unknown operator; did you mean "
        "'Sigmoid'?");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 8}).output("y").node("Quant", {"x"}, {"y"}, {}, "my.domain");
    add(b,
        "node 'y_node' (my.domain::Quant) of domain 'my.domain', no opset import: unknown "
        "domain; read are ai.onnx, com.microsoft, and those of QONNX (qonnx.custom_op.general, "
        "qonnx.custom_op.channels_last, finn.custom_op.general, onnx.brevitas)");
  }
  {
    OnnxBuilder b;
    b.input("image", {1, 8}).output("y").node("Relu", {"imagf"}, {"y"});
    add(b,
        "node 'y_node' (Relu) of domain 'ai.onnx', opset 13: its input 'imagf' is made by no "
        "node; did you mean 'image'?");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 8}).output("b").node("Add", {"x", "b"}, {"a"}).node("Relu", {"a"}, {"b"});
    add(b,
        "node 'a_node' (Add) of domain 'ai.onnx', opset 13: lies on a cycle, or behind one: its "
        "inputs need its own output");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 8}).output("y").node("Relu", {"x"}, {"y"}).node("Tanh", {"x"}, {"y"});
    add(b, "node 'y_node' (Tanh) of domain 'ai.onnx', opset 13: the tensor 'y' is made twice");
  }
  {
    OnnxBuilder b;
    conv(b, {{"strides", OnnxDims{0, 1}}});
    add(b,
        "node 'y_node' (Conv) of domain 'ai.onnx', opset 13: attribute 'strides' is [0, 1]; 1 to "
        "16777216 are allowed");
  }
  {
    OnnxBuilder b;
    conv(b, {{"kernel_shape", OnnxDims{5, 5}}});
    add(b,
        "node 'y_node' (Conv) of domain 'ai.onnx', opset 13: attribute 'kernel_shape' is [5, 5], "
        "the weight 'w' is [4, 3, 3, 3]");
  }
  {
    OnnxBuilder b;
    conv(b, {{"group", std::int64_t{2}}});
    add(b,
        "node 'y_node' (Conv) of domain 'ai.onnx', opset 13: 3 channels in 2 groups do not go "
        "with the weight 'w' [4, 3, 3, 3]");
  }
  {
    OnnxBuilder b;
    conv(b, {{"dilations", OnnxDims{9, 9}}});
    add(b,
        "node 'y_node' (Conv) of domain 'ai.onnx', opset 13: the window reaches 19 rows but the "
        "padded input has 8");
  }
  {
    OnnxBuilder b;
    conv(b, {{"auto_pad", std::string("SAME")}});
    add(b,
        "node 'y_node' (Conv) of domain 'ai.onnx', opset 13: attribute 'auto_pad' is 'SAME'; "
        "NOTSET, SAME_UPPER, SAME_LOWER and VALID are allowed");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 8}).weight("w", {9, 4}).output("y").node("MatMul", {"x", "w"}, {"y"});
    add(b,
        "node 'y_node' (MatMul) of domain 'ai.onnx', opset 13: 'x' [1, 8] does not go with the "
        "weight 'w' [9, 4]: the reduction is 8 here and 9 there");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 8}).constant("s", {2}, {3, -1}, OnnxType::kInt64).output("y");
    b.node("Reshape", {"x", "s"}, {"y"});
    add(b,
        "node 'y_node' (Reshape) of domain 'ai.onnx', opset 13: 8 elements of 'x' [1, 8] do not "
        "fill the new shape [3, -1]");
  }
  {
    OnnxBuilder b;
    b.opset("onnx.brevitas", 1).input("x", {1, 8}).output("y");
    b.constant("s", {}, {0.1}).constant("z", {}, {0.0}).constant("bits", {}, {3.5});
    b.node("Quant", {"x", "s", "z", "bits"}, {"y"}, {}, "onnx.brevitas");
    add(b,
        "node 'y_node' (onnx.brevitas::Quant) of domain 'onnx.brevitas', opset 1: its bit width "
        "is 3.5; whole numbers from 1 to 32 are allowed");
  }
  {
    OnnxBuilder b;
    b.opset("onnx.brevitas", 1).input("x", {1, 8}).output("y");
    b.constant("s", {}, {0.1}).constant("z", {}, {0.0}).weight("bits", {});
    b.node("Quant", {"x", "s", "z", "bits"}, {"y"}, {}, "onnx.brevitas");
    add(b,
        "node 'y_node' (onnx.brevitas::Quant) of domain 'onnx.brevitas', opset 1: the elements "
        "of input 3 ('bits', FLOAT []) are needed, but the file does not hold them, or they are "
        "too many");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 8}).constant("axis", {}, {0}).output("y");
    b.node("Softmax", {"x"}, {"y"}, {{"axis", std::int64_t{2}}});
    add(b,
        "node 'y_node' (Softmax) of domain 'ai.onnx', opset 13: axis 2 of a tensor with 2 "
        "dimensions; -2 to 1 are allowed");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 3, 8, 8}).weight("w", {3, 4, 2, 2}).output("y");
    b.node("ConvTranspose", {"x", "w"}, {"y"});
    add(b,
        "node 'y_node' (ConvTranspose) of domain 'ai.onnx', opset 13: no layer of a network here "
        "does what this operator does to an activation");
  }
  {
    OnnxBuilder b;
    b.input("x", {1, 3, -1, 8}).output("y").node("Relu", {"x"}, {"y"});
    add(b, "input 'x': dimension 2 is 'N'; a number is needed, because shapes depend on it");
  }
  {
    OnnxBuilder b;
    b.input("image", {1, 8}).output("classes").node("Relu", {"image"}, {"scores"});
    add(b, "output 'classes' is made by no node");
  }
  files.push_back({"this is no ONNX file", "in.onnx: byte 1: wire type 4: this is no ONNX file"});
  files.push_back({std::string("\x3a\x68graph", 7),
                   "in.onnx: byte 2: a field of 104 bytes where 5 "
                   "are left: the file is cut off, or no ONNX "
                   "file"});
  files.push_back({"", "in.onnx: no ONNX model: it holds no graph"});
  return files;
}

TEST_CASE("The errors of broken files name the place, what was found and what is allowed",
          "[frontends][onnx][hostile]") {
  CHECK(broken_files().size() >= 12);
  for (const Broken& file : broken_files()) CHECK(outcome_of(file.bytes) == file.message);
}

TEST_CASE("All errors of a file are reported together", "[frontends][onnx][hostile]") {
  OnnxBuilder b;
  b.input("x", {1, 8}).output("y").output("z");
  b.node("Foo", {"x"}, {"y"}).node("Relu", {"y"}, {"behind"}).node("Bar", {"behind"}, {"y2"});
  b.node("Baz", {"x"}, {"z"});
  const std::string outcome = outcome_of(b.bytes());
  CHECK(outcome.find("'y_node' (Foo)") != std::string::npos);
  CHECK(outcome.find("'z_node' (Baz)") != std::string::npos);
  CHECK(outcome.find("Relu") == std::string::npos);  // only follows from the first
}

// -- files that are meant to hurt

TEST_CASE("Absent files, folders and devices are refused", "[frontends][onnx][hostile]") {
  for (const auto& [path, message] :
       {std::pair("/tmp", "/tmp: is a folder, not a file"),
        std::pair("/no/such/net.onnx", "/no/such/net.onnx: cannot be opened"),
        std::pair("/dev/zero", "/dev/zero: is no regular file")}) {
    CHECK_THROWS_WITH(load_onnx(path), message);
  }
}

TEST_CASE("Millions of nodes, names or numbers are refused before they take memory",
          "[frontends][onnx][hostile]") {
  const long before = peak_mib();
  std::string nodes;  // an empty node each: tag and length
  for (int at = 0; at < 4'000'000; ++at) nodes += std::string("\x0a\x00", 2);
  const auto graph = [](const std::string& content) {
    std::string text = "\x3a";
    for (std::size_t size = content.size();; size >>= 7U) {
      text += static_cast<char>((size & 0x7fU) | (size >= 0x80U ? 0x80U : 0U));
      if (size < 0x80U) break;
    }
    return text + content;
  };
  CHECK(outcome_of(graph(nodes)).find("more than 1048576 nodes") != std::string::npos);
  const std::string nested(30'000'000, '\x3a');
  CHECK(outcome_of(nested).find("in.onnx") == 0);
  if (!kInstrumented) CHECK(peak_mib() - before < kMostMib);
}

TEST_CASE("Long chains and wide fans end within the limits", "[frontends][onnx][hostile]") {
  constexpr int kNodes = 20'000;
  OnnxBuilder chain;
  chain.input("x0", {1, 8});
  OnnxBuilder fan;
  fan.input("x", {1, 8});
  OnnxBuilder doubling;
  doubling.input("x0", {1, 8});
  OnnxBuilder arithmetic;
  arithmetic.constant("x0", {4096}, std::vector<double>(4096, 1.0)).input("x", {1, 4096});
  OnnxBuilder lost;
  lost.input("x", {1, 8});
  for (int at = 0; at < kNodes; ++at) {
    const std::string from = fmt::format("x{}", at);
    const std::string to = fmt::format("x{}", at + 1);
    chain.node("Tanh", {from}, {to});
    fan.node("Tanh", {"x"}, {to}).output(to);
    doubling.node("Concat", {from, from}, {to}, {{"axis", std::int64_t{1}}});
    arithmetic.node("Neg", {from}, {to});
    lost.node("Add", {"x", fmt::format("y{}", at)}, {to}).output(to);
  }
  const std::string last = fmt::format("x{}", kNodes);
  chain.output(last);
  doubling.output(last);
  arithmetic.node("Add", {"x", last}, {"y"}).output("y");
  const long before = peak_mib();
  CHECK(outcome_of(chain.bytes()) == "graph");
  CHECK(outcome_of(fan.bytes()) == "graph");
  CHECK(outcome_of(doubling.bytes()).find("outside 1 to 16777216") != std::string::npos);
  CHECK(outcome_of(arithmetic.bytes()) == "graph");
  CHECK(outcome_of(lost.bytes()).find("... and perhaps more") != std::string::npos);
  if (!kInstrumented) CHECK(peak_mib() - before < kMostMib);
}

}  // namespace
}  // namespace vernier::frontends
