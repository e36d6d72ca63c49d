#include <nlohmann/json.hpp>

#include "frontends/report/run_report.hpp"
#include "vernier_version.hpp"

namespace vernier::frontends {
namespace {

using Json = nlohmann::ordered_json;
using dataflow::CostSummary;
using dataflow::CycleCause;

constexpr const char* kSchemaVersion = "1.1";

Json energy_by_component(const CostSummary& cost, const energy::PriceList& prices) {
  Json json = Json::object();
  for (std::size_t at = 0; at < prices.components().size(); ++at) {
    json[prices.components()[at].name] =
        cost.energy.of_component(static_cast<ComponentIndex>(at)).count();
  }
  return json;
}

Json energy_by_action(const CostSummary& cost) {
  Json json = Json::object();
  for (int at = 0; at < kActionCount; ++at) {
    const auto action = static_cast<Action>(at);
    const double energy = cost.energy.of_action(action).count();
    if (energy > 0.0) json[std::string(to_text(action))] = energy;
  }
  return json;
}

Json energy_by_tensor(const CostSummary& cost) {
  Json json = Json::object();
  for (int at = 0; at < kTensorRoleCount; ++at) {
    const auto role = static_cast<TensorRole>(at);
    json[std::string(to_text(role))] = cost.energy.of_role(role).count();
  }
  return json;
}

Json energy_by_state(const CostSummary& cost) {
  Json json = Json::object();
  for (int at = 0; at < energy::kEnergyStateCount; ++at) {
    const auto state = static_cast<energy::EnergyState>(at);
    json[std::string(to_text(state))] = cost.energy.of_state(state).count();
  }
  return json;
}

Json power_json(const RunReport& report) {
  Json list = Json::array();
  for (const PowerSample& sample :
       power_over_time(report.cost, report.machine.accelerator.spec().clock)) {
    list.push_back({{"layer", report.graph.layers()[sample.layer].name},
                    {"begin_ms", sample.begin_ms},
                    {"end_ms", sample.end_ms},
                    {"average_power_mw", sample.average_power_mw}});
  }
  return list;
}

Json activity(const CostSummary& cost, const energy::PriceList& prices) {
  Json list = Json::array();
  for (const energy::EnergyEntry& entry : cost.energy.entries()) {
    Json item = {{"component", prices.components()[entry.activity.component].name},
                 {"action", to_text(entry.activity.action)}};
    if (entry.activity.role != TensorRole::kNone) item["tensor"] = to_text(entry.activity.role);
    if (entry.activity.weight_bits > 0) {
      item["weight_bits"] = entry.activity.weight_bits;
      item["activation_bits"] = entry.activity.activation_bits;
    }
    item["count"] = entry.activity.count;
    item["energy_pj"] = entry.energy.count();
    list.push_back(std::move(item));
  }
  return list;
}

// The keys that `total` and every layer share.
Json summary(const CostSummary& cost, const RunReport& report) {
  const Hertz clock = report.machine.accelerator.spec().clock;
  const DerivedFigures figures = derive(cost, clock, report.graph.batch());
  Json json = {{"macs", cost.macs.count()}, {"cycles", cost.cycles.total().count()}};
  Json causes = Json::object();
  for (int at = 0; at < dataflow::kCycleCauseCount; ++at) {
    const auto cause = static_cast<CycleCause>(at);
    causes[std::string(to_text(cause))] = cost.cycles[cause];
  }
  json["cycles_by_cause"] = std::move(causes);
  json["channel_busy_cycles"] = cost.channel_busy_cycles;
  json["bound_by"] = to_text(bound_by(cost.cycles, cost.channel_busy_cycles));
  json["utilisation"] = cost.utilisation();
  json["dram_bits"] = cost.dram.total().count();
  json["dram_bits_by_tensor"] = {{"input_read", cost.dram.input_read.count()},
                                 {"weight_read", cost.dram.weight_read.count()},
                                 {"output_read", cost.dram.output_read.count()},
                                 {"output_write", cost.dram.output_write.count()}};
  json["peak_on_chip_bytes"] = cost.peak_on_chip.count();
  json["energy_pj"] = cost.energy.total().count();
  json["energy_by_component_pj"] = energy_by_component(cost, report.machine.prices);
  json["energy_by_action_pj"] = energy_by_action(cost);
  json["energy_by_tensor_pj"] = energy_by_tensor(cost);
  json["energy_by_state_pj"] = energy_by_state(cost);
  json["time_ms"] = figures.time_ms;
  json["inferences_per_s"] = figures.inferences_per_s;
  json["average_power_mw"] = figures.average_power_mw;
  json["tops"] = figures.tops;
  json["tops_per_w"] = figures.tops_per_w;
  json["activity"] = activity(cost, report.machine.prices);
  return json;
}

Json task_json(const dataflow::TaskOutline& task) {
  const bool is_array = task.unit == dataflow::TaskUnit::kArray;
  Json json = {{"unit", is_array ? "array" : "vector"}};
  if (is_array) {
    json["weight_bits"] = task.precision.weight.bits();
    json["activation_bits"] = task.precision.activation.bits();
    json["accumulator_bits"] = task.precision.accumulator_bits;
  }
  Json tile = {{"rows", task.mapping.tile.rows}, {"columns", task.mapping.tile.columns}};
  if (is_array) tile["input_channels"] = task.mapping.tile.in_channels;
  tile["output_channels"] = task.mapping.tile.out_channels;
  Json order = Json::array();
  for (const dataflow::LoopDim dim : task.mapping.order) {
    if (!is_array && dim == dataflow::LoopDim::kInChannel) continue;
    order.push_back(to_text(dim));
  }
  json["tile"] = std::move(tile);
  json["order"] = std::move(order);
  json["mapping"] = to_text(task.mapping.origin);
  return json;
}

Json layer_json(const dataflow::LayerCost& cost, const RunReport& report) {
  const dataflow::Layer& layer = report.graph.layers()[cost.layer];
  const bool is_array = is_mac(layer.op);
  Json json = {{"name", layer.name},
               {"operator", operator_name(layer.op)},
               {"output_shape", to_text(report.graph.tensor(layer.output).shape)}};
  Json bits = Json::object();
  bits["input"] = report.precision[layer.inputs.front()].bits.bits();
  if (is_array) {
    const dataflow::TensorId weight = layer.weight ? *layer.weight : layer.inputs[1];
    bits["weight"] = report.precision[weight].bits.bits();
  }
  bits["output"] = report.precision[layer.output].bits.bits();
  json["bits"] = std::move(bits);
  Json tasks = Json::array();
  for (const dataflow::TaskOutline& task : cost.tasks) tasks.push_back(task_json(task));
  json["tasks"] = std::move(tasks);
  json.update(summary(cost.cost, report));
  return json;
}

Json machine_json(const RunReport& report) {
  const dataflow::AcceleratorSpec& spec = report.machine.accelerator.spec();
  Json buffers = Json::object();
  for (const memory::BufferSpec& buffer : spec.buffers) {
    Json serves = Json::array();
    for (const TensorRole role : buffer.serves) serves.push_back(to_text(role));
    buffers[buffer.name] = {{"serves", std::move(serves)},
                            {"capacity_bytes", buffer.capacity.count()},
                            {"banks", buffer.banks},
                            {"ports", buffer.ports},
                            {"word_bits", buffer.word.count()}};
  }
  Json ops = Json::object();
  for (const Action action : arch::vector_actions()) {
    if (spec.vector.cycles_for(action) > 0) {
      ops[std::string(to_text(action))] = spec.vector.cycles_for(action);
    }
  }
  static const char* const packings[] = {"channels", "window", "first_layer_window"};
  static const char* const overflows[] = {"error", "saturate"};
  return {{"name", spec.name},
          {"source", spec.source},
          {"technology_nm", spec.technology.count()},
          {"clock_hz", spec.clock.count()},
          {"array",
           {{"rows", spec.array.rows},
            {"columns", spec.array.columns},
            {"dataflow", to_text(spec.array.dataflow)},
            {"fold_overlap", to_text(spec.array.fold_overlap)},
            {"reduction_packing", packings[static_cast<int>(spec.array.reduction_packing)]}}},
          {"mac",
           {{"style", spec.mac.style},
            {"weight_bits", spec.mac.weight_bits},
            {"activation_bits", spec.mac.activation_bits},
            {"accumulator_bits", spec.mac.accumulator_bits},
            {"overflow", overflows[static_cast<int>(spec.mac.overflow)]}}},
          {"storage_bits", spec.storage_bits},
          {"buffers", std::move(buffers)},
          {"dram",
           {{"model", "bandwidth"},
            {"bandwidth_bits_per_cycle", spec.dram.bandwidth.bits_per_cycle()},
            {"latency_cycles", spec.dram.latency.count()}}},
          {"vector",
           {{"lanes", spec.vector.lanes},
            {"requant_lanes", spec.vector.requant_lanes},
            {"ops", std::move(ops)}}},
          {"energy", {{"tables", spec.energy.tables}, {"dram", spec.energy.dram}}}};
}

Json prices_json(const energy::PriceList& prices) {
  Json list = Json::array();
  for (const energy::PricedAction& action : prices.actions()) {
    Json item = {{"component", prices.components()[action.component].name},
                 {"action", to_text(action.action)}};
    if (action.weight_bits > 0) {
      item["weight_bits"] = action.weight_bits;
      item["activation_bits"] = action.activation_bits;
    }
    item["energy_pj"] = action.energy.count();
    item["table"] = action.table;
    item["source"] = action.source;
    list.push_back(std::move(item));
  }
  return list;
}

Json import_json(const dataflow::ImportReport& import) {
  Json defaults = Json::array();
  for (const dataflow::AppliedDefault& applied : import.defaults) {
    defaults.push_back({{"where", applied.where}, {"what", applied.what}});
  }
  Json skipped = Json::array();
  for (const dataflow::SkippedNode& node : import.skipped) {
    skipped.push_back({{"node", node.node}, {"operator", node.op}, {"reason", node.reason}});
  }
  Json widths = Json::array();
  for (const dataflow::DecidedWidth& width : import.widths) {
    Json item = {{"tensor", width.tensor},
                 {"bits", width.precision.bits.bits()},
                 {"kind", to_text(width.precision.kind)},
                 {"asymmetric", width.precision.asymmetric},
                 {"decided_by", width.decided_by},
                 {"rule", width.rule},
                 {"assumed", width.assumed}};
    for (const PrecisionSlice& slice : width.precision.slices) {
      item["slices"].push_back({{"channels", slice.channels}, {"bits", slice.bits.bits()}});
    }
    widths.push_back(std::move(item));
  }
  return {{"format", import.format},
          {"defaults", std::move(defaults)},
          {"skipped", std::move(skipped)},
          {"widths", std::move(widths)}};
}

Json area_json(const energy::PriceList& prices) {
  Json parts = Json::object();
  for (const energy::PricedArea& area : prices.areas()) {
    parts[prices.components()[area.component].name] = area.area.count();
  }
  return parts;
}

}  // namespace

std::string to_json(const RunReport& report) {
  const dataflow::NetworkTotals totals = report.graph.totals();
  Json roundings = Json::array();
  for (const dataflow::WidthRounding& rounding : report.cost.roundings) {
    roundings.push_back({{"tensor", report.graph.tensor(rounding.tensor).name},
                         {"bits", rounding.logical.bits()},
                         {"storage_bits", rounding.storage.bits()},
                         {"compute_bits", rounding.compute.bits()}});
  }
  Json json = {{"schema_version", kSchemaVersion},
               {"vernier_version", kVersion},
               {"engine", report.engine},
               {"inputs",
                {{"accelerator", report.machine_file},
                 {"model", report.model_file},
                 {"bits", report.bits_origin},
                 {"overrides", report.overrides}}},
               {"machine", machine_json(report)},
               {"network",
                {{"name", report.graph.name()},
                 {"batch", report.graph.batch()},
                 {"macs_per_image", totals.macs.count()},
                 {"weights", totals.weights},
                 {"parameters", totals.parameters},
                 {"mac_layers", totals.mac_layers}}},
               {"import", import_json(report.import)},
               {"assumptions", report.assumptions},
               {"warnings", report.machine.prices.warnings()},
               {"roundings", std::move(roundings)},
               {"area_um2", report.machine.prices.total_area().count()},
               {"area_by_component_um2", area_json(report.machine.prices)}};
  if (report.data_check) {
    const DataCheckFigures& check = *report.data_check;
    json["data_check"] = {{"seed", check.seed},
                          {"outputs_compared", check.outputs},
                          {"mismatches", check.mismatches},
                          {"accumulator_overflows", check.overflows},
                          {"busy_cycles", check.busy_cycles}};
  }
  json["total"] = summary(report.cost.total, report);
  Json layers = Json::array();
  for (const dataflow::LayerCost& layer : report.cost.layers) {
    layers.push_back(layer_json(layer, report));
  }
  json["layers"] = std::move(layers);
  json["power_over_time"] = power_json(report);
  json["prices"] = prices_json(report.machine.prices);
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vernier::frontends
