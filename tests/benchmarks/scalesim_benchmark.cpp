// Speed of the SCALE-Sim replacement by user task, all three reports formatted, one thread.
#include <array>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "frontends/scalesim/network_run.hpp"
#include "frontends/scalesim/report_files.hpp"

namespace {

using namespace vernier::frontends::scalesim;

Config square_array(std::int64_t side, std::int64_t kilobytes, BandwidthMode mode) {
  constexpr std::int64_t kBandwidth = 10;
  const std::int64_t words = kilobytes * kWordsPerKilobyte;
  return {.rows = side,
          .columns = side,
          .input_words = words,
          .filter_words = words,
          .output_words = words,
          .mode = mode,
          .input_bandwidth = kBandwidth,
          .filter_bandwidth = kBandwidth,
          .output_bandwidth = kBandwidth};
}

// ResNet-18 at 224x224 as SCALE-Sim users write it: padded inputs, projections and classifier.
std::vector<Layer> resnet18() {
  std::vector<Layer> layers;
  const auto add = [&](std::int64_t input, std::int64_t filter, std::int64_t channels,
                       std::int64_t filters, std::int64_t stride) {
    layers.push_back({.name = "layer" + std::to_string(layers.size()),
                      .shape = {input, input, filter, filter, channels, filters, stride, stride}});
  };
  add(230, 7, 3, 64, 2);
  for (int index = 0; index < 4; ++index) add(58, 3, 64, 64, 1);
  std::int64_t input = 56;
  for (const std::int64_t channels : std::array<std::int64_t, 3>{64, 128, 256}) {
    add(input + 2, 3, channels, 2 * channels, 2);
    add(input, 1, channels, 2 * channels, 2);
    input /= 2;
    for (int index = 0; index < 3; ++index) add(input + 2, 3, 2 * channels, 2 * channels, 1);
  }
  add(1, 1, 512, 1000, 1);
  return layers;
}

void scalesim(benchmark::State& state, const std::vector<Layer>& layers, const Config& config,
              std::int64_t cycles) {
  for (auto _ : state) {
    const std::vector<LayerReport> reports = report_network(layers, config);
    const ReportFiles files = format_reports(reports, config.compat);
    benchmark::DoNotOptimize(files);
    std::int64_t total = 0;
    for (const LayerReport& report : reports) total += report.total_cycles;
    if (total != cycles) state.SkipWithError("wrong result");
    state.counters["cycles"] = static_cast<double>(total);
  }
}

void scalesim_calc_resnet18_32x32(benchmark::State& state) {
  scalesim(state, resnet18(), square_array(32, 64, BandwidthMode::kEstimated), 2154003);
}
void scalesim_user_resnet18_32x32(benchmark::State& state) {
  scalesim(state, resnet18(), square_array(32, 64, BandwidthMode::kGiven), 37669730);
}
// 47,000 refills of each read buffer, the case on which SCALE-Sim's own time is quadratic.
void scalesim_user_7x7x192_4kb(benchmark::State& state) {
  const std::vector<Layer> layer{{.name = "conv", .shape = {7, 7, 3, 3, 192, 384, 1, 1}}};
  scalesim(state, layer, square_array(8, 4, BandwidthMode::kGiven), 9735917);
}
BENCHMARK(scalesim_calc_resnet18_32x32)->Unit(benchmark::kMillisecond);
BENCHMARK(scalesim_user_resnet18_32x32)->Unit(benchmark::kMillisecond);
BENCHMARK(scalesim_user_7x7x192_4kb)->Unit(benchmark::kMillisecond);

}  // namespace
