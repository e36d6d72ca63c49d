#include "arch/systemc/compute_module.hpp"

#include <fmt/format.h>

namespace vernier::arch {
namespace {

// Nobody sees the array's registers before its tile ends, unless a waveform is written. So the
// array runs ahead of the kernel inside a fold and then waits for as many cycles (temporal
// decoupling, as in TLM-2.0); what is visible outside happens in its own cycle.
constexpr std::int64_t kLinesAhead = 32;

}  // namespace

ComputeModule::ComputeModule(const sc_core::sc_module_name& name,
                             const sc_core::sc_time& clock_period)
    : sc_module(name), period_(clock_period), wake_("wake"), tile_ended_("tile_ended") {
  SC_METHOD(run);
  dont_initialize();
  sensitive << wake_;
}

void ComputeModule::configure(const ComputeTask& task, const ArrayFaults& faults) {
  VERNIER_ASSERT(!running_, "no change of task while a tile runs");
  array_.reset();
  vector_.reset();
  watches_ = false;
  if (const auto* array = std::get_if<ArrayTask>(&task)) {
    array_ = make_array_engine(*array, faults);
  } else {
    vector_ = std::make_unique<VectorEngine>(std::get<VectorTask>(task));
  }
  on_array_ = array_ != nullptr;
}

void ComputeModule::start(const ComputeTile& tile) {
  VERNIER_ASSERT(!running_, "one tile at a time");
  if (on_array_) {
    array_->begin_tile(std::get<ArrayTile>(tile));
  } else {
    vector_->begin_tile(std::get<VectorTile>(tile));
  }
  fold_begins_.clear();
  running_ = true;
  wake_.notify(sc_core::SC_ZERO_TIME);
}

const ArrayCounts* ComputeModule::array_counts() const {
  return array_ ? &array_->counts() : nullptr;
}

const VectorCounts* ComputeModule::vector_counts() const {
  return vector_ ? &vector_->counts() : nullptr;
}

void ComputeModule::run() {
  if (last_line_) {  // the edge after it
    last_line_ = false;
    running_ = false;
    if (watches_) update_signals();
    tile_ended_.notify(sc_core::SC_ZERO_TIME);
    return;
  }
  if (on_array_) {
    const LineOutcome outcome = array_->lines(watches_ ? 1 : kLinesAhead);
    last_line_ = outcome.ends_tile;
    if (records_folds_ && outcome.begins_fold) fold_begins_.push_back(sc_core::sc_time_stamp());
    wake_.notify(outcome.cycles == 1 ? period_ : period_ * static_cast<double>(outcome.cycles));
  } else {
    vector_->cycle();
    last_line_ = vector_->tile_is_done();
    wake_.notify(period_);
  }
  if (watches_) update_signals();
}

void ComputeModule::trace(sc_core::sc_trace_file* file, const std::string& prefix) {
  VERNIER_ASSERT(array_ != nullptr, "waveforms show the array");
  array_->watch();
  watches_ = true;
  const ArrayView& view = array_->view();
  row_signals_.assign(view.row_operands.size(), 0);
  column_signals_.assign(view.column_operands.size(), 0);
  drain_signals_.assign(view.drained.size(), 0);
  valid_signals_ = std::make_unique<bool[]>(view.drained.size());
  sc_core::sc_trace(file, busy_signal_, prefix + "busy");
  sc_core::sc_trace(file, preload_signal_, prefix + "preload");
  sc_core::sc_trace(file, fold_signal_, prefix + "fold");
  sc_core::sc_trace(file, line_signal_, prefix + "line");
  const auto add = [&](std::vector<int>& signals, const char* name) {
    for (std::size_t at = 0; at < signals.size(); ++at) {
      sc_core::sc_trace(file, signals[at], fmt::format("{}{}_{}", prefix, name, at));
    }
  };
  add(row_signals_, "row");
  add(column_signals_, "column");
  add(drain_signals_, "drain");
  for (std::size_t at = 0; at < drain_signals_.size(); ++at) {
    sc_core::sc_trace(file, valid_signals_[at], fmt::format("{}drain_valid_{}", prefix, at));
  }
}

void ComputeModule::update_signals() {
  busy_signal_ = running_;
  if (!on_array_) return;
  const ArrayView& view = array_->view();
  const bool active = running_;
  preload_signal_ = active && view.preloads;
  fold_signal_ = static_cast<std::uint32_t>(active ? view.fold : 0);
  line_signal_ = static_cast<std::uint32_t>(active ? view.line : 0);
  const auto copy = [active](std::vector<int>& signals, const std::vector<std::int64_t>& values) {
    for (std::size_t at = 0; at < signals.size(); ++at) {
      signals[at] = active ? static_cast<int>(values[at]) : 0;
    }
  };
  copy(row_signals_, view.row_operands);
  copy(column_signals_, view.column_operands);
  copy(drain_signals_, view.drained);
  for (std::size_t at = 0; at < drain_signals_.size(); ++at) {
    valid_signals_[at] = active && view.drain_valid[at] != 0;
  }
}

}  // namespace vernier::arch
