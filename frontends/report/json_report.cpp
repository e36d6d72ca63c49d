#include <algorithm>

#include <nlohmann/json.hpp>

#include "frontends/report/run_report.hpp"
#include "vernier_version.hpp"

namespace vernier::frontends {
namespace {

using Json = nlohmann::ordered_json;
using dataflow::CostSummary;
using dataflow::CycleCause;

constexpr const char* kSchemaVersion = "1.3";

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

// Null without MACs; intensity is null when no bit moves.
Json roofline_json(const std::optional<dataflow::Roofline>& line) {
  if (!line) return nullptr;
  Json json = {{"peak_macs_per_cycle", line->peak_macs_per_cycle}};
  const char* const intensity = "operational_intensity_macs_per_bit";
  json[intensity] = nullptr;
  if (line->operational_intensity) json[intensity] = *line->operational_intensity;
  json["machine_balance_macs_per_bit"] = line->machine_balance;
  json["attainable_macs_per_cycle"] = line->attainable_macs_per_cycle;
  json["achieved_macs_per_cycle"] = line->achieved_macs_per_cycle;
  json["roof"] = to_text(line->roof);
  return json;
}

// Nothing to divide by: no cycles, or no energy.
Json or_null(const std::optional<double>& figure) { return figure ? Json(*figure) : Json(); }

// The port cycles by buffer, and what the requantizer needs.
Json port_waits_json(const CostSummary& cost, const dataflow::AcceleratorSpec& spec) {
  Json json = Json::object();
  for (std::size_t at = 0; at < spec.buffers.size(); ++at) {
    json[spec.buffers[at].name] = cost.port_waits[at];
  }
  json["requantizer"] = cost.port_waits[arch::kRequantizerPort];
  return json;
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
  json["port_waits"] = port_waits_json(cost, report.machine.accelerator.spec());
  json["channel_busy_cycles"] = cost.channel_busy_cycles;
  json["bound_by"] = to_text(bound_by(cost.cycles, cost.channel_busy_cycles));
  json["utilisation"] = cost.utilisation();
  json["roofline"] = roofline_json(roofline_in(report, cost));
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
  json["inferences_per_s"] = or_null(figures.inferences_per_s);
  json["average_power_mw"] = figures.average_power_mw;
  json["tops"] = figures.tops;
  json["tops_per_w"] = or_null(figures.tops_per_w);
  json["activity"] = activity(cost, report.machine.prices);
  return json;
}

// How the groups of a layer ran: the machine's mode where it could, else one after the other.
std::string_view depthwise_of(const dataflow::TaskOutline& task, const RunReport& report) {
  using arch::DepthwiseMode;
  if (task.unit == dataflow::TaskUnit::kVector) return to_text(DepthwiseMode::kVectorUnit);
  return to_text(task.groups_at_once > 1 ? report.machine.accelerator.spec().array.depthwise
                                         : DepthwiseMode::kPerGroup);
}

Json task_json(const dataflow::TaskOutline& task, const RunReport& report) {
  const bool is_array = task.unit == dataflow::TaskUnit::kArray;
  Json json = {{"unit", is_array ? "array" : "vector"}};
  if (is_array) {
    json["weight_bits"] = task.precision.weight.bits();
    json["activation_bits"] = task.precision.activation.bits();
    json["accumulator_bits"] = task.precision.accumulator_bits;
  }
  if (task.groups > 1) {
    json["groups"] = task.groups;
    json["groups_at_once"] = task.groups_at_once;
    json["depthwise"] = depthwise_of(task, report);
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
  for (const dataflow::TaskOutline& task : cost.tasks) tasks.push_back(task_json(task, report));
  json["tasks"] = std::move(tasks);
  json.update(summary(cost.cost, report));
  return json;
}

// The unit with the parameters that its family has.
Json mac_json(const arch::MacSpec& mac) {
  static const char* const overflows[] = {"error", "saturate"};
  static const char* const serial[] = {"weight", "activation", "both"};
  static const char* const subwords[] = {"groups", "out_channels", "pixels"};
  Json json = {{"style", mac.style},
               {"weight_bits", mac.weight_bits},
               {"activation_bits", mac.activation_bits},
               {"accumulator_bits", mac.accumulator_bits},
               {"overflow", overflows[static_cast<int>(mac.overflow)]}};
  for (const arch::FamilyKey& key : arch::family_keys()) {
    if (std::find(key.families.begin(), key.families.end(), mac.style) == key.families.end()) {
      continue;
    }
    if (key.key == "core_bits") json["core_bits"] = mac.core_bits;
    if (key.key == "serial") json["serial"] = serial[static_cast<int>(mac.serial)];
    if (key.key == "bits_per_cycle") json["bits_per_cycle"] = mac.bits_per_cycle;
    if (key.key == "lanes") json["lanes"] = mac.lanes;
    if (key.key == "subwords") json["subwords"] = subwords[static_cast<int>(mac.subwords)];
    if (key.key == "data_gating") json["data_gating"] = mac.data_gating;
  }
  Json modes = Json::array();
  for (const arch::ModeOverride& mode : mac.modes) {
    modes.push_back({{"weight", mode.weight},
                     {"activation", mode.activation},
                     {"cycles", mode.cycles},
                     {"reduction", mode.reduction},
                     {"out_channels", mode.out_channels},
                     {"pixels", mode.pixels},
                     {"groups", mode.groups}});
  }
  if (!modes.empty()) json["modes"] = std::move(modes);
  return json;
}

// With the `timing` model rate and latency are the effective ones.
Json dram_json(const memory::DramSpec& dram) {
  Json json = {{"model", dram.timing ? "timing" : "bandwidth"},
               {"bandwidth_bits_per_cycle", dram.bandwidth.bits_per_cycle()},
               {"latency_cycles", dram.latency.count()}};
  if (const auto& timing = dram.timing) {
    json["preset"] = timing->preset.name;
    json["address_mapping"] = timing->mapping.text();
    json["policy"] = memory::row_policy_names()[static_cast<std::size_t>(timing->policy)];
    json["channels"] = timing->channels;
    json["ranks"] = timing->ranks;
    json["queue_bursts"] = timing->queue;
  }
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
                            {"word_bits", buffer.word.count()},
                            {"buffering", buffer.blocks_held() == 1 ? "single" : "double"},
                            {"resident_bytes", buffer.resident_bytes.count()}};
  }
  Json ops = Json::object();
  for (const Action action : arch::vector_actions()) {
    if (spec.vector.cycles_for(action) > 0) {
      ops[std::string(to_text(action))] = spec.vector.cycles_for(action);
    }
  }
  static const char* const packings[] = {"channels", "window", "first_layer_window"};
  return {{"name", spec.name},
          {"source", spec.source},
          {"technology_nm", spec.technology.count()},
          {"clock_hz", spec.clock.count()},
          {"array",
           {{"rows", spec.array.rows},
            {"columns", spec.array.columns},
            {"dataflow", to_text(spec.array.dataflow)},
            {"fold_overlap", to_text(spec.array.fold_overlap)},
            {"reduction_packing", packings[static_cast<int>(spec.array.reduction_packing)]},
            {"depthwise", to_text(spec.array.depthwise)}}},
          {"mac", mac_json(spec.mac)},
          {"storage_bits", spec.storage_bits},
          {"buffers", std::move(buffers)},
          {"dram", dram_json(spec.dram)},
          {"vector",
           {{"lanes", spec.vector.lanes},
            {"requant_lanes", spec.vector.requant_lanes},
            {"ops", std::move(ops)}}},
          {"energy", {{"tables", spec.energy.tables}, {"dram", spec.energy.dram}}}};
}

Json residences_json(const RunReport& report) {
  Json list = Json::array();
  for (const dataflow::ActivationResidence& activation : report.cost.residences) {
    list.push_back({{"tensor", report.graph.tensor(activation.tensor).name},
                    {"size_bytes", activation.size.count()},
                    {"on_chip", activation.residence == dataflow::Residence::kOnChip},
                    {"why", to_text(activation.residence)}});
  }
  return list;
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
               {"residences", residences_json(report)},
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
