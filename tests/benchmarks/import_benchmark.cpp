// Reading of foreign models, by user task.
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <benchmark/benchmark.h>

#include "frontends/onnx/onnx_model.hpp"
#include "tests/support/onnx_builder.hpp"
#include "tests/support/peak_memory.hpp"

namespace {

using namespace vernier;

constexpr std::int64_t kResnet50Macs = 4089184256;

// A ResNet-50 of 102 MB, weights included. `peak_kib`: largest memory above that at the start.
void import_resnet50_onnx(benchmark::State& state) {
  const std::string path = (std::filesystem::temp_directory_path() /
                            ("vernier-" + std::to_string(getpid()) + "-resnet50.onnx"))
                               .string();
  std::ofstream(path, std::ios::binary) << tests::resnet50_onnx(true);
  const bool is_known = tests::reset_peak_memory();
  const auto before = tests::current_memory_kib();
  for (auto _ : state) {
    const dataflow::ImportedModel model = frontends::load_onnx(path);
    if (model.graph.totals().macs.count() != kResnet50Macs) state.SkipWithError("wrong result");
    benchmark::DoNotOptimize(model);
  }
  const auto peak = tests::peak_memory_kib();
  if (is_known && before && peak) {
    state.counters["peak_kib"] = static_cast<double>(*peak - *before);
  }
  state.counters["file_kib"] = static_cast<double>(std::filesystem::file_size(path)) / 1024.0;
  std::filesystem::remove(path);
}
BENCHMARK(import_resnet50_onnx)->Unit(benchmark::kMicrosecond);

}  // namespace
