#include "frontends/report/cost_table_report.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "arch/base/text.hpp"
#include "frontends/report/run_report.hpp"
#include "vernier_version.hpp"

namespace vernier::frontends {
namespace {

using Json = nlohmann::ordered_json;
using dataflow::CostTableEntry;
using dataflow::CostTableLayer;

constexpr const char* kSchemaVersion = "1.0";
constexpr const char* kContext =
    "each layer alone: no weights fetched for or by a neighbour; analytical engine, heuristic "
    "mapping";

double time_ms(const CostTableReport& report, const CostTableEntry& entry) {
  return derive(entry.cost, report.machine.accelerator.spec().clock, report.graph.batch()).time_ms;
}

const dataflow::Layer& layer_of(const CostTableReport& report, const CostTableLayer& layer) {
  return report.graph.layers()[layer.layer];
}

Json provenance(const CostTableReport& report) {
  return {{"vernier_version", kVersion},
          {"accelerator", report.machine_file},
          {"machine", report.machine.accelerator.spec().name},
          {"machine_source", report.machine.accelerator.spec().source},
          {"model", report.model_file},
          {"network", report.graph.name()},
          {"batch", report.graph.batch()},
          {"overrides", report.overrides},
          {"output_bits", report.output_bits},
          {"context", kContext},
          {"assumptions", report.assumptions},
          {"warnings", report.machine.prices.warnings()}};
}

Json entry_json(const CostTableReport& report, const CostTableEntry& entry) {
  Json json = Json::object();
  if (entry.weight) json["weight_bits"] = entry.weight->bits();
  json["activation_bits"] = entry.activation.bits();
  json["cycles"] = entry.cost.cycles.total().count();
  json["time_ms"] = time_ms(report, entry);
  json["energy_pj"] = entry.cost.energy.total().count();
  Json parts = Json::object();
  for (std::size_t at = 0; at < report.machine.prices.components().size(); ++at) {
    parts[report.machine.prices.components()[at].name] =
        entry.cost.energy.of_component(static_cast<ComponentIndex>(at)).count();
  }
  json["energy_by_component_pj"] = std::move(parts);
  json["dram_bits"] = entry.cost.dram.total().count();
  return json;
}

// The key of Free Bits; null for layers that its benchmark has no key for.
Json free_bits_key(const CostTableReport& report, const dataflow::Layer& layer) {
  const dataflow::Shape& input = report.graph.tensor(layer.inputs.front()).shape;
  const dataflow::Shape& output = report.graph.tensor(layer.output).shape;
  const auto key = [&](bool linear, const dataflow::Window& window, std::int64_t groups) {
    return Json{{"linear", linear},
                {"kernel", window.kernel_height},
                {"input_size", input.height},
                {"output_size", output.height},
                {"depthwise", groups > 1 && groups == input.channels},
                {"groups", groups},
                {"padding", window.pad_top},
                {"stride", window.stride_height},
                {"channels_in", input.channels},
                {"channels_out", output.channels}};
  };
  if (std::holds_alternative<dataflow::Dense>(layer.op)) {
    return input.pixels() == 1 ? key(true, {}, 1) : Json();
  }
  const auto* conv = std::get_if<dataflow::Conv2d>(&layer.op);
  if (conv == nullptr) return {};
  const dataflow::Window& w = conv->window;
  const bool square = input.height == input.width && w.kernel_height == w.kernel_width &&
                      w.stride_height == w.stride_width && w.pad_top == w.pad_left &&
                      w.pad_top == w.pad_bottom && w.pad_left == w.pad_right &&
                      w.dilation_height == 1 && w.dilation_width == 1;
  return square ? key(false, w, conv->groups) : Json();
}

Json free_bits(const CostTableReport& report) {
  Json list = Json::array();
  std::map<std::string, std::size_t> known;
  std::int64_t most = 0;
  for (const CostTableLayer& layer : report.table.layers) {
    Json key = free_bits_key(report, layer_of(report, layer));
    if (key.is_null()) continue;
    const auto [place, is_new] = known.emplace(key.dump(), list.size());
    if (!is_new) {
      list[place->second]["layers"].push_back(layer_of(report, layer).name);
      continue;
    }
    Json latencies = Json::array();
    for (const CostTableEntry& entry : layer.entries) {
      const std::int64_t cycles = entry.cost.cycles.total().count();
      most = std::max(most, cycles);
      latencies.push_back({{"input_bits", entry.activation.bits()},
                           {"weight_bits", entry.weight->bits()},
                           {"latency_cycles", cycles}});
    }
    list.push_back({{"key", std::move(key)},
                    {"layers", {layer_of(report, layer).name}},
                    {"latencies", std::move(latencies)}});
  }
  return {{"largest_latency_cycles", most}, {"types", std::move(list)}};
}

std::vector<const CostTableLayer*> mac_layers(const CostTableReport& report) {
  std::vector<const CostTableLayer*> layers;
  for (const CostTableLayer& layer : report.table.layers) {
    if (is_mac(layer_of(report, layer).op)) layers.push_back(&layer);
  }
  return layers;
}

}  // namespace

const std::vector<std::string>& table_quantity_names() {
  static const std::vector<std::string> names{"latency", "energy", "dram"};
  return names;
}

std::string unit_of(TableQuantity quantity) {
  static const std::vector<std::string> units{"ms", "pJ", "bit"};
  return units[static_cast<std::size_t>(quantity)];
}

std::string cost_table_csv(const CostTableReport& report) {
  std::string out =
      "layer,operator,macs,weight_bits,activation_bits,output_bits,cycles,time_ms,energy_pj";
  for (const energy::Component& component : report.machine.prices.components()) {
    out += "," + csv_field(component.name + "_energy_pj");
  }
  out += ",dram_bits,accelerator,model,vernier_version\n";
  for (const CostTableLayer& layer : report.table.layers) {
    const dataflow::Layer& spec = layer_of(report, layer);
    for (const CostTableEntry& entry : layer.entries) {
      out += fmt::format(
          "{},{},{},{},{},{},{},{},{}", csv_field(spec.name), operator_name(spec.op),
          entry.cost.macs.count(), entry.weight ? fmt::to_string(entry.weight->bits()) : "",
          entry.activation.bits(), report.output_bits, entry.cost.cycles.total().count(),
          time_ms(report, entry), entry.cost.energy.total().count());
      for (std::size_t at = 0; at < report.machine.prices.components().size(); ++at) {
        out += fmt::format(",{}",
                           entry.cost.energy.of_component(static_cast<ComponentIndex>(at)).count());
      }
      out += fmt::format(",{},{},{},{}\n", entry.cost.dram.total().count(),
                         csv_field(report.machine_file), csv_field(report.model_file), kVersion);
    }
  }
  return out;
}

std::string cost_table_json(const CostTableReport& report) {
  Json layers = Json::array();
  for (const CostTableLayer& layer : report.table.layers) {
    const dataflow::Layer& spec = layer_of(report, layer);
    Json entries = Json::array();
    for (const CostTableEntry& entry : layer.entries) {
      entries.push_back(entry_json(report, entry));
    }
    layers.push_back({{"name", spec.name},
                      {"operator", operator_name(spec.op)},
                      {"macs", spec.macs.count() * report.graph.batch()},
                      {"entries", std::move(entries)},
                      {"left_out", layer.left_out}});
  }
  const Json json = {{"schema_version", kSchemaVersion},
                     {"kind", "cost_table"},
                     {"provenance", provenance(report)},
                     {"layers", std::move(layers)},
                     {"free_bits", free_bits(report)}};
  return json.dump(2) + "\n";
}

NestedTable nested_table(const CostTableReport& report, TableQuantity quantity) {
  const std::vector<const CostTableLayer*> layers = mac_layers(report);
  NestedTable table;
  std::int64_t weights = 0;
  std::int64_t activations = 0;
  for (const CostTableLayer* layer : layers) {
    for (const CostTableEntry& entry : layer->entries) {
      weights = std::max<std::int64_t>(weights, entry.weight->bits());
      activations = std::max<std::int64_t>(activations, entry.activation.bits());
    }
  }
  table.shape = {static_cast<std::int64_t>(layers.size()), weights, activations};
  for (const CostTableLayer* layer : layers) {
    for (std::int64_t weight = 1; weight <= weights; ++weight) {
      for (std::int64_t activation = 1; activation <= activations; ++activation) {
        const CostTableEntry* entry = find_entry(*layer, weight, activation);
        double value = std::numeric_limits<double>::infinity();
        if (entry != nullptr && quantity == TableQuantity::kLatency) {
          value = time_ms(report, *entry);
        } else if (entry != nullptr && quantity == TableQuantity::kEnergy) {
          value = entry->cost.energy.total().count();
        } else if (entry != nullptr) {
          value = static_cast<double>(entry->cost.dram.total().count());
        }
        table.values.push_back(value);
      }
    }
  }
  return table;
}

std::string nested_table_json(const CostTableReport& report, TableQuantity quantity) {
  Json names = Json::array();
  for (const CostTableLayer* layer : mac_layers(report)) {
    names.push_back(layer_of(report, *layer).name);
  }
  const Json json = {{"schema_version", kSchemaVersion},
                     {"kind", "nested_cost_table"},
                     {"provenance", provenance(report)},
                     {"quantity", table_quantity_names()[static_cast<std::size_t>(quantity)]},
                     {"unit", unit_of(quantity)},
                     {"axes", {"layer", "weight_bits - 1", "activation_bits - 1"}},
                     {"layers", std::move(names)}};
  return json.dump(2) + "\n";
}

}  // namespace vernier::frontends
