// The compute cluster as a SystemC module: one method that runs a tile on the array or the vector
// unit, one line per clock cycle (or per several, where the ports are too narrow), and sleeps
// between tiles. Where no waveform watches it, it executes some lines at once and waits for all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <systemc>

#include "arch/systemc/array_engine.hpp"
#include "arch/systemc/vector_engine.hpp"

namespace vernier::arch {

/// What a task runs on.
using ComputeTask = std::variant<ArrayTask, VectorTask>;
using ComputeTile = std::variant<ArrayTile, VectorTile>;

class ComputeModule : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(ComputeModule);
  ComputeModule(const sc_core::sc_module_name& name, const sc_core::sc_time& clock_period);

  /// Sets the unit up for a task, which must outlive it. Not while a tile runs.
  void configure(const ComputeTask& task, const ArrayFaults& faults);
  /// Starts a tile in this very cycle. Not while a tile runs.
  void start(const ComputeTile& tile);
  /// Notified in the cycle in which a tile's results are visible.
  [[nodiscard]] const sc_core::sc_event& tile_ended() const { return tile_ended_; }
  [[nodiscard]] bool is_running() const { return running_; }
  [[nodiscard]] const ArrayCounts* array_counts() const;
  [[nodiscard]] const VectorCounts* vector_counts() const;

  /// Times at which the folds of the last tile began; kept on request.
  void record_folds(bool record) { records_folds_ = record; }
  [[nodiscard]] const std::vector<sc_core::sc_time>& fold_begins() const { return fold_begins_; }

  /// Adds the array's signals to a waveform of the configured task.
  void trace(sc_core::sc_trace_file* file, const std::string& prefix);

 private:
  void run();
  void update_signals();

  sc_core::sc_time period_;
  sc_core::sc_event wake_;
  sc_core::sc_event tile_ended_;
  std::unique_ptr<ArrayEngine> array_;
  std::unique_ptr<VectorEngine> vector_;
  bool running_ = false;
  bool last_line_ = false;  ///< the tile's last line is under way
  bool on_array_ = true;
  bool watches_ = false;
  bool records_folds_ = false;
  std::vector<sc_core::sc_time> fold_begins_;

  // Registered signals as a waveform shows them.
  bool busy_signal_ = false;
  bool preload_signal_ = false;
  std::uint32_t fold_signal_ = 0;
  std::uint32_t line_signal_ = 0;
  std::vector<int> row_signals_;
  std::vector<int> column_signals_;
  std::vector<int> drain_signals_;
  std::unique_ptr<bool[]> valid_signals_;
};

}  // namespace vernier::arch
