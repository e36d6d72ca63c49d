#include "tests/support/command_line.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace vernier::frontends {
namespace {

using tests::run_vernier;

const std::string kRoot = std::string(VERNIER_SOURCE_DIR) + "/";
const std::string kMachine = kRoot + "configs/accelerators/bitfusion_16x32.yaml";
const std::string kModel = kRoot + "configs/models/resnet20.yaml";

// Removes itself; for outputs and small inputs of a test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name, const std::string& text = {})
      : path_("/tmp/vernier-" + std::to_string(getpid()) + "-" + name) {
    std::ofstream(path_) << text;
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string text() const {
    std::ifstream stream(path_);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  std::string path_;
};

TEST_CASE("Unknown verbs and engines and references are answered with the known ones",
          "[frontends][cli]") {
  const auto fails = [](const std::vector<std::string>& arguments, const std::string& message) {
    const auto run = run_vernier(arguments);
    CAPTURE(message);
    CHECK(run.exit_code == 2);
    CHECK(run.output.empty());
    CHECK_THAT(run.error, Catch::Contains(message));
  };
  fails({"rum"}, "vernier rum: there is no such verb; allowed are run, check, ");
  fails({"rum"}, "did you mean 'run'?");
  fails({"validate", "bitfuson"}, "did you mean 'bitfusion'?");
  const std::vector<std::string> run{"run", "-a", "bitfusion_16x32", "-m", "resnet20"};
  const auto with = [&run](const std::string& option, const std::string& value) {
    std::vector<std::string> arguments = run;
    arguments.insert(arguments.end(), {option, value});
    return arguments;
  };
  fails(with("--engine", "system"), "allowed are analytical, systemc; did you mean 'systemc'?");
  fails(with("--batch", "0"), "--batch");
  fails(with("--mapping-output", "/no/such/folder/m.yaml"), "--mapping-output /no/such/folder");
}

TEST_CASE("Several references are validated one after the other", "[frontends][cli]") {
  const auto run = run_vernier({"validate", "amed", "scale-sim"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output, Catch::Contains("==== scale-sim\n") && Catch::Contains("==== amed\n") &&
                             !Catch::Contains("==== bitfusion"));
}

TEST_CASE("The version lists which components are built in", "[frontends][cli]") {
  const auto run = run_vernier({"--version"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output, Catch::StartsWith("vernier 0."));
  CHECK_THAT(run.output, Catch::Contains("SystemC engine (built in)"));
}

TEST_CASE("A component that is not built in is named and exits 2", "[frontends][cli]") {
  const auto mapping = run_vernier({"run", "-a", kMachine, "-m", kModel, "--mapping", "best"});
  CHECK(mapping.exit_code == 2);
  const auto verb = run_vernier({"train", "config.yaml", "--epochs", "3"});
  CHECK(verb.exit_code == 2);
  CHECK_THAT(verb.error, Catch::Contains("vernier train"));
}

TEST_CASE("Wrong use of the command line exits 2 with a hint on standard error",
          "[frontends][cli]") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{},
        {"fly"},
        {"run"},
        {"run", "-a", kMachine},
        {"run", "-a", kMachine, "-m", kModel, "--format", "xml"},
        {"run", "-a", kMachine, "-m", kModel, "--jobs", "0"},
        {"run", "-a", kMachine, "-m", kModel, "--batch", "-1"},
        {"run", "-a", kMachine, "-m", kModel, "--bits", "w=4,a=8", "--precision", "x.yaml"},
        {"describe", "fixd"},
        {"check"}}) {
    const auto run = run_vernier(words);
    INFO(run.error);
    CHECK(run.exit_code == 2);
    CHECK(run.output.empty());
    CHECK_FALSE(run.error.empty());
  }
  CHECK_THAT(run_vernier({"describe", "fixd"}).error, Catch::Contains("did you mean 'fixed'"));
}

TEST_CASE("Overrides change the machine and unknown ones are refused", "[frontends][cli]") {
  const auto narrow = run_vernier({"run", "-a", kMachine, "-m", kModel, "--bits", "w=4,a=8",
                                   "--set", "array.columns=8", "--set", "name=narrow"});
  CHECK(narrow.exit_code == 0);
  CHECK_THAT(narrow.output, Catch::Contains("on narrow: 16x8 weight_stationary"));
  const auto wrong = run_vernier({"run", "-a", kMachine, "-m", kModel, "--set", "array.colums=8"});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.error,
             Catch::Contains("--set array.colums=8") && Catch::Contains("did you mean 'columns'?"));
}

TEST_CASE("One layer, a batch and a file as target", "[frontends][cli]") {
  const TemporaryFile file("cli-output.csv");
  const auto run = run_vernier({"run", "-a", kMachine, "-m", kModel, "--bits", "w=8,a=8", "--layer",
                                "fc", "--batch", "4", "--format", "csv", "--output", file.path()});
  CHECK(run.exit_code == 0);
  CHECK(run.output.empty());
  CHECK_THAT(file.text(), Catch::Contains("\nfc,dense,2560,"));  // 4 images x 64 x 10
  const auto unknown =
      run_vernier({"run", "-a", kMachine, "-m", kModel, "--layer", "layer1.0.conv3"});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.error, Catch::Contains("did you mean 'layer1.0.conv"));
}

TEST_CASE("A precision file gives tensors their own widths", "[frontends][cli]") {
  const TemporaryFile file("cli-bits.yaml",
                           "default: {weight: 8, activation: 8}\n"
                           "tensors:\n"
                           "  fc.weight: 2\n");
  const auto run = run_vernier(
      {"run", "-a", kMachine, "-m", kModel, "--precision", file.path(), "--layer", "fc"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output, Catch::Contains("w2 a8"));
  const TemporaryFile wrong("cli-wrong.yaml", "tensors: {fc.wieght: 2}\n");
  const auto refused = run_vernier({"run", "-a", kMachine, "-m", kModel, "-p", wrong.path()});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.error, Catch::Contains("did you mean 'fc.weight'?"));
}

TEST_CASE("Widths that nobody stated are named as assumptions", "[frontends][cli]") {
  const auto run = run_vernier({"run", "-a", kMachine, "-m", kModel});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.error, Catch::Contains("20 weight tensor(s) without a stated width: 8 bits"));
  CHECK_THAT(run.output, Catch::Contains("assumed: 20 weight tensor(s)"));
}

TEST_CASE("Strict bits refuse what the machine would round", "[frontends][cli]") {
  const auto run =
      run_vernier({"run", "-a", kMachine, "-m", kModel, "--bits", "w=3,a=8", "--strict-bits"});
  CHECK(run.exit_code == 2);
  CHECK_THAT(run.error, Catch::Contains("fc.weight") && Catch::Contains("stored as 4"));
  const auto rounded = run_vernier({"run", "-a", kMachine, "-m", kModel, "--bits", "w=3,a=8"});
  CHECK(rounded.exit_code == 0);
  CHECK_THAT(rounded.output,
             Catch::Contains("rounded: tensor 'conv1.weight': 3 bits, stored as 4"));
}

TEST_CASE("Check says of every shipped file what it is", "[frontends][cli]") {
  const auto run =
      run_vernier({"check", kMachine, kModel, kRoot + "configs/energy/cacti_45nm.yaml"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.output, Catch::Contains("machine 'bitfusion_16x32'"));
  CHECK_THAT(run.output, Catch::Contains("40551040 MACs, 268336 weights, 269722 parameters"));
  CHECK_THAT(run.output, Catch::Contains("energy table 'cacti_45nm'"));
  const TemporaryFile other("cli-other.yaml", "colour: red\n");
  const auto wrong = run_vernier({"check", kModel, other.path()});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.error, Catch::Contains("cannot tell what this file is"));
}

TEST_CASE("Describe shows the peak MACs of every mode and the keys of a component",
          "[frontends][cli]") {
  const auto machine = run_vernier({"describe", "--accelerator", kMachine});
  CHECK(machine.exit_code == 0);
  // 512 fusion units: 8192 MACs per cycle at 2x2, 512 at 8x8, 128 at 16x16.
  CHECK_THAT(machine.output, Catch::Contains("  2   2             8192"));
  CHECK_THAT(machine.output, Catch::Contains("  8   8              512"));
  CHECK_THAT(machine.output, Catch::Contains(" 16  16              128"));
  const auto component = run_vernier({"describe", "array"});
  CHECK_THAT(component.output, Catch::Contains("array.rows: integer, 1 to 16384, required"));
}

}  // namespace
}  // namespace vernier::frontends
