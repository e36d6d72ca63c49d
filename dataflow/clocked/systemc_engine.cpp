#include "dataflow/clocked/systemc_engine.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "arch/base/text.hpp"
#include "arch/systemc/array_program.hpp"
#include "dataflow/clocked/chained_tensors.hpp"
#include "dataflow/mapping/lower_network.hpp"
#include "dataflow/result/network_cost.hpp"

namespace vernier::dataflow {
namespace {

// One task in the order of execution.
struct Step {
  LayerId layer = 0;
  const LayerTask* task = nullptr;
  Mapping mapping;
  std::optional<LayerSchedule> schedule;
  CostSummary cost;
};

// Maps and compiles all tasks; an Infeasible as told by the first that cannot run.
Result<std::vector<Step>> compile_steps(const LayerGraph& graph,
                                        const std::vector<LoweredLayer>& lowered,
                                        const Accelerator& machine, const Mapper& mapper,
                                        const MappingPlan* plan) {
  std::vector<Step> steps;
  for (const LoweredLayer& layer : lowered) {
    for (std::size_t at = 0; at < layer.tasks.size(); ++at) {
      const LayerTask& task = layer.tasks[at];
      const Mapping* given = plan != nullptr ? plan->find(layer.layer, at) : nullptr;
      Step step;
      step.layer = layer.layer;
      step.task = &task;
      const Result<Mapping> mapping =
          given != nullptr ? Result<Mapping>(*given) : mapper(task, machine);
      if (!mapping) return infeasible_layer(graph, layer.layer, machine, mapping.infeasible());
      step.mapping = *mapping;
      Result<LayerSchedule> schedule = LayerSchedule::compile(task, *mapping, machine);
      if (!schedule) return infeasible_layer(graph, layer.layer, machine, schedule.infeasible());
      step.schedule.emplace(std::move(schedule).value());
      steps.push_back(std::move(step));
    }
  }
  return steps;
}

// A waveform shows a layer on the array, a timeline one that takes time.
void refuse_empty_window(const LayerGraph& graph, const std::vector<Step>& steps,
                         const ClockedOptions& options) {
  bool has_array = false;
  bool has_task = false;
  for (const Step& step : steps) {
    const std::string& name = graph.layers()[step.layer].name;
    if (!options.window_layer.empty() && options.window_layer != name) continue;
    has_task = true;
    has_array = has_array || step.task->unit == TaskUnit::kArray;
  }
  const std::string place = options.window_layer.empty()
                                ? std::string("the network")
                                : fmt::format("the layer '{}'", options.window_layer);
  if (!has_array && !options.waveform_file.empty()) {
    throw ModelError(fmt::format("{} does nothing on the array, which waveforms show", place));
  }
  if (!has_task && options.timeline != nullptr) {
    throw ModelError(fmt::format("{} takes no time, so a timeline of it would be empty", place));
  }
}

void refuse_unknown_names(const LayerGraph& graph, const ClockedOptions& options) {
  std::vector<std::string> names;
  for (const Tensor& tensor : graph.tensors()) names.push_back(tensor.name);
  for (const auto& entry : options.tensors) {
    const std::string& name = entry.first;
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw ModelError(fmt::format("{}: the network has no tensor '{}'{}", entry.second.origin,
                                 shown(name), suggestion(name, names)));
  }
  if (options.window_layer.empty()) return;
  std::vector<std::string> layers;
  for (const Layer& layer : graph.layers()) layers.push_back(layer.name);
  if (std::find(layers.begin(), layers.end(), options.window_layer) == layers.end()) {
    throw ModelError(fmt::format("the network has no layer '{}'{}", shown(options.window_layer),
                                 suggestion(options.window_layer, layers)));
  }
}

// A given tensor that no task reads would be ignored.
void refuse_unread_tensors(const LayerGraph& graph, const std::vector<Step>& steps,
                           const ClockedOptions& options) {
  std::set<std::string> read;
  for (const Step& step : steps) {
    const Layer& layer = graph.layers()[step.layer];
    if (layer.weight) read.insert(graph.tensor(*layer.weight).name);
    const std::size_t inputs = step.task->unit == TaskUnit::kArray ? 1 : layer.inputs.size();
    for (std::size_t slot = 0; slot < std::min<std::size_t>(2, inputs); ++slot) {
      read.insert(graph.tensor(layer.inputs[slot]).name);
    }
  }
  for (const auto& entry : options.tensors) {
    if (read.contains(entry.first)) continue;
    throw ModelError(fmt::format(
        "{}: no layer reads '{}' as its first input or as weights, so its values would change "
        "nothing",
        entry.second.origin, entry.first));
  }
}

// All tensors of a task lie in memory at once, several times over.
void refuse_huge_tasks(const LayerGraph& graph, const std::vector<Step>& steps) {
  constexpr std::int64_t kMostElements = std::int64_t{1} << 27;
  for (const Step& step : steps) {
    const OperandSizes sizes = operand_sizes(*step.task);
    const std::int64_t largest =
        std::max({sizes.inputs[0], sizes.inputs[1], sizes.weights, sizes.outputs});
    if (largest <= kMostElements) continue;
    throw ModelError(fmt::format(
        "layer '{}' has a tensor of {} elements; the systemc engine holds whole tensors in memory, "
        "at most {} elements each",
        graph.layers()[step.layer].name, largest, kMostElements));
  }
}

// Tensors of the tasks: given ones in the layout of the machine, others drawn.
class OperandMaker {
 public:
  OperandMaker(const LayerGraph& graph, const NetworkPrecision& precision,
               const Accelerator& machine, const ClockedOptions& options)
      : graph_(graph), precision_(precision), machine_(machine), options_(options) {}

  [[nodiscard]] TaskOperands make(const Step& step, std::size_t number,
                                  std::size_t tasks_of_layer) const {
    const Layer& layer = graph_.layers()[step.layer];
    const LayerTask& task = *step.task;
    OperandSigns signs;
    for (std::size_t slot = 0; slot < std::min<std::size_t>(2, layer.inputs.size()); ++slot) {
      signs.inputs[slot] = is_signed(layer.inputs[slot]);
    }
    const std::optional<TensorId> weight = layer.weight;
    if (is_mac(layer.op)) signs.weight = is_signed(weight ? *weight : layer.inputs[1]);
    const bool has_taps = task.reach[1] == InputReach::kTaps;
    if (has_taps) signs.inputs[1] = signs.weight;
    TaskOperands operands =
        draw_operands(task, machine_, operand_seed(options_.seed, number), signs);
    const bool is_array = task.unit == TaskUnit::kArray;
    for (std::size_t slot = 0; slot < (is_array ? 1 : layer.inputs.size()) && slot < 2; ++slot) {
      if (const TensorValues* given = find(layer.inputs[slot])) {
        refuse_resident(*given, task, slot);
        require_one_task(*given, layer, tasks_of_layer);
        operands.inputs[slot] = activation(*given, layer.inputs[slot], task.input_storage[slot]);
      }
    }
    if (!weight) return operands;
    if (const TensorValues* given = find(*weight)) {
      require_one_task(*given, layer, tasks_of_layer);
      if (has_taps) {
        operands.inputs[1] = taps(*given, *weight, task);
      } else {
        operands.weights = weights(*given, *weight, task);
      }
    }
    return operands;
  }

 private:
  [[nodiscard]] bool is_signed(TensorId tensor) const {
    return precision_.at(tensor).kind != NumberKind::kUint;
  }
  [[nodiscard]] const TensorValues* find(TensorId tensor) const {
    const auto found = options_.tensors.find(graph_.tensor(tensor).name);
    return found == options_.tensors.end() ? nullptr : &found->second;
  }

  // What its producer has left there is read, whatever a person gives.
  static void refuse_resident(const TensorValues& given, const LayerTask& task, std::size_t slot) {
    if (!task.input_resident[slot]) return;
    throw ModelError(fmt::format(
        "{}: the tensor stays on chip, where its values come from the layer that makes it",
        given.origin));
  }

  void require_one_task(const TensorValues& given, const Layer& layer, std::size_t tasks) const {
    if (tasks == 1 && graph_.batch() == 1) return;
    throw ModelError(fmt::format(
        "{}: given tensors are for layers that run as one task on one image; layer '{}' has {} "
        "tasks, the batch is {}",
        given.origin, layer.name, tasks, graph_.batch()));
  }

  void check(const TensorValues& given, TensorId tensor, Bitwidth storage,
             std::vector<std::int64_t> shape) const {
    const Tensor& info = graph_.tensor(tensor);
    std::vector<std::int64_t> found = given.shape;
    std::erase(found, 1);
    std::vector<std::int64_t> wanted = shape;
    std::erase(wanted, 1);
    if (found != wanted || static_cast<std::int64_t>(given.values.size()) != info.elements()) {
      throw ModelError(fmt::format("{}: the shape is ({}); the tensor '{}' has ({})", given.origin,
                                   fmt::join(given.shape, ", "), info.name,
                                   fmt::join(shape, ", ")));
    }
    const Bitwidth bits = std::min(storage, precision_.at(tensor).bits);
    const std::int64_t span = std::int64_t{1} << bits.bits();
    const std::int64_t least = is_signed(tensor) ? -span / 2 : 0;
    for (const std::int32_t value : given.values) {
      if (value >= least && value < least + span) continue;
      throw ModelError(fmt::format("{}: the value {} does not fit the {} {} bits of '{}'",
                                   given.origin, value, bits.bits(),
                                   is_signed(tensor) ? "signed" : "unsigned", info.name));
    }
  }

  // [channel][pixel] becomes [pixel][channel].
  [[nodiscard]] std::vector<std::int32_t> activation(const TensorValues& given, TensorId tensor,
                                                     Bitwidth bits) const {
    const Shape& shape = graph_.tensor(tensor).shape;
    check(given, tensor, bits, {shape.channels, shape.height, shape.width});
    std::vector<std::int32_t> values;
    values.reserve(given.values.size());
    for (std::int64_t pixel = 0; pixel < shape.pixels(); ++pixel) {
      for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
        values.push_back(given.values[static_cast<std::size_t>(channel * shape.pixels() + pixel)]);
      }
    }
    return values;
  }

  // [output channel][channel][position] becomes [output channel][position][channel].
  [[nodiscard]] std::vector<std::int32_t> weights(const TensorValues& given, TensorId tensor,
                                                  const LayerTask& task) const {
    check(given, tensor, task.weight_storage,
          {task.groups * task.out_channels, task.channels, task.window.kernel_height,
           task.window.kernel_width});
    const std::int64_t positions = task.window.positions();
    std::vector<std::int32_t> values;
    values.reserve(given.values.size());
    for (std::int64_t row = 0; row < task.groups * task.out_channels; ++row) {
      for (std::int64_t position = 0; position < positions; ++position) {
        for (std::int64_t channel = 0; channel < task.channels; ++channel) {
          values.push_back(given.values[static_cast<std::size_t>(
              (row * task.channels + channel) * positions + position)]);
        }
      }
    }
    return values;
  }

  // [channel][position] becomes [position][channel]: weights of a depthwise layer of the vector
  // unit.
  [[nodiscard]] std::vector<std::int32_t> taps(const TensorValues& given, TensorId tensor,
                                               const LayerTask& task) const {
    check(given, tensor, task.input_storage[1],
          {task.out_channels, task.window.kernel_height, task.window.kernel_width});
    const std::int64_t positions = task.window.positions();
    std::vector<std::int32_t> values;
    values.reserve(given.values.size());
    for (std::int64_t position = 0; position < positions; ++position) {
      for (std::int64_t channel = 0; channel < task.out_channels; ++channel) {
        values.push_back(given.values[static_cast<std::size_t>(channel * positions + position)]);
      }
    }
    return values;
  }

  const LayerGraph& graph_;
  const NetworkPrecision& precision_;
  const Accelerator& machine_;
  const ClockedOptions& options_;
};

void join(DataCheck& sum, const DataCheck& part) {
  sum.outputs += part.outputs;
  sum.mismatches += part.mismatches;
  sum.overflows += part.overflows;
  if (sum.first_mismatch.empty()) sum.first_mismatch = part.first_mismatch;
}

// Runs the steps one after the other on one machine.
class Simulation {
 public:
  Simulation(const Machine& machine, const LayerGraph& graph, const ClockedOptions& options,
             const OperandMaker& maker, const NetworkPrecision& precision,
             const std::vector<LoweredLayer>& lowered)
      : machine_(machine),
        graph_(graph),
        options_(options),
        maker_(maker),
        lowered_(lowered),
        chained_(graph, precision, lowered),
        clocked_(machine.accelerator) {}

  void run(std::vector<Step>& steps, ClockedNetwork& result) {
    std::vector<const LayerSchedule*> schedules;
    schedules.reserve(steps.size());
    for (const Step& step : steps) schedules.push_back(&*step.schedule);
    const std::vector<TaskBorder> borders = task_borders(schedules, machine_.accelerator);
    result.checks.resize(graph_.layers().size());
    TaskOperands operands;
    if (!steps.empty()) operands = make(steps[0], 0);
    for (std::size_t at = 0; at < steps.size(); ++at) {
      TaskOperands next;
      if (at + 1 < steps.size()) next = make(steps[at + 1], at + 1);
      Step& step = steps[at];
      const ChainedTask places = chained_.places_of(step.layer, number_of(step));
      if (options_.check_data) chained_.fill_inputs(step.layer, number_of(step), operands);
      ClockedTask task{&*step.schedule, &operands, borders[at],
                       nullptr,         nullptr,   chained_.loan(places)};
      if (borders[at].next_weight.count() > 0) {
        task.next_schedule = schedules[at + 1];
        task.next_operands = &next;
      }
      const ClockedRun run = run_task(task, step);
      step.cost = cost_of_run(run, *step.schedule, machine_);
      result.busy_cycles += run.busy_lines;
      if (options_.check_data) {
        std::vector<std::int64_t> codes;
        join(result.checks[step.layer],
             check_outputs(*step.task, machine_.accelerator, operands, run, &codes));
        chained_.leave(step.layer, number_of(step), codes);
      }
      operands = std::move(next);
    }
  }

 private:
  [[nodiscard]] TaskOperands make(const Step& step, std::size_t number) const {
    return maker_.make(step, number, lowered_[step.layer].tasks.size());
  }

  [[nodiscard]] std::size_t number_of(const Step& step) const {
    return static_cast<std::size_t>(step.task - lowered_[step.layer].tasks.data());
  }

  ClockedRun run_task(const ClockedTask& task, const Step& step) {
    const std::string& name = graph_.layers()[step.layer].name;
    const bool in_window = options_.window_layer.empty() || options_.window_layer == name;
    WaveformRequest waveform;
    if (in_window && !waveform_is_done_ && step.task->unit == TaskUnit::kArray) {
      waveform.file = options_.waveform_file;
      waveform_is_done_ = true;
    }
    const bool records = options_.timeline != nullptr && in_window;
    clocked_.record(records ? options_.timeline : nullptr);
    const std::int64_t begin = clocked_.now();
    ClockedRun run = clocked_.run(task, waveform);
    if (records) options_.timeline->tasks.push_back({name, begin, clocked_.now()});
    return run;
  }

  const Machine& machine_;
  const LayerGraph& graph_;
  const ClockedOptions& options_;
  OperandMaker maker_;
  const std::vector<LoweredLayer>& lowered_;
  ChainedTensors chained_;
  ClockedMachine clocked_;
  bool waveform_is_done_ = false;
};

}  // namespace

std::int64_t ClockedNetwork::outputs() const {
  std::int64_t sum = 0;
  for (const DataCheck& check : checks) sum += check.outputs;
  return sum;
}

std::int64_t ClockedNetwork::mismatches() const {
  std::int64_t sum = 0;
  for (const DataCheck& check : checks) sum += check.mismatches;
  return sum;
}

CostSummary cost_of_run(const ClockedRun& run, const LayerSchedule& schedule,
                        const Machine& machine) {
  CostSummary cost;
  cost.cycles = run.cycles;
  cost.port_waits = run.port_waits;
  cost.channel_busy_cycles = run.channel_busy_cycles;
  cost.dram = run.dram;
  cost.activity = run.activity;
  cost.energy = energy::EnergyBreakdown(cost.activity, machine.prices);
  set_static_figures(cost, schedule, machine.accelerator);
  return cost;
}

DataCheck check_outputs(const LayerTask& task, const Accelerator& machine,
                        const TaskOperands& operands, const ClockedRun& run,
                        std::vector<std::int64_t>* codes) {
  const std::vector<std::int64_t> expected = reference_outputs(task, machine, operands);
  DataCheck check;
  check.outputs = static_cast<std::int64_t>(expected.size());
  check.overflows = run.accumulator_overflows;
  VERNIER_ASSERT(run.exact.size() == expected.size() && run.codes.size() == expected.size(),
                 "as many outputs as the definition has");
  for (std::size_t at = 0; at < expected.size(); ++at) {
    const std::int64_t code =
        arch::requantize(expected[at], operands.requant_shift, task.output_storage.bits());
    if (codes != nullptr) codes->push_back(code);
    if (run.exact[at] == expected[at] && run.codes[at] == code) continue;
    ++check.mismatches;
    if (!check.first_mismatch.empty()) continue;
    check.first_mismatch = fmt::format("output {}: {} (code {}), by definition {} (code {})", at,
                                       run.exact[at], run.codes[at], expected[at], code);
  }
  return check;
}

Result<ClockedNetwork> simulate(const Machine& machine, const LayerGraph& graph,
                                const NetworkPrecision& precision, const Mapper& mapper,
                                const ClockedOptions& options) {
  refuse_unknown_names(graph, options);
  const std::vector<LoweredLayer> lowered =
      lower_network(graph, precision, machine.accelerator, options.strict_bits);
  Result<std::vector<Step>> compiled =
      compile_steps(graph, lowered, machine.accelerator, mapper, options.mappings);
  if (!compiled) return compiled.infeasible();
  std::vector<Step> steps = std::move(compiled).value();
  refuse_huge_tasks(graph, steps);
  refuse_unread_tensors(graph, steps, options);
  refuse_empty_window(graph, steps, options);
  ClockedNetwork result;
  Simulation(machine, graph, options, {graph, precision, machine.accelerator, options}, precision,
             lowered)
      .run(steps, result);
  std::vector<TaskResult> costs;
  costs.reserve(steps.size());
  for (const Step& step : steps) costs.push_back({step.task, &step.mapping, &step.cost});
  result.cost = join_costs(lowered, costs, machine);
  return result;
}

}  // namespace vernier::dataflow
