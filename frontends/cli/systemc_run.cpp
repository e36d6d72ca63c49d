#include "frontends/cli/systemc_run.hpp"

#include <charconv>
#include <fstream>

#include <fmt/format.h>

#include "arch/base/text.hpp"
#include "dataflow/clocked/systemc_engine.hpp"
#include "dataflow/evaluate/heuristic_mapper.hpp"
#include "frontends/cli/commands.hpp"
#include "frontends/npy/npy_file.hpp"
#include "frontends/report/timeline_json.hpp"

namespace vernier::frontends {
namespace {

dataflow::TensorValues load_tensor(const std::string& path) {
  NpyArray array = read_npy(path);
  return {std::move(array.values), std::move(array.shape), path};
}

std::map<std::string, dataflow::TensorValues> load_tensors(
    const std::vector<std::string>& assignments) {
  std::map<std::string, dataflow::TensorValues> tensors;
  for (const std::string& assignment : assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == assignment.size()) {
      throw ConfigError(fmt::format("--tensor {}: wanted is NAME=FILE.npy", shown(assignment)));
    }
    const std::string name = assignment.substr(0, equals);
    const std::string path = assignment.substr(equals + 1);
    if (!tensors.emplace(name, load_tensor(path)).second) {
      throw ConfigError(fmt::format("--tensor: '{}' is given twice", shown(name)));
    }
  }
  return tensors;
}

std::uint64_t parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error == std::errc{} && end == text.data() + text.size()) return seed;
  throw ConfigError(
      fmt::format("--seed {}: wanted is a whole number from 0 to 2^64-1", shown(text)));
}

// Found out before the simulation, not after it.
void require_writable(const std::string& option, const std::string& path) {
  if (path.empty()) return;
  if (!std::ofstream(path, std::ios::app)) {
    throw ConfigError(fmt::format("{} {}: cannot be written", option, path));
  }
}

}  // namespace

bool has_systemc() { return true; }

Result<SystemcRun> run_systemc(const dataflow::Machine& machine, const dataflow::LayerGraph& graph,
                               const dataflow::NetworkPrecision& precision, bool strict_bits,
                               const dataflow::MappingPlan* mappings, const SystemcOptions& given) {
  dataflow::Timeline timeline;
  dataflow::ClockedOptions options;
  if (!given.seed.empty()) options.seed = parse_seed(given.seed);
  options.strict_bits = strict_bits;
  options.mappings = mappings;
  options.tensors = load_tensors(given.tensors);
  options.waveform_file = given.waveform;
  options.window_layer = given.window;
  if (!given.window.empty() && given.waveform.empty() && given.timeline.empty()) {
    throw ConfigError("--window is for --trace and --timeline; neither is given");
  }
  if (!given.waveform.empty() && !given.waveform.ends_with(".vcd")) {
    throw ConfigError(
        fmt::format("--trace {}: the file's name must end in .vcd", shown(given.waveform)));
  }
  require_writable("--trace", given.waveform);
  require_writable("--timeline", given.timeline);
  if (!given.timeline.empty()) options.timeline = &timeline;
  Result<dataflow::ClockedNetwork> simulated =
      simulate(machine, graph, precision, dataflow::map_heuristically, options);
  if (!simulated) return simulated.infeasible();
  if (options.timeline != nullptr) {
    write_result(to_trace_events(timeline, machine.accelerator.spec().clock), given.timeline,
                 "--timeline");
    if (timeline.left_out > 0) {
      say(
          fmt::format("vernier: the timeline is full: {} later entries were left out; --window "
                      "shows one layer",
                      timeline.left_out));
    }
  }
  DataCheckFigures check;
  check.seed = options.seed;
  check.busy_cycles = simulated->busy_cycles;
  for (std::size_t layer = 0; layer < simulated->checks.size(); ++layer) {
    const dataflow::DataCheck& found = simulated->checks[layer];
    check.outputs += found.outputs;
    check.mismatches += found.mismatches;
    check.overflows += found.overflows;
    if (!found.first_mismatch.empty() && check.first_mismatch.empty()) {
      check.first_mismatch =
          fmt::format("layer '{}', {}", graph.layers()[layer].name, found.first_mismatch);
    }
  }
  return SystemcRun{std::move(simulated).value().cost, std::move(check)};
}

}  // namespace vernier::frontends
