#include "frontends/scalesim/honest.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "dataflow/evaluate/task_cost.hpp"

namespace vernier::frontends::scalesim {
namespace {

constexpr std::int64_t kWordBits = 8;
constexpr std::int64_t kAccumulatorBits = 32;

// The array and SRAMs of the file as a machine. SCALE-Sim knows no ports, so they never wait here.
dataflow::Accelerator machine_of(const Config& config) {
  dataflow::AcceleratorSpec spec;
  spec.name = config.run_name;
  spec.clock = Hertz(1'000'000'000);  // SCALE-Sim has none; cycles do not depend on it
  spec.array.rows = config.rows;
  spec.array.columns = config.columns;
  spec.array.dataflow = static_cast<arch::Dataflow>(config.dataflow);
  spec.mac.accumulator_bits = kAccumulatorBits;
  spec.mac.overflow = arch::AccumulatorOverflow::kSaturate;
  const auto buffer = [&config](std::string name, TensorRole role, std::int64_t words) {
    memory::BufferSpec result;
    result.name = std::move(name);
    result.serves = {role};
    result.capacity = Bytes(words);
    result.banks = 2;
    result.ports = kAccumulatorBits / kWordBits * (config.rows + config.columns);
    result.word = Bits(kWordBits);
    return result;
  };
  spec.buffers = {buffer("ifmap", TensorRole::kInput, config.input_words),
                  buffer("filter", TensorRole::kWeight, config.filter_words),
                  buffer("ofmap", TensorRole::kOutput, config.output_words)};
  constexpr std::int64_t kAsFastAsNeeded = std::int64_t{1} << 40;
  const bool given = config.mode == BandwidthMode::kGiven;
  spec.dram.bandwidth =
      Bandwidth::per_cycles(given ? config.output_bandwidth * kWordBits : kAsFastAsNeeded, 1);
  spec.dram.latency = Cycles(kDramReadLatency);
  spec.energy.tables = {"none"};  // nothing is priced
  return dataflow::Accelerator(std::move(spec));
}

dataflow::LayerTask task_of(const Layer& layer) {
  const LayerShape& shape = layer.shape;
  dataflow::LayerTask task;
  task.in_height = shape.input_height;
  task.in_width = shape.input_width;
  task.window.kernel_height = shape.filter_height;
  task.window.kernel_width = shape.filter_width;
  task.window.stride_height = shape.stride_height;
  task.window.stride_width = shape.stride_width;
  task.out_height = (shape.input_height - shape.filter_height) / shape.stride_height + 1;
  task.out_width = (shape.input_width - shape.filter_width) / shape.stride_width + 1;
  task.groups = layer.depthwise ? shape.channels : 1;
  task.channels = layer.depthwise ? 1 : shape.channels;
  task.out_channels = shape.filters;
  task.constant_weight = true;
  return task;
}

// First and last cycle of a kind of event.
struct Span {
  std::int64_t first = -1;
  std::int64_t last = -1;

  void add(std::int64_t begin, std::int64_t end) {
    if (begin == end) return;
    first = first < 0 ? begin : std::min(first, begin);
    last = std::max(last, end - 1);
  }
};

struct Spans {
  Span tiles;
  Span input;
  Span filter;
  Span output;

  void add(const dataflow::TimingEvent& event) {
    if (event.kind == dataflow::TimingEvent::Kind::kTile) {
      tiles.add(event.begin, event.end);
    } else if (event.stream == dataflow::Stream::kInput) {
      input.add(event.begin, event.end);
    } else if (event.stream == dataflow::Stream::kWeight) {
      filter.add(event.begin, event.end);
    } else {
      output.add(event.begin, event.end);
    }
  }
};

PortReport port_of(const Span& sram, std::int64_t sram_words, const Span& dram,
                   std::int64_t dram_words, std::int64_t cycles) {
  PortReport port;
  port.sram_start = std::max<std::int64_t>(0, sram.first);
  port.sram_stop = std::max<std::int64_t>(0, sram.last);
  port.sram_words = sram_words;
  port.sram_bandwidth = static_cast<double>(sram_words) / static_cast<double>(cycles);
  port.dram_start = std::max<std::int64_t>(0, dram.first);
  port.dram_stop = std::max<std::int64_t>(0, dram.last);
  port.dram_words = dram_words;
  port.dram_bandwidth =
      static_cast<double>(dram_words) / static_cast<double>(port.dram_stop - port.dram_start + 1);
  return port;
}

// Sums over all tiles of the layer.
dataflow::TileCost total_of(const dataflow::PreparedTask& task) {
  dataflow::TileCost sum;
  for (std::size_t at = 0; at < task.tiles.size(); ++at) {
    const dataflow::TileCost& tile = task.tiles[at];
    const std::int64_t count = task.schedule.classes()[at].count;
    const auto add = [count](std::int64_t& target, std::int64_t value) {
      target = checked_add(target, checked_mul(value, count));
    };
    add(sum.lines, tile.lines);
    add(sum.temporal_cycles, tile.temporal_cycles);
    add(sum.macs, tile.macs);
    add(sum.idle_macs, tile.idle_macs);
    add(sum.finished_outputs, tile.finished_outputs);
    add(sum.accesses.input_reads[0], tile.accesses.input_reads[0]);
    add(sum.accesses.weight_reads, tile.accesses.weight_reads);
    add(sum.accesses.output_reads, tile.accesses.output_reads);
    add(sum.accesses.output_writes, tile.accesses.output_writes);
  }
  return sum;
}

HonestReport report_of(const dataflow::PreparedTask& task, const dataflow::Accelerator& machine) {
  Spans spans;
  dataflow::TimingOptions options;
  options.jump = false;  // every event is wanted
  options.on_event = [&spans](const dataflow::TimingEvent& event) { spans.add(event); };
  const dataflow::TaskTiming timing = time_task(task.schedule, task.tiles, {}, machine, options);
  const dataflow::TileCost sum = total_of(task);
  const std::int64_t cycles = timing.cycles.total().count();
  const auto pes = static_cast<double>(machine.spec().array.pes());
  const auto percent = [pes](std::int64_t part, std::int64_t time) {
    return 100.0 * static_cast<double>(part) / (pes * static_cast<double>(time));
  };
  const std::int64_t mapped = checked_add(sum.macs, sum.idle_macs);

  HonestReport report;
  LayerReport& columns = report.columns;
  columns.total_cycles = cycles;
  columns.stall_cycles = cycles - timing.cycles[dataflow::CycleCause::kCompute];
  columns.overall_utilisation = percent(sum.macs, cycles);
  columns.mapping_efficiency = percent(mapped, sum.temporal_cycles);
  columns.compute_utilisation = percent(mapped, sum.lines);
  const dataflow::ChannelTraffic& traffic = timing.traffic;
  columns.input = port_of(spans.tiles, sum.accesses.input_reads[0], spans.input,
                          traffic.input_bits[0] / kWordBits, cycles);
  columns.filter = port_of(spans.tiles, sum.accesses.weight_reads, spans.filter,
                           traffic.weight_bits / kWordBits, cycles);
  columns.output = port_of(spans.tiles, sum.finished_outputs, spans.output,
                           traffic.store_bits / kWordBits, cycles);
  report.psum_sram_words =
      sum.accesses.output_reads + sum.accesses.output_writes - sum.finished_outputs;
  report.psum_dram_words = (traffic.reload_bits + traffic.spill_bits) / kWordBits;
  return report;
}

// The engine's own limit of tensor sizes, and a number of tiles that takes about a second: each
// tile's events are looked at.
constexpr std::int64_t kMostTiles = 20'000'000;

void refuse_too_large(const Layer& layer, const dataflow::LayerTask& task) {
  const auto product = [](std::initializer_list<std::int64_t> sizes) {
    double result = 1.0;
    for (const std::int64_t size : sizes) result *= static_cast<double>(size);
    return result;
  };
  const double largest =
      std::max({product({task.groups, task.channels, task.in_height, task.in_width}),
                product({task.groups, task.out_channels, task.out_height, task.out_width}),
                product({task.groups, task.out_channels, task.window.kernel_height,
                         task.window.kernel_width, task.channels})});
  if (largest > static_cast<double>(dataflow::kMaxElements)) {
    throw ModelError(fmt::format("layer '{}': a tensor of {:.3g} elements; at most {} are allowed",
                                 layer.name, largest, dataflow::kMaxElements));
  }
}

Result<HonestReport> report_layer_honestly(const Layer& layer,
                                           const dataflow::Accelerator& machine) {
  const dataflow::LayerTask task = task_of(layer);
  refuse_too_large(layer, task);
  const auto named = [&layer](Infeasible reason) {
    reason.layer = layer.name;
    reason.reason = fmt::format("layer '{}': {}", layer.name, reason.reason);
    return reason;
  };
  const Result<dataflow::Mapping> mapping = dataflow::map_heuristically(task, machine);
  if (!mapping) return named(mapping.infeasible());
  const Result<dataflow::PreparedTask> prepared = dataflow::prepare_task(task, *mapping, machine);
  if (!prepared) return named(prepared.infeasible());
  if (const std::int64_t tiles = prepared->schedule.tile_count(); tiles > kMostTiles) {
    throw ModelError(fmt::format(
        "layer '{}': {} tiles in SRAMs of this size; the honest reports look at each, at most {}",
        layer.name, tiles, kMostTiles));
  }
  return report_of(*prepared, machine);
}

}  // namespace

Result<std::vector<HonestReport>> report_honestly(std::span<const Layer> layers,
                                                  const Config& config, int jobs) {
  const dataflow::Accelerator machine = machine_of(config);
  // Equal layers are computed once.
  std::map<std::pair<LayerShape, bool>, std::size_t> first_of;
  std::vector<std::size_t> different;
  for (std::size_t at = 0; at < layers.size(); ++at) {
    if (first_of.emplace(std::pair(layers[at].shape, layers[at].depthwise), at).second) {
      different.push_back(at);
    }
  }
  std::vector<std::unique_ptr<const Result<HonestReport>>> found(layers.size());
  tbb::task_arena arena(std::max(1, jobs));
  arena.execute([&] {
    tbb::parallel_for(std::size_t{0}, different.size(), [&](std::size_t at) {
      const Layer& layer = layers[different[at]];
      found[different[at]] =
          std::make_unique<const Result<HonestReport>>(report_layer_honestly(layer, machine));
    });
  });
  std::vector<HonestReport> reports;
  reports.reserve(layers.size());
  for (const Layer& layer : layers) {
    const auto& report = *found[first_of.at(std::pair(layer.shape, layer.depthwise))];
    if (!report) return report.infeasible();
    reports.push_back(*report);
  }
  return reports;
}

ReportFiles format_honest_reports(std::span<const HonestReport> layers) {
  std::vector<LayerReport> columns;
  columns.reserve(layers.size());
  for (const HonestReport& layer : layers) columns.push_back(layer.columns);
  ReportFiles files = format_reports(columns, Compat::kV2);
  for (std::string* file : {&files.compute, &files.bandwidth, &files.detailed_access}) {
    file->insert(0, "vernier honest ");
  }
  // Two more columns at the end of each line of the access report.
  std::string extended;
  std::size_t row = 0;
  std::size_t begin = 0;
  for (std::size_t end = files.detailed_access.find('\n'); end != std::string::npos;
       end = files.detailed_access.find('\n', begin)) {
    extended += files.detailed_access.substr(begin, end - begin);
    extended += row == 0 ? std::string(" SRAM OFMAP Psum Words, DRAM OFMAP Psum Words,")
                         : fmt::format(" {}, {},", layers[row - 1].psum_sram_words,
                                       layers[row - 1].psum_dram_words);
    extended += '\n';
    begin = end + 1;
    ++row;
  }
  files.detailed_access = std::move(extended);
  return files;
}

}  // namespace vernier::frontends::scalesim
