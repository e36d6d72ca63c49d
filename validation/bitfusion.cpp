#include "validation/bitfusion.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "arch/base/error.hpp"
#include "dataflow/evaluate/evaluator.hpp"
#include "dataflow/graph/model_yaml.hpp"
#include "dataflow/machine/machine.hpp"
#include "validation/reference_csv.hpp"

namespace vernier::validation {
namespace {

using dataflow::LayerGraph;

BitFusionRow row_of(const ReferenceRecord& record) {
  BitFusionRow row;
  row.network = record.text("network");
  row.layer = {.name = record.text("layer"),
               .batch = record.integer("batch"),
               .kernel = record.integer("kernel"),
               .out_size = record.integer("out_size"),
               .stride = record.integer("stride"),
               .in_channels = record.integer("in_channels"),
               .out_channels = record.integer("out_channels"),
               .is_first = record.integer("first_layer_im2col") == 1,
               .activation_bits = record.integer("activation_bits"),
               .weight_bits = record.integer("weight_bits")};
  for (std::size_t at = 0; at < kBitFusionSetupCount; ++at) {
    const BitFusionSetup& setup = bitfusion_setups()[at];
    BitFusionFigures& figures = row.figures[at];
    figures.published_cycles = record.integer(fmt::format("cycles_{}", setup.name));
    figures.published_wait = record.integer(fmt::format("memory_wait_{}", setup.name));
    figures.rule = bitfusion_cycles(row.layer, setup.machine(), BitFusionQuirks::all());
  }
  return row;
}

// The network file of a name in the reference: "LeNet-5" is lenet5.yaml.
std::string network_file(std::string_view network) {
  std::string file;
  for (const char letter : network) {
    if (letter != '-')
      file += static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter);
  }
  return file + ".yaml";
}

// A layer with products as the reference describes one, with the sizes that only a network has.
BitFusionLayer described(const LayerGraph& graph, const dataflow::Layer& layer,
                         const dataflow::NetworkPrecision& precision) {
  const dataflow::Tensor& input = graph.tensor(layer.inputs.front());
  const dataflow::Tensor& output = graph.tensor(layer.output);
  BitFusionLayer shape{
      .name = layer.name,
      .batch = graph.batch(),
      .in_size = input.shape.height,
      .out_size = output.shape.height,
      .in_channels = input.shape.channels,
      .out_channels = output.shape.channels,
      .is_first = input.is_network_input,
      .activation_bits = precision[layer.inputs.front()].bits.bits(),
      .weight_bits = precision[layer.weight.value_or(layer.inputs.back())].bits.bits(),
      .output_bits = precision[layer.output].bits.bits()};
  if (const auto* conv = std::get_if<dataflow::Conv2d>(&layer.op)) {
    shape.kernel = conv->window.kernel_height;
    shape.stride = conv->window.stride_height;
  }
  return shape;
}

bool is_same_shape(const BitFusionLayer& left, const BitFusionLayer& right) {
  return left.batch == right.batch && left.kernel == right.kernel &&
         left.out_size == right.out_size && left.stride == right.stride &&
         left.in_channels == right.in_channels && left.out_channels == right.out_channels &&
         left.is_first == right.is_first && left.activation_bits == right.activation_bits &&
         left.weight_bits == right.weight_bits;
}

struct Network {
  std::string name;
  LayerGraph graph;
  dataflow::NetworkPrecision precision;
  std::vector<BitFusionRow*> row_of_layer;  // by LayerId; none for layers without products
};

Network load_network(std::vector<BitFusionRow>& rows, const std::string& name,
                     const std::string& folder) {
  const std::string path = folder + "/" + network_file(name);
  Network network{
      .name = name, .graph = dataflow::load_model(path), .precision = {}, .row_of_layer = {}};
  network.precision = dataflow::resolve_precision(network.graph, {}).tensors;
  for (const dataflow::Layer& layer : network.graph.layers()) {
    network.row_of_layer.push_back(nullptr);
    if (!is_mac(layer.op)) continue;
    const BitFusionLayer shape = described(network.graph, layer, network.precision);
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const BitFusionRow& row) {
      return row.network == name && is_same_shape(row.layer, shape);
    });
    if (found == rows.end()) {
      throw ConfigError(fmt::format("{}: layer '{}' is none of the reference", path, layer.name));
    }
    found->layer.in_size = shape.in_size;
    found->layer.output_bits = shape.output_bits;
    ++found->copies;
    network.row_of_layer.back() = &*found;
  }
  return network;
}

// The machine file in the sizes of a setup: memories grow with the columns, each unit has its bank
// of weights.
dataflow::Machine engine_machine(const BitFusionSetup& setup, const std::string& configs) {
  constexpr std::int64_t kColumns = 32;
  const std::int64_t scale = setup.columns / kColumns;
  std::vector<std::string> overrides{
      fmt::format("dram.bandwidth={} bit/cycle", setup.bits_per_cycle)};
  if (scale > 1) {
    for (const std::string& change : {fmt::format("array.columns={}", setup.columns),
                                      fmt::format("vector.lanes={}", setup.columns),
                                      fmt::format("buffers.weight.capacity={} KiB", 64 * scale),
                                      fmt::format("buffers.weight.banks={}", 512 * scale),
                                      fmt::format("buffers.input.capacity={} KiB", 32 * scale),
                                      fmt::format("buffers.output.capacity={} KiB", 16 * scale),
                                      fmt::format("buffers.output.banks={}", 32 * scale)}) {
      overrides.push_back(change);
    }
  }
  return dataflow::load_machine(configs + "/accelerators/bitfusion_16x32_dot.yaml", overrides,
                                {configs + "/energy"});
}

void add_engine_cycles(const Network& network, const dataflow::Evaluator& evaluator,
                       std::size_t setup, int jobs) {
  const Result<dataflow::NetworkCost> cost =
      evaluator.evaluate(network.graph, network.precision, {.jobs = jobs});
  if (!cost) {
    throw ConfigError(fmt::format("{}: {}", network.name, cost.infeasible().reason));
  }
  for (const dataflow::LayerCost& layer : cost->layers) {
    BitFusionRow* const row = network.row_of_layer[layer.layer];
    if (row == nullptr) continue;
    const dataflow::CycleBreakdown& cycles = layer.cost.cycles;
    EngineCycles& engine = row->figures[setup].engine;
    const std::int64_t array =
        cycles[dataflow::CycleCause::kCompute] + cycles[dataflow::CycleCause::kPort];
    engine.array += array;
    engine.waiting += cycles.total().count() - array;
    engine.dram_bits += layer.cost.dram.total().count();
    engine.ideal += layer.cost.ideal_compute_cycles;
  }
}

}  // namespace

const std::array<BitFusionSetup, kBitFusionSetupCount>& bitfusion_setups() {
  static constexpr std::array<BitFusionSetup, kBitFusionSetupCount> kSetups{
      {{"16x32_192b", 32, 192},
       {"16x32_4096b", 32, 4096},
       {"16x64_4096b", 64, 4096},
       {"16x128_4096b", 128, 4096}}};
  return kSetups;
}

std::vector<BitFusionRow> bitfusion_rows(std::string_view text, const std::string& file) {
  const ReferenceCsv table(text, file);
  std::vector<BitFusionRow> rows;
  for (const ReferenceRecord& record : table.records()) rows.push_back(row_of(record));
  return rows;
}

std::vector<std::string> bitfusion_networks(std::span<const BitFusionRow> rows) {
  std::vector<std::string> networks;
  for (const BitFusionRow& row : rows) {
    if (std::find(networks.begin(), networks.end(), row.network) == networks.end()) {
      networks.push_back(row.network);
    }
  }
  return networks;
}

void add_bitfusion_networks(std::vector<BitFusionRow>& rows, const std::string& data, int jobs) {
  std::vector<Network> networks;
  for (const std::string& name : bitfusion_networks(rows)) {
    networks.push_back(load_network(rows, name, data + "/validation/bitfusion"));
  }
  for (std::size_t at = 0; at < kBitFusionSetupCount; ++at) {
    const BitFusionSetup& setup = bitfusion_setups()[at];
    for (BitFusionRow& row : rows) {
      if (row.copies == 0) {
        throw ConfigError(fmt::format("{}: its network has no layer '{}' of the reference",
                                      row.network, row.layer.name));
      }
      row.figures[at].plain = bitfusion_cycles(row.layer, setup.machine(), BitFusionQuirks::none());
    }
    const dataflow::Machine machine = engine_machine(setup, data + "/configs");
    const dataflow::Evaluator evaluator(machine);
    for (const Network& network : networks) add_engine_cycles(network, evaluator, at, jobs);
  }
}

std::string bitfusion_engine_text(const std::string& data) {
  const dataflow::Machine machine = engine_machine(bitfusion_setups()[0], data + "/configs");
  const dataflow::AcceleratorSpec& spec = machine.accelerator.spec();
  return fmt::format("engine: {}, {}x{} {}; as many columns and as large memories as stated\n",
                     spec.name, spec.array.rows, spec.array.columns, to_text(spec.array.dataflow));
}

BitFusionCycles bitfusion_network_cycles(std::span<const BitFusionRow> rows,
                                         std::string_view network, const BitFusionMachine& machine,
                                         const BitFusionQuirks& quirks) {
  BitFusionCycles sum;
  for (const BitFusionRow& row : rows) {
    if (row.network != network) continue;
    const BitFusionCycles cycles = bitfusion_cycles(row.layer, machine, quirks);
    sum.compute += row.copies * cycles.compute;
    sum.memory_wait += row.copies * cycles.memory_wait;
    sum.dram_bits += row.copies * cycles.dram_bits;
  }
  return sum;
}

}  // namespace vernier::validation
