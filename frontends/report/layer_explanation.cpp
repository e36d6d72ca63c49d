#include "frontends/report/layer_explanation.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "arch/fold_model.hpp"
#include "dataflow/evaluate/cost_cache.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/mapping/residency.hpp"
#include "dataflow/result/roofline.hpp"
#include "dataflow/schedule/network_schedule.hpp"
#include "frontends/report/numbers.hpp"
#include "frontends/report/run_report.hpp"

namespace vernier::frontends {
namespace {

using namespace dataflow;

// One task of the network in the order in which they run.
struct PlacedTask {
  LayerId layer = 0;
  const LayerTask* task = nullptr;
  Cached<CachedTask> prepared;
};

class Explanation {
 public:
  Explanation(const Evaluator& evaluator, const LayerGraph& graph,
              const NetworkPrecision& precision, LayerId layer)
      : evaluator_(evaluator),
        machine_(evaluator.machine()),
        spec_(machine_.accelerator.spec()),
        graph_(graph),
        precision_(precision),
        layer_(graph.layers()[layer]),
        id_(layer) {}

  // Nothing; or why the network cannot run.
  std::optional<Infeasible> prepare() {
    const Result<NetworkCost> cost = evaluator_.evaluate(graph_, precision_);
    if (!cost) return cost.infeasible();
    cost_ = cost->layers[id_];
    residences_ = cost->residences;
    lowered_ = lower_network(graph_, precision_, machine_.accelerator, false);
    std::vector<const LayerSchedule*> schedules;
    for (const LoweredLayer& layer : lowered_) {
      for (const LayerTask& task : layer.tasks) {
        Infeasible reason;
        tasks_.push_back({layer.layer, &task, evaluator_.cache().prepared(task, reason)});
        VERNIER_ASSERT(static_cast<bool>(tasks_.back().prepared), "evaluate has prepared it");
        schedules.push_back(&tasks_.back().prepared->prepared.schedule);
      }
    }
    borders_ = task_borders(schedules, machine_.accelerator);
    return std::nullopt;
  }

  std::string text() {
    add_head();
    add_widths();
    const std::size_t count = lowered_[id_].tasks.size();
    std::size_t number = 0;
    for (std::size_t at = 0; at < tasks_.size(); ++at) {
      if (tasks_[at].layer != id_) continue;
      ++number;
      out_ += count == 1 ? "\none task\n" : fmt::format("\ntask {} of {}\n", number, count);
      add_task(at);
    }
    if (count == 0) {
      out_ +=
          "\nno task: the layer is a view, or its producers write into its place (design 5.7)\n";
      return std::move(out_);
    }
    if (count > 1) out_ += "\nall tasks together\n";
    add_cycles();
    add_energy();
    add_residency();
    return std::move(out_);
  }

 private:
  template <typename... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    out_ += fmt::format(format, std::forward<Values>(values)...) + "\n";
  }

  void add_head() {
    line("{}: {} of {} on {}, batch {}", layer_.name, operator_name(layer_.op), graph_.name(),
         spec_.name, graph_.batch());
    line("{} cycles = {:.6g} ms at {:.6g} MHz, {} over the DRAM channel, {}",
         grouped(cost_.cost.cycles.total().count()),
         time_of(cost_.cost.cycles.total(), spec_.clock).count() / 1e6,
         static_cast<double>(spec_.clock.count()) / 1e6, bytes_text(cost_.cost.dram.total()),
         energy_text(cost_.cost.energy.total()));
    line(
        "between its neighbours in the network; numbers in brackets are sections of "
        "docs/design.md");
  }

  void add_width(TensorId id, std::string_view role) {
    const Tensor& tensor = graph_.tensor(id);
    const Precision& precision = precision_[id];
    std::string computed;
    if (role == "weight") {
      if (const auto bits = machine_.accelerator.compute_weight(precision.bits)) {
        computed = fmt::format(", computed as {}", bits->bits());
      }
    } else if (role == "input" && is_mac(layer_.op)) {
      if (const auto bits = machine_.accelerator.compute_activation(precision.bits)) {
        computed = fmt::format(", computed as {}", bits->bits());
      }
    }
    std::string slices;
    for (const PrecisionSlice& slice : precision.slices) {
      slices += fmt::format("{}{} of {} bits", slices.empty() ? "" : " + ", slice.channels,
                            slice.bits.bits());
    }
    if (!slices.empty()) slices = fmt::format(" (channels: {})", slices);
    const std::string shape =
        tensor.kind == TensorKind::kWeight
            ? fmt::format("{} x {}", tensor.weights.rows, tensor.weights.row_elements)
            : to_text(tensor.shape);
    const std::optional<Bitwidth> storage = machine_.accelerator.storage(precision.bits);
    const std::string stored = storage ? fmt::format(", stored as {}", storage->bits()) : "";
    line("  {:<7} {}, {}: {} bits{}{}{}", role, tensor.name, shape, precision.bits.bits(), stored,
         computed, slices);
  }

  void add_widths() {
    line("\nwidths [4]");
    for (std::size_t at = 0; at < layer_.inputs.size(); ++at) {
      const bool weight = std::holds_alternative<MatMul>(layer_.op) && at == 1;
      add_width(layer_.inputs[at], weight ? "weight" : "input");
    }
    if (layer_.weight) add_width(*layer_.weight, "weight");
    add_width(layer_.output, "output");
  }

  void add_task(std::size_t at) {
    const PreparedTask& prepared = tasks_[at].prepared->prepared;
    if (tasks_[at].task->unit == TaskUnit::kArray) {
      add_array(*tasks_[at].task);
    } else {
      add_vector(*tasks_[at].task);
    }
    add_mapping(prepared, tasks_[at].prepared->mapping);
    add_channel(at);
  }

  void add_array(const LayerTask& task) {
    const arch::MacMode& mode =
        machine_.accelerator.mode(task.weight_compute, task.activation_compute);
    line("  matrix product [5.1]: P = {} * {} * {} = {} pixels, K = {} * {} * {} = {}, N = {}{}",
         task.images, task.out_height, task.out_width, grouped(task.pixels()),
         task.window.kernel_height, task.window.kernel_width, task.channels,
         grouped(task.reduction()), grouped(task.out_channels),
         task.groups > 1 ? fmt::format(", for each of {} groups", task.groups) : "");
    line("  products: {}P * K * N = {}", task.groups > 1 ? "groups * " : "",
         grouped(task.macs().count()));
    line(
        "  mode at w{} a{} [4], {}: a step of {} cycle(s) does kK {} * kN {} * kP {} * kG {} = {} "
        "products on {} + {} operand bits",
        task.weight_compute.bits(), task.activation_compute.bits(), spec_.mac.style, mode.cycles,
        mode.reduction, mode.out_channels, mode.pixels, mode.groups, mode.macs_per_step(),
        mode.weight_bits, mode.activation_bits);
    line("  peak: {} rows * {} columns * {} / {} = {:.6g} MACs/cycle", spec_.array.rows,
         spec_.array.columns, mode.macs_per_step(), mode.cycles,
         machine_.accelerator.peak_macs_per_cycle(mode));
  }

  void add_vector(const LayerTask& task) {
    std::string sum;
    for (std::size_t at = 0; at < task.actions.size(); ++at) {
      if (task.ops_per_output[at] == 0) continue;
      sum +=
          fmt::format("{}{} {} of {} cycle(s)", sum.empty() ? "" : " + ", task.ops_per_output[at],
                      to_text(task.actions[at]), spec_.vector.cycles_for(task.actions[at]));
    }
    line("  vector unit [5.7]: {} outputs, each {}, on {} lanes",
         grouped(checked_mul(task.pixels(), task.out_channels)), sum, spec_.vector.lanes);
  }

  void add_mapping(const PreparedTask& prepared, const Mapping& mapping) {
    const LayerSchedule& schedule = prepared.schedule;
    line(
        "  tile [5.2], {}: {} x {} pixels, {} input channels, {} output channels; loops from "
        "outside: {}, {}, {}; {} tile(s)",
        to_text(mapping.origin), mapping.tile.rows, mapping.tile.columns, mapping.tile.in_channels,
        mapping.tile.out_channels, to_text(mapping.order[0]), to_text(mapping.order[1]),
        to_text(mapping.order[2]), grouped(schedule.tile_count()));
    if (schedule.task().unit == TaskUnit::kArray) {
      add_folds(prepared);
    } else {
      std::int64_t sum = 0;
      for (std::size_t at = 0; at < prepared.tiles.size(); ++at) {
        sum += schedule.classes()[at].count * prepared.tiles[at].lines;
      }
      line("  lines: {} over all tiles", grouped(sum));
    }
    add_blocks(schedule);
  }

  // Cycles of the streamed dimension of one fold (T), from the shape of a tile.
  [[nodiscard]] std::int64_t temporal_of(const LayerTask& task, const TileClass& tile,
                                         const arch::MacMode& mode) const {
    const std::int64_t steps_k = reduction_steps(task, tile.reduction.channels, mode, spec_.array);
    const std::int64_t steps_p = ceil_div(tile.pixels(), mode.pixels);
    switch (spec_.array.dataflow) {
      case arch::Dataflow::kOutputStationary: return mode.cycles * steps_k;
      case arch::Dataflow::kWeightStationary: return mode.cycles * steps_p;
      case arch::Dataflow::kInputStationary:
        return mode.cycles * ceil_div(tile.out_channels, mode.out_channels);
      case arch::Dataflow::kDotColumns: return mode.cycles * steps_k * steps_p;
    }
    return 0;
  }

  void add_folds(const PreparedTask& prepared) {
    const LayerTask& task = prepared.schedule.task();
    const arch::MacMode& mode =
        machine_.accelerator.mode(task.weight_compute, task.activation_compute);
    const arch::ArraySpec& array = spec_.array;
    const bool alone = array.fold_overlap == arch::FoldOverlap::kNone;
    line("  folds [5.1], {}, overlap {}: lines of a fold {} with R = {} and C = {}",
         to_text(array.dataflow), arch::to_text(array.fold_overlap),
         array.preloads() ? "T + 2R + C - 2" : "T + R + C - 2", array.rows, array.columns);
    line("    {:>9} {:>9} {:>6} {:>6} {:>6} {:>7} {:>7} {:>11} {:>12} {:>10}", "tiles", "pixels",
         "groups", "C", "N", "folds", "T", alone ? "lines each" : "next after", "lines/tile",
         "port wait");
    std::int64_t lines = 0;
    std::int64_t waits = 0;
    std::vector<std::pair<std::string, std::int64_t>> rows;  // tiles that differ in padding only
    for (std::size_t at = 0; at < prepared.tiles.size(); ++at) {
      const TileClass& tile = prepared.schedule.classes()[at];
      const TileCost& cost = prepared.tiles[at];
      const std::int64_t temporal = temporal_of(task, tile, mode);
      const std::int64_t each =
          alone ? arch::fold_lines(array, temporal) : arch::fold_interval(array, mode, temporal);
      const std::string row = fmt::format(
          "{:>9} {:>6} {:>6} {:>6} {:>7} {:>7} {:>11} {:>12} {:>10}", grouped(tile.pixels()),
          tile.groups, tile.reduction.channels, tile.out_channels,
          grouped(cost.temporal_cycles / temporal), grouped(temporal), grouped(each),
          grouped(cost.lines), grouped(cost.port_cycles));
      const auto same = std::find_if(rows.begin(), rows.end(),
                                     [&](const auto& known) { return known.first == row; });
      if (same == rows.end()) {
        rows.emplace_back(row, tile.count);
      } else {
        same->second += tile.count;
      }
      lines += tile.count * cost.lines;
      waits += tile.count * cost.port_cycles;
    }
    for (const auto& row : rows) line("    {:>9} {}", grouped(row.second), row.first);
    line("    sum of tiles * lines = {} cycles of computing, {} of waiting for buffer ports",
         grouped(lines), grouped(waits));
  }

  void add_blocks(const LayerSchedule& schedule) {
    const BlockBits& blocks = schedule.largest_blocks();
    for (const memory::BufferSpec& buffer : spec_.buffers) {
      line("  buffer {} [5.2]: largest blocks {} bits of {} in {}", buffer.name,
           grouped(blocks.in_buffer(buffer).count()), grouped(buffer.half().count()),
           buffer.buffering == memory::Buffering::kSingle ? "all of it" : "a half");
    }
  }

  void add_channel(std::size_t at) {
    const PreparedTask& prepared = tasks_[at].prepared->prepared;
    const TaskTiming timing =
        time_task(prepared.schedule, prepared.tiles, borders_[at], machine_.accelerator);
    const ChannelTraffic& traffic = timing.traffic;
    line(
        "  DRAM channel [5.3]: {:.6g} bit/cycle, latency {} cycles; a command of b bits takes "
        "ceil(b / {:.6g}) cycles",
        spec_.dram.bandwidth.bits_per_cycle(), spec_.dram.latency.count(),
        spec_.dram.bandwidth.bits_per_cycle());
    const std::array<std::pair<std::string_view, std::int64_t>, 7> parts{
        {{"inputs", traffic.input_bits[0]},
         {"second inputs", traffic.input_bits[1]},
         {"weights", traffic.weight_bits},
         {"first weights of the next task", traffic.prefetch_bits},
         {"partial sums back", traffic.reload_bits},
         {"partial sums out", traffic.spill_bits},
         {"outputs", traffic.store_bits}}};
    std::int64_t sum = 0;
    for (const auto& part : parts) {
      sum += part.second;
      if (part.second > 0) line("    {:<30} {:>15} bits", part.first, grouped(part.second));
    }
    line("    {:<30} {:>15} bits in {} busy cycles of {}", "together", grouped(sum),
         grouped(traffic.busy_cycles), grouped(timing.cycles.total().count()));
    add_neighbours(at);
  }

  void add_neighbours(std::size_t at) {
    const LayerTask& task = *tasks_[at].task;
    if (task.unit == TaskUnit::kArray && task.constant_weight) {
      const Bits block = tasks_[at].prepared->prepared.schedule.first_weight_block();
      if (borders_[at].weight_is_loaded) {
        line("  before [5.7]: the first weight block, {} bits, came with the last loads of '{}'",
             grouped(block.count()), graph_.layers()[tasks_[at - 1].layer].name);
      } else {
        line("  before [5.7]: nothing; the first weight block, {} bits, is loaded here{}",
             grouped(block.count()),
             at == 0 ? ", the first task of the network"
                     : ", it had no room beside the task before");
      }
    }
    if (borders_[at].next_weight.count() > 0) {
      line("  after [5.7]: loads the first weight block of '{}', {} bits",
           graph_.layers()[tasks_[at + 1].layer].name, grouped(borders_[at].next_weight.count()));
    }
  }

  void add_cycles() {
    const CostSummary& cost = cost_.cost;
    const std::int64_t total = cost.cycles.total().count();
    line("\ncycles by cause [5.5]");
    for (int at = 0; at < kCycleCauseCount; ++at) {
      const auto cause = static_cast<CycleCause>(at);
      line("  {:<8} {:>15}  {:5.1f}%  {}{}", to_text(cause), grouped(cost.cycles[cause]),
           share(cost.cycles[cause], total), meaning_of(cause),
           cause == CycleCause::kPort ? port_waits_text(cost, spec_) : "");
    }
    line("  {:<8} {:>15}", "total", grouped(total));
    line("bound by {}: the largest of computing {}, busy channel {}, port {}, fill + drain {}",
         to_text(bound_by(cost.cycles, cost.channel_busy_cycles)),
         grouped(cost.cycles[CycleCause::kCompute]), grouped(cost.channel_busy_cycles),
         grouped(cost.cycles[CycleCause::kPort]),
         grouped(cost.cycles[CycleCause::kFill] + cost.cycles[CycleCause::kDrain]));
    const std::optional<Roofline> roof = roofline_of(cost, spec_.dram.bandwidth.bits_per_cycle());
    if (!roof) return;
    line(
        "roofline [9]: {} MACs / {} cycles = {:.6g} MACs/cycle of {:.6g} attainable (peak {:.6g}), "
        "the roof is {}",
        grouped(cost.macs.count()), grouped(total), roof->achieved_macs_per_cycle,
        roof->attainable_macs_per_cycle, roof->peak_macs_per_cycle, to_text(roof->roof));
  }

  static std::string_view meaning_of(CycleCause cause) {
    switch (cause) {
      case CycleCause::kCompute: return "lines of all folds";
      case CycleCause::kPort: return "lines that wait for buffer ports";
      case CycleCause::kFill: return "until the first tile can start";
      case CycleCause::kInput: return "tiles that wait for inputs last";
      case CycleCause::kWeight: return "tiles that wait for weights last";
      case CycleCause::kPsum: return "tiles that wait for partial sums last";
      case CycleCause::kOutput: return "tiles that wait for room for outputs last";
      case CycleCause::kDrain: return "from the last tile to the last transfer";
    }
    return "";
  }

  [[nodiscard]] std::string table_of(const ActivityEntry& entry) const {
    for (const energy::PricedAction& action : machine_.prices.actions()) {
      if (action.component == entry.component && action.action == entry.action &&
          action.weight_bits == entry.weight_bits &&
          action.activation_bits == entry.activation_bits) {
        return action.table;
      }
    }
    return "no table";
  }

  void add_energy() {
    line("\nenergy: count * price [7]; `vernier explain COMPONENT ACTION` shows terms and sources");
    const std::vector<energy::Component>& components = machine_.prices.components();
    for (const energy::EnergyEntry& entry : cost_.cost.energy.entries()) {
      const ActivityEntry& activity = entry.activity;
      std::string action(to_text(activity.action));
      if (activity.weight_bits > 0) {
        action += fmt::format(" w{} a{}", activity.weight_bits, activity.activation_bits);
      }
      if (activity.role != TensorRole::kNone) action += fmt::format(" {}", to_text(activity.role));
      line("  {:<12} {:<16} {:>15} * {:>11.6g} pJ = {:>12}  [{}]",
           components[activity.component].name, action, grouped(activity.count),
           machine_.prices.price(activity).count(), energy_text(entry.energy), table_of(activity));
    }
    line("  {:<12} {:<16} {:>34} {:>12}", "total", "", "", energy_text(cost_.cost.energy.total()));
  }

  void add_residency() {
    line("\nactivations on chip [5.7]");
    if (residences_.empty()) {
      line("  none: no buffer of the machine has resident_bytes and serves inputs and outputs");
      return;
    }
    std::vector<TensorId> own = layer_.inputs;
    own.push_back(layer_.output);
    for (const ActivationResidence& place : residences_) {
      const bool touches = std::find(own.begin(), own.end(), place.tensor) != own.end();
      const bool alive = place.first <= id_ && id_ <= place.last;
      if (!touches && !(alive && place.residence == Residence::kOnChip)) continue;
      line("  {}, {} bytes from '{}' to '{}': {}{}", graph_.tensor(place.tensor).name,
           grouped(place.size.count()), graph_.layers()[place.first].name,
           graph_.layers()[place.last].name, to_text(place.residence),
           touches ? "" : " (another layer's)");
    }
    line("  {} of {} bytes are taken while the layer runs", grouped(lowered_[id_].resident.count()),
         grouped(machine_.accelerator.buffer(TensorRole::kOutput).resident_bytes.count()));
  }

  const Evaluator& evaluator_;
  const Machine& machine_;
  const AcceleratorSpec& spec_;
  const LayerGraph& graph_;
  const NetworkPrecision& precision_;
  const Layer& layer_;
  LayerId id_;
  LayerCost cost_;
  std::vector<ActivationResidence> residences_;
  std::vector<LoweredLayer> lowered_;
  std::vector<PlacedTask> tasks_;
  std::vector<TaskBorder> borders_;
  std::string out_;
};

}  // namespace

Result<std::string> explain_layer(const Evaluator& evaluator, const LayerGraph& graph,
                                  const NetworkPrecision& precision, std::string_view layer) {
  const std::optional<LayerId> id = graph.find_layer(layer);
  if (!id) {
    std::vector<std::string> names;
    for (const Layer& known : graph.layers()) names.push_back(known.name);
    throw ModelError(fmt::format("the network '{}' has no layer '{}'{}", graph.name(), shown(layer),
                                 suggestion(layer, names)));
  }
  Explanation explanation(evaluator, graph, precision, *id);
  if (const std::optional<Infeasible> reason = explanation.prepare()) return *reason;
  return explanation.text();
}

}  // namespace vernier::frontends
