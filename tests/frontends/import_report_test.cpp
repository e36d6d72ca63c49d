// Foreign networks and widths through the command line: they run, and the report of the import is
// in every form of output.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/input_file.hpp"
#include "tests/support/tflite_fixture.hpp"

namespace vernier::frontends {
namespace {

using Catch::Contains;
using tests::InputFile;
using tests::run_vernier;
using Json = nlohmann::json;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";
const std::string kMachine = kRoot + "configs/accelerators/bitfusion_16x32.yaml";
const std::string kTopology =
    "Layer, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, "
    "Strides,\nconv1,14,14,3,3,8,24,1,\nconv2,28,28,1,1,24,16,2,\n";

TEST_CASE("Check prints what the importer assumed, left out and took as widths",
          "[frontends][import]") {
  const InputFile file("net.tflite", tests::small_tflite_network());
  const auto run = run_vernier({"check", file.path()});
  CHECK(run.exit_code == 0);
  CHECK(run.error.empty());
  CHECK_THAT(run.output,
             Contains("network 'net': 9 layers (3 with MACs), 37184 MACs, 896 weights") &&
                 Contains("\n  format: TFLite (version 3)\n") &&
                 Contains("  not in the file, so assumed (1):\n"
                          "    input 'image': batch 1 for the open first dimension\n") &&
                 Contains("  no layer of their own (1):\n"
                          "    PAD operator 3 'padded': folded into the windows that read it\n") &&
                 Contains("  widths (13, 0 assumed):\n") &&
                 Contains("    logits.weight     4 int                 tensor 'dense/kernel' "
                          "(INT4)\n"));
}

TEST_CASE("The JSON result of a run holds the import report", "[frontends][import]") {
  const InputFile file("net.tflite", tests::small_tflite_network());
  const auto run = run_vernier({"run", "-a", kMachine, "-m", file.path(), "--format", "json"});
  INFO(run.error);
  REQUIRE(run.exit_code == 0);
  const Json import = Json::parse(run.output)["import"];
  CHECK(import["format"] == "TFLite (version 3)");
  CHECK(import["defaults"].size() == 1);
  CHECK(import["skipped"].at(0)["operator"] == "PAD");
  CHECK(import["widths"].size() == 13);
  CHECK(import["widths"].at(1)["tensor"] == "stem.weight");
  CHECK(import["widths"].at(1)["rule"] == "INT8, per axis (16 scales)");
  CHECK(import["widths"].at(1)["assumed"] == false);
  CHECK(import["widths"].at(2)["asymmetric"] == true);
  const auto table = run_vernier({"run", "-a", kMachine, "-m", file.path()});
  CHECK_THAT(table.output,
             Contains("imported: TFLite (version 3): 1 default(s), 1 node(s) skipped or folded, 13 "
                      "width(s), 0 of them assumed"));
}

TEST_CASE("A network of our own reports the widths that it declares", "[frontends][import]") {
  const InputFile file("net.yaml",
                       std::string_view("name: n\ninput: {name: x, shape: [8]}\nlayers:\n"
                                        "  - {name: fc, op: dense, out_features: 4, "
                                        "weight_precision: 4}\n"));
  const auto run = run_vernier({"run", "-a", kMachine, "-m", file.path(), "--format", "json"});
  REQUIRE(run.exit_code == 0);
  const Json import = Json::parse(run.output)["import"];
  CHECK(import["format"] == "Vernier model (YAML)");
  REQUIRE(import["widths"].size() == 1);
  CHECK(import["widths"].at(0)["bits"] == 4);
  CHECK(import["widths"].at(0)["decided_by"] == file.path());
}

TEST_CASE("A topology runs as a network and says which rows stand alone", "[frontends][import]") {
  const InputFile file("net.csv", kTopology);
  const auto run =
      run_vernier({"run", "-a", kMachine, "-m", file.path(), "-b", "w=4,a=8", "--format", "csv"});
  INFO(run.error);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output, Contains("\nconv1,conv2d,248832,"));  // 12 * 12 * 24 * 72
  const auto check = run_vernier({"check", file.path()});
  CHECK_THAT(check.output, Contains("format: SCALE-Sim topology, convolutions") &&
                               Contains("line 3, layer 'conv2': starts with a network input of its "
                                        "own, 24x28x28; the row before gives 24x12x12"));
}

TEST_CASE("AIMET encodings give a network its widths", "[frontends][import]") {
  const InputFile file("bits.json", std::string_view(R"({"version": "1.0.0", "param_encodings": [
    {"name": "fc.weight", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 2, "is_sym": true,
     "scale": [0.1], "offset": [-2]},
    {"name": "fc.bias", "enc_type": "PER_TENSOR", "dtype": "INT", "bw": 32, "is_sym": true,
     "scale": [0.1], "offset": [0]}]})"));
  const std::string model = kRoot + "configs/models/resnet20.yaml";
  const auto check = run_vernier({"check", file.path()});
  CHECK_THAT(check.output,
             Contains("precision file (AIMET encodings 1.0.0): 2 tensors by name, default none"));
  const auto run =
      run_vernier({"run", "-a", kMachine, "-m", model, "-p", file.path(), "--layer", "fc"});
  INFO(run.error);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output, Contains("w2 a8"));
  const InputFile wrong("bits.json", std::string_view(R"({"version": "2.0.0", "encodings": [
    {"name": "fc.weights", "output_dtype": "int4"}]})"));
  const auto refused = run_vernier({"run", "-a", kMachine, "-m", model, "-p", wrong.path()});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.error, Contains("has no tensor 'fc.weights'; did you mean 'fc.weight'?"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// By the limit of the address space: the largest resident size of a child begins with its parent's.
TEST_CASE("Reading a large TFLite file takes less than three times its size",
          "[frontends][import]") {
  constexpr int kFeatures = 6000;
  tests::TfliteFixture net;
  const auto x = net.tensor("x", {1, kFeatures});
  const auto w = net.weights("w", {kFeatures, kFeatures});
  const auto y = net.tensor("y", {1, kFeatures});
  net.dense({x, w}, y);
  net.inputs({x});
  net.outputs({y});
  const InputFile file("large.tflite", net.bytes());
  const auto kibibytes = std::filesystem::file_size(file.path()) / 1024;
  CHECK(kibibytes > 35'000);
  const auto succeeds = [&](std::uintmax_t limit) {
    const std::string command = "ulimit -v " + std::to_string(limit) +
                                " && '" VERNIER_BINARY "' check '" + file.path() +
                                "' > /dev/null 2>&1";
    return std::system(command.c_str()) == 0;
  };
  CHECK(succeeds(3 * kibibytes));
  CHECK_FALSE(succeeds(kibibytes));
}
#endif

TEST_CASE("Endless and absent files of any name are refused", "[frontends][import]") {
  for (const char* name : {"net.csv", "net.tflite", "bits.json"}) {
    const InputFile place(name, std::string_view());
    std::filesystem::remove(place.path());
    const auto absent = run_vernier({"check", place.path()});
    CHECK(absent.exit_code == 2);
    CHECK_THAT(absent.error, Contains(name) && Contains("cannot be opened"));
    std::filesystem::create_symlink("/dev/zero", place.path());
    const auto endless = run_vernier({"check", place.path()});
    CHECK(endless.exit_code == 2);
    CHECK_THAT(endless.error, Contains(name));
    CHECK(endless.cpu_seconds < 5.0);
  }
}

TEST_CASE("A TFLite file is known by its contents whatever its name", "[frontends][import]") {
  const InputFile file("net.bin", tests::small_tflite_network());
  CHECK_THAT(run_vernier({"check", file.path()}).output, Contains("TFLite (version 3)"));
  const InputFile text("net.tflite", std::string_view("name: x\n"));
  const auto refused = run_vernier({"check", text.path()});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.error, Contains("net.tflite: not a TFLite file: bytes 4 to 7 are ': x?'"));
}

}  // namespace
}  // namespace vernier::frontends
