// What the readers say of malformed files, word for word. The approved messages are
// tests/golden/readers/*.txt; with VERNIER_UPDATE_GOLDEN=1 they are written anew.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/input_file.hpp"
#include "tests/support/tflite_fixture.hpp"

namespace vernier::frontends {
namespace {

using tests::InputFile;
using tests::run_vernier;
using tests::TfliteFixture;
using tests::TfliteType;
using tflite::OperatorId;

const std::string kGolden = std::string(VERNIER_SOURCE_DIR) + "/tests/golden/readers/";

std::string without(std::string text, const std::string& part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part)) {
    text.erase(at, part.size());
  }
  return text;
}

// The message for a file, without the folder that it lies in.
void check_message(const std::string& folder, const std::string& name) {
  CAPTURE(name);
  const auto run = run_vernier({"check", folder + name});
  CHECK(run.exit_code == 2);
  CHECK(run.output.empty());
  const std::string found = without(run.error, folder);
  if (std::getenv("VERNIER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(kGolden + name + ".txt", std::ios::binary) << found;
  }
  std::ifstream stream(kGolden + name + ".txt", std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(stream), {}) == found);
}

void check_tflite(const std::string& name, const std::vector<std::uint8_t>& bytes) {
  const InputFile file(name, bytes);
  check_message(file.path().substr(0, file.path().size() - name.size()), name);
}

// One operator on a map of 1 x 8 x 8 x 4 between two convolutions' worth of names.
template <typename Add>
std::vector<std::uint8_t> with_operator(const Add& add) {
  TfliteFixture net;
  const auto x = net.tensor("image", {1, 8, 8, 4});
  const auto first = net.tensor("first", {1, 8, 8, 4});
  net.op(OperatorId::kRelu, {x}, first);
  const std::int32_t y = add(net, first);
  net.inputs({x});
  net.outputs({y});
  return net.bytes();
}

TEST_CASE("Malformed text files get the approved messages", "[frontends][messages]") {
  for (const char* name :
       {"unknown_key.yaml", "cycle.yaml", "block_value.yaml", "wide_bits.yaml", "not_numbers.csv",
        "swapped_columns.csv", "large_filter.csv", "unknown_version.json", "misspelt_key.json",
        "module_outputs.json", "twice.json", "not_json.json"}) {
    check_message(kGolden, name);
  }
}

TEST_CASE("Malformed TFLite files get the approved messages", "[frontends][messages]") {
  std::vector<std::uint8_t> cut = tests::small_tflite_network();
  cut.resize(cut.size() / 2);
  check_tflite("cut.tflite", cut);
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
  check_tflite("lfs_pointer.tflite", {pointer.begin(), pointer.end()});
  check_tflite("lstm.tflite", with_operator([](TfliteFixture& net, std::int32_t x) {
                 const auto y = net.tensor("state", {1, 8, 8, 4});
                 net.op_number(16, {x}, y);
                 return y;
               }));
  check_tflite("custom.tflite", with_operator([](TfliteFixture& net, std::int32_t x) {
                 const auto y = net.tensor("boxes", {1, 8, 8, 4});
                 net.op_number(32, {x}, y, "Softmx");
                 return y;
               }));
  check_tflite("wrong_shape.tflite", with_operator([](TfliteFixture& net, std::int32_t x) {
                 const auto w = net.tensor("kernel", {16, 3, 3, 4});
                 const auto y = net.tensor("conv", {1, 7, 7, 16});
                 net.conv({x, w}, y);
                 return y;
               }));
  check_tflite("channels.tflite", with_operator([](TfliteFixture& net, std::int32_t x) {
                 const auto w = net.tensor("kernel", {16, 3, 3, 3});
                 const auto y = net.tensor("conv", {1, 8, 8, 16});
                 net.conv({x, w}, y);
                 return y;
               }));
  check_tflite("transpose.tflite", with_operator([](TfliteFixture& net, std::int32_t x) {
                 const auto y = net.tensor("turned", {1, 4, 8, 8});
                 net.op(OperatorId::kTranspose, {x, net.integers("order", {0, 3, 1, 2})}, y);
                 return y;
               }));
  check_tflite("no_such_tensor.tflite", with_operator([](TfliteFixture& net, std::int32_t x) {
                 const auto y = net.tensor("y", {1, 8, 8, 4});
                 net.op(OperatorId::kRelu, {x + 100}, y);
                 return y;
               }));
}

}  // namespace
}  // namespace vernier::frontends
