// The public TFLite files beside the project: layer lists and widths of their README entries. The
// files are not part of the project; without them the tests say so and pass.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "frontends/tflite/tflite_file.hpp"
#include "frontends/tflite/tflite_model.hpp"
#include "frontends/topology/source_text.hpp"

namespace vernier::frontends::tflite {
namespace {

namespace fs = std::filesystem;
using dataflow::DecidedWidth;
using dataflow::ImportedModel;
using Counts = std::map<std::string, int>;

fs::path folder() {
  const char* shared = std::getenv("VERNIER_SHARED");
  const fs::path base =
      shared != nullptr ? fs::path(shared) : fs::path(VERNIER_SOURCE_DIR) / ".." / "shared";
  return base / "models" / "tflite";
}

bool is_there(const std::string& name) {
  if (fs::exists(folder() / name)) return true;
  WARN("skipped: there is no shared/models/tflite/" << name << " beside the sources");
  return false;
}

struct Entry {
  std::string file;
  Counts operators;  // of the file, as its README entry lists them
  Counts types;      // of its tensors
  Counts layers;     // of the network that we make
  std::int64_t macs;
  std::int64_t weights;
  NumberKind kind;
};

// MACs and weights counted from the published architectures (MobileNet v1 with half the channels at
// 160 pixels; MLPerf Tiny). KWS equals the count of the same network in its ONNX form, 2,656,768.
std::vector<Entry> entries() {
  return {
      {"mlperf_kws_int8.tflite",
       {{"CONV_2D", 5},
        {"DEPTHWISE_CONV_2D", 4},
        {"AVERAGE_POOL_2D", 1},
        {"RESHAPE", 1},
        {"FULLY_CONNECTED", 1},
        {"SOFTMAX", 1}},
       {{"INT8", 24}, {"INT32", 11}},
       {{"conv2d", 9}, {"pool", 1}, {"reshape", 1}, {"dense", 1}, {"softmax", 1}},
       2'656'768,
       10 * 4 * 64 + 4 * (9 * 64 + 64 * 64) + 64 * 12,
       NumberKind::kInt},
      {"mlperf_resnet8_int8.tflite",
       {{"CONV_2D", 9},
        {"ADD", 3},
        {"AVERAGE_POOL_2D", 1},
        {"RESHAPE", 1},
        {"FULLY_CONNECTED", 1},
        {"SOFTMAX", 1}},
       {{"INT8", 27}, {"INT32", 11}},
       {{"conv2d", 9}, {"add", 3}, {"pool", 1}, {"reshape", 1}, {"dense", 1}, {"softmax", 1}},
       442'368 + 4 * 2'359'296 + 2 * 1'179'648 + 2 * 131'072 + 640,
       3 * 144 + 2 * 16 * 144 + 16 * 288 + 32 * 288 + 16 * 32 + 32 * 576 + 64 * 576 + 32 * 64 + 640,
       NumberKind::kInt},
      {"mlperf_ad01_int8.tflite",
       {{"FULLY_CONNECTED", 10}},
       {{"INT8", 21}, {"INT32", 10}},
       {{"dense", 10}},
       2 * 640 * 128 + 6 * 128 * 128 + 2 * 128 * 8,
       2 * 640 * 128 + 6 * 128 * 128 + 2 * 128 * 8,
       NumberKind::kInt},
      {"coral_mobilenet_v1_0.5_160_uint8.tflite",
       {{"CONV_2D", 15},
        {"DEPTHWISE_CONV_2D", 13},
        {"AVERAGE_POOL_2D", 1},
        {"RESHAPE", 1},
        {"SOFTMAX", 1}},
       {{"UINT8", 60}, {"INT32", 29}},
       {{"conv2d", 28}, {"pool", 1}, {"reshape", 1}, {"softmax", 1}},
       76'525'312,
       1'320'160,
       NumberKind::kUint}};
}

TEST_CASE("The public TFLite files have the layers and widths of their README entries",
          "[frontends][tflite]") {
  for (const Entry& entry : entries()) {
    CAPTURE(entry.file);
    if (!is_there(entry.file)) continue;
    const std::string text = topology::read_text_file((folder() / entry.file).string());
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    const TfliteFile file(bytes, entry.file);
    Counts operators;
    for (const FileOperator& op : file.operators()) ++operators[op.op];
    CHECK(operators == entry.operators);
    Counts types;
    for (const FileTensor& tensor : file.tensors()) {
      ++types[tensor.rule.substr(0, tensor.rule.find(','))];
    }
    CHECK(types == entry.types);

    const ImportedModel model = load_tflite((folder() / entry.file).string());
    Counts layers;
    for (const dataflow::Layer& layer : model.graph.layers()) {
      ++layers[std::string(dataflow::operator_name(layer.op))];
    }
    CHECK(layers == entry.layers);
    CHECK(model.graph.totals().macs == Macs(entry.macs));
    CHECK(model.graph.totals().weights == entry.weights);
    CHECK(model.report.skipped.empty());
    CHECK(model.report.widths.size() == model.graph.tensors().size());
    for (const DecidedWidth& width : model.report.widths) {
      INFO(width.tensor << " " << width.rule);
      CHECK(width.precision.bits.bits() == 8);
      CHECK(width.precision.kind == entry.kind);
      CHECK_FALSE(width.assumed);
    }
  }
}

}  // namespace
}  // namespace vernier::frontends::tflite
